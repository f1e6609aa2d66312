/** The machine that the server runs on: it starts one, kills it with all that it has in hand, and starts the next. */
import { Bank } from '../../src/bank/bank.ts'
import type { Clock } from '../../src/bank/clock.ts'
import type { QueueOptions } from '../../src/bank/queue.ts'
import type { Store } from '../../src/bank/store.ts'
import type { Chance } from '../support/chance.ts'
import type { Faults } from './faults.ts'
import { FaultyStore } from './faulty-store.ts'
import type { Answer, Front } from './front.ts'
import type { Attempt, Server } from './traffic.ts'
import type { World } from './world.ts'

export type HostOptions = {
  readonly world: World
  readonly clock: Clock
  readonly front: Front
  readonly faults: Faults
  readonly chance: Chance
  readonly queue: Partial<QueueOptions>
  /** What survives a crash, asked for at every start. */
  disk(): Store | Promise<Store>
  /** What the bank is given in place of its store. */
  outer?(store: Store): Store
  /** Whether the server ends by itself what nobody asks about any more. */
  readonly watchesDue?: true
  note(line: string): void
}

type Life = { readonly store: FaultyStore; readonly inHand: Set<Attempt>; over: boolean }

export class Host implements Server {
  readonly #options: HostOptions
  #life: Life | undefined

  constructor(options: HostOptions) {
    this.#options = options
  }

  /** The store of the server that runs, if one does. */
  get store(): FaultyStore | undefined {
    return this.#life?.store
  }

  async start(): Promise<void> {
    const { world, clock, front, faults, chance, queue, disk, outer, note } = this.#options
    if (this.#life !== undefined) return
    const store = new FaultyStore({ world, disk: await disk(), faults, chance })
    front.bank = new Bank(outer?.(store) ?? store, clock, queue)
    await front.bank.readRegistry()
    if (this.#options.watchesDue) front.bank.watchDue()
    this.#life = { store, inHand: new Set(), over: false }
    note('the server starts')
  }

  async kill(): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    this.#life = undefined
    life.over = true
    for (const attempt of life.inHand) attempt.crashedMs = this.#options.world.nowMs
    this.#options.note(`the server is killed with ${life.inHand.size} requests in hand`)
    await life.store.crash()
  }

  ask(attempt: Attempt): Promise<Answer> | undefined {
    const life = this.#life
    if (life === undefined) return undefined
    life.inHand.add(attempt)
    return this.#options.front.ask({ ...attempt.asked, id: attempt.id }).then((answer) => {
      if (life.over) return new Promise(() => {})
      life.inHand.delete(attempt)
      return answer
    })
  }
}

/**
 * Clients and the network between them and the server: requests are lost, late, sent twice and overtaken, answers are
 * lost, clients wait so long and no longer, and try again under the same key, or give up.
 */

import type { Clock } from '../../src/bank/clock.ts'
import type { Chance } from '../support/chance.ts'
import type { Faults } from './faults.ts'
import type { Answer } from './front.ts'
import { type Asked, Requests } from './requests.ts'
import type { World } from './world.ts'

/** What a request came to, as the server sent it: also where the network lost that. Instants are the world's stamps. */
export type Attempt = {
  readonly id: string
  readonly asked: Asked
  invoked?: number
  invokedMs?: number
  returned?: number
  returnedMs?: number
  answer?: Answer
  /** What the server's wall clock said then. */
  returnedAt?: number
  /** When the server was killed with it in hand. */
  crashedMs?: number
}

/** One thing that a client wants, and every try at it. */
export type Wish = {
  readonly name: string
  readonly asked: Asked
  readonly attempts: Attempt[]
  /** Sent under the key of another wish, which must not be carried out. */
  readonly conflictsWith?: Wish
}

export interface Server {
  /** Undefined where nobody listens; never resolves where it is killed. */
  ask(attempt: Attempt): Promise<Answer> | undefined
}

export type Verdict = 'final' | 'not done' | 'unknown'

const notDone = ['account_busy', 'in_progress', 'overloaded', 'storage_low', 'store_unavailable']

/** What an answer says of its request: that it is decided, that nothing was done, or neither. */
export function verdictOf({ status, text }: Answer): Verdict {
  if (status < 400) return 'final'
  const code = codeOf(text)
  if (notDone.includes(code)) return 'not done'
  return code === 'outcome_unknown' || code === 'internal' ? 'unknown' : 'final'
}

export function codeOf(text: string): string {
  return (JSON.parse(text) as { code?: string }).code ?? ''
}

export type TrafficOptions = {
  readonly world: World
  readonly clock: Clock
  readonly server: Server
  readonly faults: Faults
  readonly chance: Chance
  readonly clients: number
  readonly operations: number
  note(line: string): void
}

export class Traffic {
  readonly wishes: Wish[] = []
  readonly #options: TrafficOptions
  readonly #requests: Requests
  #attempts = 0
  #left: number
  #busy = 0

  constructor(options: TrafficOptions) {
    this.#options = options
    this.#requests = new Requests(options.chance)
    this.#left = options.operations
  }

  /** Whether no client wants anything more. */
  get isOver(): boolean {
    return this.#busy === 0
  }

  /** When holds end that clients know of. */
  get ends(): readonly number[] {
    return this.#requests.ends
  }

  get attempts(): number {
    return this.#attempts
  }

  start(): void {
    const { world, clients, chance } = this.#options
    this.#busy = clients
    for (let client = 1; client <= clients; client += 1) world.after(chance(200), () => this.#next(client))
  }

  /** Whatever is not decided yet is sent until it is; then everything with a key once more, which must say the same. */
  async resolve(): Promise<void> {
    const keyed = this.wishes.filter(isRemembered)
    for (const wish of keyed)
      for (let i = 0; (i === 0 || !finalOf(wish)) && i < 5; i += 1) await this.ask(wish.asked, wish)
  }

  /** One request over a network without faults. */
  async ask(asked: Asked, wish: Wish = this.#wish(asked)): Promise<Attempt> {
    const attempt = this.#attempt(wish)
    this.#arrive(attempt, () => {})
    await this.#options.world.run()
    return attempt
  }

  #next(client: number): void {
    const { world, chance } = this.#options
    if (this.#left === 0) {
      this.#busy -= 1
      return
    }
    this.#left -= 1
    // Bursts of work, and pauses.
    const pauseMs = chance(6) === 0 ? chance(4_000) : chance(40)
    this.#send(this.#wishOf(), 0, () => world.after(pauseMs, () => this.#next(client)))
  }

  #wishOf(): Wish {
    const { chance } = this.#options
    const old = chance(12) === 0 ? this.#oldWish() : undefined
    if (old !== undefined && chance(2)) return old
    if (old !== undefined) return this.#wish({ ...this.#requests.other(), key: old.asked.key as string }, old)
    return this.#wish(this.#requests.next(() => `k-${this.wishes.length + 1}`))
  }

  /** One that has been decided under a key. */
  #oldWish(): Wish | undefined {
    const old = this.wishes.filter((wish) => isRemembered(wish) && finalOf(wish))
    return old[this.#options.chance(old.length)]
  }

  #wish(asked: Asked, conflictsWith?: Wish): Wish {
    const name = `w${this.wishes.length + 1}`
    const wish: Wish = { name, asked, attempts: [], ...(conflictsWith && { conflictsWith }) }
    this.wishes.push(wish)
    return wish
  }

  #attempt(wish: Wish): Attempt {
    this.#attempts += 1
    const attempt = { id: `${wish.name}.${wish.attempts.length + 1}`, asked: wish.asked }
    wish.attempts.push(attempt)
    return attempt
  }

  #send(wish: Wish, tries: number, then: () => void): void {
    const { world, faults, chance, note } = this.#options
    const attempt = this.#attempt(wish)
    const { method, path, body, key } = wish.asked
    note(`${attempt.id} ${method} ${path} ${body ?? ''} ${key ?? ''}`)

    let settled = false
    const settle = (heard: Verdict | 'silence') => {
      if (settled) return
      settled = true
      note(`${attempt.id} heard ${heard}`)
      const again = heard !== 'final' && (wish.asked.key !== undefined || wish.asked.method === 'GET')
      if (!again || tries >= 1 + chance(6)) then()
      else world.after(50 + chance(2_000) * (tries + 1), () => this.#send(wish, tries + 1, then))
    }
    const travel = (made: Attempt) => {
      if (faults.happens('network', 'request lost', 40)) return
      world.after(this.#delayMs(), () =>
        this.#arrive(made, (verdict) => {
          if (faults.happens('network', 'answer lost', 25)) return
          world.after(this.#delayMs(), () => settle(verdict))
        }),
      )
    }
    world.after(500 + chance(14_000), () => settle('silence'))
    travel(attempt)
    if (wish.asked.key !== undefined && faults.happens('network', 'request sent twice', 15))
      travel(this.#attempt(wish))
  }

  #delayMs(): number {
    const { faults, chance } = this.#options
    return faults.happens('network', 'late', 30) ? chance(20_000) : chance(4)
  }

  #arrive(attempt: Attempt, reply: (verdict: Verdict) => void): void {
    const { world, server, note } = this.#options
    const asking = server.ask(attempt)
    if (asking === undefined) {
      note(`${attempt.id} nobody listens`)
      reply('not done')
      return
    }
    attempt.invoked = world.stamp()
    attempt.invokedMs = world.nowMs
    world.move()
    note(`${attempt.id} arrives`)
    void asking.then((answer) => {
      world.move()
      if (attempt.crashedMs !== undefined) return
      attempt.returned = world.stamp()
      attempt.returnedMs = world.nowMs
      attempt.answer = answer
      attempt.returnedAt = this.#options.clock.now()
      note(`${attempt.id} ${answer.status}${answer.replayed ? ' again' : ''} ${answer.text}`)
      this.#learn(attempt.asked, answer)
      reply(verdictOf(answer))
    })
  }

  /** Names that later requests can use. */
  #learn({ kind, path, content }: Asked, { status, replayed, text }: Answer): void {
    if (status >= 300 || replayed || !path.startsWith('/v1')) return
    if (content.type === 'parts' && content.dry) return
    const { id, expires_at, results } = JSON.parse(text) as {
      id?: string
      expires_at?: string
      results?: { body: { id?: string; kind?: string } }[]
    }
    if (kind === 'hold' && id) this.#requests.holds.push(id)
    if (kind === 'hold' && expires_at) this.#requests.ends.push(Date.parse(expires_at))
    if (['deposit', 'withdrawal', 'transfer'].includes(kind) && id) this.#requests.transfers.push(id)
    for (const { body } of results ?? []) {
      if (body.id === undefined) continue
      if (body.kind === undefined) this.#requests.holds.push(body.id)
      else this.#requests.transfers.push(body.id)
    }
  }
}

/** Whether its key remembers what came of it. */
export function isRemembered({ asked: { key, content }, conflictsWith }: Wish): boolean {
  return key !== undefined && !conflictsWith && !(content.type === 'parts' && content.dry)
}

/** The first answer that decided it. */
export function finalOf({ attempts }: Wish): Answer | undefined {
  return attempts.find(({ answer }) => answer && verdictOf(answer) === 'final')?.answer
}

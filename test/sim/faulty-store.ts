/**
 * The store as one server has it: what is on the disk, behind a writer that is slow, waits for another program's lock,
 * fails before and after COMMIT, loses the answer, and shuts itself as the embedded store does.
 *
 *   open ──(COMMIT or the disk fails)──▶ broken ──(reopened)──▶ open
 *
 * What a crash finds between the lock and the answer is on the disk or not, by chance.
 */
import {
  type AccountList,
  type AccountPage,
  type Pending,
  type Store,
  StoreError,
} from '../../src/bank/store.ts'
import type { Account, AccountNumber } from '../../src/ledger/account.ts'
import type { Outcome } from '../../src/ledger/command.ts'
import type { Refusal } from '../../src/ledger/refusal.ts'
import type { Chance } from '../support/chance.ts'
import type { Faults } from './faults.ts'
import type { World } from './world.ts'

type Of = {
  readonly world: World
  readonly disk: Store
  readonly faults: Faults
  readonly chance: Chance
}

/** A delay as storage has it: mostly short, and now and then beyond every deadline. */
const slowMaxMs = 16_000

export class FaultyStore implements Store {
  readonly name = 'faulty'
  readonly #world: World
  readonly #disk: Store
  readonly #faults: Faults
  readonly #chance: Chance
  #dead = false
  #broken = false
  #shut: Refusal | undefined
  #lockedUntilMs = 0
  /** What a crash may find done or not done. */
  #between: readonly Pending[] | undefined

  constructor({ world, disk, faults, chance }: Of) {
    this.#world = world
    this.#disk = disk
    this.#faults = faults
    this.#chance = chance
  }

  get shut(): Refusal | undefined {
    if (this.#broken) return 'store_unavailable'
    return this.#faults.over ? undefined : this.#shut
  }

  /** Refuses writes for a while. */
  shutFor(ms: number, why: Refusal): void {
    this.#shut = why
    this.#world.after(ms, () => {
      this.#shut = undefined
    })
  }

  async commit(batch: readonly Pending[]): Promise<readonly Outcome[]> {
    this.#world.move()
    if (this.#dead) return new Promise(() => {})
    if (this.#broken) throw new StoreError('unavailable', 'the store is being reopened')
    await this.#lock(batch)
    this.#between = batch
    await this.#take('before COMMIT')
    const outcomes = await this.#tryCommit(batch)
    this.#between = undefined
    await this.#take('after COMMIT')
    return outcomes
  }

  /** The process ends here; nothing of this store is ever answered again. */
  async crash(): Promise<void> {
    this.#dead = true
    const between = this.#between
    if (between === undefined) return
    const done = this.#chance(2) === 0
    this.#faults.count(`crash in COMMIT, ${done ? 'done' : 'not done'}`)
    if (done) await this.#disk.commit(between)
  }

  async #tryCommit(batch: readonly Pending[]): Promise<readonly Outcome[]> {
    if (this.#faults.happens('store', 'failed', 15)) throw this.#fail('failed')
    if (this.#faults.happens('store', 'unavailable', 60)) {
      this.#break()
      throw this.#fail('unavailable')
    }
    if (this.#faults.happens('store', 'unknown, not done', 40)) {
      this.#break()
      throw this.#fail('outcome_unknown')
    }
    if (this.#faults.happens('store', 'unknown, done once reopened', 60)) {
      this.#break(batch)
      throw new StoreError('outcome_unknown', 'COMMIT failed')
    }
    const outcomes = await this.#disk.commit(batch)
    if (this.#faults.happens('store', 'unknown, done', 40)) {
      this.#break()
      throw this.#fail('outcome_unknown')
    }
    return outcomes
  }

  #fail(code: 'failed' | 'unavailable' | 'outcome_unknown'): StoreError {
    this.#between = undefined
    return new StoreError(code, `the store is ${code}`)
  }

  /** Reopens after a while; what is in the log then counts. */
  #break(late?: readonly Pending[]): void {
    this.#broken = true
    this.#world.after(50 + this.#chance(3_000), async () => {
      if (this.#dead) return
      // Its deadline was judged when it was applied.
      if (late) await this.#disk.commit(late.map((pending) => ({ ...pending, deadlineMs: Infinity })))
      this.#between = undefined
      this.#broken = false
    })
  }

  /** Another program may hold the lock; waits for it until the first deadline of the batch. */
  async #lock(batch: readonly Pending[]): Promise<void> {
    if (this.#faults.over) return
    const { nowMs } = this.#world
    if (this.#faults.happens('lock', 'lock held', 40))
      this.#lockedUntilMs = nowMs + 100 + this.#chance(15_000)
    const firstDeadlineMs = Math.min(...batch.map(({ deadlineMs }) => deadlineMs))
    const waitMs = Math.min(this.#lockedUntilMs, firstDeadlineMs) - nowMs
    if (waitMs > 0) await this.#sleep(waitMs)
    if (this.#world.nowMs < this.#lockedUntilMs) throw new StoreError('busy', 'the store is locked')
  }

  async #take(when: string): Promise<void> {
    const slow = this.#faults.happens('slow', `slow ${when}`, 50)
    const ms = slow ? this.#chance(slowMaxMs) : this.#chance(4)
    await this.#sleep(ms)
  }

  /** Never comes back where the process has ended meanwhile. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) =>
      this.#world.after(ms, () => {
        this.#world.move()
        if (!this.#dead) resolve()
      }),
    )
  }

  async #read<Found>(read: () => Promise<Found>): Promise<Found> {
    this.#world.move()
    const [beforeMs, afterMs] = [this.#chance(3), this.#chance(3)]
    if (beforeMs === 2) await this.#sleep(beforeMs)
    const found = await read()
    if (afterMs === 2) await this.#sleep(afterMs)
    return found
  }

  account(number: AccountNumber): Promise<Account | undefined> {
    return this.#read(() => this.#disk.account(number))
  }

  accounts(page: AccountPage): Promise<AccountList> {
    return this.#read(() => this.#disk.accounts(page))
  }

  transfer: Store['transfer'] = (id) => this.#read(() => this.#disk.transfer(id))
  hold: Store['hold'] = (id) => this.#read(() => this.#disk.hold(id))
  entity: Store['entity'] = (name) => this.#read(() => this.#disk.entity(name))
  entities: Store['entities'] = (page) => this.#read(() => this.#disk.entities(page))
  find: Store['find'] = (page) => this.#read(() => this.#disk.find(page))
  about: Store['about'] = (names, limit) => this.#read(() => this.#disk.about(names, limit))
  due: Store['due'] = (now, limit) => this.#read(() => this.#disk.due(now, limit))
  thing: Store['thing'] = (id) => this.#disk.thing(id)
  things: Store['things'] = () => this.#disk.things()
  acts: Store['acts'] = (page) => this.#disk.acts(page)
  reply: Store['reply'] = (key) => this.#disk.reply(key)
  totals: Store['totals'] = () => this.#read(() => this.#disk.totals())
  entries: Store['entries'] = (page) => this.#read(() => this.#disk.entries(page))
  transfers: Store['transfers'] = (page) => this.#read(() => this.#disk.transfers(page))
  holds: Store['holds'] = (page) => this.#read(() => this.#disk.holds(page))
  last: Store['last'] = () => this.#disk.last()
  placeOf: Store['placeOf'] = (id) => this.#disk.placeOf(id)
  lines: Store['lines'] = (range) => this.#disk.lines(range)
  blocks: Store['blocks'] = (page) => this.#disk.blocks(page)
  heads: Store['heads'] = () => this.#disk.heads()
  journal: Store['journal'] = (fromBlock) => this.#disk.journal(fromBlock)
  prove: Store['prove'] = (range, onProgress) => this.#disk.prove(range, onProgress)
  figures: Store['figures'] = () => ({})

  async close(): Promise<void> {}
}

/**
 * Reads the books of the last seven days, and from then on what is new, for `Usage`. It takes a few records at a time,
 * and fewer still while commands wait: nobody is to notice.
 *
 *   begun ──▶ finding the place ──▶ reading, piece by piece ──(none is left)──▶ resting ──(a while)──▶ reading
 */
import type { Bank } from '../bank/bank.ts'
import type { Clock } from '../bank/clock.ts'
import type { Instant } from '../ledger/money.ts'
import { Usage, weekMs } from './usage.ts'

// Some 2 ms of the main thread: a third of it while nothing waits, and a twentieth, 4,000 records a second, otherwise.
const recordsPerPiece = 200
const pauseMs = 4
const pauseWhileBusyMs = 50
const restMs = 2_000
// So far behind the figures of a week are as good.
const closeMs = 60_000

export class Follower {
  readonly usage = new Usage()
  readonly #bank: Bank
  readonly #clock: Clock
  /** The place of the last record that was taken in, once that is known. */
  #place: number | undefined
  #isKnown = false
  #turn: Promise<void> | undefined
  #stopped = false

  constructor(bank: Bank, clock: Clock) {
    this.#bank = bank
    this.#clock = clock
  }

  /** Whether it has come to the end, or close to it: before that, what it has not seen says nothing. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** Reads from the first time on, until it is closed. */
  start(): void {
    if (this.#turn === undefined) this.#read()
  }

  #read(): void {
    this.#turn = this.#follow()
  }

  /** Begins no other piece, and waits for the one under way. */
  async close(): Promise<void> {
    this.#stopped = true
    await this.#turn
  }

  async #follow(): Promise<void> {
    try {
      await this.catchUp()
    } catch {
      // The store did not answer. What it has taken in counts, and the next turn goes on there.
    }
    this.#clock.after(restMs, () => {
      if (!this.#stopped) this.#read()
    })
  }

  /** Takes in all that is there. */
  async catchUp(): Promise<void> {
    this.#place ??= await this.#placeBefore(this.#clock.now() - weekMs)
    while (!this.#stopped) {
      const last = Math.min(this.#place + recordsPerPiece, await this.#bank.last())
      if (last <= this.#place) break
      const records = await this.#bank.records({ after: this.#place, last })
      for (const record of records) this.usage.absorb(record)
      this.#place = last
      this.#isKnown = this.#clock.now() - (records.at(-1)?.at ?? 0) < closeMs
      await this.#pause(this.#bank.queueLength > 0 ? pauseWhileBusyMs : pauseMs)
    }
    this.#isKnown ||= !this.#stopped
  }

  /** The place behind which all records are of an instant or later: instants rise with places, as good as always. */
  async #placeBefore(instant: Instant): Promise<number> {
    let low = 0
    let high = await this.#bank.last()
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const [record] = await this.#bank.records({ after: middle - 1, last: middle })
      if (record !== undefined && record.at < instant) low = middle
      else high = middle - 1
    }
    return low
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve))
  }
}

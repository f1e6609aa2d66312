/** What was in machines at the end of each of the last days, of the entries of their cash accounts. */
import type { Bank } from '../bank/bank.ts'
import { beginningOf, type businessDays } from '../bank/business-day.ts'
import { leftOn } from '../ledger/books.ts'
import type { Day } from '../ledger/limits.ts'
import type { Instant } from '../ledger/money.ts'
import { accountsOfTerminal, cashIn, type Terminal } from '../ledger/terminal.ts'
import { addTo, type Sums } from './sums.ts'

const daysTold = 14
const terminalsAtOnce = 8
// Of other nodes' commits the last of a day may be seen a moment after it.
const settledMs = 60_000

export type CashDay = { readonly day: Day; readonly cash: Sums }

export class CashDays {
  readonly #bank: Bank
  readonly #dayOf: ReturnType<typeof businessDays>
  /** Of days that are over, by their ends: they never change. */
  #past = new Map<Instant, Sums>()
  #reading: Promise<void> = Promise.resolve()

  constructor(bank: Bank, dayOf: ReturnType<typeof businessDays>) {
    this.#bank = bank
    this.#dayOf = dayOf
  }

  /** The last 14 days, oldest first, as these machines tell; of today what is in them now. */
  async read(terminals: readonly Terminal[]): Promise<CashDay[]> {
    const now = this.#bank.now
    const ends = this.#endsBefore(now)
    const read = this.#reading.then(() => this.#readPast(terminals, ends))
    // The next one waits for what this one reads, and does not read it again.
    this.#reading = read.then(
      () => {},
      () => {},
    )
    const past = await read
    const today = new Map<string, number>()
    for (const terminal of terminals) addTo(today, terminal.currency, cashIn(terminal))
    const days = ends.map((end) => ({ day: this.#dayOf(end - 1), cash: past.get(end) ?? new Map() }))
    return [...days.reverse(), { day: this.#dayOf(now), cash: today }]
  }

  /** When the days before this one ended, newest first. */
  #endsBefore(now: Instant): Instant[] {
    const ends = [beginningOf(this.#dayOf, now)]
    while (ends.length < daysTold - 1) ends.push(beginningOf(this.#dayOf, (ends.at(-1) ?? now) - 1))
    return ends
  }

  async #readPast(terminals: readonly Terminal[], ends: readonly Instant[]): Promise<Map<Instant, Sums>> {
    const missing = ends.filter((end) => !this.#past.has(end))
    const found = new Map(missing.map((end) => [end, new Map<string, number>()]))
    for (let from = 0; missing.length > 0 && from < terminals.length; from += terminalsAtOnce)
      await Promise.all(terminals.slice(from, from + terminalsAtOnce).map((each) => this.#add(found, each)))
    const past = new Map([...this.#past, ...found])
    const isSettled = (end: Instant) => this.#bank.now - end > settledMs
    this.#past = new Map([...past].filter(([end]) => ends.includes(end) && isSettled(end)))
    return past
  }

  /** One read for each of its days on which something moved: what was there before is there at the end of days without. */
  async #add(
    found: ReadonlyMap<Instant, Map<string, number>>,
    { id, at, currency }: Terminal,
  ): Promise<void> {
    const account = accountsOfTerminal(id).cash
    let before = Infinity
    let cash = 0
    for (const [end, sums] of found) {
      if (at >= end) return
      if (before >= end) {
        const [entry] = await this.#bank.entries({ account, to: end, limit: 1 })
        before = entry?.transfer.at ?? -Infinity
        cash = -((entry && leftOn(entry.transfer, account)?.ledger) ?? 0)
      }
      addTo(sums, currency, cash)
    }
  }
}

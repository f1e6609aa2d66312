/** How all machines are doing, and what needs a person, as a console asks for it again and again. */
import type { Bank } from '../bank/bank.ts'
import { businessDays } from '../bank/business-day.ts'
import type { Clock } from '../bank/clock.ts'
import { type Entity, type EntityName, nameOf } from '../ledger/entity.ts'
import type { Exception } from '../ledger/exception.ts'
import type { Currency, Instant, Minor } from '../ledger/money.ts'
import { cashIn, type Terminal } from '../ledger/terminal.ts'
import { type Attention, attentionOf, type Thresholds } from './attention.ts'
import { type CashDay, CashDays } from './cash-days.ts'
import { Follower } from './follower.ts'

export type WatchOptions = Thresholds & {
  /** Where business days begin at midnight: an IANA name. */
  readonly timeZone: string
}

/** Money of a currency: in machines, and in transit as nobody can be sure of it or as silence confirms it. */
export type MachineMoney = {
  readonly currency: Currency
  readonly cash: Minor
  readonly uncertain: Minor
  readonly unconfirmed: Minor
}

export type Overview = {
  readonly at: Instant
  readonly terminals: { readonly in_service: number; readonly total: number }
  readonly money: readonly MachineMoney[]
  /** Open ones. */
  readonly exceptions: number
  /** Worst first, and whether there are more. */
  readonly attention: readonly Attention[]
  readonly more: boolean
}

const attentionMax = 200
const entitiesPerPage = 1_000
// More are not looked at: nobody would get to the end of them today.
const exceptionsMax = 10_000

export class Watch {
  readonly #bank: Bank
  readonly #thresholds: Thresholds
  readonly #follower: Follower
  readonly #cashDays: CashDays

  constructor(bank: Bank, clock: Clock, { timeZone, ...thresholds }: WatchOptions) {
    this.#bank = bank
    this.#thresholds = thresholds
    this.#follower = new Follower(bank, clock)
    this.#cashDays = new CashDays(bank, businessDays(timeZone))
  }

  /** Reads the last seven days in the background, and from then on what is new; where it does already, nothing. */
  start(): void {
    this.#follower.start()
  }

  /** Waits for what is being read. The store stays open. */
  close(): Promise<void> {
    return this.#follower.close()
  }

  async overview(): Promise<Overview> {
    const [terminals, exceptions] = await Promise.all([this.#terminals(), this.#openExceptions()])
    const now = this.#bank.now
    const { usage, isKnown } = this.#follower
    const watched = terminals.map((terminal) => ({
      terminal,
      used: isKnown ? usage.of(terminal, now) : undefined,
    }))
    const attention = attentionOf(watched, exceptions, now, this.#thresholds)
    return {
      at: now,
      terminals: {
        in_service: terminals.filter(({ state }) => state === 'in_service').length,
        total: terminals.length,
      },
      money: moneyOf(terminals),
      exceptions: exceptions.length,
      attention: attention.slice(0, attentionMax),
      more: attention.length > attentionMax,
    }
  }

  /** What was in machines at the end of each of the last 14 days, oldest first; today, what is in them now. */
  async cashDays(): Promise<CashDay[]> {
    return this.#cashDays.read(await this.#terminals())
  }

  #terminals(): Promise<Terminal[]> {
    return this.#all<Terminal>({ prefix: nameOf.terminal('') })
  }

  #openExceptions(): Promise<Exception[]> {
    return this.#all<Exception>({ prefix: nameOf.exception(''), waiting: true, max: exceptionsMax })
  }

  async #all<Kind extends Entity>(of: {
    readonly prefix: EntityName
    readonly waiting?: true
    readonly max?: number
  }): Promise<Kind[]> {
    const { max = Infinity, ...page } = of
    const all: Kind[] = []
    let after: EntityName | undefined
    do {
      const found = await this.#bank.entities({
        ...page,
        ...(after !== undefined && { after }),
        limit: entitiesPerPage,
      })
      all.push(...(found.things as readonly Kind[]))
      after = found.next
    } while (after !== undefined && all.length < max)
    return all
  }
}

function moneyOf(terminals: readonly Terminal[]): MachineMoney[] {
  const byCurrency = Map.groupBy(terminals, ({ currency }) => currency)
  return [...byCurrency]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, of]) => ({
      currency,
      cash: sum(of, cashIn),
      uncertain: sum(of, ({ uncertain }) => uncertain),
      unconfirmed: sum(of, ({ unconfirmed }) => unconfirmed),
    }))
}

function sum(terminals: readonly Terminal[], of: (terminal: Terminal) => Minor): Minor {
  return terminals.reduce((sum, terminal) => sum + of(terminal), 0)
}

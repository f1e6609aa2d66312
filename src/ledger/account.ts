/** Accounts: a customer's, with a row and a state of its own, and the house's, which are running totals. */
import type { Limits, Used } from './limits.ts'
import { type Currency, type Instant, type Minor, minorMax } from './money.ts'
import type { After, PendingHold } from './record.ts'

/** 1 to 34 of `A–Z a–z 0–9 -`. Leading zeros count: `007` and `7` are two accounts. */
export type AccountNumber = string

/** A customer's account as the last record that touched it left it. Credit is positive. */
export type Account = {
  readonly number: AccountNumber
  readonly currency: Currency
  /** The ledger balance: everything posted. Minor units. */
  readonly ledger: Minor
  /** What holds have set aside. Minor units. */
  readonly held: Minor
  /** Rises by one with every record that touches the account. */
  readonly version: number
  /** The instant of the last record that touched it; the account's records never go back in time. */
  readonly at: Instant
  readonly state: AccountState
  /** How far below zero the account may go. Minor units. */
  readonly overdraft_limit: Minor
  /** What must stay on the account. Minor units. */
  readonly minimum_balance: Minor
  /** Of what may leave it. An account that had limits once is counted from then on, also where none is left. */
  readonly limits?: Limits
  readonly used?: Used
  /** The holds that `held` is the sum of, as they were placed; one whose time is up counts no more. */
  readonly holds: readonly PendingHold[]
  /** The client's own words about it; no rule reads them. */
  readonly metadata: Metadata
}

/** What is refused on the account; only `closed` is for ever. */
export type AccountState = 'active' | 'debit_blocked' | 'credit_blocked' | 'frozen' | 'closed'

export type Metadata = Readonly<Record<string, string>>

const noHolds: readonly PendingHold[] = []
const noMetadata: Metadata = {}

/** An account as most are: active, without limits, holds or metadata. */
export function plainAccount(of: {
  readonly number: AccountNumber
  readonly currency: Currency
  readonly after: After
  readonly at: Instant
}): Account {
  const { ledger, held, version } = of.after
  return {
    number: of.number,
    currency: of.currency,
    ledger,
    held,
    version,
    at: of.at,
    state: 'active',
    overdraft_limit: 0,
    minimum_balance: 0,
    holds: noHolds,
    metadata: noMetadata,
  }
}

/** Whether `plainAccount` would make it, so that its balance is all there is to tell. */
export function isPlain(account: Account): boolean {
  const { state, overdraft_limit, minimum_balance, limits, holds, metadata } = account
  return (
    state === 'active' &&
    overdraft_limit === 0 &&
    minimum_balance === 0 &&
    limits === undefined &&
    holds.length === 0 &&
    Object.keys(metadata).length === 0
  )
}

const accountNumber = /^[A-Za-z0-9-]{1,34}$/

export function isAccountNumber(text: string): text is AccountNumber {
  return accountNumber.test(text)
}

/** What holds set aside at an instant: an expired hold never counts, also before it is resolved. Minor units. */
export function heldAt({ held, holds }: Account, now: Instant): Minor {
  let live = held
  for (const hold of holds) if (hold.expires_at <= now) live -= hold.amount
  return live
}

/** What may leave the account at an instant; below zero where it is overdrawn beyond its limit. Minor units. */
export function available(account: Account, now: Instant): Minor {
  const own = account.ledger - heldAt(account, now)
  // One rounding at most, and only beyond 2^53, where no amount is.
  return Math.min(own + (account.overdraft_limit - account.minimum_balance), minorMax)
}

/**
 * A house account, such as `cash:USD`. No customer's number has a colon, so no route can name one.
 * It has no row: its balance is a running total in every block, so no two withdrawals wait for each other there.
 */
export type HouseAccount = `${'cash' | 'equity' | 'adjustments' | 'vault'}:${Currency}`

export function isHouse(account: string): account is HouseAccount {
  return account.includes(':')
}

/** The same of a name from outside, which may be anything. */
export function isHouseName(text: string): text is HouseAccount {
  return /^(cash|equity|adjustments|vault):[A-Z]{3}$/.test(text)
}

export function currencyOf(house: HouseAccount): Currency {
  return house.slice(house.indexOf(':') + 1)
}

/** The account of all cash that came in and went out over the counter. */
export function cashOf(currency: Currency): HouseAccount {
  return `cash:${currency}`
}

/** The account that opening balances come from. */
export function equityOf(currency: Currency): HouseAccount {
  return `equity:${currency}`
}

/** The account of what people corrected by hand. */
export function adjustmentsOf(currency: Currency): HouseAccount {
  return `adjustments:${currency}`
}

/** The account of what is in no machine: it goes below zero by what was brought in from outside. */
export function vaultOf(currency: Currency): HouseAccount {
  return `vault:${currency}`
}

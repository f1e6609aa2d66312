/** Accounts: a customer's, with a row and a state of its own, and the house's, which are running totals. */
import type { Currency, Instant, Minor } from './money.ts'

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
}

const accountNumber = /^[A-Za-z0-9-]{1,34}$/

export function isAccountNumber(text: string): text is AccountNumber {
  return accountNumber.test(text)
}

/** What may leave the account now. Minor units. */
export function available(account: Account): Minor {
  return account.ledger - account.held
}

/**
 * A house account, such as `cash:USD`. No customer's number has a colon, so no route can name one.
 * It has no row: its balance is a running total in every block, so no two withdrawals wait for each other there.
 */
export type HouseAccount = `${'cash' | 'equity'}:${Currency}`

export function isHouse(account: string): account is HouseAccount {
  return account.includes(':')
}

/** The account of all cash that came in and went out over the counter. */
export function cashOf(currency: Currency): HouseAccount {
  return `cash:${currency}`
}

/** The account that opening balances come from. */
export function equityOf(currency: Currency): HouseAccount {
  return `equity:${currency}`
}

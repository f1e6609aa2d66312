/** What can be asked of the ledger, and what it answers. Plain data: it is fingerprinted, queued and stored. */
import type { Account, AccountNumber } from './account.ts'
import type { Currency, Decimal, Instant, Minor } from './money.ts'
import type { Refusal } from './refusal.ts'

/** Pays money in. With `open` (a currency) the account is opened where it does not exist. */
export type Deposit = {
  readonly type: 'deposit'
  readonly account: AccountNumber
  readonly amount: Decimal
  readonly open: Currency
}

/** Pays cash out, of what is available. */
export type Withdraw = {
  readonly type: 'withdraw'
  readonly account: AccountNumber
  readonly amount: Decimal
}

/** Opens the accounts a new store begins with, with balances out of equity; does nothing where books exist. */
export type OpenBooks = {
  readonly type: 'open_books'
  readonly accounts: readonly {
    readonly number: AccountNumber
    readonly currency: Currency
    readonly ledger: Minor
  }[]
}

export type Command = Deposit | Withdraw | OpenBooks

/** The customers' accounts a command may touch: what a store loads before it is applied. */
export function accountsOf(command: Command): readonly AccountNumber[] {
  return command.type === 'open_books' ? command.accounts.map(({ number }) => number) : [command.account]
}

/** A client's idempotency key. Scopes keep callers apart; in open mode there is one, empty. */
export type Key = { readonly scope: string; readonly key: string }

/** A command with who asks, and the key it is remembered under if it has one. */
export type Submission = {
  readonly command: Command
  readonly key?: Key
  /** The credential that asks; empty in open mode. */
  readonly actor: string
}

/** A record's name: `writer-sequence`, such as `1-42`, gap-free and in order within a writer. */
export type RecordId = string

/** Money has moved: the transfer and the account as it left it. Amounts in minor units. */
export type Posted = {
  readonly type: 'posted'
  readonly transfer: RecordId
  readonly account: AccountNumber
  readonly currency: Currency
  readonly amount: Minor
  readonly ledger: Minor
  readonly held: Minor
  readonly version: number
  readonly at: Instant
  /** Whether this command opened the account. */
  readonly opened: boolean
}

/** The books have been opened, with these accounts; with none where they were open before. */
export type BooksOpened = { readonly type: 'books_opened'; readonly accounts: readonly Account[] }

export type Refused = { readonly type: 'refused'; readonly refusal: Refusal }

export type Reply = Posted | Refused | BooksOpened

/** The customers' accounts as a reply says it left them. */
export function accountsLeft(reply: Reply): readonly Account[] {
  switch (reply.type) {
    case 'posted': {
      const { account: number, currency, ledger, held, version, at } = reply
      return [{ number, currency, ledger, held, version, at }]
    }
    case 'books_opened':
      return reply.accounts
    case 'refused':
      return []
  }
}

/** A reply, and whether it is the stored one of an earlier request with the same key. */
export type Outcome = { readonly reply: Reply; readonly replayed: boolean }

export function refuse(refusal: Refusal): Refused {
  return { type: 'refused', refusal }
}

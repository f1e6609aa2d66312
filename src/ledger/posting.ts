/**
 * What all rules are made of: accounts as they are at an instant, what stands in the way of moving their money, and
 * the one place that posts a transfer.
 */
import assert from 'node:assert'
import {
  type Account,
  type AccountNumber,
  adjustmentsOf,
  available,
  cashOf,
  equityOf,
  type HouseAccount,
  isAccountNumber,
  vaultOf,
} from './account.ts'
import { type Books, posted } from './books.ts'
import {
  type Hold,
  type OpenAccount,
  type PostedTransfer,
  type RecordId,
  type Refused,
  refuse,
  type Submission,
} from './command.ts'
import { charge, exceeded, giveBack, type Used } from './limits.ts'
import { type Currency, type Instant, type Minor, minorMax } from './money.ts'
import type { After, Transfer, Words } from './record.ts'
import type { Refusal } from './refusal.ts'
import type { Rules } from './rules.ts'
/** The account as it is at this instant: holds whose time is up are resolved first, whatever is decided then. */
export function touch(
  books: Books,
  by: Submission,
  number: AccountNumber,
  now: Instant,
): Account | undefined {
  const account = books.account(number)
  const expired = account?.holds.filter(({ expires_at }) => expires_at <= now) ?? []
  for (const { id } of expired) {
    const hold = holdThere(books, id)
    release(books, by, hold, 'expired', now)
  }
  return expired.length > 0 ? books.account(number) : account
}

/** The same for one side of a transfer; undefined where that is the house. */
export function customer(books: Books, by: Submission, name: string, now: Instant): Account | undefined {
  return isAccountNumber(name) ? touch(books, by, name, now) : undefined
}

export function refusesDebit({ state }: Account): Refusal | undefined {
  if (state === 'closed') return 'account_closed'
  if (state === 'frozen') return 'account_frozen'
  return state === 'debit_blocked' ? 'account_debit_blocked' : undefined
}

export function refusesCredit({ state }: Account): Refusal | undefined {
  if (state === 'closed') return 'account_closed'
  if (state === 'frozen') return 'account_frozen'
  return state === 'credit_blocked' ? 'account_credit_blocked' : undefined
}

export function refusesFunds(account: Account, amount: Minor, now: Instant): Refusal | undefined {
  return available(account, now) < amount || account.ledger - amount < -minorMax
    ? 'insufficient_funds'
    : undefined
}

export function refusesMore(account: Account, amount: Minor): Refusal | undefined {
  return account.ledger > minorMax - amount ? 'balance_too_large' : undefined
}

export function refusesLimit(
  { limits, used }: Account,
  amount: Minor,
  now: Instant,
  rules: Rules,
): Refused | undefined {
  const limit = limits && exceeded(limits, { used, day: rules.dayOf(now), amount })
  return limit && { ...refuse('limit_exceeded'), limit }
}

/** What is used of an account's limits after so much more has left it; nothing where it has none. */
export function chargeOf(
  { limits, used }: Account,
  amount: Minor,
  now: Instant,
  rules: Rules,
): Used | undefined {
  return limits && charge(used, rules.dayOf(now), amount)
}

export function isVersion(wanted: number | undefined, { version }: Account): boolean {
  return wanted === undefined || wanted === version
}

type Opening = Omit<Partial<OpenAccount>, 'type'> & {
  readonly number: AccountNumber
  readonly currency: Currency
}

export function open(
  books: Books,
  by: Submission,
  { number, currency, ...more }: Opening,
  now: Instant,
): Account {
  const after = { ledger: 0, held: 0, version: 1 }
  books.append({ kind: 'account_opened', account: number, currency, ...more, after }, markOf(by, now))
  return accountThere(books, number)
}

type Posting = {
  readonly type: Transfer['type']
  /** Without one, that side is the house's. */
  readonly debit?: AccountNumber
  readonly credit?: AccountNumber
  /** One of the two, for its currency. */
  readonly account: Account
  readonly amount: Minor
  readonly now: Instant
  /** What is used of the limits of the one that pays, and of the one that is paid back. */
  readonly charge?: Used | undefined
  readonly back?: Used | undefined
  readonly more?: Pick<Transfer, 'reverses' | 'hold' | 'adjustment' | 'operation' | 'forced' | 'charged'> &
    Words
}

/** Posts one transfer. Everything has been checked before. */
export function post(books: Books, by: Submission, posting: Posting): PostedTransfer {
  const { type, debit, credit, amount, account, now, charge, back, more } = posting
  const { currency } = account
  const house = houseOf(type, currency)
  const from = debit === undefined ? undefined : accountThere(books, debit)
  const to = credit === undefined ? undefined : accountThere(books, credit)
  // An account's records never go back in time, also where the wall clock does.
  const at = Math.max(now, from?.at ?? 0, to?.at ?? 0)
  const id = books.nextId
  const content: Transfer = {
    kind: 'transfer',
    type,
    debit: debit ?? house,
    credit: credit ?? house,
    amount,
    currency,
    debit_after: from === undefined ? null : afterOf(from, { ledger: -amount, used: charge }),
    credit_after: to === undefined ? null : afterOf(to, { ledger: amount, used: back }),
    key: by.key?.key ?? null,
    ...(charge && { charged: charge.day }),
    ...more,
  }
  books.append(content, markOf(by, at))
  return posted(content, id, at)
}

/** The house's account on the other side. */
function houseOf(type: Transfer['type'], currency: Currency): HouseAccount {
  if (type === 'opening') return equityOf(currency)
  if (type === 'load' || type === 'unload') return vaultOf(currency)
  return type === 'adjustment' ? adjustmentsOf(currency) : cashOf(currency)
}

/** Frees all that a hold has set aside, of the limits, too. */
export function release(
  books: Books,
  by: Submission,
  hold: Hold,
  state: 'voided' | 'expired',
  now: Instant,
): void {
  resolve(books, by, hold, { state }, { freed: hold.amount, back: { amount: hold.amount, count: 1 }, now })
}

export function resolve(
  books: Books,
  by: Submission,
  { id, account: number, charged }: Pick<Hold, 'id' | 'account' | 'charged'>,
  outcome: { readonly state: 'posted' | 'voided' | 'expired'; readonly forced?: true },
  { freed, back, now }: { freed: Minor; back: { amount: Minor; count: number }; now: Instant },
): void {
  const account = accountThere(books, number)
  const after = afterOf(account, { held: -freed, used: giveBack(account.used, charged, back) })
  const content = { kind: 'hold_resolved', hold: id, account: number, ...outcome, after } as const
  books.append(content, markOf(by, Math.max(now, account.at)))
}

export function afterOf(
  { ledger, held, version }: Account,
  change: { readonly ledger?: Minor; readonly held?: Minor; readonly used?: Used | undefined },
): After {
  return {
    ledger: ledger + (change.ledger ?? 0),
    held: held + (change.held ?? 0),
    version: version + 1,
    ...(change.used && { used: change.used }),
  }
}

export function accountThere(books: Books, number: AccountNumber): Account {
  const account = books.account(number)
  assert(account !== undefined, `account ${number} is there`)
  return account
}

export function holdThere(books: Books, id: RecordId): Hold {
  const hold = books.hold(id)
  assert(hold !== undefined, `hold ${id} is there`)
  return hold
}

export function markOf(
  { actor, key }: Submission,
  at: Instant,
): { at: Instant; actor: string; scope: string } {
  return { at, actor, scope: key?.scope ?? '' }
}

/**
 * The rules, all of them, and nothing else: no input or output, no clock, no chance, no waiting. What a command
 * may touch has been loaded into the books before; what it changes is in the records appended to them after.
 */
import { type Account, available, cashOf, equityOf } from './account.ts'
import type { Books } from './books.ts'
import {
  accountsLeft,
  type Command,
  type Deposit,
  type OpenBooks,
  type Outcome,
  type Posted,
  type Reply,
  refuse,
  type Submission,
  type Withdraw,
} from './command.ts'
import { type Instant, minorMax, toMinor } from './money.ts'
import type { Transfer } from './record.ts'
import { refusals } from './refusal.ts'

export type Rules = {
  /** How long a key is remembered. Milliseconds. */
  readonly keyRetentionMs: number
  /** Tells requests apart: the same command, the same text. */
  fingerprint(command: Command): string
}

/** Decides one command and writes what it changes into the books. The same books, command and instant: the same reply. */
export function apply(books: Books, submission: Submission, now: Instant, rules: Rules): Outcome {
  const { key, actor } = submission
  if (key === undefined) return { reply: decide(books, submission, now), replayed: false }

  const fingerprint = rules.fingerprint(submission.command)
  const stored = books.reply(key.scope, key.key)
  if (stored !== undefined && now < stored.at + rules.keyRetentionMs) {
    if (stored.fingerprint !== fingerprint) return { reply: refuse('idempotency_conflict'), replayed: false }
    return { reply: stored.reply, replayed: true }
  }

  const reply = decide(books, submission, now)
  if (reply.type !== 'refused' || refusals[reply.refusal].remembered) {
    const content = { kind: 'reply', key: key.key, fingerprint, reply } as const
    books.append(content, { at: now, actor, scope: key.scope })
  }
  return { reply, replayed: false }
}

function decide(books: Books, submission: Submission, now: Instant): Reply {
  const { command } = submission
  switch (command.type) {
    case 'withdraw':
      return withdraw(books, submission, command, now)
    case 'deposit':
      return deposit(books, submission, command, now)
    case 'open_books':
      return openBooks(books, submission, command, now)
  }
}

/** Pays out cash: the customer's account is debited, the house's cash credited. */
function withdraw(books: Books, by: Submission, command: Withdraw, now: Instant): Reply {
  const account = books.account(command.account)
  if (account === undefined) return refuse('account_not_found')
  const amount = toMinor(command.amount, account.currency)
  if (typeof amount === 'string') return refuse(amount)
  if (available(account) < amount) return refuse('insufficient_funds')

  return post(books, by, { type: 'withdrawal', debit: account, amount, now })
}

/** Pays in: cash is debited, the customer's account credited, and opened first where it does not exist. */
function deposit(books: Books, by: Submission, command: Deposit, now: Instant): Reply {
  const found = books.account(command.account)
  const currency = found?.currency ?? command.open
  const amount = toMinor(command.amount, currency)
  if (typeof amount === 'string') return refuse(amount)
  if (found !== undefined && found.ledger > minorMax - amount) return refuse('balance_too_large')

  const account = found ?? openAccount(books, by, command.account, currency, now)
  return post(books, by, { type: 'deposit', credit: account, amount, opened: found === undefined, now })
}

/** The accounts of a new store, each with its opening balance out of equity. Books that exist are left alone. */
function openBooks(books: Books, by: Submission, command: OpenBooks, now: Instant): Reply {
  if (books.sequence > 0) return { type: 'books_opened', accounts: [] }

  const posted = command.accounts.map(({ number, currency, ledger }) => {
    const account = openAccount(books, by, number, currency, now)
    return post(books, by, { type: 'opening', credit: account, amount: ledger, opened: true, now })
  })
  return { type: 'books_opened', accounts: posted.flatMap(accountsLeft) }
}

function openAccount(books: Books, by: Submission, number: string, currency: string, now: Instant): Account {
  const after = { ledger: 0, held: 0, version: 1 }
  books.append({ kind: 'account_opened', account: number, currency, after }, markOf(by, now))
  return { number, currency, ...after, at: now }
}

type Posting = { readonly amount: number; readonly opened?: boolean; readonly now: Instant } & (
  | { readonly type: 'withdrawal'; readonly debit: Account }
  | { readonly type: 'deposit' | 'opening'; readonly credit: Account }
)

/** Posts one transfer between a customer's account and the house. Everything has been checked before. */
function post(books: Books, by: Submission, posting: Posting): Posted {
  const { type, amount, opened = false } = posting
  const paysOut = type === 'withdrawal'
  const account = paysOut ? posting.debit : posting.credit
  const { number, currency, held } = account
  const house = type === 'opening' ? equityOf(currency) : cashOf(currency)
  const after = { ledger: account.ledger + (paysOut ? -amount : amount), held, version: account.version + 1 }

  // An account's records never go back in time, also where the wall clock does.
  const at = Math.max(posting.now, account.at)
  const transfer = books.nextId
  const content: Transfer = {
    kind: 'transfer',
    type,
    debit: paysOut ? number : house,
    credit: paysOut ? house : number,
    amount,
    currency,
    debit_after: paysOut ? after : null,
    credit_after: paysOut ? null : after,
    key: by.key?.key ?? null,
  }
  books.append(content, markOf(by, at))
  return { type: 'posted', transfer, account: number, currency, amount, ...after, at, opened }
}

function markOf({ actor, key }: Submission, at: Instant): { at: Instant; actor: string; scope: string } {
  return { at, actor, scope: key?.scope ?? '' }
}

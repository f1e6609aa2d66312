/** The rules of what a terminal does at once: inquiries, deposits of counted notes, transfers, changes of PIN. */
import assert from 'node:assert'
import { type Account, available, isAccountNumber } from './account.ts'
import { conflict } from './apply.ts'
import { accountOfCard, identify } from './apply-cards.ts'
import { refusesLimits, refusesService } from './apply-withdrawals.ts'
import type { ChangePin, Inquire, ReverseDeposit, TerminalDeposit, TerminalTransfer } from './atm-commands.ts'
import type { OperationDone } from './atm-records.ts'
import {
  askedOf,
  decided,
  entityReply,
  isCountedSince,
  moveOf,
  ofKind,
  operationOf,
  repeated,
  terminalIn,
  unknownTerminal,
  useBefore,
} from './atm-rules.ts'
import type { Books } from './books.ts'
import { type Outcome, type Refused, type Reply, refuse, type Submission } from './command.ts'
import { nameOf } from './entity.ts'
import { marksOf } from './marks.ts'
import type { Instant } from './money.ts'
import {
  accountThere,
  chargeOf,
  markOf,
  post,
  refusesCredit,
  refusesDebit,
  refusesFunds,
  refusesMore,
  touch,
} from './posting.ts'
import type { Rules } from './rules.ts'
import { accountsOfTerminal, type Terminal, type TerminalId, valueOfNotes } from './terminal.ts'
import type { Stamp } from './trace.ts'
import type { Asked, Operation } from './withdrawal.ts'

export function inquire(books: Books, by: Submission, command: Inquire, now: Instant, rules: Rules): Reply {
  const terminal = terminalIn(books, command.terminal)
  if (terminal === undefined) return refuse('terminal_not_found')
  const { pan, of, account_type } = command
  const no = refusesService(terminal)
  if (no !== undefined) return no
  const holder = identify(books, by, { terminal: terminal.id, pan }, now, rules)
  if ('type' in holder) return holder
  const { currency } = terminal
  const named = { account: command.account, account_type, currency }
  const account = accountOfCard(books, by, holder.card, named, now)
  if ('type' in account) return account
  const { number, version } = account
  return { type: 'inquired', of, account: number, currency, ...balanceOf(account, now), version }
}

/** Pays in what the machine has counted, to any account: no card is needed for that. */
export function terminalDeposit(
  books: Books,
  by: Submission,
  command: TerminalDeposit,
  now: Instant,
  rules: Rules,
): Outcome {
  const { terminal: at, id, currency, notes, pan, stamp } = command
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const used = useBefore(books, terminal, command, now, rules)
  if (used?.tombstone) return decided(refuse('already_reversed'))
  if (used !== undefined && used.of !== 'operation') return decided(refuse('idempotency_conflict'))
  const asked = askedOf(command, used?.id ?? id, rules)
  const before = doneBefore(books, at, used?.id ?? id, asked)
  if (before !== undefined) return before

  const no = refusesService(terminal)
  if (no !== undefined) return decided(no)
  const account = depositedTo(books, by, terminal, command, now, rules)
  if ('type' in account) return decided(account)
  if (currency !== terminal.currency || account.currency !== currency)
    return decided(refuse('currency_mismatch'))
  const unit = terminal.units.find(({ type }) => type === 'cash_in')
  const amount = valueOfNotes(notes)
  if (unit === undefined || amount === 0) return decided(refuse('notes_not_accepted'))
  const blocked = refusesCredit(account) ?? refusesMore(account, amount)
  if (blocked !== undefined) return decided(refuse(ofAccount(blocked)))

  const { cash } = accountsOfTerminal(at)
  const transfer = moveOf(
    books,
    by,
    { terminal: at, id },
    { type: 'deposit', debit: cash, credit: account.number, amount, now },
  )
  const isHolder = pan !== undefined && by.pin !== undefined
  const balance = isHolder && { balance: balanceOf(accountThere(books, account.number), now) }
  const what = {
    type: 'deposit',
    account: account.number,
    amount,
    unit: unit.id,
    notes,
    ...balance,
    transfer,
    ...stamp,
  } as const
  return done(books, by, terminal, { id, asked, what, now, rules })
}

function depositedTo(
  books: Books,
  by: Submission,
  { id, currency }: Terminal,
  { pan, account: named }: TerminalDeposit,
  now: Instant,
  rules: Rules,
): Account | Refused {
  if (pan !== undefined) {
    const holder = identify(books, by, { terminal: id, pan, pin: 'if_present' }, now, rules)
    if ('type' in holder) return holder
    if (named === undefined) return accountOfCard(books, by, holder.card, { currency }, now)
  }
  const account = named === undefined || !isAccountNumber(named) ? undefined : touch(books, by, named, now)
  return account ?? refuse('account_not_found')
}

/** The machine gave the notes back, or never took them: debited even below zero. Never refused. */
export function reverseDeposit(
  books: Books,
  by: Submission,
  { terminal: at, id, reason }: ReverseDeposit,
  now: Instant,
): Outcome {
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const name = nameOf.operation(at, id)
  const found = ofKind(books.entity(name), 'operation')
  if (found === undefined) {
    books.append({ kind: 'operation_reversed', terminal: at, operation: id, reason }, markOf(by, now))
    return decided(entityReply(books, name, true))
  }
  const { type, state, account, amount } = found
  if (type !== 'deposit' || account === undefined || amount === undefined)
    return decided(refuse('deposit_not_found'))
  if (state === 'reversed') return repeated(entityReply(books, name, false))

  const counted = isCountedSince(terminal, found)
  const { cash, over_short } = accountsOfTerminal(at)
  const payer = touch(books, by, account, now)
  assert(payer !== undefined, 'what was paid in is on an account')
  const forced = (refusesDebit(payer) ?? refusesFunds(payer, amount, now)) !== undefined
  const transfer = moveOf(
    books,
    by,
    { terminal: at, id },
    { type: 'return', debit: account, credit: counted ? over_short : cash, amount, now, forced },
  )
  const isCounted = counted && ({ counted: true } as const)
  books.append(
    { kind: 'operation_reversed', terminal: at, operation: id, reason, transfer, ...isCounted },
    markOf(by, now),
  )
  return decided(entityReply(books, name, false))
}

/** Moves money from an account of the card to any other. */
export function terminalTransfer(
  books: Books,
  by: Submission,
  command: TerminalTransfer,
  now: Instant,
  rules: Rules,
): Outcome {
  const { terminal: at, id, to, amount } = command
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const asked = { fingerprint: rules.fingerprint(command), marks: marksOf(command) }
  const before = doneBefore(books, at, id, asked)
  if (before !== undefined) return before

  const judged = judgeTransfer(books, by, terminal, command, now, rules)
  if ('type' in judged) return decided(judged)
  const { from } = judged
  const charge = chargeOf(from, amount, now, rules)
  const sides = { debit: from.number, credit: to }
  const transfer = post(books, by, {
    type: 'transfer',
    ...sides,
    amount,
    account: from,
    now,
    charge,
    more: operationOf(at, id),
  })
  const balance = balanceOf(accountThere(books, from.number), now)
  const what = { type: 'transfer', account: from.number, amount, balance, transfer: transfer.id } as const
  return done(books, by, terminal, { id, asked, what: { ...what, card: judged.card }, now, rules })
}

function judgeTransfer(
  books: Books,
  by: Submission,
  terminal: Terminal,
  { pan, from: named, to: number, amount, currency }: TerminalTransfer,
  now: Instant,
  rules: Rules,
): { readonly from: Account; readonly card: string } | Refused {
  const no = refusesService(terminal)
  if (no !== undefined) return no
  const holder = identify(books, by, { terminal: terminal.id, pan }, now, rules)
  if ('type' in holder) return holder
  const { card } = holder
  const from = accountOfCard(books, by, card, { account: named, currency }, now)
  if ('type' in from) return from
  const to = isAccountNumber(number) ? touch(books, by, number, now) : undefined
  if (to === undefined) return refuse('account_not_found')
  if (to.number === from.number) return refuse('same_account')
  if (to.currency !== currency || terminal.currency !== currency) return refuse('currency_mismatch')
  const blocked = refusesDebit(from) ?? refusesCredit(to)
  if (blocked !== undefined) return refuse(ofAccount(blocked))
  // What the card and the machine pay out at the most is of cash: this is none.
  const over = refusesLimits({ account: from }, amount, now, rules)
  if (over !== undefined) return over
  const short = refusesFunds(from, amount, now) ?? refusesMore(to, amount)
  return short === undefined ? { from, card: card.id } : refuse(short)
}

export function changePin(
  books: Books,
  by: Submission,
  command: ChangePin,
  now: Instant,
  rules: Rules,
): Outcome {
  const { terminal: at, id, pan } = command
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const asked = { fingerprint: rules.fingerprint(command), marks: marksOf(command) }
  const before = doneBefore(books, at, id, asked)
  if (before !== undefined) return before

  const no = refusesService(terminal)
  if (no !== undefined) return decided(no)
  const holder = identify(books, by, { terminal: at, pan, pin: 'always' }, now, rules)
  if ('type' in holder) return decided(holder)
  const card = holder.card.id
  const pin = by.new_pin?.[card]
  if (pin === undefined) return decided(refuse('pin_invalid'))

  books.append({ kind: 'card_changed', card, pin }, markOf(by, now))
  return done(books, by, terminal, { id, asked, what: { type: 'pin_change', card }, now, rules })
}

/** What was done under an id before: the same again has its answer, something else has none. */
function doneBefore(books: Books, terminal: TerminalId, id: string, asked: Asked): Outcome | undefined {
  const name = nameOf.operation(terminal, id)
  const found = ofKind(books.entity(name), 'operation')
  if (found === undefined) return undefined
  if (found.tombstone) return decided(refuse('already_reversed'))
  if (found.fingerprint !== asked.fingerprint) return decided(conflict(asked.marks, found.marks))
  return repeated(entityReply(books, name, false))
}

type Done = {
  readonly id: string
  readonly asked: Asked
  readonly what: Partial<Stamp> &
    Pick<Operation, 'type' | 'account' | 'card' | 'amount' | 'unit' | 'notes' | 'balance'> &
    Pick<OperationDone, 'transfer'>
  readonly now: Instant
  readonly rules: Rules
}

function done(
  books: Books,
  by: Submission,
  { id: terminal, batch }: Terminal,
  { id, asked, what, now, rules }: Done,
): Outcome {
  const business_date = batch.business_date ?? rules.dayOf(now)
  books.append(
    { kind: 'operation_done', terminal, operation: id, ...what, batch: batch.batch, business_date, ...asked },
    markOf(by, now),
  )
  return decided(entityReply(books, nameOf.operation(terminal, id), true))
}

function balanceOf(account: Account, now: Instant) {
  return { ledger: account.ledger, available: available(account, now) }
}

/** A terminal is not told which way an account is blocked. */
function ofAccount<Name extends string>(refusal: Name): Name | 'account_not_allowed' {
  return refusal.startsWith('account_') && refusal !== 'account_closed' ? 'account_not_allowed' : refusal
}

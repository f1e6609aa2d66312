/** The rules of what a terminal does at once: inquiries, deposits of counted notes, transfers, changes of PIN. */
import { type Account, available, isAccountNumber } from './account.ts'
import { accountOfCard, identify } from './apply-cards.ts'
import { type Done, debited, once } from './apply-once.ts'
import { refusesLimits, refusesService } from './apply-withdrawals.ts'
import type { ChangePin, Inquire, TerminalDeposit, TerminalTransfer } from './atm-commands.ts'
import { moveOf, operationOf, terminalIn } from './atm-rules.ts'
import type { Books } from './books.ts'
import type { Card } from './card.ts'
import { type Outcome, type Refused, type Reply, refuse, type Submission } from './command.ts'
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
import { accountsOfTerminal, type Terminal, valueOfNotes } from './terminal.ts'
import type { Stamp } from './trace.ts'

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
  return once(books, by, command, now, rules, (terminal) => deposit(books, by, terminal, command, now, rules))
}

function deposit(
  books: Books,
  by: Submission,
  terminal: Terminal,
  command: TerminalDeposit,
  now: Instant,
  rules: Rules,
): Done | Refused {
  const { id, currency, notes, pan, stamp } = command
  const no = refusesService(terminal)
  if (no !== undefined) return no
  const account = depositedTo(books, by, terminal, command, now, rules)
  if ('type' in account) return account
  if (currency !== terminal.currency || account.currency !== currency) return refuse('currency_mismatch')
  const unit = terminal.units.find(({ type }) => type === 'cash_in')
  const amount = valueOfNotes(notes)
  if (unit === undefined || amount === 0) return refuse('notes_not_accepted')
  const blocked = refusesCredit(account) ?? refusesMore(account, amount)
  if (blocked !== undefined) return refuse(ofAccount(blocked))

  const { cash } = accountsOfTerminal(terminal.id)
  const move = {
    type: 'deposit',
    debit: cash,
    credit: account.number,
    amount,
    now,
    ...referenceOf(stamp),
  } as const
  const transfer = moveOf(books, by, { terminal: terminal.id, id }, move)
  const isHolder = pan !== undefined && by.pin !== undefined
  const balance = isHolder && { balance: balanceOf(accountThere(books, account.number), now) }
  return { type: 'deposit', account: account.number, amount, unit: unit.id, notes, ...balance, transfer }
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

/** Moves money from an account of the card to any other. */
export function terminalTransfer(
  books: Books,
  by: Submission,
  command: TerminalTransfer,
  now: Instant,
  rules: Rules,
): Outcome {
  return once(books, by, command, now, rules, (terminal) =>
    transfer(books, by, terminal, command, now, rules),
  )
}

function transfer(
  books: Books,
  by: Submission,
  terminal: Terminal,
  command: TerminalTransfer,
  now: Instant,
  rules: Rules,
): Done | Refused {
  const judged = judgeTransfer(books, by, terminal, command, now, rules)
  if ('type' in judged) return judged

  const { from, to, card } = judged
  const { id, amount, stamp } = command
  const charge = chargeOf(from, amount, now, rules)
  const posting = {
    type: 'transfer',
    debit: from.number,
    credit: to.number,
    amount,
    account: from,
    now,
    charge,
    more: { ...operationOf(terminal.id, id), ...referenceOf(stamp) },
  } as const
  const transfer = post(books, by, posting).id
  const sides = { account: from.number, to: to.number, card, ...(charge && { charged: charge.day }) }
  const balance = balanceOf(accountThere(books, from.number), now)
  return { type: 'transfer', ...sides, amount, balance, transfer }
}

function judgeTransfer(
  books: Books,
  by: Submission,
  terminal: Terminal,
  command: TerminalTransfer,
  now: Instant,
  rules: Rules,
): { readonly from: Account; readonly to: Account; readonly card: string } | Refused {
  const { pan, amount, currency } = command
  const no = refusesService(terminal)
  if (no !== undefined) return no
  const holder = identify(books, by, { terminal: terminal.id, pan }, now, rules)
  if ('type' in holder) return holder
  const { card } = holder
  const from = accountOfCard(books, by, card, { ...debited(command), currency }, now)
  if ('type' in from) return from
  const to = creditedTo(books, by, card, command, now)
  if ('type' in to) return to
  if (to.number === from.number) return refuse('same_account')
  if (to.currency !== currency || terminal.currency !== currency) return refuse('currency_mismatch')
  const blocked = refusesDebit(from) ?? refusesCredit(to)
  if (blocked !== undefined) return refuse(ofAccount(blocked))
  // What the card and the machine pay out at the most is of cash: this is none.
  const over = refusesLimits({ account: from }, amount, now, rules)
  if (over !== undefined) return over
  const short = refusesFunds(from, amount, now) ?? refusesMore(to, amount)
  return short === undefined ? { from, to, card: card.id } : refuse(short)
}

/** Any account that is named, else the card's of a type. */
function creditedTo(
  books: Books,
  by: Submission,
  card: Card,
  { to: named, to_type: account_type, currency }: TerminalTransfer,
  now: Instant,
): Account | Refused {
  if (named === undefined) return accountOfCard(books, by, card, { account_type, currency }, now)
  const account = isAccountNumber(named) ? touch(books, by, named, now) : undefined
  return account ?? refuse('account_not_found')
}

export function changePin(
  books: Books,
  by: Submission,
  command: ChangePin,
  now: Instant,
  rules: Rules,
): Outcome {
  return once(books, by, command, now, rules, (terminal) => {
    const no = refusesService(terminal)
    if (no !== undefined) return no
    const holder = { terminal: terminal.id, pan: command.pan, pin: 'always' } as const
    const held = identify(books, by, holder, now, rules)
    if ('type' in held) return held
    const card = held.card.id
    const pin = by.new_pin?.[card]
    if (pin === undefined) return refuse('pin_invalid')

    books.append({ kind: 'card_changed', card, pin }, markOf(by, now))
    return { type: 'pin_change', card }
  })
}

/** The machine's own reference, by which its money is found in the history. */
function referenceOf(stamp: Stamp | undefined): { readonly reference?: string } {
  return stamp?.rrn === undefined ? {} : { reference: stamp.rrn }
}

function balanceOf(account: Account, now: Instant) {
  return { ledger: account.ledger, available: available(account, now) }
}

/** A terminal is not told which way an account is blocked. */
function ofAccount<Name extends string>(refusal: Name): Name | 'account_not_allowed' {
  return refusal.startsWith('account_') && refusal !== 'account_closed' ? 'account_not_allowed' : refusal
}

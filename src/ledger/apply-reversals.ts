/** The rules of what a terminal takes back of what it did at once: deposits and transfers, as a whole, once, and never refused. */
import assert from 'node:assert'
import type { ReverseDeposit } from './atm-commands.ts'
import {
  decided,
  entityReply,
  isCountedSince,
  moveOf,
  ofKind,
  repeated,
  terminalIn,
  unknownTerminal,
} from './atm-rules.ts'
import type { Books } from './books.ts'
import { type Outcome, refuse, type Submission } from './command.ts'
import { nameOf } from './entity.ts'
import { giveBack } from './limits.ts'
import type { Instant, Minor } from './money.ts'
import { accountThere, markOf, refusesDebit, refusesFunds, touch } from './posting.ts'
import { accountsOfTerminal } from './terminal.ts'
import type { Operation } from './withdrawal.ts'

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
  if (type !== 'deposit' || state === 'declined' || account === undefined || amount === undefined)
    return decided(refuse('deposit_not_found'))
  if (state === 'reversed') return repeated(entityReply(books, name, false))

  const counted = isCountedSince(terminal, found)
  const { cash, over_short } = accountsOfTerminal(at)
  const forced = isForced(books, by, account, amount, now)
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

/** The customer was told that nothing was moved: it goes back, below zero where it has been spent. Never refused. */
export function reverseTransfer(
  books: Books,
  by: Submission,
  { terminal, id, state, account, to, amount, charged }: Operation,
  reason: string,
  now: Instant,
): Outcome {
  const name = nameOf.operation(terminal, id)
  if (state === 'reversed') return repeated(entityReply(books, name, false))
  assert(account !== undefined && to !== undefined && amount !== undefined, 'a transfer has two accounts')

  const forced = isForced(books, by, to, amount, now)
  touch(books, by, account, now)
  const back = giveBack(accountThere(books, account).used, charged, { amount, count: 1 })
  const move = { type: 'return', debit: to, credit: account, amount, now, back, forced } as const
  const transfer = moveOf(books, by, { terminal, id }, move)
  books.append({ kind: 'operation_reversed', terminal, operation: id, reason, transfer }, markOf(by, now))
  return decided(entityReply(books, name, false))
}

/** Whether an account has to give back what it may not, or has not. */
function isForced(books: Books, by: Submission, number: string, amount: Minor, now: Instant): boolean {
  const payer = touch(books, by, number, now)
  assert(payer !== undefined, 'what was paid in is on an account')
  return (refusesDebit(payer) ?? refusesFunds(payer, amount, now)) !== undefined
}

/**
 * The rules of what a machine reports of something that it names by its numbers alone. It happened already, so there is
 * no no: what it is about is found, or kept so that it is never done, or is for a person where that is not certain.
 */
import type { AccountNumber } from './account.ts'
import { cardIn } from './apply-cards.ts'
import { reverseDeposit, reverseTransfer } from './apply-reversals.ts'
import { confirm, forestall, reverseWithdrawal } from './apply-withdrawals.ts'
import type { Advise, Confirm } from './atm-commands.ts'
import type { WithdrawalForestalled } from './atm-records.ts'
import {
  decided,
  entityReply,
  ofKind,
  raiseOf,
  repeated,
  terminalIn,
  unknownTerminal,
  usesIn,
  withdrawalIn,
  withdrawalThere,
} from './atm-rules.ts'
import type { Books } from './books.ts'
import type { Outcome, Submission } from './command.ts'
import { nameOf } from './entity.ts'
import type { Instant } from './money.ts'
import type { Rules } from './rules.ts'
import type { Terminal } from './terminal.ts'
import { isKept, isoId, type Original, type Stamp, timeOf, type Use } from './trace.ts'
import type { Meant } from './withdrawal.ts'

export function advise(books: Books, by: Submission, command: Advise, now: Instant, rules: Rules): Outcome {
  const { terminal: at, says, rejected } = command
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const found = originalOf(books, terminal, command, now)
  if (found === 'unclear') return report(books, by, terminal, command, now)
  if (found === undefined) return foresee(books, by, terminal, command, now, rules)
  const { of, id } = found
  if (of === 'operation') return adviseOperation(books, by, terminal, { command, id }, now)
  if (says === 'nothing')
    return reverseWithdrawal(
      books,
      by,
      { type: 'reverse_withdrawal', terminal: at, id, reason: 'advice', ...(rejected && { rejected }) },
      now,
    )
  return confirm(books, by, confirmOf(command, id, says), now, rules)
}

function confirmOf({ terminal }: Advise, id: string, says: Exclude<Advise['says'], 'nothing'>): Confirm {
  return { type: 'confirm', terminal, id, ...says }
}

/**
 * A deposit or a transfer is taken back as a whole; that all of it was done is known already. A PIN that was changed
 * stays so: a person tells the customer.
 */
function adviseOperation(
  books: Books,
  by: Submission,
  terminal: Terminal,
  { command, id }: { command: Advise; id: string },
  now: Instant,
): Outcome {
  const { terminal: at, says } = command
  const name = nameOf.operation(at, id)
  const found = ofKind(books.entity(name), 'operation')
  const { type, state, amount } = found ?? {}
  if (says === 'nothing' && state === 'declined') return repeated(entityReply(books, name, false))
  if (says === 'nothing' && type === 'deposit')
    return reverseDeposit(books, by, { type: 'reverse_deposit', terminal: at, id, reason: 'advice' }, now)
  if (says === 'nothing' && found?.type === 'transfer')
    return reverseTransfer(books, by, found, 'advice', now)
  const isAll = says !== 'nothing' && says.amount === amount && says.outcome === undefined
  const isKnown = isAll && state === 'completed'
  return isKnown ? repeated(entityReply(books, name, false)) : report(books, by, terminal, command, now)
}

/** It was never asked for, and is not to be done when it is. Of what is said to have left, a person sees to the money. */
function foresee(
  books: Books,
  by: Submission,
  terminal: Terminal,
  command: Advise,
  now: Instant,
  rules: Rules,
): Outcome {
  const { terminal: at, says, originals, id: own, of } = command
  const number = stampOf(originals)
  if (number === undefined) return report(books, by, terminal, command, now)
  const named = isoId(terminal.batch.batch, number)
  const stamp = { ...number, ...referenceOf(books, terminal, command, now) }
  const id = withdrawalIn(books, at, named) === undefined ? named : own
  if (withdrawalIn(books, at, id) !== undefined) return report(books, by, terminal, command, now)
  if (says === 'nothing') {
    forestall(books, by, terminal, { id, amount: 0, advice: 'reverse', ...stamp }, now)
    return decided(entityReply(books, nameOf.withdrawal(at, id), true))
  }
  const { amount } = says
  const advice = `confirm ${rules.fingerprint(confirmOf(command, id, says))}`
  // What is no cash cannot have left: there is nothing that a person could post.
  const isCash = of === undefined || of === 'withdrawal'
  const holder = isCash && holderOf(books, terminal, command)
  forestall(books, by, terminal, { id, amount, advice, ...stamp, ...holder }, now)
  raiseOf(books, by, withdrawalThere(books, at, id), { type: 'unknown_advice', amount }, now)
  return decided(entityReply(books, nameOf.withdrawal(at, id), true))
}

/** For a person, once: what it may be about is not touched. */
function report(books: Books, by: Submission, terminal: Terminal, command: Advise, now: Instant): Outcome {
  const { terminal: at, id, says, asked = 0 } = command
  const name = nameOf.withdrawal(at, id)
  if (withdrawalIn(books, at, id) !== undefined) return repeated(entityReply(books, name, false))
  const amount = says === 'nothing' ? asked : says.amount
  forestall(books, by, terminal, { id, amount, advice: 'unclear' }, now)
  raiseOf(books, by, withdrawalThere(books, at, id), { type: 'unknown_advice', amount }, now)
  return decided(entityReply(books, name, true))
}

/** Whose money it would have been: that of the card's account which is named, or of its usual one. */
function holderOf(books: Books, { currency }: Terminal, { pan = [], account: named }: Advise) {
  const card = cardIn(books, pan)
  const usual = card?.accounts.find((each) => each.default) ?? card?.accounts[0]
  const chosen = named === undefined ? usual : card?.accounts.find(({ account }) => account === named)
  const account: AccountNumber | undefined = chosen?.account
  const isHere = account !== undefined && books.account(account)?.currency === currency
  return card && isHere ? { card: card.id, last4: card.last4, account } : {}
}

/**
 * What names its original by a reference alone, and comes before it, forbids the first request with that reference that
 * fits. Where the machine's messages have had it already it is of more than one, and says nothing of what is to come.
 */
function referenceOf(
  books: Books,
  { id: at, batch }: Terminal,
  { originals: [first], of, pan, asked, says }: Advise,
  now: Instant,
): Pick<WithdrawalForestalled, 'rrn' | 'by_reference'> {
  const { number, rrn } = first ?? {}
  if (rrn === undefined || rrn !== number) return {}
  if (usesIn(books, at, rrn).some((use) => isKept(use, { now, open: batch.batch }))) return {}
  const card = pan && cardIn(books, pan)
  // Of a card that there is not, nothing will be done.
  if (pan !== undefined && card === undefined) return {}
  const amount = asked ?? (says === 'nothing' || says.amount === 0 ? undefined : says.amount)
  const more = { ...(amount !== undefined && { amount }), ...(card && { card: card.id }) }
  return { rrn, by_reference: { ...(of !== undefined && { of }), ...more } }
}

/** The first of the numbers that is a STAN, with what is known of when. */
function stampOf(originals: readonly Original[]): Stamp | undefined {
  const first = originals.find(({ number }) => /^[0-9]{6}$/.test(number))
  if (first === undefined) return undefined
  const { number: stan, rrn: _, ...when } = first
  return { stan, ...when }
}

/**
 * The use of a number that the advice is about: the card and the amount must agree, and the time where both tell it.
 * Undefined where there is none; `unclear` where there are several, or one that does not agree.
 */
function originalOf(
  books: Books,
  terminal: Terminal,
  command: Advise,
  now: Instant,
): Use | 'unclear' | undefined {
  const { id: at, batch } = terminal
  for (const [i, original] of command.originals.entries()) {
    const uses = usesIn(books, at, original.number)
      .filter((use) => isKept(use, { now, open: batch.batch }))
      .filter(({ rrn }) => original.rrn === undefined || rrn === original.rrn)
      .map((use) => ({ use, time: timeOf(use, original, now), agrees: agrees(books, use, command) }))
    const best = (time: string) => uses.filter((each) => each.time === time && each.agrees)
    const [same, unknown] = [best('same'), best('unknown')]
    const fitting = same.length > 0 ? same : unknown
    const done = fitting.filter(({ use }) => !use.tombstone)
    if (done.length <= 1 && fitting.length > 0) return (done[0] ?? fitting.at(-1))?.use
    // One that is of another time and agrees in all else may be it, and one that was named must be, and does not.
    const isDoubtful = uses.some(({ time, agrees }) => agrees || (i === 0 && time !== 'other'))
    if (isDoubtful) return 'unclear'
  }
  return undefined
}

/** Whether what was told of something by its reference, before it came, is what is told now, where both tell it. */
function isAlike({ of, amount, card }: Meant = {}, command: Advise): boolean {
  const differ = (told: unknown, now: unknown) => told !== undefined && now !== undefined && told !== now
  const isCard = card === undefined || command.pan === undefined || command.pan.includes(card)
  return isCard && !differ(of, command.of) && !differ(amount, command.asked)
}

function agrees(books: Books, { of, id, tombstone }: Use, command: Advise): boolean {
  const { terminal, pan = [], asked, of: kind } = command
  if (tombstone) return isAlike(withdrawalThere(books, terminal, id).by_reference, command)
  if (of === 'batch') return false
  const found = books.entity(nameOf[of](terminal, id))
  if (found?.kind !== 'withdrawal' && found?.kind !== 'operation') return false
  const isKind = kind === undefined || kind === (found.kind === 'operation' ? found.type : found.kind)
  const isCard = pan.length === 0 || found.card === undefined || pan.includes(found.card)
  return isKind && isCard && (asked === undefined || asked === (found.amount ?? 0))
}

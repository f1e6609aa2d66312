/**
 * The rules of exceptions. Whatever the type, a person says how much cash really left, and what is missing is posted so
 * that the customer is debited exactly that.
 */
import { isAnswer } from './apply-cash.ts'
import { payersOf } from './apply-withdrawals.ts'
import type { ResolveException } from './atm-commands.ts'
import {
  cardUsedAfter,
  cardUsedBeyond,
  close,
  customerOf,
  decided,
  endOf,
  entityReply,
  giveBackOf,
  isCountedSince,
  moveOf,
  ofKind,
  repeated,
  settle,
  terminalThere,
  withdrawalThere,
} from './atm-rules.ts'
import type { Books } from './books.ts'
import { type Outcome, type RecordId, refuse, type Submission } from './command.ts'
import { type Mix, nearestAmounts, type Payer, planMix } from './dispense-plan.ts'
import { nameOf } from './entity.ts'
import type { Exception, Word } from './exception.ts'
import type { Instant, Minor } from './money.ts'
import { chargeOf, markOf } from './posting.ts'
import type { Rules } from './rules.ts'
import { accountsOfTerminal, type NotesOut, type Terminal, valueOfOut } from './terminal.ts'
import { isOpen, type Withdrawal } from './withdrawal.ts'

export function resolveException(
  books: Books,
  by: Submission,
  command: ResolveException,
  now: Instant,
  rules: Rules,
): Outcome {
  const { exception: id, dispensed, reason, person } = command
  const name = nameOf.exception(id)
  const exception = ofKind(books.entity(name), 'exception')
  if (exception === undefined) return decided(refuse('exception_not_found'))
  if (exception.resolution !== undefined) {
    const same = exception.resolution.dispensed === dispensed && exception.resolution.reason === reason
    return same ? repeated(entityReply(books, name, false)) : decided(refuse('exception_resolved'))
  }
  const withdrawal = moneyOf(books, exception)
  if ((withdrawal === undefined) !== (dispensed === undefined)) return decided(refuse('dispensed_invalid'))
  if (withdrawal && dispensed !== undefined && !isAnswer(books, withdrawal, dispensed))
    return decided(refuse('dispensed_invalid'))

  const word = { ...(dispensed !== undefined && { dispensed }), reason, by: by.actor, person }
  const moved = withdrawal && dispensed !== undefined ? Math.abs(dispensed - withdrawal.debited) : 0
  const first = exception.waits
  // What waits for a second person goes on waiting for one, also where the threshold has been raised since.
  const isLarge = moved > rules.adjustmentThreshold || first !== undefined
  const needsTwo = isLarge && by.actor !== ''
  const isSecond =
    first !== undefined && first.dispensed === dispensed && first.by !== by.actor && first.person !== person
  if (needsTwo && !isSecond) {
    if (first?.by === by.actor && first.dispensed === dispensed)
      return decided(refuse('second_person_needed'))
    books.append({ kind: 'exception_waits', exception: id, word }, markOf(by, now))
    return decided(entityReply(books, name, false))
  }
  if (withdrawal === undefined) {
    books.append({ kind: 'exception_resolved', exception: id, word, transfers: [] }, markOf(by, now))
    return decided(entityReply(books, name, false))
  }
  correct(books, by, withdrawal, { word, how: 'resolution', exception, now, rules })
  return decided(entityReply(books, name, false))
}

/** The withdrawal whose money an exception is about; none where no customer is known. */
function moneyOf(books: Books, { terminal, withdrawal: id }: Exception): Withdrawal | undefined {
  if (id === undefined) return undefined
  const withdrawal = withdrawalThere(books, terminal, id)
  return withdrawal.account === undefined || withdrawal.state === 'declined' ? undefined : withdrawal
}

type Correction = {
  readonly word: Word
  readonly how: 'resolution' | 'exchange'
  /** The one that is resolved; without it, whichever of the withdrawal's is open. */
  readonly exception?: Exception
  readonly now: Instant
  readonly rules: Rules
}

/** Makes the books say that so much left, and that the customer was debited so much. */
export function correct(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  { word, how, exception, now, rules }: Correction,
): void {
  const { dispensed = 0 } = word
  const { amount, debited } = withdrawal
  const card =
    dispensed > debited
      ? cardUsedBeyond(books, withdrawal, dispensed - debited, rules.dayOf(now))
      : cardUsedAfter(books, withdrawal, debited - dispensed)
  const { transfers, ...notes } = isOpen(withdrawal)
    ? outOfTransit(books, by, withdrawal, dispensed, now, rules)
    : dispensed > debited
      ? takeMore(books, by, withdrawal, dispensed - debited, now, rules)
      : putBack(books, by, withdrawal, debited - dispensed, now)
  const settled = { state: endOf(dispensed, amount), by: how, dispensed, debited: dispensed, transfers }
  settle(books, by, withdrawal, { ...settled, ...notes, ...card }, now)
  if (exception === undefined) {
    close(books, by, withdrawal, { word, transfers, now })
    return
  }
  books.append({ kind: 'exception_resolved', exception: exception.id, word, transfers }, markOf(by, now))
}

type Corrected = {
  readonly transfers: readonly RecordId[]
  readonly out?: NotesOut
  readonly back?: NotesOut
}

/**
 * Of money in transit: as much as left goes to the machine's cash, the rest back to the customer. Where no notes are
 * worth exactly so much, the difference is over or short.
 */
function outOfTransit(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  dispensed: Minor,
  now: Instant,
  rules: Rules,
): Corrected {
  const { amount, terminal: at } = withdrawal
  const { cash, transit, over_short } = accountsOfTerminal(at)
  const { mix, value } = notesWorth(terminalThere(books, at), withdrawal, dispensed)
  const left = Math.min(dispensed, amount)
  const inNotes = Math.min(value, left)
  const move = (credit: string, amount: Minor): RecordId[] =>
    amount === 0
      ? []
      : [
          moveOf(books, by, withdrawal, {
            type: credit === cash ? 'dispense' : 'correction',
            debit: transit,
            credit,
            amount,
            now,
          }),
        ]
  const transfers = [
    ...move(cash, inNotes),
    ...move(over_short, left - inNotes),
    ...giveBackOf(books, by, withdrawal, { from: [[transit, amount - left]], now }),
    ...debitMore(books, by, withdrawal, { to: cash, amount: value - inNotes, now, rules }),
    ...debitMore(books, by, withdrawal, {
      to: over_short,
      amount: dispensed - left - (value - inNotes),
      now,
      rules,
    }),
  ]
  return { transfers, ...(value > 0 && { out: mix }) }
}

/** Cash left that the customer was not debited, or was given back. */
function takeMore(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  amount: Minor,
  now: Instant,
  rules: Rules,
): Corrected {
  const { terminal: at } = withdrawal
  const terminal = terminalThere(books, at)
  const { cash, over_short } = accountsOfTerminal(at)
  // What was missing was counted, and is over/short's by now.
  const counted = isCountedSince(terminal, withdrawal)
  const { mix, value } = counted ? { mix: {}, value: 0 } : notesWorth(terminal, withdrawal, amount)
  const transfers = [
    ...debitMore(books, by, withdrawal, { to: cash, amount: value, now, rules }),
    ...debitMore(books, by, withdrawal, { to: over_short, amount: amount - value, now, rules }),
  ]
  return { transfers, ...(value > 0 && { out: mix }) }
}

/** Less cash left than the customer was debited. */
function putBack(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  amount: Minor,
  now: Instant,
): Corrected {
  const { terminal: at } = withdrawal
  const terminal = terminalThere(books, at)
  const { cash, over_short } = accountsOfTerminal(at)
  const counted = isCountedSince(terminal, withdrawal)
  const { mix, value } = counted ? { mix: {}, value: 0 } : worthOfPart(terminal, withdrawal.units, amount)
  const from = [
    [cash, value],
    [over_short, amount - value],
  ] as const
  const transfers = giveBackOf(books, by, withdrawal, { from, now })
  return { transfers, ...(value > 0 && { back: mix }) }
}

function debitMore(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  { to, amount, now, rules }: { to: string; amount: Minor; now: Instant; rules: Rules },
): RecordId[] {
  if (amount === 0) return []
  const account = customerOf(books, withdrawal)
  const charge = chargeOf(account, amount, now, rules)
  const sides = { debit: account.number, credit: to }
  return [moveOf(books, by, withdrawal, { type: 'correction', ...sides, amount, now, charge, forced: true })]
}

type Worth = { readonly mix: Mix; readonly value: Minor }

/** The notes that most likely left: those that were planned, some of them, else any that are worth so much. */
export function notesWorth(terminal: Terminal, { units, ...withdrawal }: Withdrawal, amount: Minor): Worth {
  const own = isOpen(withdrawal) ? units : {}
  const all = payersOf(terminal).map((payer) => ({ ...payer, free: payer.free + (own[payer.id] ?? 0) }))
  const isThere = all.every(({ id, free }) => (units[id] ?? 0) <= free)
  if (isThere && valueOfOut(terminal.units, units) === amount) return { mix: units, value: amount }
  const planned = all.map((payer) => ({ ...payer, free: Math.min(payer.free, units[payer.id] ?? 0) }))
  const some = worthAtMost(planned, amount)
  return some.value === amount ? some : worthAtMost(all, amount)
}

function worthOfPart(terminal: Terminal, units: NotesOut, amount: Minor): Worth {
  const payers = payersOf(terminal).map((payer) => ({ ...payer, free: units[payer.id] ?? 0 }))
  return worthAtMost(payers, amount)
}

// Nothing is dispensed here, so a machine's slot sets no bound; a search has one.
const notesMax = 200

function worthAtMost(payers: readonly Payer[], amount: Minor): Worth {
  const options = { rule: 'minimumBills', notesMax } as const
  const exact = planMix(payers, amount, options)
  if (exact !== undefined) return { mix: exact, value: amount }
  const { below } = nearestAmounts(payers, amount, { notesMax })
  const mix = below === null ? undefined : planMix(payers, below, options)
  return below === null || mix === undefined ? { mix: {}, value: 0 } : { mix, value: below }
}

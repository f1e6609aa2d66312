/**
 * The rules of a withdrawal at a terminal. Authorizing takes the customer's money into transit and reserves the notes;
 * what became of the notes is what the machine says afterwards, and what it does not say stays in doubt, as the
 * balance of an account. The states are in `withdrawal.ts`. A refusal of an authorization is kept under the
 * withdrawal's id; what the machine says of a dispense is never refused.
 */
import { type Account, available } from './account.ts'
import { conflict } from './apply.ts'
import { accountOfCard, cardIn, identify } from './apply-cards.ts'
import { notesWorth } from './apply-exceptions.ts'
import type {
  Authorize,
  Confirm,
  ExpireWithdrawal,
  ReverseWithdrawal,
  StartDispense,
} from './atm-commands.ts'
import type { WithdrawalForestalled } from './atm-records.ts'
import {
  askedOf,
  cardUsedAfter,
  close,
  decided,
  endOf,
  entityReply,
  forestalledBy,
  giveBackOf,
  isCountedSince,
  moveOf,
  operationOf,
  raiseOf,
  repeated,
  saidBy,
  settle,
  terminalIn,
  terminalThere,
  unknownTerminal,
  useBefore,
  withdrawalIn,
  withdrawalThere,
} from './atm-rules.ts'
import type { Books } from './books.ts'
import type { Card } from './card.ts'
import { type Outcome, type Refused, refuse, type Submission } from './command.ts'
import { judgeMix, type Mix, nearestAmounts, type Payer, planMix } from './dispense-plan.ts'
import { nameOf } from './entity.ts'
import { charge, type Exceeded, exceeded } from './limits.ts'
import type { Instant, Minor } from './money.ts'
import { accountThere, chargeOf, markOf, post, refusesDebit, refusesFunds } from './posting.ts'
import type { Rules } from './rules.ts'
import { accountsOfTerminal, countOf, type NotesOut, type Terminal, valueOfOut } from './terminal.ts'
import { type Asked, isOpen, type Withdrawal } from './withdrawal.ts'

export function authorize(
  books: Books,
  by: Submission,
  command: Authorize,
  now: Instant,
  rules: Rules,
): Outcome {
  const { terminal: at, id } = command
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const used = useBefore(books, terminal, command, now, rules)
  if (used !== undefined && used.of !== 'withdrawal') return decided(refuse('idempotency_conflict'))
  const asked = askedOf(command, used?.id ?? id, rules)
  const found = withdrawalIn(books, at, used?.id ?? id)
  if (found !== undefined) return authorizedBefore(books, by, found, asked, now)

  const forestalled = forestalledBy(
    books,
    terminal,
    command,
    { of: 'withdrawal', amount: command.amount },
    now,
  )
  if (forestalled !== undefined)
    return decline(books, by, command, {
      asked,
      refused: refuse('already_reversed'),
      now,
      terminal,
      forestalled,
    })

  const judged = judge(books, by, terminal, command, now, rules)
  if ('type' in judged) return decline(books, by, command, { asked, refused: judged, now, terminal })

  const { card, account, units } = judged
  const { amount, currency, confirmation, stamp } = command
  const charged = chargeOf(account, amount, now, rules)
  const transfer = post(books, by, {
    type: 'withdrawal',
    debit: account.number,
    credit: accountsOfTerminal(at).transit,
    amount,
    account,
    now,
    charge: charged,
    more: { ...operationOf(at, id), ...(stamp?.rrn !== undefined && { reference: stamp.rrn }) },
  })
  const after = accountThere(books, account.number)
  const day = rules.dayOf(now)
  books.append(
    {
      kind: 'withdrawal_authorized',
      terminal: at,
      withdrawal: id,
      confirmation,
      amount,
      currency,
      account: account.number,
      card: card.id,
      last4: card.last4,
      units,
      authorization_code: String(books.sequence % 1_000_000).padStart(6, '0'),
      batch: terminal.batch.batch,
      business_date: terminal.batch.business_date ?? day,
      expires_at: confirmation === 'explicit' ? now + terminal.start_within_s * 1000 : null,
      balance: { ledger: after.ledger, available: available(after, now) },
      transfer: transfer.id,
      ...(charged && { charged: charged.day }),
      ...(card.limits && { card_used: charge(card.used, day, amount) }),
      ...saidBy(command),
      ...asked,
    },
    markOf(by, now),
  )
  return decided(entityReply(books, nameOf.withdrawal(at, id), true))
}

/** The same request again has its answer; another one under the id has none. */
function authorizedBefore(
  books: Books,
  by: Submission,
  found: Withdrawal,
  asked: Asked,
  now: Instant,
): Outcome {
  const { terminal, id, code, about, state, confirmation } = expire(books, by, found, now)
  // Whoever confirms by silence would take a yes for leave to dispense, and the money went back.
  if (found.tombstone || (state === 'reversed' && confirmation === 'implicit'))
    return decided(refuse('already_reversed'))
  if (found.fingerprint !== asked.fingerprint) return decided(conflict(asked.marks, found.marks))
  if (code !== undefined) return repeated(refuse(code, undefined, about))
  return repeated(entityReply(books, nameOf.withdrawal(terminal, id), false))
}

type Judged = { readonly card: Card; readonly account: Account; readonly units: Mix }

/** Everything that can stand in the way, in the order in which a host tells of it: nothing of an account before the PIN. */
function judge(
  books: Books,
  by: Submission,
  terminal: Terminal,
  command: Authorize,
  now: Instant,
  rules: Rules,
): Judged | Refused {
  const { pan, amount, currency, account_type } = command
  const no = refusesService(terminal)
  if (no !== undefined) return no
  const holder = identify(books, by, { terminal: terminal.id, pan }, now, rules)
  if ('type' in holder) return holder
  const { card } = holder
  if (currency !== terminal.currency) return refuse('currency_mismatch')
  const account = accountOfCard(books, by, card, { account: command.account, account_type, currency }, now)
  if ('type' in account) return account
  if (refusesDebit(account) !== undefined) return refuse('account_not_allowed')
  const over = refusesLimits({ terminal, card, account }, amount, now, rules)
  if (over !== undefined) return over
  if (refusesFunds(account, amount, now) !== undefined) return refuse('insufficient_funds')
  const units = plan(terminal, command)
  return 'type' in units ? units : { card, account, units: units.mix }
}

/** Customers are served by a machine that is in service, and signed on where it must be. */
export function refusesService({ state, signed_on, require_sign_on }: Terminal): Refused | undefined {
  return state === 'in_service' && (signed_on || !require_sign_on)
    ? undefined
    : refuse('terminal_not_allowed')
}

/** All limits of a withdrawal: the machine's, the card's and the account's, of one and of a business day. */
export function refusesLimits(
  { terminal, card, account }: { terminal?: Terminal; card?: Card; account: Account },
  amount: Minor,
  now: Instant,
  rules: Rules,
): Refused | undefined {
  const day = rules.dayOf(now)
  const ofCard = card?.limits && exceeded(card.limits, { used: card.used, day, amount })
  const ofAccount = account.limits && exceeded(account.limits, { used: account.used, day, amount })
  const one = [ofCard, ofAccount].find((over) => over?.name === 'transaction_amount')
  if (one !== undefined) return refusesOver('withdrawal', one)
  if (ofCard !== undefined) return refusesOver('card_day', ofCard)
  if (ofAccount !== undefined) return refusesOver('account_day', ofAccount)
  const limit = terminal?.max_withdrawal
  if (limit === undefined || amount <= limit) return undefined
  return refuse('limit_amount', undefined, { scope: 'terminal', limit, used: 0, remaining: limit })
}

function refusesOver(scope: string, { name, limit, used, remaining }: Exceeded): Refused {
  const refusal = name === 'daily_count' ? 'limit_count' : 'limit_amount'
  return refuse(refusal, undefined, { scope, limit, used, remaining })
}

/** The notes to pay with: the machine's own choice where it made one. */
function plan(terminal: Terminal, { amount, mix }: Authorize): { readonly mix: Mix } | Refused {
  const payers = payersOf(terminal)
  const { max_notes: notesMax, max_withdrawal: amountMax } = terminal
  const chosen =
    typeof mix === 'object'
      ? judgeMix(payers, amount, mix, { notesMax }) === 'ok'
        ? mix
        : undefined
      : planMix(payers, amount, { rule: mix ?? terminal.mix, notesMax })
  if (chosen !== undefined) return { mix: chosen }
  const nearest = nearestAmounts(payers, amount, { notesMax, ...(amountMax !== undefined && { amountMax }) })
  return refuse('amount_not_dispensable', undefined, { nearest })
}

/** The units that may pay, with what no other withdrawal has reserved. */
export function payersOf({ units }: Terminal): Payer[] {
  return units
    .filter(({ type }) => type === 'cash_out')
    .map((unit) => {
      const count = countOf(unit)
      const { id, value, initial, reserved } = unit
      return { id, value, free: count - reserved, count, initial }
    })
}

function decline(
  books: Books,
  by: Submission,
  command: Authorize,
  of: {
    readonly asked: Asked
    readonly refused: Refused
    readonly now: Instant
    readonly terminal: Terminal
    readonly forestalled?: string
  },
): Outcome {
  const { terminal: at, id, amount, currency, confirmation, account, pan } = command
  const { refusal, about } = of.refused
  const card = cardIn(books, pan)
  books.append(
    {
      kind: 'withdrawal_declined',
      terminal: at,
      withdrawal: id,
      confirmation,
      amount,
      currency,
      ...(account !== undefined && { account }),
      ...(card && { card: card.id, last4: card.last4 }),
      batch: of.terminal.batch.batch,
      code: refusal,
      ...(about && { about }),
      ...(of.forestalled !== undefined && { forestalled_by: of.forestalled }),
      ...saidBy(command),
      ...of.asked,
    },
    markOf(by, of.now),
  )
  return decided(of.refused)
}

/** From here on notes may leave: without the yes to this, none does. */
export function startDispense(books: Books, by: Submission, command: StartDispense, now: Instant): Outcome {
  const { terminal: at, id } = command
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const found = withdrawalIn(books, at, id)
  if (found === undefined) return decided(refuse('withdrawal_not_found'))
  const { state, confirmation } = expire(books, by, found, now)
  const name = nameOf.withdrawal(at, id)
  if (state === 'dispensing') return repeated(entityReply(books, name, false))
  if (state !== 'authorized' || confirmation !== 'explicit')
    return decided(refuse('withdrawal_state', undefined, { state }))

  const expires_at = now + terminal.confirm_within_s * 1000
  books.append({ kind: 'withdrawal_started', terminal: at, withdrawal: id, expires_at }, markOf(by, now))
  return decided(entityReply(books, name, false))
}

/** The machine says which notes left. It already is so, so there is no no: what cannot be booked is an exception. */
export function confirm(books: Books, by: Submission, command: Confirm, now: Instant, rules: Rules): Outcome {
  const { terminal: at, id } = command
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const advice = `confirm ${rules.fingerprint(command)}`
  const name = nameOf.withdrawal(at, id)
  const found = withdrawalIn(books, at, id)
  const said = wordOf(terminal, command, found)
  if (found === undefined) {
    forestall(books, by, terminal, { id, amount: said.value, advice }, now)
    raiseOf(books, by, withdrawalThere(books, at, id), { type: 'unknown_advice', amount: said.value }, now)
    return decided(entityReply(books, name, true))
  }
  if (found.advice === advice) return repeated(entityReply(books, name, false))
  const withdrawal = expire(books, by, found, now)
  if (isOpen(withdrawal)) confirmOpen(books, by, withdrawal, { said, command, advice, now })
  else confirmEnded(books, by, withdrawal, { said, command, advice, now })
  return decided(entityReply(books, name, false))
}

/** What left, by which notes, and whether that is for certain: not where a unit is unknown, or gave more than it had. */
type Said = { readonly value: Minor; readonly out: NotesOut; readonly certain: boolean }

function wordOf(
  terminal: Terminal,
  { units: named, rejected = {}, outcome = 'dispensed', amount }: Confirm,
  withdrawal: Withdrawal | undefined,
): Said {
  const { units } = terminal
  const isNamed = amount === undefined || Object.keys(named).length > 0
  const out = isNamed || withdrawal === undefined ? named : likelyOut(terminal, withdrawal, amount)
  const value = valueOfOut(units, out)
  const bad = valueOfOut(units, rejected)
  const canReject =
    Object.values(rejected).every((count) => count === 0) || units.some(({ type }) => type === 'reject')
  // What others have reserved cannot have left for this one: the books would owe them notes that there are not.
  const own = withdrawal !== undefined && isOpen(withdrawal) ? withdrawal.units : {}
  const had = units.every(
    (unit) =>
      (out[unit.id] ?? 0) + (rejected[unit.id] ?? 0) <= countOf(unit) - unit.reserved + (own[unit.id] ?? 0),
  )
  const certain = outcome === 'dispensed' && value !== undefined && bad !== undefined && had && canReject
  return { value: amount ?? value ?? 0, out, certain: certain && value === (amount ?? value) }
}

/** The notes that a machine does not name: those that it is known to have given, or most likely gave. */
function likelyOut(terminal: Terminal, withdrawal: Withdrawal, amount: Minor): NotesOut {
  if (withdrawal.dispensed === amount) return amount === 0 ? {} : withdrawal.units
  return notesWorth(terminal, withdrawal, amount).mix
}

type Confirming = {
  readonly said: Said
  readonly command: Confirm
  readonly advice: string
  readonly now: Instant
}

/** How it ended by what the machine says; `back` are the notes that are in the units again. */
function endSaid({ said, command }: Confirming, amount: Minor, back?: NotesOut) {
  const out = someOf(said.out)
  const rejected = someOf(command.rejected ?? {})
  return {
    state: endOf(said.value, amount),
    by: 'confirm' as const,
    dispensed: said.value,
    debited: said.value,
    ...(out && { out }),
    ...(back && { back }),
    ...(rejected && { rejected }),
  }
}

function confirmOpen(books: Books, by: Submission, withdrawal: Withdrawal, confirming: Confirming): void {
  const { said, command, advice, now } = confirming
  const { amount, terminal: at } = withdrawal
  if (!said.certain || said.value > amount) {
    const retracted = command.outcome === 'retracted' && ({ retracted: true } as const)
    const doubt = { state: 'suspect', dispensed: null, debited: amount, transfers: [], ...retracted } as const
    settle(books, by, withdrawal, { ...doubt, by: 'confirm', advice }, now)
    const over = said.value > amount
    const proposal = over && { proposal: { dispensed: said.value } }
    const type = over ? 'over_dispensed' : 'suspect'
    raiseOf(books, by, withdrawal, { type, amount: over ? said.value : amount, ...proposal }, now)
    return
  }
  const { cash, transit } = accountsOfTerminal(at)
  const rest = amount - said.value
  const card = cardUsedAfter(books, withdrawal, rest)
  const left =
    said.value === 0
      ? []
      : [
          moveOf(books, by, withdrawal, {
            type: 'dispense',
            debit: transit,
            credit: cash,
            amount: said.value,
            now,
          }),
        ]
  const transfers = [...left, ...giveBackOf(books, by, withdrawal, { from: [[transit, rest]], now })]
  const settled = { ...endSaid(confirming, amount), transfers, ...card, advice }
  settle(books, by, withdrawal, settled, now)
  closeByMachine(books, by, withdrawal, said.value, transfers, now)
}

/** It has ended before: the same once more is no news, anything else is for a person. */
function confirmEnded(books: Books, by: Submission, withdrawal: Withdrawal, confirming: Confirming): void {
  const { said, command, advice, now } = confirming
  const { state, dispensed, debited, mix_assumed, terminal: at, tombstone, id } = withdrawal
  const ended = state === 'completed' || state === 'partially_completed'
  const since = isCountedSince(terminalThere(books, at), withdrawal)
  if (ended && mix_assumed && said.certain && said.value <= withdrawal.amount && !since) {
    replaceAssumed(books, by, withdrawal, confirming)
    return
  }
  books.append({ kind: 'withdrawal_advised', terminal: at, withdrawal: id, advice }, markOf(by, now))
  if (said.certain && said.value === (ended ? (dispensed ?? 0) : debited)) return
  // That nobody knows is no news where somebody has counted since.
  if (!said.certain && since) return
  const none = state === 'declined' || tombstone
  const type = ended ? 'reversal_mismatch' : none ? 'unknown_advice' : 'confirm_after_reversal'
  const proposal = command.outcome === undefined || command.outcome === 'dispensed'
  const says = proposal && said.value <= withdrawal.amount && { proposal: { dispensed: said.value } }
  raiseOf(books, by, withdrawal, { type, amount: said.value, ...(!none && says) }, now)
}

/** The notes that were taken for those that left give way to those that did. */
function replaceAssumed(books: Books, by: Submission, withdrawal: Withdrawal, confirming: Confirming): void {
  const { said, advice, now } = confirming
  const { amount, units, debited, terminal: at } = withdrawal
  const rest = debited - said.value
  const card = cardUsedAfter(books, withdrawal, rest)
  const transfers = giveBackOf(books, by, withdrawal, { from: [[accountsOfTerminal(at).cash, rest]], now })
  const settled = { ...endSaid(confirming, amount, units), transfers, ...card, advice }
  settle(books, by, withdrawal, settled, now)
}

function someOf(notes: NotesOut): NotesOut | undefined {
  const some = Object.entries(notes).filter(([, count]) => count > 0)
  return some.length === 0 ? undefined : Object.fromEntries(some)
}

/** The machine knows by now what nobody knew: the suspect is one no more. */
function closeByMachine(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  dispensed: Minor,
  transfers: readonly string[],
  now: Instant,
): void {
  const word = { dispensed, reason: 'the machine says so', by: by.actor, person: '' }
  close(books, by, withdrawal, { word, transfers, now })
}

/** No note left. Before it was asked for, it never will be: what comes later under the id is refused. */
export function reverseWithdrawal(
  books: Books,
  by: Submission,
  { terminal: at, id, rejected = {} }: ReverseWithdrawal,
  now: Instant,
): Outcome {
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const name = nameOf.withdrawal(at, id)
  const found = withdrawalIn(books, at, id)
  if (found === undefined) {
    forestall(books, by, terminal, { id, amount: 0, advice: 'reverse' }, now)
    return decided(entityReply(books, name, true))
  }
  const bad = Object.entries(someOf(rejected) ?? {}).map(([unit, count]) => `${unit}=${count}`)
  const advice = ['reverse', ...bad].join(' ')
  if (found.advice === advice) return repeated(entityReply(books, name, false))
  const withdrawal = expire(books, by, found, now)
  const { state, mix_assumed, amount } = withdrawal
  // Where notes were rejected on the way, it is a word on notes as a confirmation is: none of them left.
  const command: Confirm = { type: 'confirm', terminal: at, id, units: {}, rejected }
  const none = { said: wordOf(terminal, command, withdrawal), command, advice, now }
  if (isOpen(withdrawal)) {
    if (bad.length > 0) confirmOpen(books, by, withdrawal, none)
    else giveAllBack(books, by, withdrawal, { by: 'reverse', advice, now })
    return decided(entityReply(books, name, false))
  }
  if (state === 'reversed' || state === 'declined') return repeated(entityReply(books, name, false))
  if (mix_assumed && !isCountedSince(terminal, withdrawal)) {
    if (bad.length > 0 && none.said.certain) replaceAssumed(books, by, withdrawal, none)
    else takeAssumedBack(books, by, withdrawal, { advice, now })
    raiseOf(books, by, withdrawal, { type: 'late_reversal', amount, proposal: { dispensed: 0 } }, now)
    return decided(entityReply(books, name, false))
  }
  books.append({ kind: 'withdrawal_advised', terminal: at, withdrawal: id, advice }, markOf(by, now))
  raiseOf(books, by, withdrawal, { type: 'reverse_after_confirm', amount, proposal: { dispensed: 0 } }, now)
  return decided(entityReply(books, name, false))
}

/** Nothing of this id may be done any more; whose it would have been, and what its messages were numbered, is kept where it is known. */
export function forestall(
  books: Books,
  by: Submission,
  { id: terminal, batch: { batch } }: Terminal,
  {
    id: withdrawal,
    ...told
  }: { id: string } & Pick<WithdrawalForestalled, 'amount' | 'advice'> & Partial<WithdrawalForestalled>,
  now: Instant,
): void {
  books.append({ ...told, kind: 'withdrawal_forestalled', terminal, withdrawal, batch }, markOf(by, now))
}

/** What is in transit goes back to the customer, and the notes are free. */
export function giveAllBack(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  { by: how, advice, now }: { by: 'reverse' | 'expiry' | 'exchange'; advice?: string; now: Instant },
): void {
  const { amount, terminal } = withdrawal
  const card = cardUsedAfter(books, withdrawal, amount)
  const { transit } = accountsOfTerminal(terminal)
  const transfers = giveBackOf(books, by, withdrawal, { from: [[transit, amount]], now })
  const none = { state: 'reversed', by: how, dispensed: 0, debited: 0, transfers, ...card } as const
  settle(books, by, withdrawal, { ...none, ...(advice !== undefined && { advice }) }, now)
  closeByMachine(books, by, withdrawal, 0, transfers, now)
}

/** Silence was taken for a dispense, and it was none: the notes are in the machine. */
function takeAssumedBack(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  { advice, now }: { advice: string; now: Instant },
): void {
  const { debited, terminal, units } = withdrawal
  const card = cardUsedAfter(books, withdrawal, debited)
  const { cash } = accountsOfTerminal(terminal)
  const transfers = giveBackOf(books, by, withdrawal, { from: [[cash, debited]], now })
  const none = { state: 'reversed', by: 'reverse', dispensed: 0, debited: 0, transfers, ...card } as const
  settle(books, by, withdrawal, { ...none, back: units, advice }, now)
}

export function expireWithdrawal(
  books: Books,
  by: Submission,
  { terminal, id }: ExpireWithdrawal,
  now: Instant,
): Outcome {
  const found = withdrawalIn(books, terminal, id)
  if (found === undefined) return decided(refuse('withdrawal_not_found'))
  expire(books, by, found, now)
  return decided(entityReply(books, nameOf.withdrawal(terminal, id), false))
}

/**
 * The withdrawal as it is at this instant. One that was not started in time never will be, so its money goes back; of
 * one that was started nobody knows what left, so its money stays where it is.
 */
export function expire(books: Books, by: Submission, withdrawal: Withdrawal, now: Instant): Withdrawal {
  const { expires_at, state, amount, terminal, id } = withdrawal
  if (expires_at === null || now < expires_at) return withdrawal
  if (state === 'authorized') giveAllBack(books, by, withdrawal, { by: 'expiry', now })
  else doubt(books, by, withdrawal, 'expiry', amount, now)
  return withdrawalThere(books, terminal, id)
}

/** Nobody knows whether the notes left. */
export function doubt(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  how: 'expiry' | 'exchange',
  amount: Minor,
  now: Instant,
): void {
  const none = { state: 'suspect', dispensed: null, debited: amount, transfers: [] } as const
  settle(books, by, withdrawal, { ...none, by: how }, now)
  raiseOf(books, by, withdrawal, { type: 'suspect', amount }, now)
}

/** Nothing was said of it until now: what was planned is taken for what left. */
export function assume(books: Books, by: Submission, withdrawal: Withdrawal, now: Instant): void {
  const { amount, units, terminal } = withdrawal
  const { cash, transit } = accountsOfTerminal(terminal)
  const transfers = [
    moveOf(books, by, withdrawal, { type: 'dispense', debit: transit, credit: cash, amount, now }),
  ]
  const all = { state: 'completed', by: 'close', dispensed: amount, debited: amount, transfers } as const
  settle(books, by, withdrawal, { ...all, out: units, mix_assumed: true }, now)
}

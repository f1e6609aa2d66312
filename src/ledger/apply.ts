/**
 * The rules, all of them, and nothing else: no input or output, no clock, no chance, no waiting. What a command
 * may touch has been loaded into the books before; what it changes is in the records appended to them after.
 */
import assert from 'node:assert'
import { type Account, available, isAccountNumber } from './account.ts'
import { applyAtm } from './apply-atm.ts'
import { isAtmCommand } from './atm-commands.ts'
import type { Books } from './books.ts'
import {
  type Adjust,
  accountsTold,
  type Batch,
  type Capture,
  type DecideAdjustment,
  type Deposit,
  type Move,
  type OpenAccount,
  type OpenBooks,
  type Outcome,
  type PlaceHold,
  type Posted,
  type PostedTransfer,
  type RecordId,
  type Refused,
  type Registered,
  type Reply,
  type Reverse,
  refuse,
  type SetLimits,
  type SetState,
  type Submission,
  type VoidHold,
  type Withdraw,
} from './command.ts'
import { nameOf } from './entity.ts'
import { giveBack } from './limits.ts'
import { differing, marksOf } from './marks.ts'
import { type Instant, minorMax, toMinor } from './money.ts'
import {
  accountThere,
  afterOf,
  chargeOf,
  customer,
  holdThere,
  isVersion,
  markOf,
  open,
  post,
  refusesCredit,
  refusesDebit,
  refusesFunds,
  refusesLimit,
  refusesMore,
  release,
  resolve,
  touch,
} from './posting.ts'
import type { Words } from './record.ts'
import { type Refusal, refusals } from './refusal.ts'
import { type Adjustment, register, told } from './registry.ts'
import type { Rules } from './rules.ts'

export type { Rules } from './rules.ts'

/** The most holds that can be pending on one account: each command on it looks at all of them. */
export const holdsMax = 1_000

/** Decides one command and writes what it changes into the books. The same books, command and instant: the same reply. */
export function apply(books: Books, submission: Submission, now: Instant, rules: Rules): Outcome {
  const { key, actor, command } = submission
  if (key === undefined && isAtmCommand(command)) return applyAtm(books, submission, command, now, rules)
  if (key === undefined || (command.type === 'batch' && command.dry_run))
    return { reply: decide(books, submission, now, rules), replayed: false }

  const fingerprint = rules.fingerprint(command)
  const marks = marksOf(command)
  const stored = books.reply(key.scope, key.key)
  if (stored !== undefined && now < stored.at + rules.keyRetentionMs) {
    if (stored.fingerprint !== fingerprint) return { reply: conflict(marks, stored.marks), replayed: false }
    return { reply: stored.reply, replayed: true }
  }

  // What a terminal repeats under its own id is a repeat under a new key as well.
  const outcome = isAtmCommand(command)
    ? applyAtm(books, submission, command, now, rules)
    : { reply: decide(books, submission, now, rules), replayed: false }
  const { reply } = outcome
  if (isRemembered(reply)) {
    const content = { kind: 'reply', key: key.key, fingerprint, marks, reply } as const
    books.append(content, { at: now, actor, scope: key.scope })
  }
  return outcome
}

/** A key that was used for another request: which members are not the same, where that is known. */
export function conflict(marks: string, stored: string | undefined): Refused {
  const members = stored === undefined ? [] : differing(marks, stored)
  return { ...refuse('idempotency_conflict'), ...(members.length > 0 && { members }) }
}

/** Of an atomic batch that was dropped, what its first refusal is decides. */
function isRemembered(reply: Reply): boolean {
  if (reply.type === 'refused') return refusals[reply.refusal].remembered
  const last = reply.type === 'batch' && reply.failed !== undefined ? reply.results.at(-1)?.reply : undefined
  return last === undefined || isRemembered(last)
}

function decide(books: Books, by: Submission, now: Instant, rules: Rules): Reply {
  const { command } = by
  switch (command.type) {
    case 'batch':
      return batch(books, by, command, now, rules)
    case 'withdraw':
      return withdraw(books, by, command, now, rules)
    case 'deposit':
      return deposit(books, by, command, now)
    case 'move':
      return move(books, by, command, now, rules)
    case 'reverse':
      return reverse(books, by, command, now)
    case 'hold':
      return placeHold(books, by, command, now, rules)
    case 'capture':
      return capture(books, by, command, now, rules)
    case 'void':
      return voidHold(books, by, command, now)
    case 'open_account':
      return openAccount(books, by, command, now)
    case 'set_state':
      return setState(books, by, command, now)
    case 'set_limits':
      return setLimits(books, by, command, now)
    case 'open_books':
      return openBooks(books, by, command, now)
    case 'request_proof':
      return { ...command, type: 'proof_requested', at: now }
    case 'adjust':
      return adjust(books, by, command, now, rules)
    case 'decide_adjustment':
      return decideAdjustment(books, by, command, now, rules)
    case 'create_credential':
    case 'revoke_credential':
    case 'create_webhook':
    case 'disable_webhook':
    case 'redeliver':
      return register(books, by, command, now)
    default:
      return applyAtm(books, by, command, now, rules).reply
  }
}

/** Pays out cash: the customer's account is debited, the house's cash credited. */
function withdraw(books: Books, by: Submission, command: Withdraw, now: Instant, rules: Rules): Reply {
  const account = touch(books, by, command.account, now)
  if (account === undefined) return refuse('account_not_found')
  const amount = toMinor(command.amount, account.currency)
  if (typeof amount === 'string') return refuse(amount)
  const no = refusesDebit(account) ?? refusesFunds(account, amount, now)
  if (no !== undefined) return refuse(no)
  const over = refusesLimit(account, amount, now, rules)
  if (over !== undefined) return over

  const charge = chargeOf(account, amount, now, rules)
  const transfer = post(books, by, {
    type: 'withdrawal',
    debit: account.number,
    amount,
    account,
    now,
    charge,
  })
  return paid(transfer, account, false)
}

/** Pays in: cash is debited, the customer's account credited, and opened first where it does not exist. */
function deposit(books: Books, by: Submission, command: Deposit, now: Instant): Reply {
  const found = touch(books, by, command.account, now)
  const currency = found?.currency ?? command.open
  const amount = toMinor(command.amount, currency)
  if (typeof amount === 'string') return refuse(amount)
  const no = found && (refusesCredit(found) ?? refusesMore(found, amount))
  if (no !== undefined) return refuse(no)

  const account = found ?? open(books, by, { number: command.account, currency }, now)
  const transfer = post(books, by, { type: 'deposit', credit: account.number, amount, account, now })
  return paid(transfer, account, found === undefined)
}

/** Moves money between two accounts, or one and the house's cash. */
function move(books: Books, by: Submission, command: Move, now: Instant, rules: Rules): Reply {
  const { from, to, currency } = command
  const debit = from === null ? undefined : touch(books, by, from, now)
  const credit = to === null ? undefined : touch(books, by, to, now)
  if (from !== null && debit === undefined) return refuse('account_not_found')
  if (to !== null && credit === undefined) return refuse('account_not_found')
  const account = debit ?? credit
  assert(account !== undefined, 'a movement names an account')
  if (from === to) return refuse('same_account')
  if ([debit, credit].some((side) => side !== undefined && side.currency !== currency))
    return refuse('currency_mismatch')
  if (!isVersion(command.if_version, account)) return refuse('version_mismatch')
  const blocked = (debit && refusesDebit(debit)) ?? (credit && refusesCredit(credit))
  if (blocked !== undefined) return refuse(blocked)

  const amount = command.up_to && debit ? Math.min(command.amount, available(debit, now)) : command.amount
  if (amount < 1) return refuse('insufficient_funds')
  const no = (debit && refusesFunds(debit, amount, now)) ?? (credit && refusesMore(credit, amount))
  if (no !== undefined) return refuse(no)
  const over = debit && refusesLimit(debit, amount, now, rules)
  if (over !== undefined) return over

  const type = from === null ? 'deposit' : to === null ? 'withdrawal' : 'transfer'
  const sides = { ...(from !== null && { debit: from }), ...(to !== null && { credit: to }) }
  const charge = debit && chargeOf(debit, amount, now, rules)
  const transfer = post(books, by, { type, ...sides, amount, account, now, charge, more: wordsOf(command) })
  return { type: 'transferred', made: true, transfer }
}

/** Takes a transfer back. What nothing is left of was taken back before: the last reversal is the answer again. */
function reverse(books: Books, by: Submission, command: Reverse, now: Instant): Reply {
  const page = books.transfer(command.transfer)
  if (page === undefined) return refuse('transfer_not_found')
  const { transfer: original, reversed, last } = page
  if (original.operation !== undefined) return refuse('belongs_to_withdrawal')
  if (['reversal', 'opening', 'adjustment'].includes(original.type)) return refuse('not_reversible')
  const left = original.amount - reversed
  if (left === 0 && last !== undefined) return { type: 'transferred', made: false, transfer: last }
  const amount = command.amount ?? left
  if (amount > left) return refuse('reversal_too_large')

  // What was credited is debited now, and the other way round.
  const debit = customer(books, by, original.credit, now)
  const credit = customer(books, by, original.debit, now)
  const account = debit ?? credit
  assert(account !== undefined, 'a transfer that can be reversed names an account')
  if (!isVersion(command.if_version, account)) return refuse('version_mismatch')
  if (debit?.state === 'closed' || credit?.state === 'closed') return refuse('account_closed')
  const forced = debit !== undefined && (refusesDebit(debit) ?? refusesFunds(debit, amount, now))
  if (forced && !command.force) return refuse(forced)
  if (debit && debit.ledger - amount < -minorMax) return refuse('insufficient_funds')
  const no = credit && refusesMore(credit, amount)
  if (no !== undefined) return refuse(no)

  const back = { amount, count: amount === left ? 1 : 0 }
  const transfer = post(books, by, {
    type: 'reversal',
    back: giveBack(credit?.used, original.charged, back),
    ...(debit && { debit: debit.number }),
    ...(credit && { credit: credit.number }),
    amount,
    account,
    now,
    more: { reverses: original.id, ...(forced && { forced: true }), ...wordsOf(command) },
  })
  return { type: 'transferred', made: true, transfer }
}

/** Sets money aside. It stays on the account's ledger balance, and is no longer available. */
function placeHold(books: Books, by: Submission, command: PlaceHold, now: Instant, rules: Rules): Reply {
  const { amount, currency, expires_in_s } = command
  const account = touch(books, by, command.account, now)
  if (account === undefined) return refuse('account_not_found')
  if (account.currency !== currency) return refuse('currency_mismatch')
  if (!isVersion(command.if_version, account)) return refuse('version_mismatch')
  const no = refusesDebit(account) ?? refusesFunds(account, amount, now)
  if (no !== undefined) return refuse(no)
  if (account.held > minorMax - amount) return refuse('balance_too_large')
  if (account.holds.length >= holdsMax) return refuse('too_many_holds')
  const over = refusesLimit(account, amount, now, rules)
  if (over !== undefined) return over

  const id = books.nextId
  const used = chargeOf(account, amount, now, rules)
  books.append(
    {
      kind: 'hold_placed',
      account: account.number,
      amount,
      currency,
      expires_at: now + expires_in_s * 1000,
      after: afterOf(account, { held: amount, used }),
      key: by.key?.key ?? null,
      ...(used && { charged: used.day }),
      ...wordsOf(command),
    },
    markOf(by, Math.max(now, account.at)),
  )
  return { type: 'hold', made: true, hold: holdThere(books, id) }
}

/**
 * Pays out what was held, or less of it; the rest is free in the same commit, of the limits, too. What comes late is
 * counted as if it left now, and refused by no limit.
 */
function capture(books: Books, by: Submission, command: Capture, now: Instant, rules: Rules): Reply {
  const found = books.hold(command.hold)
  if (found === undefined) return refuse('hold_not_found')
  const account = touch(books, by, found.account, now)
  assert(account !== undefined, 'a hold is on an account that is there')
  const { state, ...hold } = holdThere(books, found.id)
  const late = state === 'expired' && command.advice === true
  if (state !== 'pending' && !late) return refuse('hold_resolved', state)
  if (!isVersion(command.if_version, account)) return refuse('version_mismatch')
  const amount = command.amount ?? hold.amount
  if (amount > hold.amount) return refuse('capture_too_large')
  if (account.state === 'closed') return refuse('account_closed')
  if (account.state === 'frozen' && !command.advice) return refuse('account_frozen')
  if (account.ledger - amount < -minorMax) return refuse('insufficient_funds')

  const forced = late ? ({ forced: true } as const) : {}
  const back = { amount: late ? 0 : hold.amount - amount, count: 0 }
  resolve(books, by, hold, { state: 'posted', ...forced }, { freed: late ? 0 : hold.amount, back, now })
  const charge = late ? chargeOf(account, amount, now, rules) : undefined
  const charged = !late && hold.charged !== undefined && { charged: hold.charged }
  const more = { hold: hold.id, ...forced, ...charged, ...wordsOf(command) }
  post(books, by, { type: 'capture', debit: account.number, amount, account, now, charge, more })
  return { type: 'hold', made: false, hold: holdThere(books, hold.id) }
}

function voidHold(books: Books, by: Submission, command: VoidHold, now: Instant): Reply {
  const found = books.hold(command.hold)
  if (found === undefined) return refuse('hold_not_found')
  const account = touch(books, by, found.account, now)
  assert(account !== undefined, 'a hold is on an account that is there')
  const hold = holdThere(books, found.id)
  if (hold.state !== 'pending') return refuse('hold_resolved', hold.state)
  if (!isVersion(command.if_version, account)) return refuse('version_mismatch')

  release(books, by, hold, 'voided', now)
  return { type: 'hold', made: false, hold: holdThere(books, hold.id) }
}

function openAccount(books: Books, by: Submission, command: OpenAccount, now: Instant): Reply {
  const number = command.number ?? by.fresh
  assert(number !== undefined && isAccountNumber(number), 'an account is opened under a number')
  if (books.account(number) !== undefined) return refuse('account_exists')

  const { currency, overdraft_limit, minimum_balance, limits, metadata } = command
  const more = {
    ...(overdraft_limit > 0 && { overdraft_limit }),
    ...(minimum_balance > 0 && { minimum_balance }),
    ...(limits && { limits }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  }
  return { type: 'account', made: true, account: open(books, by, { number, currency, ...more }, now) }
}

function setState(books: Books, by: Submission, command: SetState, now: Instant): Reply {
  const { state, reason } = command
  const account = touch(books, by, command.account, now)
  if (account === undefined) return refuse('account_not_found')
  if (!isVersion(command.if_version, account)) return refuse('version_mismatch')
  if (account.state === 'closed') return refuse('account_closed')
  if (state === 'closed' && (account.ledger !== 0 || account.holds.length > 0))
    return refuse('account_not_empty')
  if (state === 'closed' && hasOpenWithdrawals(books, account)) return refuse('withdrawals_open')

  books.append(
    { kind: 'account_changed', account: account.number, state, reason, after: afterOf(account, {}) },
    markOf(by, Math.max(now, account.at)),
  )
  return { type: 'account', made: false, account: accountThere(books, account.number) }
}

/** What is in transit may come back to the account. */
function hasOpenWithdrawals(books: Books, { number }: Account): boolean {
  const waiting = books.waiting(nameOf.everyWithdrawal)
  return waiting.some((entity) => entity.kind === 'withdrawal' && entity.account === number)
}

function setLimits(books: Books, by: Submission, command: SetLimits, now: Instant): Reply {
  const { limits } = command
  const account = touch(books, by, command.account, now)
  if (account === undefined) return refuse('account_not_found')
  if (!isVersion(command.if_version, account)) return refuse('version_mismatch')
  if (account.state === 'closed') return refuse('account_closed')

  books.append(
    { kind: 'limits_set', account: account.number, limits, after: afterOf(account, {}) },
    markOf(by, Math.max(now, account.at)),
  )
  return { type: 'account', made: false, account: accountThere(books, account.number) }
}

/** Corrects a balance, or writes down that somebody wants to: what is above the threshold waits for another person. */
function adjust(books: Books, by: Submission, command: Adjust, now: Instant, rules: Rules): Reply {
  const { type: _, ...requested } = command
  const account = touch(books, by, command.account, now)
  if (account === undefined) return refuse('account_not_found')
  if (account.currency !== command.currency) return refuse('currency_mismatch')
  const no = refusesAdjustment(account, command)
  if (no !== undefined) return refuse(no)

  const id = books.nextId
  const waits = command.amount > rules.adjustmentThreshold
  const second = waits && ({ second_person: true } as const)
  books.append({ kind: 'adjustment_requested', ...requested, ...second }, markOf(by, now))
  return { ...(waits ? told(books, id) : carryOut(books, by, id, now, rules)), made: true }
}

function decideAdjustment(
  books: Books,
  by: Submission,
  { adjustment: id, approve, person }: DecideAdjustment,
  now: Instant,
  rules: Rules,
): Reply {
  const adjustment = books.thing(id)
  if (adjustment?.kind !== 'adjustment') return refuse('adjustment_not_found')
  if (adjustment.state !== 'pending') return refuse('adjustment_resolved', adjustment.state)
  if (!approve) {
    books.append({ kind: 'adjustment_rejected', adjustment: id, person }, markOf(by, now))
    return told(books, id)
  }
  if (adjustment.actor === by.actor || adjustment.person === person) return refuse('second_person_needed')
  const account = touch(books, by, adjustment.account, now)
  const no = account && refusesAdjustment(account, adjustment)
  return no === undefined ? carryOut(books, by, id, now, rules) : refuse(no)
}

/** A correction is of what is already so: only what cannot be written is refused. */
function refusesAdjustment(
  account: Account,
  { amount, direction }: Pick<Adjustment, 'amount' | 'direction'>,
): Refusal | undefined {
  if (account.state === 'closed') return 'account_closed'
  if (direction === 'credit') return refusesMore(account, amount)
  return account.ledger - amount < -minorMax ? 'insufficient_funds' : undefined
}

function carryOut(books: Books, by: Submission, id: RecordId, now: Instant, rules: Rules): Registered {
  const adjustment = books.thing(id)
  assert(adjustment?.kind === 'adjustment', 'what is carried out is an adjustment')
  const { amount, direction } = adjustment
  const account = accountThere(books, adjustment.account)
  const forced = direction === 'debit' && available(account, now) < amount
  const transfer = post(books, by, {
    type: 'adjustment',
    [direction]: account.number,
    amount,
    account,
    now,
    charge: direction === 'debit' ? chargeOf(account, amount, now, rules) : undefined,
    more: { adjustment: id, ...(forced && { forced }) },
  })
  return { ...told(books, id), transfer }
}

/** The accounts of a new store, each with its opening balance out of equity. Books that exist are left alone. */
function openBooks(books: Books, by: Submission, command: OpenBooks, now: Instant): Reply {
  if (!books.areNew) return { type: 'books_opened', accounts: [] }

  const accounts = command.accounts.flatMap(({ number, currency, ledger }) => {
    const account = open(books, by, { number, currency }, now)
    const transfer = post(books, by, { type: 'opening', credit: number, amount: ledger, account, now })
    return accountsTold(paid(transfer, account, true))
  })
  return { type: 'books_opened', accounts }
}

/** Each operation on the books themselves, or all of them on a fork that is merged or dropped. */
function batch(books: Books, by: Submission, command: Batch, now: Instant, rules: Rules): Reply {
  const { atomic, dry_run, items } = command
  const keys = items.flatMap(({ key }) => key ?? [])
  const scope = by.key?.scope ?? by.actor
  if (new Set(keys).size < keys.length || keys.includes(by.key?.key ?? '')) return refuse('key_repeated')

  const fork = atomic || dry_run ? books.fork() : books
  const results: Outcome[] = []
  for (const { command, key } of items) {
    const item = { command, actor: by.actor, ...(key !== undefined && { key: { scope, key } }) }
    const outcome = apply(fork, item, now, rules)
    results.push(outcome)
    if (atomic && outcome.reply.type === 'refused')
      return { type: 'batch', failed: results.length - 1, atomic, dry_run, results: [outcome] }
  }
  if (atomic && !dry_run) fork.merge()
  return { type: 'batch', atomic, dry_run, results }
}

/** A transfer of one customer's with the house, as the original routes tell it. */
function paid(transfer: PostedTransfer, { number, currency }: Account, opened: boolean): Posted {
  const { id, amount, debit_after, credit_after, at } = transfer
  const after = debit_after ?? credit_after
  assert(after !== null, 'one side is a customer’s')
  const { ledger, held, version } = after
  return {
    type: 'posted',
    transfer: id,
    account: number,
    currency,
    amount,
    ledger,
    held,
    version,
    at,
    opened,
  }
}

function wordsOf({ reference, metadata }: Words): Words {
  return { ...(reference !== undefined && { reference }), ...(metadata !== undefined && { metadata }) }
}

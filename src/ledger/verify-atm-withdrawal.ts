/** Proves withdrawals: who was given how much, by which notes, and what became of it. */
import type {
  WithdrawalAuthorized,
  WithdrawalDeclined,
  WithdrawalForestalled,
  WithdrawalSettled,
} from './atm-records.ts'
import type { Limits, Used } from './limits.ts'
import { marksOf } from './marks.ts'
import { type Minor, minorMax } from './money.ts'
import type { Transfer } from './record.ts'
import { refusals } from './refusal.ts'
import { accountsOfTerminal, type NotesOut } from './terminal.ts'
import type { State } from './verify.ts'
import {
  changeOf,
  isCount,
  isCountedSince,
  isSameNotes,
  isUnderWay,
  type KnownCard,
  type KnownException,
  type KnownTerminal,
  type KnownUnit,
  type KnownWithdrawal,
  notesAfter,
  summed,
  type Units,
  worthOfOut,
} from './verify-atm-known.ts'
import { dueOfBack, dueOfCharge, isSameUsed } from './verify-limits.ts'
import type { Asked } from './withdrawal.ts'

type Authorizing = {
  readonly terminal: KnownTerminal
  readonly card: KnownCard | undefined
  readonly account: State | undefined
  readonly transfer: Transfer | undefined
  readonly at: number
}

/** That it was asked for in these words, as far as its marks go; and that it has a fingerprint. */
export function judgeAsked({ fingerprint, marks }: Asked, members: object): string | undefined {
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) return 'has no fingerprint'
  const asked = marks.split(',')
  const other = Object.entries(members).find(([name, value]) => !asked.includes(marksOf({ [name]: value })))
  return other && `was asked for with another ${other[0]} than ${JSON.stringify(other[1])}`
}

export function isId(text: string): boolean {
  return typeof text === 'string' && /^[A-Za-z0-9._-]{1,36}$/.test(text)
}

/** A machine that serves customers, and a card that may be used at it. */
export function judgeHolder(
  terminal: KnownTerminal,
  card: KnownCard | undefined,
  account: string | undefined,
): string | undefined {
  if (card === undefined) return 'is by a card that was never issued'
  if (card.status !== 'active') return `is by card ${card.id}, which is ${card.status}`
  if (card.tries_left === 0) return `is by card ${card.id}, which has no tries left`
  if (account !== undefined && !card.accounts.includes(account))
    return `is by card ${card.id}, which does not have account ${account}`
  return judgeService(terminal)
}

export function judgeService({ id, state, signed_on, must_sign_on }: KnownTerminal): string | undefined {
  if (state !== 'in_service') return `is at terminal ${id}, which is ${state}`
  return must_sign_on && !signed_on ? `is at terminal ${id}, which is not signed on` : undefined
}

export function judgeAuthorized(content: WithdrawalAuthorized, around: Authorizing): string | undefined {
  const { withdrawal: id, amount, currency, account, card: cardId, last4 } = content
  const { terminal, card, transfer } = around
  if (!isId(id)) return `authorizes ${JSON.stringify(id)}, which is no id`
  const holder = judgeHolder(terminal, card, account)
  if (holder !== undefined) return holder
  if (card?.last4 !== last4) return `is by card ${cardId}, which does not end in ${last4}`
  if (currency !== terminal.currency)
    return `authorizes ${currency} at terminal ${terminal.id}, which has none`
  const isIts = transfer?.type === 'withdrawal' && transfer.debit === account && transfer.amount === amount
  if (!isIts) return `authorizes ${amount} of account ${account}, which the transfer before it does not say`
  if (amount > terminal.max_withdrawal)
    return `authorizes ${amount}, which terminal ${terminal.id} never pays out`
  if (content.charged !== transfer.charged) return 'is counted on another day than its transfer'
  return (
    judgeAsked(content, {
      terminal: terminal.id,
      id,
      amount,
      currency,
      confirmation: content.confirmation,
    }) ??
    judgeNotes(content, terminal) ??
    judgeTimes(content, around) ??
    judgeBalance(content.balance, around.account) ??
    judgeCardUsed(content, card)
  )
}

function judgeNotes(
  { units: out, amount }: WithdrawalAuthorized,
  terminal: KnownTerminal,
): string | undefined {
  const worth = worthOfOut(terminal.units, out)
  if (worth !== amount) return `authorizes ${amount} in notes that are worth ${worth ?? 'nothing'}`
  const notes = Object.values(out).reduce((sum, count) => sum + count, 0)
  if (notes > terminal.max_notes) return `authorizes ${notes} notes, more than its terminal gives at once`
  const short = Object.entries(out).find(([id, count]) => count > freeIn(terminal.units.get(id)))
  return short && `authorizes ${short[1]} notes of ${short[0]}, which has not so many that are free`
}

function freeIn(unit: KnownUnit | undefined): number {
  return unit === undefined ? 0 : unit.count - unit.reserved
}

function judgeTimes(content: WithdrawalAuthorized, { terminal, at }: Authorizing): string | undefined {
  const { confirmation, expires_at, batch, business_date, authorization_code: code } = content
  if (!['explicit', 'implicit'].includes(confirmation)) return `is confirmed in no way: ${confirmation}`
  const due = confirmation === 'explicit' ? at + terminal.start_within_s * 1000 : null
  if (expires_at !== due) return `expires at ${expires_at}; it must be ${due}`
  if (!/^[0-9]{6}$/.test(code)) return `has the authorization code ${code}, which is none`
  return judgeBatch(terminal, batch) ?? judgeDay(terminal, business_date)
}

/** That it is in the batch that is open. */
export function judgeBatch({ id, batch: open }: KnownTerminal, batch: number): string | undefined {
  return batch === open.batch ? undefined : `is in batch ${batch} of ${id}, where ${open.batch} is open`
}

/** That it is on the day of the batch, which is that of its first operation. */
export function judgeDay({ batch }: KnownTerminal, day: string): string | undefined {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(day)) return `is on ${day}, which is no day`
  return day === (batch.business_date ?? day)
    ? undefined
    : `is on ${day} in a batch of ${batch.business_date}`
}

/** What was told of the account is what it was. */
export function judgeBalance(
  balance: { readonly ledger: Minor; readonly available: Minor },
  account: State | undefined,
): string | undefined {
  if (account === undefined) return 'tells of the balance of no account'
  const { ledger, held, slack } = account
  const available = Math.min(ledger - held + slack, minorMax)
  return balance.ledger === ledger && balance.available === available
    ? undefined
    : `tells of ${balance.ledger} and ${balance.available} available; it is ${ledger} and ${available}`
}

function judgeCardUsed(
  { card_used: told, amount }: WithdrawalAuthorized,
  card: KnownCard | undefined,
): string | undefined {
  const due = dueOfCharge(card ?? {}, { amount, ...(told && { charged: told.day }) })
  if ('what' in due) return `${due.what} of card ${card?.id}`
  return judgeUsed(told, due.used, card)
}

function judgeUsed(told: Used | undefined, due: Used | undefined, card: KnownCard | undefined) {
  return isSameUsed(told, due)
    ? undefined
    : `leaves ${JSON.stringify(told)} of the limits of card ${card?.id} used; it must be ${JSON.stringify(due)}`
}

export function judgeDeclined(
  content: WithdrawalDeclined,
  {
    terminal,
    card,
    account,
  }: {
    readonly terminal: KnownTerminal
    readonly card: KnownCard | undefined
    account(number: string): State | undefined
  },
): string | undefined {
  const { withdrawal: id, amount, currency, confirmation, batch } = content
  if (!isId(id)) return `declines ${JSON.stringify(id)}, which is no id`
  if (content.last4 !== card?.last4)
    return `is by card ${content.card}, which was never issued or ends otherwise`
  return (
    judgeAsked(content, { terminal: terminal.id, id, amount, currency, confirmation }) ??
    judgeBatch(terminal, batch) ??
    judgeWhy(content, { terminal, card, account: account(content.account ?? card?.usual ?? '') })
  )
}

type Why = Pick<WithdrawalDeclined, 'code' | 'about' | 'card'>

/** A reason that there is, and what is told of it: of the tries of a PIN that are left, and of the limit in the way. */
export function judgeWhy(
  { code, about, card: id }: Why,
  {
    terminal,
    card,
    account,
  }: { terminal: KnownTerminal; card: KnownCard | undefined; account: State | undefined },
): string | undefined {
  if (!Object.hasOwn(refusals, code)) return `declines for no reason there is: ${code}`
  if (id !== card?.id) return `is by card ${id}, which was never issued`
  const left = about?.['tries_left']
  if ((left !== undefined || code === 'pin_incorrect') && left !== card?.tries_left)
    return `tells of ${left} tries left; there are ${card?.tries_left}`
  return judgeLimit({ code, ...(about && { about }) }, { terminal, card, account })
}

/** Whose money it would have been: a card's, and an account of that. */
export function judgeForestalledFor(
  { account: number, card: id, last4, advice }: WithdrawalForestalled,
  card: KnownCard | undefined,
  { terminal, account }: { readonly terminal: KnownTerminal; readonly account: State | undefined },
): string | undefined {
  if (number === undefined && id === undefined && last4 === undefined) return undefined
  const isIts = card !== undefined && card.last4 === last4 && card.accounts.includes(number ?? '')
  return isIts && account?.currency === terminal.currency && advice !== 'reverse'
    ? undefined
    : `is of account ${number} by card ${id}, which cannot be`
}

/** What was told of the limit in the way is what it is, and what is used of it. */
function judgeLimit(
  { code, about = {} }: Pick<Why, 'code' | 'about'>,
  {
    terminal,
    card,
    account,
  }: { terminal: KnownTerminal; card: KnownCard | undefined; account: State | undefined },
): string | undefined {
  if (code !== 'limit_amount' && code !== 'limit_count') return undefined
  const { scope, limit, used, remaining } = about
  const one = [card, account].map((holder) => holder?.limits?.transaction_amount)
  const day = (holder: { readonly limits?: Limits; readonly used?: Used } | undefined) =>
    code === 'limit_amount'
      ? ([holder?.limits?.daily_amount, holder?.used?.amount] as const)
      : ([holder?.limits?.daily_count, holder?.used?.count] as const)
  const [due, uses]: readonly [readonly unknown[], unknown] =
    scope === 'terminal'
      ? [[terminal.max_withdrawal], 0]
      : scope === 'withdrawal'
        ? [one, 0]
        : [[day(scope === 'card_day' ? card : account)[0]], day(scope === 'card_day' ? card : account)[1]]
  const isLeft = remaining === Math.max(0, Number(limit) - Number(used))
  return limit !== undefined && due.includes(limit) && (used === 0 || used === uses) && isLeft
    ? undefined
    : `tells of a limit of ${limit}, of which ${used} is used and ${remaining} is left`
}

/** What became of it, by whose word: from which states it may, and to which. */
const ends = ['completed', 'partially_completed', 'reversed'] as const
const said = [...ends, 'suspect'] as const
const ways: Readonly<
  Record<WithdrawalSettled['by'], Readonly<Record<string, readonly WithdrawalSettled['state'][]>>>
> = {
  confirm: { authorized: said, dispensing: said, suspect: said, assumed: ends },
  reverse: {
    authorized: ['reversed'],
    dispensing: ['reversed'],
    suspect: ['reversed'],
    assumed: ['reversed'],
  },
  expiry: { authorized: ['reversed'], dispensing: ['suspect'] },
  close: { authorized: ['completed'] },
  exchange: { authorized: ['reversed'], dispensing: ['suspect'], suspect: ends },
  resolution: {
    forestalled: ends,
    suspect: ends,
    completed: ends,
    partially_completed: ends,
    reversed: ends,
    assumed: ends,
  },
}

type Settling = {
  readonly terminal: KnownTerminal
  readonly before: KnownWithdrawal
  readonly card: KnownCard | undefined
  /** The newest about it. */
  readonly exception: KnownException | undefined
  readonly moved: readonly Transfer[]
  readonly at: number
}

export function judgeSettled(content: WithdrawalSettled, around: Settling): string | undefined {
  return (
    judgeWay(content, around) ??
    judgeTime(content, around) ??
    judgeAmounts(content, around) ??
    judgeMoved(content, around) ??
    judgeOut(content, around) ??
    judgeGivenBack(content, around)
  )
}

function nameOf({ terminal, withdrawal }: { terminal: string; withdrawal: string }): string {
  return `${terminal}/${withdrawal}`
}

function judgeWay(content: WithdrawalSettled, { before, terminal }: Settling): string | undefined {
  const { by, state, advice, mix_assumed, retracted } = content
  const from = before.assumed ? 'assumed' : before.state
  if (!Object.hasOwn(ways, by) || !ways[by][from]?.includes(state))
    return `makes ${nameOf(content)}, which is ${before.state}, ${state} by ${by}`
  const isSilent = before.confirmation === 'implicit'
  if (by === 'close' ? !isSilent : by === 'exchange' && isSilent && from === 'authorized')
    return `settles ${nameOf(content)} by ${by}, which is ${before.confirmation}`
  if ((mix_assumed === true) !== (by === 'close')) return `takes what left for granted, or not, by ${by}`
  if ((typeof advice === 'string') !== (by === 'confirm' || by === 'reverse'))
    return `settles by ${by} with the advice ${advice}`
  if (retracted && (by !== 'confirm' || state !== 'suspect')) return `says of ${state} that notes came back`
  const isEnded = by === 'exchange' && from === 'suspect'
  if (isEnded !== (by === 'exchange' && terminal.exchange?.counts !== undefined))
    return `settles ${nameOf(content)} by an exchange that is ${isEnded ? 'not counted' : 'open'}`
  const isLate = (by === 'confirm' || by === 'reverse') && from === 'assumed'
  return isLate && isCountedSince(terminal, before)
    ? `settles ${nameOf(content)}, whose notes were counted since`
    : undefined
}

function judgeTime(content: WithdrawalSettled, { before, at }: Settling): string | undefined {
  const { expires_at, state } = before
  if (content.by === 'expiry')
    return expires_at === null || at < expires_at
      ? `lets ${nameOf(content)} expire before its time`
      : undefined
  const isLate = expires_at !== null && at >= expires_at && state !== 'suspect'
  return isLate ? `settles ${nameOf(content)} by ${content.by}, whose time was up` : undefined
}

function judgeAmounts(content: WithdrawalSettled, { before, exception }: Settling): string | undefined {
  const { state, by, dispensed, debited } = content
  const { amount } = before
  if (state === 'suspect')
    return dispensed === null && debited === amount
      ? undefined
      : `says of a suspect of ${amount} that ${dispensed} left and ${debited} was debited`
  if (dispensed === null || !isCount(dispensed)) return `says that ${dispensed} left`
  const mayBeMore = (by === 'resolution' || by === 'exchange') && exception?.type === 'over_dispensed'
  if (dispensed > amount && !mayBeMore) return `says that ${dispensed} left of ${amount}`
  const end = dispensed === 0 ? 'reversed' : dispensed < amount ? 'partially_completed' : 'completed'
  if (state !== end) return `makes ${nameOf(content)} ${state}, of which ${dispensed} of ${amount} left`
  return debited === dispensed ? undefined : `says that ${dispensed} left, and ${debited} was debited`
}

/** That the transfers before it make it true, and nothing else. */
function judgeMoved(content: WithdrawalSettled, { before, moved }: Settling): string | undefined {
  const { account = '', amount } = before
  const { cash, transit, over_short } = accountsOfTerminal(content.terminal)
  const own = [account, cash, transit, over_short]
  const other = moved.flatMap(({ debit, credit }) => [debit, credit]).find((name) => !own.includes(name))
  if (other !== undefined) return `moves money of ${nameOf(content)} on account ${other}`
  const wrong = moved.find(
    ({ type, debit }) =>
      !['dispense', 'return', 'correction'].includes(type) || (debit === account && type !== 'correction'),
  )
  if (wrong !== undefined) return `moves money of ${nameOf(content)} by a ${wrong.type}`
  const both = own.find(
    (name) => moved.some(({ debit }) => debit === name) && moved.some(({ credit }) => credit === name),
  )
  if (both !== undefined) return `moves money of ${nameOf(content)} to account ${both} and from it`
  const pairs = new Set(moved.map(({ debit, credit }) => `${debit} ${credit}`))
  if (pairs.size < moved.length) return `moves money of ${nameOf(content)} twice the same way`
  const isFree = isUnderWay(before) && content.state !== 'suspect'
  const freed = isFree ? amount : 0
  if (changeOf(moved, transit) !== -freed)
    return `leaves ${amount + changeOf(moved, transit)} of ${nameOf(content)} in transit`
  const debited = before.debited - changeOf(moved, account)
  if (debited !== content.debited)
    return `says that account ${account} was debited ${content.debited}; it was ${debited}`
  const mayBeShort = content.by === 'resolution' || content.by === 'exchange'
  return moved.some(({ debit, credit }) => debit === over_short || credit === over_short) && !mayBeShort
    ? `finds notes over or short by ${content.by}`
    : undefined
}

function judgeOut(content: WithdrawalSettled, around: Settling): string | undefined {
  const { out = {}, back = {}, rejected = {} } = content
  const { terminal, moved } = around
  const { units } = terminal
  const worths = [out, back, rejected].map((notes) => worthOfOut(units, notes))
  const [left, came] = worths
  if (left === undefined || came === undefined || worths[2] === undefined)
    return 'names notes of units that do not pay out, or no number of them'
  const changed = changeOf(moved, accountsOfTerminal(content.terminal).cash)
  if (changed !== left - came) return `says that notes of ${left - came} left, and posts ${changed}`
  return judgeWhich(content, around, { left, came }) ?? judgeCounts(content, around)
}

/** Which notes it may be, by whose word. */
function judgeWhich(
  content: WithdrawalSettled,
  { before, terminal }: Settling,
  { left, came }: { left: Minor; came: Minor },
): string | undefined {
  const { by, out = {}, back = {}, rejected = {}, state } = content
  const dispensed = content.dispensed ?? 0
  const isBackWhole = isSameNotes(back, before.assumed ? before.units : {})
  const wrong = `settles ${nameOf(content)} by ${by} with other notes than that can be`
  if (Object.keys(rejected).length > 0 && (by !== 'confirm' || state === 'suspect')) return wrong
  switch (by) {
    case 'confirm':
      return left === dispensed && isBackWhole ? undefined : wrong
    case 'reverse':
      return left === 0 && isBackWhole ? undefined : wrong
    case 'expiry':
      return left === 0 && came === 0 ? undefined : wrong
    case 'close':
      return isSameNotes(out, before.units) && came === 0 ? undefined : wrong
    case 'exchange':
    case 'resolution': {
      const moves = isUnderWay(before) ? dispensed : dispensed - before.debited
      const isCounted = !isUnderWay(before) && isCountedSince(terminal, before)
      const most = isCounted ? 0 : Math.abs(moves)
      const isFrom = Object.entries(back).every(([id, count]) => count <= (before.units[id] ?? 0))
      const fits = moves > 0 ? left <= most && came === 0 : left === 0 && came <= most && isFrom
      return fits ? undefined : wrong
    }
  }
}

/** No more notes leave than there are, and none that others have reserved. */
function judgeCounts(content: WithdrawalSettled, { before, terminal }: Settling): string | undefined {
  const { out = {}, rejected = {}, state } = content
  const own = isUnderWay(before) && state !== 'suspect' ? before.units : {}
  for (const [id, { count, reserved }] of terminal.units) {
    const gone = (out[id] ?? 0) + (rejected[id] ?? 0)
    const most = count - reserved + (own[id] ?? 0)
    if (gone > 0 && gone > most) return `takes ${gone} notes out of ${id}, where there are ${most} for it`
  }
  const hasReject = [...terminal.units.values()].some(({ type }) => type === 'reject')
  const bad = Object.values(rejected).reduce((sum, count) => sum + count, 0)
  return bad > 0 && !hasReject ? 'rejects notes where there is no unit for them' : undefined
}

function judgeGivenBack(content: WithdrawalSettled, { before, card }: Settling): string | undefined {
  const given = before.debited - content.debited
  const { card_charged: charged, debited } = before
  if (given < 0) {
    const { card_used: told } = content
    const due = dueOfCharge(card ?? {}, {
      amount: -given,
      forced: true,
      ...(told && { charged: told.day }),
    })
    return 'what' in due ? `${due.what} of card ${card?.id}` : judgeUsed(told, due.used, card)
  }
  const due = dueOfBack(
    card ?? {},
    { amount: given, ...(charged !== undefined && { charged }) },
    given > 0 && given === debited ? 1 : 0,
  )
  return judgeUsed(content.card_used, due.used, card)
}

/** The notes that left, all in all; where none did, those that were to. */
export function notesLeft({ out = {}, back = {} }: WithdrawalSettled, before: KnownWithdrawal): NotesOut {
  const gone = isUnderWay(before) || before.dispensed === 0 ? {} : before.units
  const left = notesAfter(notesAfter(gone, out, 1), back, -1)
  return Object.keys(left).length > 0 ? left : before.units
}

/** The units after what was settled: reserved notes are free or gone, rejected ones are in another unit. */
export function unitsSettled(
  { out = {}, back = {}, rejected = {}, state }: WithdrawalSettled,
  { before, terminal }: Pick<Settling, 'before' | 'terminal'>,
): Units {
  const freed: NotesOut = isUnderWay(before) && state !== 'suspect' ? before.units : {}
  let bad = {}
  for (const [id, count] of Object.entries(rejected))
    bad = notesAfter(bad, { [terminal.units.get(id)?.value ?? 0]: count }, 1)
  const reject = [...terminal.units].find(([, { type }]) => type === 'reject')?.[0]
  return new Map(
    [...terminal.units].map(([id, unit]) => [
      id,
      {
        ...unit,
        reserved: unit.reserved - (freed[id] ?? 0),
        count: unit.count - (out[id] ?? 0) - (rejected[id] ?? 0) + (back[id] ?? 0),
        notes: id === reject ? notesAfter(unit.notes, bad, 1) : unit.notes,
      },
    ]),
  )
}

/** The batch that is open after what was settled: what was given back, or taken after all, counts in it. */
export function batchSettled(
  { debited }: WithdrawalSettled,
  { before, terminal }: Pick<Settling, 'before' | 'terminal'>,
) {
  const given = before.debited - debited
  return given > 0
    ? summed(terminal.batch, 'withdrawal_reversals', given)
    : summed(terminal.batch, 'withdrawals', -given)
}

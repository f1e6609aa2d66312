/** Proves what machines do at once: deposits of notes, transfers, changes of PIN, and those that are declined or taken back. */
import type { OperationDeclined, OperationDone, OperationReversed } from './atm-records.ts'
import { marksOf } from './marks.ts'
import type { Transfer } from './record.ts'
import { accountsOfTerminal } from './terminal.ts'
import type { State } from './verify.ts'
import {
  isCountedSince,
  type KnownCard,
  type KnownOperation,
  type KnownTerminal,
  worthOfNotes,
} from './verify-atm-known.ts'
import {
  isId,
  judgeAsked,
  judgeBalance,
  judgeBatch,
  judgeDay,
  judgeHolder,
  judgeService,
  judgeWhy,
} from './verify-atm-withdrawal.ts'

const operations: ReadonlySet<string> = new Set(['deposit', 'transfer', 'pin_change'])

type Doing = {
  readonly terminal: KnownTerminal
  readonly card: KnownCard | undefined
  readonly account: State | undefined
  readonly moved: readonly Transfer[]
  /** Whether the PIN of a card was set by the record just before. */
  isPinSet(card: string): boolean
}

export function judgeDone(content: OperationDone, around: Doing): string | undefined {
  const { operation: id, batch, business_date } = content
  if (!isId(id)) return `does ${JSON.stringify(id)}, which is no id`
  return (
    judgeService(around.terminal) ??
    judgeBatch(around.terminal, batch) ??
    judgeDay(around.terminal, business_date) ??
    judgeDoing(content, around) ??
    (content.balance && judgeBalance(content.balance, around.account))
  )
}

function judgeDoing(content: OperationDone, { terminal, card, moved, isPinSet }: Doing): string | undefined {
  const { type, account, amount, unit = '', notes = {}, card: cardId = '' } = content
  const named = { terminal: terminal.id, id: content.operation }
  const [transfer] = moved
  switch (type) {
    case 'deposit': {
      const worth = worthOfNotes(notes)
      const isIts = transfer?.type === 'deposit' && transfer.credit === account && transfer.amount === amount
      if (!isIts) return `pays in ${amount}, which the transfer before it does not say`
      if (worth !== amount) return `pays in ${amount} by notes that are worth ${worth ?? 'nothing'}`
      if (terminal.units.get(unit)?.type !== 'cash_in')
        return `pays in to unit ${unit}, which does not take notes`
      return judgeAsked(content, { ...named, notes, currency: terminal.currency })
    }
    case 'transfer': {
      const isIts = transfer?.type === 'transfer' && transfer.debit === account && transfer.amount === amount
      if (!isIts) return `transfers ${amount}, which the transfer before it does not say`
      if (content.balance === undefined) return 'transfers, and tells of no balance'
      return (
        judgeHolder(terminal, card, account) ??
        judgeCredited(content, transfer, card) ??
        judgeAsked(content, { ...named, amount })
      )
    }
    case 'pin_change': {
      if (transfer !== undefined || amount !== undefined) return 'changes a PIN, and moves money'
      if (!isPinSet(cardId)) return `changes the PIN of ${cardId}, which the record before it does not say`
      return judgeHolder(terminal, card, undefined) ?? judgeAsked(content, named)
    }
    default:
      return `is an operation of no kind: ${type}`
  }
}

/**
 * That the money of a transfer went where it was asked to, or to an account of the card; and that the record has what a
 * reversal needs. Records of the first days do not have it.
 */
function judgeCredited(
  { to, charged, marks, stan }: OperationDone,
  { credit, charged: day }: Transfer,
  card: KnownCard | undefined,
): string | undefined {
  const isNamed = marks.split(',').some((mark) => mark.startsWith('to:'))
  const isAsked = marks.split(',').includes(marksOf({ to: credit }))
  if (isNamed ? !isAsked : !card?.accounts.includes(credit))
    return `transfers to account ${credit}, which was not asked for`
  if (to === undefined && charged === undefined && stan === undefined) return undefined
  if (to !== credit) return `says that it went to account ${to}; the transfer before it says ${credit}`
  return charged === day ? undefined : 'is counted on another day than its transfer'
}

type Declining = {
  readonly terminal: KnownTerminal
  readonly card: KnownCard | undefined
  account(number: string): State | undefined
}

/** Nothing was done: what is told of why is so, as far as there is anything to hold it against. */
export function judgeOperationDeclined(
  content: OperationDeclined,
  { terminal, card, account: find }: Declining,
): string | undefined {
  const { operation: id, type, account, amount, notes, batch, stan } = content
  if (!isId(id)) return `declines ${JSON.stringify(id)}, which is no id`
  if (!operations.has(type)) return `is an operation of no kind: ${type}`
  if (stan === undefined) return `declines ${id}, which no message asked for`
  if (notes !== undefined && worthOfNotes(notes) !== amount)
    return `declines ${amount} by notes that are worth ${worthOfNotes(notes) ?? 'nothing'}`
  const isIts = account === undefined || card?.accounts.includes(account)
  const asked = notes === undefined ? { amount } : { notes }
  return (
    judgeWhy(content, { terminal, card, account: find(account ?? '') }) ??
    (isIts ? undefined : `is by card ${card?.id}, which does not have account ${account}`) ??
    judgeBatch(terminal, batch) ??
    judgeAsked(content, { terminal: terminal.id, id, ...(type !== 'pin_change' && asked) })
  )
}

export function judgeReversed(
  content: OperationReversed,
  {
    terminal,
    found,
    moved,
  }: { terminal: KnownTerminal; found: KnownOperation | undefined; moved: readonly Transfer[] },
): string | undefined {
  const { operation: id, counted = false, transfer: named, reason } = content
  const of = `${terminal.id}/${id}`
  if (!isId(id)) return `reverses ${JSON.stringify(id)}, which is no id`
  if (typeof reason !== 'string') return `reverses ${of} for no reason`
  if (named === undefined)
    return found === undefined && !counted ? undefined : `says that ${of} was never made, which it was`
  if (found?.state !== 'completed' || found.type === 'pin_change')
    return `reverses ${of}, which is nothing that can be`
  const isDeposit = found.type === 'deposit'
  if (counted !== (isDeposit && isCountedSince(terminal, found)))
    return `says of the notes of ${of} that they were counted, or not`
  const { cash, over_short } = accountsOfTerminal(terminal.id)
  const [transfer] = moved
  const [debit, credit] = isDeposit ? [found.account, counted ? over_short : cash] : [found.to, found.account]
  const isIts =
    transfer?.type === 'return' &&
    transfer.debit === debit &&
    transfer.credit === credit &&
    transfer.amount === found.amount
  return isIts ? undefined : `reverses ${of} otherwise than it was done`
}

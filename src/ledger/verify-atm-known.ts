/** What the proof of the ATM side knows of each thing: made from the records alone, and from nothing that `apply` uses. */
import type { AccountNumber } from './account.ts'
import type { Block } from './block.ts'
import type { CardId, CardStatus } from './card.ts'
import type { RecordId } from './command.ts'
import type { ExceptionType, Word } from './exception.ts'
import type { Day, Limits, Used } from './limits.ts'
import type { Currency, Instant, Minor } from './money.ts'
import type { Transfer } from './record.ts'
import type {
  Contents,
  Exchange,
  Notes,
  NotesOut,
  OpenBatch,
  Terminal,
  TerminalId,
  UnitType,
  WrappedKey,
} from './terminal.ts'
import type { State } from './verify.ts'
import type { Confirmation, Operation, WithdrawalState } from './withdrawal.ts'

export type KnownUnit = {
  readonly type: UnitType
  readonly value: Minor
  /** Of one that pays out: how many notes are in it, reserved ones included. */
  readonly count: number
  readonly reserved: number
  /** Of the others: what is in it by value. */
  readonly notes: Notes
}

export type Units = ReadonlyMap<string, KnownUnit>

export type KnownTerminal = {
  readonly id: TerminalId
  readonly currency: Currency
  readonly state: Terminal['state']
  readonly signed_on: boolean
  readonly must_sign_on: boolean
  readonly units: Units
  readonly max_notes: number
  readonly max_withdrawal: Minor
  readonly start_within_s: number
  readonly confirm_within_s: number
  readonly batch: OpenBatch
  readonly exchange?: Exchange
  /** How often all of its notes were counted and exchanged. */
  readonly counted: number
  readonly pin_keys: readonly WrappedKey[]
  readonly mac_keys: readonly WrappedKey[]
  readonly bad_blocks: readonly CardId[]
  /** Withdrawals under way or in doubt, by id; of all its states the same map. */
  readonly open: Map<string, KnownWithdrawal>
}

export type KnownWithdrawal = {
  readonly terminal: TerminalId
  readonly id: string
  readonly state: WithdrawalState | 'forestalled'
  readonly confirmation: Confirmation
  readonly amount: Minor
  readonly account?: AccountNumber
  readonly card?: CardId
  readonly last4?: string
  readonly units: NotesOut
  readonly dispensed: Minor | null
  readonly debited: Minor
  readonly assumed: boolean
  readonly expires_at: Instant | null
  readonly charged?: Day
  readonly card_charged?: Day
  /** The newest one about it. */
  readonly exception: string | null
  readonly advice?: string
  readonly at: Instant
  /** How often the machine had been counted when it was settled. */
  readonly counted: number
}

export type KnownOperation = {
  readonly type: Operation['type']
  readonly state: Operation['state']
  readonly account?: AccountNumber
  readonly to?: AccountNumber
  readonly charged?: Day
  readonly amount?: Minor
  readonly unit?: string
  readonly notes: Notes
  /** As of a withdrawal. */
  readonly counted: number
}

export type KnownCard = {
  readonly id: CardId
  readonly status: CardStatus
  readonly last4: string
  readonly accounts: readonly AccountNumber[]
  /** The one that it is used for where none is named. */
  readonly usual: AccountNumber
  readonly tries_left: number
  readonly limits?: Limits
  readonly used?: Used
}

export type KnownException = {
  readonly id: string
  readonly type: ExceptionType
  readonly state: 'open' | 'resolved'
  readonly terminal: TerminalId
  readonly withdrawal?: string
  readonly amount: Minor
  /** What somebody said who could not say it alone, and how much that would move. */
  readonly waits?: { readonly word: Word; readonly moves: Minor }
}

/** What a record stands among. */
export type Around = {
  readonly id: RecordId
  readonly at: Instant
  readonly actor: string
  /** The block before the one it is in, of its writer. */
  readonly head: Block
  account(number: string): State | undefined
}

/** Whether a machine's notes were counted since: what left before was in the count. */
export function isCountedSince(terminal: KnownTerminal, { counted }: { readonly counted: number }): boolean {
  return counted < terminal.counted
}

export function isUnderWay({ state }: KnownWithdrawal): boolean {
  return state === 'authorized' || state === 'dispensing' || state === 'suspect'
}

/** Notes by unit in minor units; undefined where a unit is none that pays out, or a number none of notes. */
export function worthOfOut(units: Units, out: NotesOut): Minor | undefined {
  let worth = 0
  for (const [id, count] of Object.entries(out)) {
    const unit = units.get(id)
    if (unit?.type !== 'cash_out' || !isCount(count)) return undefined
    worth += unit.value * count
  }
  return worth
}

/** Notes by value in minor units; undefined where a value is none, or a number none of notes. */
export function worthOfNotes(notes: Notes): Minor | undefined {
  let worth = 0
  for (const [value, count] of Object.entries(notes)) {
    if (!/^[1-9][0-9]*$/.test(value) || !isCount(count)) return undefined
    worth += Number(value) * count
  }
  return worth
}

export function worthOfUnit({ type, value, count, notes }: KnownUnit): Minor {
  return type === 'cash_out' ? value * count : (worthOfNotes(notes) ?? Number.NaN)
}

/** What somebody counted in a unit; undefined where it is not what such a unit holds. */
export function worthOfContents({ type, value }: KnownUnit, contents: Contents): Minor | undefined {
  if (typeof contents !== 'number') return type === 'cash_out' ? undefined : worthOfNotes(contents)
  return type === 'cash_out' && isCount(contents) ? value * contents : undefined
}

export function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0
}

/** The notes of two sums put together, or of the first without those of the second; values of none are left out. */
export function notesAfter(notes: Notes, change: Notes, sign: 1 | -1): Notes {
  const after: Record<string, number> = { ...notes }
  for (const [value, count] of Object.entries(change)) after[value] = (after[value] ?? 0) + sign * count
  return Object.fromEntries(Object.entries(after).filter(([, count]) => count !== 0))
}

/** The same names with the same numbers, whatever their order; none is as good as zero. */
export function isSameNotes(a: Notes, b: Notes): boolean {
  return Object.keys(notesAfter(a, b, -1)).length === 0
}

export type Total = 'withdrawals' | 'withdrawal_reversals' | 'deposits' | 'deposit_reversals'

/** A batch with one more of something in it; with nothing where nothing moved. */
export function summed(batch: OpenBatch, total: Total, amount: Minor): OpenBatch {
  if (amount === 0) return batch
  const sum = batch[total]
  return { ...batch, [total]: { count: sum.count + 1, amount: sum.amount + amount } }
}

/** What transfers change on an account together. */
export function changeOf(transfers: readonly Transfer[], account: string): Minor {
  let change = 0
  for (const { debit, credit, amount } of transfers)
    change += (credit === account ? amount : 0) - (debit === account ? amount : 0)
  return change
}

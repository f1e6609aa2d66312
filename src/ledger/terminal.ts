/** Terminals: cash machines with their units, which hold notes, and three ledger accounts each. */
import type { AccountNumber } from './account.ts'
import type { CardId } from './card.ts'
import type { MixRule } from './dispense-plan.ts'
import type { Day } from './limits.ts'
import { type Currency, type Instant, type Minor, minorMax } from './money.ts'

/** 1 to 16 of `A–Z 0–9`. */
export type TerminalId = string

/** What a unit is for: notes that are paid out, paid in, not fit to be paid out, or taken back from the slot. */
export type UnitType = 'cash_out' | 'cash_in' | 'reject' | 'retract'

/** Notes by their value in minor units: `{"5000": 2}`. */
export type Notes = Readonly<Record<string, number>>

/** Notes of a unit that pays out, or by value of one of the others. */
export type Contents = number | Notes

/** Notes by unit, of those that pay out. */
export type NotesOut = Readonly<Record<string, number>>

/**
 * A unit of a machine. How many notes are in it is never kept: it is `initial + in − out` of a unit that pays out, of
 * the others what `notes` has by value. Notes that are reserved for withdrawals under way are still in it.
 */
export type Unit = {
  readonly id: string
  readonly type: UnitType
  /** Of one note; 0 where the unit takes notes of any value. Minor units. */
  readonly value: Minor
  /** At so many notes or fewer it is said to be low. */
  readonly low: number
  readonly initial: number
  readonly in: number
  readonly out: number
  readonly reserved: number
  /** How many of those that went out went into the reject unit. */
  readonly rejected: number
  readonly notes: Notes
  /** Of a retract unit: how often notes were taken back into it, which nobody counted. */
  readonly retract_operations: number
}

/** A unit as it is described when its terminal is made. */
export type UnitPlan = {
  readonly id: string
  readonly type: UnitType
  readonly value?: Minor
  readonly low?: number
}

/** A PIN key or MAC key as it is kept: wrapped under a key of the server's, with its check value. */
export type WrappedKey = {
  readonly algorithm: 'tdes' | 'aes'
  readonly wrapped: string
  readonly kcv: string
}

export type Sum = { readonly count: number; readonly amount: Minor }

/** The terminal's period between two closes, and what was posted in it. */
export type OpenBatch = {
  readonly batch: number
  /** Of its first operation. */
  readonly business_date: Day | null
  readonly opened_at: Instant
  readonly withdrawals: Sum
  readonly withdrawal_reversals: Sum
  readonly deposits: Sum
  readonly deposit_reversals: Sum
}

/** Between its start and its end the machine is open, and its notes are counted and exchanged. */
export type Exchange = {
  readonly id: string
  /** What the terminal is again when it ends. */
  readonly afterwards: 'in_service' | 'out_of_service'
  readonly counts?: Readonly<Record<string, Contents>>
}

export type Terminal = {
  readonly kind: 'terminal'
  readonly id: TerminalId
  readonly name: string
  readonly currency: Currency
  readonly state: 'in_service' | 'out_of_service' | 'exchange'
  readonly signed_on: boolean
  readonly require_sign_on: boolean
  readonly units: readonly Unit[]
  readonly mix: MixRule
  readonly max_notes: number
  readonly max_withdrawal?: Minor
  readonly start_within_s: number
  readonly confirm_within_s: number
  readonly batch: OpenBatch
  /** What is in transit: of withdrawals that nobody can be sure of, and of those that silence confirms. */
  readonly uncertain: Minor
  readonly unconfirmed: Minor
  readonly exchange?: Exchange
  /** How often all of its notes were counted and exchanged: what left before was in the count. */
  readonly counted: number
  /** Newest first; the second one goes when a block has been read under the first. */
  readonly pin_keys: readonly WrappedKey[]
  /** Where there are any, its messages must carry a MAC. The second one goes when a MAC was right under the first. */
  readonly mac_keys?: readonly WrappedKey[]
  /** The cards whose tries were counted by blocks that did not decode, one after the other without one that did. */
  readonly bad_blocks: readonly CardId[]
  readonly at: Instant
  readonly last_seen?: Instant
  readonly last_cash_out?: Instant
}

/** What a machine has counted of its batch, as much of it as it says. */
export type BatchTotals = Partial<
  Record<'withdrawals' | 'withdrawal_reversals' | 'deposits' | 'deposit_reversals', Partial<Sum>>
> & { readonly net?: Minor }

/** A batch that was closed: it never changes. */
export type Batch = Omit<OpenBatch, 'business_date'> & {
  readonly kind: 'batch'
  readonly terminal: TerminalId
  readonly business_date: Day
  readonly closed_at: Instant
  readonly net: Minor
  /** Withdrawals that are carried over. */
  readonly open: readonly { readonly id: string; readonly state: string; readonly amount: Minor }[]
  readonly cash: Minor
  readonly transit: Minor
  readonly over_short: Minor
  /** The newest block when it was closed. */
  readonly head: { readonly writer: number; readonly block: number; readonly hash: string }
}

const totalNames = ['withdrawals', 'withdrawal_reversals', 'deposits', 'deposit_reversals'] as const

/** By how much what a machine counted is not what the books say; undefined where all that it says is so. Minor units. */
export function offBalance(told: BatchTotals, batch: Pick<Batch, (typeof totalNames)[number] | 'net'>) {
  let isOff = told.net !== undefined && told.net !== batch.net
  let off = Math.abs((told.net ?? batch.net) - batch.net)
  for (const name of totalNames) {
    const { count = batch[name].count, amount = batch[name].amount } = told[name] ?? {}
    isOff ||= count !== batch[name].count || amount !== batch[name].amount
    off = Math.max(off, Math.abs(amount - batch[name].amount))
  }
  return isOff ? Math.min(off, minorMax) : undefined
}

/** What went into the machine beyond what left it. Minor units. */
export function netOf(batch: OpenBatch): Minor {
  const { deposits, deposit_reversals, withdrawals, withdrawal_reversals } = batch
  return deposits.amount - deposit_reversals.amount - withdrawals.amount + withdrawal_reversals.amount
}

const terminalId = /^[A-Z0-9]{1,16}$/

export function isTerminalId(text: string): text is TerminalId {
  return terminalId.test(text)
}

/**
 * The ledger accounts of a terminal: rows as a customer's are, under names that no customer's can have. `cash` is the
 * worth of its notes below zero, `transit` what was taken from customers and may not have left, `over_short` what
 * counting found beyond the books, below zero where it was less.
 */
export function accountsOfTerminal(id: TerminalId) {
  return { cash: `${id}.cash`, transit: `${id}.transit`, over_short: `${id}.over_short` } as const
}

/** Whether an account is a terminal's. */
export function isTerminalAccount(account: AccountNumber): boolean {
  return account.includes('.')
}

/** How many notes are in a unit, reserved ones included. */
export function countOf(unit: Unit): number {
  if (unit.type === 'cash_out') return unit.initial + unit.in - unit.out
  return Object.values(unit.notes).reduce((sum, count) => sum + count, 0)
}

/** What the notes in a unit are worth. Minor units. */
export function worthOf(unit: Unit): Minor {
  return unit.type === 'cash_out' ? countOf(unit) * unit.value : valueOfNotes(unit.notes)
}

/** What all notes in a terminal are worth, those that are promised too. Minor units. */
export function cashIn({ units }: Pick<Terminal, 'units'>): Minor {
  return units.reduce((sum, unit) => sum + worthOf(unit), 0)
}

export function valueOfNotes(notes: Notes): Minor {
  return Object.entries(notes).reduce((sum, [value, count]) => sum + Number(value) * count, 0)
}

/** What notes of units are worth; undefined where a unit is none that pays out. */
export function valueOfOut(units: readonly Unit[], out: NotesOut): Minor | undefined {
  let sum = 0
  for (const [id, count] of Object.entries(out)) {
    const unit = units.find((each) => each.id === id)
    if (unit?.type !== 'cash_out') return undefined
    sum += unit.value * count
  }
  return sum
}

/** A batch of a terminal with nothing in it yet. */
export function newBatch(batch: number, opened_at: Instant): OpenBatch {
  const none = { count: 0, amount: 0 }
  return {
    batch,
    business_date: null,
    opened_at,
    withdrawals: none,
    withdrawal_reversals: none,
    deposits: none,
    deposit_reversals: none,
  }
}

/** Names of a transfer's operation: the terminal and what it was of, such as `ATM00001/w1`. */
export type OperationName = `${TerminalId}/${string}`

/** Exceptions: what happened at a terminal that could not be booked, or not for certain. A person resolves each. */
import type { AccountNumber } from './account.ts'
import type { RecordId } from './command.ts'
import type { Currency, Instant, Minor } from './money.ts'
import type { TerminalId } from './terminal.ts'

export const exceptionTypes = [
  'suspect',
  'confirm_after_reversal',
  'reverse_after_confirm',
  'late_reversal',
  'over_dispensed',
  'reversal_mismatch',
  'unknown_advice',
  'out_of_balance',
  'pin_key',
] as const

export type ExceptionType = (typeof exceptionTypes)[number]

/** What somebody says of it: how much cash really left, where it is of a withdrawal, and why they say so. */
export type Word = {
  readonly dispensed?: Minor
  readonly reason: string
  readonly by: string
  readonly person: string
}

export type Resolution = Word & { readonly at: Instant; readonly transfers: readonly RecordId[] }

export type Exception = {
  readonly kind: 'exception'
  readonly id: string
  readonly type: ExceptionType
  readonly state: 'open' | 'resolved'
  readonly terminal: TerminalId
  /** The id of the withdrawal it is of. */
  readonly withdrawal?: string
  readonly account?: AccountNumber
  readonly last4?: string
  readonly amount: Minor
  readonly currency: Currency
  readonly opened_at: Instant
  /** What most likely left, as far as the machine's own words go. */
  readonly proposal?: { readonly dispensed: Minor }
  /** Moves so much that a second person must say the same. */
  readonly waits?: Word
  readonly resolution?: Resolution
}

/** An id that sorts by the instant: it begins with that, in base 36, and ends with a record that nobody else has. */
export function exceptionIdOf(at: Instant, record: RecordId): string {
  return `exc_${at.toString(36).padStart(9, '0')}-${record}`
}

export function isExceptionId(text: string): boolean {
  return /^exc_[0-9a-z]{9}-[0-9]+-[0-9]+$/.test(text)
}

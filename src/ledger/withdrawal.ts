/**
 * What a terminal does for a customer: withdrawals, which may end in doubt, and operations that are done at once.
 *
 *               decline                start                 confirm: all left
 *   (request) ──────────▶ declined  authorized ──▶ dispensing ──────────────▶ completed
 *        └──────────────────────────▶  │   │           │  ├─ confirm: less ──▶ partially_completed
 *                  approve             │   │           │  ├─ confirm: none ──▶ reversed
 *        reversed ◀── reverse, expiry ─┘   │           │  └─ expiry, unknown ▶ suspect ──▶ any end, by proof
 *       completed ◀── implicit: close ─────┘           └──── reverse ────────▶ reversed
 */
import type { AccountNumber } from './account.ts'
import type { CardId } from './card.ts'
import type { RecordId } from './command.ts'
import type { Day } from './limits.ts'
import type { Currency, Instant, Minor } from './money.ts'
import type { Refusal } from './refusal.ts'
import type { Notes, NotesOut, TerminalId } from './terminal.ts'
import type { Said } from './trace.ts'

export type WithdrawalState =
  | 'declined'
  | 'authorized'
  | 'dispensing'
  | 'completed'
  | 'partially_completed'
  | 'reversed'
  | 'suspect'

/** How a terminal says that notes left: in so many words, or by saying nothing until its batch is closed. */
export type Confirmation = 'explicit' | 'implicit'

/** What stands in the way, beyond its name; never what a client did not know. */
export type About = Readonly<Record<string, unknown>>

/** The request as it is told apart from another one under the same id. */
export type Asked = { readonly fingerprint: string; readonly marks: string }

/** With how its message was numbered, where it came by one. */
export type Numbered = Asked & Partial<Said>

/** What a machine tells of something that it names by its reference alone: the first that fits is meant. */
export type Meant = {
  readonly of?: 'withdrawal' | Operation['type']
  /** What was asked for. */
  readonly amount?: Minor
  readonly card?: CardId
}

export type Withdrawal = Numbered & {
  readonly kind: 'withdrawal'
  readonly terminal: TerminalId
  /** The terminal's own: it is never used twice. */
  readonly id: string
  readonly state: WithdrawalState
  readonly confirmation: Confirmation
  /** What was asked for. Minor units. */
  readonly amount: Minor
  readonly currency: Currency
  readonly account?: AccountNumber
  readonly card?: CardId
  readonly last4?: string
  /** The notes that are to leave, or that left. */
  readonly units: NotesOut
  /** Those that were to, where others left. */
  readonly planned?: NotesOut
  /** Notes that went into the reject unit on the way. */
  readonly rejected?: NotesOut
  /** Nobody said which notes left: those that were planned are taken for it. */
  readonly mix_assumed: boolean
  /** What left. Null while nobody knows. */
  readonly dispensed: Minor | null
  /** What the customer's account was debited by, all in all. */
  readonly debited: Minor
  readonly authorization_code?: string
  readonly batch: number
  /** When it is authorized and has not been started, or was started and has not been confirmed, for too long. */
  readonly expires_at: Instant | null
  /** The same as they were told when it was authorized, and when it was started. */
  readonly start_by?: Instant
  readonly confirm_by?: Instant
  /** The account's, just after it was authorized. */
  readonly balance?: { readonly ledger: Minor; readonly available: Minor }
  readonly transfers: readonly RecordId[]
  /** The newest exception about it. */
  readonly exception: string | null
  /** Why it was declined. */
  readonly code?: Refusal
  readonly about?: About
  /** The business days whose limits of the account and of the card it uses. */
  readonly charged?: Day
  readonly card_charged?: Day
  /** Reversed before it was asked for. */
  readonly tombstone?: true
  /** By its reference alone. */
  readonly by_reference?: Meant
  /** The last advice about it: a repeat changes nothing. */
  readonly advice?: string
  readonly at: Instant
  /** How often the machine had been counted when it was settled. */
  readonly counted?: number
}

/** What a terminal did at once, under an id of its own: a deposit of counted notes, a transfer, a change of PIN. */
export type Operation = Numbered & {
  readonly kind: 'operation'
  readonly type: 'deposit' | 'transfer' | 'pin_change'
  readonly terminal: TerminalId
  readonly id: string
  readonly state: 'completed' | 'reversed' | 'declined'
  readonly account?: AccountNumber
  /** Of a transfer: where the money went, and the business day whose limits of `account` it uses. */
  readonly to?: AccountNumber
  readonly charged?: Day
  readonly card?: CardId
  readonly amount?: Minor
  /** Of a deposit: the unit that took the notes, and which. */
  readonly unit?: string
  readonly notes?: Notes
  readonly balance?: { readonly ledger: Minor; readonly available: Minor }
  /** Why it was declined, which is kept of what a message asked for. */
  readonly code?: Refusal
  readonly about?: About
  /** Reversed before it came. */
  readonly tombstone?: true
  readonly batch: number
  readonly transfers: readonly RecordId[]
  readonly at: Instant
  /** As of a withdrawal. */
  readonly counted?: number
}

/** Whether its money is in transit and its notes are reserved. */
export function isOpen({ state }: Pick<Withdrawal, 'state'>): boolean {
  return state === 'authorized' || state === 'dispensing' || state === 'suspect'
}

/** 1 to 36 of `A–Z a–z 0–9 . _ -`. */
export function isOperationId(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,36}$/.test(text)
}

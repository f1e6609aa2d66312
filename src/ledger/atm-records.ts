/** Records of the ATM side: terminals, cards, withdrawals, cash and exceptions. Transfers stand beside them, and before. */
import type { AccountNumber } from './account.ts'
import type { CardAccount, CardId, CardStatus, PinPolicy } from './card.ts'
import type { RecordId } from './command.ts'
import type { MixRule } from './dispense-plan.ts'
import type { ExceptionType, Word } from './exception.ts'
import type { Day, Limits, Used } from './limits.ts'
import type { Currency, Instant, Minor } from './money.ts'
import type { Refusal } from './refusal.ts'
import type {
  Batch,
  BatchTotals,
  Contents,
  Notes,
  NotesOut,
  TerminalId,
  UnitPlan,
  WrappedKey,
} from './terminal.ts'
import type { Said, Stamp } from './trace.ts'
import type { About, Confirmation, Meant, Numbered, Operation, WithdrawalState } from './withdrawal.ts'

/** Its three accounts were opened just before. */
export type TerminalCreated = {
  readonly kind: 'terminal_created'
  readonly terminal: TerminalId
  readonly name: string
  readonly currency: Currency
  readonly units: readonly UnitPlan[]
  readonly mix: MixRule
  readonly max_notes: number
  readonly max_withdrawal?: Minor
  readonly start_within_s: number
  readonly confirm_within_s: number
  readonly require_sign_on?: true
}

/** What has changed of a terminal, and nothing else. */
export type TerminalChanged = {
  readonly kind: 'terminal_changed'
  readonly terminal: TerminalId
  readonly state?: 'in_service' | 'out_of_service'
  readonly signed_on?: boolean
  readonly pin_keys?: readonly WrappedKey[]
  readonly mac_keys?: readonly WrappedKey[]
  readonly bad_blocks?: readonly CardId[]
  readonly reason?: string
}

export type CardIssued = {
  readonly kind: 'card_issued'
  readonly card: CardId
  readonly last4: string
  readonly expiry: string
  readonly accounts: readonly CardAccount[]
  readonly pin?: string
  readonly pin_policy: PinPolicy
  readonly limits?: Limits
}

/** What has changed of a card, and nothing else. */
export type CardChanged = {
  readonly kind: 'card_changed'
  readonly card: CardId
  readonly status?: CardStatus
  readonly pin?: string
  readonly tries_left?: number
  readonly reason?: string
}

/** The customer's money is in transit, by the transfer just before, and the notes are reserved. */
export type WithdrawalAuthorized = Numbered & {
  readonly kind: 'withdrawal_authorized'
  readonly terminal: TerminalId
  readonly withdrawal: string
  readonly confirmation: Confirmation
  readonly amount: Minor
  readonly currency: Currency
  readonly account: AccountNumber
  readonly card: CardId
  readonly last4: string
  readonly units: NotesOut
  readonly authorization_code: string
  readonly batch: number
  readonly business_date: Day
  readonly expires_at: Instant | null
  readonly balance: { readonly ledger: Minor; readonly available: Minor }
  readonly transfer: RecordId
  readonly charged?: Day
  /** What is used of the card's limits from now on. */
  readonly card_used?: Used
}

export type WithdrawalDeclined = Numbered & {
  readonly kind: 'withdrawal_declined'
  readonly terminal: TerminalId
  readonly withdrawal: string
  readonly confirmation: Confirmation
  readonly amount: Minor
  readonly currency: Currency
  readonly account?: AccountNumber
  readonly card?: CardId
  readonly last4?: string
  readonly batch: number
  readonly code: Refusal
  readonly about?: About
  /** What was reversed before it came, by its reference alone, and is used up by this one. */
  readonly forestalled_by?: string
}

export type WithdrawalStarted = {
  readonly kind: 'withdrawal_started'
  readonly terminal: TerminalId
  readonly withdrawal: string
  readonly expires_at: Instant
}

/** What became of a withdrawal, or what it turned out to have been. The transfers that say so are just before. */
export type WithdrawalSettled = {
  readonly kind: 'withdrawal_settled'
  readonly terminal: TerminalId
  readonly withdrawal: string
  readonly state: Exclude<WithdrawalState, 'declined' | 'authorized' | 'dispensing'>
  readonly by: 'confirm' | 'reverse' | 'expiry' | 'close' | 'exchange' | 'resolution'
  readonly dispensed: Minor | null
  readonly debited: Minor
  /** Notes that left the units from now on, and that are in them again. */
  readonly out?: NotesOut
  readonly back?: NotesOut
  /** Of those that left the units: what is in the reject unit now. */
  readonly rejected?: NotesOut
  /** Notes were taken back into the retract unit, how many nobody counted. */
  readonly retracted?: true
  readonly mix_assumed?: true
  readonly transfers: readonly RecordId[]
  /** What is used of the card's limits after what was given back. */
  readonly card_used?: Used
  /** The advice that says so, as it is told apart from another. */
  readonly advice?: string
}

/** Reversed, or reported, before it was asked for: when it is, it is refused. */
export type WithdrawalForestalled = Partial<Stamp> & {
  readonly kind: 'withdrawal_forestalled'
  readonly terminal: TerminalId
  readonly withdrawal: string
  readonly amount: Minor
  /** Whose money it would have been, where that is known. */
  readonly account?: AccountNumber
  readonly card?: CardId
  readonly last4?: string
  readonly batch: number
  readonly advice: string
  /** It was named by its reference alone: what is known of it beside. */
  readonly by_reference?: Meant
}

/** An advice about a withdrawal changed nothing but that it is known. */
export type WithdrawalAdvised = {
  readonly kind: 'withdrawal_advised'
  readonly terminal: TerminalId
  readonly withdrawal: string
  readonly advice: string
}

export type OperationDone = Numbered & {
  readonly kind: 'operation_done'
  readonly type: Operation['type']
  readonly terminal: TerminalId
  readonly operation: string
  readonly account?: AccountNumber
  /** Of a transfer: where it went, and the day it is charged to. Those of the first days have neither. */
  readonly to?: AccountNumber
  readonly charged?: Day
  readonly card?: CardId
  readonly amount?: Minor
  readonly unit?: string
  readonly notes?: Notes
  readonly balance?: { readonly ledger: Minor; readonly available: Minor }
  readonly batch: number
  readonly business_date: Day
  readonly transfer?: RecordId
}

/** What a message asked for was not done: said again, it has the same no. */
export type OperationDeclined = Numbered & {
  readonly kind: 'operation_declined'
  readonly type: Operation['type']
  readonly terminal: TerminalId
  readonly operation: string
  readonly account?: AccountNumber
  readonly card?: CardId
  readonly amount?: Minor
  readonly notes?: Notes
  readonly batch: number
  readonly code: Refusal
  readonly about?: About
  /** As of a withdrawal. */
  readonly forestalled_by?: string
}

/**
 * A deposit was taken back, by the transfer just before: its notes are not in the machine any more. Or a transfer was.
 * Without one, it never came.
 */
export type OperationReversed = {
  readonly kind: 'operation_reversed'
  readonly terminal: TerminalId
  readonly operation: string
  readonly reason: string
  readonly transfer?: RecordId
  /** Its notes were counted meanwhile, and are no longer in the unit. */
  readonly counted?: true
}

export type ExceptionOpened = {
  readonly kind: 'exception_opened'
  readonly exception: string
  readonly type: ExceptionType
  readonly terminal: TerminalId
  readonly withdrawal?: string
  readonly account?: AccountNumber
  readonly last4?: string
  readonly amount: Minor
  readonly currency: Currency
  readonly proposal?: { readonly dispensed: Minor }
}

/** What somebody says of it, which a second person must say as well. */
export type ExceptionWaits = {
  readonly kind: 'exception_waits'
  readonly exception: string
  readonly word: Word
}

export type ExceptionResolved = {
  readonly kind: 'exception_resolved'
  readonly exception: string
  readonly word: Word
  readonly transfers: readonly RecordId[]
}

export type ExchangeStarted = {
  readonly kind: 'exchange_started'
  readonly terminal: TerminalId
  readonly exchange: string
}

export type ExchangeCounted = {
  readonly kind: 'exchange_counted'
  readonly terminal: TerminalId
  readonly exchange: string
  readonly counts: Readonly<Record<string, Contents>>
}

/** What is in the units from now on: with `set` nothing but this, with `add` this as well. */
export type ExchangeEnded = {
  readonly kind: 'exchange_ended'
  readonly terminal: TerminalId
  readonly exchange: string
  readonly mode: 'set' | 'add'
  readonly loaded: NotesOut
  readonly transfers: readonly RecordId[]
}

/** The whole report, which is the batch from now on; the next one is open. */
export type BatchClosed = Partial<Said> & {
  readonly kind: 'batch_closed'
  readonly report: Batch
  /** What the machine had counted. */
  readonly told?: BatchTotals
  /** What it had counted in, where that is another currency than its own. */
  readonly told_in?: string
}

/** The terminal and the cards that anybody may try, until there is a credential. */
export type DemoOpened = {
  readonly kind: 'demo_opened'
  readonly terminal: TerminalId
  readonly cards: readonly CardId[]
}

export type DemoEnded = { readonly kind: 'demo_ended' }

/** The server's own keys, by check values that say nothing of them. */
export type KeysKnown = { readonly kind: 'keys_known'; readonly values: Readonly<Record<string, string>> }

export type AtmContent =
  | TerminalCreated
  | TerminalChanged
  | CardIssued
  | CardChanged
  | WithdrawalAuthorized
  | WithdrawalDeclined
  | WithdrawalStarted
  | WithdrawalSettled
  | WithdrawalForestalled
  | WithdrawalAdvised
  | OperationDone
  | OperationDeclined
  | OperationReversed
  | ExceptionOpened
  | ExceptionWaits
  | ExceptionResolved
  | ExchangeStarted
  | ExchangeCounted
  | ExchangeEnded
  | BatchClosed
  | DemoOpened
  | DemoEnded
  | KeysKnown

export const atmKinds = [
  'terminal_created',
  'terminal_changed',
  'card_issued',
  'card_changed',
  'withdrawal_authorized',
  'withdrawal_declined',
  'withdrawal_started',
  'withdrawal_settled',
  'withdrawal_forestalled',
  'withdrawal_advised',
  'operation_done',
  'operation_declined',
  'operation_reversed',
  'exception_opened',
  'exception_waits',
  'exception_resolved',
  'exchange_started',
  'exchange_counted',
  'exchange_ended',
  'batch_closed',
  'demo_opened',
  'demo_ended',
  'keys_known',
] as const satisfies readonly AtmContent['kind'][]

export type AtmKind = (typeof atmKinds)[number]

const kinds: ReadonlySet<string> = new Set(atmKinds)

/** Whether a record is of the ATM side. */
export function isAtm<Content extends { readonly kind: string }>(
  content: Content,
): content is Content & AtmContent {
  return kinds.has(content.kind)
}

/**
 * Records: the lines of the journal, the only truth. Each carries the state it leaves, so that replaying the
 * journal is copying, not calculating again.
 */
import type { AccountNumber, AccountState, Metadata } from './account.ts'
import type { AtmContent } from './atm-records.ts'
import type { RecordId, Reply } from './command.ts'
import type { Day, Limits, Used } from './limits.ts'
import type { Currency, Instant, Minor } from './money.ts'
import type { Direction, Role } from './registry.ts'

/**
 * What one side of a transfer leaves on a customer's account; a house account has no state of its own. `used`
 * stands where what is used of the account's limits has changed.
 */
export type After = {
  readonly ledger: Minor
  readonly held: Minor
  readonly version: number
  readonly used?: Used
}

export type AccountOpened = {
  readonly kind: 'account_opened'
  readonly account: AccountNumber
  readonly currency: Currency
  readonly overdraft_limit?: Minor
  readonly minimum_balance?: Minor
  readonly limits?: Limits
  readonly metadata?: Metadata
  readonly after: After
}

export type AccountChanged = {
  readonly kind: 'account_changed'
  readonly account: AccountNumber
  readonly state: AccountState
  readonly reason: string
  readonly after: After
}

/** All limits of an account, in place of those before. */
export type LimitsSet = {
  readonly kind: 'limits_set'
  readonly account: AccountNumber
  readonly limits: Limits
  readonly after: After
}

/**
 * What a transfer is of. At a terminal: a `withdrawal` goes into transit, a `dispense` is proof that it left, a
 * `return` gives it back, a `correction` says that it was otherwise; `load` and `unload` are between machine and
 * vault, a `variance` is what counting found.
 */
export type TransferType =
  | 'opening'
  | 'deposit'
  | 'withdrawal'
  | 'transfer'
  | 'capture'
  | 'reversal'
  | 'adjustment'
  | 'dispense'
  | 'return'
  | 'correction'
  | 'load'
  | 'unload'
  | 'variance'

/** One debit, one credit, one amount in minor units; immutable. Links and the client's words stand only where there are any. */
export type Transfer = {
  readonly kind: 'transfer'
  readonly type: TransferType
  readonly debit: string
  readonly credit: string
  readonly amount: Minor
  readonly currency: Currency
  readonly debit_after: After | null
  readonly credit_after: After | null
  readonly key: string | null
  /** The transfer that this one takes back, whole or in part. */
  readonly reverses?: RecordId
  /** The hold that this one captures. */
  readonly hold?: RecordId
  /** The adjustment that this one carries out. */
  readonly adjustment?: RecordId
  /** What it is of at a terminal, such as `ATM00001/w1`: it is taken back through that alone. */
  readonly operation?: string
  /** Posted although the account's funds, or the hold's time, did not allow it. */
  readonly forced?: true
  /** The business day whose limits of the debited account it uses, where that has any. */
  readonly charged?: Day
} & Words

/** What a client says of a movement or hold, for itself. */
export type Words = { readonly reference?: string; readonly metadata?: Metadata }

/** Money set aside on an account until it is captured, voided, or its time is up. */
export type HoldPlaced = {
  readonly kind: 'hold_placed'
  readonly account: AccountNumber
  readonly amount: Minor
  readonly currency: Currency
  readonly expires_at: Instant
  readonly after: After
  readonly key: string | null
  /** As of a transfer. */
  readonly charged?: Day
} & Words

/** What became of a hold. `after.held` no longer has it. */
export type HoldResolved = {
  readonly kind: 'hold_resolved'
  readonly hold: RecordId
  readonly account: AccountNumber
  readonly state: 'posted' | 'voided' | 'expired'
  readonly after: After
  /** An advice captured it after it had expired. */
  readonly forced?: true
}

export type CredentialCreated = {
  readonly kind: 'credential_created'
  readonly role: Role
  readonly name: string
  readonly hash: string
}

export type CredentialRevoked = { readonly kind: 'credential_revoked'; readonly credential: RecordId }

export type WebhookCreated = {
  readonly kind: 'webhook_created'
  readonly url: string
  readonly types: readonly string[]
  readonly salt: string
  readonly sealed_with: string
}

export type WebhookDisabled = { readonly kind: 'webhook_disabled'; readonly webhook: RecordId }

/** An event is to be sent once more, or without one all that were given up. */
export type WebhookRedelivered = {
  readonly kind: 'webhook_redelivered'
  readonly webhook: RecordId
  readonly event?: RecordId
}

/** The transfer that carries it out follows: at once, or when a second person approves. */
export type AdjustmentRequested = {
  readonly kind: 'adjustment_requested'
  readonly account: AccountNumber
  readonly currency: Currency
  readonly amount: Minor
  readonly direction: Direction
  readonly reason: string
  readonly person: string
  readonly second_person?: true
}

export type AdjustmentRejected = {
  readonly kind: 'adjustment_rejected'
  readonly adjustment: RecordId
  readonly person: string
}

/** A hold as its account keeps it while it is pending. */
export type PendingHold = { readonly id: RecordId; readonly amount: Minor; readonly expires_at: Instant }

/** The reply a client's key is answered with from now on. */
export type Remembered = {
  readonly kind: 'reply'
  readonly key: string
  readonly fingerprint: string
  /** Of each member of the command: see `marks.ts`. Records from before there were marks have none. */
  readonly marks?: string
  readonly reply: Reply
}

/** What a record says; the rest of the line says where, when and by whom. */
export type Content =
  | AccountOpened
  | AccountChanged
  | LimitsSet
  | Transfer
  | HoldPlaced
  | HoldResolved
  | Remembered
  | CredentialCreated
  | CredentialRevoked
  | WebhookCreated
  | WebhookDisabled
  | WebhookRedelivered
  | AdjustmentRequested
  | AdjustmentRejected
  | AtmContent

/** One line of the journal. */
export type JournalRecord = {
  readonly sequence: number
  readonly at: Instant
  /** The credential that asked; empty in open mode. */
  readonly actor: string
  /** Whose keys these are; empty in open mode. */
  readonly scope: string
  readonly content: Content
}

/** A record as it is stored: what it says as JSON text, written once and never again. */
export type Line = {
  readonly sequence: number
  readonly at: Instant
  readonly kind: Content['kind']
  readonly actor: string
  readonly scope: string
  readonly body: string
}

/** Writes a record as its stored line. Members keep the order in which `apply` wrote them. */
export function toLine({ sequence, at, actor, scope, content }: JournalRecord): Line {
  const { kind, ...body } = content
  return { sequence, at, kind, actor, scope, body: JSON.stringify(body) }
}

/** Reads a stored line back. Throws on text that is not JSON. */
export function fromLine({ sequence, at, kind, actor, scope, body }: Line): JournalRecord {
  return { sequence, at, actor, scope, content: { kind, ...JSON.parse(body) } }
}

/** The bytes of a line that its block's hash covers: every column, the body to the letter. */
export function canonical(line: Line): string {
  return `[${line.sequence},${line.at},${JSON.stringify(line.kind)},${JSON.stringify(line.actor)},${JSON.stringify(line.scope)},${line.body}]\n`
}

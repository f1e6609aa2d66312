/** Ports of webhooks: what interfaces ask of them, and where what became of each event is written down. */
import type { RecordId } from '../ledger/command.ts'
import type { Instant } from '../ledger/money.ts'
import type { Found } from './store.ts'

/** One event on its way to one target. `dead` has been given up, after a day of tries. */
export type Delivery = {
  readonly webhook: RecordId
  /** The event, by its id and its place in the journal. */
  readonly id: RecordId
  readonly place: number
  readonly state: DeliveryState
  readonly attempts: number
  readonly first_at: Instant
  /** Of the last try; null before the first. */
  readonly last_at: Instant | null
  /** Of the next try; null where there is none to come. */
  readonly next_at: Instant | null
  /** What the target answered last, or why it did not. */
  readonly status: number | null
  readonly error: string | null
}

export type DeliveryState = 'pending' | 'delivered' | 'dead'

export type DeliveryPage = {
  readonly webhook: RecordId
  readonly state?: DeliveryState
  /** Events before this record. */
  readonly before?: RecordId
  readonly limit: number
}

export type Counts = Readonly<Record<'pending' | 'dead', number>>

/** What interfaces ask. */
export interface Webhooks {
  /** Which of the server's keys makes the secrets. */
  readonly sealedWith: string
  /** What a target checks signatures with, from the webhook's salt. */
  secretOf(salt: string): string
  /** Why nothing may be sent to a URL, if so. */
  refuses(url: string): Promise<string | undefined>
  /** Newest event first. */
  deliveries(page: DeliveryPage): Promise<Found<Delivery>>
  /** How many events are on their way, and how many were given up. */
  counts(webhook: RecordId): Promise<Counts>
}

export type EventPlace = Pick<Delivery, 'id' | 'place'>

/**
 * Keeps, for each webhook, how far into the journal it has come and what became of its events. Nothing in it is the
 * truth: without it, events since the webhook was made are sent again.
 */
export interface DeliveryLog {
  /**
   * Whether this server is the one that sends for a webhook: of several on one log one does, until it ends or falls
   * silent. To be asked before each look; what a server writes down that was replaced meanwhile is dropped.
   */
  isOurs(webhook: RecordId): Promise<boolean>
  /** Place of the last record that was looked at. */
  position(webhook: RecordId): Promise<number | undefined>
  /** The place up to which records were looked at, and the events among them that are to be sent; in one commit. */
  take(
    webhook: RecordId,
    page: { readonly last: number; readonly events: readonly EventPlace[] },
    now: Instant,
  ): Promise<void>
  /** Makes an event, or without one all that were given up, be sent once more, from their first try on. */
  again(webhook: RecordId, event: EventPlace | undefined, now: Instant): Promise<void>
  /** Events whose time has come, those that wait longest first. */
  due(webhook: RecordId, now: Instant, limit: number): Promise<readonly Delivery[]>
  /** When the next event's time comes. */
  nextAt(webhook: RecordId): Promise<Instant | undefined>
  /** Writes down what came of a try. */
  settle(delivery: Delivery): Promise<void>
  page(page: DeliveryPage): Promise<Found<Delivery>>
  counts(webhook: RecordId): Promise<Counts>
  close(): Promise<void>
}

/** Those that arrived are kept for so many records behind, to be looked at; what was given up is kept for ever. */
export const keptRecords = 10_000

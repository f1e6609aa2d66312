/** What is known of a machine at the end, from both sides. Data alone. */
import type { DeviceState } from './device.ts'
import type { Batch } from './host.ts'
import type { Counted, Exception, Exchanged, ExchangeOpen } from './operator.ts'

/** An exchange as it went: what the books had, what was there, and what was said of suspects. */
export type Exchange = {
  readonly open: ExchangeOpen
  /** What all notes in the machine were worth when it was opened. */
  readonly real: number
  /** What left beyond what was told, since the exchange before. */
  readonly mispicked: number
  readonly answers: Readonly<Record<string, { readonly dispensed: number }>>
  readonly counted: Counted
  readonly ended: Exchanged
  readonly realAfter: number
}

/** By withdrawal, why nobody knows. */
export type Doubts = Readonly<Record<string, 'retracted' | 'unknown'>>

/** What is known of a machine at the end, from both sides. */
export type SiteFacts = {
  readonly id: string
  readonly overShortBefore: number
  readonly device: DeviceState
  /** Withdrawals of which the machine itself does not know what left, and that no exchange has settled before. */
  readonly doubtful: Doubts
  readonly closes: readonly Batch[]
  /** The last one but one, with everything told and the machine not opened yet. */
  readonly close: Batch
  readonly exchange: Exchange
  readonly closeAfter: Batch
  /** Those that were open when it was closed, and those that were after it had been counted. */
  readonly namedAtClose: readonly Exception[]
  readonly exceptions: readonly { readonly exception: Exception; readonly isKnown: boolean }[]
  readonly stillOpen: number
  /** Withdrawals of which it said nothing since all had left, and those of which the host takes silence for that. */
  readonly unsaid: readonly string[]
  readonly assumed: readonly string[]
  readonly speaks: 'rest' | 'iso8583'
  readonly owed: number
  readonly refusals: readonly string[]
}

/** What the rules are given of a server's settings. */
import type { Command } from './command.ts'
import type { Day } from './limits.ts'
import type { Instant, Minor } from './money.ts'

export type Rules = {
  /** How long a key is remembered. Milliseconds. */
  readonly keyRetentionMs: number
  /** An adjustment above it needs a second person. Minor units. */
  readonly adjustmentThreshold: Minor
  /** Tells requests apart: the same command, the same text. */
  fingerprint(command: Command): string
  /** The business day of an instant. */
  dayOf(now: Instant): Day
}

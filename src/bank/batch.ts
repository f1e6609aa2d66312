/** What every store does between its locks and its COMMIT: judge the deadlines, then apply in order. */
import { hash } from 'node:crypto'
import { apply, type Rules } from '../ledger/apply.ts'
import type { Sha256 } from '../ledger/block.ts'
import type { Books } from '../ledger/books.ts'
import { type Command, type Outcome, refuse } from '../ledger/command.ts'
import type { Instant } from '../ledger/money.ts'
import { businessDays } from './business-day.ts'
import type { Pending } from './store.ts'

export const sha256: Sha256 = (text) => hash('sha256', text, 'hex')

export type RuleSettings = {
  /** How long a client's key is remembered. Milliseconds. */
  readonly keyRetentionMs?: number
  /** Where business days begin at midnight: an IANA name, such as Europe/Berlin. */
  readonly timeZone?: string
  /** An adjustment above it needs a second person. Minor units. */
  readonly adjustmentThreshold?: number
}

/** A day of keys is what clients that retry overnight rely on. */
export const usualRules = {
  keyRetentionMs: 24 * 3600 * 1000,
  timeZone: 'UTC',
  adjustmentThreshold: 10_000,
} satisfies RuleSettings

/** The rules with the settings of a server. */
export function rulesOf(settings: RuleSettings = {}): Rules {
  const { timeZone, ...rules } = { ...usualRules, ...settings }
  const { keyRetentionMs, adjustmentThreshold } = rules
  return { keyRetentionMs, adjustmentThreshold, fingerprint: fingerprintOf, dayOf: businessDays(timeZone) }
}

/**
 * SHA-256 over the parsed command, members in one order: however it was written, the same request is the same. A card
 * is named by the id under the oldest of the server's keys, so that a new key makes no other request of it.
 */
function fingerprintOf(command: Command): string {
  const named =
    'pan' in command && command.pan !== undefined ? { ...command, pan: command.pan.at(-1) } : command
  return sha256(JSON.stringify(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))))
}

/**
 * Applies a batch to the books, which are a fork of the store's own, at one instant. This is the only place beside
 * the queue that says *account busy*: once a command is applied, its answer is what COMMIT makes of it.
 */
export function applyBatch(
  books: Books,
  batch: readonly Pending[],
  { now, monotonicMs }: { now: Instant; monotonicMs: number },
  rules: Rules,
): Outcome[] {
  return batch.map((pending) =>
    pending.deadlineMs <= monotonicMs
      ? { reply: refuse('account_busy'), replayed: false }
      : apply(books, pending, now, rules),
  )
}

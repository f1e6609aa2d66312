/** Instants as they are written. */
import type { Instant } from '../../ledger/money.ts'

/** RFC 3339, to the millisecond. */
export function timeOf(instant: Instant): string {
  return new Date(instant).toISOString()
}

export function timeOrNull(instant: Instant | null | undefined): string | null {
  return instant === null || instant === undefined ? null : timeOf(instant)
}

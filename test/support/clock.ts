/** A wall clock that stands still until it is moved; deadlines go on by the real one. */
import { type Clock, systemClock } from '../../src/bank/clock.ts'
import type { Instant } from '../../src/ledger/money.ts'

export type HeldClock = Clock & { move(ms: number): void }

export function heldClock(at: Instant = Date.UTC(2030, 0, 1)): HeldClock {
  let instant = at
  return {
    now: () => instant,
    monotonicMs: systemClock.monotonicMs,
    after: systemClock.after,
    move(ms) {
      instant += ms
    },
  }
}

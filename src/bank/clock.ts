/** Time, given as an argument so that tests and the simulator can hold it. */
import type { Instant } from '../ledger/money.ts'

export type Clock = {
  /** The wall clock: what records carry. It may jump. */
  now(): Instant
  /** Milliseconds that only rise, alike in every thread of the process: what deadlines are judged by. */
  monotonicMs(): number
  /** Calls back once so much monotonic time has passed; the process does not stay for it. Milliseconds. */
  after(ms: number, callback: () => void): void
}

/** One reading of both: the instant of a batch, and what its deadlines are judged by. */
export function read(clock: Clock): { now: Instant; monotonicMs: number } {
  return { now: clock.now(), monotonicMs: clock.monotonicMs() }
}

export const systemClock: Clock = {
  now: Date.now,
  // Not performance.now(): each worker thread counts that from its own start.
  monotonicMs() {
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1000 + nanoseconds / 1e6
  },
  after(ms, callback) {
    setTimeout(callback, ms).unref()
  },
}

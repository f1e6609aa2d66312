/** When a request is tried again, and how long is waited before. */
import { CashpointError } from './errors.ts'

const firstPauseMs = 100
const longestPauseMs = 5_000

/** Whether nothing was done, or the same key finds what was; an answer that did not come at all is of these. */
export function mayTryAgain(error: unknown): boolean {
  if (!(error instanceof CashpointError)) return true
  const { status, code } = error
  return status === 423 || status === 429 || status === 503 || (status === 409 && code === 'in_progress')
}

/** Doubles from try to try, each time by chance between half and all of it, and no less than the server asks for. */
export function pauseMs(tries: number, error: unknown): number {
  const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** tries)
  const askedMs = error instanceof CashpointError ? error.retryAfterS * 1_000 : 0
  return Math.max(longest * (0.5 + Math.random() / 2), askedMs)
}

/** Waits; rejects with the signal's reason if that comes first. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    if (signal?.aborted) return reject(signal.reason)
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** What can come of a request beside what was asked for. */
import type { Problem } from './types.ts'

/** The server said no. `problem` is its whole answer; nothing was done, unless `code` is `outcome_unknown`. */
export class CashpointError extends Error {
  override readonly name = 'CashpointError'
  readonly status: number
  readonly code: string
  readonly problem: Problem
  /** What the server asks to wait before the next try, if anything. Seconds. */
  readonly retryAfterS: number

  constructor(problem: Problem, retryAfter: string | null) {
    super(problem.detail === undefined ? problem.title : `${problem.title}: ${problem.detail}`)
    this.status = problem.status
    this.code = problem.code
    this.problem = problem
    const seconds = Number(retryAfter ?? 0)
    this.retryAfterS = Number.isFinite(seconds) ? seconds : 0
  }
}

/**
 * No answer came, as often as it was tried. Whether a command was done is not known: `operation(key)` tells, or
 * the same call again with this `key`.
 */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
  readonly key: string | undefined

  constructor(key: string | undefined, cause: unknown) {
    super('Cashpoint gave no answer', { cause })
    this.key = key
  }
}

/**
 * The line from one machine to its host: asks, waits as long as a machine waits, and loses, delays and doubles what it
 * is told to. Knows nothing of what is asked, nor how it is said.
 */
import type { Chance } from '../outside/chance.ts'
import type { Faults } from './faults.ts'

export type LineOptions = {
  readonly faults: Faults
  readonly chance: Chance
  /** How long a machine waits for an answer before it goes on without. */
  readonly patienceMs: number
  /** Called when the line goes down, which takes with it what is on it. */
  readonly onDown?: () => void
}

/** Says it once; `times` is how often it was said before. Undefined where no answer came. */
export type Say<Answer> = (times: number) => Promise<Answer | undefined>

/** An answer that decides nothing says when the same may be asked again. */
export type MaybePassing = { readonly againAfterMs?: number }

export type LineFigures = { asked: number; lost: number; late: number; refusedForNow: number }

// Of what a machine waits for one answer.
const outageLasts = 5
const retryPauseMs = 100

export class Line {
  readonly figures: LineFigures = { asked: 0, lost: 0, late: 0, refusedForNow: 0 }
  readonly #options: LineOptions
  /** What is still on its way, also when nobody waits for it any more. */
  readonly #underWay = new Set<Promise<unknown>>()
  #downUntilMs = 0

  constructor(options: LineOptions) {
    this.#options = options
  }

  /** An answer that decides, asked for at most so many times; undefined where none came in time. */
  async ask<Answer extends MaybePassing>(say: Say<Answer>, tries = 1): Promise<Answer | undefined> {
    for (let i = 0; i < tries; i += 1) {
      const answer = await this.#once(() => say(i))
      if (answer !== undefined && answer.againAfterMs === undefined) return answer
      if (answer !== undefined) this.figures.refusedForNow += 1
      if (i + 1 < tries) await pause(Math.max(retryPauseMs, Math.min(1_000, answer?.againAfterMs ?? 0)))
    }
    return undefined
  }

  /** Resolves when nothing is under way any more, late or doubled. */
  async quiet(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Says it once, waits, and takes what comes later for nothing. */
  async #once<Answer>(say: () => Promise<Answer | undefined>): Promise<Answer | undefined> {
    const { patienceMs } = this.#options
    this.figures.asked += 1
    const arrives = this.#sayThrough(say)
    let waits = true
    const late = arrives.then((answer) => {
      if (!waits && answer !== undefined) this.figures.late += 1
    })
    this.#keep(late)
    const patience = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => patience.resolve(undefined), patienceMs)
    const answer = await Promise.race([arrives, patience.promise])
    clearTimeout(timer)
    waits = false
    if (answer === undefined) this.figures.lost += 1
    return answer
  }

  async #sayThrough<Answer>(say: () => Promise<Answer | undefined>): Promise<Answer | undefined> {
    const { faults, chance, patienceMs, onDown } = this.#options
    if (faults.happens('outage')) {
      this.#downUntilMs = performance.now() + patienceMs * outageLasts * (0.5 + chance(1_000) / 1_000)
      onDown?.()
    }
    const lostOnTheWay = faults.happens('request-lost')
    const lostOnTheWayBack = faults.happens('answer-lost')
    const late = faults.happens('late-answer')
    const lateBeforeHost = chance(2) === 0
    const twice = faults.happens('duplicate')
    // A machine finds out that a line is dead at once or by waiting.
    if (performance.now() < this.#downUntilMs || lostOnTheWay) return this.#nothing(chance(4) > 0)
    const lateMs = patienceMs * (1 + chance(1_000) / 1_000)
    if (late && lateBeforeHost) await pause(lateMs)
    if (twice) this.#keep(say())
    const answer = await say()
    if (late && !lateBeforeHost) await pause(lateMs)
    if (answer === undefined || lostOnTheWayBack) return this.#nothing(answer === undefined || chance(4) > 0)
    return answer
  }

  async #nothing(atOnce: boolean): Promise<undefined> {
    if (!atOnce) await pause(this.#options.patienceMs)
    return undefined
  }

  #keep(saying: Promise<unknown>): void {
    this.#underWay.add(saying)
    saying.finally(() => this.#underWay.delete(saying))
  }
}

export function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}

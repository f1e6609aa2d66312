/** What was committed in the last hour, in steps of ten seconds: of this process alone, and of a size that never grows. */

/** A step that is over: `at` is where it began. Percentiles of commits, none where there was no commit. */
export type Step = {
  readonly at: number
  readonly operations: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

export const stepMs = 10_000
export const stepsMax = 360

// From 1/16 ms to a minute in eight classes an octave: what is read of one is off by 4.4 % at the most.
const leastMs = 1 / 16
const classesPerOctave = 8
const classes = 20 * classesPerOctave

/** A step's counts, in a place that a later step takes. */
type Counts = { step: number; operations: number; commits: number; readonly byClass: Uint32Array }

export class Hour {
  readonly #now: () => number
  readonly #first: number
  #newest: number
  readonly #ring: readonly Counts[]

  /** `now` is the wall clock. Milliseconds. */
  constructor(now: () => number) {
    this.#now = now
    this.#first = stepOf(now())
    this.#newest = this.#first
    this.#ring = Array.from({ length: stepsMax + 1 }, () => ({
      step: -1,
      operations: 0,
      commits: 0,
      byClass: new Uint32Array(classes),
    }))
  }

  /** So many operations were committed at once, which took so long. */
  add(operations: number, ms: number): void {
    // A wall clock that is set back counts into the step it was at.
    this.#newest = Math.max(this.#newest, stepOf(this.#now()))
    const counts = this.#placeOf(this.#newest)
    if (counts.step !== this.#newest) {
      counts.step = this.#newest
      counts.operations = 0
      counts.commits = 0
      counts.byClass.fill(0)
    }
    counts.operations += operations
    counts.commits += 1
    const at = classOf(ms)
    counts.byClass[at] = (counts.byClass[at] ?? 0) + 1
  }

  /** The steps that are over, oldest first; none from before the process began. */
  steps(): Step[] {
    const now = Math.max(this.#newest, stepOf(this.#now()))
    const from = Math.max(this.#first, now - stepsMax)
    return Array.from({ length: now - from }, (_, i) => this.#read(from + i))
  }

  #read(step: number): Step {
    const at = step * stepMs
    const counts = this.#placeOf(step)
    if (counts.step !== step) return { at, operations: 0, p50Ms: null, p99Ms: null }
    return { at, operations: counts.operations, p50Ms: percentile(counts, 50), p99Ms: percentile(counts, 99) }
  }

  #placeOf(step: number): Counts {
    return this.#ring[step % this.#ring.length] as Counts
  }
}

function stepOf(instant: number): number {
  return Math.floor(instant / stepMs)
}

function classOf(ms: number): number {
  const at = Math.round(classesPerOctave * Math.log2(Math.max(ms, leastMs) / leastMs))
  return Math.min(at, classes - 1)
}

/** The least latency that so many of a hundred commits did not pass; to a hundredth of a millisecond. */
function percentile({ commits, byClass }: Counts, percent: number): number {
  const rank = Math.ceil((commits * percent) / 100)
  let seen = 0
  const at = byClass.findIndex((count) => {
    seen += count
    return seen >= rank
  })
  return Math.round(leastMs * 2 ** (at / classesPerOctave) * 100) / 100
}

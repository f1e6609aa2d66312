/** Passes of verification, one at a time: the last one that ended, and how far the running one has come. */
import type { Instant } from '../ledger/money.ts'
import type { Fault, Proven } from '../ledger/verify.ts'
import type { Clock } from './clock.ts'
import type { BlockRange, ChainProven, ProofProgress, Store } from './store.ts'

export type Pass = ProofProgress & { readonly started_at: Instant; readonly range: BlockRange }

export type Verdict = {
  readonly started_at: Instant
  readonly finished_at: Instant
  readonly range: BlockRange
} & ({ readonly found: Fault | Proven | ChainProven } | { readonly error: string })

export class Verification {
  readonly #store: Pick<Store, 'prove'>
  readonly #clock: Clock
  running: Pass | undefined
  last: Verdict | undefined

  constructor(store: Pick<Store, 'prove'>, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Starts a pass and gives it; gives the one that runs where there is one. */
  start(range: BlockRange): Pass {
    if (this.running !== undefined) return this.running
    const started_at = this.#clock.now()
    this.running = { started_at, range, block: 0, of: 0 }
    this.#run(started_at, range)
    return this.running
  }

  async #run(started_at: Instant, range: BlockRange): Promise<void> {
    const onProgress = (progress: ProofProgress) => {
      this.running = { started_at, range, ...progress }
    }
    const end = await this.#store.prove(range, onProgress).then(
      (found) => ({ found }),
      (error) => ({ error: error instanceof Error ? error.message : String(error) }),
    )
    this.last = { started_at, finished_at: this.#clock.now(), range, ...end }
    this.running = undefined
  }
}

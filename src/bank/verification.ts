/** Passes of verification, one at a time: the last one that ended, and how far the running one has come. */
import type { Instant } from '../ledger/money.ts'
import type { Fault, Proven } from '../ledger/verify.ts'
import type { Clock } from './clock.ts'
import type { BlockRange, ChainProven, ProofProgress, Store } from './store.ts'

/** What was asked for, by whom as they are called, and when it began. */
type Asked = { readonly started_at: Instant; readonly range: BlockRange; readonly by: string }

export type Pass = ProofProgress & Asked

export type Verdict = Asked & { readonly finished_at: Instant } & (
    | { readonly found: Fault | Proven | ChainProven }
    | { readonly error: string }
  )

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
  start(range: BlockRange, by: string): Pass {
    if (this.running !== undefined) return this.running
    const asked = { started_at: this.#clock.now(), range, by }
    this.running = { ...asked, block: 0, of: 0 }
    this.#run(asked)
    return this.running
  }

  async #run(asked: Asked): Promise<void> {
    const onProgress = (progress: ProofProgress) => {
      this.running = { ...asked, ...progress }
    }
    const end = await this.#store.prove(asked.range, onProgress).then(
      (found) => ({ found }),
      (error) => ({ error: error instanceof Error ? error.message : String(error) }),
    )
    this.last = { ...asked, finished_at: this.#clock.now(), ...end }
    this.running = undefined
  }
}

/** What survives a crash: a memory store, and a tape of every batch that was committed to it. */
import type { Clock } from '../../src/bank/clock.ts'
import type { Pending } from '../../src/bank/store.ts'
import type { Outcome } from '../../src/ledger/command.ts'
import type { Instant } from '../../src/ledger/money.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'

export type Committed = {
  readonly atMs: number
  readonly now: Instant
  readonly batch: readonly Pending[]
  readonly outcomes: readonly Outcome[]
}

export class Disk extends MemoryStore {
  readonly tape: Committed[] = []
  readonly #clock: Clock

  constructor(clock: Clock, keyRetentionMs: number) {
    super({ clock, keyRetentionMs })
    this.#clock = clock
  }

  override async commit(batch: readonly Pending[]): Promise<readonly Outcome[]> {
    const [atMs, now] = [this.#clock.monotonicMs(), this.#clock.now()]
    const outcomes = await super.commit(batch)
    this.tape.push({ atMs, now, batch, outcomes })
    return outcomes
  }
}

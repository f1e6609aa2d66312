/**
 * The queue: commands wait here for the store, and one commit pays for all that wait. The order of the queue is
 * the order of the books.
 *
 *   waiting ──(the store is free)──▶ handed over ──▶ answered
 *      └──(deadline passes)──▶ account_busy          └──(deadline and grace pass)──▶ outcome_unknown
 *
 * There is no timer between a command and its batch: a lone command goes at once, and while the store commits
 * one batch the next collects by itself. Where many take turns, an idle store begins with half of them: with all in one
 * batch they would wait for the store together, and then the store for all of them.
 */
import assert from 'node:assert'
import { type Key, type Outcome, operationsIn, refuse, type Submission } from '../ledger/command.ts'
import type { Refusal } from '../ledger/refusal.ts'
import type { Clock } from './clock.ts'
import { type Committing, type Pending, StoreError } from './store.ts'

export type QueueOptions = {
  /** How long a command may wait for its locks, from its arrival. Milliseconds. */
  readonly deadlineMs: number
  /** How many operations may wait before newcomers are refused `overloaded`. */
  readonly lengthMax: number
  /** The most operations in one commit, but for a larger batch of a client, which goes alone. */
  readonly batchMax: number
  /** The fewest commands for which an idle store begins before the requests of a turn have all been read. */
  readonly startAt: number
  /** How long after the deadline the store may take to say that it got no locks. Milliseconds. */
  readonly graceMs: number
  /** Told of every commit: how many commands, how long it took. */
  onCommit?(size: number, ms: number): void
  /** Told of a command that failed for a reason of ours. */
  onError?(error: unknown): void
}

export const queueDefaults = {
  deadlineMs: 10_000,
  lengthMax: 20_000,
  // One fsync for 1,000 commands costs each of them little more than nothing; more would only make them wait.
  batchMax: 1_000,
  startAt: 32,
  graceMs: 300,
} satisfies QueueOptions

// A crowd that has gone is forgotten by half in some twenty batches.
const crowdStays = 31 / 32

/** A command on its way. Hundreds are at once, and are copied with each collection of garbage: few objects each. */
class Waiting {
  readonly pending: Pending
  readonly operations: number
  readonly #resolve: (outcome: Outcome) => void
  readonly #reject: (error: unknown) => void
  settled = false
  /** Whether it goes to the store by itself, having failed together with others. */
  alone = false

  constructor(pending: Pending, resolve: (outcome: Outcome) => void, reject: (error: unknown) => void) {
    this.pending = pending
    this.operations = operationsIn(pending.command)
    this.#resolve = resolve
    this.#reject = reject
  }

  settle(outcome: Outcome): void {
    this.settled = true
    this.#resolve(outcome)
  }

  fail(error: unknown): void {
    this.settled = true
    this.#reject(error)
  }
}

/** A batch that the store has. */
type Committed = {
  readonly batch: readonly Waiting[]
  readonly startedMs: number
  readonly committed: Promise<readonly Outcome[]>
}

export class Queue {
  readonly #store: Committing
  readonly #clock: Clock
  readonly #options: QueueOptions
  #waiting: Waiting[] = []
  /** Operations of all that wait. */
  #operations = 0
  #handedOver: readonly Waiting[] = []
  /** Handed over as well, and not waited for by the next batch: somebody else has locked their accounts. */
  readonly #blocked = new Set<Waiting>()
  #running = false
  /** The most commands that were here at once of late, those just answered among them. */
  #crowd = 0
  /** The first batch, where it only waits for the end of this turn of the event loop. */
  #soon: NodeJS.Immediate | undefined
  #isTimed = false
  #onIdle: (() => void)[] = []

  constructor(store: Committing, clock: Clock, options: QueueOptions) {
    this.#store = store
    this.#clock = clock
    this.#options = options
  }

  /** How many commands wait or are being committed. */
  get length(): number {
    return this.#waiting.length + this.#handedOver.length + this.#blocked.size
  }

  /** With the store, those that came first in front. */
  get #away(): readonly Waiting[] {
    return this.#blocked.size === 0 ? this.#handedOver : [...this.#blocked, ...this.#handedOver]
  }

  /** Queues a command. Rejects only where we failed; every no is an outcome. */
  submit(submission: Submission): Promise<Outcome> {
    const shut = this.#operations >= this.#options.lengthMax ? 'overloaded' : this.#store.shut
    if (shut !== undefined) return Promise.resolve(refused(shut))

    const deadlineMs = this.#clock.monotonicMs() + this.#options.deadlineMs
    return new Promise((resolve, reject) => {
      const waiting = new Waiting({ ...submission, deadlineMs }, resolve, reject)
      this.#waiting.push(waiting)
      this.#operations += waiting.operations
      this.#wake()
    })
  }

  /** Resolves when nothing waits and nothing is being committed. */
  idle(): Promise<void> {
    if (!this.#running && this.#blocked.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  #wake(): void {
    if (!this.#isTimed) this.#armTimer(this.#options.deadlineMs)
    if (!this.#running) {
      this.#running = true
      // After this turn of the event loop, so that requests read from the sockets together share a commit.
      this.#soon = setImmediate(() => this.#start())
    } else if (this.#soon !== undefined && this.#waiting.length >= this.#enough) this.#start()
  }

  /** Half of those who take turns: one half is read from the sockets and answered while the other is committed. */
  get #enough(): number {
    return Math.max(this.#options.startAt, this.#crowd / 2)
  }

  #start(): void {
    clearImmediate(this.#soon)
    this.#soon = undefined
    void this.#run()
  }

  async #run(): Promise<void> {
    for (let next = this.#begin(); next !== undefined; ) {
      const { batch, startedMs, committed } = next
      try {
        const outcomes = await committed
        const ms = this.#clock.monotonicMs() - startedMs
        this.#handedOver = []
        // The store has its next batch before the answers to this one are written, which can take as long as a commit.
        next = this.#begin(batch.length)
        this.#onCommitted(batch, outcomes, ms)
      } catch (error) {
        this.#handedOver = []
        this.#onFailed(
          batch.filter((waiting) => !this.#blocked.has(waiting)),
          error,
        )
        next = undefined
      }
      next ??= this.#begin()
    }
    this.#running = false
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (this.#running || this.#blocked.size > 0) return
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  /** How many of those in front fit into one commit; at least the first. */
  #commitLength(): number {
    let operations = 0
    const tooMany = this.#waiting.findIndex((waiting, i) => {
      operations += waiting.operations
      return i > 0 && (this.#waiting[0]?.alone || operations > this.#options.batchMax)
    })
    return tooMany < 0 ? this.#waiting.length : tooMany
  }

  #take(count: number): Waiting[] {
    const taken = this.#waiting.splice(0, count)
    for (const { operations } of taken) this.#operations -= operations
    return taken
  }

  /** Hands the next batch over; undefined where nothing waits. Whoever was answered just now will be back. */
  #begin(answered = 0): Committed | undefined {
    if (this.#waiting.length === 0) return undefined
    this.#crowd = Math.max(this.#waiting.length + answered, this.#crowd * crowdStays)
    const batch = this.#take(this.#commitLength())
    this.#handedOver = batch
    const startedMs = this.#clock.monotonicMs()
    const pending = batch.map(({ pending }) => pending)
    const committed = this.#store.commit(pending, (at, outcome) => this.#onBlocked(batch[at], outcome))
    // It is waited for a moment later, when the batch before is answered.
    committed.catch(() => {})
    return { batch, startedMs, committed }
  }

  /** It is done, whatever goes wrong in telling of it. */
  #onCommitted(batch: readonly Waiting[], outcomes: readonly Outcome[], ms: number): void {
    try {
      for (const [i, waiting] of batch.entries()) {
        const outcome = outcomes[i]
        assert(outcome !== undefined, 'a store answers every command of a batch')
        if (!waiting.settled && !this.#blocked.has(waiting)) waiting.settle(outcome)
      }
      this.#options.onCommit?.(batch.length, ms)
    } catch (error) {
      this.#options.onError?.(error)
      for (const waiting of batch) if (!waiting.settled) waiting.fail(error)
    }
  }

  /** Its outcome comes by itself, while other batches go on. */
  #onBlocked(waiting: Waiting | undefined, outcome: Promise<Outcome>): void {
    assert(waiting !== undefined, 'a store names commands of the batch')
    this.#blocked.add(waiting)
    outcome
      .then(
        (answer) => {
          if (!waiting.settled) waiting.settle(answer)
        },
        (error) => this.#onFailed([waiting], error),
      )
      .finally(() => {
        this.#blocked.delete(waiting)
        this.#tellIdle()
      })
  }

  #onFailed(batch: readonly Waiting[], error: unknown): void {
    const code = error instanceof StoreError ? error.code : 'failed'
    switch (code) {
      case 'busy':
        // Nothing was applied: those whose time is up are refused, the others try again, in the order they came.
        this.#putBack(batch)
        this.#refuseExpired()
        break
      case 'failed':
        this.#onCulprit(batch, error)
        break
      case 'unavailable':
      case 'unusable':
        settleAll(batch, 'store_unavailable')
        break
      case 'outcome_unknown':
        settleAll(batch, 'outcome_unknown')
        break
    }
  }

  /** Something in the batch made it fail: each goes again alone, and only the culprit gets the error. */
  #onCulprit(batch: readonly Waiting[], error: unknown): void {
    if (batch.length > 1) {
      for (const waiting of batch) waiting.alone = true
      this.#putBack(batch)
      return
    }
    this.#options.onError?.(error)
    for (const waiting of batch) if (!waiting.settled) waiting.fail(error)
  }

  #putBack(batch: readonly Waiting[]): void {
    const back = batch.filter(({ settled }) => !settled)
    for (const { operations } of back) this.#operations += operations
    this.#waiting = [...back, ...this.#waiting]
  }

  #armTimer(ms: number): void {
    this.#isTimed = true
    this.#clock.after(Math.max(1, ms), () => {
      this.#isTimed = false
      this.#onDeadline()
    })
  }

  #onDeadline(): void {
    this.#refuseExpired()
    const { graceMs } = this.#options
    const nowMs = this.#clock.monotonicMs()
    for (const waiting of this.#away) {
      if (!waiting.settled && waiting.pending.deadlineMs + graceMs <= nowMs)
        waiting.settle(refused('outcome_unknown'))
    }

    const handedOver = this.#away.find(({ settled }) => !settled)
    const nextMs = Math.min(
      handedOver === undefined ? Infinity : handedOver.pending.deadlineMs + graceMs,
      this.#waiting[0]?.pending.deadlineMs ?? Infinity,
    )
    if (nextMs < Infinity) this.#armTimer(nextMs - nowMs)
  }

  /** Refuses what still waits and whose deadline has passed. All wait equally long, so they stand in front. */
  #refuseExpired(): void {
    const nowMs = this.#clock.monotonicMs()
    const alive = this.#waiting.findIndex(({ pending }) => nowMs < pending.deadlineMs)
    for (const waiting of this.#take(alive < 0 ? this.#waiting.length : alive)) {
      const first = this.#away.some(({ pending }) => isSame(pending.key, waiting.pending.key))
      waiting.settle(refused(first ? 'in_progress' : 'account_busy'))
    }
  }
}

function settleAll(batch: readonly Waiting[], refusal: Refusal): void {
  for (const waiting of batch) if (!waiting.settled) waiting.settle(refused(refusal))
}

function refused(refusal: Refusal): Outcome {
  return { reply: refuse(refusal), replayed: false }
}

function isSame(a: Key | undefined, b: Key | undefined): boolean {
  return a !== undefined && b !== undefined && a.scope === b.scope && a.key === b.key
}

/**
 * The world of one run: virtual time, and who is woken when. Between two events the real event loop turns until
 * nothing moves any more, so that what needs no time takes none, and the order of everything is the order of events.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../src/bank/clock.ts'
import type { Instant } from '../../src/ledger/money.ts'

type Event = { readonly atMs: number; readonly run: () => void | Promise<void> }

// A request needs fewer turns of the loop between two things that are told to `move`: with 2 the trace is another one,
// with 4 or 20 it is the same.
const quietTurns = 3

// A run has some thousand events; what is woken so often is woken for nothing, again and again.
const eventsUsual = 50_000

export class World {
  #events: Event[] = []
  #nowMs = 0
  #moves = 0
  #stamp = 0
  #count = 0
  readonly #eventsMax: number

  constructor({ eventsMax = eventsUsual } = {}) {
    this.#eventsMax = eventsMax
  }

  /** Virtual milliseconds since the run began; they only rise. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Runs something once so much time has passed; what is due together runs in the order it was asked for. */
  after(ms: number, run: Event['run']): void {
    const event = { atMs: this.#nowMs + Math.max(0, Math.ceil(ms)), run }
    const place = this.#events.findLastIndex(({ atMs }) => atMs <= event.atMs)
    this.#events.splice(place + 1, 0, event)
  }

  /** The next of the instants that tell what was before what, also within a millisecond. */
  stamp(): number {
    this.#stamp += 1
    return this.#stamp
  }

  /** To be told of whatever happens on the server, so that time stands until it has been dealt with. */
  move(): void {
    this.#moves += 1
  }

  /** Whether it would go on for ever: then `run` has stopped it. */
  get isRestless(): boolean {
    return this.#count >= this.#eventsMax
  }

  /** Event after event until some work is done, whatever else would go on for ever. */
  async runUntil(work: Promise<void>): Promise<void> {
    let done = false
    const ended = work.finally(() => {
      done = true
    })
    // What it throws is told by whoever waits for it below.
    ended.catch(() => {})
    await this.settle()
    while (!done) {
      const event = this.#events.shift()
      if (event === undefined || this.isRestless) throw new Error('it waits for something that never comes')
      this.#count += 1
      this.#nowMs = event.atMs
      await event.run()
      await this.settle()
    }
    await ended
  }

  /** Event after event until there is none. */
  async run(): Promise<void> {
    await this.settle()
    for (;;) {
      const event = this.#events[0]
      if (event === undefined || this.isRestless) return
      this.#count += 1
      this.#events.shift()
      this.#nowMs = event.atMs
      await event.run()
      await this.settle()
    }
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < quietTurns; quiet += 1) {
      const before = this.#moves
      await turn()
      if (this.#moves !== before) quiet = -1
    }
  }
}

/** The clock of the run: monotonic time is the world's, the wall clock is set forward and back, and stopped. */
export class Clocks implements Clock {
  readonly #world: World
  #baseMs: Instant
  #stopped: Instant | undefined

  constructor(world: World, startsAt: Instant) {
    this.#world = world
    this.#baseMs = startsAt
  }

  now(): Instant {
    return this.#stopped ?? this.#baseMs + this.#world.nowMs
  }

  monotonicMs(): number {
    return this.#world.nowMs
  }

  after(ms: number, callback: () => void): void {
    this.#world.after(ms, callback)
  }

  jump(ms: number): void {
    this.#baseMs += ms
    if (this.#stopped !== undefined) this.#stopped += ms
  }

  stop(): void {
    this.#stopped ??= this.now()
  }

  /** Goes on from where it stopped, as a clock does that was not set since. */
  goOn(): void {
    if (this.#stopped === undefined) return
    this.#baseMs = this.#stopped - this.#world.nowMs
    this.#stopped = undefined
  }
}

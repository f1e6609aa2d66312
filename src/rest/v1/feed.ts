/**
 * The journal as events, for any number of readers. Pages begin at every so many records, whoever reads them, so that
 * readers share them: each record is read and written once, not once a reader. Nothing is kept for a reader but its
 * position.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bank } from '../../bank/bank.ts'
import type { RecordId } from '../../ledger/command.ts'
import { type Event, eventOf, writeEvent } from './event.ts'

/**
 * Events beyond a position, and all of them as server-sent events in the bytes of the page; `last` is the position
 * behind them, also where none of its records is an event.
 */
export type EventPage = {
  readonly events: readonly Event[]
  readonly bytes: Buffer
  readonly last: number
  /** The record there; undefined where the page has come no further. */
  readonly lastId?: RecordId | undefined
}

type Shared = {
  readonly lastId: RecordId | undefined
  readonly events: readonly Event[]
  readonly bytes: Buffer
  readonly starts: readonly number[]
}

const nothing = Buffer.alloc(0)

// Some 100 KB of text, and 1 ms of writing it.
const recordsPerPage = 256
const pagesKept = 32
// After a commit so many more are waited for: a stream is this late at the most, and reads in larger pieces. With ten
// readers, writing kept 0.67 of its rate at 10 ms and 0.85 at 40 ms.
const gatherMs = 40

export class Feed {
  readonly #bank: Bank
  /** By where they begin and end; the least lately asked for goes first. */
  readonly #pages = new Map<string, Promise<Shared>>()

  constructor(bank: Bank) {
    this.#bank = bank
  }

  /** The next events; with none and the same position where there is nothing beyond it yet. */
  async next(after: number): Promise<EventPage> {
    const from = after - (after % recordsPerPage)
    const last = Math.min(from + recordsPerPage, await this.#bank.last())
    if (last <= after) return { events: [], bytes: nothing, last: after }
    const { events, bytes, starts, lastId } = await this.#page(from, last)
    const first = events.findIndex(({ place }) => place > after)
    if (first < 0) return { events: [], bytes: nothing, last, lastId }
    return { events: events.slice(first), bytes: bytes.subarray(starts[first]), last, lastId }
  }

  /** All events beyond a position as they come; an empty page after so long without any. Ends with the signal. */
  async *follow(
    after: number,
    { idleMs, signal }: { idleMs: number; signal: AbortSignal },
  ): AsyncGenerator<EventPage> {
    for (let position = after; !signal.aborted; ) {
      // Before looking: what is committed meanwhile is not slept over.
      const { nextCommit } = this.#bank
      const page = await this.next(position)
      if (page.last > position) {
        position = page.last
        yield page
      } else if (await commitsWithin(nextCommit, idleMs, signal)) {
        await sleep(gatherMs)
      } else if (!signal.aborted) yield page
    }
  }

  #page(from: number, last: number): Promise<Shared> {
    const name = `${from} ${last}`
    const page = this.#pages.get(name) ?? this.#read(from, last)
    this.#pages.delete(name)
    this.#pages.set(name, page)
    for (const old of this.#pages.keys()) {
      if (this.#pages.size <= pagesKept) break
      this.#pages.delete(old)
    }
    // A page that could not be read is not kept.
    page.catch(() => this.#pages.delete(name))
    return page
  }

  async #read(after: number, last: number): Promise<Shared> {
    const records = await this.#bank.records({ after, last })
    const events = records.flatMap((record) => eventOf(record) ?? [])
    const written = events.map((event) => Buffer.from(writeEvent(event)))
    let at = 0
    const starts = written.map(({ length }) => {
      at += length
      return at - length
    })
    return { events, bytes: Buffer.concat(written), starts, lastId: records.at(-1)?.id }
  }
}

/** Whether there is a commit before the time is up, or the signal comes. */
async function commitsWithin(commit: Promise<void>, ms: number, signal: AbortSignal): Promise<boolean> {
  const done = new AbortController()
  const either = AbortSignal.any([signal, done.signal])
  const idle = sleep(ms, false, { signal: either, ref: false }).catch(() => false)
  const found = await Promise.race([commit.then(() => true), idle])
  done.abort()
  return found
}

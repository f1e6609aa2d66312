/** Searches transfers and holds, newest first: what the index has yet to take in, then what it or the journal has. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Found, type HoldPageQuery, pageOf, type TransferPageQuery } from '../../bank/store.ts'
import { isHouse } from '../../ledger/account.ts'
import { holdAfter, isWanted, transferIn } from '../../ledger/books.ts'
import {
  type Hold,
  holdAt,
  idOf,
  type PostedTransfer,
  type RecordId,
  sequenceBefore,
  sequenceOf,
} from '../../ledger/command.ts'
import { fromLine, type Line } from '../../ledger/record.ts'
import { Entries } from './entries.ts'
import { JournalReader } from './journal.ts'
import { keyHash, Loader } from './load.ts'
import { progressOf } from './projection.ts'

// Some 30 ms of reading; a page that needs more ends there, and says where to go on.
const linesPerSearch = 20_000
const linesPerSlice = 2_000
const rowsPerSlice = 1_000
// An account's records never go back in time, but the wall clock may: no further than this is looked for.
const clockStepMs = 24 * 3600 * 1000

export class Search {
  readonly #journal: JournalReader
  readonly #loader: Loader
  readonly #progress: ReturnType<typeof progressOf>
  readonly #refs: StatementSync
  readonly #entries: Entries
  readonly #holds: StatementSync
  readonly #holdsOf: StatementSync

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#journal = new JournalReader(journal)
    this.#loader = new Loader({ index, journal })
    this.#progress = progressOf(index)
    this.#refs = index.prepare(
      'select sequence from refs where hash = ? and sequence < ? order by sequence desc limit ?',
    )
    this.#entries = new Entries({ index, journal })
    this.#holds = index.prepare(
      'select sequence from holds where sequence < ? order by sequence desc limit ?',
    )
    this.#holdsOf = index.prepare(
      'select sequence from holds where account = ? and sequence < ? order by sequence desc limit ?',
    )
  }

  transfers({ before: id, limit, ...wanted }: TransferPageQuery): Found<PostedTransfer> {
    const before = sequenceBefore(id)
    const { reference, account, from = 0 } = wanted
    const things: PostedTransfer[] = []
    const takeTransfer = (transfer: PostedTransfer) => {
      if (isWanted(transfer, wanted)) things.push(transfer)
      return things.length > limit
    }
    const take = (line: Line) => {
      const transfer = transferIn(line)
      return transfer === undefined ? things.length > limit : takeTransfer(transfer)
    }
    const scan = { before, from, limit, things }
    const byAccount = account !== undefined && !isHouse(account)
    if (reference === undefined && !byAccount) return this.#scan({ ...scan, down: 0 }, take)

    const { sequence: indexed } = this.#progress()
    this.#scan({ ...scan, from: 0, down: indexed }, take)
    const end = Math.min(before, indexed + 1)
    if (reference === undefined && account !== undefined) {
      const below = { sequence: end, ...(wanted.to !== undefined && { at: wanted.to }) }
      if (things.length <= limit)
        for (const { transfer } of this.#entries.walk(account, below))
          if (transfer.at < from || takeTransfer(transfer)) break
      return pageOf(things, limit)
    }
    for (let below = end; things.length <= limit; ) {
      const rows = this.#refs.all(keyHash('', reference ?? ''), below, rowsPerSlice) as {
        sequence: number
      }[]
      for (const { sequence } of rows) if (take(this.#journal.line(sequence))) break
      if (rows.length < rowsPerSlice) break
      below = rows.at(-1)?.sequence ?? 0
    }
    return pageOf(things, limit)
  }

  /** Lines from before one down to another, newest first, until enough is found or enough was looked at. */
  #scan(
    of: { before: number; down: number; from: number; limit: number; things: PostedTransfer[] },
    take: (line: Line) => boolean,
  ): Found<PostedTransfer> {
    let at = Math.min(of.before - 1, this.#journal.head().last)
    for (let looked = 0; at > of.down; ) {
      const lines = this.#journal.lines(Math.max(of.down, at - linesPerSlice), at)
      for (const line of lines.reverse()) {
        if (line.at < of.from - clockStepMs || take(line)) return pageOf(of.things, of.limit)
        at = line.sequence - 1
      }
      looked += lines.length
      if (of.down === 0 && looked >= linesPerSearch && at > 0)
        return { things: of.things, next: idOf(at + 1) }
    }
    return pageOf(of.things, of.limit)
  }

  holds({ account, state, now, before: id, limit }: HoldPageQuery): Found<Hold> {
    const before = sequenceBefore(id)
    const { sequence: indexed } = this.#progress()
    const changed = this.#holdsSince(indexed)
    const things: Hold[] = []
    const take = (hold: Hold) => {
      const current = holdAt(hold, now)
      const isWanted =
        current.account === (account ?? current.account) && current.state === (state ?? current.state)
      if (isWanted) things.push(current)
      return things.length > limit
    }
    const isNew = (hold: Hold) => sequenceOf(hold.id) > indexed && sequenceOf(hold.id) < before
    for (const hold of [...changed.values()].filter(isNew).reverse())
      if (take(hold)) return pageOf(things, limit)

    let looked = 0
    for (let below = Math.min(before, indexed + 1); ; ) {
      const rows = (
        account === undefined
          ? this.#holds.all(below, rowsPerSlice)
          : this.#holdsOf.all(account, below, rowsPerSlice)
      ) as { sequence: number }[]
      for (const { sequence } of rows) {
        const id = idOf(sequence)
        const hold = changed.get(id) ?? this.#loader.hold(id)
        if (hold !== undefined && take(hold)) return pageOf(things, limit)
        below = sequence
      }
      looked += rows.length
      if (rows.length < rowsPerSlice) return pageOf(things, limit)
      if (looked >= linesPerSearch) return { things, next: idOf(below) }
    }
  }

  /** Holds that were placed or resolved since the index came to a record, as they are now. */
  #holdsSince(sequence: number): Map<RecordId, Hold> {
    const holds = new Map<RecordId, Hold>()
    const find = (id: RecordId) => holds.get(id) ?? this.#loader.hold(id)
    for (const line of this.#journal.linesInTurn(sequence, this.#journal.head().last)) {
      if (line.kind !== 'hold_placed' && line.kind !== 'hold_resolved' && line.kind !== 'transfer') continue
      const { content, at } = fromLine(line)
      const hold = holdAfter(content, { id: idOf(line.sequence), at }, find)
      if (hold !== undefined) holds.set(hold.id, hold)
    }
    return holds
  }
}

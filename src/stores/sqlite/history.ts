/** Reads the transfers of one account, newest first: those the index has yet to take in, then those it knows. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Entry, EntryPage } from '../../bank/store.ts'
import type { AccountNumber } from '../../ledger/account.ts'
import { leftOn, transferIn } from '../../ledger/books.ts'
import type { Instant } from '../../ledger/money.ts'
import type { Line } from '../../ledger/record.ts'
import { JournalReader } from './journal.ts'
import { progressOf } from './projection.ts'

type EntryRow = { readonly version: number; readonly sequence: number }

export class History {
  readonly #index: DatabaseSync
  readonly #journal: JournalReader
  readonly #progress: ReturnType<typeof progressOf>
  readonly #below: StatementSync

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#index = index
    this.#journal = new JournalReader(journal)
    this.#progress = progressOf(index)
    this.#below = index.prepare(
      `select version, sequence
      from entries
      where account = ? and version < ?
      order by version desc
      limit ?`,
    )
  }

  entries({ account, before = Number.MAX_SAFE_INTEGER, from = 0, to, limit }: EntryPage): Entry[] {
    this.#index.exec('begin')
    try {
      const { sequence } = this.#progress()
      const newer = this.#tailOf(account, sequence).filter(
        ({ version, transfer: { at } }) => version < before && (to === undefined || at < to),
      )
      const below = to === undefined ? before : Math.min(before, this.#firstAt(account, to))
      const older = newer.length < limit ? this.#indexed(account, below, limit - newer.length) : []
      return [...newer, ...older].slice(0, limit).filter(({ transfer: { at } }) => at >= from)
    } finally {
      this.#index.exec('commit')
    }
  }

  #tailOf(account: AccountNumber, after: number): Entry[] {
    const { last } = this.#journal.head()
    const named = JSON.stringify(account)
    return this.#journal
      .lines(after, last)
      .filter(({ kind, body }) => kind === 'transfer' && body.includes(named))
      .flatMap((line) => entryOf(line, account) ?? [])
      .reverse()
  }

  #indexed(account: AccountNumber, before: number, limit: number): Entry[] {
    const rows = this.#below.all(account, before, limit) as EntryRow[]
    return rows.flatMap(({ sequence }) => entryOf(this.#journal.line(sequence), account) ?? [])
  }

  /** The version from which on an account's entries are at an instant or later: they never go back in time. */
  #firstAt(account: AccountNumber, instant: Instant): number {
    const newest =
      (this.#below.get(account, Number.MAX_SAFE_INTEGER, 1) as EntryRow | undefined)?.version ?? 0
    let low = 0
    let high = newest + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const row = this.#below.get(account, middle + 1, 1) as EntryRow | undefined
      if (row !== undefined && this.#journal.line(row.sequence).at >= instant) high = row.version
      else low = middle + 1
    }
    return low
  }
}

/** The account's side of the transfer that a line is; undefined where it has none. */
function entryOf(line: Line, account: AccountNumber): Entry | undefined {
  const transfer = transferIn(line)
  const after = transfer && leftOn(transfer, account)
  return transfer && after && { version: after.version, transfer }
}

/** Reads the transfers of one account, newest first: those the index has yet to take in, then those it knows. */
import type { DatabaseSync } from 'node:sqlite'
import type { Entry, EntryPage } from '../../bank/store.ts'
import type { AccountNumber } from '../../ledger/account.ts'
import { Entries, entryOf } from './entries.ts'
import { JournalReader } from './journal.ts'
import { progressOf } from './projection.ts'

export class History {
  readonly #index: DatabaseSync
  readonly #journal: JournalReader
  readonly #entries: Entries
  readonly #progress: ReturnType<typeof progressOf>

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#index = index
    this.#journal = new JournalReader(journal)
    this.#entries = new Entries({ index, journal })
    this.#progress = progressOf(index)
  }

  entries({ account, before, from = 0, to, limit }: EntryPage): Entry[] {
    this.#index.exec('begin')
    try {
      const { sequence } = this.#progress()
      const found = this.#tailOf(account, sequence)
        .filter(({ version, transfer: { at } }) => version < (before ?? Infinity) && at < (to ?? Infinity))
        .filter(({ transfer: { at } }) => at >= from)
        .slice(0, limit)
      const below = {
        ...(before !== undefined && { version: before }),
        ...(to !== undefined && { at: to }),
      }
      if (found.length < limit)
        for (const entry of this.#entries.walk(account, below)) {
          if (entry.transfer.at < from || found.push(entry) === limit) break
        }
      return found
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
}

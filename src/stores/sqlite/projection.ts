/** What can be looked up, derived from the journal: accounts as they stand, and where a key's reply is. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Books } from '../../ledger/books.ts'
import type { JournalRecord } from '../../ledger/record.ts'
import { keyHash } from './load.ts'

export class Projection {
  readonly #account: StatementSync
  readonly #key: StatementSync

  constructor(db: DatabaseSync) {
    this.#account = db.prepare(
      `insert into accounts (number, currency, ledger, held, version, at)
      values (?, ?, ?, ?, ?, ?)
      on conflict (number) do update set
        ledger = excluded.ledger, held = excluded.held, version = excluded.version, at = excluded.at`,
    )
    this.#key = db.prepare('insert into keys (hash, sequence) values (?, ?)')
  }

  /** Saves what this layer of the books holds, and where the replies among its records are. */
  save(books: Books, records: readonly JournalRecord[]): void {
    for (const { number, currency, ledger, held, version, at } of books.changed)
      this.#account.run(number, currency, ledger, held, version, at)
    for (const { sequence, scope, content } of records)
      if (content.kind === 'reply') this.#key.run(keyHash(scope, content.key), sequence)
  }
}

/** Finds what was answered under a key: in what the index has yet to take in, else where the index says. */
import type { DatabaseSync } from 'node:sqlite'
import { type StoredReply, stored } from '../../ledger/books.ts'
import type { Key } from '../../ledger/command.ts'
import { fromLine } from '../../ledger/record.ts'
import { JournalReader } from './journal.ts'
import { Loader } from './load.ts'
import { progressOf } from './projection.ts'

export class Replies {
  readonly #journal: JournalReader
  readonly #loader: Loader
  readonly #progress: ReturnType<typeof progressOf>

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#journal = new JournalReader(journal)
    this.#loader = new Loader({ index, journal })
    this.#progress = progressOf(index)
  }

  reply({ scope, key }: Key): StoredReply | undefined {
    // The progress first: what the index takes in meanwhile is then found twice, and never missed.
    const { sequence } = this.#progress()
    const named = `"key":${JSON.stringify(key)}`
    const tail = this.#journal
      .lines(sequence, this.#journal.head().last)
      .filter((line) => line.kind === 'reply' && line.scope === scope && line.body.includes(named))
    for (const { content, at } of tail.map(fromLine).reverse()) {
      if (content.kind === 'reply' && content.key === key) return stored(content, at)
    }
    return this.#loader.reply(scope, key)
  }
}

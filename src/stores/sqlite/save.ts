/** Appends a commit to the journal: its lines, then the block that seals them. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Block } from '../../ledger/block.ts'
import type { Line } from '../../ledger/record.ts'

export class JournalWriter {
  readonly #line: StatementSync
  readonly #block: StatementSync

  constructor(journal: DatabaseSync) {
    this.#line = journal.prepare(
      'insert into records (sequence, at, kind, actor, scope, body) values (?, ?, ?, ?, ?, ?)',
    )
    this.#block = journal.prepare(
      `insert into blocks (sequence, writer, clock, at, last, totals, previous, hash)
      values (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
  }

  append(lines: readonly Line[], block: Block): void {
    for (const { sequence, at, kind, actor, scope, body } of lines)
      this.#line.run(sequence, at, kind, actor, scope, body)
    const { sequence, writer, clock, at, last, totals, previous, hash } = block
    this.#block.run(sequence, writer, clock, at, last, totals, previous, hash)
  }
}

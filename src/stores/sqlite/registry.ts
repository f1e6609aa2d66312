/** What is registered and what was done to it: from the index, then from what the index has yet to take in. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Act, type ActPage, type Found, pageOf } from '../../bank/store.ts'
import { idOf, type RecordId, sequenceBefore } from '../../ledger/command.ts'
import { fromLine, type Line } from '../../ledger/record.ts'
import { isListed, isPrivileged, registeredAfter, type Thing } from '../../ledger/registry.ts'
import { progressOf } from './projection.ts'

export class Registry {
  readonly #index: DatabaseSync
  readonly #progress: ReturnType<typeof progressOf>
  readonly #listed: StatementSync
  readonly #acts: StatementSync
  readonly #line: StatementSync
  readonly #beyond: StatementSync

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#index = index
    this.#progress = progressOf(index)
    this.#listed = index.prepare('select body from registry where listed = 1 order by sequence')
    this.#acts = index.prepare('select sequence from acts where sequence < ? order by sequence desc limit ?')
    const columns = 'sequence, at, kind, actor, scope, body'
    this.#line = journal.prepare(`select ${columns} from records where sequence = ?`)
    // Most records are transfers, replies, holds and withdrawals of no interest here, and are not read as JSON.
    this.#beyond = journal.prepare(
      `select ${columns}
      from records
      where sequence > ?
        and kind not in ('reply', 'account_opened', 'hold_placed', 'hold_resolved', 'operation_done', 'operation_declined')
        and kind not like 'withdrawal%'
        and (kind <> 'transfer' or instr(body, '"adjustment"') > 0 or instr(body, '"forced":true') > 0)
      order by sequence`,
    )
  }

  things(): readonly Thing[] {
    const things = new Map<RecordId, Thing>()
    this.#index.exec('begin')
    try {
      for (const { body } of this.#listed.all()) {
        const thing = JSON.parse(String(body)) as Thing
        things.set(thing.id, thing)
      }
      for (const { sequence, content, at, actor } of this.#tail()) {
        const named = { id: idOf(sequence), at, actor }
        const thing = registeredAfter(content, named, (id) => things.get(id))
        if (thing !== undefined) things.set(thing.id, thing)
      }
    } finally {
      this.#index.exec('commit')
    }
    return [...things.values()].filter(isListed)
  }

  acts({ before: id, limit }: ActPage): Found<Act> {
    const before = sequenceBefore(id)
    this.#index.exec('begin')
    try {
      const beyond = this.#tail()
        .filter(({ sequence, content }) => sequence < before && isPrivileged(content))
        .reverse()
      const rows = this.#acts.all(before, limit + 1)
      const indexed = rows.map(({ sequence }) => fromLine(this.#line.get(Number(sequence)) as Line))
      const acts = [...beyond, ...indexed].map((record) => ({ id: idOf(record.sequence), ...record }))
      return pageOf(acts, limit)
    } finally {
      this.#index.exec('commit')
    }
  }

  #tail() {
    return (this.#beyond.all(this.#progress().sequence) as Line[]).map(fromLine)
  }
}

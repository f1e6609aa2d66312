/** Lists of what the ATM side keeps: from the index, then from what the index has yet to take in. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { beyond, type EntitiesFound, type EntityPage, entityPageOf, inTime } from '../../bank/store.ts'
import { atmKinds, isAtm } from '../../ledger/atm-records.ts'
import { entitiesAfter } from '../../ledger/entities-after.ts'
import { dueAt, type Entity, type EntityName, isWaiting, nameOfEntity, ownerOf } from '../../ledger/entity.ts'
import type { Instant } from '../../ledger/money.ts'
import { fromLine, type Line } from '../../ledger/record.ts'
import { Loader } from './load.ts'
import { progressOf } from './projection.ts'

const rowsPerSlice = 1_000
// Some 20 ms of reading; a page that needs more ends there, and says where to go on.
const rowsPerPage = 20_000

type Row = {
  readonly name: EntityName
  readonly owner: string | null
  readonly waiting: number | null
  readonly body: string
}

/** What the index has yet to take in of the ATM side, and all of that as it is now. */
export type Now = {
  /** Up to which record the index has come. */
  readonly indexed: number
  /** Lines beyond it, oldest first. */
  readonly lines: readonly Line[]
  readonly changed: ReadonlyMap<EntityName, Entity>
  find(name: EntityName): Entity | undefined
}

export class Entities {
  readonly #index: DatabaseSync
  readonly #loader: Loader
  readonly #progress: ReturnType<typeof progressOf>
  readonly #named: StatementSync
  readonly #waiting: StatementSync
  readonly #due: StatementSync
  readonly #beyond: StatementSync

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#index = index
    this.#loader = new Loader({ index, journal })
    this.#progress = progressOf(index)
    const named = 'name >= ? and name > ? and name < ? order by name limit ?'
    this.#named = index.prepare(`select name, owner, waiting, body from entities where ${named}`)
    this.#waiting = index.prepare(
      `select name, owner, waiting, body from entities where waiting = 1 and ${named}`,
    )
    this.#due = index.prepare(
      'select name, body from entities where due is not null and due <= ? order by due, name limit ?',
    )
    this.#beyond = journal.prepare(
      `select sequence, at, kind, actor, scope, body
      from records
      where sequence > ? and kind in (${atmKinds.map((kind) => `'${kind}'`).join(', ')})
      order by sequence`,
    )
  }

  page(page: EntityPage): EntitiesFound {
    const { prefix, owner, waiting, after = '', limit } = page
    return this.atOnce(({ changed }) => {
      const { found, end } = this.#indexed(page, changed)
      for (const [name, entity] of changed) {
        if (!name.startsWith(prefix) || name <= after || name > (end ?? name)) continue
        if (owner !== undefined && ownerOf(entity) !== owner) continue
        if (waiting !== undefined && isWaiting(entity) !== waiting) continue
        found.push(entity)
      }
      return { ...(end !== undefined && { next: end }), ...entityPageOf(found, limit) }
    })
  }

  /** Of those that are unchanged, as many as a page needs; up to `end` where more would take too long. */
  #indexed(
    { prefix, owner, waiting, after = '', limit }: EntityPage,
    changed: ReadonlyMap<EntityName, Entity>,
  ): { found: Entity[]; end?: EntityName } {
    const rows = waiting === true ? this.#waiting : this.#named
    const found: Entity[] = []
    let at = after
    for (let looked = 0; looked < rowsPerPage; looked += rowsPerSlice) {
      const slice = rows.all(prefix, at, beyond(prefix), rowsPerSlice) as Row[]
      for (const row of slice) {
        at = row.name
        if (changed.has(at) || (owner !== undefined && row.owner !== owner)) continue
        if (waiting !== undefined && (row.waiting === 1) !== waiting) continue
        if (found.push(JSON.parse(row.body)) > limit) return { found }
      }
      if (slice.length < rowsPerSlice) return { found }
    }
    return { found, end: at }
  }

  due(now: Instant, limit: number): readonly Entity[] {
    return this.atOnce(({ changed }) => {
      const rows = this.#due.all(now, limit + changed.size) as { name: EntityName; body: string }[]
      const indexed = rows
        .filter(({ name }) => !changed.has(name))
        .map(({ body }) => JSON.parse(body) as Entity)
      const recent = [...changed.values()].filter((entity) => (dueAt(entity) ?? Infinity) <= now)
      return inTime([...indexed, ...recent]).slice(0, limit)
    })
  }

  /** Those that wait under a prefix. */
  waiting(prefix: EntityName, { changed }: Now): readonly Entity[] {
    const rows = this.#waiting.all(prefix, '', beyond(prefix), -1) as Row[]
    const indexed = rows
      .filter(({ name }) => !changed.has(name))
      .map(({ body }) => JSON.parse(body) as Entity)
    const recent = [...changed].filter(([name, entity]) => name.startsWith(prefix) && isWaiting(entity))
    return [...indexed, ...recent.map(([, entity]) => entity)]
  }

  /** Reads of one moment. */
  atOnce<Found>(read: (now: Now) => Found): Found {
    this.#index.exec('begin')
    try {
      return read(this.#now())
    } finally {
      this.#index.exec('commit')
    }
  }

  #now(): Now {
    const changed = new Map<EntityName, Entity>()
    const find = (name: EntityName) => changed.get(name) ?? this.#loader.entity(name)
    const { sequence: indexed } = this.#progress()
    const lines = this.#beyond.all(indexed) as Line[]
    for (const line of lines) {
      const { content, at } = fromLine(line)
      if (isAtm(content))
        for (const entity of entitiesAfter(content, at, find)) changed.set(nameOfEntity(entity), entity)
    }
    return { indexed, lines, changed, find }
  }
}

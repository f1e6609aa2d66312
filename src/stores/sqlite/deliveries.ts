/** What became of webhooks' events, in a file of its own: rows change at every try, which the journal's never do. */
import { readFileSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { sha256 } from '../../bank/batch.ts'
import { type Found, pageOf } from '../../bank/store.ts'
import {
  type Counts,
  type Delivery,
  type DeliveryLog,
  type DeliveryPage,
  type DeliveryState,
  type EventPlace,
  keptRecords,
} from '../../bank/webhooks.ts'
import { idOf, type RecordId, sequenceBefore, sequenceOf } from '../../ledger/command.ts'
import type { Instant } from '../../ledger/money.ts'
import { pragma } from './files.ts'

const sql = readFileSync(new URL('schema/deliveries.sql', import.meta.url), 'utf8')
/** Of this text, as SQLite's user_version: a file made from another one is made anew. */
const version = Number.parseInt(sha256(sql).slice(0, 7), 16)

type Row = Omit<Delivery, 'id' | 'place' | 'webhook'> & { readonly webhook: number; readonly event: number }

export class SqliteDeliveries implements DeliveryLog {
  readonly #db: DatabaseSync
  readonly #position: StatementSync
  readonly #setPosition: StatementSync
  readonly #add: StatementSync
  readonly #again: StatementSync
  readonly #allAgain: StatementSync
  readonly #due: StatementSync
  readonly #nextAt: StatementSync
  readonly #settle: StatementSync
  readonly #forget: StatementSync
  readonly #page: StatementSync
  readonly #counts: StatementSync

  /** Beside the store's file; `:memory:` keeps nothing. */
  static open(path: string): SqliteDeliveries {
    const db = new DatabaseSync(path, { timeout: 1_000 })
    // Not synced at every commit: what is lost with the machine was about to be sent, and is sent again.
    db.exec('pragma journal_mode = wal; pragma synchronous = normal')
    if (pragma(db, 'user_version') !== version)
      db.exec(`begin immediate; ${sql}; pragma user_version = ${version}; commit`)
    return new SqliteDeliveries(db)
  }

  private constructor(db: DatabaseSync) {
    this.#db = db
    this.#position = db.prepare('select sequence from positions where webhook = ?')
    this.#setPosition = db.prepare(
      `insert into positions (webhook, sequence)
      values (?, ?)
      on conflict (webhook) do update set sequence = excluded.sequence`,
    )
    this.#add = db.prepare(
      `insert or ignore into deliveries (webhook, event, state, attempts, first_at, next_at)
      values (?, ?, 'pending', 0, ?, ?)`,
    )
    this.#again = db.prepare(
      `insert into deliveries (webhook, event, state, attempts, first_at, next_at)
      values (?, ?, 'pending', 0, ?, ?)
      on conflict (webhook, event) do update set
        state = 'pending', attempts = 0, first_at = excluded.first_at, next_at = excluded.next_at`,
    )
    this.#allAgain = db.prepare(
      `update deliveries
      set state = 'pending', attempts = 0, first_at = ?, next_at = ?
      where webhook = ? and state = 'dead'`,
    )
    const columns = 'webhook, event, state, attempts, first_at, last_at, next_at, status, error'
    this.#due = db.prepare(
      `select ${columns}
      from deliveries
      where webhook = ? and state = 'pending' and next_at <= ?
      order by next_at, event
      limit ?`,
    )
    this.#nextAt = db.prepare(
      `select min(next_at) as at from deliveries where webhook = ? and state = 'pending'`,
    )
    this.#settle = db.prepare(
      `update deliveries
      set state = ?, attempts = ?, last_at = ?, next_at = ?, status = ?, error = ?
      where webhook = ? and event = ?`,
    )
    this.#forget = db.prepare(
      `delete from deliveries where webhook = ? and event < ? and state = 'delivered'`,
    )
    this.#page = db.prepare(
      `select ${columns}
      from deliveries
      where webhook = ? and event < ? and state = coalesce(?, state)
      order by event desc
      limit ?`,
    )
    this.#counts = db.prepare(
      `select count(*) filter (where state = 'pending') as pending, count(*) filter (where state = 'dead') as dead
      from deliveries
      where webhook = ? and state <> 'delivered'`,
    )
  }

  async isOurs(): Promise<boolean> {
    return true
  }

  async position(webhook: RecordId): Promise<number | undefined> {
    return (this.#position.get(sequenceOf(webhook)) as { sequence: number } | undefined)?.sequence
  }

  async take(
    webhook: RecordId,
    { last, events }: { readonly last: number; readonly events: readonly EventPlace[] },
    now: Instant,
  ): Promise<void> {
    const id = sequenceOf(webhook)
    this.#db.exec('begin immediate')
    try {
      for (const { place } of events) this.#add.run(id, place, now, now)
      this.#setPosition.run(id, last)
      this.#forget.run(id, last - keptRecords)
      this.#db.exec('commit')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('rollback')
      throw error
    }
  }

  async again(webhook: RecordId, event: EventPlace | undefined, now: Instant): Promise<void> {
    const id = sequenceOf(webhook)
    if (event === undefined) this.#allAgain.run(now, now, id)
    else this.#again.run(id, event.place, now, now)
  }

  async due(webhook: RecordId, now: Instant, limit: number): Promise<readonly Delivery[]> {
    return (this.#due.all(sequenceOf(webhook), now, limit) as Row[]).map(deliveryOf)
  }

  async nextAt(webhook: RecordId): Promise<Instant | undefined> {
    return (this.#nextAt.get(sequenceOf(webhook)) as { at: number | null }).at ?? undefined
  }

  async settle({
    webhook,
    place,
    state,
    attempts,
    last_at,
    next_at,
    status,
    error,
  }: Delivery): Promise<void> {
    this.#settle.run(state, attempts, last_at, next_at, status, error, sequenceOf(webhook), place)
  }

  async page({ webhook, state, before, limit }: DeliveryPage): Promise<Found<Delivery>> {
    const rows = this.#page.all(
      sequenceOf(webhook),
      sequenceBefore(before),
      state ?? null,
      limit + 1,
    ) as Row[]
    return pageOf(rows.map(deliveryOf), limit)
  }

  async counts(webhook: RecordId): Promise<Counts> {
    const { pending = 0, dead = 0 } = (this.#counts.get(sequenceOf(webhook)) ?? {}) as Partial<Counts>
    return { pending, dead }
  }

  async close(): Promise<void> {
    this.#db.close()
  }
}

function deliveryOf({ webhook, event, state, ...row }: Row): Delivery {
  return { ...row, webhook: idOf(webhook), id: idOf(event), place: event, state: state as DeliveryState }
}

/**
 * What became of webhooks' events, for all nodes. Beside `stores/sqlite/deliveries.ts`: of the nodes one sends for each
 * webhook, under a lease; what it writes after another took that over is dropped. Events are known by their places,
 * since ids of several writers have no order.
 */
import { randomUUID } from 'node:crypto'
import { systemClock } from '../../bank/clock.ts'
import { type Found, pageOf } from '../../bank/store.ts'
import {
  type Counts,
  type Delivery,
  type DeliveryLog,
  type DeliveryPage,
  type EventPlace,
  keptRecords,
} from '../../bank/webhooks.ts'
import type { RecordId } from '../../ledger/command.ts'
import type { Instant } from '../../ledger/money.ts'
import { type Ask, databaseNow, statement } from './connect.ts'

/** How long after the last word of a node another sends in its place. */
const usualLeaseMs = 6_000

const claim = statement(
  'sending_claim',
  `insert into sending (webhook, holder, until)
  values ($1, $2, ${databaseNow} + $3::bigint)
  on conflict (webhook) do update set holder = excluded.holder, until = excluded.until
    where sending.holder = excluded.holder or sending.until < ${databaseNow}
  returning webhook`,
)
const renew = statement(
  'sending_renew',
  `update sending set until = ${databaseNow} + $2::bigint where holder = $1 returning webhook`,
)
const release = statement('sending_release', 'update sending set until = 0 where holder = $1')
const positionOf = statement('sending_position', 'select place from sending where webhook = $1')
const take = statement(
  'deliveries_take',
  `with line as (
    update sending set place = $3 where webhook = $1 and holder = $2 returning webhook
  )
  insert into deliveries (webhook, place, event, state, attempts, first_at, next_at)
  select line.webhook, e.place, e.event, 'pending', 0, $4::bigint, $4::bigint
  from line, unnest($5::bigint[], $6::text[]) as e (place, event)
  on conflict (webhook, place) do nothing`,
)
const forget = statement(
  'deliveries_forget',
  `delete from deliveries where webhook = $1 and place < $2 and state = 'delivered'`,
)
const again = statement(
  'deliveries_again',
  `insert into deliveries (webhook, place, event, state, attempts, first_at, next_at)
  values ($1, $2, $3, 'pending', 0, $4, $4)
  on conflict (webhook, place) do update set
    state = 'pending', attempts = 0, first_at = excluded.first_at, next_at = excluded.next_at`,
)
const allAgain = statement(
  'deliveries_all_again',
  `update deliveries set state = 'pending', attempts = 0, first_at = $2, next_at = $2
  where webhook = $1 and state = 'dead'`,
)
const columns = 'webhook, place, event as id, state, attempts, first_at, last_at, next_at, status, error'
const dueNow = statement(
  'deliveries_due',
  `select ${columns} from deliveries
  where webhook = $1 and state = 'pending' and next_at <= $2
  order by next_at, place
  limit $3`,
)
const nextAt = statement(
  'deliveries_next',
  `select min(next_at) as at from deliveries where webhook = $1 and state = 'pending'`,
)
const settle = statement(
  'deliveries_settle',
  `update deliveries d
  set state = $4, attempts = $5, last_at = $6, next_at = $7, status = $8, error = $9
  where d.webhook = $1 and d.place = $2
    and exists (select 1 from sending s where s.webhook = $1 and s.holder = $3)`,
)
const pageOfAll = statement(
  'deliveries_page',
  `select ${columns} from deliveries
  where webhook = $1 and place < $2 and state = coalesce($3, state)
  order by place desc
  limit $4`,
)
const countsOf = statement(
  'deliveries_counts',
  `select count(*) filter (where state = 'pending') as pending, count(*) filter (where state = 'dead') as dead
  from deliveries
  where webhook = $1 and state <> 'delivered'`,
)

export class PostgresDeliveries implements DeliveryLog {
  readonly #ask: Ask
  readonly #placeOf: (id: RecordId) => Promise<number | undefined>
  readonly #leaseMs: number
  readonly #holder = randomUUID()
  readonly #renewal: NodeJS.Timeout
  /** The webhooks that are this node's, each until when at least. */
  #held: ReadonlyMap<RecordId, number> = new Map()

  constructor(
    ask: Ask,
    placeOf: (id: RecordId) => Promise<number | undefined>,
    { leaseMs = usualLeaseMs } = {},
  ) {
    this.#ask = ask
    this.#placeOf = placeOf
    this.#leaseMs = leaseMs
    this.#renewal = setInterval(() => void this.#renew(), leaseMs / 3).unref()
  }

  async isOurs(webhook: RecordId): Promise<boolean> {
    const nowMs = systemClock.monotonicMs()
    if ((this.#held.get(webhook) ?? 0) > nowMs) return true
    const rows = await this.#ask(claim, [webhook, this.#holder, this.#leaseMs])
    const isOurs = rows.length > 0
    if (isOurs) this.#held = new Map([...this.#held, [webhook, nowMs + this.#leaseMs]])
    return isOurs
  }

  /** What could not be renewed is claimed again when it is next asked for, or is another's by then. */
  async #renew(): Promise<void> {
    if (this.#held.size === 0) return
    const untilMs = systemClock.monotonicMs() + this.#leaseMs
    const rows = await this.#ask(renew, [this.#holder, this.#leaseMs]).catch(() => undefined)
    if (rows !== undefined) this.#held = new Map(rows.map(({ webhook }) => [String(webhook), untilMs]))
  }

  async position(webhook: RecordId): Promise<number | undefined> {
    const [row] = (await this.#ask(positionOf, [webhook])) as unknown as { place: number | null }[]
    return row?.place ?? undefined
  }

  async take(
    webhook: RecordId,
    { last, events }: { readonly last: number; readonly events: readonly EventPlace[] },
    now: Instant,
  ): Promise<void> {
    const columns = [events.map(({ place }) => place), events.map(({ id }) => id)]
    await this.#ask(take, [webhook, this.#holder, last, now, ...columns])
    await this.#ask(forget, [webhook, last - keptRecords])
  }

  async again(webhook: RecordId, event: EventPlace | undefined, now: Instant): Promise<void> {
    if (event === undefined) await this.#ask(allAgain, [webhook, now])
    else await this.#ask(again, [webhook, event.place, event.id, now])
  }

  async due(webhook: RecordId, now: Instant, limit: number): Promise<readonly Delivery[]> {
    return (await this.#ask(dueNow, [webhook, now, limit])) as unknown as Delivery[]
  }

  async nextAt(webhook: RecordId): Promise<Instant | undefined> {
    const [row] = (await this.#ask(nextAt, [webhook])) as unknown as { at: number | null }[]
    return row?.at ?? undefined
  }

  async settle(delivery: Delivery): Promise<void> {
    const { webhook, place, state, attempts, last_at, next_at, status, error } = delivery
    const values = [state, attempts, last_at, next_at, status, error]
    await this.#ask(settle, [webhook, place, this.#holder, ...values])
  }

  async page({ webhook, state, before, limit }: DeliveryPage): Promise<Found<Delivery>> {
    const place = before === undefined ? undefined : await this.#placeOf(before)
    const values = [webhook, place ?? Number.MAX_SAFE_INTEGER, state ?? null, limit + 1]
    return pageOf((await this.#ask(pageOfAll, values)) as unknown as Delivery[], limit)
  }

  async counts(webhook: RecordId): Promise<Counts> {
    const [row] = (await this.#ask(countsOf, [webhook])) as unknown as Counts[]
    return row ?? { pending: 0, dead: 0 }
  }

  /** Lets go of what is this node's, for the next to ask. */
  async close(): Promise<void> {
    clearInterval(this.#renewal)
    await this.#ask(release, [this.#holder]).catch(() => {})
  }
}

/**
 * Sends the events of the journal to webhooks, each at least once: what is to be sent is written down before the
 * position moves, and stays until the target took it or a day of tries is over. A target that is down holds back its
 * own events alone; beyond so many of them they wait in the journal. Of many nodes one sends for each webhook.
 */
import assert from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bank } from '../bank/bank.ts'
import type { Clock } from '../bank/clock.ts'
import type { Found } from '../bank/store.ts'
import type { Counts, Delivery, DeliveryLog, DeliveryPage, EventPlace, Webhooks } from '../bank/webhooks.ts'
import type { RecordId } from '../ledger/command.ts'
import type { Instant } from '../ledger/money.ts'
import type { Webhook } from '../ledger/registry.ts'
import { eventOf } from '../rest/v1/event.ts'
import { Sender } from './sender.ts'
import { type Sealer, signed } from './signature.ts'
import { type Resolve, Targets } from './targets.ts'

export type DelivererOptions = {
  readonly bank: Bank
  readonly clock: Clock
  readonly deliveries: DeliveryLog
  /** Without one nothing is sent from here, and no webhook made. */
  readonly sealer?: Sealer | undefined
  /** Networks that may be reached although they are not public. */
  readonly networks: readonly string[]
  readonly resolve?: Resolve
  /** How long one try may take, and how long after the first failure the next comes. Milliseconds. */
  readonly tryMs?: number
  readonly retryMs?: number
  /** How long after its first try an event is given up. Milliseconds. */
  readonly giveUpMs?: number
  onDead?(delivery: Delivery): void
  onError?(error: unknown): void
}

const recordsPerPage = 256
/** Beyond so many on their way, the webhook's next events wait in the journal. */
const pendingMax = 1_000
const atOnce = 8
// After a commit so many more are waited for: pages are read for many commits together.
const gatherMs = 40
const usualTryMs = 15_000
const usualRetryMs = 5_000
const retryMaxMs = 4 * 3_600_000
const dayMs = 24 * 3_600_000
// Between tries of ours where the store or its log fails.
const troubleMs = 1_000
// How soon it is noticed that the node which sends for a webhook has ended.
const otherMs = 2_000

export class Deliverer implements Webhooks {
  readonly #options: DelivererOptions
  readonly #targets: Targets
  readonly #sender: Sender
  readonly #running = new Map<RecordId, Line>()

  constructor(options: DelivererOptions) {
    this.#options = options
    this.#targets = new Targets(options.networks, options.resolve)
    this.#sender = new Sender({ targets: this.#targets, tryMs: options.tryMs ?? usualTryMs })
  }

  get sealedWith(): string {
    return this.#sealer.id
  }

  secretOf(salt: string): string {
    return this.#sealer.secretOf(salt)
  }

  get #sealer(): Sealer {
    const { sealer } = this.#options
    assert(sealer !== undefined, 'asked only where nothing is refused')
    return sealer
  }

  async refuses(url: string): Promise<string | undefined> {
    if (this.#options.sealer === undefined)
      return 'cannot be sent to: on PostgreSQL CASHPOINT_KEYS must name a file of keys that is the same on all nodes'
    return this.#targets.refusesUrl(url)
  }

  deliveries(page: DeliveryPage): Promise<Found<Delivery>> {
    return this.#options.deliveries.page(page)
  }

  counts(webhook: RecordId): Promise<Counts> {
    return this.#options.deliveries.counts(webhook)
  }

  /** Begins to send, also for webhooks that are made from now on. */
  start(): void {
    const { bank, sealer, onError } = this.#options
    if (sealer === undefined) return
    const strange = new Set<RecordId>()
    bank.watchRegistry((things) => {
      const webhooks = things.filter((thing): thing is Webhook => thing.kind === 'webhook')
      for (const webhook of webhooks) {
        const { id } = webhook
        const line = this.#running.get(id)
        if (webhook.disabled_at !== undefined) line?.stop()
        else if (webhook.sealed_with === sealer.id) {
          if (line === undefined)
            this.#running.set(
              id,
              new Line(webhook, sealer.secretOf(webhook.salt), this.#options, this.#sender),
            )
        } else if (!strange.has(id)) {
          strange.add(id)
          onError?.(new Error(`webhook ${id} was made on a node with other keys, and is not sent from here`))
        }
      }
    })
  }

  /** Stops sending. What is under way is given up, and sent again at the next start. */
  async close(): Promise<void> {
    const stopped = [...this.#running.values()].map((line) => line.stop())
    this.#sender.close()
    await Promise.all(stopped)
  }
}

/** One webhook's: reads what is new, sends what is due, and sleeps until there is something to do. */
class Line {
  readonly #webhook: Webhook
  readonly #options: DelivererOptions
  readonly #sender: Sender
  readonly #secret: string
  readonly #stopping = new AbortController()
  /** Bodies of events that were just read, so that most are not read again. */
  readonly #bodies = new Map<RecordId, string>()
  readonly #underWay = new Set<RecordId>()
  readonly #tries = new Set<Promise<void>>()
  readonly #ended: Promise<void>
  #wake = Promise.withResolvers<void>()

  constructor(webhook: Webhook, secret: string, options: DelivererOptions, sender: Sender) {
    this.#webhook = webhook
    this.#options = options
    this.#sender = sender
    this.#secret = secret
    this.#ended = this.#run()
  }

  stop(): Promise<void> {
    this.#stopping.abort()
    this.#wake.resolve()
    return this.#ended
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      // Before looking: what is committed or ends meanwhile is not slept over.
      const { nextCommit } = this.#options.bank
      this.#wake = Promise.withResolvers()
      try {
        if (!(await this.#options.deliveries.isOurs(this.#webhook.id))) {
          await sleep(otherMs, undefined, { signal })
          continue
        }
        const hasMore = await this.#take()
        await this.#send()
        if (!hasMore) await this.#rest(nextCommit)
      } catch (error) {
        if (!signal.aborted) this.#options.onError?.(error)
        await sleep(troubleMs, undefined, { signal }).catch(() => {})
      }
    }
    await Promise.allSettled(this.#tries)
  }

  /** Sleeps until a commit, a free place, or the next one's time. */
  async #rest(nextCommit: Promise<void>): Promise<void> {
    const { clock, deliveries } = this.#options
    const due = this.#underWay.size < atOnce ? await deliveries.nextAt(this.#webhook.id) : undefined
    const ms = due === undefined ? dayMs : Math.max(gatherMs, due - clock.now())
    const timer = new AbortController()
    const slept = sleep(ms, undefined, { signal: timer.signal, ref: false }).catch(() => {})
    const why = await Promise.race([nextCommit.then(() => 'committed'), this.#wake.promise, slept])
    timer.abort()
    if (why === 'committed')
      await sleep(gatherMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
  }

  /** Looks at the next records; false where there is nothing new, or so much on its way that it must wait. */
  async #take(): Promise<boolean> {
    const { bank, clock, deliveries } = this.#options
    const { id, types } = this.#webhook
    const after = (await deliveries.position(id)) ?? (await this.#placeOf(id))
    const last = Math.min(after + recordsPerPage, await bank.last())
    if (last <= after || (await deliveries.counts(id)).pending >= pendingMax) return false
    const records = await bank.records({ after, last })
    const now = clock.now()
    for (const { content } of records)
      if (content.kind === 'webhook_redelivered' && content.webhook === id)
        await deliveries.again(id, await this.#placed(content.event), now)
    const wanted = records
      .flatMap((record) => eventOf(record) ?? [])
      .filter(({ type }) => types.length === 0 || types.includes(type))
    for (const { id, text } of wanted) this.#bodies.set(id, text)
    await deliveries.take(id, { last, events: wanted }, now)
    return true
  }

  async #placed(id: RecordId | undefined): Promise<EventPlace | undefined> {
    return id === undefined ? undefined : { id, place: await this.#placeOf(id) }
  }

  async #placeOf(id: RecordId): Promise<number> {
    const place = await this.#options.bank.placeOf(id)
    assert(place !== undefined, 'what was committed has a place')
    return place
  }

  /** Starts tries of what is due while there are places. */
  async #send(): Promise<void> {
    const { clock, deliveries } = this.#options
    if (this.#underWay.size === atOnce) return
    // As it is before looking: a try that ends meanwhile may be seen as it was.
    const underWay = new Set(this.#underWay)
    const found = await deliveries.due(this.#webhook.id, clock.now(), atOnce * 2)
    const due = found.filter(({ id }) => !underWay.has(id)).slice(0, atOnce - this.#underWay.size)
    for (const delivery of due) {
      this.#underWay.add(delivery.id)
      const tried = this.#try(delivery)
        .catch((error) => this.#options.onError?.(error))
        .finally(() => {
          this.#underWay.delete(delivery.id)
          this.#tries.delete(tried)
          this.#wake.resolve()
        })
      this.#tries.add(tried)
    }
  }

  async #try(delivery: Delivery): Promise<void> {
    const { clock, deliveries, onDead } = this.#options
    const { id } = delivery
    const body = this.#bodies.get(id) ?? (await this.#bodyOf(id))
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'Cashpoint',
      ...signed(this.#secret, { id, body, now: clock.now() }),
    }
    const { status, error } = await this.#sender.send(this.#webhook.url, headers, body)
    // What was cut off by our own end is tried again at the next start.
    if (error !== null && this.#stopping.signal.aborted) return
    this.#bodies.delete(id)
    const now = clock.now()
    const attempts = delivery.attempts + 1
    const last = { ...delivery, attempts, last_at: now, status, error }
    const settled =
      error === null ? ({ ...last, state: 'delivered', next_at: null } as const) : this.#later(last, now)
    await deliveries.settle(settled)
    if (settled.state === 'dead') onDead?.(settled)
  }

  /** When to try again: four times as long after each failure, up to some hours; given up after a day. */
  #later(failed: Delivery, now: Instant): Delivery {
    const { retryMs = usualRetryMs, giveUpMs = dayMs } = this.#options
    const pauseMs = Math.min(retryMs * 4 ** (failed.attempts - 1), retryMaxMs)
    // Targets that failed together are not asked again together.
    const next_at = now + Math.round(pauseMs * (0.8 + 0.4 * Math.random()))
    if (next_at > failed.first_at + giveUpMs) return { ...failed, state: 'dead', next_at: null }
    return { ...failed, next_at }
  }

  async #bodyOf(id: RecordId): Promise<string> {
    const { bank } = this.#options
    const place = await this.#placeOf(id)
    const [record] = await bank.records({ after: place - 1, last: place })
    return (record && eventOf(record)?.text) ?? '{}'
  }
}

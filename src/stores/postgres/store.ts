/**
 * The store of any number of nodes on one PostgreSQL. Beside `stores/sqlite/`: there is no index that trails and no
 * thread, since rows are written in the batch's own transaction and the database reads them; files of the same name do
 * the same work. `places.ts` puts what all writers wrote in one order.
 */
import assert from 'node:assert'
import type pg from 'pg'
import { usualRules } from '../../bank/batch.ts'
import { systemClock } from '../../bank/clock.ts'
import {
  type AccountList,
  type AccountPage,
  type Act,
  type ActPage,
  type BlockPage,
  type BlockRange,
  type ChainProven,
  type EntitiesFound,
  type EntityPage,
  type Entry,
  type EntryPage,
  type Finding,
  type FindPage,
  type Found,
  type HoldPageQuery,
  type LineRange,
  type ListedBlock,
  type NamedLine,
  type NamedRecord,
  type OnBlocked,
  type Pending,
  type ProofProgress,
  type Store,
  StoreError,
  storeClosed,
  type TransferPageQuery,
} from '../../bank/store.ts'
import type { Account, AccountNumber, HouseAccount } from '../../ledger/account.ts'
import { type Block, readTotals, type Totals } from '../../ledger/block.ts'
import { type StoredReply, stored, type TransferPage } from '../../ledger/books.ts'
import {
  type Hold,
  type Key,
  type Outcome,
  type PostedTransfer,
  pagesOf,
  type RecordId,
} from '../../ledger/command.ts'
import type { Entity, EntityName } from '../../ledger/entity.ts'
import type { Instant } from '../../ledger/money.ts'
import { fromLine, type Line } from '../../ledger/record.ts'
import type { Refusal } from '../../ledger/refusal.ts'
import type { Thing } from '../../ledger/registry.ts'
import type { Fault, Proven } from '../../ledger/verify.ts'
import { Blocked } from './blocked.ts'
import { type Ask, connect, databaseNow, messageOf, poolOf, reader, statement } from './connect.ts'
import { PostgresDeliveries } from './deliveries.ts'
import { readDue, readEntity, readEntityPage } from './entities.ts'
import { Finder } from './find.ts'
import { readDatabaseUrl } from './hosts.ts'
import { listAccounts } from './lists.ts'
import { readTransfers } from './load.ts'
import { migrate } from './migrate.ts'
import { Places } from './places.ts'
import { prove } from './prove.ts'
import {
  type AccountRow,
  accountColumns,
  accountOf,
  type LineRow,
  lineColumns,
  lineOf,
  spotOf,
} from './rows.ts'
import { readActs, readEntries, searchHolds, searchTransfers } from './search.ts'
import { Terms } from './terms.ts'
import { stillBlocked, Writer, type WriterOptions } from './writer.ts'

const readersMax = 4
// How late what another node did is noticed, by those who wait for it.
const watchMs = 200
// Without an answer for so long it is better to send clients to another node.
const awayMs = 2_000

// Replies too old to be given again are deleted so often, so many at once, and this long after their time: the
// database's clock may have been put forward, and go back.
const forgetEveryMs = 60_000
const repliesPerTurn = 1_000
const forgetLateMs = 24 * 3_600_000

const accountsAt = statement(
  'accounts_at',
  `select ${accountColumns} from accounts where number = any($1::text[])`,
)
const holdAt = statement('hold_at', 'select body from holds where writer = $1 and sequence = $2')
const thingAt = statement('thing_at', 'select body from registry where writer = $1 and sequence = $2')
const thingsListed = statement(
  'things_listed',
  'select body from registry where listed order by writer, sequence',
)
const replyAt = statement(
  'reply_at',
  `select ${lineColumns}
  from replies p join records r using (writer, sequence)
  where p.scope = $1 and p.key = $2`,
)
const progress = statement(
  'progress',
  `select (select sum(block) from writers) as blocks, (select max(clock) from acts) as acts`,
)
const forgetReplies = statement(
  'forget_replies',
  `delete from replies
  where (scope, key) in (
    select scope, key from replies where at < ${databaseNow} - $1::bigint order by at limit ${repliesPerTurn}
  )
  returning key`,
)
const totalsOf = statement('totals_of', 'select totals from writers')

type Asked = { resolve(account: Account | undefined): void; reject(error: unknown): void }

export class PostgresStore implements Store {
  readonly name: string
  readonly #options: WriterOptions
  readonly #pool: pg.Pool
  readonly #ask: Ask
  readonly #writer: Writer
  readonly #places: Places
  readonly #terms: Terms
  readonly #finder: Finder
  readonly #blocked: Blocked
  /** Accounts that are asked for in this turn of the event loop: one statement reads them all. */
  #asked = new Map<AccountNumber, Asked[]>()
  #committing = false
  #closed = false
  #watch: NodeJS.Timeout | undefined
  readonly #forgetting: NodeJS.Timeout
  /** When the database last answered who watches it. */
  #heardMs = Infinity

  /** Throws a StoreError `unusable` with one line for the operator. */
  static async open(options: WriterOptions): Promise<PostgresStore> {
    try {
      const client = await connect(options)
      try {
        await migrate(client)
      } finally {
        await client.end()
      }
      return new PostgresStore(options, await Writer.start(options))
    } catch (cause) {
      if (cause instanceof StoreError) throw cause
      throw new StoreError(
        'unusable',
        `${readDatabaseUrl(options.url).name} cannot be used: ${messageOf(cause)}`,
        {
          cause,
        },
      )
    }
  }

  private constructor(options: WriterOptions, writer: Writer) {
    this.name = readDatabaseUrl(options.url).name
    this.#options = options
    this.#pool = poolOf(options, readersMax)
    this.#ask = reader(this.#pool, options)
    this.#places = new Places(this.#pool, options)
    this.#terms = new Terms(this.#pool, options, this.#places)
    this.#finder = new Finder({ ask: this.#ask, places: this.#places, terms: this.#terms })
    this.#terms.start()
    this.#writer = writer
    this.#blocked = new Blocked(() => new Writer(options))
    this.#forgetting = setInterval(() => void this.forget().catch(() => {}), forgetEveryMs).unref()
  }

  /** While there is no connection batches still come, and make one: until the deadline it may be there again. */
  get shut(): Refusal | undefined {
    return this.#closed ? 'store_unavailable' : undefined
  }

  get isAway(): boolean {
    return systemClock.monotonicMs() - this.#heardMs > awayMs
  }

  async commit(batch: readonly Pending[], onBlocked?: OnBlocked): Promise<readonly Outcome[]> {
    assert(!this.#committing, 'one batch at a time')
    if (this.#closed) throw storeClosed()
    if (batch.length === 0) return []
    this.#committing = true
    try {
      if (onBlocked === undefined) return await this.#writer.commit(batch)
      return await this.#commitFree(batch, onBlocked)
    } finally {
      this.#committing = false
    }
  }

  /** What names an account that has a line joins it; of the rest, what turns out to be blocked begins one. */
  async #commitFree(batch: readonly Pending[], onBlocked: OnBlocked): Promise<readonly Outcome[]> {
    const lineOf = (pending: Pending) =>
      this.#blocked.size === 0
        ? undefined
        : accountsNamed(pending).find((number) => this.#blocked.has(number))
    const lines = batch.map(lineOf)
    for (const [at, pending] of batch.entries()) {
      const account = lines[at]
      if (account !== undefined) onBlocked(at, this.#blocked.join(account, pending))
    }
    const free = [...batch.entries()].filter(([at]) => lines[at] === undefined)
    if (free.length === 0) return batch.map(() => stillBlocked)

    const { outcomes, blocked } = await this.#writer.commitFree(free.map(([, pending]) => pending))
    for (const [i, account] of blocked) {
      const [at, pending] = free[i] as [number, Pending]
      onBlocked(at, this.#blocked.join(account, pending))
    }
    const placed = batch.map(() => stillBlocked)
    for (const [i, [at]] of free.entries()) placed[at] = outcomes[i] ?? stillBlocked
    return placed
  }

  account(number: AccountNumber): Promise<Account | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#asked.size === 0) setImmediate(() => void this.#readAsked())
      const asked = this.#asked.get(number)
      if (asked === undefined) this.#asked.set(number, [{ resolve, reject }])
      else asked.push({ resolve, reject })
    })
  }

  async #readAsked(): Promise<void> {
    const asked = this.#asked
    this.#asked = new Map()
    try {
      const rows = (await this.#ask(accountsAt, [[...asked.keys()]])) as unknown as AccountRow[]
      const found = new Map(rows.map((row) => [row.number, accountOf(row)]))
      for (const [number, each] of asked) for (const { resolve } of each) resolve(found.get(number))
    } catch (error) {
      for (const each of asked.values()) for (const { reject } of each) reject(error)
    }
  }

  async transfer(id: RecordId): Promise<TransferPage | undefined> {
    const spot = spotOf(id)
    const [page] = spot === undefined ? [] : await readTransfers([spot], this.#ask)
    return page
  }

  hold(id: RecordId): Promise<Hold | undefined> {
    return this.#body(holdAt, id)
  }

  thing(id: RecordId): Promise<Thing | undefined> {
    return this.#body(thingAt, id)
  }

  async #body<Body>(at: typeof holdAt, id: RecordId): Promise<Body | undefined> {
    const spot = spotOf(id)
    const [row] = spot === undefined ? [] : await this.#ask(at, [spot.writer, spot.sequence])
    return row && JSON.parse(String(row['body']))
  }

  async things(): Promise<readonly Thing[]> {
    return (await this.#ask(thingsListed, [])).map(({ body }) => JSON.parse(String(body)))
  }

  acts(page: ActPage): Promise<Found<Act>> {
    return readActs(page, this.#ask)
  }

  entity(name: EntityName): Promise<Entity | undefined> {
    return readEntity(name, this.#ask)
  }

  entities(page: EntityPage): Promise<EntitiesFound> {
    return readEntityPage(page, this.#ask)
  }

  due(now: Instant, limit: number): Promise<readonly Entity[]> {
    return readDue(now, limit, this.#ask)
  }

  find(page: FindPage): Promise<Found<Finding>> {
    return this.#finder.find(page)
  }

  about(names: readonly EntityName[], limit: number): Promise<readonly NamedRecord[]> {
    return this.#finder.about(names, limit)
  }

  async reply({ scope, key }: Key): Promise<StoredReply | undefined> {
    const [row] = (await this.#ask(replyAt, [scope, key])) as unknown as LineRow[]
    if (row === undefined) return undefined
    const { content, at } = fromLine(lineOf(row))
    return content.kind === 'reply' ? stored(content, at) : undefined
  }

  async totals(): Promise<Totals> {
    const sums = new Map<HouseAccount, bigint>()
    for (const { totals } of await this.#ask(totalsOf, []))
      for (const [house, total] of readTotals(String(totals)))
        sums.set(house, (sums.get(house) ?? 0n) + total)
    return sums
  }

  entries(page: EntryPage): Promise<readonly Entry[]> {
    return readEntries(page, this.#ask)
  }

  transfers(page: TransferPageQuery): Promise<Found<PostedTransfer>> {
    return searchTransfers(page, this.#ask)
  }

  holds(page: HoldPageQuery): Promise<Found<Hold>> {
    return searchHolds(page, this.#ask)
  }

  accounts(page: AccountPage): Promise<AccountList> {
    return listAccounts(this.#pool, this.#options, page)
  }

  async last(): Promise<number> {
    return (await this.#places.head()).place
  }

  placeOf(id: RecordId): Promise<number | undefined> {
    return this.#places.placeOf(id)
  }

  lines(range: LineRange): Promise<readonly NamedLine[]> {
    return this.#places.lines(range)
  }

  blocks(page: BlockPage): Promise<readonly ListedBlock[]> {
    return this.#places.blocksBefore(page)
  }

  heads(): Promise<readonly ListedBlock[]> {
    return this.#places.heads()
  }

  async *journal(fromBlock = 1): AsyncGenerator<{ block: Block; lines: readonly Line[] }> {
    const { block: newest } = await this.#places.head()
    for await (const { block, lines } of this.#places.blocks(fromBlock - 1, newest)) yield { block, lines }
  }

  prove(
    range: BlockRange,
    onProgress: (progress: ProofProgress) => void,
  ): Promise<Fault | Proven | ChainProven> {
    return prove(this.#places, this.#ask, range, onProgress)
  }

  /** The log of webhooks' deliveries, in the same database; whoever opens it closes it. */
  openDeliveries(): PostgresDeliveries {
    return new PostgresDeliveries(this.#ask, (id) => this.#places.placeOf(id))
  }

  figures(): ReturnType<Store['figures']> {
    return {
      store_writer: {
        help: 'The writer that this node is, as its records are named.',
        read: () => this.#writer.id,
      },
      store_connections: {
        help: 'Connections to the database.',
        read: () => this.#pool.totalCount + (this.#writer.isConnected ? 1 : 0),
      },
      store_accounts_blocked: {
        help: 'Accounts that somebody else has locked, and whose commands wait in lines of their own.',
        read: () => this.#blocked.size,
      },
      store_reads_waiting: {
        help: 'Reads that wait for a connection.',
        read: () => this.#pool.waitingCount,
      },
      store_terms_lag_records: {
        help: 'Records that searches have yet to be able to find by their numbers at once.',
        read: () => this.#terms.lag,
      },
      store_writable: {
        help: '1 if commands are accepted, else 0.',
        read: () => (this.shut === undefined && this.#writer.isConnected ? 1 : 0),
      },
    }
  }

  watch(onChange: (change: { readonly registry: boolean }) => void): void {
    // The first look finds a change as well: one may have come after what was read at the start.
    let before: string | undefined
    this.#heardMs = systemClock.monotonicMs()
    let acts: unknown
    let looking = false
    const look = async () => {
      const [row = {}] = await this.#ask(progress, [])
      this.#heardMs = systemClock.monotonicMs()
      const seen = JSON.stringify(row)
      if (seen !== before) onChange({ registry: row['acts'] !== acts })
      before = seen
      acts = row['acts']
    }
    this.#watch = setInterval(() => {
      if (looking) return
      looking = true
      look()
        .catch(() => {})
        .finally(() => {
          looking = false
        })
    }, watchMs).unref()
  }

  /** Deletes replies that are too old to be given again; the journal keeps them. Any node may, at any time. */
  async forget(): Promise<number> {
    const { keyRetentionMs = usualRules.keyRetentionMs } = this.#options
    for (let forgotten = 0; ; ) {
      const rows = await this.#ask(forgetReplies, [keyRetentionMs + forgetLateMs])
      forgotten += rows.length
      if (rows.length < repliesPerTurn) return forgotten
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#watch)
    clearInterval(this.#forgetting)
    await this.#terms.close()
    await this.#blocked.close()
    await this.#writer.close()
    await this.#pool.end()
  }
}

/** The accounts that a command itself names; what stands behind ids is known to the database alone. */
function accountsNamed(pending: Pending): readonly AccountNumber[] {
  return pagesOf(pending).flatMap(({ accounts = [] }) => accounts)
}

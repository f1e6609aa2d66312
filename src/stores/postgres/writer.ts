/**
 * One committing connection: a batch is a transaction of two round trips. The first takes the locks and reads what
 * they guard, the second writes and commits.
 *
 *   begin, lock accounts, read holds, keys, writer, clock ──▶ apply ──▶ write, commit
 *
 * Other than with one file, the books are read anew for each batch: other nodes write as well. Who a writer is, its
 * row says: a lease with an epoch, so that one that was taken for dead cannot go on under its old name.
 */
import assert from 'node:assert'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { applyBatch, type RuleSettings, rulesOf, sha256 } from '../../bank/batch.ts'
import { type Clock, systemClock } from '../../bank/clock.ts'
import { type Pending, StoreError } from '../../bank/store.ts'
import type { AccountNumber } from '../../ledger/account.ts'
import type { Rules } from '../../ledger/apply.ts'
import { type Block, genesis, seal } from '../../ledger/block.ts'
import { Books } from '../../ledger/books.ts'
import { type Outcome, refuse } from '../../ledger/command.ts'
import { toLine } from '../../ledger/record.ts'
import {
  type Ask,
  asker,
  type Client,
  connect,
  cut,
  databaseNow,
  endIfSilent,
  isLost,
  isPassing,
  lockNotAvailable,
  messageOf,
  Overtaken,
  type PostgresOptions,
  queryCanceled,
  readOnly,
  statement,
  stateOf,
  uniqueViolation,
  within,
} from './connect.ts'
import { Cards } from './entities.ts'
import { isOutgrown, load, lockOne, readExisting, type Wanted, wantedBy } from './load.ts'
import { saves } from './save.ts'

const leaseMs = 60_000
const renewMs = 20_000
// Between tries of what passes, so that nodes which got in each other's way do not do so again.
const pauseMs = 20
// After the deadline a commit that was not answered is looked up for so long; then its outcome is said to be unknown.
const resolveMs = 200
// After it a connection that says nothing is cut: a busy database has this long to say that a lock was not had.
const silentMs = 800
// What the database has to say at once: who this is, and good-bye.
const answerMs = 5_000
const closeMs = 1_000
const startMs = 15_000
// What another node needs for a commit of its own, and more: an account that is locked for longer is blocked.
const soonMs = 50
const timeoutMax = 0x7fff_ffff

const claim = statement(
  'claim',
  `select id from writers where until < $1 order by id limit 1 for update skip locked`,
)
const take = statement(
  'take',
  'update writers set epoch = epoch + 1, holder = $2, until = $3 where id = $1 returning epoch',
)
const enroll = statement(
  'enroll',
  `insert into writers (id, epoch, holder, until, block, last, totals)
  select coalesce(max(id), 0) + 1, 1, $1, $2, 0, 0, '{}' from writers
  returning id, epoch`,
)
const renew = statement(
  'renew',
  `update writers set until = ${databaseNow} + $3::bigint where id = $1 and epoch = $2`,
)
const release = statement('release', 'update writers set until = 0 where id = $1 and epoch = $2')
const lockWriter = statement(
  'lock_writer',
  `select epoch, block, ${databaseNow} as now,
    exists (select 1 from writers w where w.id <> $1 and w.block > 0) as others
  from writers
  where id = $1
  for no key update`,
)
const headOf = statement(
  'head_of',
  `select writer, sequence, clock, at, last, totals, previous, hash
  from blocks
  where writer = $1
  order by sequence desc
  limit 1`,
)

const hashOf = statement('hash_of', 'select hash from blocks where writer = $1 and sequence = $2')

export type WriterOptions = PostgresOptions &
  RuleSettings & {
    /** Tells the time in place of the database, whose clock all nodes share. */
    readonly clock?: Pick<Clock, 'now'>
  }

/** What was answered; `blocked` has the commands that were not done, each with the account that is in the way. */
export type Committed = {
  readonly outcomes: readonly Outcome[]
  readonly blocked: ReadonlyMap<number, AccountNumber>
}

/** The writer's row once it is locked, the database's clock, and whether there are blocks of other writers. */
type Locked = {
  readonly epoch: number
  readonly block: number
  readonly now: number
  readonly others: boolean
}

/**
 * Which locks a try waits for: all until the deadline, all for a moment, none that somebody else has, or none but one
 * account's until the deadline.
 */
type Locks = 'all' | 'soon' | 'free' | { readonly account: AccountNumber }

/** What a command is answered whose account stays locked until its deadline. */
export const stillBlocked: Outcome = { reply: refuse('account_busy'), replayed: false }

export class Writer {
  readonly #options: WriterOptions
  readonly #rules: Rules
  #client: Client | undefined
  #ask: Ask | undefined
  #id = 0
  #epoch = 0
  #head: Block = genesis(1)
  readonly #cards = new Cards()
  readonly #renewal: NodeJS.Timeout

  /** Not connected: it is when the first batch comes. */
  constructor(options: WriterOptions) {
    this.#options = options
    this.#rules = rulesOf(options)
    this.#renewal = setInterval(() => void this.#renew(), renewMs).unref()
  }

  static async start(options: WriterOptions): Promise<Writer> {
    const writer = new Writer(options)
    await writer.#connected(systemClock.monotonicMs() + startMs)
    return writer
  }

  get id(): number {
    return this.#id
  }

  /** Whether it has a connection now: it makes one when the next batch comes. */
  get isConnected(): boolean {
    return this.#client !== undefined
  }

  /** Waits for locks until the first deadline of the batch. */
  async commit(batch: readonly Pending[]): Promise<readonly Outcome[]> {
    return (await this.#commit(batch, 'all')).outcomes
  }

  /**
   * Waits for no account that somebody else has locked for more than a moment: its commands are not done, and are
   * given back by their places in the batch with the account that is in the way.
   */
  commitFree(batch: readonly Pending[]): Promise<Committed> {
    return this.#commit(batch, 'soon')
  }

  /**
   * Waits for one account until the first deadline, while it holds no other: whoever waits with locks in hand passes
   * the waiting on. What names another that is locked is given back as by `commitFree`.
   */
  commitLine(batch: readonly Pending[], account: AccountNumber): Promise<Committed> {
    return this.#commit(batch, { account })
  }

  async #commit(batch: readonly Pending[], wanted: Locks): Promise<Committed> {
    const deadlineMs = Math.min(...batch.map((pending) => pending.deadlineMs))
    let locks = wanted
    for (;;) {
      try {
        return await this.#try(batch, deadlineMs, locks)
      } catch (error) {
        if (error instanceof StoreError) throw error
        await this.#giveUp(error)
        const isLocked = [lockNotAvailable, queryCanceled].includes(stateOf(error) ?? '')
        if (!isPassing(error) && !isLocked) throw new StoreError('failed', messageOf(error), { cause: error })
        if (systemClock.monotonicMs() >= deadlineMs)
          throw new StoreError(isLost(error) ? 'unavailable' : 'busy', messageOf(error), { cause: error })
        if (isLocked && locks === 'soon') {
          locks = 'free'
          continue
        }
      }
      await sleep(pauseMs * (0.5 + Math.random()))
    }
  }

  /** Whatever the database does not answer in time is given up, and the connection with it. */
  async #try(batch: readonly Pending[], deadlineMs: number, locks: Locks): Promise<Committed> {
    const ask = await this.#connected(deadlineMs)
    const client = this.#client as Client
    const ms = Math.max(silentMs, leftUntil(deadlineMs + silentMs))
    return within(ms, client, this.#run(ask, batch, deadlineMs, locks))
  }

  async #run(ask: Ask, batch: readonly Pending[], deadlineMs: number, locks: Locks): Promise<Committed> {
    const wanted = await wantedBy(batch, this.#cards, ask)
    const leftMs = leftUntil(deadlineMs)
    const isPatient = locks === 'all' || typeof locks === 'object'
    // For one row there are two waits, for the first in line and then for who has it, each as long as the lock's: what
    // a statement takes in all has a limit of its own, a little later, which COMMIT must not have.
    const timeout = isPatient
      ? `set local lock_timeout = ${leftMs}; set local statement_timeout = ${Math.min(leftMs + resolveMs, timeoutMax)}`
      : `set local lock_timeout = ${soonMs}`
    const begun = this.#query(`begin; ${timeout}; ${endIfSilent}`)
    if (typeof locks === 'object') await allOf([begun, lockOne(locks.account, ask)])
    const isFree = locks === 'free' || typeof locks === 'object'
    const loads = load(wanted, ask, isFree)
    const there = isFree ? readExisting(wanted.accounts, ask) : undefined
    const locked = ask(lockWriter, [this.#id])
    await allOf([begun, ...loads, ...(there ? [there] : []), locked])
    const [row] = (await locked) as unknown as Locked[]
    if (row?.epoch !== this.#epoch || row.block !== this.#head.sequence) {
      // Another took us for dead and goes by this name, or a commit of ours counts that we took for lost.
      this.#drop()
      throw lost('the lease was lost')
    }

    const below = Books.at({ ...this.#head, writer: this.#id }, { others: row.others })
    let { clock } = this.#head
    for (const fill of await Promise.all(loads)) clock = Math.max(clock, fill(below).clock)
    const books = below.fork()
    books.head = this.#head
    const time = { now: this.#options.clock?.now() ?? row.now, monotonicMs: systemClock.monotonicMs() }
    const blocked = blockedIn(wanted, await there, below)
    const places = [...batch.keys()].filter((at) => !blocked.has(at))
    if (await isOutgrown(wanted, places, below, ask)) throw new Overtaken()
    const free = batch.filter((_, at) => !blocked.has(at))
    const decided = applyBatch(books, free, time, this.#rules)[Symbol.iterator]()
    const outcomes = batch.map((_, at) =>
      blocked.has(at) ? stillBlocked : (decided.next().value as Outcome),
    )
    if (books.records.length === 0) {
      await this.#query('rollback')
      return { outcomes, blocked }
    }
    const lines = books.records.map(toLine)
    const totals = books.totals()
    const block = seal(this.#head, lines, { at: time.now, totals, sha256, clock: clock + 1 })
    const until = row.now + leaseMs
    const written = saves({ books, below, lines, block, epoch: this.#epoch, until })
    const unlimited = isPatient ? [this.#query('set local statement_timeout = 0')] : []
    const saved = [...unlimited, ...written.map(([statement, values]) => ask(statement, values))]
    const committed = this.#query('commit')
    if (await this.#hasCommitted(saved, committed, block, deadlineMs)) {
      this.#head = block
      return { outcomes, blocked }
    }
    throw lost('the commit did not take')
  }

  /**
   * COMMIT of a transaction that failed answers as if all were well, with the tag ROLLBACK. One that was not answered
   * may have taken: whether it has, the database says, once the connection that asked is gone.
   */
  async #hasCommitted(
    saved: readonly Promise<unknown>[],
    committed: Promise<{ readonly command: string }>,
    block: Block,
    deadlineMs: number,
  ): Promise<boolean> {
    const [end, ...rest] = await Promise.allSettled([committed, ...saved])
    if (end.status === 'fulfilled') {
      if (end.value.command === 'COMMIT') return true
      throw rest.find((each) => each.status === 'rejected')?.reason ?? new Error('the commit did not take')
    }
    if (!isLost(end.reason)) throw end.reason
    this.#forget()
    for (;;) {
      try {
        // Waits for the old connection's transaction, which has locked the writer's row, to be over.
        // Also where another goes by its name now: to take it over, that one had to wait as well.
        const ask = await this.#connected(deadlineMs)
        const asked = ask(hashOf, [block.writer, block.sequence])
        const [found] = await within(answerMs, this.#client as Client, asked)
        return found?.['hash'] === block.hash
      } catch (cause) {
        this.#drop()
        if (systemClock.monotonicMs() >= deadlineMs + resolveMs)
          throw new StoreError('outcome_unknown', messageOf(cause), { cause })
        await sleep(pauseMs * (0.5 + Math.random()))
      }
    }
  }

  async #connected(deadlineMs: number): Promise<Ask> {
    if (this.#ask !== undefined) return this.#ask
    const client = await connect(this.#options, leftUntil(deadlineMs + resolveMs))
    const ask = asker(client, this.#options)
    try {
      // Who commits now under the name may be one that is cut off, until the database gives it up.
      const known = this.#goOn(client, ask).then((isOurs) => isOurs || this.#claim(client, ask))
      await within(Math.max(answerMs, leftUntil(deadlineMs)), client, known)
    } catch (error) {
      cut(client)
      throw error
    }
    client.once('end', () => {
      if (this.#client === client) this.#forget()
    })
    this.#client = client
    this.#ask = ask
    return ask
  }

  /** Under the name it has, if that is still its own; its newest block is then what the database has. */
  async #goOn(client: Client, ask: Ask): Promise<boolean> {
    if (this.#id === 0) return false
    await client.query('begin')
    const [row] = (await ask(lockWriter, [this.#id])) as unknown as { epoch: number; now: number }[]
    const isOurs = row?.epoch === this.#epoch
    if (isOurs) await ask(renew, [this.#id, this.#epoch, leaseMs])
    const [head] = await ask(headOf, [this.#id])
    await client.query('commit')
    if (isOurs) this.#head = (head as Block | undefined) ?? genesis(this.#id)
    return isOurs
  }

  /** Takes over a name that nobody uses any more, or makes one. */
  async #claim(client: Client, ask: Ask): Promise<true> {
    const holder = `${hostname()} ${process.pid}`
    for (;;) {
      await client.query('begin')
      try {
        const [{ at = 0 } = {}] = (await client.query(`select ${databaseNow} as at`)).rows
        const [free] = (await ask(claim, [at])) as unknown as { id: number }[]
        const [taken] = (free === undefined
          ? await ask(enroll, [holder, at + leaseMs])
          : await ask(take, [free.id, holder, at + leaseMs])) as unknown as { id?: number; epoch: number }[]
        assert(taken !== undefined, 'a writer has a row')
        const id = free?.id ?? taken.id ?? 0
        const [head] = await ask(headOf, [id])
        await client.query('commit')
        this.#id = id
        this.#epoch = taken.epoch
        this.#head = (head as Block | undefined) ?? genesis(id)
        return true
      } catch (error) {
        await client.query('rollback')
        // Two enrolled at once.
        if (stateOf(error) !== uniqueViolation) throw error
      }
    }
  }

  async #renew(): Promise<void> {
    const client = this.#client
    const ask = this.#ask
    if (client === undefined || ask === undefined) return
    await within(answerMs + leaseMs, client, ask(renew, [this.#id, this.#epoch, leaseMs])).catch(() => {})
  }

  #query(text: string): Promise<{ readonly command: string }> {
    const client = this.#client
    if (client === undefined) return Promise.reject(lost('there is no connection'))
    // Of several statements in one text there is a result each; they are only asked to succeed.
    return client.query(text).then((result) => (Array.isArray(result) ? { command: '' } : result))
  }

  /** After a failure: the transaction is ended, or where that is not possible the connection. */
  async #giveUp(error: unknown): Promise<void> {
    // A server that takes no writes any more is left for another that may.
    if (isLost(error) || stateOf(error) === readOnly) return this.#drop()
    const client = this.#client
    if (client === undefined) return
    try {
      await within(answerMs, client, client.query('rollback'))
    } catch {
      this.#drop()
    }
  }

  #drop(): void {
    const client = this.#client
    this.#forget()
    if (client !== undefined) cut(client)
  }

  #forget(): void {
    this.#client = undefined
    this.#ask = undefined
  }

  /** Lets the name go, for whoever comes next. */
  async close(): Promise<void> {
    clearInterval(this.#renewal)
    const client = this.#client
    if (client === undefined || this.#ask === undefined) return
    const released = this.#ask(release, [this.#id, this.#epoch]).then(() => client.end())
    await within(closeMs, client, released).catch(() => {})
    this.#drop()
  }
}

/** Milliseconds, at least one, and no more than timers and the database know. */
function leftUntil(ms: number): number {
  return Math.min(Math.max(1, Math.ceil(ms - systemClock.monotonicMs())), timeoutMax)
}

/** What is as if the connection had been lost: nothing was done, and the next try makes a new one. */
function lost(why: string): Error {
  return Object.assign(new Error(why), { code: 'ECONNRESET' })
}

/** Waits for all of them, and throws what the first to fail says: what follows it fails only for that. */
async function allOf(asked: readonly Promise<unknown>[]): Promise<void> {
  const ended = await Promise.allSettled(asked)
  const failed = ended.find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** The commands that name an account which is there and was not locked, by their places in the batch. */
function blockedIn(
  { accountsOf }: Wanted,
  there: ReadonlySet<AccountNumber> | undefined,
  books: Books,
): ReadonlyMap<number, AccountNumber> {
  const blocked = new Map<number, AccountNumber>()
  if (there === undefined) return blocked
  for (const [at, accounts] of accountsOf.entries()) {
    const locked = accounts.find((number) => there.has(number) && books.account(number) === undefined)
    if (locked !== undefined) blocked.set(at, locked)
  }
  return blocked
}

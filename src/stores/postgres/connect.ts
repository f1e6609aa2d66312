/** Connections, which a file has none of: how they are made, what is asked over them, and what an error of theirs means. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { StoreError, storeClosed } from '../../bank/store.ts'
import { type Endpoint, Hosts, readDatabaseUrl } from './hosts.ts'

export type PostgresOptions = {
  /** As libpq takes it, see `hosts.ts`: `postgres://user@host1,host2/database?sslmode=verify-full`. */
  readonly url: string
  /** Whether statements are prepared once under a name; not behind a pooler that exchanges connections. */
  readonly named?: boolean
}

export type Client = pg.Client
export type Rows = readonly Readonly<Record<string, unknown>>[]

/** A statement, under whose name each connection prepares it once. */
export type Statement = { readonly name: string; readonly text: string }

/** Asks over a connection, or over whichever of a pool. */
export type Ask = (statement: Statement, values: readonly unknown[]) => Promise<Rows>

/** The database's clock, which all nodes share, in SQL. Milliseconds. */
export const databaseNow = 'cast(extract(epoch from clock_timestamp()) * 1000 as bigint)'

/**
 * Begins a transaction of ours: the database ends it where its node is stopped or cut off between two statements, so
 * that nobody waits for locks of the dead.
 */
export const endIfSilent = 'set local idle_in_transaction_session_timeout = 3000'

const int8 = 20
const connectMs = 5_000
// For what a server of ours asks at most, a page of thousands of rows; without it a partition would hold it for minutes.
const answerMs = 10_000
// While another server takes over, reads are tried again for so long.
const readAgainMs = 5_000
const readPauseMs = 50

const types = {
  // All our figures of 8 bytes are safe integers, and checked to be before they are written.
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format),
} as pg.CustomTypesConfig

/** Of this process, by URL: who connects next goes where it was good last. */
const known = new Map<string, Hosts>()

function hostsOf({ url }: PostgresOptions): Hosts {
  const hosts = known.get(url) ?? new Hosts(readDatabaseUrl(url))
  known.set(url, hosts)
  return hosts
}

function configOf({ url }: Endpoint, connectionTimeoutMillis: number): pg.ClientConfig {
  return { connectionString: url, types, connectionTimeoutMillis, keepAlive: true }
}

/**
 * A connection of its own, over which statements go out without waiting for each other's answers. Of several servers
 * the first that is there, and takes writes where the URL asks for that.
 */
export async function connect(options: PostgresOptions, withinMs = 2 * connectMs): Promise<Client> {
  const hosts = hostsOf(options)
  const untilMs = performance.now() + withinMs
  for (let tries = 1; ; tries += 1) {
    const endpoint = hosts.best
    const leftMs = Math.max(1, Math.min(connectMs, untilMs - performance.now()))
    const client = new pg.Client({ ...configOf(endpoint, leftMs), pipeline: true } as pg.ClientConfig)
    // What breaks while nobody asks is met by who asks next.
    client.on('error', () => {})
    try {
      await client.connect()
      await within(leftMs, client, refuseReadOnly(client, hosts))
      return client
    } catch (error) {
      cut(client)
      hosts.failed(endpoint, wasTurnedDown(error))
      const isOver = hosts.best === endpoint || tries === hosts.count || performance.now() >= untilMs
      if (isOver) throw error
    }
  }
}

/** Ends a connection at once, whatever is under way; what waits for an answer fails. */
export function cut(client: Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
}

/** Waits for answers over a connection, which is cut where they do not come in time. */
export async function within<Answer>(ms: number, client: Client, answer: Promise<Answer>): Promise<Answer> {
  const timer = setTimeout(() => cut(client), Math.max(1, ms))
  try {
    return await answer
  } finally {
    clearTimeout(timer)
  }
}

async function refuseReadOnly(client: pg.ClientBase, { database }: Hosts): Promise<void> {
  if (!database.needsWrites) return
  const { rows } = await client.query('show transaction_read_only')
  if (rows[0]?.transaction_read_only !== 'off')
    throw Object.assign(new Error('the server takes no writes'), { code: 'ECONNREFUSED' })
}

/** Whether it was TLS that a server did not want, or the want of it. */
function wasTurnedDown(error: unknown): boolean {
  return stateOf(error) === '28000' || /does not support SSL/.test(messageOf(error))
}

/** Connections for reads, made when they are needed, each to the server that is good by then. */
export function poolOf(options: PostgresOptions, max: number): pg.Pool {
  const hosts = hostsOf(options)
  class Reader extends pg.Client {
    readonly endpoint: Endpoint

    constructor() {
      const endpoint = hosts.best
      super({ ...configOf(endpoint, connectMs), query_timeout: answerMs })
      this.endpoint = endpoint
      // A pool listens only while nobody has it; what breaks then is met by who asks next.
      this.on('error', () => {})
    }

    override connect(then?: unknown): Promise<this> {
      const onEnd = then as (error?: Error) => void
      super.connect((error?: Error) => {
        if (error) hosts.failed(this.endpoint, wasTurnedDown(error))
        onEnd(error)
      })
      return Promise.resolve(this)
    }
  }
  const onConnect = async (client: pg.ClientBase) => {
    try {
      await refuseReadOnly(client, hosts)
    } catch (error) {
      hosts.failed((client as unknown as Reader).endpoint, false)
      throw error
    }
  }
  const settings = { max, idleTimeoutMillis: 10_000, connectionTimeoutMillis: connectMs }
  const pool = new pg.Pool({ ...settings, Client: Reader, onConnect } as pg.PoolConfig)
  pool.on('error', () => {})
  return pool
}

export function asker(to: Client | pg.Pool | pg.PoolClient, { named = true }: PostgresOptions): Ask {
  return async ({ name, text }, values) => {
    const query = { ...(named && { name }), text, values: values as unknown[] }
    return (await to.query(query)).rows
  }
}

/**
 * Asks over whichever connection of a pool, again where one breaks: for what may be done twice. Throws a StoreError
 * `unavailable` where there is none for long.
 */
export function reader(pool: pg.Pool, options: PostgresOptions): Ask {
  const ask = asker(pool, options)
  return (...asked) => again(pool, () => ask(...asked))
}

/** Reads over one connection of a pool, as `reader` does. */
export function readWith<Got>(pool: pg.Pool, read: (client: pg.PoolClient) => Promise<Got>): Promise<Got> {
  return again(pool, async () => {
    const client = await pool.connect()
    let isWell = false
    try {
      const got = await read(client)
      isWell = true
      return got
    } finally {
      // One that is not well is ended, and what it began with it.
      client.release(!isWell)
    }
  })
}

async function again<Got>(pool: pg.Pool, get: () => Promise<Got>): Promise<Got> {
  const untilMs = performance.now() + readAgainMs
  for (;;) {
    if (pool.ending) throw storeClosed()
    try {
      return await get()
    } catch (error) {
      if (!isPassing(error) && !wasTurnedDown(error)) throw error
      if (performance.now() >= untilMs)
        throw new StoreError('unavailable', messageOf(error), { cause: error })
    }
    await sleep(readPauseMs * (0.5 + Math.random()))
  }
}

/** A statement and its name, which is as good as its text: they are written once, beside each other. */
export function statement(name: string, text: string): Statement {
  return { name: `cashpoint_${name}`, text }
}

/** The SQLSTATE of what the database said; undefined where it said nothing. */
export function stateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

export const lockNotAvailable = '55P03'
export const uniqueViolation = '23505'
export const queryCanceled = '57014'
export const readOnly = '25006'

// Serialization failures and deadlocks, another node that was first, a standby: the transaction has done nothing, and
// may be run again.
const passing = /^(40001|40P01|23505|25006)$/
// With these the database ends a connection, in whatever language it says that this is fatal.
const ending = /^(57P0[1-5]|25P03|53300|08...)$/

/** What was looked up before the locks is not all that they guard: another node was first. */
export class Overtaken extends Error {
  constructor() {
    super('what a command names was changed by another node meanwhile')
  }
}

/** Whether the same may well succeed when it is tried again, over another connection where this one is gone. */
export function isPassing(error: unknown): boolean {
  return error instanceof Overtaken || isLost(error) || passing.test(stateOf(error) ?? '')
}

/**
 * Whether it was the connection that failed, so that what was under way is not known to have failed: it broke, or the
 * database ended it, by an administrator's word, since it is starting, or since it heard nothing for too long.
 */
export function isLost(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string }
  if (error instanceof pg.DatabaseError)
    return /^(FATAL|PANIC)$/.test(error.severity ?? '') || ending.test(error.code ?? '')
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/.test(code ?? '') ||
    /Connection terminated|not queryable|connection error|timeout|was closed/i.test(message)
  )
}

export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error)
  return text.replace(/\s+/g, ' ')
}

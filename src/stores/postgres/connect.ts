/** Connections: how they are made, what is asked over them, and what an error of theirs means. */
import pg from 'pg'

export type PostgresOptions = {
  /** As libpq takes it: `postgres://user@host/database?sslmode=verify-full`. */
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

const int8 = 20
const connectMs = 5_000

const types = {
  // All our figures of 8 bytes are safe integers, and checked to be before they are written.
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format),
} as pg.CustomTypesConfig

function configOf({ url }: PostgresOptions): pg.ClientConfig {
  return { connectionString: url, types, connectionTimeoutMillis: connectMs, keepAlive: true }
}

/** A connection of its own, over which statements go out without waiting for each other's answers. */
export async function connect(options: PostgresOptions): Promise<Client> {
  const client = new pg.Client({ ...configOf(options), pipeline: true } as pg.ClientConfig)
  // What breaks while nobody asks is met by who asks next.
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Connections for reads, made when they are needed. */
export function poolOf(options: PostgresOptions, max: number): pg.Pool {
  const pool = new pg.Pool({ ...configOf(options), max, idleTimeoutMillis: 10_000 })
  pool.on('error', () => {})
  return pool
}

export function asker(to: pg.Client | pg.Pool | pg.PoolClient, { named = true }: PostgresOptions): Ask {
  return async ({ name, text }, values) => {
    const query = { ...(named && { name }), text, values: values as unknown[] }
    return (await to.query(query)).rows
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

// Serialization failures and deadlocks, another node that was first, an administrator's word, a standby, a
// connection that is gone: the transaction has done nothing, and may be run again.
const passing = /^(40001|40P01|23505|57P01|57P02|57P03|25006|08...|53300)$/

/** Whether the same may well succeed when it is tried again; a connection that broke says nothing, and passes. */
export function isPassing(error: unknown): boolean {
  const state = stateOf(error)
  return state === undefined ? isLost(error) : passing.test(state)
}

/** Whether it was the connection that failed, so that what was under way is not known to have failed. */
export function isLost(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string }
  if (error instanceof pg.DatabaseError) return error.severity === 'FATAL' || error.severity === 'PANIC'
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/.test(code ?? '') ||
    /Connection terminated|not queryable|connection error|timeout expired|was closed/i.test(message)
  )
}

export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error)
  return text.replace(/\s+/g, ' ')
}

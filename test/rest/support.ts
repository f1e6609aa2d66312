/** A real server on a port of its own, over a real SQLite store in a temporary directory, and ways to talk to it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { FastifyInstance } from 'fastify'
import pg from 'pg'
import pino from 'pino'
import { Access } from '../../src/access/access.ts'
import type { Tokens } from '../../src/access/tokens.ts'
import { Bank } from '../../src/bank/bank.ts'
import type { RuleSettings } from '../../src/bank/batch.ts'
import { type Clock, systemClock } from '../../src/bank/clock.ts'
import type { Store } from '../../src/bank/store.ts'
import type { OpenStore } from '../../src/cli/store.ts'
import { type Listening, listen } from '../../src/rest/listen.ts'
import { createServer } from '../../src/rest/server.ts'
import { SqliteDeliveries } from '../../src/stores/sqlite/deliveries.ts'
import { SqliteStore } from '../../src/stores/sqlite/store.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { Vault } from '../../src/vault/vault.ts'
import { Watch } from '../../src/watch/watch.ts'
import { Deliverer, type DelivererOptions } from '../../src/webhooks/deliverer.ts'
import { Sealer } from '../../src/webhooks/signature.ts'

/** A vault of keys that are of no use elsewhere. */
const testKey = (n: number) => [Buffer.alloc(32, n)] as const
export const testVault = new Vault({
  pan: testKey(1),
  pin: testKey(2),
  wrap: testKey(3),
  pvk: { 1: Buffer.from('0123456789abcdeffedcba9876543210', 'hex') },
})

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: string }

type Sent = { readonly body?: string | Buffer | undefined; readonly headers?: Record<string, string> }

export type Options = {
  readonly currency?: string
  /** Whether the server may be in demo mode, which it is by default. */
  readonly demo?: boolean
  readonly tokens?: Tokens
  /** How webhooks are sent; to this machine by default. */
  readonly webhooks?: Partial<DelivererOptions>
  readonly perCredential?: number
  readonly perAddress?: number
  readonly trustedProxies?: readonly string[]
  readonly host?: string
  /** In place of the real one. */
  readonly clock?: Clock
  /** How long a command may wait for the store's lock. */
  readonly deadlineMs?: number
  /** The most that one person may adjust. */
  readonly adjustmentThreshold?: number
  /** The accounts of a new store, in minor units. */
  readonly accounts?: Readonly<Record<string, number>>
  /** The store's file, for servers that follow each other on it. */
  readonly path?: string
  /** What card numbers and PINs become; undefined for a server without keys. */
  readonly vault?: Vault | undefined
  /** In place of the real store. */
  readonly store?: Store
  /** Where log lines go; nowhere by default. */
  readonly logLines?: string[]
}

export type Cashpoint = {
  readonly app: FastifyInstance
  readonly bank: Bank
  readonly listening: Listening
  readonly path: string
  readonly port: number
  /** What `/readyz` is told. */
  draining: boolean
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  /** With a body, as JSON unless `headers` say otherwise. */
  post(path: string, body?: string | Buffer, headers?: Record<string, string>): Promise<Answer>
  call(method: string, path: string, sent?: Sent): Promise<Answer>
  /** As an operator does it: stop listening, answer, close the store. */
  stop(): Promise<void>
}

/** Starts a server that is stopped when the test or the file ends, whose `after` this is given. */
export async function serve(
  scope: { after(then: () => Promise<void>): void },
  options: Options = {},
): Promise<Cashpoint> {
  const {
    currency = 'USD',
    host = '127.0.0.1',
    deadlineMs,
    adjustmentThreshold,
    accounts = {},
    clock = systemClock,
    logLines,
  } = options
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-rest-'))
  const path = options.path ?? join(directory, 'cashpoint.db')
  const opened = options.store
    ? undefined
    : await openAt(path, { ...(adjustmentThreshold && { adjustmentThreshold }) })
  const store = options.store ?? (opened as OpenStore)
  const metrics = new Metrics(clock.now)
  const bank = new Bank(store, clock, {
    ...(deadlineMs !== undefined && { deadlineMs }),
    onCommit: (size, ms) => metrics.onCommit(size, ms),
    onError: () => metrics.onError(),
  })
  if (options.store === undefined) {
    await openBooks(bank, currency, accounts)
    await bank.readRegistry()
  }
  const vault = 'vault' in options ? options.vault : testVault
  const { demo = true, tokens, perCredential = 0, perAddress = 0, trustedProxies = [] } = options
  const access = new Access(bank, clock, { demo, tokens, perCredential, perAddress })
  const deliveries = opened?.openDeliveries() ?? SqliteDeliveries.open(':memory:')
  const webhooks = webhooksOf(bank, { deliveries, ...options.webhooks })

  const watch = watchOf(bank, clock)

  const log = logLines
    ? pino({ level: 'trace' }, { write: (line: string) => void logLines.push(line) })
    : pino({ level: 'silent' })
  const app = await createServer({
    bank,
    access,
    webhooks,
    log,
    metrics,
    watch,
    currency,
    vault,
    trustedProxies,
    draining: () => cashpoint.draining,
  })
  const listening = await listen(app, { host, port: 0 })
  webhooks.start()
  bank.watchDue()
  watch.start()
  let stopped: Promise<void> | undefined

  const cashpoint: Cashpoint = {
    app,
    bank,
    listening,
    path,
    port: Number(new URL(listening.url).port),
    draining: false,
    get: (path, headers = {}) => cashpoint.call('GET', path, { headers }),
    post: (path, body, headers = {}) =>
      cashpoint.call('POST', path, { body, headers: { 'content-type': 'application/json', ...headers } }),
    async call(method, path, { body, headers = {} } = {}) {
      const response = await fetch(listening.url + path, { method, headers, body: body ?? null })
      return { status: response.status, headers: response.headers, body: await response.text() }
    },
    stop() {
      stopped ??= (async () => {
        await listening.close()
        await webhooks.close()
        await watch.close()
        await deliveries.close()
        await bank.drain()
        await store.close()
      })()
      return stopped
    },
  }
  scope.after(async () => {
    listening.cut()
    await cashpoint.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  return cashpoint
}

/** A schema of a database in place of a file, for the run of these tests that `postgres.test.ts` starts. */
const onPostgres = process.env['CASHPOINT_TEST_STORE'] === 'postgres'
const schemas = new Map<string, Promise<{ readonly url: string }>>()

async function openAt(path: string, rules: RuleSettings): Promise<OpenStore> {
  if (!onPostgres) return SqliteStore.open({ path, ...rules })
  const { postgres } = await import('../support/postgres.ts')
  const { PostgresStore } = await import('../../src/stores/postgres/store.ts')
  const schema = schemas.get(path) ?? (await postgres()).schema()
  schemas.set(path, schema)
  return PostgresStore.open({ url: (await schema).url, ...rules })
}

async function openBooks(bank: Bank, currency: string, accounts: Readonly<Record<string, number>>) {
  const list = Object.entries(accounts).map(([number, ledger]) => ({ number, currency, ledger }))
  if (list.length > 0) await bank.submit({ command: { type: 'open_books', accounts: list }, actor: '' })
}

/** An app over a bank, which does not listen yet; it logs nowhere. */
export function quietApp(bank: Bank, currency = 'USD'): Promise<FastifyInstance> {
  return createServer({
    bank,
    access: openAccess(bank),
    webhooks: webhooksOf(bank),
    log: pino({ level: 'silent' }),
    metrics: new Metrics(systemClock.now),
    watch: watchOf(bank, systemClock),
    currency,
    draining: () => false,
  })
}

/** What needs a person, with days of UTC. */
export function watchOf(bank: Bank, clock: Clock): Watch {
  return new Watch(bank, clock, { timeZone: 'UTC', silentMs: 24 * 3_600_000 })
}

/** Webhooks that may lead to this machine; without a log of their own they remember nothing. */
export function webhooksOf(bank: Bank, options: Partial<DelivererOptions> = {}): Deliverer {
  return new Deliverer({
    bank,
    clock: systemClock,
    deliveries: options.deliveries ?? SqliteDeliveries.open(':memory:'),
    sealer: new Sealer(Buffer.alloc(32, 7)),
    networks: ['127.0.0.1'],
    ...options,
  })
}

/** Who may do anything, from this machine. */
export function openAccess(bank: Bank): Access {
  return new Access(bank, systemClock, { demo: true, perCredential: 0, perAddress: 0 })
}

/** A store that fails at everything it is not told how to do. */
export function stubStore(does: Partial<Store>): Store {
  const fail = () => {
    throw new Error('the stub store was not told how')
  }
  return {
    name: 'stub',
    shut: undefined,
    commit: fail,
    account: fail,
    transfer: fail,
    hold: fail,
    thing: fail,
    things: fail,
    acts: fail,
    reply: fail,
    totals: fail,
    entries: fail,
    transfers: fail,
    holds: fail,
    accounts: fail,
    entity: fail,
    entities: fail,
    due: fail,
    find: fail,
    about: fail,
    last: fail,
    placeOf: fail,
    lines: fail,
    blocks: fail,
    heads: fail,
    journal: fail,
    prove: fail,
    figures: () => ({}),
    close: async () => {},
    ...does,
  }
}

/** Another program holds the store's write lock, from now until the function given back is called. */
export async function holdWriteLock({ path }: Cashpoint): Promise<() => Promise<void>> {
  if (onPostgres) {
    const client = new pg.Client({ connectionString: (await schemas.get(path))?.url })
    await client.connect()
    // As somebody who alters it.
    await client.query('begin; lock table accounts in exclusive mode')
    return () => client.end()
  }
  const other = new DatabaseSync(path, { timeout: 5_000 })
  other.exec('begin immediate')
  return async () => {
    other.exec('rollback')
    other.close()
  }
}

/** That an answer is a problem as RFC 9457 and the old clients read it, and this one. */
export function checkProblem(answer: Answer, { status, code, error }: Problem, what?: string): void {
  assert.equal(answer.status, status, `${what ?? code}: ${answer.body}`)
  assert.match(
    answer.headers.get('content-type') ?? '',
    /^application\/problem\+json(; charset=utf-8)?$/,
    what,
  )
  const { detail, ...problem } = JSON.parse(answer.body)
  const expected = { type: `urn:cashpoint:problem:${code}`, title: error, status, code, error }
  assert.equal(JSON.stringify(problem), JSON.stringify(expected), what)
  if (detail !== undefined) assert.equal(typeof detail, 'string', what)
}

export type Problem = { readonly status: number; readonly code: string; readonly error: string }

/** The balance as `?simple=true` writes it. */
export async function balanceOf({ get }: Cashpoint, number: string): Promise<string> {
  const { status, body } = await get(`/accounts/${number}/balance?simple=true`)
  return status === 200 ? body : `${status}`
}

/** The bytes of a request, to send over a `Connection`. */
export function requestBytes(method: string, path: string, { body, headers = {} }: Sent = {}): Buffer {
  const all: Record<string, string | number> = { host: 'localhost', ...headers }
  if (body !== undefined)
    Object.assign(all, {
      'content-type': headers['content-type'] ?? 'application/json',
      'content-length': Buffer.byteLength(body),
    })
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
  return Buffer.concat([head, Buffer.from(body ?? '')])
}

/** One TCP connection, for what `fetch` is too polite to send. It gives up when nothing comes for 20 seconds. */
export class Connection {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #open = true
  #onMore: (() => void)[] = []

  static async open(port: number, host = '127.0.0.1'): Promise<Connection> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new Connection(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setTimeout(20_000, () => socket.destroy())
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data])
      this.#wake()
    })
    socket.on('error', () => {})
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.#open = false
        socket.destroy()
        this.#wake()
      })
  }

  write(data: string | Buffer): void {
    if (this.#socket.writable) this.#socket.write(data)
  }

  /** Sends a request and waits for the next answer. */
  call(method: string, path: string, sent?: Sent): Promise<Answer | undefined> {
    this.write(requestBytes(method, path, sent))
    return this.answer()
  }

  /** The next whole answer, or undefined where the server has closed without one. */
  async answer(): Promise<Answer | undefined> {
    for (;;) {
      const read = readAnswer(this.#received)
      if (read !== undefined) {
        this.#received = this.#received.subarray(read.length)
        return read.answer
      }
      if (!this.#open) return undefined
      await new Promise<void>((resolve) => this.#onMore.push(resolve))
    }
  }

  /** Waits until the server has closed; gives what came beside whole answers. */
  async closed(): Promise<string> {
    while (this.#open) await new Promise<void>((resolve) => this.#onMore.push(resolve))
    return this.#received.toString('latin1')
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Says that nothing more will be sent; answers still come. */
  finish(): void {
    this.#socket.end()
  }

  close(): void {
    this.#socket.destroy()
  }

  #wake(): void {
    for (const resolve of this.#onMore.splice(0)) resolve()
  }
}

function readAnswer(bytes: Buffer): { answer: Answer; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers = new Headers(lines.map((line) => line.split(/: ?(.*)/, 2) as [string, string]))
  const status = Number(statusLine.split(' ')[1])
  const start = headEnd + 4
  if (headers.get('transfer-encoding') === 'chunked') {
    const read = readChunks(bytes, start)
    return read && { answer: { status, headers, body: read.body }, length: read.end }
  }
  const end = start + Number(headers.get('content-length') ?? 0)
  if (bytes.length < end) return undefined
  return { answer: { status, headers, body: bytes.toString('utf8', start, end) }, length: end }
}

function readChunks(bytes: Buffer, from: number): { body: string; end: number } | undefined {
  const chunks: Buffer[] = []
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size + 2
    if (bytes.length < end) return undefined
    if (size === 0) return { body: Buffer.concat(chunks).toString('utf8'), end }
    chunks.push(bytes.subarray(lineEnd + 2, end - 2))
    at = end
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

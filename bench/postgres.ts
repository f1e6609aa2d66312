/**
 * `--store postgres`: one node and three on one PostgreSQL, beside pgbench and a naive server on the same. Everything
 * is measured once a round, one after the other, so that drift cancels in the round's ratios.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { PostgresStore } from '../src/stores/postgres/store.ts'
import { postgres } from '../test/support/postgres.ts'
import { accountNumber } from './accounts.ts'
import { startServer } from './children.ts'
import { median, spread, table, two, whole } from './figures.ts'
import { findGenerator, type Generator, type Measured } from './load.ts'

export type PostgresOptions = { readonly rounds: number; readonly seconds: number }

const accounts = 10_000
const hot = 1

/** A cell: requests a second, and what is known of how long they took. */
type Rate = { readonly rate: number; readonly p99Ms?: number }
export type Round = Readonly<Record<string, Rate>>

type Target = { readonly title: string; readonly of: string; readonly to: string; readonly least: number }

const targets: readonly Target[] = [
  { title: 'one node, 64 connections, to pgbench -N -c 64', of: 'one 64', to: 'pgbench -N', least: 1.6 },
  { title: 'one node, 256 connections, to pgbench -N -c 64', of: 'one 256', to: 'pgbench -N', least: 2.2 },
  {
    title: 'one node, 64 connections, to pgbench (TPC-B) -c 64',
    of: 'one 64',
    to: 'pgbench TPC-B',
    least: 0,
  },
  { title: 'one node to the naive server, 64 connections', of: 'one 64', to: 'naive 64', least: 6 },
  { title: 'one account to 10,000, 64 connections', of: 'one hot 64', to: 'one 64', least: 0.7 },
  { title: 'three nodes to one, 256 connections', of: 'three 256', to: 'one 256', least: 0.7 },
  {
    title: 'three nodes to one, one account, 256 connections',
    of: 'three hot 256',
    to: 'one hot 256',
    least: 0.4,
  },
]

export async function measurePostgres(
  generator: Generator,
  { rounds, seconds }: PostgresOptions,
): Promise<{ version: string; rounds: Round[] }> {
  const server = await postgres({ syncs: true })
  const { url } = await server.schema()
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  const { rows } = await admin.query(
    "select version() as version, current_setting('fsync') || current_setting('synchronous_commit') as safe",
  )
  if (rows[0].safe !== 'onon') throw new Error('fsync and synchronous_commit must be on')
  await fill(url)
  await fillNaive(admin)
  const bench = pgbenchOn(server.url)
  const measured: Round[] = []
  // What the Dockerfile gives, and docs/postgres.md says to.
  const settings = { nursery: 32 }
  const one = await startServer('server.ts', [url], settings)
  const two = await startServer('server.ts', [url], settings)
  const three = await startServer('server.ts', [url], settings)
  const naive = await startServer('naive-postgres-server.ts', [url], settings)
  const nodes = [one, two, three].map((node) => node.url)
  try {
    await load(generator, nodes, { connections: 66, accounts, seconds: 2 })
    await load(generator, [naive.url], { connections: 64, accounts, seconds: 2 })
    for (let round = 0; round < rounds; round += 1) {
      const cells: Record<string, () => Promise<Rate>> = {
        ...(bench && {
          'pgbench -N': async () => ({ rate: bench(['-N'], seconds) }),
          'pgbench TPC-B': async () => ({ rate: bench([], seconds) }),
        }),
        'naive 64': () => load(generator, [naive.url], { connections: 64, accounts, seconds }),
        'one 64': () => load(generator, [one.url], { connections: 64, accounts, seconds }),
        'one 256': () => load(generator, [one.url], { connections: 256, accounts, seconds }),
        'one hot 64': () => load(generator, [one.url], { connections: 64, accounts: hot, seconds }),
        'one hot 256': () => load(generator, [one.url], { connections: 256, accounts: hot, seconds }),
        'three 256': () => load(generator, nodes, { connections: 256, accounts, seconds }),
        'three hot 256': () => load(generator, nodes, { connections: 256, accounts: hot, seconds }),
      }
      const rates: Record<string, Rate> = {}
      const names = Object.keys(cells)
      for (let i = 0; i < names.length; i += 1) {
        const name = names[(i + round) % names.length] ?? ''
        rates[name] = (await cells[name]?.()) ?? { rate: Number.NaN }
        await sleep(250)
      }
      const half = Math.round((rates['one 64']?.rate ?? 0) / 2)
      rates['half of the peak'] = await load(findGenerator('autocannon'), [one.url], {
        connections: 64,
        accounts,
        seconds,
        rate: half,
      })
      measured.push(rates)
    }
  } finally {
    for (const each of [one, two, three, naive]) await each.stop()
    await admin.end()
  }
  const store = await PostgresStore.open({ url })
  const found = await store.prove({}, () => {})
  await store.close()
  if ('what' in found) throw new Error(`the books do not prove: ${found.what}`)
  return { version: String(rows[0].version).split(' on ')[0] ?? '', rounds: measured }
}

export function postgresReport(
  { version, rounds }: { version: string; rounds: readonly Round[] },
  { seconds }: PostgresOptions,
): string {
  const ratios = targets
    .filter(({ to }) => rounds[0]?.[to] !== undefined)
    .map(({ title, of, to, least }) => {
      const values = rounds.map((round) => (round[of]?.rate ?? Number.NaN) / (round[to]?.rate ?? Number.NaN))
      const verdict = least === 0 ? '' : median(values) >= least ? 'reached' : 'missed'
      return [title, least === 0 ? '' : `≥ ${least}`, spread(values, two), verdict]
    })
  const names = Object.keys(rounds[0] ?? {})
  const rates = names.map((name) => {
    const of = rounds.map((round) => round[name])
    return [
      name,
      spread(
        of.map((cell) => cell?.rate ?? Number.NaN),
        whole,
      ),
      spread(
        of.flatMap((cell) => cell?.p99Ms ?? []),
        two,
      ),
    ]
  })
  return `${version}, fsync and synchronous_commit on, its other settings as they come. ${rounds.length} rounds of ${seconds} s a cell, interleaved; a ratio is taken within its round. Median (min–max).

## Ratios
${table(['', 'target', 'measured', ''], ratios)}

## Rates
${table(['cell', 'a second', 'p99, ms'], rates)}

\`half of the peak\` is 64 connections held at half the rate of \`one 64\`: p99 under 50 ms is wanted. Every reply was 2xx, and the books of all nodes were proven at the end.
`
}

async function fill(url: string): Promise<void> {
  const store = await PostgresStore.open({ url })
  for (let at = 0; at < accounts; at += 1_000)
    await store.commit(
      Array.from({ length: 1_000 }, (_, i) => ({
        command: {
          type: 'deposit',
          account: accountNumber(at + i),
          amount: '1000000000',
          open: 'USD',
        } as const,
        actor: '',
        deadlineMs: Number.MAX_SAFE_INTEGER,
      })),
    )
  await store.close()
}

async function fillNaive(admin: pg.Client): Promise<void> {
  await admin.query(`
    create table naive_accounts (number text primary key, balance bigint not null);
    create table naive_transactions (
      id bigserial primary key,
      account text not null,
      amount bigint not null,
      balance_after bigint not null,
      created_at bigint not null
    )`)
  const numbers = Array.from({ length: accounts }, (_, i) => accountNumber(i))
  await admin.query(
    'insert into naive_accounts select number, 100000000000 from unnest($1::text[]) as u (number)',
    [numbers],
  )
}

/** pgbench on a database of its own; undefined where it is not installed. */
function pgbenchOn(url: string): ((flags: readonly string[], seconds: number) => number) | undefined {
  if (spawnSync('pgbench', ['--version']).status !== 0) return undefined
  const database = new URL(url)
  database.pathname = '/pgbench'
  execFileSync('psql', ['-q', url, '-c', 'create database pgbench'], { stdio: 'ignore' })
  execFileSync('pgbench', ['-i', '-q', '-s', '20', database.href], { stdio: 'ignore' })
  return (flags, seconds) => {
    const args = [...flags, '-n', '-c', '64', '-j', '2', '-T', String(seconds), database.href]
    const output = execFileSync('pgbench', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return Number(/tps = ([0-9.]+)/.exec(output)?.[1])
  }
}

/** Withdrawals on all of these nodes at once, the connections shared out among them. */
async function load(
  generator: Generator,
  urls: readonly string[],
  of: { connections: number; accounts: number; seconds: number; rate?: number },
): Promise<Rate> {
  const { accounts, seconds, rate } = of
  const requests = { method: 'POST', action: 'withdraw', accounts, keyed: 0 } as const
  const connections = Math.round(of.connections / urls.length)
  const measured = await Promise.all(
    urls.map(
      (url) => generator.start({ url, connections, seconds, requests, ...(rate && { rate }) }).measured,
    ),
  )
  const errors = measured.reduce((sum, each) => sum + each.errors, 0)
  if (errors > 0) throw new Error(`${errors} of the replies were errors`)
  const rateOf = ({ requests, seconds }: Measured) => requests / seconds
  return {
    rate: measured.reduce((sum, each) => sum + rateOf(each), 0),
    p99Ms: Math.max(...measured.map(({ p99Ms }) => p99Ms)),
  }
}

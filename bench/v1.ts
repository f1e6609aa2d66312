/**
 * `npm run bench -- --v1`: what /v1 does beside its own controls, each in the same round: batches beside a bare
 * `node:sqlite` loop, deep pages beside first ones. Single transfers are a cell of the main bench.
 */
import assert from 'node:assert'
import { fork } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Access, type Asked } from '../src/access/access.ts'
import { hashOfKey, makeKey } from '../src/access/key.ts'
import { Bank } from '../src/bank/bank.ts'
import { systemClock } from '../src/bank/clock.ts'
import type { Command } from '../src/ledger/command.ts'
import { MemoryStore } from '../src/stores/memory/store.ts'
import { SqliteStore } from '../src/stores/sqlite/store.ts'
import { accountNumber } from './accounts.ts'
import { next, type ServerProcess, startServer, watched } from './children.ts'
import { type Ask, asker, rate } from './client.ts'
import { median, spread, table, two, whole } from './figures.ts'
import { storePath } from './fill.ts'

export type V1Options = {
  readonly rounds: number
  readonly seconds: number
  /** How many accounts and how many entries on the first of them. */
  readonly accounts: number
  readonly entries: number
}

/** A figure of one cell, by round. */
export type V1Figures = Record<string, number[]>

const batchSize = 1_000
const batchClients = 4
const pages = 300
const readers = 10

export async function measureV1(directory: string, options: V1Options): Promise<V1Figures> {
  const { rounds, seconds } = options
  await fillV1(directory, options)
  const server = await startServer('server.ts', [storePath(directory)])
  // Two small books alike, but that one has limits and lets in by a credential.
  const key = makeKey()
  const [open, guarded] = await Promise.all(
    [undefined, key].map((given) => startGuarded(join(directory, given ? 'guarded' : 'open'), given)),
  )
  assert(open !== undefined && guarded !== undefined)
  const figures: V1Figures = {}
  const note = (name: string, value: number) => {
    figures[name] = [...(figures[name] ?? []), value]
    console.log(`${name.padEnd(48)} ${whole(value).padStart(9)}`)
  }
  for (let round = -1; round < rounds; round += 1) {
    // The first round only warms up.
    const tell = round < 0 ? () => {} : note
    for (const [name, key] of Object.entries(bareTables))
      tell(`bare sqlite loop, ${name}, transfers/s`, bareLoop(join(directory, `bare-${round}`), seconds, key))
    tell('batches of 1,000, transfers/s', batchSize * (await rate(server, batchClients, seconds, postBatch)))
    tell('hold + capture at 64, pairs/s', await rate(server, 64, seconds, holdAndCapture))
    const alone = await rate(server, 64, seconds, transfer)
    const beside = await besideReaders(server, () => rate(server, 64, seconds, transfer))
    tell('transfers at 64, requests/s', alone)
    tell(`the same beside ${readers} readers of events, requests/s`, beside.rate)
    tell('events each of them had, per second', beside.events / seconds)
    tell('withdrawals at 64, requests/s', await rate(server, 64, seconds, withdrawFrom(2 * among)))
    tell('the same with limits on, requests/s', await rate(server, 64, seconds, withdrawFrom(among)))
    tell('withdrawals, open server, requests/s', await rate(open, 64, seconds, withdrawFrom(0)))
    tell(
      'withdrawals, credential and limits, requests/s',
      await rate(guarded, 64, seconds, withdrawFrom(0), key),
    )
    tell('check of a credential, ns', await credentialCheck())
    const busy = `/v1/accounts/${accountNumber(0)}/entries?limit=100`
    const deep = `${busy}&cursor=${Buffer.from(String(Math.floor(options.entries / 20))).toString('base64url')}`
    tell('first page of entries, µs', await latency(server, busy))
    tell('deep page of entries, µs', await latency(server, deep))
    tell('first page of accounts, µs', await latency(server, '/v1/accounts?limit=100'))
    const middle = Buffer.from(accountNumber(Math.floor(options.accounts / 2))).toString('base64url')
    tell('deep page of accounts, µs', await latency(server, `/v1/accounts?limit=100&cursor=${middle}`))
    tell('all accounts, in pages of 1,000, µs', await walk(server, options.accounts))
  }
  await Promise.all([server, open, guarded].map((each) => each.stop()))
  return figures
}

export function v1Report(figures: V1Figures, { accounts, entries }: V1Options): string {
  const ratio = (of: string, to: string) =>
    (figures[of] ?? []).map((value, i) => value / (figures[to]?.[i] ?? 1))
  const ratios: [string, number[], string][] = [
    ...Object.keys(bareTables).map((name): [string, number[], string] => [
      `batches / bare sqlite loop, ${name}`,
      ratio('batches of 1,000, transfers/s', `bare sqlite loop, ${name}, transfers/s`),
      name === 'appended' ? '≥ 0.5' : '–',
    ]),
    [
      `transfers beside ${readers} readers of events / alone`,
      ratio(`the same beside ${readers} readers of events, requests/s`, 'transfers at 64, requests/s'),
      '≥ 0.8',
    ],
    [
      'withdrawals with limits on / without',
      ratio('the same with limits on, requests/s', 'withdrawals at 64, requests/s'),
      '–',
    ],
    [
      'withdrawals with a credential and limits / without both',
      ratio('withdrawals, credential and limits, requests/s', 'withdrawals, open server, requests/s'),
      '≥ 0.85',
    ],
    ['deep / first page of entries', ratio('deep page of entries, µs', 'first page of entries, µs'), '≤ 1.5'],
    [
      'deep / first page of accounts',
      ratio('deep page of accounts, µs', 'first page of accounts, µs'),
      '≤ 1.5',
    ],
  ]
  return `${whole(accounts)} accounts, ${whole(entries)} entries on one of them. Each ratio is taken within its round; medians (min–max). The generator is a Node client on the same two cores, which costs every cell alike.

${table(
  ['', 'target', 'ratio'],
  ratios.map(([name, values, target]) => [name, target, spread(values, two)]),
)}

${table(
  ['', 'figure'],
  Object.entries(figures).map(([name, values]) => [name, spread(values, whole)]),
)}
`
}

async function fillV1(directory: string, { accounts, entries }: V1Options): Promise<void> {
  const store = await SqliteStore.open({ path: storePath(directory) })
  const commit = async (commands: Command[]) => {
    // Behind by much, the store refuses until the index has caught up.
    while (store.shut !== undefined) await new Promise((resolve) => setTimeout(resolve, 50))
    const deadlineMs = systemClock.monotonicMs() + 60_000
    await store.commit(commands.map((command) => ({ command, actor: '', deadlineMs })))
  }
  const deposit = (i: number, amount: string): Command => ({
    type: 'deposit',
    account: accountNumber(i),
    amount,
    open: 'USD',
  })
  for (let i = 0; i < accounts; i += batchSize)
    await commit(
      Array.from({ length: Math.min(batchSize, accounts - i) }, (_, at) => deposit(i + at, '1000000')),
    )
  const limits = { transaction_amount: 1e9, daily_amount: 1e12, daily_count: 1e9 }
  for (let i = among; i < 2 * among; i += batchSize)
    await commit(
      Array.from({ length: batchSize }, (_, at) => ({
        type: 'set_limits',
        account: accountNumber(i + at),
        limits,
      })),
    )
  for (let i = 0; i < entries; i += batchSize)
    await commit(Array.from({ length: batchSize }, () => deposit(0, '1')))
  await store.close()
}

/** A server on books of its own; with a key, its accounts have limits and the key is an admin's. */
async function startGuarded(directory: string, key: string | undefined): Promise<ServerProcess> {
  mkdirSync(directory)
  const store = await SqliteStore.open({ path: storePath(directory) })
  const deadlineMs = () => systemClock.monotonicMs() + 60_000
  const limits = { transaction_amount: 1e9, daily_amount: 1e12, daily_count: 1e9 }
  for (let i = 0; i < among; i += batchSize) {
    const numbers = Array.from({ length: batchSize }, (_, at) => accountNumber(i + at))
    const commands = numbers.flatMap((account): Command[] => [
      { type: 'deposit', account, amount: '1000000', open: 'USD' },
      ...(key === undefined ? [] : [{ type: 'set_limits', account, limits } as const]),
    ])
    await store.commit(commands.map((command) => ({ command, actor: '', deadlineMs: deadlineMs() })))
  }
  if (key !== undefined) {
    const command = { type: 'create_credential', role: 'admin', name: 'bench' } as const
    await store.commit([{ command, actor: '', fresh: hashOfKey(key), deadlineMs: deadlineMs() }])
  }
  await store.close()
  return startServer('server.ts', [storePath(directory)])
}

/** What it takes to find out whose a key is, among a thousand, and that it may. Nanoseconds. */
async function credentialCheck(): Promise<number> {
  const bank = new Bank(new MemoryStore(), systemClock)
  const keys = Array.from({ length: 1_000 }, makeKey)
  for (const key of keys)
    await bank.submit({
      command: { type: 'create_credential', role: 'teller', name: 'bench' },
      actor: '',
      fresh: hashOfKey(key),
    })
  const access = new Access(bank, systemClock, { demo: false, perCredential: 1e9, perAddress: 600 })
  const asked = keys.map(
    (key): Asked => ({
      authorization: `Bearer ${key}`,
      url: '/v1/withdrawals',
      host: 'localhost',
      forwarded: () => false,
      origin: undefined,
      session: undefined,
      changes: true,
      isOwnPage: () => false,
      address: () => '127.0.0.1',
    }),
  )
  const checks = 200_000
  const startedMs = performance.now()
  for (let i = 0; i < checks; i += 1) {
    const admission = access.admit(asked[i % asked.length] as Asked, 'move_money')
    assert('caller' in admission)
  }
  return ((performance.now() - startedMs) / checks) * 1e6
}

/** Entries simply appended, and entries that can be found by account, as ours can. */
const bareTables = {
  appended: ') strict',
  indexed: ', primary key (account, version)) strict, without rowid',
}

/** What one would write who wants nothing but speed: a transfer and its two entries, 1,000 transfers to a transaction, as durable. */
function bareLoop(directory: string, seconds: number, key: string): number {
  mkdirSync(directory)
  const db = new DatabaseSync(join(directory, 'bare.db'))
  db.exec('pragma journal_mode = wal; pragma synchronous = full')
  db.exec('create table transfers (sequence integer primary key, at integer, body text) strict')
  db.exec(`create table entries (
    account text, version integer, sequence integer, amount integer, balance integer${key}`)
  const insertTransfer = db.prepare('insert into transfers (at, body) values (?, ?)')
  const insertEntry = db.prepare('insert into entries values (?, ?, ?, ?, ?)')
  const versions = new Map<string, number>()
  const body = JSON.stringify({ type: 'transfer', amount: 1, currency: 'USD', key: null })
  const startedMs = performance.now()
  let transfers = 0
  while (performance.now() - startedMs < seconds * 1000) {
    db.exec('begin immediate')
    for (let i = 0; i < batchSize; i += 1) {
      const { from, to } = pair()
      const { lastInsertRowid } = insertTransfer.run(Date.now(), body)
      for (const [account, amount] of [
        [from, -1],
        [to, 1],
      ] as const) {
        const version = (versions.get(account) ?? 0) + 1
        versions.set(account, version)
        insertEntry.run(account, version, lastInsertRowid, amount, 1_000_000)
      }
    }
    db.exec('commit')
    transfers += batchSize
  }
  const elapsed = (performance.now() - startedMs) / 1000
  db.close()
  rmSync(directory, { recursive: true })
  return transfers / elapsed
}

/** A rate while so many readers have all events, and how many each of them had by its end. */
async function besideReaders(
  { url }: ServerProcess,
  measured: () => Promise<number>,
): Promise<{ rate: number; events: number }> {
  const child = watched(fork(fileURLToPath(new URL('readers.ts', import.meta.url)), [url, String(readers)]))
  const count = async () => {
    child.send('count')
    return ((await next(child, 'message', 30_000)) as { events: number }).events / readers
  }
  // Time to connect.
  await sleep(500)
  const rate = await measured()
  const events = await count()
  child.disconnect()
  return { rate, events }
}

/** The median time of a page. Microseconds. */
async function latency({ url }: ServerProcess, path: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = asker(url, agent)
  const times: number[] = []
  for (let i = 0; i < pages; i += 1) {
    const startedMs = performance.now()
    await ask(path)
    times.push((performance.now() - startedMs) * 1000)
  }
  agent.destroy()
  return median(times)
}

/** The time of a whole list, page by page. Microseconds. */
async function walk({ url }: ServerProcess, accounts: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = asker(url, agent)
  const startedMs = performance.now()
  let listed = 0
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await ask(`/v1/accounts?limit=1000${cursor && `&cursor=${cursor}`}`)
    const { accounts, next_cursor } = JSON.parse(page) as { accounts: object[]; next_cursor: string | null }
    listed += accounts.length
    cursor = next_cursor
  }
  agent.destroy()
  assert(listed === accounts, `the list has ${listed} accounts`)
  return (performance.now() - startedMs) * 1000
}

/** Transfers go between the first so many accounts; the next have limits. */
const among = 10_000

function pair(): { from: string; to: string } {
  const from = Math.floor(Math.random() * among)
  const to = (from + 1 + Math.floor(Math.random() * (among - 1))) % among
  return { from: accountNumber(from), to: accountNumber(to) }
}

const usd = { amount: 1, currency: 'USD' }

async function transfer(ask: Ask): Promise<void> {
  await ask('/v1/transfers', JSON.stringify({ ...pair(), ...usd }))
}

/** From accounts of their own, from this one on. */
function withdrawFrom(first: number): (ask: Ask) => Promise<void> {
  return async (ask) => {
    const account = accountNumber(first + Math.floor(Math.random() * among))
    await ask('/v1/withdrawals', JSON.stringify({ account, ...usd }))
  }
}

async function postBatch(ask: Ask): Promise<void> {
  const operations = Array.from({ length: batchSize }, () => ({ type: 'transfer', ...pair(), ...usd }))
  await ask('/v1/batches', JSON.stringify({ operations }))
}

async function holdAndCapture(ask: Ask): Promise<void> {
  const { from } = pair()
  const { id } = JSON.parse(await ask('/v1/holds', JSON.stringify({ account: from, ...usd })))
  await ask(`/v1/holds/${id}/capture`, '{}')
}

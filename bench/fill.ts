/** Prepares stores: accounts with large balances, and as many records as are asked for, through the store itself. */
import assert from 'node:assert'
import { randomUUID } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../src/bank/clock.ts'
import type { Submission } from '../src/ledger/command.ts'
import { SqliteStore } from '../src/stores/sqlite/store.ts'
import { accountNumber } from './accounts.ts'

/** What every prepared account is opened with. Major units: no run can empty an account. */
const openingAmount = 1_000_000_000

const batchSize = 1_000
const commitMaxMs = 60_000
const progressEvery = 1_000_000

export function storePath(directory: string): string {
  return join(directory, 'cashpoint.db')
}

export type Filled = { readonly records: number; readonly commands: number; readonly seconds: number }

/** Opens `accounts` accounts in a new store, then withdraws, half with a key, until it has `records` records more. */
export async function fill(
  directory: string,
  { accounts, records = 0 }: { accounts: number; records?: number },
): Promise<Filled> {
  const store = await SqliteStore.open({ path: storePath(directory) })
  for (let i = 0; i < accounts; i += batchSize)
    await commit(
      store,
      batchOf(Math.min(batchSize, accounts - i), (at) => deposit(i + at)),
    )

  const random = prng(1)
  const startedMs = performance.now()
  const filled = { records: 0, commands: 0 }
  while (filled.records < records) {
    // A withdrawal with a key is two records, the transfer and the reply, so every pair makes three.
    const size = Math.min(batchSize, Math.ceil(((records - filled.records) * 2) / 3))
    await commit(
      store,
      batchOf(size, (at) => withdraw(random, accounts, at % 2 === 1)),
    )
    const before = filled.records
    filled.records += size + Math.floor(size / 2)
    filled.commands += size
    if (Math.floor(before / progressEvery) < Math.floor(filled.records / progressEvery))
      console.log(`  filled ${filled.records.toLocaleString('en-US')} records`)
  }
  const seconds = (performance.now() - startedMs) / 1000
  await store.close()
  return { ...filled, seconds }
}

export type BytesPerWithdrawal = Readonly<Record<'plain' | 'keyed', Readonly<Record<string, number>>>>

/** How many bytes a withdrawal adds to each file of a store, at a load's usual batch, without and with a key. */
export async function measureBytes(directory: string, { count = 100_000, batch = 64 } = {}) {
  const accounts = 10_000
  await fill(directory, { accounts })
  const random = prng(2)
  const added = async (keyed: boolean) => {
    const before = sizes(directory)
    const store = await SqliteStore.open({ path: storePath(directory) })
    for (let i = 0; i < count; i += batch)
      await commit(
        store,
        batchOf(Math.min(batch, count - i), () => withdraw(random, accounts, keyed)),
      )
    await store.close()
    const after = sizes(directory)
    return Object.fromEntries(
      Object.entries(after).map(([file, size]) => [file, (size - (before[file] ?? 0)) / count]),
    )
  }
  return { plain: await added(false), keyed: await added(true) } satisfies BytesPerWithdrawal
}

/** Sizes of a store's SQLite files, by their names. */
export function sizes(directory: string): Record<string, number> {
  const files = readdirSync(directory).filter((file) => /\.db(-wal)?$/.test(file))
  return Object.fromEntries(files.map((file) => [file, statSync(join(directory, file)).size]))
}

async function commit(store: SqliteStore, batch: readonly Submission[]): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + commitMaxMs
  // The store shuts itself while what it derives from the journal catches up.
  while (store.shut !== undefined) {
    assert(systemClock.monotonicMs() < deadlineMs, `the store stays shut: ${store.shut}`)
    await sleep(5)
  }
  const outcomes = await store.commit(batch.map((submission) => ({ ...submission, deadlineMs })))
  const refused = outcomes.find(({ reply }) => reply.type !== 'posted')
  assert(refused === undefined, `filling must not be refused: ${JSON.stringify(refused)}`)
}

function batchOf(size: number, submission: (at: number) => Submission): Submission[] {
  return Array.from({ length: size }, (_, at) => submission(at))
}

function deposit(i: number): Submission {
  const account = accountNumber(i)
  return { command: { type: 'deposit', account, amount: String(openingAmount), open: 'USD' }, actor: '' }
}

function withdraw(random: () => number, accounts: number, keyed: boolean): Submission {
  const account = accountNumber(Math.floor(random() * accounts))
  const key = keyed ? { key: { scope: '', key: randomUUID() } } : {}
  return { command: { type: 'withdraw', account, amount: '1' }, actor: '', ...key }
}

/** Mulberry32: the same seed, the same accounts. */
function prng(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

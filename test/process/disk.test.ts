// A disk that is low or full stops writes, not reads; nothing that was acknowledged is lost, and writing goes on
// by itself once there is space.

import assert from 'node:assert/strict'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SqliteStore } from '../../src/stores/sqlite/store.ts'
import { prng, seed } from '../support/chance.ts'
import { gist, pending, withdraw } from '../support/commands.ts'
import { Judge, openingBalances, startLoad } from './load.ts'
import {
  assertProvesHere,
  Client,
  codeOf,
  pause,
  place,
  run,
  serve,
  serveHere,
  smallDisk,
  until,
} from './support.ts'

const unreachable = { CASHPOINT_MIN_FREE_MIB: String(2 ** 30) }

test('below the limit of free space writes are refused, and reads go on', async (t) => {
  const { path } = place(t)
  const first = await serveHere(path)
  const before = new Client({ port: Number(new URL(first.url).port) })
  assert.equal((await before.withdraw('123456789', 100, 'before'))?.status, 200)
  before.close()
  await first.stop()

  const server = await serve(t, { path, env: unreachable })
  const client = new Client(server)
  for (const key of [undefined, 'new-key']) {
    const answer = await client.withdraw('123456789', 100, key)
    assert.equal(answer?.status, 503)
    assert.equal(codeOf(answer), 'storage_low')
    assert.match(String(answer.headers['retry-after']), /^[1-9][0-9]*$/)
  }
  assert.equal(codeOf(await client.deposit('nobody', 100)), 'storage_low')
  assert.equal(await client.balance('123456789'), 99_900)
  assert.deepEqual(await client.balances(), new Map([...openingBalances, ['123456789', 99_900]]))
  const ready = await client.ask('/readyz')
  assert.deepEqual([ready.status, JSON.parse(ready.body)], [503, { status: 'read_only' }])
  assert.equal((await client.ask('/healthz')).status, 200)
  assert.match((await client.ask('/metrics')).body, /^cashpoint_store_writable 0$/m)
  assert.deepEqual(
    server.log.filter((line) => line.includes('storage_low')).length,
    1,
    'said once, however many were refused',
  )
  await server.stop()

  // The key that was refused is not remembered.
  const store = await SqliteStore.open({ path })
  const again = pending(withdraw('123456789', '2'), { key: { scope: '', key: 'new-key' } })
  const [outcome] = await store.commit([again])
  assert.deepEqual(outcome && [gist(outcome), outcome.replayed], [99_700, false])
  await store.close()
})

test('a new store on a disk with too little space is refused in one line', async (t) => {
  const { path } = place(t)
  const { code, stderr } = await run(['serve', '--store', `sqlite:${path}`, '--port', '0'], unreachable)
  assert.equal(code, 1)
  assert.match(stderr, /^cashpoint: .*storage_low$/m)
  assert.doesNotMatch(stderr, /^ +at /m)
})

test(`a full disk: no acknowledgement is lost, and writing goes on after it (SEED=${seed})`, async (t) => {
  const disk = smallDisk(t, 24)
  if (disk === undefined) return t.skip('a small disk takes root')
  const path = join(disk.directory, 'cashpoint.db')
  const server = await serve(t, { path, env: { CASHPOINT_MIN_FREE_MIB: '0' } })
  const chance = prng(seed)
  const client = new Client(server)
  const judge = new Judge()
  for (const round of [1, 2]) {
    const load = startLoad(judge, { port: server.port, chance, name: `round-${round}`, allKeyed: true })
    await pause(300)
    const filler = fill(disk.directory)
    await until('writes are refused', async () => (await client.ask('/readyz')).status === 503)

    // Reads go on, while every write is told the truth.
    const refusals = () => (judge.tally['store_unavailable'] ?? 0) + (judge.tally['storage_low'] ?? 0)
    const refusedBefore = refusals()
    await until('many writes are refused', () => refusals() > refusedBefore + 50)
    for (const number of openingBalances.keys()) assert.equal(typeof (await client.balance(number)), 'number')
    assert.ok((await client.balances()).size >= openingBalances.size)
    const answer = await client.withdraw('123456789', 1, `full-${round}`)
    assert.equal(answer?.status, 503, answer?.body)
    assert.match(String(answer.headers['retry-after']), /^[1-9][0-9]*$/)

    const doneBefore = judge.tally['done'] ?? 0
    filler.remove()
    await until('writing goes on', () => (judge.tally['done'] ?? 0) > doneBefore + 50, 5_000)
    await load.stop()
    await judge.resolve(client)
    await judge.checkBalances(client)
  }
  await judge.checkReplays(client)
  assert.equal(judge.tally['unanswered'], undefined, server.log.join('\n'))
  assert.ok((judge.tally['store_unavailable'] ?? 0) + (judge.tally['outcome_unknown'] ?? 0) > 0)
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}`)

  client.close()
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  assertProvesHere(path)
})

test('a disk that is full at the start is said in one line', async (t) => {
  const disk = smallDisk(t, 8)
  if (disk === undefined) return t.skip('a small disk takes root')
  const filler = fill(disk.directory)
  const path = join(disk.directory, 'cashpoint.db')
  const { code, stderr } = await run(['serve', '--store', `sqlite:${path}`, '--port', '0'])
  assert.equal(code, 1)
  assert.match(stderr, /^cashpoint: .*\n$/)

  filler.remove()
  const server = await serve(t, { path, env: { CASHPOINT_MIN_FREE_MIB: '0' } })
  assert.deepEqual(await new Client(server).balances(), openingBalances)
})

/** Takes all the space that is left. */
function fill(directory: string): { remove(): void } {
  const path = join(directory, 'filler')
  const file = openSync(path, 'w')
  for (let size = 2 ** 20; size >= 512; ) {
    try {
      writeSync(file, Buffer.alloc(size))
    } catch {
      size /= 2
    }
  }
  closeSync(file)
  assert.ok(statfsSync(directory).bavail <= 1, 'the disk is full')
  return { remove: () => rmSync(path) }
}

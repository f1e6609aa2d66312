// Told to stop, a server answers what it has accepted and ends in order; told twice, it ends at once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'
import { Judge, openingBalances, startLoad } from './load.ts'
import {
  assertProvesHere,
  Client,
  codeOf,
  type Exit,
  holdLock,
  pause,
  place,
  type Server,
  serve,
  verify,
} from './support.ts'

/** Sends a signal; tells how the server ended, and how long it took. */
async function signal(server: Server, name: NodeJS.Signals): Promise<Exit & { readonly ms: number }> {
  const startMs = performance.now()
  server.process.kill(name)
  const exit = await server.exit
  return { ...exit, ms: performance.now() - startMs }
}

for (const [name, host] of [
  ['SIGTERM', '127.0.0.1'],
  ['SIGINT', '::1'],
] as const) {
  test(`${name} under load at ${host}: what was accepted is answered, and only that is done (SEED=${seed})`, async (t) => {
    const { path } = place(t)
    const judge = new Judge()
    const server = await serve(t, { path })
    const load = startLoad(judge, { port: server.port, chance: prng(seed), name: 'load', host, clients: 16 })
    await pause(300)

    const { code, ms } = await signal(server, name)
    await load.stop()
    assert.equal(code, 0, server.log.join('\n'))
    assert.ok(ms < 10_000, `it took ${ms} ms`)
    assertProvesHere(path)

    const next = await serve(t, { path })
    const client = new Client(next)
    assert.deepEqual(await judge.resolve(client), [], 'done, and nobody was told')
    await judge.checkReplays(client)
    await judge.checkBalances(client)
    client.close()
    t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}, ended after ${Math.round(ms)} ms`)
  })
}

test('commands that wait for their lock are waited for, idle connections are not', async (t) => {
  const { path } = place(t)
  const server = await serve(t, { path })
  const client = new Client(server)
  const idle = new Client(server)
  await idle.ask('/')
  const lock = await holdLock(t, path)
  const asked = Array.from({ length: 5 }, (_, i) => client.withdraw('123456789', 100, `waiting-${i}`))
  await pause(300)

  const ending = signal(server, 'SIGTERM')
  await pause(300)
  await lock.release()
  for (const answer of await Promise.all(asked)) assert.equal(answer?.status, 200, answer?.body)
  const { code, ms } = await ending
  assert.equal(code, 0)
  assert.ok(ms < 3_000, `it took ${ms} ms`)
  assertProvesHere(path)
})

test('commands that never get their lock are refused at their deadline, and then it ends', async (t) => {
  const { path } = place(t)
  const server = await serve(t, { path, env: { CASHPOINT_LOCK_DEADLINE_MS: '700' } })
  const client = new Client(server)
  const lock = await holdLock(t, path)
  const asked = Array.from({ length: 5 }, () => client.withdraw('123456789', 100))
  await pause(300)

  const { code, ms } = await signal(server, 'SIGTERM')
  for (const answer of await Promise.all(asked)) assert.equal(codeOf(answer), 'account_busy')
  assert.equal(code, 0)
  assert.ok(ms < 3_000, `it took ${ms} ms`)
  await lock.release()
})

test('the second signal ends it at once, and what was not answered is not done', async (t) => {
  const { path } = place(t)
  const server = await serve(t, { path })
  const client = new Client(server)
  const lock = await holdLock(t, path)
  const asked = client.withdraw('123456789', 100)
  await pause(300)

  server.process.kill('SIGTERM')
  // Far enough apart to be two: Ctrl-C under npm arrives twice at once.
  await pause(500)
  const { code, ms } = await signal(server, 'SIGTERM')
  assert.equal(code, 1)
  assert.ok(ms < 1_000, `it took ${ms} ms`)
  assert.equal(await asked, undefined)
  await lock.release()

  const next = await serve(t, { path })
  assert.deepEqual(await new Client(next).balances(), openingBalances)
})

test('/readyz says ready, and nothing of the kind while stopping', async (t) => {
  const { path } = place(t)
  const server = await serve(t, { path })
  const client = new Client(server)
  assert.deepEqual(JSON.parse((await client.ask('/readyz')).body), { status: 'ready' })

  const lock = await holdLock(t, path)
  const asked = client.withdraw('123456789', 100)
  await pause(300)
  server.process.kill('SIGTERM')
  await pause(300)
  const probe = await new Client(server).call('/readyz')
  assert.ok(probe === undefined || probe.status === 503, probe?.body)
  await lock.release()
  assert.equal((await asked)?.status, 200)
  assert.equal((await server.exit).code, 0)
})

test('the opening balances are posted once, however often it starts', async (t) => {
  const { path } = place(t)
  for (let start = 0; start < 2; start += 1) {
    const server = await serve(t, { path })
    assert.deepEqual(await new Client(server).balances(), openingBalances)
    await server.stop()
  }
  assert.match((await verify(path)).stdout, /^The books prove: 6 records in 1 blocks, 3 accounts\./)

  const server = await serve(t, { path })
  assert.equal((await new Client(server).withdraw('123456789', 100_000))?.status, 200)
  await server.stop()
  const next = await serve(t, { path })
  assert.equal(await new Client(next).balance('123456789'), 0)
})

test('a signal just after it says that it serves ends it in order', async (t) => {
  const { path } = place(t)
  for (let start = 0; start < times(2, 5); start += 1) {
    const server = await serve(t, { path })
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
  }
})

// Told to stop, a server answers what it has accepted and ends in order; told twice, it ends at once. The steps of
// one store's life: how each server ends is what the next one begins with.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prove } from '../../src/stores/sqlite/prove.ts'
import { prng, seed } from '../support/chance.ts'
import { long, times } from '../support/profile.ts'
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

/** How many records a store has, and that its books prove. */
function recordsIn(path: string): number {
  assertProvesHere(path)
  const proven = prove(path)
  return 'records' in proven ? proven.records : assert.fail('proven twice')
}

test(`one end after the other (SEED=${seed})`, { timeout: times(80_000, 160_000) }, async (t) => {
  const { path } = place(t)
  const judge = new Judge()

  await t.test('a signal just after it says that it serves ends it in order', async () => {
    for (let start = 0; start < times(1, 5); start += 1) {
      const server = await serve(t, { path })
      assert.deepEqual(await server.stop(), { code: 0, signal: null })
    }
  })

  let server = await serve(t, { path })
  await t.test('the opening balances are posted once, however often it starts', async () => {
    assert.deepEqual(await new Client(server).balances(), openingBalances)
    const { stdout } = await verify(path)
    assert.match(stdout, /^The books prove: \d+ records in \d+ blocks, 3 accounts\./)
    assert.match(stdout, /^ {2}USD {2}customers 4000\.00 \+ terminals -8000\.00 \+ house 4000\.00 = 0$/m)
  })

  const signals = [
    ['SIGTERM', '127.0.0.1'],
    ['SIGINT', '::1'],
  ] as const
  for (const [name, host] of signals.filter((_, i) => long || i === seed % 2))
    await t.test(
      `${name} under load at ${host}: what was accepted is answered, and only that is done`,
      async (step) => {
        const { port } = server
        const load = startLoad(judge, { port, chance: prng(seed), name, host, clients: 16 })
        await pause(300)

        const { code, ms } = await signal(server, name)
        await load.stop()
        assert.equal(code, 0, server.log.join('\n'))
        assert.ok(ms < 10_000, `it took ${ms} ms`)
        assertProvesHere(path)

        server = await serve(t, { path })
        const client = new Client(server)
        assert.deepEqual(await judge.resolve(client), [], 'done, and nobody was told')
        await judge.checkReplays(client)
        await judge.checkBalances(client)
        client.close()
        step.diagnostic(`${JSON.stringify(judge.tally)}, ended after ${Math.round(ms)} ms`)
      },
    )

  await t.test('commands that wait for their lock are waited for, idle connections are not', async () => {
    const client = new Client(server)
    // All of it: an account that was opened with a balance stays empty over a start.
    const all = (await client.balance('123456789')) ?? 0
    assert.equal((await client.deposit('555555555', 1_000))?.status, 200)
    if (all > 0) assert.equal((await client.withdraw('123456789', all))?.status, 200)
    const idle = new Client(server)
    assert.deepEqual(JSON.parse((await idle.ask('/readyz')).body), { status: 'ready' })
    const lock = await holdLock(t, path)
    const asked = Array.from({ length: 5 }, (_, i) => client.withdraw('555555555', 100, `waiting-${i}`))
    await pause(300)

    const ending = signal(server, 'SIGTERM')
    await pause(300)
    const probe = await new Client(server).call('/readyz')
    assert.ok(probe === undefined || probe.status === 503, 'nothing says ready while it stops')
    await lock.release()
    for (const answer of await Promise.all(asked)) assert.equal(answer?.status, 200, answer?.body)
    const { code, ms } = await ending
    assert.equal(code, 0)
    assert.ok(ms < 3_000, `it took ${ms} ms`)
    assertProvesHere(path)
  })

  await t.test(
    'commands that never get their lock are refused at their deadline, and then it ends',
    async () => {
      server = await serve(t, { path, env: { CASHPOINT_LOCK_DEADLINE_MS: '700' } })
      const client = new Client(server)
      assert.equal(await client.balance('123456789'), 0)
      const lock = await holdLock(t, path)
      const asked = Array.from({ length: 5 }, () => client.withdraw('555555555', 100))
      await pause(300)

      const { code, ms } = await signal(server, 'SIGTERM')
      for (const answer of await Promise.all(asked)) assert.equal(codeOf(answer), 'account_busy')
      assert.equal(code, 0)
      assert.ok(ms < 3_000, `it took ${ms} ms`)
      await lock.release()
    },
  )

  await t.test('the second signal ends it at once, and what was not answered is not done', async () => {
    const records = recordsIn(path)
    server = await serve(t, { path })
    const lock = await holdLock(t, path)
    const asked = new Client(server).withdraw('555555555', 100)
    await pause(300)

    server.process.kill('SIGTERM')
    // Far enough apart to be two: Ctrl-C under npm arrives twice at once.
    await pause(500)
    const { code, ms } = await signal(server, 'SIGTERM')
    assert.equal(code, 1)
    assert.ok(ms < 1_000, `it took ${ms} ms`)
    assert.equal(await asked, undefined)
    await lock.release()
    assert.equal(recordsIn(path), records)
  })
})

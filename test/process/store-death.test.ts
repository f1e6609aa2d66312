// A thread of the store dies: what was under way is said to be unknown, and the process ends for a supervisor to
// start it again.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { Judge, startLoad } from './load.ts'
import { assertProves, Client, codeOf, holdLock, pause, place, type Server, serve } from './support.ts'

const exitSoftware = 70
const entry = join(import.meta.dirname, 'mortal-server.ts')

function tell(server: Server, thread: string, how: 'error' | 'end'): void {
  server.process.send({ thread, how })
}

test('commands under way when the writer dies are answered outcome_unknown, and it exits 70', async (t) => {
  const { path } = place(t)
  const server = await serve(t, { path, entry })
  const client = new Client(server)
  const lock = await holdLock(t, path)
  const asked = Array.from({ length: 5 }, (_, i) => client.withdraw('123456789', 100, `dying-${i}`))
  await pause(300)

  tell(server, 'writer', 'end')
  const answers = await Promise.all(asked)
  for (const answer of answers) {
    assert.equal(answer?.status, 503, answer?.body)
    assert.match(String(answer.headers['retry-after']), /^[1-9][0-9]*$/)
    assert.doesNotMatch(answer.body, /thread|worker|sqlite/i, 'internals')
  }
  // What the writer never got is known not to have been done.
  const codes = answers.map(codeOf)
  assert.ok(codes.includes('outcome_unknown'), codes.join())
  assert.deepEqual(
    codes.filter((code) => code !== 'outcome_unknown' && code !== 'store_unavailable'),
    [],
  )
  assert.equal((await server.exit).code, exitSoftware)
  assert.match(server.log.join('\n'), /the store died/)

  await lock.release()
  const next = await serve(t, { path })
  const retry = new Client(next)
  for (let i = 0; i < 5; i += 1) {
    const answer = await retry.withdraw('123456789', 100, `dying-${i}`)
    assert.equal(
      answer?.headers['idempotency-replayed'],
      undefined,
      'it waited for its lock when the writer died',
    )
  }
  assert.equal(await retry.balance('123456789'), 99_500)
})

for (const [thread, how] of [
  ['writer', 'error'],
  ['indexer', 'end'],
  ['reader', 'error'],
] as const)
  test(`the ${thread} dies under load (${how}): exit 70, and nothing is lost (SEED=${seed})`, (t) =>
    checkDeath(t, thread, how))

async function checkDeath(t: TestContext, thread: string, how: 'error' | 'end'): Promise<void> {
  const { path } = place(t)
  const judge = new Judge()
  const server = await serve(t, { path, entry })
  const load = startLoad(judge, { port: server.port, chance: prng(seed), name: 'load' })
  await pause(200)

  const startMs = performance.now()
  tell(server, thread, how)
  const { code } = await server.exit
  await load.stop()
  assert.equal(code, exitSoftware, server.log.join('\n'))
  assert.ok(performance.now() - startMs < 3_000, `it took ${performance.now() - startMs} ms`)

  const next = await serve(t, { path })
  const client = new Client(next)
  await judge.resolve(client)
  await judge.checkReplays(client)
  await judge.checkBalances(client)
  await assertProves(path)
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}`)
}

// A thread of the store dies: what was under way is said to be unknown, and the process ends for a supervisor to
// start it again.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { Judge, startLoad } from './load.ts'
import {
  assertProvesHere,
  Client,
  codeOf,
  holdLock,
  pause,
  place,
  type Server,
  serve,
  until,
} from './support.ts'

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

test(`a thread dies under load, one after the other: exit 70 each time, and nothing is lost (SEED=${seed})`, async (t) => {
  const { path } = place(t)
  const judge = new Judge()
  const chance = prng(seed)
  let server = await serve(t, { path, entry })
  for (const [thread, how] of [
    ['writer', 'error'],
    ['indexer', 'end'],
    ['reader', 'error'],
  ] as const) {
    const doneBefore = judge.tally['done'] ?? 0
    const load = startLoad(judge, { port: server.port, chance, name: thread })
    await until('there is load', () => (judge.tally['done'] ?? 0) > doneBefore + 20)

    tell(server, thread, how)
    await until(`it ends when its ${thread} died`, () => server.process.exitCode !== null)
    const { code } = await server.exit
    await load.stop()
    assert.equal(code, exitSoftware, `${thread}: ${server.log.join('\n')}`)
    assert.match(server.log.join('\n'), /the store died/)

    server = await serve(t, { path, entry })
    const client = new Client(server)
    await judge.resolve(client)
    await judge.checkReplays(client)
    await judge.checkBalances(client)
    client.close()
  }
  assertProvesHere(path)
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}`)
})

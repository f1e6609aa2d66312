// Time is lost: another program keeps the journal's lock for long, and the process itself is stopped for longer than
// its commands may wait. What comes too late is refused and never done.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { times } from '../support/profile.ts'
import { assertProvesHere, Client, codeOf, holdLock, pause, place, serve } from './support.ts'

// In the long profile the deadline that a server has by itself.
const deadlineMs = times(600, 10_000)
const lostMs = times(900, 15_000)
const env = { CASHPOINT_LOCK_DEADLINE_MS: String(deadlineMs) }
const account = '123456789'

test(`the lock is held for ${lostMs} ms by another program: 423 when ${deadlineMs} ms are over, and nothing is applied`, async (t) => {
  const { path } = place(t)
  const server = await serve(t, { path, env })
  const client = new Client(server)
  const lock = await holdLock(t, path)
  const startMs = performance.now()
  const asked = Array.from({ length: 20 }, async (_, i) => {
    const answer = await client.withdraw(account, 100, `held-${i}`)
    return { code: codeOf(answer), ms: performance.now() - startMs }
  })
  for (const { code, ms } of await Promise.all(asked)) {
    assert.equal(code, 'account_busy')
    assert.ok(ms > deadlineMs - 20 && ms < deadlineMs + 2_000, `refused after ${ms} ms`)
  }
  await pause(Math.max(0, lostMs - (performance.now() - startMs)))
  await lock.release()
  assert.equal((await client.deposit(account, 1))?.status, 200)
  assert.equal(await client.balance(account), 100_001)
  client.close()
  await server.stop()
  assertProvesHere(path)
})

test(`stopped for ${lostMs} ms with commands that wait: they are refused or unknown when it goes on, and never applied`, async (t) => {
  const { path } = place(t)
  const server = await serve(t, { path, env })
  const client = new Client(server)
  const lock = await holdLock(t, path)
  const asked = Array.from({ length: 10 }, (_, i) => client.withdraw(account, 100, `stopped-${i}`))
  await pause(200)
  server.process.kill('SIGSTOP')
  // The lock is free while it stands still: only the deadline keeps these from being done.
  await lock.release()
  await pause(lostMs)
  server.process.kill('SIGCONT')
  const codes = (await Promise.all(asked)).map(codeOf)
  // What the writer had may be unknown when time goes on: it was not there to say that it got no lock.
  assert.deepEqual(
    codes.filter((code) => code !== 'account_busy' && code !== 'outcome_unknown'),
    [],
  )
  assert.equal((await client.withdraw(account, 1, 'after'))?.status, 200)
  assert.equal(await client.balance(account), 99_999)
  for (let i = 0; i < 10; i += 1) {
    const retry = await client.withdraw(account, 100, `stopped-${i}`)
    assert.equal(retry?.headers['idempotency-replayed'], undefined, `stopped-${i} had been done`)
  }
  client.close()
  await server.stop()
  assertProvesHere(path)
})

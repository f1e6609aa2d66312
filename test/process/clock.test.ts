// The wall clock of a running server jumps back a day, stands still, and jumps ten years ahead. The order of the
// books is their sequence; deadlines are judged by a clock that only rises.

import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { Judge, startLoad } from './load.ts'
import { Shim, shimMissing } from './shim.ts'
import {
  type Answer,
  assertProves,
  Client,
  codeOf,
  holdLock,
  pause,
  place,
  type Server,
  serve,
} from './support.ts'

const skip = shimMissing()
const dayMs = 86_400_000
const deadlineMs = 500
const account = '987654321'

type Stage = { readonly server: Server; readonly client: Client; readonly shim: Shim; readonly path: string }

async function stage(t: TestContext): Promise<Stage> {
  const { path } = place(t)
  const shim = new Shim(t, path)
  const env = { ...shim.env, CASHPOINT_LOCK_DEADLINE_MS: String(deadlineMs) }
  const server = await serve(t, { path, env })
  const client = new Client(server)
  t.after(() => client.close())
  return { server, client, shim, path }
}

async function post(
  client: Client,
  path: string,
  body: object,
  key?: string,
): Promise<{ status: number; json: Json }> {
  const answer = await client.post(
    path,
    JSON.stringify(body),
    key === undefined ? {} : { 'idempotency-key': key },
  )
  return { status: answer?.status ?? 0, json: JSON.parse(answer?.body ?? '{}') }
}

type Json = Record<string, unknown>

function jump(shim: Shim, to: 'back' | 'still' | 'ahead'): void {
  if (to === 'back') shim.shiftClock(-dayMs)
  else if (to === 'still') shim.stopClock(Date.now() - dayMs)
  else shim.shiftClock(3_653 * dayMs)
}

/** That a command which gets no lock is refused when its deadline is over, though the wall clock says what it likes. */
async function checkDeadline(
  { client, path, shim }: Stage,
  t: TestContext,
  to: 'back' | 'still' | 'ahead',
): Promise<void> {
  const before = await client.balance(account)
  const lock = await holdLock(t, path)
  const startMs = performance.now()
  const asked: Promise<Answer | undefined> = client.withdraw(account, 100)
  await pause(100)
  jump(shim, to)
  const answer = await asked
  const ms = performance.now() - startMs
  assert.equal(codeOf(answer), 'account_busy', answer?.body)
  assert.ok(ms > deadlineMs - 20 && ms < deadlineMs + 2_000, `refused after ${ms} ms`)
  await lock.release()
  assert.equal((await client.deposit(account, 1))?.status, 200)
  assert.equal(await client.balance(account), (before ?? 0) + 1, 'nothing of it is done later')
}

test(`the clock goes back a day, stands still, and goes ten years ahead, under load (SEED=${seed})`, {
  skip,
}, async (t) => {
  const at = await stage(t)
  const { server, client, shim, path } = at
  const judge = new Judge()
  const load = startLoad(judge, {
    port: server.port,
    chance: prng(seed),
    name: 'load',
    allKeyed: true,
    clients: 4,
  })
  for (const to of ['back', 'still'] as const) {
    await pause(150)
    jump(shim, to)
  }
  await pause(150)
  await load.stop()
  // Within what keys are kept for, each is answered as at first, whatever the clock says.
  await judge.checkReplays(client)
  await judge.checkBalances(client)

  const held = await post(
    client,
    `/v1/holds`,
    { account, amount: 5_000, currency: 'USD', expires_in: 3_600 },
    'hold',
  )
  assert.equal(held.status, 201, JSON.stringify(held.json))
  for (const to of ['back', 'still'] as const) await checkDeadline(at, t, to)
  const pending = JSON.parse((await client.ask(`/v1/holds/${held.json['id']}`)).body)
  assert.equal(pending.state, 'pending', 'it does not expire while the clock has not come to it')

  await checkDeadline(at, t, 'ahead')
  const expired = JSON.parse((await client.ask(`/v1/holds/${held.json['id']}`)).body)
  assert.equal(expired.state, 'expired')
  const released = await client.balance(account)
  // Back again: it was resolved by the command that came after the jump, once and for good.
  jump(shim, 'back')
  assert.equal((await client.deposit(account, 1))?.status, 200)
  assert.equal(JSON.parse((await client.ask(`/v1/holds/${held.json['id']}`)).body).state, 'expired')
  assert.equal(await client.balance(account), (released ?? 0) + 1)
  const capture = await post(client, `/v1/holds/${held.json['id']}/capture`, { amount: 5_000 }, 'capture')
  assert.ok(capture.status >= 400, 'what has expired is not paid')

  client.close()
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  checkOrder(path)
  await assertProves(path)
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}`)
})

/** Sequences without a gap, ids once, and what the clock did to the instants of the records. */
function checkOrder(path: string): void {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = db.prepare('select sequence, at, kind, body from records order by sequence').all()
  db.close()
  const latest = new Map<string, number>()
  let wentBack = 0
  let last = 0
  for (const [i, { sequence, at, body }] of rows.entries()) {
    assert.equal(sequence, i + 1)
    if (Number(at) < last) wentBack += 1
    last = Number(at)
    const { debit, credit, account: of } = JSON.parse(String(body))
    for (const number of [debit, credit, of])
      if (typeof number === 'string' && !number.includes(':')) {
        assert.ok(
          Number(at) >= (latest.get(number) ?? 0),
          `the instants of account ${number} fall at record ${sequence}`,
        )
        latest.set(number, Number(at))
      }
  }
  assert.ok(wentBack > 0, 'the clock of the server did jump')
}

test('ten years ahead a key is as old as the clock says: it is not known any more, which is what its day of retention means', {
  skip,
}, async (t) => {
  const { server, client, shim, path } = await stage(t)
  assert.equal((await client.withdraw(account, 100, 'old'))?.status, 200)
  assert.equal((await client.withdraw(account, 100, 'old'))?.headers['idempotency-replayed'], 'true')
  shim.shiftClock(3_653 * dayMs)
  const again = await client.withdraw(account, 100, 'old')
  assert.equal(again?.headers['idempotency-replayed'], undefined)
  assert.equal(await client.balance(account), 249_800)
  // And back: the newer use of the key is the one that is remembered, since it is not a day old.
  shim.shiftClock(0)
  assert.equal((await client.withdraw(account, 100, 'old'))?.headers['idempotency-replayed'], 'true')
  assert.equal(await client.balance(account), 249_800)
  client.close()
  await server.stop()
  await assertProves(path)
})

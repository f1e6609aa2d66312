/** That a server on an old store answers under old keys what was answered then, and goes on. */
import assert from 'node:assert/strict'
import { Client, type Server } from '../process/support.ts'
import type { Asked, Fixture, Head } from './fixture.ts'

// Keys of the day on which a fixture was made are to be known for as long as anybody runs this.
export const env = {
  CASHPOINT_KEY_RETENTION_HOURS: String(24 * 3660),
  CASHPOINT_WEBHOOK_NETWORKS: '127.0.0.1',
}

/** That a server answers as the fixture's did, and goes on. */
export async function checkSaid(server: Server, fixture: Fixture, was: Head): Promise<void> {
  const client = new Client(server)
  const asked = fixture.asked.filter(({ by }) => by <= was.block)
  const who = asked.findLast(({ authorization }) => authorization !== undefined)?.authorization
  const credential: Record<string, string> = who === undefined ? {} : { authorization: who }
  if (was.block === fixture.killed.block)
    assert.equal((await client.ask('/accounts', { headers: credential })).body, fixture.accounts)

  await Promise.all(asked.map((one) => checkReplay(client, one)))
  const headers = { ...credential, 'idempotency-key': 'written on' }
  const written = await client.post('/accounts/555555555/deposit', '{"amount":1}', headers)
  assert.equal(written?.status, 200, written?.body)
  client.close()
}

async function checkReplay(client: Client, asked: Asked): Promise<void> {
  const { method, path, body, key, authorization, status, said } = asked
  const own: Record<string, string> = authorization === undefined ? {} : { authorization }
  const headers = { 'content-type': 'application/json', 'idempotency-key': key, ...own }
  const answer = await client.ask(path, { method, body, headers })
  const what = `${path} under ${key}: ${answer.body}`
  assert.equal(answer.status, status, what)
  if (status !== 401) assert.equal(answer.headers['idempotency-replayed'], 'true', what)
  // To the letter; but what /v1 tells of an account or a transfer has grown since.
  if (path.startsWith('/v1/')) assertKept(JSON.parse(said), JSON.parse(answer.body), what)
  else assert.equal(answer.body, said, what)
}

/** That all that was said then is said now, in that order; an object may say more. */
function assertKept(then: unknown, now: unknown, what: string): void {
  if (typeof then !== 'object' || then === null || typeof now !== 'object' || now === null) {
    assert.deepEqual(now, then, what)
    return
  }
  const names = Object.keys(then)
  assert.deepEqual(
    Object.keys(now).filter((name) => names.includes(name)),
    names,
    what,
  )
  if (Array.isArray(then)) assert.equal((now as unknown[]).length, then.length, what)
  for (const name of names) assertKept(then[name as never], now[name as never], `${what} at ${name}`)
}

// A file system that becomes read-only under a running server, as Linux makes one whose disk fails: writes stop, reads go
// on, and writing goes on by itself once it can be written again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openingBalances } from './load.ts'
import { Shim, shimMissing } from './shim.ts'
import { assertProvesHere, Client, codeOf, place, serve, until } from './support.ts'

test('a directory that becomes read-only stops writes, not reads, until it can be written again', {
  skip: shimMissing(),
}, async (t) => {
  const { path } = place(t)
  const shim = new Shim(t, path)
  const server = await serve(t, { path, env: shim.env })
  const client = new Client(server)
  const account = '123456789'
  assert.equal((await client.withdraw(account, 100, 'before'))?.status, 200)

  shim.set({
    files: ['journal', 'wal', 'index', 'indexWal', 'webhooks', 'webhooksWal', 'head', 'lock'],
    calls: ['write', 'sync', 'truncate'],
    at: 1,
    times: 1_000_000,
    action: 'read-only',
  })
  const first = await client.withdraw(account, 100, 'first')
  assert.deepEqual([first?.status, codeOf(first)], [503, 'outcome_unknown'])
  for (let i = 0; i < 3; i += 1) {
    const answer = await client.withdraw(account, 100, `later-${i}`)
    assert.equal(answer?.status, 503, answer?.body)
    assert.match(String(answer.headers['retry-after']), /^[1-9][0-9]*$/)
    assert.equal(await client.balance(account), 99_900)
    assert.equal((await client.balances()).size, openingBalances.size)
  }
  assert.equal((await client.ask('/readyz')).status, 503)
  assert.equal((await client.ask('/healthz')).status, 200)

  shim.clear()
  await until('writing goes on', async () => (await client.ask('/readyz')).status === 200)
  for (const key of ['first', 'later-0', 'later-1', 'later-2', 'before'])
    assert.equal((await client.withdraw(account, 100, key))?.status, 200, key)
  assert.equal(await client.balance(account), 99_500, 'each key counts once')
  client.close()
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log.join('\n'))
  assertProvesHere(path)
})

// Keys of clients and secrets of webhooks are told once, to whom they are for: they are in no log, no file of the
// store and no other answer.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { place, serve } from './support.ts'

test('after a run with credentials and webhooks no log, file or later answer has a secret', async (t) => {
  const { path, directory } = place(t)
  const env = { CASHPOINT_WEBHOOK_NETWORKS: '127.0.0.1', CASHPOINT_LOG_LEVEL: 'trace' }
  const server = await serve(t, { path, env })
  const answers: string[] = []
  // The store has these by design, to know a retry by; a log has no use for them.
  const once = 'only-this-once'
  const ask = async (route: string, body?: object, key?: string) => {
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': `${once}-${answers.length}`,
      ...(key && { authorization: `Bearer ${key}` }),
    }
    const sent = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
    const text = await (await fetch(server.url + route, sent)).text()
    answers.push(text)
    return text
  }
  const admin: string = JSON.parse(await ask('/v1/credentials', { role: 'admin', name: 'Ann' })).key
  const teller: string = JSON.parse(await ask('/v1/credentials', { role: 'teller', name: 'Bob' }, admin)).key
  const { secret } = JSON.parse(await ask('/v1/webhooks', { url: 'http://127.0.0.1:9/' }, admin))
  for (const one of [admin, teller, secret]) assert.match(String(one), /^(cp_|whsec_)/)
  answers.length = 0

  const deposit = { account: '123456789', amount: 100, currency: 'USD' }
  await ask('/v1/deposits', deposit, teller)
  // What is refused, malformed or unknown, with the secrets where they do not belong.
  await ask('/v1/credentials', { role: 'admin', name: 'x' }, teller)
  await ask('/v1/deposits', { ...deposit, amount: 'x' }, teller)
  await ask(`/v1/nowhere/${encodeURIComponent('x')}`, undefined, admin)
  await ask('/v1/credentials', undefined, admin)
  await ask('/v1/webhooks', undefined, admin)
  await ask('/v1/audit', undefined, admin)
  await ask('/metrics', undefined, admin)
  await ask('/v1/deposits', deposit, `${teller}x`)
  const readFiles = () =>
    readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'latin1')] as const)
  const running = readFiles()
  await server.stop()

  const bare = String(secret).slice('whsec_'.length)
  const found: string[] = []
  for (const [where, text] of [
    ...running,
    ...readFiles(),
    ['the log', server.log.join('\n')] as const,
    ...answers.map((text, i) => [`answer ${i}`, text] as const),
  ])
    for (const [i, one] of [admin, teller, secret, bare].entries())
      if (text.includes(one)) found.push(`secret ${i} in ${where}`)
  assert.deepEqual(found, [])
  assert.ok(!server.log.some((line) => line.includes(once)), 'the log has an Idempotency-Key')
  assert.ok(running.length >= 4 && server.log.length > 5, 'there is something to look through')
})

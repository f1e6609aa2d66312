// Webhooks of the real process: killed again and again while it sends, and nothing is missed; its keys in their file.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { postgres, postgresMissing } from '../support/postgres.ts'
import { times } from '../support/profile.ts'
import {
  assertOneLine,
  assertProvesHere,
  pause,
  place,
  run,
  type Scope,
  type Server,
  saysInOneLine,
  serve,
  serveHere,
} from './support.ts'

const rounds = times(3, 12)
const env = { CASHPOINT_WEBHOOK_NETWORKS: '127.0.0.1' }

/** A consumer that deals with each event as it comes; it may be down. */
async function consumer(scope: Scope) {
  const seen = new Map<string, { signature: string; at: string; body: string }>()
  let twice = 0
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const { headers } = request
    const id = String(headers['webhook-id'])
    if (seen.has(id)) twice += 1
    const signature = String(headers['webhook-signature'])
    seen.set(id, {
      signature,
      at: String(headers['webhook-timestamp']),
      body: Buffer.concat(pieces).toString(),
    })
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { seen, twice: () => twice, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

const json = { 'content-type': 'application/json' }

function post(url: string, path: string, body: object): Promise<Response> {
  return fetch(url + path, { method: 'POST', headers: json, body: JSON.stringify(body) })
}

test(`${rounds} times killed while it sends, it misses nothing (SEED=${seed})`, {
  timeout: times(80_000, 160_000),
}, async (t) => {
  const chance = prng(seed)
  const { path } = place(t)
  const { seen, twice, url } = await consumer(t)
  let server = await serve(t, { path, env })
  const made = (await (await post(server.url, '/v1/webhooks', { url })).json()) as {
    id: string
    secret: string
  }
  const due = new Set<string>()
  const operations = Array.from({ length: 100 }, () => ({
    ...{ type: 'deposit', account: '123456789', amount: 1, currency: 'USD' },
  }))
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < 3; i += 1) {
      const { results } = (await (await post(server.url, '/v1/batches', { operations })).json()) as {
        results: { body: { id: string } }[]
      }
      for (const { body } of results) due.add(body.id)
    }
    await pause(chance(150))
    await server.kill()
    server = await serve(t, { path, env })
  }
  const until = Date.now() + 30_000
  while (![...due].every((id) => seen.has(id))) {
    assert.ok(
      Date.now() < until,
      `${[...due].filter((id) => !seen.has(id)).length} of ${due.size} are missing`,
    )
    await pause(50)
  }
  assert.equal(due.size, rounds * 300)
  const key = Buffer.from(made.secret.slice('whsec_'.length), 'base64')
  for (const [id, { signature, at, body }] of seen) {
    const right = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')
    assert.equal(signature, `v1,${right}`, 'the same secret over all starts')
    assert.equal(JSON.parse(body).id, id)
  }
  t.diagnostic(`${seen.size} events, ${twice()} of them more than once`)
  await server.stop()
  assertProvesHere(path)
})

test('the keys are made once, for nobody else to read; without them webhooks are not signed by others', async (t) => {
  const { path } = place(t)
  const keys = join(dirname(path), 'keys.json')
  const first = await serve(t, { path, env })
  assert.equal(statSync(keys).mode & 0o777, 0o600)
  const text = readFileSync(keys, 'utf8')
  assert.equal((await post(first.url, '/v1/webhooks', { url: 'http://127.0.0.1:9/' })).status, 201)
  await first.stop()

  await (await serveHere(path, env)).stop()
  assert.equal(readFileSync(keys, 'utf8'), text, 'a start leaves its keys as they are')

  chmodSync(keys, 0o644)
  const ran = await run(['serve', '--store', `sqlite:${path}`, '--port', '0'], env)
  assertOneLine(onlyErrors(ran), 2, /others may read it: chmod 600/)
  chmodSync(keys, 0o600)
  const refuses = (says: RegExp) => assert.rejects(serveHere(path, env), saysInOneLine(says))
  writeFileSync(keys, '{"webhooks": "x"}')
  await refuses(/must have "webhooks": a key of 32 bytes/)
  writeFileSync(keys, 'nonsense')
  await refuses(/is no file of keys/)
  renameSync(keys, `${keys}.lost`)
  await refuses(/has another key pan:1 that the cards of this store were made with/)
  assert.ok(existsSync(keys), 'a new one, with which nothing was made')
  writeFileSync(keys, text)
  await (await serveHere(path, env)).stop()
  assert.equal(readFileSync(keys, 'utf8'), text, 'also those that were put back')
})

test('of three nodes on one database one sends, another when that one ends, and nothing is missed', {
  skip: postgresMissing,
}, async (t) => {
  const { url: database } = await (await postgres()).schema()
  const { path } = place(t)
  const keys = { ...env, CASHPOINT_KEYS: join(dirname(path), 'keys.json') }
  const { seen, twice, url } = await consumer(t)
  const start = (more: Record<string, string> = {}) => serve(t, { path: database, env: { ...keys, ...more } })
  const first = await start()
  const others = [await start(), await start()]
  assert.equal((await post(first.url, '/v1/webhooks', { url })).status, 201)

  const due = new Set<string>()
  const operate = async (nodes: readonly Server[]) => {
    for (let i = 0; i < 30; i += 1) {
      const node = nodes[i % nodes.length] as Server
      const body = { account: '123456789', amount: 1, currency: 'USD' }
      const answer = await post(node.url, '/v1/deposits', body)
      assert.equal(answer.status, 201)
      due.add(((await answer.json()) as { id: string }).id)
    }
  }
  const come = async (ms: number) => {
    const until = Date.now() + ms
    while (![...due].every((id) => seen.has(id))) {
      assert.ok(Date.now() < until, `${due.size - seen.size} of ${due.size} are missing`)
      await pause(50)
    }
  }
  await operate([first, ...others])
  await come(5_000)
  assert.equal(twice(), 0, 'each once where nobody ends')
  const counted = (await (await fetch(`${others[0]?.url}/v1/webhooks`)).json()) as { webhooks: object[] }
  assert.partialDeepStrictEqual(counted.webhooks, [{ pending: 0, dead: 0 }])

  // In order: what it had is let go, and taken up within a few seconds.
  await Promise.all([operate(others), first.stop()])
  await come(5_000)
  const [second, third] = others as [Server, Server]
  await Promise.all([operate([third]), second.kill()])
  await come(15_000)
  t.diagnostic(`${seen.size} events, ${twice()} of them more than once`)

  await assert.rejects(serve(t, { path: database, env }), /name their file with CASHPOINT_KEYS/)
  const strange = join(dirname(path), 'others.json')
  await assert.rejects(start({ CASHPOINT_KEYS: strange }), /has another key pan:1/)
  // Of keys of which only that of webhooks is another one.
  const { webhooks: _, ...rest } = JSON.parse(readFileSync(keys.CASHPOINT_KEYS, 'utf8'))
  writeFileSync(strange, JSON.stringify({ webhooks: 'ab'.repeat(32), ...rest }), { mode: 0o600 })
  await assert.rejects(start({ CASHPOINT_KEYS: strange }), /was made with another key than the one in/)
})

/** Without the log, which has lines of its own. */
function onlyErrors<Of extends { readonly stderr: string }>(ran: Of): Of {
  const lines = ran.stderr.split('\n').filter((line) => !line.startsWith('{'))
  return { ...ran, stderr: lines.join('\n') }
}

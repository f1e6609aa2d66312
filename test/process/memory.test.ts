// A heap of 64 MB and more accounts than a client reads at once: lists, journals and statements go out in pieces.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { times } from '../support/profile.ts'
import { makeAccounts } from '../support/stores.ts'
import { assertProvesHere, place, serve } from './support.ts'

const accounts = times(3_000, 100_000)
const perBatch = 500
const account = '123456789'

test(`a heap of 64 MB, ${accounts} accounts: the list, the events and a long statement are whole`, {
  timeout: times(90_000, 300_000),
}, async (t) => {
  const { path } = place(t)
  await makeAccounts(path, [account, ...Array.from({ length: accounts - 1 }, (_, i) => `small-${i}`)])
  const server = await serve(t, { path, env: { NODE_OPTIONS: '--max-old-space-size=64' } })
  const headers = { 'content-type': 'application/json' }
  const operation = { type: 'deposit', account, amount: 1, currency: 'USD' }
  const body = JSON.stringify({ operations: Array.from({ length: perBatch }, () => operation) })
  for (let i = 0; i < 10; i += 1) {
    const answer = await fetch(`${server.url}/v1/batches`, { method: 'POST', headers, body })
    assert.equal(answer.status, 200, await answer.text())
  }

  const count = async (route: string, what: RegExp) => {
    const answer = await fetch(server.url + route)
    assert.equal(answer.status, 200, server.log.join('\n'))
    return [...(await answer.text()).matchAll(what)].length
  }
  // Three at a time, so that they are in memory together if they are there as a whole.
  const lists = await Promise.all([1, 2, 3].map(() => count('/accounts', /"account_number"/g)))
  assert.deepEqual(lists, Array(3).fill(accounts))

  let entries = 0
  let next: string | undefined = `/v1/accounts/${account}/entries?limit=1000`
  for (let page = 0; next !== undefined && page < 50; page += 1) {
    const answer = await fetch(server.url + next)
    assert.equal(answer.status, 200)
    const { entries: found, next_cursor } = (await answer.json()) as {
      entries: unknown[]
      next_cursor: string | null
    }
    entries += found.length
    next =
      next_cursor === null
        ? undefined
        : `/v1/accounts/${account}/entries?limit=1000&cursor=${encodeURIComponent(next_cursor)}`
  }
  assert.equal(entries, 1 + 10 * perBatch, 'the opening, and every deposit')

  // Without keys every record of the journal is an event, told once.
  const seen = new Set<string>()
  let events = 0
  for (let after: string | null = '', page = 0; after !== null && page < 10_000; page += 1) {
    const answer = await fetch(`${server.url}/v1/events?limit=1000${after && `&after=${after}`}`)
    assert.equal(answer.status, 200)
    const told = (await answer.json()) as { events: { id: string }[]; next_after: string | null }
    for (const { id } of told.events) seen.add(id)
    events += told.events.length
    after = told.next_after === after || told.events.length === 0 ? null : told.next_after
  }
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  // But what is of the demo alone, and the check values of the server's keys.
  const untold = Number(/^cashpoint_store_records (\d+)$/m.exec(metrics)?.[1]) - seen.size
  assert.ok(untold >= 0 && untold < 20, `${untold} records are no events`)
  assert.equal(events, seen.size, 'none is told twice')
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  assertProvesHere(path)
})

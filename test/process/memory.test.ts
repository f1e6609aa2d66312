// A heap of 64 MB and more accounts than a client reads at once: lists, journals and statements go out in pieces.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { times } from '../support/profile.ts'
import { assertProvesHere, Client, place, serve } from './support.ts'

const accounts = times(3_000, 100_000)
const perBatch = 500

test(`a heap of 64 MB, ${accounts} accounts: the list, the events and a long statement are whole`, {
  timeout: times(90_000, 300_000),
}, async (t) => {
  const { path } = place(t)
  const server = await serve(t, { path, env: { NODE_OPTIONS: '--max-old-space-size=64' } })
  const headers = { 'content-type': 'application/json' }
  // The original route opens an account with its first deposit.
  const client = new Client(server)
  const open = async (account: string) => assert.equal((await client.deposit(account, 1))?.status, 200)
  const batch = async (numbers: readonly string[]) => {
    const operations = numbers.map((account) => ({ type: 'deposit', account, amount: 1, currency: 'USD' }))
    const sent = { method: 'POST', headers, body: JSON.stringify({ operations }) }
    const answer = await fetch(`${server.url}/v1/batches`, sent)
    assert.equal(answer.status, 200, await answer.text())
  }
  for (let i = 0; i < accounts; i += perBatch)
    await Promise.all(Array.from({ length: perBatch }, (_, j) => open(`small-${i + j}`)))
  for (let i = 0; i < 10; i += 1) await batch(Array.from({ length: perBatch }, () => '123456789'))

  const count = async (route: string, what: RegExp) => {
    const answer = await fetch(server.url + route)
    assert.equal(answer.status, 200)
    return [...(await answer.text()).matchAll(what)].length
  }
  // Three at a time, so that they are in memory together if they are there as a whole.
  const lists = await Promise.all([1, 2, 3].map(() => count('/accounts', /"account_number"/g)))
  assert.deepEqual(lists, Array(3).fill(accounts + 3))

  let entries = 0
  let next: string | undefined = '/v1/accounts/123456789/entries?limit=1000'
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
        : `/v1/accounts/123456789/entries?limit=1000&cursor=${encodeURIComponent(next_cursor)}`
  }
  assert.equal(entries, 1 + 10 * perBatch, 'the opening, and every deposit')

  // Without keys every record of the journal is an event, told once.
  const seen = new Set<string>()
  let events = 0
  for (let after: string | null = '', page = 0; after !== null && page < 1_000; page += 1) {
    const answer = await fetch(`${server.url}/v1/events?limit=1000${after && `&after=${after}`}`)
    assert.equal(answer.status, 200)
    const told = (await answer.json()) as { events: { id: string }[]; next_after: string | null }
    for (const { id } of told.events) seen.add(id)
    events += told.events.length
    after = told.next_after === after || told.events.length === 0 ? null : told.next_after
  }
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  assert.equal(seen.size, Number(/^cashpoint_store_records (\d+)$/m.exec(metrics)?.[1]))
  assert.equal(events, seen.size, 'none is told twice')
  client.close()
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  assertProvesHere(path)
})

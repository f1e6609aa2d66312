/** The client against a real server, over lines that lose, delay and cut. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Cashpoint, CashpointError, type CashpointEvent, NoAnswerError } from '../../src/client/client.ts'
import { serve } from '../rest/support.ts'
import { badLine, type Does } from './line.ts'

type Scope = Parameters<typeof serve>[0]

const usd = { currency: 'USD' }

const shared = await serve({ after })
let accounts = 0

/** A client at the end of a line to a server, and an account A of 1,000 that is a test's own. */
async function open(
  t: Scope,
  {
    plan = [],
    server = shared,
    ...options
  }: { plan?: Does[]; server?: typeof shared; retryMs?: number; tryMs?: number } = {},
) {
  accounts += 1
  const A = `A-${accounts}`
  const direct = new Cashpoint({ url: server.listening.url })
  await direct.openAccount({ number: A })
  await direct.deposit({ account: A, amount: 1000, ...usd })
  const line = await badLine(t, { to: server.listening.url, plan })
  return { A, server, direct, line, client: new Cashpoint({ url: line.url, ...options }) }
}

async function refusal(call: Promise<unknown>): Promise<CashpointError> {
  const error = await call.then(
    () => assert.fail('it must be refused'),
    (error) => error,
  )
  assert.ok(error instanceof CashpointError, String(error))
  return error
}

test('everything there is to ask, once', async (t) => {
  const { A, client } = await open(t)
  await client.openAccount({ number: 'B', limits: { daily_count: 9 }, metadata: { who: 'é' } })
  const { id } = await client.transfer({ from: A, to: 'B', amount: 300, reference: 'r', ...usd })
  assert.equal((await client.transferOf(id)).amount, 300)
  assert.equal((await client.reverse(id, { amount: 100 })).reverses, id)
  assert.equal((await client.withdraw({ account: 'B', amount: 50, ...usd })).kind, 'withdrawal')
  const hold = await client.hold({ account: 'B', amount: 60, ...usd })
  assert.equal((await client.holds({ state: 'pending' })).holds.length, 1)
  assert.equal((await client.capture(hold.id, { amount: 10 })).captured_amount, 10)
  const other = await client.hold({ account: 'B', amount: 20, ...usd })
  assert.equal((await client.void(other.id)).state, 'voided')
  assert.equal((await client.holdOf(other.id)).state, 'voided')
  assert.equal((await client.balance('B')).ledger, 140)
  assert.equal((await client.balance('B', { as_of: 2 })).ledger, 300)
  assert.equal((await client.account('B')).metadata['who'], 'é')
  assert.equal((await client.accounts({ limit: 1 })).next_cursor !== null, true)
  assert.equal((await client.transfers({ reference: 'r' })).transfers.length, 1)
  assert.equal((await client.entries('B', { limit: 2 })).entries.length, 2)
  const period = { from: '2026-01-01', to: '2126-01-01' }
  assert.equal((await client.statement('B', period)).closing, 140)
  const { version } = await client.setLimits('B', { daily_amount: 5 })
  assert.equal((await client.limitsOf('B')).limits.daily_amount, 5)
  assert.equal(
    (await client.setState('B', { state: 'frozen', reason: 'r' }, { ifVersion: version })).state,
    'frozen',
  )
  const { results } = await client.batch({
    operations: [{ type: 'deposit', account: A, amount: 1, ...usd }],
  })
  assert.equal(results[0]?.status, 201)
  assert.equal((await client.verify({ from: 1 })).from, 1)
  assert.ok('running' in (await client.verification()))
  const [head] = (await client.heads()).heads
  const { blocks, next_cursor } = await client.blocks({ limit: 2 })
  assert.equal(blocks[0]?.hash, head?.hash)
  const [next] = (await client.blocks({ limit: 1, cursor: String(next_cursor) })).blocks
  assert.equal(next?.hash, blocks[1]?.previous_hash)
  assert.deepEqual((await client.blocks({ to: next?.number ?? 0, limit: 1 })).blocks, [next])
  await client.deposit({ account: A, amount: 1, ...usd }, { key: 'mine' })
  assert.equal((await client.operation('mine')).status, 201)
})

for (const [name, lost] of [
  ['answers that are lost', ['lose', 'lose']],
  ['connections that are', ['drop', 'drop']],
  ['423', [{ status: 423, code: 'account_busy' }]],
  ['429', [{ status: 429 }]],
  [
    '503',
    [
      { status: 503, code: 'outcome_unknown' },
      { status: 503, text: 'from a proxy' },
    ],
  ],
  ['409 in_progress', [{ status: 409, code: 'in_progress' }]],
] as const satisfies [string, Does[]][])
  test(`a withdrawal goes on over ${name}, under one key, and leaves once`, async (t) => {
    const { A, client, direct, line } = await open(t, { plan: [...lost] })
    await client.withdraw({ account: A, amount: 100, ...usd })
    assert.equal(line.asked.length, lost.length + 1)
    assert.equal(new Set(line.asked.map(({ headers }) => headers['idempotency-key'])).size, 1)
    assert.equal((await direct.balance(A)).ledger, 900)
    await client.withdraw({ account: A, amount: 100, ...usd })
    assert.notEqual(line.asked.at(-1)?.headers['idempotency-key'], line.asked[0]?.headers['idempotency-key'])
  })

for (const [status, code] of [
  [400, 'invalid_request'],
  [401, 'unauthorized'],
  [409, 'hold_resolved'],
  [422, 'insufficient_funds'],
  [500, 'internal'],
  [502, 'none'],
] as const)
  test(`${status} ${code} is an answer, and not asked for again`, async (t) => {
    const { A, client, line } = await open(t, { plan: [{ status, code }] })
    const error = await refusal(client.withdraw({ account: A, amount: 100, ...usd }))
    assert.deepEqual([error.status, error.code, line.asked.length], [status, code, 1])
  })

test('a refusal has all that the server said', async (t) => {
  const { A, client } = await open(t)
  await client.setLimits(A, { daily_amount: 5 })
  const error = await refusal(client.withdraw({ account: A, amount: 6, ...usd }))
  assert.deepEqual(error.problem.limit, { name: 'daily_amount', limit: 5, used: 0, remaining: 5 })
  assert.equal(error.message, 'Limit exceeded: daily_amount is 5, of which 0 are used and 5 remain')
  assert.equal((await refusal(client.account('a/../b'))).code, 'account_number_invalid')
  assert.equal(
    (await refusal(client.setState(A, { state: 'active', reason: 'r' }, { ifVersion: 1 }))).status,
    412,
  )
})

test('what the server asks to wait is waited', async (t) => {
  const { A, client } = await open(t, { plan: [{ status: 503, retryAfter: '1' }] })
  const startedMs = performance.now()
  await client.account(A)
  assert.ok(performance.now() - startedMs >= 990)
})

test('a stream, too, waits as long as the server asks', async (t) => {
  const { client } = await open(t, { plan: [{ status: 429, retryAfter: '1' }] })
  const startedMs = performance.now()
  const events = client.events()
  await events.next()
  assert.ok(performance.now() - startedMs >= 990)
  // Else it goes on waiting for what comes next.
  await events.return(undefined)
})

test('where no answer comes in time, the error says under which key to ask', async (t) => {
  const { A, client, direct } = await open(t, { plan: Array(99).fill('lose'), retryMs: 300 })
  const error = await client.withdraw({ account: A, amount: 100, ...usd }).catch((error) => error)
  assert.ok(error instanceof NoAnswerError, String(error))
  assert.equal((await direct.operation(error.key ?? '')).status, 201)
  assert.equal((await direct.balance(A)).ledger, 900)
})

test('a call that is given up ends at once, also while it waits', async (t) => {
  const { A, client, line } = await open(t, { plan: [{ status: 503, retryAfter: '30' }] })
  const hangUp = new AbortController()
  setTimeout(() => hangUp.abort(new Error('enough')), 100)
  await assert.rejects(client.account(A, { signal: hangUp.signal }), /enough/)
  assert.equal(line.asked.length, 1)
})

test('a stream that is cut ten times tells each event once, in order, to the final balances', async (t) => {
  const plan: Does[] = Array.from({ length: 10 }, (_, i) =>
    i % 3 === 0 ? 'drop' : { cutAfter: 700 + i * 131 },
  )
  const { A, client, direct, line } = await open(t, { plan, server: await serve(t) })
  const writing = (async () => {
    for (let i = 0; i < 60; i += 1) await direct.withdraw({ account: A, amount: 1, ...usd })
  })()
  const events: CashpointEvent[] = []
  for await (const event of client.events()) {
    events.push(event)
    if (event.type === 'cashpoint.transfer.posted' && balanceIn(event) === 940) break
  }
  await writing
  assert.ok(line.asked.length > 10, 'the line was cut')
  const ids = events.map(({ id }) => Number(id.split('-')[1]))
  assert.deepEqual(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
    'each once, in order',
  )
  const posted = events.filter(({ type }) => type === 'cashpoint.transfer.posted')
  assert.deepEqual(posted.map(balanceIn), [1000, ...Array.from({ length: 60 }, (_, i) => 999 - i)])
  const [from] = posted.slice(-3)
  for await (const event of client.events({ after: from?.id ?? '', type: 'cashpoint.transfer.posted' })) {
    assert.equal(event.id, posted.at(-2)?.id, 'behind the one that was named')
    break
  }
})

test('from the latest on nothing is missed, also where the stream breaks before its first event', async (t) => {
  const { A, client, direct } = await open(t, { plan: ['pass', { cutAfter: 1 }, 'drop', 'drop'] })
  const events = client.events({ after: 'latest' })
  const first = events.next()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const { id } = await direct.withdraw({ account: A, amount: 1, ...usd })
  assert.equal((await first).value?.id, id)
  await events.return(undefined)
})

test('a credential is sent with everything, and asked for before each try', async (t) => {
  const { A, server, direct } = await open(t, { server: await serve(t) })
  const { key, id: ann } = await direct.createCredential({ role: 'admin', name: 'ann' })
  assert.equal((await refusal(direct.account(A))).code, 'unauthenticated')
  let asked = 0
  const line = await badLine(t, { to: server.listening.url, plan: ['lose', 'drop'] })
  const client = new Cashpoint({
    url: line.url,
    credential: async () => {
      asked += 1
      return String(key)
    },
  })
  await client.withdraw({ account: A, amount: 1, ...usd })
  assert.equal(asked, 3)
  const events = client.events()
  assert.equal((await events.next()).value?.type, 'cashpoint.account.opened')
  await events.return(undefined)

  const teller = await client.createCredential({ role: 'operator', name: 'bob' })
  const bob = new Cashpoint({ url: server.listening.url, credential: String(teller.key) })
  const adjust = { account: A, amount: 20_000, ...usd, direction: 'credit', reason: 'r' } as const
  const { id, state } = await bob.adjust(adjust)
  assert.equal(state, 'pending')
  assert.equal((await refusal(bob.approveAdjustment(id))).code, 'second_person_needed')
  assert.equal((await bob.adjustments()).adjustments.length, 1)
  assert.equal((await client.approveAdjustment(id)).state, 'posted')
  assert.equal((await bob.adjustment(id)).decided_by, ann)
  const other = await bob.adjust(adjust)
  assert.equal((await bob.rejectAdjustment(other.id)).state, 'rejected')
  const hook = await client.createWebhook({ url: 'http://127.0.0.1:9/', types: ['cashpoint.hold.placed'] })
  assert.match(hook.secret, /^whsec_/)
  assert.equal((await client.webhooks()).webhooks.length, 1)
  assert.deepEqual((await client.deliveries(hook.id, { state: 'dead' })).deliveries, [])
  assert.equal((await client.redeliver(hook.id)).id, hook.id)
  assert.notEqual((await client.disableWebhook(hook.id)).disabled_at, null)
  assert.equal((await client.revokeCredential(teller.id)).id, teller.id)
  assert.equal((await client.credentials()).credentials.length, 2)
  assert.equal((await client.audit({ limit: 1 })).acts[0]?.action, 'credential_revoked')
})

test('a stream that is refused says so, and one that is given up ends', async (t) => {
  const { client } = await open(t)
  const refused = await refusal(client.events({ after: 'nothing' }).next())
  assert.equal(refused.code, 'page_invalid')
  const hangUp = new AbortController()
  setTimeout(() => hangUp.abort(new Error('enough')), 100)
  await assert.rejects(client.events({ after: 'latest', signal: hangUp.signal }).next(), /enough/)
})

function balanceIn({ data }: CashpointEvent): number | undefined {
  return data.balances[0]?.ledger
}

/** Limits through HTTP, on real SQLite: who may set them, what a refusal says, and twenty at once. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { systemClock } from '../../src/bank/clock.ts'
import { assertRefused, serveV1 } from './v1-support.ts'

const usd = { currency: 'USD' }
const v1 = await serveV1({ after })

test('twenty withdrawals of 100 at once at a limit of 500: five leave, and a voided hold lets one more', async () => {
  await v1.post('/accounts', { number: 'L', limits: { daily_amount: 600 } })
  await v1.post('/deposits', { account: 'L', amount: 10_000, ...usd })
  const hold = await v1.hold('L', 100)
  const withdraw = () => v1.post('/withdrawals', { account: 'L', amount: 100, ...usd })
  const statuses = (await Promise.all(Array.from({ length: 20 }, withdraw))).map(({ status }) => status)
  assert.equal(statuses.filter((status) => status === 201).length, 5)
  assert.equal(statuses.filter((status) => status === 422).length, 15)

  const refused = await withdraw()
  assertRefused(refused, 422, 'limit_exceeded')
  assert.deepEqual(refused.body['limit'], { name: 'daily_amount', limit: 600, used: 600, remaining: 0 })
  assert.match(String(refused.body['detail']), /^daily_amount is 600, of which 600 are used and 0 remain$/)
  await v1.post(`/holds/${hold}/void`)
  const again = (await Promise.all([withdraw(), withdraw()])).map(({ status }) => status)
  assert.deepEqual(again.sort(), [201, 422])
  assert.equal((await v1.prove())['proven'], true)
})

test('what is used of the limits can be read, and is of the business day', async () => {
  await v1.open('U', 1_000)
  const read = async () => (await v1.get('/accounts/U/limits')).body as Record<string, unknown>
  const nothing = { amount: 0, count: 0 }
  const { day, ...rest } = await read()
  assert.deepEqual(rest, { account: 'U', currency: 'USD', limits: {}, used: nothing })
  assert.match(String(day), /^\d{4}-\d\d-\d\d$/)
  const limits = { daily_amount: 700, daily_count: 5 }
  await v1.put('/accounts/U/limits', limits)
  await v1.post('/withdrawals', { account: 'U', amount: 100, ...usd })
  const hold = await v1.hold('U', 250)
  assert.deepEqual([(await read())['limits'], (await read())['used']], [limits, { amount: 350, count: 2 }])
  await v1.post(`/holds/${hold}/void`)
  assert.deepEqual((await read())['used'], { amount: 100, count: 1 })
  assertRefused(await v1.get('/accounts/nobody/limits'), 404, 'account_not_found')
})

test('what was used yesterday is used no more', async (t) => {
  let ahead = 0
  const clock = { ...systemClock, now: () => systemClock.now() + ahead }
  const later = await serveV1(t, { clock })
  await later.put('/accounts/A/limits', { daily_amount: 700 })
  await later.post('/withdrawals', { account: 'A', amount: 100, ...usd })
  const used = async () => (await later.get('/accounts/A/limits')).body['used']
  assert.deepEqual(await used(), { amount: 100, count: 1 })
  ahead = 24 * 3_600_000
  assert.deepEqual(await used(), { amount: 0, count: 0 })
})

test('the original routes keep to limits, and say which', async () => {
  const { cashpoint, put } = v1
  await v1.open('O', 1000)
  await put('/accounts/O/limits', { transaction_amount: 500 })
  const { status, body } = await cashpoint.post('/accounts/O/withdraw', '{"amount": 5.01}')
  const { error, code, detail } = JSON.parse(body)
  assert.deepEqual([status, error, code], [400, 'Limit exceeded', 'limit_exceeded'])
  assert.equal(detail, 'transaction_amount is 500, of which 0 are used and 500 remain')
  assert.equal((await cashpoint.post('/accounts/O/withdraw', '{"amount": 5.00}')).status, 200)
})

test('limits are set with PUT, guarded, keyed, and told', async () => {
  const limits = { transaction_amount: 1, daily_amount: 2, daily_count: 3 }
  const set = await v1.put('/accounts/A/limits', limits, { 'if-match': '"2"', 'idempotency-key': 'k' })
  assert.deepEqual([set.status, set.body['limits'], set.headers.get('etag')], [200, limits, '"3"'])
  const again = await v1.put('/accounts/A/limits', limits, { 'if-match': '"2"', 'idempotency-key': 'k' })
  assert.deepEqual([again.text, again.headers.get('idempotency-replayed')], [set.text, 'true'])
  assert.deepEqual((await v1.get('/accounts/A')).body['limits'], limits)
  assertRefused(await v1.put('/accounts/A/limits', {}, { 'if-match': '"2"' }), 412, 'version_mismatch')
  assertRefused(await v1.put('/accounts/nobody/limits', {}), 404, 'account_not_found')
  for (const bad of [{ daily_amount: -1 }, { daily_amount: 1.5 }, { daily_count: 'x' }, { weekly: 1 }])
    assertRefused(await v1.put('/accounts/A/limits', bad), 400, 'invalid_request')
  assertRefused(await v1.put('/accounts/A/limits', '[]'), 400, 'malformed_body')
  assert.deepEqual((await v1.put('/accounts/A/limits', {})).body['limits'], {})
  const { body } = await v1.get('/events?type=cashpoint.account.limits_set')
  const events = body['events'] as unknown as { subject: string }[]
  assert.equal(events.filter(({ subject }) => subject === '/v1/accounts/A').length, 2)
})

// Cards over /v1: issued, blocked, unblocked, their PINs; and never a number in an answer.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { done, pans, serveAtm } from './atm-support.ts'
import { assertRefused } from './v1-support.ts'

const atm = await serveAtm({ after })
const { v1 } = atm
const accounts = [
  { account: 'B', type: 'checking', default: true },
  { account: 'A', type: 'savings', default: false },
]

test('a card is issued once, and told without its number', async () => {
  const limits = { per_withdrawal: 1, daily_amount: 2, daily_count: 3 }
  const body = { pan: pans.b, expiry: '2812', accounts, pvv: '0949', pvki: 1, limits }
  const made = await v1.post('/cards', body)
  const { id } = done(made, 201) as Record<string, unknown>
  assert.match(String(id), /^card_[0-9a-f]{32}$/)
  assert.equal(made.headers.get('location'), `/v1/cards/${id}`)
  assert.deepEqual(made.body, {
    id,
    last4: '0127',
    expiry: '2812',
    status: 'active',
    accounts,
    pin_set: true,
    pin_policy: 'always',
    tries_left: 3,
    limits,
  })
  assert.ok(!made.text.includes(pans.b) && !made.text.includes('0949'))
  assert.equal((await v1.get(`/cards/${id}`)).text, made.text)
  assertRefused(await v1.post('/cards', body), 409, 'card_exists')
  assertRefused(await v1.get('/cards/card_1'), 404, 'card_not_found')
})

test('what cannot be a card is refused, and its number is not repeated', async () => {
  const body = { pan: pans.none, expiry: '2812', accounts }
  for (const [more, status, code] of [
    [{ pan: '4761739001010136' }, 422, 'pan_check_digit'],
    [{ pan: '47617390010' }, 400, 'invalid_request'],
    [{ expiry: '2813' }, 400, 'invalid_request'],
    [{ accounts: [] }, 400, 'invalid_request'],
    [{ accounts: [{ account: 'nobody', type: 'checking', default: true }] }, 404, 'account_not_found'],
    [{ pvv: '0949' }, 400, 'invalid_request'],
    [{ pin: '1234', pvv: '0949', pvki: 1 }, 400, 'invalid_request'],
    [{ pin: '12345678901234' }, 400, 'invalid_request'],
    [{ limits: { transaction_amount: 1 } }, 400, 'invalid_request'],
    [{ [pans.a]: 1 }, 400, 'invalid_request'],
  ] as const) {
    const said = await v1.post('/cards', { ...body, ...more })
    assertRefused(said, status, code)
    assert.doesNotMatch(said.text, /47617390|1234567890|0949/)
  }
})

test('a card whose month is over is expired', async () => {
  const accounts = [{ account: 'A', type: 'checking', default: true }]
  const { id } = done(await v1.post('/cards', { pan: pans.none, expiry: '2001', accounts, pin: '1234' }), 201)
  assert.equal(done(await v1.get(`/cards/${id}`), 200)['status'], 'expired')
  assertRefused(await atm.authorize('w1', 1000, { pan: pans.none }), 403, 'card_expired')
})

test('blocked and active again; lost for good', async () => {
  const path = `/cards/${atm.card}`
  const block = (status: string) => v1.post(`${path}/block`, { status, reason: 'called in' })
  assert.equal(done(await block('blocked'), 200)['status'], 'blocked')
  assert.equal(done(await v1.post(`${path}/unblock`, { reason: 'found' }), 200)['status'], 'active')
  assertRefused(await block('active'), 400, 'invalid_request')
  assert.equal(done(await block('lost'), 200)['status'], 'lost')
  const said = await v1.post(`${path}/unblock`, { reason: 'found' })
  assertRefused(said, 409, 'card_status')
  assert.equal(said.body['card_status'], 'lost')
  assertRefused(await block('blocked'), 409, 'card_status')
  for (const verb of ['block', 'unblock', 'pin']) {
    const bodies: Record<string, object> = { block: { status: 'lost' }, pin: { pin: '1234' } }
    const said = await v1.post(`/cards/card_1/${verb}`, { reason: 'x', ...bodies[verb] })
    assertRefused(said, 404, 'card_not_found')
  }
})

test('the list has every card once, by status as of today, in pages', async () => {
  const ids = async (query: string) => {
    const found: string[] = []
    for (let next = ''; ; ) {
      const body = done(await v1.get(`/cards?limit=2${query}${next && `&cursor=${next}`}`), 200)
      const cards = body['cards'] as unknown as { id: string; last4: string; status: string }[]
      assert.ok(cards.length <= 2)
      for (const card of cards) assert.deepEqual(card, done(await v1.get(`/cards/${card.id}`), 200))
      found.push(...cards.map(({ last4, status }) => `${last4} ${status}`))
      if (body['next'] === null) return found.sort()
      next = String(body['next'])
    }
  }
  assert.deepEqual(await ids(''), ['0119 lost', '0127 active', '0135 expired'])
  assert.deepEqual(await ids('&status=active'), ['0127 active'])
  assert.deepEqual(await ids('&status=expired'), ['0135 expired'])
  assert.deepEqual(await ids('&status=stolen'), [])
  assert.deepEqual(await ids('&last4=0127'), ['0127 active'])
  assert.deepEqual(await ids('&last4=0127&status=lost'), [])
  assert.deepEqual(await ids('&last4=9999'), [])
  assertRefused(await v1.get('/cards?last4=12'), 400, 'invalid_request')
  assertRefused(await v1.get('/cards?status=gone'), 400, 'invalid_request')
  assertRefused(await v1.get('/cards?cursor=x'), 400, 'page_invalid')
})

test('a PIN that is set gives the tries back', async () => {
  const accounts = [{ account: 'A', type: 'checking', default: true }]
  const pan = '5555555555554444'
  const { id } = done(await v1.post('/cards', { pan, expiry: '9912', accounts }), 201)
  assert.equal(done(await v1.get(`/cards/${id}`), 200)['pin_set'], false)
  for (const w of ['a', 'b', 'c']) await atm.authorize(`pin-${w}`, 1000, { pan })
  assert.equal(done(await v1.get(`/cards/${id}`), 200)['tries_left'], 0)
  const set = done(await v1.post(`/cards/${id}/pin`, { pin: '7777', reason: 'new' }), 200)
  assert.deepEqual([set['pin_set'], set['tries_left']], [true, 3])
  done(await atm.authorize('pin-d', 1000, { pan, pin: '7777' }), 201)
  assertRefused(await v1.post(`/cards/${id}/pin`, { reason: 'new' }), 400, 'invalid_request')
})

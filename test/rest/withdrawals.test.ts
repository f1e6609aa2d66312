// Withdrawals over /v1: each request and reply of them, told again under its id, and every no.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { done, issue, makeTerminal, pans, pin, serveAtm, waysOf } from './atm-support.ts'
import { assertRefused } from './v1-support.ts'

const atm = await serveAtm({ after })
const { v1, authorize, start, confirm, reverse, read, dispense, suspect } = atm
const usd = { currency: 'USD' }

const membersOf = (body: object) => Object.keys(body)
const members = [
  'id',
  'terminal',
  'state',
  'confirmation',
  'amount',
  'currency',
  'account',
  'card',
  'last4',
  'units',
  'mix_assumed',
  'dispensed',
  'authorization_code',
  'batch',
  'expires_at',
  'balance',
  'transfers',
  'exception',
  'code',
  'created_at',
]

test('authorize, start, confirm: from the account into transit, and out of the machine', async () => {
  const authorized = await authorize('w1', 6000)
  assert.equal(authorized.status, 201)
  assert.equal(authorized.headers.get('location'), '/v1/terminals/ATM1/withdrawals/w1')
  assert.deepEqual(membersOf(authorized.body), members)
  const { body } = authorized as unknown as { body: Record<string, string> }
  assert.deepEqual(
    [body['state'], body['units'], body['dispensed'], body['balance'], body['last4'], body['code']],
    ['authorized', { C1: 1, C3: 1 }, null, { ledger: 94_000, available: 94_000 }, '0119', null],
  )
  assert.match(String(body['authorization_code']), /^[0-9]{6}$/)
  const created = Date.parse(String(body['created_at']))
  assert.equal(Date.parse(String(body['expires_at'])) - created, 60_000)
  const { transit, cash, units } = (await atm.terminal()) as unknown as Record<string, object[]>
  assert.deepEqual([transit, cash], [{ uncertain: 6000, unconfirmed: 0 }, 800_000])
  assert.deepEqual(units?.[0], {
    id: 'C1',
    type: 'cash_out',
    value: 5000,
    initial: 100,
    in: 0,
    out: 0,
    count: 100,
    reserved: 1,
    rejected: 0,
    low: 20,
    status: 'ok',
  })

  const started = done(await start('w1'), 200)
  assert.equal(started['state'], 'dispensing')
  assert.ok(Date.parse(String(started['expires_at'])) > created + 299_000)

  const confirmed = done(await confirm('w1', { C1: 1, C3: 1 }), 200)
  assert.deepEqual(
    [confirmed['state'], confirmed['dispensed'], confirmed['expires_at'], confirmed['exception']],
    ['completed', 6000, null, null],
  )
  assert.equal((confirmed['transfers'] as unknown as object[]).length, 2)
  assert.deepEqual(await read('w1'), confirmed)
  assert.deepEqual((await atm.terminal())['cash'], 794_000)
  assert.deepEqual(await v1.figures('A'), [94_000, 0, 94_000])
})

test('a repeat is answered as the first time, whatever became of it since, and costs no try of the PIN', async () => {
  const first = await authorize('w2', 2000)
  const started = await start('w2')
  await confirm('w2', { C2: 1 })
  const again = await authorize('w2', 2000, { pin: '9999' })
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  assert.deepEqual([again.status, again.text], [201, first.text])
  assertRefused(await start('w2'), 409, 'withdrawal_state')
  const confirmed = await confirm('w2', { C2: 1 })
  assert.equal(confirmed.headers.get('idempotency-replayed'), 'true')
  assert.equal(confirmed.body['state'], 'completed')
  assert.equal(started.body['state'], 'dispensing')

  await dispense('w3', 2000)
  const twice = await start('w3')
  assert.equal(twice.headers.get('idempotency-replayed'), 'true')
  assert.equal(twice.body['state'], 'dispensing')
  await reverse('w3')
  assert.equal((await v1.get(`/cards/${atm.card}`)).body['tries_left'], 3)
})

test('an Idempotency-Key is not looked at: the id is the key', async () => {
  const key = { 'idempotency-key': 'x'.repeat(300) }
  const path = `${atm.at}/withdrawals`
  const body = { pan: pans.a, pin, amount: 1000, ...usd }
  assert.equal((await v1.post(path, { id: 'k1', ...body }, key)).status, 201)
  assert.equal((await v1.post(path, { id: 'k2', ...body }, key)).status, 201)
  for (const id of ['k1', 'k2'])
    assert.equal(
      (await v1.post(`${path}/${id}/reverse`, { reason: 'timeout' }, key)).body['state'],
      'reversed',
    )
})

test('another request under an id is told what differs, and no value', async () => {
  await authorize('w4', 1000)
  for (const [more, names] of [
    [{ amount: 2000 }, 'amount'],
    [{ pan: pans.b }, 'pan'],
    [{ account: 'A' }, 'account'],
    [{ mix: { C3: 1 } }, 'mix'],
  ] as const) {
    const said = await authorize('w4', 1000, more)
    assertRefused(said, 422, 'idempotency_conflict')
    assert.equal(said.body['detail'], `What differs from the first request: ${names}`)
  }
  await reverse('w4')
})

test('part of it left: the rest goes back; none: all of it; more, or nobody knows: a suspect', async () => {
  await dispense('p1', 6000)
  const part = done(await confirm('p1', { C1: 1 }, { rejected: { C3: 1 } }), 200)
  assert.deepEqual([part['state'], part['dispensed']], ['partially_completed', 5000])
  await dispense('p2', 6000)
  assert.deepEqual(done(await confirm('p2', { C1: 0 }), 200)['state'], 'reversed')
  await dispense('p3', 6000)
  const over = done(await confirm('p3', { C1: 2 }), 200)
  assert.deepEqual([over['state'], over['dispensed']], ['suspect', null])
  assert.match(String(over['exception']), /^exc_/)
  const [exception] = await atm.exceptions()
  assert.deepEqual(
    [exception?.['type'], exception?.['amount'], exception?.['withdrawal']],
    ['over_dispensed', 10_000, 'p3'],
  )
  assert.equal(done(await reverse('p3'), 200)['state'], 'reversed')
})

test('an advice is never refused: of what is not known, of what ended otherwise, of what was declined', async () => {
  const unknown = done(await reverse('u1', 'no_dispense'), 200)
  assert.deepEqual(unknown, { id: 'u1', state: 'reversed', tombstone: true })
  assert.deepEqual(done(await reverse('u1', 'timeout'), 200), unknown)
  assert.deepEqual(await read('u1'), unknown)
  assertRefused(await authorize('u1', 1000), 409, 'already_reversed')

  const paid = done(await confirm('u2', { C1: 1 }), 200)
  assert.deepEqual([paid['state'], paid['tombstone']], ['reversed', true])
  assert.match(String(paid['exception']), /^exc_/)

  await dispense('u3', 2000)
  await confirm('u3', { C2: 1 })
  const late = done(await reverse('u3', 'malfunction'), 200)
  assert.deepEqual([late['state'], String(late['exception']).slice(0, 4)], ['completed', 'exc_'])

  assertRefused(await authorize('u4', 100), 422, 'amount_not_dispensable')
  assert.equal(done(await reverse('u4'), 200)['state'], 'declined')
  assert.equal(done(await confirm('u4', { C1: 1 }), 200)['state'], 'declined')
  for (const [body, member] of [
    [{}, 'units'],
    [{ units: { C1: -1 } }, 'units.C1'],
    [{ units: { C1: 1.5 } }, 'units.C1'],
    [{ units: { C1: 1 }, outcome: 'lost' }, 'outcome'],
    [{ units: {}, more: 1 }, 'more'],
  ] as const) {
    const said = await v1.post(`${atm.at}/withdrawals/u3/confirm`, body)
    assertRefused(said, 400, 'invalid_request')
    assert.ok(String(said.body['detail']).startsWith(member), String(said.body['detail']))
  }
  assertRefused(await reverse('u3', 'because'), 400, 'invalid_request')
  assertRefused(await v1.post(`${atm.at}/withdrawals/a%20b/confirm`, { units: {} }), 400, 'invalid_request')
})

test('every no of an authorization, kept under its id with what it says', async () => {
  const no = async (id: string, more: object, status: number, code: string, about: object = {}) => {
    const body = { amount: 1000, ...more }
    for (const replayed of [null, 'true']) {
      const said = await authorize(id, 1000, body)
      assertRefused(said, status, code)
      const told = Object.fromEntries(Object.keys(about).map((name) => [name, said.body[name]]))
      assert.deepEqual(told, about, id)
      assert.equal(said.headers.get('idempotency-replayed'), replayed, id)
    }
    const kept = await read(id)
    assert.deepEqual([kept['state'], kept['code']], ['declined', code])
  }
  await no('n1', { pan: pans.none }, 404, 'card_not_found')
  await no('n2', { currency: 'EUR' }, 422, 'currency_mismatch')
  await no('n3', { account: 'B' }, 403, 'account_not_allowed')
  await no('n4', { amount: 99_000 }, 422, 'insufficient_funds')
  await no('n5', { amount: 1500 }, 422, 'amount_not_dispensable', { nearest: { below: 1000, above: 2000 } })
  await no('n6', { pin: '1111' }, 403, 'pin_incorrect', { tries_left: 2 })
  await no('n7', { pin: undefined }, 403, 'pin_required')
  await authorize('n8', 1000)
  await reverse('n8')
  await no('n9', { mix: { C1: 1 } }, 422, 'amount_not_dispensable')

  const limits = { per_withdrawal: 3000, daily_amount: 5000, daily_count: 2 }
  await v1.post('/deposits', { account: 'B', amount: 20_000, ...usd })
  const card = await issue(v1, { pan: pans.b, account: 'B', limits })
  const b = { pan: pans.b }
  const over = { scope: 'withdrawal', limit: 3000, used: 0, remaining: 3000 }
  await no('l1', { ...b, amount: 4000 }, 422, 'limit_amount', over)
  await authorize('l2', 3000, b)
  await no('l3', { ...b, amount: 3000 }, 422, 'limit_amount', {
    scope: 'card_day',
    limit: 5000,
    used: 3000,
    remaining: 2000,
  })
  await authorize('l4', 1000, b)
  await no('l5', b, 422, 'limit_count', { scope: 'card_day', limit: 2, used: 2, remaining: 0 })
  for (const id of ['l2', 'l4']) await reverse(id)
  for (const [status, tried] of [
    ['blocked', 'b1'],
    ['lost', 'b2'],
  ] as const) {
    await v1.post(`/cards/${card}/block`, { status, reason: 'called in' })
    await no(tried, b, 403, `card_${status}`)
  }
  for (const id of ['t1', 't2', 't3']) await authorize(id, 1000, { pin: '1111' })
  await no('t4', {}, 403, 'pin_locked')
  await v1.post(`/cards/${atm.card}/unblock`, { reason: 'was it himself' })

  const other = waysOf(v1, 'ATM2')
  await makeTerminal(v1, 'ATM2', { max_withdrawal: 5000 })
  const said = await other.authorize('w1', 6000)
  assertRefused(said, 422, 'limit_amount')
  assert.equal(said.body['scope'], 'terminal')
  await v1.post(`${other.at}/state`, { state: 'out_of_service', reason: 'moved' })
  assertRefused(await other.authorize('w2', 1000), 403, 'terminal_not_allowed')
  assertRefused(await waysOf(v1, 'NONE').authorize('w2', 1000), 404, 'terminal_not_found')
  assertRefused(await waysOf(v1, 'no-id').authorize('w2', 1000), 404, 'terminal_not_found')
})

test('what is malformed is told by its member, never by its value, and is not kept', async () => {
  const body = { id: 'm1', pan: pans.a, pin, amount: 1000, ...usd }
  for (const [more, member] of [
    [{ id: 'a b' }, 'id'],
    [{ id: 'x'.repeat(37) }, 'id'],
    [{ pan: '1234567890123456789012' }, 'pan'],
    [{ pan: '47617390010101x9' }, 'pan'],
    [{ pin: '123' }, 'pin'],
    [{ pin: undefined, pin_block: 'ABC' }, 'pin_block'],
    [{ pin_block: '0123456789ABCDEF' }, 'pin and pin_block'],
    [{ amount: 0 }, 'amount'],
    [{ amount: 10.5 }, 'amount'],
    [{ currency: 'XXY' }, 'currency'],
    [{ mix: 'all' }, 'mix'],
    [{ confirmation: 'implicit' }, 'confirmation'],
  ] as const) {
    const said = await v1.post(`${atm.at}/withdrawals`, { ...body, ...more })
    assertRefused(said, 400, 'invalid_request')
    assert.ok(String(said.body['detail']).startsWith(member), `${member}: ${said.body['detail']}`)
  }
  assertRefused(await v1.get(`${atm.at}/withdrawals/m1`), 404, 'withdrawal_not_found')
  assertRefused(await start('m1'), 404, 'withdrawal_not_found')
})

test('withdrawals are listed by id, in pages, and those that are open by themselves', async () => {
  await authorize('z1', 1000)
  await suspect('z2', 1000)
  const list = async (query: string) =>
    done(await v1.get(`${atm.at}/withdrawals?${query}`), 200) as unknown as {
      withdrawals: { id: string; state: string }[]
      next: string | null
    }
  const open = await list('state=open')
  assert.deepEqual(
    open.withdrawals.map(({ id, state }) => [id, state]),
    [
      ['z1', 'authorized'],
      ['z2', 'suspect'],
    ],
  )
  const all = await list('limit=1000')
  assert.equal(all.next, null)
  const ids = all.withdrawals.map(({ id }) => id)
  assert.deepEqual(ids, ids.toSorted())
  const paged: string[] = []
  for (let cursor = ''; ; ) {
    const page = await list(`limit=5${cursor}`)
    paged.push(...page.withdrawals.map(({ id }) => id))
    if (page.next === null) break
    cursor = `&cursor=${page.next}`
  }
  assert.deepEqual(paged, ids)
  for (const query of ['state=authorized', 'limit=0', 'cursor=abc', 'cursor=x&cursor=y'])
    assert.equal((await v1.get(`${atm.at}/withdrawals?${query}`)).status, 400, query)
})

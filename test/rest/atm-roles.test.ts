// Who may do what at terminals: every route of the ATM side, asked as every role, and as a terminal of another one.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { done, issue, pans, serveAtm } from './atm-support.ts'
import { assertRefused } from './v1-support.ts'

const atm = await serveAtm({ after })
const { v1 } = atm
const other = await issue(v1, { pan: pans.b, account: 'B' })
const keys: Record<string, string> = { admin: await v1.useKey('admin') }
for (const role of ['teller', 'operator', 'auditor']) keys[role] = await keyOf(role, role)
keys['terminal'] = await keyOf('terminal', 'ATM1')
keys['another terminal'] = await keyOf('terminal', 'ATM2')

async function keyOf(role: string, name: string): Promise<string> {
  return String(done(await v1.post('/credentials', { role, name }), 201)['key'])
}

const at = '/terminals/ATM1'
const usd = { currency: 'USD' }
const card = { pan: pans.a, pin_block: '0123456789ABCDEF' }
const everybody = ['terminal', 'teller', 'operator', 'auditor', 'admin']
const operations = ['terminal']
const reads = ['terminal', 'operator', 'auditor', 'admin']
const servants = ['operator', 'admin']

/** As ATM-API.md §5 has it: who may, the route, a body that would do, and whether a terminal may of its own alone. */
const table: readonly (readonly [readonly string[], string, object | undefined, 'own' | 'any'])[] = [
  [operations, `POST ${at}/withdrawals`, { id: 'w1', ...card, amount: 1000, ...usd }, 'own'],
  [operations, `POST ${at}/withdrawals/w1/start`, {}, 'own'],
  [operations, `POST ${at}/withdrawals/w1/confirm`, { units: {} }, 'own'],
  [operations, `POST ${at}/withdrawals/w1/reverse`, { reason: 'timeout' }, 'own'],
  [operations, `POST ${at}/inquiries`, { ...card, type: 'balance' }, 'own'],
  [operations, `POST ${at}/deposits`, { id: 'd1', account: 'A', ...usd, notes: { 5000: 1 } }, 'own'],
  [operations, `POST ${at}/deposits/d1/reverse`, { reason: 'x' }, 'own'],
  [operations, `POST ${at}/transfers`, { id: 't1', ...card, to: 'B', amount: 1, ...usd }, 'own'],
  [operations, `POST ${at}/pin-changes`, { id: 'p1', ...card, new_pin_block: '0123456789ABCDEF' }, 'own'],
  [operations, `POST ${at}/sign-on`, {}, 'own'],
  [operations, `POST ${at}/sign-off`, {}, 'own'],
  [['terminal', ...servants], `POST ${at}/close`, { batch: 99 }, 'own'],
  [reads, `GET ${at}`, undefined, 'own'],
  [reads, `GET ${at}/withdrawals`, undefined, 'own'],
  [reads, `GET ${at}/withdrawals/w1`, undefined, 'own'],
  [reads, `GET ${at}/batches`, undefined, 'own'],
  [reads, `GET ${at}/withdrawals/w1/history`, undefined, 'own'],
  [reads, `GET ${at}/batches/1`, undefined, 'own'],
  [reads, 'GET /terminals', undefined, 'any'],
  [reads, 'GET /exceptions', undefined, 'any'],
  [reads, 'GET /exceptions/exc_1', undefined, 'any'],
  [
    ['admin'],
    'POST /terminals',
    { id: 'ATM1', name: 'x', ...usd, units: [{ id: 'D1', type: 'cash_in' }] },
    'any',
  ],
  [servants, `POST ${at}/state`, { state: 'in_service', reason: 'x' }, 'any'],
  [servants, `POST ${at}/exchange`, { action: 'end', exchange: 'x', mode: 'add', loaded: {} }, 'any'],
  [servants, `POST ${at}/counts`, { exchange: 'x', units: {} }, 'any'],
  [servants, 'POST /exceptions/exc_1/resolve', { reason: 'x' }, 'any'],
  [
    ['teller', 'admin'],
    'POST /cards',
    { pan: pans.a, expiry: '2812', accounts: [{ account: 'A', type: 'checking', default: true }] },
    'any',
  ],
  [['teller', 'operator', 'auditor', 'admin'], 'GET /cards', undefined, 'any'],
  [['teller', 'operator', 'auditor', 'admin'], `GET /cards/${other}`, undefined, 'any'],
  [['teller', ...servants], `POST /cards/${other}/block`, { status: 'blocked', reason: 'x' }, 'any'],
  [['admin'], `POST /cards/${other}/unblock`, { reason: 'x' }, 'any'],
  [['admin'], `POST /cards/${other}/pin`, { pvv: '0949', pvki: 1, reason: 'x' }, 'any'],
]

let asked = 0

function ask(route: string, body: object | undefined, key: string) {
  const [method = '', path = ''] = route.split(' ')
  const headers = { authorization: `Bearer ${key}` }
  if (method === 'GET') return v1.get(path, headers)
  asked += 1
  return v1.post(path, body, { ...headers, 'idempotency-key': `k-${asked}` })
}

for (const [may, route, body, own] of table)
  test(`${route}: ${may.join(', ')}`, async () => {
    for (const role of everybody) {
      const said = await ask(route, body, keys[role] ?? '')
      if (may.includes(role)) assert.notEqual(said.body['code'], 'forbidden', `${role}: ${said.text}`)
      else assertRefused(said, 403, 'forbidden')
    }
    const said = await ask(route, body, keys['another terminal'] ?? '')
    if (own === 'own' || !may.includes('terminal')) assertRefused(said, 403, 'forbidden')
    else assert.notEqual(said.body['code'], 'forbidden')
  })

test('pin-key and mac-key are an admin’s, and a key in clear nobody’s', async () => {
  const key = { algorithm: 'tdes', key: '0123456789ABCDEFFEDCBA9876543210', kcv: '08D7B4' }
  for (const role of everybody) {
    const headers = { authorization: `Bearer ${keys[role]}` }
    for (const use of ['pin-key', 'mac-key'])
      assertRefused(
        await v1.put(`${at}/${use}`, key, headers),
        403,
        role === 'admin' ? 'clear_pin_disabled' : 'forbidden',
      )
    const none = await v1.put(`${at}/mac-key`, { algorithm: 'none' }, headers)
    if (role === 'admin') assert.equal(none.status, 204)
    else assertRefused(none, 403, 'forbidden')
  }
})

test('every route of the ATM side is in the table', () => {
  const tried = new Set(
    [...table.map(([, route]) => route), `PUT ${at}/pin-key`, `PUT ${at}/mac-key`].map(shapeOf),
  )
  const there = Object.entries(v1.document.paths).flatMap(([path, methods]) =>
    /^\/v1\/(terminals|exceptions|cards)/.test(path)
      ? Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.slice('/v1'.length)}`)
      : [],
  )
  assert.deepEqual(there.map(shapeOf).toSorted(), [...tried].toSorted())

  function shapeOf(route: string): string {
    return route.replace(/\{[a-z]+\}|ATM1|\b[wd]1\b|\bbatches\/1|exc_1|card_[0-9a-f]+/g, (name) =>
      name.startsWith('batches') ? 'batches/*' : '*',
    )
  }
})

test('a terminal sees itself and its own exceptions, and of others nothing', async () => {
  const mine = { authorization: `Bearer ${keys['terminal']}` }
  const others = { authorization: `Bearer ${keys['another terminal']}` }
  const list = async (path: string, headers: Record<string, string>) => {
    const body = done(await v1.get(path, headers), 200)
    return (body['terminals'] ?? body['exceptions']) as unknown as { id: string }[]
  }
  assert.deepEqual(
    (await list('/terminals', mine)).map(({ id }) => id),
    ['ATM1'],
  )
  assert.deepEqual(await list('/terminals', others), [])

  await v1.post(`${at}/withdrawals/u1/confirm`, { units: { C1: 1 } }, mine)
  const [exception] = await list('/exceptions?state=open', mine)
  assert.ok(exception !== undefined)
  assert.equal((await v1.get(`/exceptions/${exception.id}`, mine)).status, 200)
  for (const query of ['', '?state=open', '?terminal=ATM1'])
    assert.deepEqual(await list(`/exceptions${query}`, others), [])
  assertRefused(await v1.get(`/exceptions/${exception.id}`, others), 404, 'exception_not_found')
})

test('a terminal’s credential is named after it', async () => {
  for (const name of ['ann', 'ATM 1', 'A'.repeat(17)])
    assertRefused(await v1.post('/credentials', { role: 'terminal', name }), 400, 'invalid_request')
})

test('outside demo mode a PIN in clear is taken from nobody', async () => {
  const clear = { pan: pans.a, pin: '1234' }
  const bodies: Record<string, object> = {
    withdrawals: { id: 'c1', ...clear, amount: 1000, ...usd },
    inquiries: { ...clear, type: 'balance' },
    deposits: { id: 'c2', ...clear, ...usd, notes: { 5000: 1 } },
    transfers: { id: 'c3', ...clear, to: 'B', amount: 1, ...usd },
    'pin-changes': { id: 'c4', ...card, new_pin: '4321' },
  }
  for (const [verb, body] of Object.entries(bodies))
    assertRefused(await ask(`POST ${at}/${verb}`, body, keys['terminal'] ?? ''), 403, 'clear_pin_disabled')
  const accounts = [{ account: 'A', type: 'checking', default: true }]
  const issued = { pan: pans.none, expiry: '2812', accounts, pin: '1234' }
  assertRefused(await v1.post('/cards', issued), 403, 'clear_pin_disabled')
  assertRefused(await v1.post(`/cards/${other}/pin`, { pin: '1234', reason: 'x' }), 403, 'clear_pin_disabled')
})

test('above the threshold an exception wants two people', async (t) => {
  const { v1, suspect, at } = await serveAtm(t, { adjustmentThreshold: 1000 })
  await suspect('w1', 6000)
  const ann = await v1.useKey('admin', 'ann')
  const { exceptions } = done(await v1.get('/exceptions?state=open'), 200)
  const path = `/exceptions/${(exceptions as unknown as { id: string }[])[0]?.id}/resolve`
  const bob = String(done(await v1.post('/credentials', { role: 'operator', name: 'bob' }), 201)['key'])
  const as = (key: string) =>
    v1.post(path, { dispensed: 0, reason: 'film' }, { authorization: `Bearer ${key}` })
  const { state, waits } = done(await as(ann), 200) as unknown as { state: string; waits: object }
  assert.deepEqual([state, waits], ['open', { dispensed: 0, reason: 'film', by: 'ann' }])
  assertRefused(await as(ann), 403, 'second_person_needed')
  const resolved = done(await as(bob), 200) as unknown as { state: string; resolution: { by: string } }
  assert.equal('waits' in resolved, false)
  assert.deepEqual([resolved.state, resolved.resolution.by], ['resolved', 'bob'])
  assert.equal(done(await v1.get(`${at}/withdrawals/w1`), 200)['state'], 'reversed')
})

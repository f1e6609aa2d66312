// Terminals over /v1: made, listed, in and out of service, signed on, given keys.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { done, serveAtm, units } from './atm-support.ts'
import { assertRefused, serveV1 } from './v1-support.ts'

const atm = await serveAtm({ after })
const { v1, act } = atm
const plan = { id: 'T1', name: 'Lobby', currency: 'USD', units }

test('a terminal is made out of service and empty, once', async () => {
  const made = await v1.post('/terminals', plan)
  assert.equal(made.status, 201)
  assert.equal(made.headers.get('location'), '/v1/terminals/T1')
  assert.deepEqual(made.body, {
    id: 'T1',
    name: 'Lobby',
    currency: 'USD',
    state: 'out_of_service',
    signed_on: false,
    batch: 1,
    business_date: null,
    last_seen: null,
    last_cash_out: null,
    cash: 0,
    transit: { uncertain: 0, unconfirmed: 0 },
    over_short: 0,
    units: units.map(({ id, type, value, low }) =>
      type === 'cash_out'
        ? {
            id,
            type,
            value,
            initial: 0,
            in: 0,
            out: 0,
            count: 0,
            reserved: 0,
            rejected: 0,
            low,
            status: 'empty',
          }
        : {
            id,
            type,
            count: 0,
            notes: {},
            ...(type === 'retract' && { retract_operations: 0 }),
            status: 'ok',
          },
    ),
  })
  assert.equal(
    JSON.stringify(made.body),
    (await v1.get('/terminals/T1')).text,
    'members in one order, wherever they are told',
  )
  assertRefused(await v1.post('/terminals', plan), 409, 'terminal_exists')
  assertRefused(await v1.get('/terminals/NONE'), 404, 'terminal_not_found')
  assertRefused(await v1.get('/terminals/none'), 404, 'terminal_not_found')
})

test('what cannot be a terminal is malformed', async () => {
  const [out] = units
  for (const [more, member] of [
    [{ id: 'lower' }, 'id'],
    [{ id: 'X'.repeat(17) }, 'id'],
    [{ currency: 'XXY' }, 'currency'],
    [{ units: [] }, 'units'],
    [{ units: [{ id: 'CASH1', type: 'cash_out', value: 1 }] }, 'units.0.id'],
    [{ units: [out, out] }, 'units.1.id'],
    [{ units: [{ id: 'C1', type: 'cash_out' }] }, 'units.0.value'],
    [{ units: [{ id: 'D1', type: 'cash_in', value: 5 }] }, 'units.0.value'],
    [{ max_notes: 41 }, 'max_notes'],
    [{ start_within_s: 4 }, 'start_within_s'],
    [{ confirm_within_s: 3601 }, 'confirm_within_s'],
    [{ mix: 'random' }, 'mix'],
    [{ state: 'in_service' }, 'state'],
  ] as const) {
    const said = await v1.post('/terminals', { ...plan, ...more })
    assertRefused(said, 400, 'invalid_request')
    assert.ok(String(said.body['detail']).startsWith(member), String(said.body['detail']))
  }
})

test('in and out of service, and not while it is open', async () => {
  const path = `${atm.at}/state`
  const off = done(await v1.post(path, { state: 'out_of_service', reason: 'jam' }), 200)
  assert.equal(off['state'], 'out_of_service')
  assertRefused(await v1.post(path, { state: 'exchange', reason: 'x' }), 400, 'invalid_request')
  assertRefused(await v1.post(path, { state: 'in_service' }), 400, 'invalid_request')
  await v1.post(`${atm.at}/exchange`, { action: 'start' })
  assertRefused(await v1.post(path, { state: 'in_service', reason: 'x' }), 409, 'exchange_open')
  assertRefused(
    await v1.post('/terminals/NONE/state', { state: 'in_service', reason: 'x' }),
    404,
    'terminal_not_found',
  )
})

test('it says that it is there, under a key, which it must have', async () => {
  const on = await act('sign-on')
  assert.equal(done(on, 200)['signed_on'], true)
  assert.notEqual(on.body['last_seen'], null)
  assert.equal(done(await act('sign-off'), 200)['signed_on'], false)
  for (const verb of [
    'sign-on',
    'sign-off',
    'inquiries',
    'deposits',
    'deposits/d/reverse',
    'transfers',
    'pin-changes',
  ]) {
    const bodies: Record<string, object> = {
      inquiries: { pan: '4761739001010119', type: 'balance' },
      deposits: { id: 'd', account: 'A', currency: 'USD', notes: { 5000: 1 } },
      'deposits/d/reverse': { reason: 'x' },
      transfers: { id: 't', pan: '4761739001010119', to: 'B', amount: 1, currency: 'USD' },
      'pin-changes': { id: 'p', pan: '4761739001010119', pin: '1234', new_pin: '4321' },
    }
    const said = await v1.post(`${atm.at}/${verb}`, bodies[verb] ?? {})
    assertRefused(said, 400, 'idempotency_key_missing')
  }
  assertRefused(
    await v1.post('/terminals/NONE/sign-on', {}, { 'idempotency-key': 'n' }),
    404,
    'terminal_not_found',
  )
})

test('a terminal that must sign on serves nobody before', async () => {
  await v1.post('/terminals', { ...plan, id: 'T2', require_sign_on: true })
  await v1.post('/terminals/T2/state', { state: 'in_service', reason: 'x' })
  const ask = (id: string) =>
    v1.post('/terminals/T2/withdrawals', {
      id,
      pan: '4761739001010119',
      pin: '1234',
      amount: 1000,
      currency: 'USD',
    })
  assertRefused(await ask('w1'), 403, 'terminal_not_allowed')
  await v1.post('/terminals/T2/sign-on', {}, { 'idempotency-key': 't2-on' })
  assertRefused(await ask('w2'), 422, 'amount_not_dispensable')
})

test('a PIN key is taken with its check value, and not shown again', async () => {
  const key = { algorithm: 'tdes', key: '0123456789ABCDEFFEDCBA9876543210', kcv: '08D7B4' }
  const put = await v1.put('/terminals/T1/pin-key', key)
  assert.deepEqual([put.status, put.text], [204, ''])
  assertRefused(await v1.put('/terminals/T1/pin-key', { ...key, kcv: '08D7B5' }), 422, 'kcv_mismatch')
  assertRefused(await v1.put('/terminals/T1/pin-key', { ...key, key: 'xyz' }), 400, 'invalid_request')
  assertRefused(await v1.put('/terminals/NONE/pin-key', key), 404, 'terminal_not_found')
  assert.ok(!(await v1.get('/terminals/T1')).text.includes('08D7B4'))
})

test('a MAC key is taken as a PIN key is, and taken away again', async () => {
  const key = { algorithm: 'aes', key: '00112233445566778899AABBCCDDEEFF', kcv: 'FDE4FB' }
  const put = (body: object, id = 'T1') => v1.put(`/terminals/${id}/mac-key`, body)
  const keys = async () => {
    const terminal = await v1.cashpoint.bank.entity('terminal/T1')
    return terminal?.kind === 'terminal' ? terminal.mac_keys?.map(({ kcv }) => kcv) : assert.fail()
  }
  for (const body of [key, { ...key, kcv: 'fde4fb' }]) {
    const said = await put(body)
    assert.deepEqual([said.status, said.text], [204, ''])
    assert.deepEqual(await keys(), ['FDE4FB'])
  }
  assertRefused(await put({ ...key, kcv: 'FDE4FC' }), 422, 'kcv_mismatch')
  assertRefused(await put(key, 'NONE'), 404, 'terminal_not_found')
  assertRefused(await put({ algorithm: 'none' }, 'NONE'), 404, 'terminal_not_found')
  for (const [body, detail] of [
    [{ ...key, algorithm: 'tdes', key: '11'.repeat(16), kcv: '82E136' }, /key is none of this algorithm/],
    [{ ...key, key: 'xyz' }, /^key /],
    [{ ...key, algorithm: 'des' }, /^algorithm /],
    [{ algorithm: 'aes', kcv: key.kcv }, /^key is required/],
    [{ algorithm: 'aes', key: key.key }, /^kcv is required/],
    [{ ...key, algorithm: 'none' }, /^(key|kcv) is not a member here/],
    [{ ...key, more: 1 }, /^more is not a member here/],
    [{}, /^algorithm is required/],
  ] as const) {
    const said = await put(body)
    assertRefused(said, 400, 'invalid_request')
    assert.match(String(said.body['detail']), detail, JSON.stringify(body))
  }
  assert.deepEqual(await keys(), ['FDE4FB'], 'what is refused changes nothing')
  assert.ok(!(await v1.get('/terminals/T1')).text.includes('FDE4FB'))
  const none = await put({ algorithm: 'none' })
  assert.deepEqual([none.status, none.text], [204, ''])
  assert.deepEqual(await keys(), [])
})

test('terminals are listed by id, in pages', async () => {
  const list = async (query: string) =>
    done(await v1.get(`/terminals?${query}`), 200) as unknown as {
      terminals: { id: string }[]
      next: string | null
    }
  const all = await list('')
  assert.deepEqual(
    all.terminals.map(({ id }) => id),
    ['ATM1', 'T1', 'T2'],
  )
  assert.equal(all.next, null)
  const first = await list('limit=2')
  assert.equal(first.terminals.length, 2)
  const second = await list(`limit=2&cursor=${first.next}`)
  assert.deepEqual([second.terminals.map(({ id }) => id), second.next], [['T2'], null])
})

test('a server without keys does nothing with cards, and the rest as ever', async (t) => {
  const v1 = await serveV1(t, { vault: undefined })
  await v1.post('/terminals', plan)
  const body = { id: 'w1', pan: '4761739001010119', pin: '1234', amount: 1000, currency: 'USD' }
  assertRefused(await v1.post('/terminals/T1/withdrawals', body), 503, 'card_keys_missing')
  const card = {
    pan: '4761739001010119',
    expiry: '9912',
    accounts: [{ account: 'A', type: 'checking', default: true }],
  }
  assertRefused(await v1.post('/cards', card), 503, 'card_keys_missing')
  assert.equal((await v1.post('/terminals/T1/withdrawals/w1/reverse', { reason: 'timeout' })).status, 200)
})

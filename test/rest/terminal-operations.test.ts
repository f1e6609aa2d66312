// What a terminal does at once, over /v1: inquiries, deposits of notes, transfers, changes of PIN.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { done, pans, pin, serveAtm } from './atm-support.ts'
import { assertRefused } from './v1-support.ts'

const atm = await serveAtm({ after })
const { v1, act } = atm
const usd = { currency: 'USD' }
const card = { pan: pans.a, pin }

test('a balance, and the last ten entries as they were then, also when asked again', async () => {
  const balance = done(await act('inquiries', { ...card, type: 'balance' }), 200)
  assert.deepEqual(balance, { account: 'A', currency: 'USD', ledger: 100_000, available: 100_000 })
  for (let i = 1; i <= 12; i += 1) await v1.post('/deposits', { account: 'A', amount: i, ...usd })
  const ask = () => act('inquiries', { ...card, type: 'statement' }, { 'idempotency-key': 'statement' })
  const first = await ask()
  const entries = done(first, 200)['entries'] as unknown as { amount: number }[]
  assert.deepEqual(
    entries.map(({ amount }) => amount),
    [12, 11, 10, 9, 8, 7, 6, 5, 4, 3],
  )
  await v1.post('/deposits', { account: 'A', amount: 99, ...usd })
  const second = await ask()
  assert.equal(second.headers.get('idempotency-replayed'), 'true')
  assert.equal(second.text, first.text)
  assertRefused(
    await act('inquiries', { ...card, type: 'balance', account: 'B' }),
    403,
    'account_not_allowed',
  )
  assertRefused(await act('inquiries', { ...card, type: 'history' }), 400, 'invalid_request')
  assertRefused(await act('inquiries', { ...card, pan: pans.none, type: 'balance' }), 404, 'card_not_found')
  const wrong = await act('inquiries', { ...card, pin: '1111', type: 'balance' })
  assertRefused(wrong, 403, 'pin_incorrect')
  assert.equal(wrong.body['tries_left'], 2)
  done(await act('inquiries', { ...card, type: 'balance' }), 200)
})

test('notes paid in are in the machine and on the account, and out of both when they are given back', async () => {
  const before = await v1.figures('B')
  const deposit = { id: 'd1', account: 'B', ...usd, notes: { 5000: 2, 2000: 1 } }
  const made = done(await act('deposits', deposit), 201)
  assert.deepEqual(made, {
    id: 'd1',
    state: 'completed',
    amount: 12_000,
    account: 'B',
    units: { D1: { 5000: 2, 2000: 1 } },
    transfers: made['transfers'],
  })
  assert.deepEqual(await v1.figures('B'), [12_000, 0, 12_000])
  assert.deepEqual(done(await act('deposits', deposit), 201), made)
  assertRefused(await act('deposits', { ...deposit, notes: { 5000: 1 } }), 422, 'idempotency_conflict')
  const units = (await atm.terminal())['units'] as unknown as object[]
  assert.deepEqual(units[3], {
    id: 'D1',
    type: 'cash_in',
    count: 3,
    notes: { 5000: 2, 2000: 1 },
    status: 'ok',
  })

  const back = done(await act('deposits/d1/reverse', { reason: 'jammed' }), 200)
  assert.deepEqual([back['state'], (back['transfers'] as unknown as object[]).length], ['reversed', 2])
  assert.deepEqual(await v1.figures('B'), before)
  assert.equal(done(await act('deposits/d1/reverse', { reason: 'jammed' }), 200)['state'], 'reversed')
  const never = done(await act('deposits/d9/reverse', { reason: 'jammed' }), 200)
  assert.deepEqual(never, { id: 'd9', state: 'reversed', tombstone: true })
  assertRefused(await act('deposits', { ...deposit, id: 'd9' }), 409, 'already_reversed')
  assertRefused(await act('deposits/a%20b/reverse', { reason: 'x' }), 404, 'deposit_not_found')
})

test('a deposit tells a balance to whoever shows card and PIN, and no one else', async () => {
  const deposit = { ...usd, notes: { 1000: 1 } }
  const mine = done(await act('deposits', { id: 'd2', ...card, ...deposit }), 201)
  assert.ok('balance' in mine)
  const none = done(await act('deposits', { id: 'd3', pan: pans.a, ...deposit }), 201)
  assert.ok(!('balance' in none))
  assertRefused(await act('deposits', { id: 'd4', ...deposit }), 400, 'invalid_request')
  assertRefused(await act('deposits', { id: 'd5', account: 'nobody', ...deposit }), 404, 'account_not_found')
  assertRefused(
    await act('deposits', { id: 'd6', account: 'A', ...usd, notes: {} }),
    422,
    'notes_not_accepted',
  )
  for (const notes of [{ 0: 1 }, { '5e3': 1 }, { 5000: -1 }, { 5000: 0.5 }, { 5000: 1_000_001 }])
    assertRefused(await act('deposits', { id: 'd7', account: 'A', ...usd, notes }), 400, 'invalid_request')
})

test('a transfer at a terminal', async () => {
  const [ledger] = (await v1.figures('A')) as number[]
  const transfer = { id: 't1', ...card, to: 'B', amount: 500, ...usd }
  const made = done(await act('transfers', transfer), 201)
  const left = { ledger: Number(ledger) - 500, available: Number(ledger) - 500 }
  assert.deepEqual(made, { id: 't1', transfer: made['transfer'], balance: left })
  const posted = done(await v1.get(`/transfers/${made['transfer']}`), 200)
  assert.equal(posted['operation'], 'ATM1/t1')
  assertRefused(await v1.post(`/transfers/${made['transfer']}/reversals`, {}), 409, 'belongs_to_withdrawal')
  assert.deepEqual(done(await act('transfers', transfer), 201), made)
  for (const [more, status, code] of [
    [{ to: 'A' }, 422, 'same_account'],
    [{ to: 'nobody' }, 404, 'account_not_found'],
    [{ amount: 10_000_000 }, 422, 'insufficient_funds'],
    [{ currency: 'EUR' }, 422, 'currency_mismatch'],
    [{ from: 'B' }, 403, 'account_not_allowed'],
  ] as const)
    assertRefused(await act('transfers', { ...transfer, id: `t-${code}`, ...more }), status, code)
})

test('a PIN is changed by whoever knows it', async () => {
  const change = { id: 'p1', ...card, new_pin: '4321' }
  const changed = await act('pin-changes', change)
  assert.deepEqual(done(changed, 200), { id: 'p1', changed: true })
  assert.deepEqual(done(await act('pin-changes', change), 200), { id: 'p1', changed: true })
  assertRefused(await act('inquiries', { ...card, type: 'balance' }), 403, 'pin_incorrect')
  assert.equal((await act('inquiries', { ...card, pin: '4321', type: 'balance' })).status, 200)
  assertRefused(await act('pin-changes', { id: 'p2', ...card, new_pin: '1' }), 400, 'invalid_request')
  assertRefused(await act('pin-changes', { id: 'p3', ...card }), 400, 'invalid_request')
  const block = '0123456789ABCDEF'
  const unread = { id: 'p4', pan: pans.a, pin: '4321', new_pin_block: block }
  assertRefused(await act('pin-changes', unread), 422, 'pin_invalid')
  assertRefused(await act('pin-changes', { id: 'p5', pan: pans.a, new_pin: '1234' }), 403, 'pin_required')
})

test('a block under no key of the terminal’s is a wrong PIN', async () => {
  const said = await act('inquiries', { pan: pans.a, pin_block: '0123456789abcdef', type: 'balance' })
  assertRefused(said, 403, 'pin_incorrect')
})

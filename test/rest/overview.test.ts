// All machines at a glance, over a real server: cash by REST and by ISO 8583, suspects, units that run empty.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/bank/clock.ts'
import { done, makeTerminal, request, serveIso, until } from '../iso8583/support.ts'
import { waysOf } from './atm-support.ts'
import { assertRefused, type Said, serveV1 } from './v1-support.ts'

type Row = Readonly<Record<string, unknown>>
type Asking = { get(path: string, headers?: Record<string, string>): Promise<Said> }

async function overview(v1: Asking): Promise<Row & { readonly attention: Row[] }> {
  const body = done(await v1.get('/overview'), 200)
  return { ...(body as Row), attention: body['attention'] as unknown as Row[] }
}

/** A row without what goes on with the time. */
function row({ since: _, age_s: __, ...row }: Row): Row {
  return row
}

test('nothing wrong, then a suspect, an empty unit, a machine out of service; and all is well again', async (t) => {
  const { v1, dial, dispense, confirm, exceptions, suspect } = await serveIso(t)
  const fresh = await overview(v1)
  assert.deepEqual(fresh, {
    at: fresh['at'],
    terminals: { in_service: 2, total: 2 },
    money: [{ currency: 'USD', cash: 1_600_000, uncertain: 0, unconfirmed: 0 }],
    exceptions: 0,
    attention: [],
    more: false,
  })
  assert.ok(Math.abs(Date.parse(String(fresh['at'])) - Date.now()) < 5_000)

  await dispense('w1', 6000)
  done(await confirm('w1', { C1: 1, C3: 1 }), 200)
  await suspect('w2', 7000)
  const line = await dial()
  assert.equal((await line.ask('0200', request('010000', 9000)))[39], '00')
  done(await v1.post('/terminals/ATM1/state', { state: 'out_of_service', reason: 'jammed' }), 200)
  const { attention, ...figures } = await overview(v1)
  assert.deepEqual(figures, {
    at: figures['at'],
    terminals: { in_service: 1, total: 2 },
    // Notes that nobody is sure of are in the machine until somebody is.
    money: [{ currency: 'USD', cash: 1_594_000, uncertain: 7000, unconfirmed: 9000 }],
    exceptions: 1,
    more: false,
  })
  const [open] = await exceptions()
  assert.deepEqual(attention.map(row), [
    { kind: 'out_of_service', terminal: 'ATM1' },
    {
      kind: 'suspect',
      terminal: 'ATM00001',
      withdrawal: 'w2',
      exception: open?.['id'],
      exception_type: 'suspect',
      account: 'A',
      last4: '0119',
      amount: 7000,
      currency: 'USD',
    },
  ])
  assert.equal(attention[1]?.['since'], open?.['opened_at'])

  // Since when a machine is as it is was read in the background.
  await until('it is known since when', async () => 'since' in ((await overview(v1)).attention[0] ?? {}))
  const [since] = (await overview(v1)).attention
  assert.ok(Number(since?.['age_s']) >= 0 && Number(since?.['age_s']) < 60, JSON.stringify(since))

  done(await v1.post(`/exceptions/${open?.['id']}/resolve`, { dispensed: 7000, reason: 'counted' }), 200)
  done(await v1.post('/terminals/ATM1/state', { state: 'in_service', reason: 'cleared' }), 200)
  const well = await overview(v1)
  assert.deepEqual(well.attention, [])
  assert.deepEqual(well['money'], [{ currency: 'USD', cash: 1_587_000, uncertain: 0, unconfirmed: 9000 }])
  assert.equal((await v1.prove())['proven'], true)
})

test('units that run low tell for how long they last, by what left them; empty ones come first', async (t) => {
  const { v1, dial, dispense, confirm } = await serveIso(t)
  const few = waysOf(v1, 'FEW1')
  await makeTerminal(v1, 'FEW1')
  const { exchange } = done(await v1.post(`${few.at}/exchange`, { action: 'start' }), 200)
  const counted = { C1: 100, C2: 100, C3: 100, D1: {}, R1: {}, T1: {} }
  done(await v1.post(`${few.at}/counts`, { exchange, units: counted }), 200)
  const loaded = { C1: 0, C2: 30, C3: 10 }
  done(await v1.post(`${few.at}/exchange`, { action: 'end', exchange, mode: 'set', loaded }), 200)
  // By ISO 8583 notes are promised until the batch is closed: they are not there for anybody else.
  const line = await dial()
  for (let i = 0; i < 3; i += 1)
    assert.equal((await line.ask('0200', request('010000', 4000, { 41: 'FEW1' })))[39], '00')
  for (const id of ['d', 'e']) {
    await few.dispense(id, 6000)
    done(await few.confirm(id, { C2: 3 }), 200)
  }
  await dispense('w1', 6000)
  done(await confirm('w1', { C1: 1, C3: 1 }), 200)
  const known = async () => (await overview(v1)).attention.map(row)
  await until('the books have been read', async () => (await known())[1]?.['hours_left'] === 3)
  assert.deepEqual(await known(), [
    { kind: 'unit_empty', terminal: 'FEW1', unit: 'C1', count: 0 },
    // Made within this hour: 6 notes left C2, 18 are there of which nobody was promised any.
    { kind: 'unit_low', terminal: 'FEW1', unit: 'C2', count: 18, hours_left: 3 },
    { kind: 'unit_low', terminal: 'FEW1', unit: 'C3', count: 10, hours_left: null },
  ])
})

test('the hour has what was committed, when its step is over', async (t) => {
  let aheadMs = 0
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs }
  const v1 = await serveV1(t, { clock })
  const read = async () => done(await v1.get('/overview/hour'), 200)
  for (let i = 0; i < 3; i += 1) await v1.move('A', 'B', 1)
  aheadMs = 10_000
  const { step_s, points } = await read()
  assert.equal(step_s, 10)
  const told = points as unknown as Row[]
  // Two accounts and a deposit before.
  assert.equal(
    told.reduce((sum, { operations }) => sum + Number(operations), 0),
    6,
  )
  const busy = told.find(({ operations }) => Number(operations) > 0)
  assert.ok(Number(busy?.['p50_ms']) > 0 && Number(busy?.['p99_ms']) >= Number(busy?.['p50_ms']))
  aheadMs = 3_700_000
  const later = (await read())['points'] as unknown as Row[]
  assert.equal(later.length, 360)
  assert.ok(later.every((point) => point['operations'] === 0 && point['p50_ms'] === null))
})

test('of cash there are fourteen days, of which the last is today', async (t) => {
  const { v1, dispense, confirm } = await serveIso(t)
  await dispense('w1', 6000)
  done(await confirm('w1', { C1: 1, C3: 1 }), 200)
  const { days } = done(await v1.get('/overview/cash'), 200)
  const told = days as unknown as { day: string; cash: object[] }[]
  assert.equal(told.length, 14)
  const today = new Date().toISOString().slice(0, 10)
  assert.deepEqual(told.at(-1), { day: today, cash: [{ currency: 'USD', amount: 1_594_000 }] })
  assert.deepEqual(new Set(told.slice(0, -1).map(({ cash }) => cash.length)), new Set([0]))
  assert.deepEqual(
    told.map(({ day }) => day),
    told.map(({ day }) => day).sort(),
  )
})

test('operators, auditors and admins see it, by key or by session; nobody else', async (t) => {
  const v1 = await serveV1(t)
  await v1.useKey('admin')
  const of = async (role: string, name: string) => {
    const { key } = (await v1.post('/credentials', { role, name })).body
    return { authorization: `Bearer ${key}` }
  }
  for (const path of ['/overview', '/overview/hour', '/overview/cash']) {
    for (const role of ['operator', 'auditor', 'admin'])
      assert.equal((await v1.get(path, await of(role, 'x'))).status, 200)
    for (const role of ['teller', 'terminal'])
      assertRefused(await v1.get(path, await of(role, 'X1')), 403, 'forbidden')
  }
})

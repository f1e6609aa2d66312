// A machine's cash over /v1: exchanged, counted, closed; and the exceptions that are left.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Batches } from '../../src/client/types.ts'
import { done, makeTerminal, serveAtm, waysOf } from './atm-support.ts'
import { assertRefused } from './v1-support.ts'

const atm = await serveAtm({ after })
const { v1, dispense, suspect, confirm } = atm
const post = (verb: string, body: object) => v1.post(`${atm.at}/${verb}`, body)

test('a batch is closed by its number, and its report is for ever', async () => {
  await dispense('w1', 6000)
  await confirm('w1', { C1: 1, C3: 1 })
  await atm.authorize('w2', 1000)
  const closed = await post('close', { batch: 1 })
  const report = done(closed, 200)
  const none = { count: 0, amount: 0 }
  assert.deepEqual(report, {
    terminal: 'ATM1',
    batch: 1,
    business_date: report['business_date'],
    opened_at: report['opened_at'],
    closed_at: report['closed_at'],
    withdrawals: { count: 2, amount: 7000 },
    withdrawal_reversals: none,
    deposits: none,
    deposit_reversals: none,
    net: -7000,
    open: [{ id: 'w2', state: 'authorized', amount: 1000 }],
    cash: 794_000,
    transit: 1000,
    over_short: 0,
    head: report['head'],
  })
  const again = await post('close', { batch: 1 })
  assert.deepEqual([again.text, again.headers.get('idempotency-replayed')], [closed.text, 'true'])
  assert.equal((await v1.get(`${atm.at}/batches/1`)).text, closed.text)
  for (const batch of [3, 999_999_999]) {
    const said = await post('close', { batch })
    assertRefused(said, 409, 'batch_not_open')
    assert.equal(said.body['batch'], 2)
  }
  for (const batch of ['2', '0', 'x', '1.0'])
    assertRefused(await v1.get(`${atm.at}/batches/${batch}`), 404, 'batch_not_found')
  assertRefused(await post('close', { batch: 0 }), 400, 'invalid_request')
  assertRefused(await v1.post('/terminals/NONE/close', { batch: 1 }), 404, 'terminal_not_found')
  await atm.reverse('w2')
})

test('batches are listed newest first, with what the open one has in it until now', async () => {
  await dispense('w3', 2000)
  for (const batch of [2, 3]) done(await post('close', { batch }), 200)
  await atm.authorize('w4', 1000)
  const read = async (query = '') => done(await v1.get(`${atm.at}/batches${query}`), 200)
  const { open, batches, next } = (await read()) as unknown as Batches
  assert.deepEqual(
    [open.batch, open.withdrawals, open.deposits],
    [4, { count: 1, amount: 1000 }, { count: 0, amount: 0 }],
  )
  assert.deepEqual([batches.map(({ batch }) => batch), next], [[3, 2, 1], null])
  assert.deepEqual(batches[2], done(await v1.get(`${atm.at}/batches/1`), 200))
  const first = (await read('?limit=2')) as unknown as Batches
  const last = (await read(`?limit=2&cursor=${first.next}`)) as unknown as Batches
  assert.deepEqual([first.batches, last.batches], [batches.slice(0, 2), batches.slice(2)])
  assert.equal(last.next, null)
  assertRefused(await v1.get(`${atm.at}/batches?cursor=x`), 400, 'page_invalid')
  assertRefused(await v1.get('/terminals/NONE/batches'), 404, 'terminal_not_found')
  for (const id of ['w3', 'w4']) await atm.reverse(id)
})

test('an exchange: the suspect is proven by what was counted, and what is missing beside it is short', async () => {
  await suspect('s1', 6000)
  const [waiting] = await atm.exceptions()
  assert.deepEqual(
    [waiting?.['type'], waiting?.['state'], waiting?.['amount'], waiting?.['resolution']],
    ['suspect', 'open', 6000, null],
  )
  assertRefused(
    await post('exchange', { action: 'end', exchange: 'x', mode: 'set', loaded: {} }),
    409,
    'no_exchange',
  )
  const open = done(await post('exchange', { action: 'start' }), 200)
  const { exchange } = open
  assert.deepEqual(open['suspects'], [{ withdrawal: 's1', amount: 6000, units: { C1: 1, C3: 1 } }])
  assert.equal((open['terminal'] as unknown as Record<string, unknown>)['state'], 'exchange')
  assert.equal(done(await post('exchange', { action: 'start' }), 200)['exchange'], exchange)

  const end = { action: 'end', exchange, mode: 'set', loaded: { C1: 50 } }
  assertRefused(await post('exchange', end), 409, 'not_counted')
  const counts = { C1: 98, C2: 100, C3: 98, D1: {}, R1: {}, T1: {} }
  assertRefused(await post('counts', { exchange: 'x_other', units: counts }), 409, 'no_exchange')
  const odd = await post('counts', { exchange, units: { ...counts, C9: 1 } })
  assertRefused(odd, 422, 'units_invalid')
  assert.deepEqual(odd.body['units'], ['C9'])
  const underWay = { id: exchange, afterwards: 'in_service' }
  assert.deepEqual((await atm.terminal())['exchange'], underWay)
  const counted = done(await post('counts', { exchange, units: counts }), 200) as unknown as Record<
    string,
    Record<string, unknown>
  >
  assert.deepEqual(counted['units']?.['C1'], { expected: 99, counted: 98, variance: -1, amount: -5000 })
  assert.deepEqual(counted['amount'], -6000)
  assert.deepEqual(counted['suspects'], [{ withdrawal: 's1', amount: 6000, proposal: { dispensed: 6000 } }])

  assert.deepEqual((await atm.terminal())['exchange'], { ...underWay, counts })

  const unsettled = await post('exchange', end)
  assertRefused(unsettled, 409, 'suspects_open')
  assert.deepEqual(unsettled.body['suspects'], ['s1'])
  const answers = { s1: { dispensed: 7000 } }
  assertRefused(await post('exchange', { ...end, suspects: answers }), 400, 'dispensed_invalid')
  const ended = done(await post('exchange', { ...end, suspects: { s1: { dispensed: 6000 } } }), 200)
  assert.deepEqual([ended['removed'], ended['loaded'], ended['over_short']], [counts, { C1: 50 }, 0])
  const terminal = ended['terminal'] as unknown as Record<string, unknown>
  assert.equal('exchange' in terminal, false)
  assert.deepEqual([terminal['cash'], terminal['transit']], [250_000, { uncertain: 0, unconfirmed: 0 }])
  assert.equal((await atm.read('s1'))['state'], 'completed')
  assert.deepEqual(await atm.exceptions(), [])
})

test('notes put on top are added, and nothing is settled', async () => {
  const { exchange } = done(await post('exchange', { action: 'start' }), 200)
  const ended = done(await post('exchange', { action: 'end', exchange, mode: 'add', loaded: { C2: 5 } }), 200)
  assert.deepEqual([ended['removed'], ended['loaded'], ended['over_short']], [{}, { C2: 5 }, 0])
  for (const [body, member] of [
    [{ action: 'stop' }, 'action'],
    [{ action: 'start', exchange }, 'exchange'],
    [{ action: 'end', exchange, mode: 'add' }, 'loaded'],
    [{ action: 'end', exchange, mode: 'swap', loaded: {} }, 'mode'],
    [{ action: 'end', exchange, mode: 'add', loaded: { C1: -1 } }, 'loaded.C1'],
  ] as const) {
    const said = await post('exchange', body)
    assertRefused(said, 400, 'invalid_request')
    assert.ok(String(said.body['detail']).startsWith(member), String(said.body['detail']))
  }
})

test('what counting finds is over or short, on an account of the terminal’s that can be read', async () => {
  const other = waysOf(v1, 'ATM2')
  await makeTerminal(v1, 'ATM2')
  const { exchange } = done(await v1.post(`${other.at}/exchange`, { action: 'start' }), 200)
  const counts = { C1: 99, C2: 100, C3: 101, D1: { 2000: 1 }, R1: {}, T1: {} }
  done(await v1.post(`${other.at}/counts`, { exchange, units: counts }), 200)
  const end = { action: 'end', exchange, mode: 'set', loaded: { C1: 1 } }
  const ended = done(await v1.post(`${other.at}/exchange`, end), 200)
  assert.equal(ended['over_short'], -2000)
  assert.equal((await other.terminal())['over_short'], -2000)
  assert.equal(done(await v1.get('/accounts/ATM2.over_short'), 200)['ledger'], -2000)
  assert.equal(done(await v1.get('/accounts/ATM2.cash/balance'), 200)['ledger'], -5000)
  const entries = done(await v1.get('/accounts/ATM2.cash/entries'), 200)['entries'] as unknown as {
    kind: string
  }[]
  assert.deepEqual(
    entries.map(({ kind }) => kind),
    ['load', 'unload', 'variance', 'load'],
  )
  assert.equal(done(await v1.get('/transfers?account=ATM2.cash'), 200)['next_cursor'], null)
  assert.equal((await v1.get('/accounts/ATM2.cash/statement')).status, 200)
  assert.equal((await v1.get('/accounts/vault:USD')).status, 200)
  assertRefused(await v1.get('/accounts/ATM9.cash'), 404, 'account_not_found')
})

test('no route moves money of a terminal’s accounts', async () => {
  const account = 'ATM2.cash'
  for (const [path, body] of [
    ['/deposits', { account, amount: 1, currency: 'USD' }],
    ['/withdrawals', { account, amount: 1, currency: 'USD' }],
    ['/transfers', { from: account, to: 'A', amount: 1, currency: 'USD' }],
    ['/transfers', { from: 'A', to: account, amount: 1, currency: 'USD' }],
    ['/holds', { account, amount: 1, currency: 'USD' }],
    ['/accounts', { number: account }],
    [`/accounts/${account}/state`, { state: 'frozen', reason: 'x' }],
  ] as const)
    assert.equal((await v1.post(path, body)).status, 400, path)
  for (const verb of ['withdraw', 'deposit'])
    assert.equal((await v1.cashpoint.post(`/accounts/${account}/${verb}`, '{"amount": 1}')).status, 400)
  const { body } = await v1.cashpoint.get('/accounts')
  assert.ok(!body.includes('ATM'), 'the original list has customers’ accounts alone')
  const list = done(await v1.get('/accounts?limit=1000'), 200)['accounts'] as unknown as { number: string }[]
  assert.ok(list.every(({ number }) => !number.includes('.')))
})

test('an account with money in transit is not closed', async () => {
  const account = await v1.open('X', 1000)
  const accounts = [{ account, type: 'savings', default: true }]
  const card = { pan: '4761739001010135', expiry: '9912', accounts, pin_policy: 'if_present' }
  done(await v1.post('/cards', card), 201)
  const other = waysOf(v1, 'ATM3')
  await makeTerminal(v1, 'ATM3')
  done(await other.authorize('w1', 1000, { pan: card.pan, pin: undefined }), 201)
  assertRefused(
    await v1.post(`/accounts/${account}/state`, { state: 'closed', reason: 'x' }),
    409,
    'withdrawals_open',
  )
  await other.dispense('w2', 1000)
  await other.confirm('w2', { C3: 1 })
})

test('an exception is resolved by what really left, once', async () => {
  const other = waysOf(v1, 'ATM3')
  await other.suspect('e1', 5000)
  const [before] = await v1.figures('A')
  const [open] = await other.exceptions('state=open&terminal=ATM3')
  const path = `/exceptions/${open?.['id']}`
  assert.deepEqual(done(await v1.get(path), 200), { ...open, age_s: (await v1.get(path)).body['age_s'] })
  assert.deepEqual(Object.keys(open ?? {}), [
    'id',
    'type',
    'state',
    'terminal',
    'withdrawal',
    'account',
    'last4',
    'amount',
    'currency',
    'opened_at',
    'age_s',
    'proposal',
    'resolution',
  ])
  const resolve = (body: object) => v1.post(`${path}/resolve`, body)
  assertRefused(await resolve({ dispensed: 5001, reason: 'x' }), 400, 'dispensed_invalid')
  for (const dispensed of [-1, 0.5, 2 ** 53 - 1])
    assertRefused(await resolve({ dispensed, reason: 'x' }), 400, 'invalid_request')
  assertRefused(await resolve({ dispensed: 5000 }), 400, 'invalid_request')
  assertRefused(await resolve({ reason: 'x' }), 400, 'dispensed_invalid')
  const resolved = await resolve({ dispensed: 0, reason: 'seen on the film' })
  const { resolution, state } = done(resolved, 200) as unknown as {
    state: string
    resolution: { dispensed: number; reason: string; by: string; transfers: string[] }
  }
  assert.deepEqual(
    [state, resolution.dispensed, resolution.reason, resolution.by],
    ['resolved', 0, 'seen on the film', ''],
  )
  assert.equal(resolution.transfers.length, 1)
  const again = await resolve({ dispensed: 0, reason: 'seen on the film' })
  assert.deepEqual([again.text, again.headers.get('idempotency-replayed')], [resolved.text, 'true'])
  assertRefused(await resolve({ dispensed: 5000, reason: 'no' }), 409, 'exception_resolved')
  assert.deepEqual((await v1.figures('A'))[0], Number(before) + 5000)
  assertRefused(await v1.post('/exceptions/exc_1/resolve', { reason: 'x' }), 404, 'exception_not_found')
  assertRefused(await v1.get('/exceptions/exc_1'), 404, 'exception_not_found')

  assert.equal((await other.exceptions('type=suspect&state=resolved&terminal=ATM3')).length, 1)
  assert.equal((await other.exceptions('type=pin_key')).length, 0)
  assert.equal((await other.exceptions('terminal=ATM3')).length, 1)
  for (const query of ['state=new', 'type=other', 'terminal=atm', 'cursor=x'])
    assert.equal((await v1.get(`/exceptions?${query}`)).status, 400, query)
})

test('the books prove', async () => {
  assert.equal((await v1.prove())['proven'], true)
})

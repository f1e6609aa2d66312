// What the ATM side tells those outside: each step of a withdrawal, a batch, an exception and a card is an event.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { done, pans, pin, serveAtm } from './atm-support.ts'

const atm = await serveAtm({ after })
const { v1 } = atm

type Event = { readonly type: string; readonly subject: string; readonly data: Record<string, unknown> }

/** The events of the ATM side from here on, by their types without the prefix; those of accounts and transfers left out. */
async function eventsOf(does: () => Promise<unknown>): Promise<Event[]> {
  const { next_after } = (await v1.get('/events?after=latest')).body
  await does()
  const { events } = done(await v1.get(`/events?limit=1000${next_after ? `&after=${next_after}` : ''}`), 200)
  return (events as unknown as Event[]).filter(({ type }) => !/\.(transfer|account|hold)\./.test(type))
}

function gist(events: readonly Event[]): string[] {
  return events.map(
    ({ type, subject }) => `${type.slice('cashpoint.'.length)} ${subject.slice('/v1/'.length)}`,
  )
}

test('a withdrawal is told step by step, with the money beside it', async () => {
  const at = 'terminals/ATM1/withdrawals'
  const events = await eventsOf(async () => {
    await atm.dispense('w1', 6000)
    await atm.confirm('w1', { C1: 1, C3: 1 })
    await atm.authorize('w2', 1500)
  })
  assert.deepEqual(gist(events), [
    `withdrawal.authorized ${at}/w1`,
    `withdrawal.started ${at}/w1`,
    `withdrawal.settled ${at}/w1`,
    `withdrawal.declined ${at}/w2`,
  ])
  const [authorized, , settled, declined] = events
  assert.partialDeepStrictEqual(authorized?.data, {
    terminal: 'ATM1',
    withdrawal: 'w1',
    amount: 6000,
    account: 'A',
    card: atm.card,
    last4: '0119',
    units: { C1: 1, C3: 1 },
    balance: { ledger: 94_000, available: 94_000 },
    balances: [],
  })
  assert.partialDeepStrictEqual(settled?.data, { state: 'completed', by: 'confirm', dispensed: 6000 })
  assert.partialDeepStrictEqual(declined?.data, {
    code: 'amount_not_dispensable',
    last4: '0119',
    amount: 1500,
  })
  const { events: posted } = (await v1.get('/events?type=cashpoint.transfer.posted&limit=1000')).body
  const of = (posted as unknown as Event[]).filter(({ data }) => data['operation'] === 'ATM1/w1')
  assert.deepEqual(
    of.map(({ data }) => [data['kind'], data['debit_account'], data['credit_account']]),
    [
      ['withdrawal', 'A', 'ATM1.transit'],
      ['dispense', 'ATM1.transit', 'ATM1.cash'],
    ],
  )
})

test('a doubt, and its end', async () => {
  const events = await eventsOf(async () => {
    await atm.suspect('s1', 1000)
    const [exception] = await atm.exceptions()
    await v1.post(`/exceptions/${exception?.['id']}/resolve`, { dispensed: 0, reason: 'film' })
  })
  assert.deepEqual(
    gist(events).map((text) => text.replace(/exc_.*/, 'exc')),
    [
      'withdrawal.authorized terminals/ATM1/withdrawals/s1',
      'withdrawal.started terminals/ATM1/withdrawals/s1',
      'withdrawal.settled terminals/ATM1/withdrawals/s1',
      'exception.opened exceptions/exc',
      'withdrawal.settled terminals/ATM1/withdrawals/s1',
      'exception.resolved exceptions/exc',
    ],
  )
  assert.partialDeepStrictEqual(events[3]?.data, {
    exception_type: 'suspect',
    withdrawal: 's1',
    amount: 1000,
  })
  assert.partialDeepStrictEqual(events[5]?.data, { dispensed: 0, reason: 'film' })
})

test('a terminal, a batch and a card', async () => {
  const events = await eventsOf(async () => {
    await atm.act('sign-on')
    const key = { algorithm: 'tdes', key: '0123456789ABCDEFFEDCBA9876543210', kcv: '08D7B4' }
    await v1.put(`${atm.at}/pin-key`, key)
    await v1.put(`${atm.at}/mac-key`, key)
    await v1.put(`${atm.at}/mac-key`, { algorithm: 'none' })
    await v1.post(`${atm.at}/close`, { batch: 1 })
    await v1.post(`${atm.at}/exchange`, { action: 'start' })
    await v1.post('/cards', {
      pan: pans.b,
      expiry: '2912',
      accounts: [{ account: 'B', type: 'credit', default: true }],
      pin,
    })
    await v1.post(`/cards/${atm.card}/block`, { status: 'blocked', reason: 'called in' })
    await v1.post(`/cards/${atm.card}/pin`, { pin: '4321', reason: 'new' })
  })
  assert.deepEqual(
    gist(events).map((text) => text.replace(/card_.*/, 'card')),
    [
      'terminal.changed terminals/ATM1',
      'terminal.changed terminals/ATM1',
      'terminal.changed terminals/ATM1',
      'terminal.changed terminals/ATM1',
      'batch.closed terminals/ATM1/batches/1',
      'terminal.changed terminals/ATM1',
      'card.changed cards/card',
      'card.changed cards/card',
      'card.changed cards/card',
    ],
  )
  const changes = events.map(({ data }) => data['change'])
  assert.deepEqual(changes, [
    'signed_on',
    'pin_key',
    'mac_key',
    'mac_key',
    undefined,
    'exchange_started',
    'issued',
    'changed',
    'pin_set',
  ])
  const kcvs = events.slice(1, 4).map(({ data }) => data['kcv'])
  assert.deepEqual(kcvs, ['08D7B4', '08D7B4', null])
  assert.partialDeepStrictEqual(events[7]?.data, { status: 'blocked', reason: 'called in' })
  const { acts } = done(await v1.get('/audit?limit=1000'), 200) as never as {
    acts: { action: string; details: object }[]
  }
  const keys = acts.flatMap(({ action, details }) =>
    action === 'terminal_changed' && /_keys/.test(JSON.stringify(details)) ? [details] : [],
  )
  assert.deepEqual(keys, [
    { terminal: 'ATM1', mac_keys: [] },
    { terminal: 'ATM1', mac_keys: ['08D7B4'] },
    { terminal: 'ATM1', pin_keys: ['08D7B4'] },
  ])
})

test('no event, and no line of the audit log, has more of a card than its last four digits', async () => {
  const all = (await v1.get('/events?limit=1000')).text + (await v1.get('/audit?limit=1000')).text
  for (const secret of [
    pans.a,
    pans.b,
    '4321',
    '0123456789ABCDEFFEDCBA9876543210',
    '"pin"',
    'wrapped',
    'h1:',
  ])
    assert.ok(!all.includes(secret), secret)
})

test('events can be asked for by these types, also by webhooks', async () => {
  const { events } = (await v1.get('/events?type=cashpoint.card.changed')).body
  assert.ok((events as unknown as Event[]).length >= 3)
  const types = ['cashpoint.withdrawal.settled', 'cashpoint.exception.opened']
  done(await v1.post('/webhooks', { url: 'http://127.0.0.1:9/', types }), 201)
})

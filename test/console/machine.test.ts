/** The customer's side of the web ATM without a browser: what is shown, and what moves it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cards } from '../../src/console/web/atm/cards.ts'
import { curlOf } from '../../src/console/web/atm/curl.ts'
import { type Atm, type AtmEvent, empty, type Result, step } from '../../src/console/web/atm/machine.ts'
import { moneyIn } from '../../src/console/web/money.ts'

const [card] = cards
assert(card !== undefined)
const insert: AtmEvent = { type: 'insert', card }
const type = (text: string): AtmEvent[] => [...text].map((digit) => ({ type: 'digit', digit }))
const result = (result: Result): AtmEvent => ({ type: 'result', result })
const balance = { ledger: 94_000, available: 94_000 }

/** What a machine shows after these events. */
function after(...events: AtmEvent[]): Atm {
  return events.reduce((atm, event) => step(atm, event, moneyIn('USD', 'en').ofWhole), empty)
}

test('a card and four digits lead to the menu, and the fourth needs no Enter', () => {
  assert.deepEqual(after(insert).screen, { at: 'pin', digits: '' })
  assert.deepEqual(after(insert, ...type('123')).screen, { at: 'pin', digits: '123' })
  assert.deepEqual(after(insert, ...type('123'), { type: 'clear' }).screen, { at: 'pin', digits: '12' })
  const { screen, pin } = after(insert, ...type('1234'))
  assert.deepEqual({ screen, pin }, { screen: { at: 'menu' }, pin: '1234' })
})

test('a second card does not go in, and digits mean nothing without one', () => {
  const other = { ...insert, card: cards[1] } as AtmEvent
  assert.equal(after(insert, other).card, card)
  assert.equal(after(...type('1234')), empty)
})

test('an amount that is typed is one of whole units', () => {
  const { screen } = after(insert, ...type('1234'), { type: 'open', screen: 'amount' }, ...type('0060'), {
    type: 'enter',
  })
  assert.deepEqual(screen, { at: 'working', wish: { type: 'withdraw', amount: 6_000 }, phase: 'asking' })
})

test('Enter without an amount asks for nothing', () => {
  const { screen } = after(insert, ...type('1234'), { type: 'open', screen: 'amount' }, { type: 'enter' })
  assert.equal(screen.at, 'amount')
})

test('after a wrong PIN the right one goes on with what was wished', () => {
  const wish = { type: 'withdraw', amount: 6_000 } as const
  const wrong = result({ type: 'refused', problem: { code: 'pin_incorrect', title: '', tries_left: 2 } })
  const asked = after(insert, ...type('9999'), { type: 'wish', wish }, wrong)
  assert.deepEqual(asked.screen, { at: 'pin', digits: '', wish, triesLeft: 2 })
  assert.equal(asked.pin, '')
  const again = after(insert, ...type('9999'), { type: 'wish', wish }, wrong, ...type('1234'))
  assert.deepEqual(again.screen, { at: 'working', wish, phase: 'asking' })
})

test('while the host is asked nothing else can be done', () => {
  const wish = { type: 'balance' } as const
  const working = after(insert, ...type('1234'), { type: 'wish', wish })
  for (const event of [...type('1'), { type: 'cancel' }, { type: 'enter' }, { type: 'take' }] as AtmEvent[])
    assert.equal(step(working, event, Number), working)
})

test('a card that is taken leaves nothing of its session', () => {
  const wish = { type: 'balance' } as const
  const told = result({ type: 'told', balance })
  assert.deepEqual(after(insert, ...type('1234'), { type: 'wish', wish }, told, { type: 'take' }), empty)
  assert.deepEqual(after(insert, ...type('12'), { type: 'cancel' }), empty)
})

test('a new PIN is typed twice alike, and is the one from then on', () => {
  const open: AtmEvent = { type: 'open', screen: 'new_pin' }
  const differed = after(insert, ...type('1234'), open, ...type('2468'), ...type('2469'))
  assert.deepEqual(differed.screen, { at: 'new_pin', digits: '', differed: true })
  const changed = [...type('2468'), ...type('2468'), result({ type: 'pin_changed', pin: '2468' })]
  assert.equal(after(insert, ...type('1234'), open, ...changed).pin, '2468')
})

test('notes that are put in are counted by their value, none of them below zero', () => {
  const note = (value: number, by: 1 | -1): AtmEvent => ({ type: 'note', value, by })
  const notes = [note(5_000, 1), note(5_000, 1), note(1_000, 1), note(1_000, -1), note(2_000, -1)]
  const { screen } = after(insert, ...type('1234'), { type: 'open', screen: 'notes' }, ...notes, {
    type: 'enter',
  })
  assert.deepEqual(screen.at === 'working' && screen.wish, { type: 'deposit', notes: { 5000: 2 } })
})

test('amounts are written from their own digits', () => {
  const usd = moneyIn('USD', 'en')
  assert.equal(usd.full(6_000), '$60.00')
  assert.equal(usd.full(-5), '-$0.05')
  assert.equal(usd.full(Number.MAX_SAFE_INTEGER), '$90,071,992,547,409.91')
  assert.equal(usd.short(6_000), '$60')
  assert.equal(usd.short(6_050), '$60.50')
  assert.equal(usd.note(5_000), '50')
  const yen = moneyIn('JPY', 'en')
  assert.equal(yen.full(6_000), '¥6,000')
  assert.equal(yen.short(6_000), '¥6,000')
  assert.equal(yen.ofWhole('60'), 60)
})

test('a curl line says the same request, whatever is in it', () => {
  const path = '/v1/terminals/ATM00001/withdrawals'
  assert.equal(
    curlOf({ method: 'POST', path, body: { id: "o'clock" }, key: 'k' }, 'localhost:5000'),
    `curl -s localhost:5000${path} -H 'content-type: application/json' -H 'idempotency-key: k' -d '{"id":"o'\\''clock"}'`,
  )
})

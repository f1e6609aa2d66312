/** What proves limits: forged records, sealed again, so that only their sense is wrong. And the days they count by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { businessDays } from '../../src/bank/business-day.ts'
import type { Command } from '../../src/ledger/command.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { heldClock } from '../support/clock.ts'
import { gist, pending } from '../support/commands.ts'
import { assertProven, type Body, forged, journalOf, prove } from '../support/journal.ts'

const usd = { currency: 'USD' }
const cash = (amount: number): Command => ({ type: 'move', from: 'x', to: null, amount, ...usd })
const plain = { overdraft_limit: 0, minimum_balance: 0, metadata: {} }
const openX: Command = { type: 'open_account', number: 'x', ...usd, ...plain, limits: { daily_amount: 500 } }
const paidIn: Command = { type: 'move', from: null, to: 'x', amount: 10_000, ...usd }

/**
 * Records: 1 x opened with 500 a day, 2 deposit, 3 a withdrawal of 100, 4 a hold of 200, 5 captured and 6 paid with 150,
 * 7 all of 3 taken back, 8 a hold of 50, 9 voided, 10 other limits.
 */
async function honestJournal() {
  const store = new MemoryStore({ clock: heldClock() })
  const commands: Command[] = [
    openX,
    paidIn,
    cash(100),
    { type: 'hold', account: 'x', amount: 200, ...usd, expires_in_s: 60 },
    { type: 'capture', hold: '1-4', amount: 150 },
    { type: 'reverse', transfer: '1-3' },
    { type: 'hold', account: 'x', amount: 50, ...usd, expires_in_s: 60 },
    { type: 'void', hold: '1-8' },
    { type: 'set_limits', account: 'x', limits: { daily_count: 1 } },
  ]
  for (const command of commands) await store.commit([pending(command)])
  return await journalOf(store)
}

const forgeries: [number, string, (body: Body) => void, RegExp][] = [
  [3, 'counts less', (body) => (body.debit_after.used.amount = 99), /of the limits of x used; it must be/],
  [3, 'counts nothing', (body) => delete body.charged, /is not counted against the limits/],
  [3, 'leaves out what is used', (body) => delete body.debit_after.used, /of the limits of x used/],
  [3, 'takes more than a day has', takes501, /passes the limits/],
  [4, 'is counted on a day before', (body) => (body.charged = '2029-12-31'), /which is before 2030-01-01/],
  [4, 'is not counted', (body) => delete body.charged, /is not counted against the limits/],
  [5, 'gives the number back', (body) => (body.after.used.count = 1), /of a day that hold 1-4 did not use/],
  [5, 'gives back nothing', (body) => delete body.after.used, /gave back 0 of the limits/],
  [6, 'is on another day', (body) => (body.charged = '2030-01-02'), /counted on another day than hold 1-4/],
  [7, 'gives back more', (body) => (body.credit_after.used.amount = 0), /of the limits of x used/],
  [7, 'keeps the number', (body) => (body.credit_after.used.count = 2), /of the limits of x used/],
  [7, 'is counted', (body) => (body.charged = '2030-01-01'), /is a reversal that is counted/],
  [9, 'gives nothing back', (body) => delete body.after.used, /of the limits of x used/],
  [2, 'is paid in and counted', (body) => (body.charged = '2030-01-01'), /which nothing paid in is/],
]

function takes501(body: Body): void {
  body.amount = 501
  body.debit_after.ledger = 9499
  body.debit_after.used.amount = 501
}

for (const [record, name, forge, what] of forgeries)
  test(`record ${record} that ${name} is named`, async () => {
    const honest = await honestJournal()
    assertProven(honest)
    const found = prove(forged(honest, record, forge))
    assert('what' in found, 'the books must not prove')
    assert.match(found.what, what)
  })

for (const [name, midnight, hours] of [
  ['the day clocks go forward', Date.UTC(2030, 2, 30, 23), 23],
  ['the day clocks go back', Date.UTC(2030, 9, 26, 22), 25],
  ['any other day', Date.UTC(2030, 0, 14, 23), 24],
] as const)
  test(`${name} in Berlin has ${hours} hours of limits`, async () => {
    const clock = heldClock(midnight - 1)
    const store = new MemoryStore({ clock, timeZone: 'Europe/Berlin' })
    const only = async (command: Command) => gist((await store.commit([pending(command)]))[0] as never)
    await only(openX)
    await only(paidIn)
    assert.equal(await only(cash(500)), 500)
    assert.equal(await only(cash(1)), 'limit_exceeded')
    clock.move(1)
    assert.equal(await only(cash(500)), 500, 'a new day')
    clock.move(hours * 3_600_000 - 1)
    assert.equal(await only(cash(1)), 'limit_exceeded', 'its last millisecond')
    clock.move(1)
    assert.equal(await only(cash(500)), 500, 'the next one')
    assertProven(await journalOf(store))
  })

test('days are told as a zone has them, whatever was asked before', () => {
  const kathmandu = businessDays('Asia/Kathmandu')
  const midnight = Date.UTC(2026, 10, 24, 18, 15)
  assert.deepEqual([midnight, midnight - 1, midnight].map(kathmandu), [
    '2026-11-25',
    '2026-11-24',
    '2026-11-25',
  ])
  assert.throws(() => businessDays('Mars/Olympus'), RangeError)
})

/** What proves transfers and declines that messages asked for: forged records, sealed again, so that only their sense is wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertProven, prove } from '../support/journal.ts'
import { sayReply } from '../support/v1-words.ts'
import { type Forged, forgedBy, type Records } from './verify-atm-forge.ts'
import { Journal } from './verify-atm-random.ts'

const story = `
terminal T C1:50 D1:in
service T on
card K A,S:savings pin=1234 policy=if_present
send T i1 K B 100 stan=000001 local=1123010000 rrn=R1
send T i2 K - 50 to_type=savings stan=000002
send T i3 K B 7000 stan=000003
send T i4 K B 60 pin=9 stan=000004
send T i5 K B 600 stan=000005
feed T i6 card=K pin=9 50:2 stan=000006
repin T i7 K pin=1234 stan=000007
advise T a1 000001 nothing
send T s1 K B 30
`

const isDeclined = /send T i[345]|feed|repin/

function storyJournal(): Journal {
  const journal = new Journal()
  for (const [number, limits] of [
    ['A', { daily_amount: 500 }],
    ['S', undefined],
    ['B', undefined],
  ] as const)
    journal.command({
      type: 'open_account',
      number,
      currency: 'USD',
      overdraft_limit: 0,
      minimum_balance: 0,
      metadata: {},
      ...(limits && { limits }),
    })
  journal.command({ type: 'move', from: null, to: 'A', amount: 1000, currency: 'USD' })
  for (const line of story.trim().split('\n')) {
    const { reply } = journal.step(line)
    assert.equal(reply.type === 'refused', isDeclined.test(line), `${line}: ${sayReply(reply)}`)
  }
  return journal
}

const honest = storyJournal().entries

const done = (of: Records, operation: string) => of('operation_done', { operation }).body
const declined = (of: Records, operation: string) => of('operation_declined', { operation }).body
const back = (of: Records) => of('transfer', { type: 'return' }).body

/** Has the money of a transfer go to another account, on both of the accounts. */
function redirect(record: Forged, to: string, ledger: number, version: number): void {
  Object.assign(record.body, { credit: to, credit_after: { ledger, held: 0, version } })
}

const forgeries: readonly (readonly [string, (of: Records) => void, RegExp])[] = [
  [
    'a transfer to another account than was asked for',
    (of) => redirect(of('transfer', { operation: 'T/s1' }), 'S', 80, 3),
    /transfers to account S, which was not asked for/,
  ],
  [
    'a transfer to what is no account of the card',
    (of) => redirect(of('transfer', { operation: 'T/i2' }), 'B', 150, 3),
    /transfers to account B, which was not asked for/,
  ],
  [
    'a record that says another account than its transfer',
    (of) => (done(of, 'i1').to = 'S'),
    /says that it went to account S; the transfer before it says B/,
  ],
  [
    'a record that does not say what a reversal needs',
    (of) => {
      delete done(of, 'i1').to
      delete done(of, 'i1').charged
    },
    /says that it went to account undefined/,
  ],
  [
    'a record that is counted on no day',
    (of) => delete done(of, 'i1').charged,
    /is counted on another day than its transfer/,
  ],
  [
    'a number that was used at the same time',
    (of) => Object.assign(done(of, 'i2'), { stan: '000001', local: '1123010000' }),
    /is STAN 000001 of 1123010000, which was done before/,
  ],
  [
    'a reversal that gives another amount back',
    (of) => {
      Object.assign(back(of), { amount: 99 })
      back(of).debit_after.ledger += 1
      back(of).credit_after.ledger -= 1
      back(of).credit_after.used = { ...back(of).credit_after.used, amount: 51, count: 2 }
    },
    /reverses T\/i1 otherwise than it was done/,
  ],
  [
    'a reversal of what was never done',
    (of) => {
      of('operation_reversed').body.operation = 'i3'
      back(of).operation = 'T/i3'
      back(of).credit_after.used = undefined
    },
    /reverses T\/i3, which is nothing that can be/,
  ],
  [
    'a reversal that keeps what was used of the limits',
    (of) => delete back(of).credit_after.used,
    /of the limits of A used; it must be/,
  ],
  [
    'a reversal to another account',
    (of) => Object.assign(back(of), { credit: 'S', credit_after: { ledger: 150, held: 0, version: 3 } }),
    /reverses T\/i1 otherwise than it was done/,
  ],
  [
    'a reversal from another account',
    (of) =>
      Object.assign(back(of), {
        debit: 'S',
        debit_after: { ledger: -50, held: 0, version: 3 },
        forced: true,
      }),
    /reverses T\/i1 otherwise than it was done/,
  ],
  [
    'a transfer that was taken back as counted notes',
    (of) => (of('operation_reversed').body.counted = true),
    /says of the notes of T\/i1 that they were counted, or not/,
  ],
  [
    'a decline for no reason',
    (of) => (declined(of, 'i3').code = 'because'),
    /declines for no reason there is/,
  ],
  ['a decline under no id', (of) => (declined(of, 'i3').operation = 'a b'), /declines "a b", which is no id/],
  ['a decline of no kind', (of) => (declined(of, 'i3').type = 'loan'), /is an operation of no kind: loan/],
  [
    'a decline of what no message asked for',
    (of) => delete declined(of, 'i3').stan,
    /declines i3, which no message asked for/,
  ],
  [
    'a decline by a card that there is not',
    (of) => (declined(of, 'i4').card = `card_${'0'.repeat(32)}`),
    /is by card card_0+, which was never issued/,
  ],
  [
    'a decline on the money of another',
    (of) => (declined(of, 'i4').account = 'B'),
    /is by card card_.*, which does not have account B/,
  ],
  [
    'a decline of another amount',
    (of) => (declined(of, 'i3').amount = 1),
    /was asked for with another amount/,
  ],
  [
    'a decline of other notes',
    (of) => (declined(of, 'i6').notes = { 100: 1 }),
    /was asked for with another notes/,
  ],
  [
    'a decline of notes that are worth something else',
    (of) => (declined(of, 'i6').amount = 150),
    /declines 150 by notes that are worth 100/,
  ],
  [
    'tries that are not left',
    (of) => (declined(of, 'i4').about = { tries_left: 1 }),
    /tells of 1 tries left; there are 2/,
  ],
  ['a limit that is not', (of) => (declined(of, 'i5').about.limit = 400), /tells of a limit of 400/],
  [
    'a decline in another batch',
    (of) => (declined(of, 'i7').batch = 2),
    /is in batch 2 of T, where 1 is open/,
  ],
  [
    'a decline under an id that was used',
    (of) => (declined(of, 'i7').operation = 'i1'),
    /names T\/i1, which was used before/,
  ],
  [
    'a decline of a number that was done',
    (of) => Object.assign(declined(of, 'i7'), { stan: '000001', local: '1123010000' }),
    /is STAN 000001 of 1123010000, which was done before/,
  ],
]

test('the honest journal proves', () => {
  assertProven(honest)
  assertProven(forgedBy(honest, () => {}))
})

for (const [name, forge, what] of forgeries)
  test(`${name} is named`, () => {
    const found = prove(forgedBy(honest, forge))
    assert('what' in found, 'the books must not prove')
    assert.match(found.what, what)
  })

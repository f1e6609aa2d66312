// The judge by itself: facts that balance, and each way in which they can fail to.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Batch } from '../../src/simulator/host.ts'
import { type Facts, judge, type Promised } from '../../src/simulator/judge.ts'
import type { Exception, Terminal } from '../../src/simulator/operator.ts'
import type { SiteFacts } from '../../src/simulator/site-facts.ts'

const suspect = { id: 'w-2', state: 'suspect', amount: 4_000 }

function batch(of: Partial<Batch>): Batch {
  const withdrawals = { count: 0, amount: 0 }
  return { batch: 1, open: [], net: 0, cash: 0, transit: 0, over_short: 0, withdrawals, ...of }
}

function terminal(of: Partial<Terminal>): Terminal {
  const transit = { uncertain: 0, unconfirmed: 0 }
  const none = { id: 'T', currency: 'USD', state: 'exchange', batch: 1, units: [] } as const
  return { ...none, cash: 0, over_short: 0, transit, ...of }
}

function exception(of: Partial<Exception>): Exception {
  return {
    id: 'exc_1',
    type: 'suspect',
    state: 'open',
    terminal: 'T',
    withdrawal: 'w-2',
    amount: 4_000,
    ...of,
  }
}

/**
 * Loaded with 1,000.00. Of w-1, 60.00 left, and 10.00 more by mistake; of w-2, 40.00 were asked for and 20.00 left,
 * which nobody knew until it was counted; d-1 brought 50.00.
 */
const site: SiteFacts = {
  id: 'T',
  overShortBefore: 500,
  device: {
    units: [],
    last: null,
    escrow: null,
    left: {
      'w-1': { account: 'A', left: 7_000, mispicked: 1_000 },
      'w-2': { account: 'B', left: 2_000, mispicked: 0 },
    },
    paidIn: { 'd-1': { account: 'B', amount: 5_000 } },
  },
  doubtful: { 'w-2': 'unknown' },
  closes: [batch({ net: -5_000 }), batch({ net: 2_000 })],
  close: batch({ net: -5_000, open: [suspect], transit: 4_000 }),
  exchange: {
    open: {
      exchange: 'x_1',
      terminal: terminal({ cash: 99_000 }),
      suspects: [{ withdrawal: 'w-2', amount: 4_000, units: { C2: 2 } }],
    },
    real: 96_000,
    mispicked: 1_000,
    answers: { 'w-2': { dispensed: 2_000 } },
    counted: { amount: -3_000, units: {} },
    ended: { over_short: -1_000, terminal: terminal({ cash: 91_000, over_short: -500 }) },
    realAfter: 91_000,
  },
  closeAfter: batch({ net: 2_000, over_short: -500 }),
  namedAtClose: [exception({})],
  exceptions: [],
  stillOpen: 0,
  unsaid: ['w-1'],
  assumed: ['w-1'],
  speaks: 'iso8583',
  owed: 0,
  refusals: [],
}

const facts: Facts = {
  sites: [site],
  accounts: [
    { number: 'A', before: 50_000, after: 44_000 },
    { number: 'B', before: 10_000, after: 13_000 },
    { number: 'C', before: 1, after: 1 },
  ],
  proof: { proven: true, records: 9 },
}

test('what balances has nothing against it', () => {
  assert.deepEqual(judge(facts), [])
})

const { exchange } = site
const wrong: Record<string, readonly [Promised, Partial<SiteFacts>, RegExp]> = {
  'an advice was never answered': ['advices', { owed: 1 }, /1 advices were never answered/],
  'an advice was refused': ['advices', { refusals: ['w-1 /confirm: 409'] }, /w-1 \/confirm: 409/],
  'a suspect that the machine has told of': [
    'suspects',
    { doubtful: {} },
    /w-2 is open, and the machine has told/,
  ],
  'a doubt that the host does not know': [
    'suspects',
    { doubtful: { 'w-2': 'unknown', 'w-3': 'retracted' } },
    /w-3 is settled, and nobody knows what left/,
  ],
  'something under way when all is told': [
    'suspects',
    { close: batch({ open: [{ ...suspect, state: 'dispensing' }], transit: 4_000 }) },
    /w-2 is dispensing/,
  ],
  'a suspect without a name': ['suspects', { namedAtClose: [] }, /w-2 is in doubt and has no exception/],
  'silence that is not taken for a dispense': ['silence', { assumed: [] }, /w-1 left, and is not taken/],
  'a word that is taken for silence': [
    'silence',
    { unsaid: [] },
    /w-1 is taken for dispensed, and the machine/,
  ],
  'a note too few in the machine': ['cash', { exchange: { ...exchange, real: 95_000 } }, /950\.00 of notes/],
  'a note too many in the books afterwards': [
    'cash',
    {
      exchange: {
        ...exchange,
        ended: { ...exchange.ended, terminal: terminal({ cash: 92_000, over_short: -500 }) },
      },
    },
    /910\.00 of notes were loaded, the books have 920\.00/,
  ],
  'money in transit that nobody claims': [
    'transit',
    { close: { ...site.close, transit: 5_000 } },
    /50\.00 was in transit/,
  ],
  'money left in transit': [
    'transit',
    { closeAfter: { ...site.closeAfter, transit: 100 } },
    /stayed in transit/,
  ],
  'over/short of more than was mis-picked': [
    'over_short',
    { closeAfter: { ...site.closeAfter, over_short: -600 } },
    /-5\.00 and then -6\.00; what was mis-picked makes -5\.00/,
  ],
  'an exception of nothing that is known': [
    'exceptions',
    { exceptions: [{ exception: exception({ type: 'over_dispensed' }), isKnown: false }], stillOpen: 1 },
    /over_dispensed of w-2, 40\.00/,
  ],
  'an exception that stays open': ['exceptions', { stillOpen: 1 }, /1 are open although/],
  'batches that lost something': ['batches', { closes: [batch({ net: -5_000 })] }, /sum to -50\.00/],
}

for (const [what, [promise, change, says]] of Object.entries(wrong))
  test(`found: ${what}`, () => {
    const found = judge({ ...facts, sites: [{ ...site, ...change }] })
    assert.ok(
      found.some(
        (finding) => finding.promise === promise && finding.terminal === 'T' && says.test(finding.what),
      ),
      JSON.stringify(found),
    )
  })

test('found: a customer who paid for cash they do not hold, one who did not, and books that do not prove', () => {
  const accounts = [
    { number: 'A', before: 50_000, after: 43_000 },
    { number: 'B', before: 10_000, after: 15_000 },
    { number: 'C', before: 1, after: 0 },
  ]
  const found = judge({ ...facts, accounts, proof: { proven: false, what: 'block 7' } })
  assert.deepEqual(
    found.map(({ promise, what }) => `${promise}: ${what.split(';')[0]}`),
    [
      'customers: A went from 500.00 to 430.00',
      'customers: B went from 100.00 to 150.00',
      'customers: C went from 0.01 to 0.00',
      'proof: block 7',
    ],
  )
})

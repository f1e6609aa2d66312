/** What needs a person, as a table: machines and exceptions in, rows out, worst first. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Exception, ExceptionType } from '../../src/ledger/exception.ts'
import { newBatch, type Terminal, type Unit } from '../../src/ledger/terminal.ts'
import { type Attention, attentionOf, type Watched } from '../../src/watch/attention.ts'
import type { Used } from '../../src/watch/usage.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const now = Date.UTC(2030, 0, 15, 12)
const thresholds = { silentMs: 24 * hourMs }

function unit(id: string, count: number, more: Partial<Unit> = {}): Unit {
  const none = { in: 0, out: 0, reserved: 0, rejected: 0, notes: {}, retract_operations: 0 }
  return { id, type: 'cash_out', value: 5000, low: 0, initial: count, ...none, ...more }
}

/** In service, with notes, heard of a minute ago. */
function machine(id: string, more: Partial<Terminal> = {}, used?: Partial<Used>): Watched {
  const terminal: Terminal = {
    kind: 'terminal',
    id,
    name: 'Lobby',
    currency: 'USD',
    state: 'in_service',
    signed_on: false,
    require_sign_on: false,
    units: [unit('C1', 100), unit('C2', 100)],
    mix: 'minimumBills',
    max_notes: 40,
    start_within_s: 60,
    confirm_within_s: 300,
    batch: newBatch(1, now - 100 * hourMs),
    uncertain: 0,
    unconfirmed: 0,
    counted: 1,
    pin_keys: [],
    bad_blocks: [],
    at: now - 100 * hourMs,
    last_seen: now - minuteMs,
    ...more,
  }
  return { terminal, used: used && { notesPerHour: {}, ...used } }
}

function exception(id: string, type: ExceptionType, ageMs: number, more: Partial<Exception> = {}): Exception {
  const at = { terminal: 'T', amount: 6000, currency: 'USD', opened_at: now - ageMs }
  return { kind: 'exception', id, type, state: 'open', ...at, ...more }
}

/** A row in a few words: kind, terminal and unit, and what else it says. */
function words({ kind, terminal, unit, exception, count, hours_left, usual_ms, since }: Attention): string {
  return [
    kind,
    [terminal, unit, exception].filter((each) => each !== undefined).join('/'),
    ...(count !== undefined ? [`count=${count}`] : []),
    ...(hours_left !== undefined ? [`left=${hours_left}`] : []),
    ...(usual_ms !== undefined ? [`usual=${usual_ms / minuteMs}`] : []),
    ...(since !== undefined ? [`age=${(now - since) / minuteMs}`] : []),
  ].join(' ')
}

function check(watched: readonly Watched[], exceptions: readonly Exception[], expected: readonly string[]) {
  assert.deepEqual(attentionOf(watched, exceptions, now, thresholds).map(words), expected)
}

const since = (minutes: number) => ({ stateSince: now - minutes * minuteMs })
const out = { state: 'out_of_service' } as const
const exchange = { state: 'exchange', exchange: { id: 'x', afterwards: 'in_service' } } as const
const paid = (minutes: number, usual: number, more: Partial<Used> = {}) => ({
  lastCashOut: now - minutes * minuteMs,
  usualPauseMs: usual * minuteMs,
  ...more,
})
const seen = (minutes: number) => ({ last_seen: now - minutes * minuteMs })
const never = { last_seen: undefined } as unknown as Partial<Terminal>

type Row = readonly [what: string, machine: Watched, expected: readonly string[]]

const ofOneMachine: readonly Row[] = [
  ['all is well', machine('T', {}, {}), []],
  ['nothing is known of it yet', machine('T'), []],

  ['out of service', machine('T', out, since(30)), ['out_of_service T age=30']],
  ['out of service for longer than anybody has read', machine('T', out, {}), ['out_of_service T']],
  ['out of service, nothing read yet', machine('T', out), ['out_of_service T']],
  ['an exchange of an hour', machine('T', exchange, since(60)), []],
  ['an exchange of two hours', machine('T', exchange, since(120)), []],
  ['an exchange of more', machine('T', exchange, since(121)), ['out_of_service T age=121']],
  ['an exchange of more than a week', machine('T', exchange, {}), ['out_of_service T']],
  ['an exchange, nothing read yet', machine('T', exchange), []],
  [
    'out of service says it all',
    machine('T', { ...out, ...seen(9_999), units: [unit('C1', 0), unit('C2', 0)] }, paid(999, 1, since(30))),
    ['out_of_service T age=30'],
  ],
  ['made, and not there yet', machine('T', { ...out, ...never, counted: 0, units: [unit('C1', 0)] }, {}), []],
  ['loaded, and never in service', machine('T', { ...out, ...never }, {}), ['out_of_service T']],
  ['emptied and taken away', machine('T', { ...out, units: [unit('C1', 0)] }, {}), ['out_of_service T']],

  [
    'all units are empty',
    machine('T', { units: [unit('C1', 0), unit('C2', 5, { out: 5 })] }, paid(999, 1)),
    ['unit_empty T count=2'],
  ],
  [
    'one is',
    machine('T', { units: [unit('C1', 0, { low: 10 }), unit('C2', 9)] }, {}),
    ['unit_empty T/C1 count=0'],
  ],
  [
    'the notes that are left are promised',
    machine('T', { units: [unit('C1', 3, { reserved: 3 }), unit('C2', 9)] }, {}),
    ['unit_empty T/C1 count=0'],
  ],
  [
    'units that take notes in are never empty',
    machine('T', { units: [unit('C1', 9), unit('D1', 0, { type: 'cash_in' })] }, {}),
    [],
  ],
  ['a machine that pays nothing out', machine('T', { units: [unit('D1', 0, { type: 'cash_in' })] }, {}), []],

  [
    'low by its own mark',
    machine('T', { units: [unit('C1', 20, { low: 20 }), unit('C2', 21, { low: 20 })] }, {}),
    ['unit_low T/C1 count=20 left=null'],
  ],
  [
    'and how long it lasts',
    machine('T', { units: [unit('C1', 21, { low: 20, reserved: 1 })] }, { notesPerHour: { C1: 3 } }),
    ['unit_low T/C1 count=20 left=6.7'],
  ],
  [
    'without a mark, less than a day',
    machine('T', {}, { notesPerHour: { C1: 100 / 24, C2: 100 / 23.9 } }),
    ['unit_low T/C2 count=100 left=23.9'],
  ],
  [
    'with a mark it is the mark that counts',
    machine('T', { units: [unit('C1', 21, { low: 20 })] }, { notesPerHour: { C1: 21 } }),
    [],
  ],

  ['a pause as usual', machine('T', {}, paid(80, 40)), []],
  ['twice the usual pause, and more', machine('T', {}, paid(81, 40)), ['no_cash_out T usual=40 age=81']],
  ['half an hour is never unusual', machine('T', {}, paid(30, 1)), []],
  ['what is more may be', machine('T', {}, paid(31, 1)), ['no_cash_out T usual=1 age=31']],
  ['nothing is usual yet', machine('T', {}, { lastCashOut: 0 }), []],
  ['it was out of service meanwhile', machine('T', {}, paid(600, 1, since(20))), []],
  [
    'and in service for long since',
    machine('T', {}, paid(600, 1, since(40))),
    ['no_cash_out T usual=1 age=40'],
  ],
  [
    'it has paid out since the books were read',
    machine('T', { last_cash_out: now - minuteMs }, paid(600, 1)),
    [],
  ],

  ['heard of a day ago', machine('T', seen(24 * 60), {}), []],
  ['not heard of for more', machine('T', seen(24 * 60 + 1), {}), ['silent T age=1441']],
  ['silence says it all', machine('T', seen(2_000), paid(2_000, 1)), ['silent T age=2000']],
  ['never heard of, put in service today', machine('T', never, since(60)), []],
  ['never heard of, for long', machine('T', never, since(1_500)), ['silent T age=1500']],
  ['never heard of, and nobody knows since when', machine('T', never, {}), ['silent T age=6000']],
  ['signed off, where it must be signed on', machine('T', { require_sign_on: true }, {}), ['silent T age=1']],
  ['signed on', machine('T', { require_sign_on: true, signed_on: true }, {}), []],
  [
    'silent, and with a unit that is empty and one that is low',
    machine('T', { ...seen(2_000), units: [unit('C1', 0), unit('C2', 3, { low: 5 })] }, {}),
    ['silent T age=2000', 'unit_empty T/C1 count=0', 'unit_low T/C2 count=3 left=null'],
  ],
]

describe('of one machine', () => {
  for (const [what, machine, expected] of ofOneMachine) test(what, () => check([machine], [], expected))
})

test('an exception says whose it is, and of which withdrawal', () => {
  const of = { withdrawal: 'w1', account: 'A', last4: '0119' }
  const [row, ...others] = attentionOf([], [exception('e1', 'suspect', hourMs, of)], now, thresholds)
  assert.deepEqual(others, [])
  assert.deepEqual(row, {
    kind: 'suspect',
    terminal: 'T',
    ...of,
    exception: 'e1',
    exception_type: 'suspect',
    amount: 6000,
    currency: 'USD',
    since: now - hourMs,
  })
})

test('worst first: no money, then uncertain money, then what will soon be none; the oldest first', () => {
  const watched = [
    machine(
      'A',
      { units: [unit('C1', 7, { low: 9 }), unit('C2', 8, { low: 9 })] },
      { notesPerHour: { C2: 1 } },
    ),
    machine('B', { units: [unit('C1', 9), unit('C2', 0)] }, {}),
    machine('C', seen(3_000), {}),
    machine('D', seen(2_000), {}),
    machine('E', {}, paid(50, 1)),
    machine('F', {}, paid(60, 1)),
    machine('G', { units: [unit('C1', 0)] }, {}),
    machine('H', out, since(10)),
    machine('I', out, {}),
    machine('J', out, since(20)),
    machine('K', { units: [unit('C1', 9, { low: 9 })] }, { notesPerHour: { C1: 2 } }),
    machine('L', { units: [unit('C1', 0)] }, {}),
    machine('M', {}, {}),
  ]
  const exceptions = [
    exception('e1', 'pin_key', 10 * minuteMs),
    exception('e2', 'out_of_balance', 5 * minuteMs),
    exception('e3', 'suspect', minuteMs, { amount: 90_000 }),
    exception('e4', 'suspect', 99 * minuteMs),
    exception('e5', 'unknown_advice', 20 * minuteMs),
    exception('e6', 'out_of_balance', 50 * minuteMs),
  ]
  const expected = [
    'out_of_service I',
    'out_of_service J age=20',
    'out_of_service H age=10',
    'unit_empty G count=1',
    'unit_empty L count=1',
    'no_cash_out F usual=1 age=60',
    'no_cash_out E usual=1 age=50',
    'silent C age=3000',
    'silent D age=2000',
    'suspect T/e4 age=99',
    'suspect T/e3 age=1',
    'out_of_balance T/e6 age=50',
    'out_of_balance T/e2 age=5',
    'exception T/e5 age=20',
    'exception T/e1 age=10',
    'unit_empty B/C2 count=0',
    'unit_low K/C1 count=9 left=4.5',
    'unit_low A/C2 count=8 left=8',
    'unit_low A/C1 count=7 left=null',
  ]
  check(watched, exceptions, expected)
  check(watched.toReversed(), exceptions.toReversed(), expected)
})

/** What proves the books, of the records that /v1 adds: each forgery is sealed again, so that only its sense is wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountState } from '../../src/ledger/account.ts'
import type { Command, Item } from '../../src/ledger/command.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { heldClock } from '../support/clock.ts'
import { pending } from '../support/commands.ts'
import { assertProven, type Body, type Entry, forged, journalOf, prove } from '../support/journal.ts'

const usd = { currency: 'USD' }
const open = (number: string, overdraft_limit = 0): Command => ({
  type: 'open_account',
  number,
  ...usd,
  overdraft_limit,
  minimum_balance: 0,
  metadata: {},
})

/**
 * Records: 1 x opened with an overdraft of 100, 2 y opened, 3 deposit of 1,000 to x, 4 hold of 400, 5 captured and
 * 6 paid with 150, 7 a hold of 50 and 8 voided, 9 300 from x to y and 10 its key, 11 100 of that taken back,
 * 12 a hold of 10 that 13 expires, 14 z opened and 15 closed.
 */
async function honestJournal(): Promise<Entry[]> {
  const clock = heldClock()
  const store = new MemoryStore({ clock })
  const only = async (command: Command, key?: string) => {
    await store.commit([pending(command, key === undefined ? {} : { key: { scope: '', key } })])
    clock.move(1000)
  }
  const hold = (amount: number): Command => ({ type: 'hold', account: 'x', amount, ...usd, expires_in_s: 60 })
  await only(open('x', 100))
  await only(open('y'))
  await only({ type: 'move', from: null, to: 'x', amount: 1000, ...usd })
  await only(hold(400))
  await only({ type: 'capture', hold: '1-4', amount: 150 })
  await only(hold(50))
  await only({ type: 'void', hold: '1-7' })
  await only({ type: 'move', from: 'x', to: 'y', amount: 300, ...usd }, 'k')
  await only({ type: 'reverse', transfer: '1-9', amount: 100 })
  await only(hold(10))
  clock.move(60_000)
  await only({ type: 'void', hold: '1-12' })
  await only(open('z'))
  await only({ type: 'set_state', account: 'z', state: 'closed', reason: 'r' })
  return await journalOf(store)
}

test('the honest journal proves', async () => {
  const honest = await honestJournal()
  assert.equal(honest.at(-1)?.block.last, 15)
  assertProven(honest)
  assertProven(forged(honest, 1, () => {}))
})

const forgeries: [number, string, (body: Body) => void, RegExp][] = [
  [4, 'holds nothing', (body) => (body.amount = 0), /holds 0, which is no amount/],
  [4, 'holds another currency', (body) => (body.currency = 'EUR'), /holds EUR on account x/],
  [4, 'holds what is not there', (body) => (body.amount = 1101), /holds more on x than is available/],
  [4, 'sets less aside than it says', (body) => (body.after.held = 399), /leaves 399 held/],
  [5, 'names no hold', (body) => (body.hold = '1-3'), /resolves hold 1-3, which is not on account x/],
  [5, 'frees less', (body) => (body.after.held = 100), /leaves 100 held/],
  [5, 'moves money by itself', (body) => (body.after.ledger = 850), /leaves 850 on account x/],
  [6, 'is of another hold', (body) => (body.hold = '1-7'), /not the transfer that pays hold 1-4/],
  [6, 'is of no hold', (body) => delete body.hold, /not the transfer that pays hold 1-4/],
  [8, 'voids what is captured', (body) => (body.hold = '1-4'), /resolves hold 1-4, which is posted/],
  [8, 'lets it expire too soon', (body) => (body.state = 'expired'), /expire before its time/],
  [
    9,
    'pays a hold that was not captured',
    (body) => (body.hold = '1-4'),
    /pays hold 1-4, which was not captured/,
  ],
  [9, 'takes too much', (body) => takes(body, 951), /takes account x below what is available/],
  [
    10,
    'answers another amount',
    (body) => (body.reply.transfer.amount = 1),
    /answers otherwise than transfer 1-9/,
  ],
  [
    10,
    'answers another id',
    (body) => (body.reply.transfer.id = '1-6'),
    /answers otherwise than transfer 1-6/,
  ],
  [11, 'reverses what is not there', (body) => (body.reverses = '1-4'), /reverses 1-4, which cannot be/],
  [11, 'reverses another pair', (body) => (body.reverses = '1-3'), /reverses 1-3 on other accounts/],
  [11, 'reverses too much', (body) => (body.amount = 301), /reverses more of 1-9 than it moved/],
  [11, 'says it reverses nothing', (body) => delete body.reverses, /is no proper reversal/],
  [13, 'resolves it as another account', (body) => (body.account = 'y'), /which is not on account y/],
  [15, 'skips a version', (body) => (body.after.version = 3), /at version 3; it must be 2/],
  [14, 'opens it twice', (body) => (body.account = 'x'), /opens account x, which is open/],
  [15, 'closes what is not empty', (body) => (body.account = 'y'), /closes account|leaves 0 on account y/],
]

function takes(body: Body, amount: number): void {
  body.amount = amount
  body.debit_after.ledger = 850 - amount
  body.credit_after.ledger = amount
}

for (const [record, name, forge, what] of forgeries)
  test(`record ${record} that ${name} is named`, async () => {
    const found = prove(forged(await honestJournal(), record, forge))
    assert('what' in found, 'the books must not prove')
    assert.match(found.what, what)
    assert.equal(found.record, record)
  })

/** The journal that these commands leave, up to their last one; each is a block. */
async function journalAfter(...commands: Command[]): Promise<Entry[]> {
  const clock = heldClock()
  const store = new MemoryStore({ clock })
  for (const command of commands) {
    const [outcome] = await store.commit([pending(command)])
    assert(outcome?.reply.type !== 'refused', JSON.stringify(outcome))
    clock.move(1000)
  }
  return await journalOf(store)
}

const deposit: Command = { type: 'move', from: null, to: 'x', amount: 1000, ...usd }
const take: Command = { type: 'move', from: 'x', to: null, amount: 300, ...usd }
const hold: Item['command'] = { type: 'hold', account: 'x', amount: 400, ...usd, expires_in_s: 60 }
const set = (state: AccountState): Command => ({ type: 'set_state', account: 'x', state, reason: 'r' })

function assertNamed(journal: Entry[], record: number, what: RegExp): void {
  const found = prove(journal)
  assert('what' in found, 'the books must not prove')
  assert.match(found.what, what)
  assert.equal(found.record, record)
}

test('an ordinary transfer is not forced, however much it takes', async () => {
  const journal = await journalAfter(open('x'), deposit, take)
  const forge = (body: Body) => {
    body.forced = true
    body.amount = 1001
    body.debit_after.ledger = -1
  }
  assertNamed(forged(journal, 3, forge, new Map([['cash:USD', 1n]])), 3, /is forced, which no withdrawal is/)
})

test('a capture pays no more than was held, on the account of the hold, and says when it was late', async () => {
  const journal = await journalAfter(open('x'), open('y'), deposit, hold, {
    type: 'capture',
    hold: '1-4',
    amount: 150,
  })
  const pays = (amount: number) => (body: Body) => {
    body.amount = amount
    body.debit_after.ledger = 1000 - amount
  }
  assertProven(forged(journal, 6, pays(400), new Map([['cash:USD', -600n]])))
  assertNamed(
    forged(journal, 6, pays(401), new Map([['cash:USD', -599n]])),
    6,
    /pays 401 of hold 1-4, which is of 400/,
  )
  assertNamed(
    forged(journal, 6, (body) => (body.debit = 'y')),
    6,
    /pays hold 1-4 on other accounts/,
  )
  assertNamed(
    forged(journal, 6, (body) => (body.forced = true)),
    6,
    /otherwise in time/,
  )
  assertNamed(
    forged(journal, 6, (body) => (body.type = 'withdrawal')),
    6,
    /is no proper capture/,
  )
})

for (const [state, refused] of [
  ['debit_blocked', [take, hold]],
  ['credit_blocked', [deposit]],
  ['frozen', [take, hold, deposit]],
] as const)
  for (const command of refused)
    test(`an account that is ${state} has no ${command.type} after that: ${command === deposit ? 'in' : 'out'}`, async () => {
      // As if it had been blocked before, which it was not.
      const journal = await journalAfter(open('x'), deposit, set('active'), command)
      assertNamed(
        forged(journal, 3, (body) => (body.state = state)),
        4,
        new RegExp(`account x, which is ${state}`),
      )
    })

test('a closed account moves no more, in no way', async () => {
  const journal = await journalAfter(open('x', 1000), set('active'), take)
  assertNamed(
    forged(journal, 2, (body) => (body.state = 'closed')),
    3,
    /on account x, which is closed/,
  )
})

test('what blocked accounts do take is proven', async () => {
  assertProven(
    await journalAfter(open('x'), deposit, hold, set('debit_blocked'), { type: 'capture', hold: '1-3' }),
  )
  const reversed: Command = { type: 'reverse', transfer: '1-3' }
  assertProven(await journalAfter(open('x'), deposit, take, set('frozen'), reversed))
  const back: Command = { type: 'reverse', transfer: '1-2', force: true }
  assertProven(await journalAfter(open('x'), deposit, set('frozen'), back))
  const advice: Command = { type: 'capture', hold: '1-3', advice: true }
  assertProven(await journalAfter(open('x'), deposit, hold, set('frozen'), advice))
})

test('an opening balance is not reversed', async () => {
  const accounts = [{ number: 'x', currency: 'USD', ledger: 1000 }]
  const journal = await journalAfter({ type: 'open_books', accounts }, take)
  const forge = (body: Body) =>
    Object.assign(body, { type: 'reversal', reverses: '1-2', credit: 'equity:USD' })
  assertNamed(forged(journal, 3, forge, new Map([['equity:USD', -700n]])), 3, /reverses 1-2, which cannot be/)
})

const refused = { type: 'refused', refusal: 'account_busy' }
const movedTo = (to: string, amount: number): Item => ({
  command: { type: 'move', from: 'x', to, amount, ...usd },
})

/** Records: 1 x and 2 y opened, 3 1,000 to x; a batch of 4 100 to y, 5 a hold and 6 7 it captured, 8 its key; 9 a decline. */
async function batched(atomic: boolean): Promise<Entry[]> {
  const store = new MemoryStore({ clock: heldClock() })
  const items: Item[] = [movedTo('y', 100), { command: hold }, { command: { type: 'capture', hold: '1-5' } }]
  const batch: Command = {
    type: 'batch',
    atomic,
    dry_run: false,
    items: atomic ? items : [...items, movedTo('n', 1)],
  }
  for (const command of [open('x'), open('y'), deposit]) await store.commit([pending(command)])
  await store.commit([pending(batch, { key: { scope: '', key: 'b' } })])
  await store.commit([pending({ ...take, amount: 9_000 } as Command, { key: { scope: '', key: 'd' } })])
  return await journalOf(store)
}

const replies: [boolean, number, string, (reply: Body) => void, RegExp][] = [
  [
    true,
    8,
    'tells another amount',
    ({ results }) => (results[0].reply.transfer.amount = 1),
    /otherwise than transfer 1-4/,
  ],
  [
    true,
    8,
    'tells of a transfer of another commit',
    ({ results }) => (results[0].reply.transfer.id = '1-3'),
    /otherwise than transfer 1-3/,
  ],
  [
    true,
    8,
    'tells the same twice',
    ({ results }) => results.push(results[0]),
    /1-4, which the batch did not make/,
  ],
  [
    true,
    8,
    'tells another hold',
    ({ results }) => (results[1].reply.hold.amount = 1),
    /otherwise than hold 1-5/,
  ],
  [
    true,
    8,
    'hides a refusal',
    ({ results }) => (results[0].reply = refused),
    /atomic batch that was refused in part/,
  ],
  [true, 8, 'failed without a refusal', (reply) => (reply.failed = 0), /failed without a refusal/],
  [true, 8, 'is a dry run', (reply) => (reply.dry_run = true), /remembers a dry run/],
  [
    false,
    8,
    'has a batch in it',
    ({ results }) => (results[0].reply = { type: 'batch' }),
    /a batch within a batch/,
  ],
  [
    false,
    8,
    'knows another refusal',
    ({ results }) => (results[3].reply.refusal = 'x'),
    /knows no refusal x/,
  ],
  [
    true,
    9,
    'declines for what passes',
    (reply) => (reply.refusal = 'account_busy'),
    /remembers account_busy/,
  ],
  [true, 9, 'declines for nothing we know', (reply) => (reply.refusal = 'toString'), /remembers toString/],
]

for (const [atomic, record, name, forge, what] of replies)
  test(`a remembered ${atomic ? 'atomic batch or decline' : 'batch'} that ${name} is named`, async () => {
    const honest = await batched(atomic)
    assertProven(honest)
    assertNamed(
      forged(honest, record, ({ reply }) => forge(reply)),
      record,
      what,
    )
  })

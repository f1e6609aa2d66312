/** What a message is answered when the store fails: never a no for what was done, never a yes for what was not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bank } from '../../src/bank/bank.ts'
import { businessDays } from '../../src/bank/business-day.ts'
import { systemClock } from '../../src/bank/clock.ts'
import { type Pending, StoreError } from '../../src/bank/store.ts'
import { answer } from '../../src/iso8583/host.ts'
import { iso87a } from '../../src/iso8583/message/index.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { testVault } from '../rest/support.ts'
import { makeTerminal } from '../stores/terminals.ts'
import { type Fields, framed, pans, request, reversalOf } from './support.ts'

/** A store that commits and does not say so, or cannot be read. */
class BadStore extends MemoryStore {
  loses = 0
  isAwayNow = false

  override async commit(batch: readonly Pending[]) {
    const outcomes = await super.commit(batch)
    if (this.loses > 0) {
      this.loses -= 1
      throw new StoreError('outcome_unknown', 'lost')
    }
    return outcomes
  }

  override async entity(name: string) {
    if (this.isAwayNow) throw new StoreError('unavailable', 'away')
    return super.entity(name)
  }
}

const from = { isOurs: () => true, strict: false, spec: iso87a, onWrongMac: () => {} }

function received(mti: string, fields: Fields) {
  return { message: { mti, fields }, bytes: framed(mti, fields).subarray(4) }
}

async function badHost() {
  const store = new BadStore()
  const bank = new Bank(store, systemClock)
  await bank.submit({
    command: {
      type: 'open_books',
      accounts: [
        { number: 'A', currency: 'USD', ledger: 100_000 },
        { number: 'B', currency: 'USD', ledger: 0 },
      ],
    },
    actor: '',
  })
  await makeTerminal(store, 'ATM00001')
  const [id = ''] = testVault.cardIds(pans.b)
  const accounts = [{ account: 'A', type: 'checking', default: true }] as const
  await bank.submit({
    command: {
      type: 'issue_card',
      pan: [id],
      last4: '0127',
      expiry: '9912',
      accounts,
      pin_policy: 'if_present',
    },
    actor: '',
  })
  const errors: unknown[] = []
  const desk = {
    bank,
    vault: testVault,
    dayOf: businessDays('UTC'),
    onError: (error: unknown) => void errors.push(error),
  }
  return {
    store,
    bank,
    errors,
    ask: async (mti: string, fields: Record<number, string>, by: Bank = bank) =>
      (await answer({ ...desk, bank: by }, received(mti, fields), from, bank.now)).fields,
  }
}

test('an outcome that nobody knows is asked for again until it is known, and nothing is done twice', async () => {
  const { store, bank, ask, errors } = await badHost()
  store.loses = 1
  const asked = request('010000', 60)
  const first = await ask('0200', asked)
  assert.equal(first[39], '00')
  assert.deepEqual(await ask('0201', asked), first)
  assert.equal((await bank.account('A'))?.ledger, 100_000 - 60)
  store.loses = 2
  const bare = { 2: pans.b, 3: '010000', 4: '000000000060', 11: '900001', 41: 'ATM00001' }
  assert.equal((await ask('0200', bare))[39], '00')
  store.loses = 1
  assert.equal((await ask('0420', reversalOf('0200', asked)))[39], '00')
  assert.equal((await bank.account('A'))?.ledger, 100_000 - 60)
  store.loses = 1
  assert.equal((await ask('0520', { 11: '900002', 41: 'ATM00001' }))[39], '00')
  const terminal = await bank.entity('terminal/ATM00001')
  assert.equal(terminal?.kind === 'terminal' && terminal.batch.batch, 2)
  assert.deepEqual(errors, [])
})

test('a transfer whose outcome nobody knows is moved once, and taken back once', async () => {
  const { store, bank, ask, errors } = await badHost()
  const ledgers = async () => [(await bank.account('A'))?.ledger, (await bank.account('B'))?.ledger]
  store.loses = 1
  const asked = request('400000', 60, { 103: 'B' })
  const first = await ask('0200', asked)
  assert.equal(first[39], '00')
  assert.deepEqual(await ask('0201', asked), first)
  assert.deepEqual(await ledgers(), [100_000 - 60, 60])
  store.loses = 2
  assert.equal((await ask('0420', reversalOf('0200', asked)))[39], '00')
  assert.deepEqual(await ledgers(), [100_000, 0])
  // A no that is lost on the way is the same no.
  store.loses = 1
  assert.equal((await ask('0200', request('400000', 200_000, { 103: 'B' })))[39], '51')
  assert.deepEqual(errors, [])
})

test('too busy is 91 at once, of whatever is asked: nothing was done', async () => {
  const { store, bank, ask, errors } = await badHost()
  const busy = new Bank(store, systemClock, { lengthMax: 0 })
  const before = await bank.last()
  for (const [mti, fields] of [
    ['0100', request('310000', undefined)],
    ['0200', request('010000', 60)],
    ['0200', request('210000', 60)],
    ['0200', request('400000', 60, { 103: 'B' })],
    ['0200', request('380000', undefined)],
    ['0200', request('920000', undefined, { 62: '0123456789ABCDEF' })],
    ['0220', request('010000', 60)],
    ['0400', request('400000', 60)],
    ['0420', request('010000', 60)],
    ['0520', { 11: '900003', 41: 'ATM00001' }],
    ['0800', { 11: '900004', 41: 'ATM00001', 70: '001' }],
  ] as const)
    assert.equal((await ask(mti, fields, busy))[39], '91', `${mti} ${fields[3 as never]}`)
  assert.equal(await bank.last(), before)
  // What is read alone waits for nobody.
  assert.equal((await ask('0500', { 11: '900005', 41: 'ATM00001' }, busy))[39], '00')
  assert.deepEqual(errors, [])
})

test('a store that cannot be read is 91: nothing was done', async () => {
  const { store, bank, ask, errors } = await badHost()
  store.isAwayNow = true
  assert.equal((await ask('0200', request('010000', 60)))[39], '91')
  // Whether an echo must have a MAC cannot be told, if it is a terminal's.
  assert.equal((await ask('0800', { 11: '000001', 41: 'ATM00001', 70: '301' }))[39], '91')
  assert.equal((await ask('0800', { 11: '000001', 70: '301' }))[39], '00')
  store.isAwayNow = false
  assert.equal((await bank.account('A'))?.ledger, 100_000)
  assert.deepEqual(errors, [])
})

test('one that cannot be read after the money moved is a yes that says less', async () => {
  const { store, bank, ask } = await badHost()
  const commit = store.commit.bind(store)
  store.commit = async (batch) => {
    const outcomes = await commit(batch)
    store.isAwayNow = true
    return outcomes
  }
  const answer = await ask('0200', request('010000', 60))
  assert.equal(answer[39], '00')
  assert.equal(answer[54]?.slice(0, 4), '0001')
  assert.equal((await bank.account('A'))?.ledger, 100_000 - 60)
})

test('without keys for cards there is no card to serve', async () => {
  const { bank } = await badHost()
  const desk = { bank, vault: undefined, dayOf: businessDays('UTC') }
  const { fields } = await answer(desk, received('0200', request('010000', 60)), from, bank.now)
  assert.equal(fields[39], '96')
})

/**
 * The profile, held to by somebody who has its document and nothing else: a day of a machine that sends all it has, and a
 * day of a stock client that sends 2, 3, 4, 11 and 41 and takes back with a bare STAN in 90.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertProves } from '../process/support.ts'
import { type Fields, framed, pack } from './stranger-client.ts'
import { openHost, typed, yes } from './stranger-host.ts'
import {
  amount,
  approval,
  balances,
  day,
  dispensed,
  newPan,
  next,
  reference,
  Totals,
  zeros,
} from './stranger-machine.ts'

const host = await openHost({ after })

const atDay = await host.morning('DAY00001')
const totals = new Totals()

async function withdraw(minor: number, more: Fields = {}): Promise<Fields> {
  totals.count('withdrawals', minor)
  return atDay.atm.withdraws(atDay.card, minor, more)
}

/** So much of a withdrawal is back on the account. */
async function back(minor: number): Promise<void> {
  totals.count('returned', minor)
  atDay.card.balance += minor
  await host.agrees(atDay.card)
}

const advise = (mti: string, of: Fields, more: Fields = {}) =>
  atDay.atm.says(mti, atDay.atm.reversal(of, more), yes)

async function stateOf({ 11: number, 12: time, 13: date }: Fields): Promise<string> {
  const known = `/terminals/DAY00001/withdrawals/iso-1-${number}-${date}${time}`
  const { state, dispensed } = await host.office.ask('GET', known)
  return `${state} ${dispensed}`
}

test('a withdrawal that is said twice is one', async () => {
  const { atm, other, card } = atDay
  const twin = atm.request('010000', 1000, { 2: card.pan })
  card.balance -= 1000
  totals.count('withdrawals', 1000)
  const both = await Promise.all([atm, other].map((one) => one.says('0200', twin, atm.approved(card))))
  assert.deepEqual(both[0], both[1])

  const first = await withdraw(10_000, typed(card.pan))
  const { 38: code = '', 54: left = '' } = (await atm.hear('0200', first)).fields
  const { 7: _time, ...timeless } = first
  for (const again of [first, { ...first, 7: '0101235959' }, timeless])
    await other.says('0201', again, { ...yes, 15: day, 38: code, 54: left })
  const changes = [
    { 2: newPan() },
    { 3: '012000' },
    { 4: amount(20_000) },
    { 49: '978' },
    { 102: card.account },
  ]
  for (const change of changes) await other.says('0200', { ...first, ...change }, { 39: '94' })
  await host.agrees(card)
  const { transfers } = await host.office.ask('GET', `/transfers?reference=${first[37]}`)
  assert.deepEqual(
    transfers.map((one: { amount: number }) => one.amount),
    [10_000],
  )
})

test('a reversal gives back what it says, once, however it names its original', async () => {
  const { atm, other, card } = atDay
  const reversed = await withdraw(2000)
  const reversal = atm.reversal(reversed)
  for (const mti of ['0400', '0401']) await other.says(mti, reversal, yes)
  await back(2000)
  for (const mti of ['0200', '0201']) await atm.says(mti, reversed, { 39: '94' })
  const advice = atm.reversal(await withdraw(2000), { 95: dispensed(0) })
  for (const mti of ['0420', '0421', '0421']) await other.says(mti, advice, yes)
  await back(2000)
  for (const named of ['', '0200']) {
    const one = await withdraw(1000)
    const { 11: number = '' } = one
    const original = named === '' ? number.padStart(42, '0') : `${named}${number}`.padEnd(42, '0')
    await advise('0420', one, { 90: original })
    await back(1000)
  }
  const one = await withdraw(1000)
  const { 90: _, ...byReference } = atm.reversal(one, { 37: one[37] ?? '' })
  await atm.says('0400', byReference, yes)
  await back(1000)
  const least = await withdraw(1000)
  await atm.says('0420', { 11: next(), 41: 'DAY00001', 90: `0200${least[11]}${least[7]}${zeros}` }, yes)
  await back(1000)

  const late = atm.request('010000', 1000, { 2: card.pan })
  await other.says('0420', other.reversal(late), yes)
  for (const mti of ['0200', '0201']) await atm.says(mti, late, { 39: '94' })
  const partly = await withdraw(10_000)
  await advise('0420', partly, { 95: dispensed(4000) })
  await back(6000)
  assert.equal(await stateOf(partly), 'partially_completed 4000')
  const whole = await withdraw(10_000)
  await advise('0420', whole, { 95: dispensed(10_000) })
  assert.equal(await stateOf(whole), 'completed 10000')
  await host.agrees(card)
  assert.deepEqual(await host.office.exceptions('DAY00001'), [])
  await advise('0420', await withdraw(1000), { 4: amount(2000) })
  assert.deepEqual(await host.office.exceptions('DAY00001'), ['unknown_advice'])
})

test('a completion says what left, and what nobody can book is for a person', async () => {
  const { atm, card } = atDay
  const planned = await withdraw(6000)
  for (const mti of ['0220', '0221']) await atm.says(mti, planned, yes)
  assert.equal(await stateOf(planned), 'completed 6000')
  await advise('0220', await withdraw(6000), { 48: 'C2=3' })
  const rejected = await withdraw(6000)
  await advise('0220', rejected, { 4: amount(5000), 48: 'C1=1;R:C3=1' })
  await back(1000)
  assert.equal(await stateOf(rejected), 'partially_completed 5000')
  const unknown = await withdraw(1000)
  await advise('0220', unknown, { 48: ';O:unknown' })
  assert.equal(await stateOf(unknown), 'suspect null')
  await advise('0220', await withdraw(2000), { 4: amount(3000) })
  await atm.says('0220', atm.request('010000', 7000, { 2: card.pan }), yes)
  await advise('0420', planned)
  const found = ['over_dispensed', 'reverse_after_confirm', 'suspect', 'unknown_advice', 'unknown_advice']
  assert.deepEqual(await host.office.exceptions('DAY00001'), found)
  await host.agrees(card)
})

test('deposits, transfers and statements', async () => {
  const { atm, other, card } = atDay
  const { pan } = card
  const savings = await host.office.issue(newPan(), 0)
  const deposit = async (minor: number, more: Fields = {}) => {
    const asked = atm.request('210000', minor, { 2: pan, ...more })
    await atm.says('0200', asked, { ...yes, 15: day, 38: approval })
    totals.count('deposits', minor)
    card.balance += minor
    return asked
  }
  await deposit(12_000, { 48: '5000=2,2000=1' })
  const taken = await deposit(7000)
  for (const mti of ['0420', '0421']) await other.says(mti, other.reversal(taken), yes)
  totals.count('undeposited', 7000)
  card.balance -= 7000
  const { 2: _, ...nameless } = atm.request('210000', 3000, { 102: savings.account })
  await atm.says('0200', nameless, { ...yes, 15: day, 38: approval })
  totals.count('deposits', 3000)
  savings.balance += 3000
  await host.agrees(card, savings)

  const transfer = async (minor: number) => {
    const asked = atm.request('400000', minor, { 2: pan, 103: savings.account })
    card.balance -= minor
    await atm.says('0200', asked, atm.approved(card))
    return asked
  }
  await transfer(1234)
  savings.balance += 1234
  const undone = await transfer(5000)
  for (const mti of ['0400', '0401']) await other.says(mti, other.reversal(undone), yes)
  card.balance += 5000
  for (const mti of ['0200', '0201']) await other.says(mti, undone, { 39: '94' })
  await host.agrees(card, savings)

  const asked = { 2: savings.pan, 3: '380000', 11: next(), 41: 'DAY00001' }
  const newest = ['D000000005000', 'C000000005000', 'C000000001234', 'C000000003000']
  const list = new RegExp(`^${newest.map((one) => `(0\\d|1[0-2])[0-3]\\d[0-2]\\d[0-5]\\d${one}`).join('')}$`)
  await atm.says('0200', asked, {
    ...yes,
    37: reference,
    48: list,
    49: '840',
    54: balances('20', savings.balance),
  })
  const empty = await host.office.issue(newPan(), 0)
  await atm.says(
    '0200',
    { ...asked, 2: empty.pan, 11: next() },
    { ...yes, 37: reference, 49: '840', 54: balances('20', 0) },
  )
})

test('the totals of the day are the host’s, and a close is one', async () => {
  const { atm, other, card } = atDay
  const { 3: _, 32: __, 37: ___, 42: ____, 49: _____, ...plain } = atm.request('')
  const ask = (more: Fields = {}) => ({ ...plain, 11: next(), 50: '840', ...more })
  const told = (balanced: string, of = totals) => ({
    ...yes,
    15: day,
    50: '840',
    66: balanced,
    ...of.fields(),
  })
  const open = await withdraw(2000)
  await atm.says('0500', ask(), told('0'))
  await atm.says('0500', ask(totals.fields()), told('1'))
  await atm.says('0500', ask({ 88: amount(1, 16) }), told('2'))
  const close = ask(totals.fields())
  const first = told('1')
  await atm.says('0520', close, first)
  for (const mti of ['0520', '0521']) await other.says(mti, close, first)
  const { batch, cash, transit } = await host.office.ask('GET', '/terminals/DAY00001')
  assert.deepEqual([batch, transit.unconfirmed], [2, 0])
  assert.equal(await stateOf(open), 'completed 2000')
  assert.equal((await host.office.ask('GET', '/terminals/DAY00001/batches/1')).cash, cash)

  const today = new Totals()
  await atm.says('0500', ask(), told('0', today))
  await atm.withdraws(card, 1000)
  today.count('withdrawals', 1000)
  const wrong = { ...today.fields(), 88: amount(9000, 16) }
  const before = await host.office.exceptions('DAY00001')
  await atm.says('0520', ask(wrong), told('2', today))
  const after = await host.office.exceptions('DAY00001')
  assert.deepEqual(after, [...before, 'out_of_balance'].sort())
  await other.says('0521', close, first)
  await host.agrees(card)
})

test('a stock client’s day comes right', async () => {
  const { atm, other, card } = await host.morning('STOCK001')
  const withdrawal = (minor: number): Fields => ({
    2: card.pan,
    3: '010000',
    4: amount(minor),
    11: next(),
    41: 'STOCK001',
  })
  const reversal = (of: Fields): Fields => ({ ...of, 11: next(), 90: String(of[11]).padStart(42, '0') })
  const done = () => ({ ...atm.approved(card), 37: reference })
  let out = 0
  const ways: ((asked: Fields, minor: number) => Promise<void>)[] = [
    async (asked, minor) => {
      card.balance -= minor
      out += minor
      const first = await atm.says('0200', asked, done())
      assert.deepEqual(await other.says('0201', asked, done()), first)
      assert.deepEqual(await other.says('0200', asked, done()), first)
    },
    async (asked, minor) => {
      card.balance -= minor
      out += minor
      atm.line.write(framed(pack('0200', asked)))
      await other.says('0201', asked, done())
    },
    async (asked, minor) => {
      card.balance -= minor
      await atm.says('0200', asked, done())
      card.balance += minor
      const back = reversal(asked)
      await Promise.all([atm, other].map((one) => one.says('0400', back, yes)))
      await other.says('0400', reversal(asked), yes)
      await atm.says('0201', asked, { 37: reference, 39: '94' })
    },
    async (asked) => {
      await other.says('0400', reversal(asked), yes)
      await atm.says('0200', asked, { 37: reference, 39: '94' })
    },
    async (asked) => {
      const lost = atm.line.say(pack('0200', asked))
      await other.says('0400', reversal(asked), yes)
      assert.ok(await lost)
      await atm.says('0201', asked, { 37: reference, 39: '94' })
    },
    async (asked) => {
      const dear = { ...asked, 4: amount(900_000) }
      await atm.says('0200', dear, { 37: reference, 39: '51' })
      await other.says('0400', reversal(dear), yes)
      await atm.says('0200', asked, { 37: reference, 39: '94' })
    },
  ]
  for (let turn = 0; turn < 48; turn++) {
    const minor = [1000, 2000, 3000, 5000][turn % 4] ?? 0
    await ways[turn % ways.length]?.(withdrawal(minor), minor)
    await host.agrees(card)
  }
  const before = await host.office.ask('GET', '/terminals/STOCK001')
  assert.deepEqual([before.cash, before.transit], [800_000, { uncertain: 0, unconfirmed: out }])
  const { 97: net } = await atm.hear('0520', { 11: next(), 41: 'STOCK001' }).then(({ fields }) => fields)
  assert.equal(net, `D${amount(out, 16)}`)
  const { cash, transit } = await host.office.ask('GET', '/terminals/STOCK001')
  assert.deepEqual([cash, transit], [800_000 - out, { uncertain: 0, unconfirmed: 0 }])
  assert.deepEqual(await host.office.exceptions('STOCK001'), [])
  await host.agrees(card)
  await host.stop()
  await assertProves(host.path)
})

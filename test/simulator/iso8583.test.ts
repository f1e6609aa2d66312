// One simulated machine that speaks ISO 8583 with the real host: what it says, when notes move, and what both know then.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { AskedWrongError } from '../../src/simulator/faults.ts'
import { Stans } from '../../src/simulator/iso8583/stans.ts'
import { pause } from '../../src/simulator/line.ts'
import type { Machine } from '../../src/simulator/machine.ts'
import { done } from '../iso8583/support.ts'
import { card, IsoBench } from './iso-support.ts'
import { Bench, card as cardOfRest } from './support.ts'

/** Withdraws and tells; gives the machine's name of it. */
async function paid(machine: Machine, amount: number): Promise<string> {
  const said = await machine.withdraw(card, amount)
  await machine.settle(5_000)
  assert.equal(said.outcome, 'told')
  return said.id
}

test('a withdrawal is a 0200, and then a 0220 with the notes that left; the PIN goes as a block', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  assert.deepEqual(await machine.balance(card), { ledger: 100_000, available: 100_000, currency: 'USD' })
  const id = await paid(machine, 6_000)
  assert.equal(bench.said, '0200 0200 0220')
  const [, asked, told] = bench.heard
  assert.equal(asked?.fields[52], '[16 characters]')
  const [stan, time] = [asked?.fields[11] ?? '', `${asked?.fields[13]}${asked?.fields[12]}`]
  assert.equal(id, `${stan}-${time}`)
  assert.deepEqual(
    [4, 11, 12, 13, 48, 90].map((field) => told?.fields[field]),
    [
      '000000006000',
      stan,
      time.slice(4),
      time.slice(0, 4),
      'C1=1,C3=1',
      `0200${stan}${time}${'0'.repeat(22)}`,
    ],
  )
  const { state, dispensed, units, mix_assumed } = await bench.read(id)
  assert.deepEqual([state, dispensed, units, mix_assumed], ['completed', 6_000, { C1: 1, C3: 1 }, false])
  assert.equal(bench.left(id), 6_000)
})

test('a no is a decline by its code, and owes nothing', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  const said = await machine.withdraw(card, 1_000_000)
  assert.deepEqual(said, { outcome: 'declined', id: said.id, code: '51' })
  const { length: spoken } = bench.heard
  const beyond = await machine.withdraw(card, 1_000_000_000_000)
  assert.deepEqual(beyond, { outcome: 'declined', id: beyond.id, code: '13' })
  assert.equal(bench.heard.length, spoken, 'no message has room for it')
  assert.equal(machine.owed, 0)
  assert.equal(bench.left(said.id), 0)
})

test('an answer that was lost is asked for again as a 0201, under the same number and clock', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  bench.happen = ['answer-lost']
  const id = await paid(machine, 6_000)
  const [first, second] = bench.heard
  assert.deepEqual([first?.type, second?.type], ['0200', '0201'])
  for (const field of [2, 3, 4, 11, 12, 13, 41, 49])
    assert.equal(first?.fields[field], second?.fields[field], `${field}`)
  assert.equal(bench.left(id), 6_000)
  assert.equal((await bench.read(id))['dispensed'], 6_000)
})

test('a yes that comes when it has given up moves no note: the host has it back by 0420', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  bench.happen = ['late-answer', 'late-answer', 'late-answer']
  const said = await machine.withdraw(card, 6_000)
  assert.equal(said.outcome, 'given_up')
  await machine.settle(5_000)
  await pause(2_500)
  assert.equal(bench.left(said.id), 0)
  assert.ok(bench.said.includes('0420'))
  const { state } = await bench.read(said.id)
  assert.equal(state, 'reversed')
  assert.equal(done(await bench.iso.v1.get('/accounts/A'), 200)['ledger'], 100_000)
})

test('the host asks to be asked again with 91, and is, with what was owed too', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  const { bank } = bench.iso.v1.cashpoint
  const honest = bank.submit.bind(bank)
  let busy = 1
  bank.submit = async (submission) => {
    const { type } = submission.command
    if ((type === 'authorize' || type === 'advise') && busy > 0) {
      busy -= 1
      return { reply: { type: 'refused', refusal: 'account_busy' }, replayed: false }
    }
    if (type === 'authorize') busy = 1
    return honest(submission)
  }
  const id = await paid(machine, 6_000)
  assert.equal(bench.said, '0200 0201 0220 0221')
  assert.equal((await bench.read(id))['state'], 'completed')
})

test('what it does not know it says that it does not know, in either of two messages', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  const ways = new Set<string>()
  for (const mishap of ['jam', 'jam', 'retract', 'retract'] as const) {
    bench.happen = [mishap]
    const id = await paid(machine, 6_000)
    const { type, fields } = bench.heard.at(-1) ?? assert.fail('it has told')
    ways.add(`${type} ${fields[48]?.replace(/^[^;]+/, 'notes')}`)
    assert.equal((await bench.read(id))['state'], 'suspect')
  }
  assert.deepEqual([...ways].sort(), [
    '0220 ;O:unknown',
    '0220 notes;O:retracted',
    '0420 ;O:unknown',
    '0420 notes;O:retracted',
  ])
  assert.equal((await bench.iso.exceptions()).length, 4)
})

test('some of the notes is a 0220 with less or a 0420 with 95, none of them a 0420 without', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  const ways = new Set<string>()
  for (let i = 0; i < 40 && ways.size < 3; i += 1) {
    bench.happen = ['partial']
    const id = await paid(machine, 9_000)
    const { type, fields } = bench.heard.at(-1) ?? assert.fail('it has told')
    const left = bench.left(id)
    const way = left === 0 ? `${type} none` : `${type} ${fields[95] === undefined ? 'less' : '95'}`
    ways.add(way)
    assert.equal((await bench.read(id))['dispensed'], left, way)
  }
  assert.deepEqual([...ways].sort(), ['0220 less', '0420 95', '0420 none'])
  assert.deepEqual(await bench.iso.exceptions(), [])
})

test('a silent machine says nothing of what left as it was asked for, which is assumed at the close', async (t) => {
  const bench = await IsoBench.on(t)
  bench.isSilent = true
  const machine = await bench.over('dies-after', (each) => each.withdraw(card, 6_000))
  const [asked] = [...machine.unsaid]
  const id = await paid(machine, 4_000)
  assert.deepEqual([...machine.unsaid], [asked, id])
  assert.equal(bench.said, '0200 0200')
  bench.happen = ['partial']
  const partial = await paid(machine, 20_000)
  assert.equal((await bench.read(partial))['dispensed'], bench.left(partial), 'of that it spoke')
  assert.equal((await bench.read(id))['state'], 'authorized')
  assert.deepEqual((await bench.iso.terminal())['transit'], { uncertain: 0, unconfirmed: 10_000 })
  assert.deepEqual(await machine.close(1), { yes: undefined })
  for (const each of [asked ?? '', id]) {
    const { state, mix_assumed } = await bench.read(each)
    assert.deepEqual([state, mix_assumed], ['completed', true])
  }
  assert.equal((await bench.iso.terminal())['batch'], 2)
})

test('power lost before, while and after notes moved: on again, it takes back or tells what its dispenser knows', async (t) => {
  const bench = await IsoBench.on(t)
  for (const cut of ['dies-before', 'dies-while', 'dies-while', 'dies-while', 'dies-after'] as const) {
    const machine = await bench.over(cut, (each) => each.withdraw(card, 6_000))
    assert.equal(machine.owed, 0)
    const { fields } = bench.heard.at(-1) ?? assert.fail('it has told')
    const id = `${fields[11]}-${fields[13]}${fields[12]}`
    const { state, dispensed } = await bench.read(id)
    const isUnknown = fields[48]?.includes('O:unknown') === true
    assert.deepEqual([state === 'suspect', dispensed], [isUnknown, isUnknown ? null : bench.left(id)], cut)
    await machine.switchOff()
  }
  const spoken = bench.heard.filter(({ type }) => type === '0200').map(({ stan }) => stan)
  assert.equal(new Set(spoken).size, spoken.length, 'no number twice')
})

test('a line that is cut loses the answer; the next message makes another, and an advice waits for it', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  await machine.signOn()
  bench.iso.listener.cut()
  const id = await paid(machine, 6_000)
  assert.equal(bench.left(id), 6_000)
  assert.equal((await bench.read(id))['state'], 'completed')
})

test('deposits tell their notes; what was given back is reversed', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  const ledger = async () => done(await bench.iso.v1.get('/accounts/A'), 200)['ledger']
  const said = await machine.deposit(card, 'A', { 5000: 2, 2000: 1 })
  assert.deepEqual(said, { outcome: 'taken', id: said.id, amount: 12_000 })
  assert.equal(await ledger(), 112_000)
  assert.deepEqual(bench.device.count()['D1'], { 5000: 2, 2000: 1 })
  bench.happen = ['answer-lost', 'answer-lost', 'answer-lost']
  assert.equal((await machine.deposit(card, 'A', { 5000: 1 })).outcome, 'given_up')
  await machine.settle(5_000)
  assert.equal(await ledger(), 112_000)
  assert.deepEqual(bench.device.count()['D1'], { 5000: 2, 2000: 1 })
  const { fields, type } = bench.heard.at(-1) ?? assert.fail('it has told')
  assert.deepEqual([type, fields[3], fields[4]], ['0420', '210000', '000000005000'])
  assert.deepEqual(await bench.iso.exceptions(), [])
})

test('a close is an advice: it outlives a loss of power and an outage, and closes once', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  await machine.withdraw(card, 6_000)
  await machine.settle(5_000)
  bench.happen = Array.from({ length: 200 }, () => 'answer-lost')
  assert.equal(await machine.close(1), undefined)
  assert.equal(machine.owed, 1)
  const { length: spoken } = bench.heard
  const meanwhile = await machine.withdraw(card, 6_000)
  assert.deepEqual(meanwhile, { outcome: 'declined', id: meanwhile.id, code: 'closing' })
  assert.ok(
    bench.heard.slice(spoken).every(({ type }) => type === '0521'),
    'no business before the close is answered',
  )
  await machine.switchOff()
  bench.happen = []
  const again = await bench.boot()
  await again.settle(5_000)
  assert.equal(again.owed, 0)
  const closes = bench.heard.filter(({ type }) => type.startsWith('052'))
  const [first, ...repeats] = closes.map(({ type }) => type)
  assert.equal(first, '0520')
  assert.ok(repeats.length > 0 && repeats.every((type) => type === '0521'), 'also after the loss of power')
  assert.equal(new Set(closes.map(({ stan }) => stan)).size, 1)
  assert.equal((await bench.iso.terminal())['batch'], 2, 'one batch was closed')
})

test('numbers go from 1 to 999,999 and again, none of them twice over a loss of power', (t) => {
  const bench = new Bench(t)
  const path = `${bench.directory}/stan`
  const first = new Stans(path)
  const seen = Array.from({ length: 45 }, () => first.next())
  assert.equal(seen[0], '000001')
  const second = new Stans(path)
  const more = Array.from({ length: 45 }, () => second.next())
  assert.equal(new Set([...seen, ...more]).size, 90)
  writeFileSync(path, '999990')
  const last = new Stans(path)
  const wrapped = Array.from({ length: 20 }, () => last.next())
  assert.deepEqual(wrapped.slice(7, 11), ['999998', '999999', '000001', '000002'])
})

test('neither card number nor PIN is in what it writes, and what one interface began the other does not go on with', async (t) => {
  const bench = await IsoBench.on(t)
  const machine = await bench.boot()
  bench.happen = Array.from({ length: 200 }, () => 'answer-lost')
  await machine.deposit(card, 'A', { 5000: 1 })
  assert.equal(machine.owed, 1)
  await machine.switchOff()
  for (const name of readdirSync(bench.directory)) {
    const written = readFileSync(`${bench.directory}/${name}`, 'utf8')
    assert.ok(!written.includes(card.pan) && !/pin/i.test(written), name)
  }
  const rest = new Bench(t, () => 'lost')
  const other = await rest.boot()
  await other.withdraw(cardOfRest, 6_000)
  await other.switchOff()
  const directories = [rest.directory, bench.directory]
  for (const [i, each] of [bench, rest].entries()) {
    Object.assign(each, { directory: directories[i] })
    await assert.rejects(each.boot(), AskedWrongError)
  }
})

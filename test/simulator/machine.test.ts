// One simulated machine against a host that says what the test wants: what it may do with notes, and what it must tell.

import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { pause } from '../../src/simulator/line.ts'
import { worthOf } from '../../src/simulator/notes.ts'
import { answer, Bench, card, yes } from './support.ts'

test('a withdrawal is asked for, started, paid and confirmed, in this order', async (t) => {
  const bench = new Bench(t)
  const machine = await bench.boot()
  const said = await machine.withdraw(card, 6_000)
  await machine.settle(1_000)
  assert.equal(said.outcome, 'told')
  assert.equal(bench.left('w-1'), 6_000)
  assert.deepEqual(bench.heard, ['authorize w-1', 'start w-1', 'confirm w-1 C1=1 C3=1'])
  assert.equal(machine.owed, 0)
})

test('a decline costs nothing and owes nothing', async (t) => {
  const bench = new Bench(t, () => answer(422, { code: 'insufficient_funds' }))
  const machine = await bench.boot()
  assert.deepEqual(await machine.withdraw(card, 6_000), {
    outcome: 'declined',
    id: 'w-1',
    code: 'insufficient_funds',
  })
  assert.equal(machine.owed, 0)
  assert.equal(bench.left('w-1'), 0)
})

test('no yes to the start, no notes: what was authorized is taken back', async (t) => {
  const bench = new Bench(t, (verb, body, time) =>
    verb === 'start' ? answer(409, { code: 'withdrawal_state' }) : yes(verb, body, time),
  )
  const machine = await bench.boot()
  const said = await machine.withdraw(card, 6_000)
  await machine.settle(1_000)
  assert.deepEqual(said, { outcome: 'given_up', id: 'w-1', reason: 'cancelled' })
  assert.equal(bench.left('w-1'), 0)
  assert.deepEqual(bench.heard, ['authorize w-1', 'start w-1', 'reverse w-1'])
})

for (const late of ['authorize', 'start'])
  test(`a yes to ${late} that comes when it has given up moves no note`, async (t) => {
    const bench = new Bench(t, async (verb, body, time) => {
      if (verb === late) await pause(150)
      return yes(verb, body, time)
    })
    const machine = await bench.boot()
    const said = await machine.withdraw(card, 6_000)
    assert.equal(said.outcome, 'given_up')
    await pause(200)
    await machine.settle(1_000)
    assert.equal(bench.left('w-1'), 0)
    assert.equal(bench.heard.at(-1), 'reverse w-1')
  })

test('an answer that was lost is asked for again, under the same id', async (t) => {
  const bench = new Bench(t, (verb, body, time) => (time === 1 ? 'lost' : yes(verb, body, time)))
  const machine = await bench.boot()
  const said = await machine.withdraw(card, 6_000)
  await machine.settle(1_000)
  assert.equal(said.outcome, 'told')
  assert.equal(bench.left('w-1'), 6_000)
  assert.deepEqual(
    bench.heard,
    ['authorize w-1', 'start w-1', 'confirm w-1 C1=1 C3=1'].flatMap((line) => [line, line]),
  )
})

test('power lost before notes were moved: on again, it takes the withdrawal back', async (t) => {
  const bench = new Bench(t)
  await bench.over('dies-before', (machine) => machine.withdraw(card, 6_000))
  assert.equal(bench.left('w-1'), 0)
  assert.equal(bench.heard.at(-1), 'reverse w-1')
})

test('power lost when notes had left: on again, it says so and moves none', async (t) => {
  const bench = new Bench(t)
  const machine = await bench.over('dies-after', (each) => each.withdraw(card, 6_000))
  assert.equal(bench.left('w-1'), 6_000)
  assert.deepEqual(bench.heard, ['authorize w-1', 'start w-1', 'confirm w-1 C1=1 C3=1'])
  assert.equal(machine.owed, 0)
})

test('power lost while notes moved: on again, it tells what its dispenser knows, also that it knows nothing', async (t) => {
  const told = new Set<string>()
  for (let round = 0; round < 40; round += 1) {
    const bench = new Bench(t)
    // Each round another chance of how it ends.
    for (let i = 0; i < round; i += 1)
      bench.device.dispense({ id: `before-${i}`, units: {}, account: '' }, { end: 'jam' })
    await bench.over('dies-while', (machine) => machine.withdraw(card, 6_000))
    const last = bench.heard.at(-1) ?? ''
    told.add(last)
    const left = bench.left('w-1')
    if (last === 'confirm w-1 C1=1 C3=1') assert.equal(left, 6_000)
    else if (last === 'confirm w-1') assert.equal(left, 0)
    else assert.equal(last, 'confirm w-1 unknown')
    assert.equal(bench.device.worth + left, 60_000, 'notes are in the machine or with the customer')
  }
  assert.deepEqual([...told].sort(), ['confirm w-1', 'confirm w-1 C1=1 C3=1', 'confirm w-1 unknown'])
})

test('what it owes it sends until it is answered, and over a loss of power', async (t) => {
  const bench = new Bench(t, (verb, body, time) => (verb === 'confirm' ? 'lost' : yes(verb, body, time)))
  const machine = await bench.boot()
  await machine.withdraw(card, 6_000)
  await machine.settle(100)
  assert.equal(machine.owed, 1)
  await machine.switchOff()
  bench.say = yes
  const again = await bench.boot()
  await again.settle(1_000)
  assert.equal(again.owed, 0)
  const confirms = bench.heard.filter((line) => line.startsWith('confirm'))
  assert.ok(confirms.length >= 2)
  assert.deepEqual(new Set(confirms), new Set(['confirm w-1 C1=1 C3=1']))
  await again.switchOff()
  const third = await bench.boot()
  assert.equal(third.owed, 0, 'what was answered is owed no more')
})

test('an advice that a host refuses is remembered as a finding, and holds nothing up', async (t) => {
  const bench = new Bench(t, (verb, body, time) =>
    verb === 'confirm' ? answer(409, { code: 'withdrawal_state' }) : yes(verb, body, time),
  )
  const machine = await bench.boot()
  await machine.withdraw(card, 6_000)
  await machine.settle(1_000)
  assert.equal(machine.owed, 0)
  assert.deepEqual(machine.refusals, [
    { id: 'w-1', path: '/withdrawals/w-1/confirm', answer: '409 withdrawal_state' },
  ])
})

test('some of the notes, none, and notes that nobody took are each told as what they are', async (t) => {
  const bench = new Bench(t)
  const machine = await bench.boot()
  bench.happen = ['retract']
  await machine.withdraw(card, 6_000)
  bench.happen = ['jam']
  await machine.withdraw(card, 6_000)
  bench.happen = ['partial']
  const said = await machine.withdraw(card, 6_000)
  await machine.settle(1_000)
  const confirms = bench.heard.filter((line) => line.startsWith('confirm'))
  assert.deepEqual(confirms.slice(0, 2), ['confirm w-1 C1=1 C3=1 retracted', 'confirm w-2 unknown'])
  assert.equal(bench.left('w-1'), 0)
  assert.equal(worthOf(bench.device.state.units.find(({ id }) => id === 'T1')?.notes ?? {}), 6_000)
  assert.ok(said.outcome === 'told' && said.told.outcome === 'dispensed')
  assert.equal(bench.left('w-3'), said.told.units['C1'] === 1 ? 5_000 : 0)
})

test('what was mis-picked is known to the metal alone', async (t) => {
  const bench = new Bench(t)
  const machine = await bench.boot()
  bench.happen = ['mispick']
  const said = await machine.withdraw(card, 6_000)
  assert.ok(said.outcome === 'told')
  assert.deepEqual(said.told.units, { C1: 1, C3: 1 })
  const { left = 0, mispicked = 0 } = bench.device.state.left['w-1'] ?? {}
  assert.notEqual(mispicked, 0)
  assert.equal(left - mispicked, 6_000)
  assert.equal(bench.device.worth + left, 60_000)
})

test('notes that are paid in are the bank’s once the host has said so', async (t) => {
  const bench = new Bench(t)
  const machine = await bench.boot()
  const notes = { 5000: 2, 1000: 2 }
  assert.equal((await machine.deposit(card, '1', notes)).outcome, 'taken')
  assert.deepEqual(bench.device.count()['D1'], notes)
  bench.say = (verb, body, time) => (verb === 'deposits' ? 'lost' : yes(verb, body, time))
  assert.equal((await machine.deposit(card, '1', notes)).outcome, 'given_up')
  await machine.settle(1_000)
  assert.equal(bench.heard.at(-1), 'reverse d-2')
  assert.deepEqual(bench.device.count()['D1'], notes, 'the second ones went back to the customer')
  assert.equal(bench.device.inserted, undefined)
})

test('power lost over a deposit: the notes go back unless the host had said yes', async (t) => {
  const before = new Bench(t)
  await before.over('dies-before', (machine) => machine.deposit(card, '1', { 5000: 1 }))
  assert.deepEqual(before.device.count()['D1'], {})
  assert.equal(before.heard.at(-1), 'reverse d-1')
  const after = new Bench(t)
  await after.over('dies-after', (machine) => machine.deposit(card, '1', { 5000: 1 }))
  assert.deepEqual(after.device.count()['D1'], { 5000: 1 })
  assert.deepEqual(after.heard, ['deposits d-1'])
})

test('a last line of the journal that was torn is as if it had never been', async (t) => {
  const bench = new Bench(t)
  const machine = await bench.boot()
  await machine.withdraw(card, 6_000)
  await machine.settle(1_000)
  await machine.switchOff()
  appendFileSync(`${bench.directory}/journal`, '{"did":"asked","id":"w-9","amo')
  const again = await bench.boot()
  await again.withdraw(card, 6_000)
  await again.settle(1_000)
  await again.switchOff()
  const lines = readFileSync(`${bench.directory}/journal`, 'utf8').trim().split('\n')
  assert.equal(
    lines.map((line) => JSON.parse(line).did).join(' '),
    'asked dispensing dispensed advised asked dispensing dispensed advised',
  )
  assert.ok(!bench.heard.some((line) => line.includes('w-9')))
})

test('neither card number nor PIN is in what a machine writes', async (t) => {
  const bench = new Bench(t)
  const machine = await bench.boot()
  await machine.withdraw(card, 6_000)
  await machine.deposit(card, '1', { 5000: 1 })
  await machine.balance(card)
  await machine.switchOff()
  for (const name of ['journal', 'advices']) {
    const written = readFileSync(`${bench.directory}/${name}`, 'utf8')
    assert.ok(!written.includes(card.pan) && !/"pin/.test(written))
  }
})

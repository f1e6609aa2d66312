/** Withdrawals whose time is up while nobody asks: looked at every second, by turns that do not overlap. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Bank } from '../../src/bank/bank.ts'
import type { Pending } from '../../src/bank/store.ts'
import { type Entity, nameOf } from '../../src/ledger/entity.ts'
import type { Instant } from '../../src/ledger/money.ts'
import type { Refusal } from '../../src/ledger/refusal.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { makeCard, makeTerminal, run, step } from '../stores/terminals.ts'
import { heldClock } from '../support/clock.ts'

/** A clock whose seconds pass when they are told to. */
function clockByHand() {
  const clock = heldClock()
  let waiting: { at: Instant; callback: () => void }[] = []
  return {
    ...clock,
    after(ms: number, callback: () => void) {
      waiting.push({ at: clock.now() + ms, callback })
    },
    /** Goes on, and lets what comes of it come. */
    async pass(ms: number) {
      clock.move(ms)
      const due = waiting.filter(({ at }) => at <= clock.now())
      waiting = waiting.filter(({ at }) => at > clock.now())
      for (const { callback } of due) callback()
      for (let i = 0; i < 50; i += 1) await turn()
    },
  }
}

class CountingStore extends MemoryStore {
  asked = 0
  override shut: Refusal | undefined = undefined
  isAway = false
  fails = false
  lengths: number[] = []
  gate: Promise<void> | undefined

  override async due(now: Instant, limit: number): Promise<readonly Entity[]> {
    this.asked += 1
    await this.gate
    if (this.fails) throw new Error('the store does not answer')
    return super.due(now, limit)
  }

  override commit(batch: readonly Pending[]) {
    this.lengths.push(batch.length)
    return super.commit(batch)
  }
}

async function opened() {
  const clock = clockByHand()
  const store = new CountingStore({ clock })
  const bank = new Bank(store, clock)
  await makeTerminal(store, 'T')
  await makeCard(store, 'K', 'a')
  const stateOf = async (id: string) => {
    const found = await bank.entity(nameOf.withdrawal('T', id))
    return found?.kind === 'withdrawal' ? found.state : undefined
  }
  return { clock, store, bank, stateOf }
}

test('what was not started in time is given back, and what was not confirmed is a suspect, though nobody asks', async () => {
  const { clock, store, bank, stateOf } = await opened()
  await run(store, ['authorize T w1 K 60 pin=1234', 'authorize T w2 K 60 pin=1234', 'start T w2'])
  bank.watchDue()
  await clock.pass(59_000)
  assert.deepEqual([await stateOf('w1'), await stateOf('w2')], ['authorized', 'dispensing'])
  await clock.pass(1_000)
  assert.deepEqual([await stateOf('w1'), await stateOf('w2')], ['reversed', 'dispensing'])
  await clock.pass(239_000)
  assert.equal(await stateOf('w2'), 'dispensing')
  await clock.pass(1_000)
  assert.equal(await stateOf('w2'), 'suspect')
  assert.equal((await bank.account('a'))?.ledger, 10_000 - 60)
  const before = store.lengths.length
  await clock.pass(1_000)
  assert.equal(store.lengths.length, before, 'nothing is due any more, and nothing is asked of the ledger')
})

test('of many, a few hundred a turn', async () => {
  const { clock, store, bank } = await opened()
  const ids = Array.from({ length: 700 }, (_, i) => `w${i}`)
  await store.commit(ids.map((id) => step(`authorize T ${id} K 10 pin=1234`)))
  clock.move(60_000)
  bank.watchDue()
  const waiting = async () =>
    (await bank.entities({ prefix: 'withdrawal/', waiting: true, limit: 1_000 })).things.length
  const left: number[] = []
  for (let second = 0; second < 4; second += 1) {
    await clock.pass(1_000)
    left.push(await waiting())
  }
  assert.deepEqual(left, [400, 100, 0, 0])
})

test('no turn begins before the one before has ended', async () => {
  const { clock, store, bank } = await opened()
  const { promise, resolve } = Promise.withResolvers<void>()
  store.gate = promise
  bank.watchDue()
  for (let second = 0; second < 5; second += 1) await clock.pass(1_000)
  assert.equal(store.asked, 1)
  resolve()
  await clock.pass(0)
  await clock.pass(1_000)
  assert.equal(store.asked, 2)
})

test('a store that is shut or away is not asked, and one that fails is asked again', async () => {
  const { clock, store, bank, stateOf } = await opened()
  await run(store, ['authorize T w1 K 60 pin=1234'])
  clock.move(60_000)
  bank.watchDue()
  store.shut = 'storage_low'
  await clock.pass(1_000)
  store.shut = undefined
  store.isAway = true
  await clock.pass(1_000)
  assert.equal(store.asked, 0)
  store.isAway = false
  store.fails = true
  await clock.pass(1_000)
  assert.deepEqual([store.asked, await stateOf('w1')], [1, 'authorized'])
  store.fails = false
  await clock.pass(1_000)
  assert.deepEqual([store.asked, await stateOf('w1')], [2, 'reversed'])
})

test('once the bank is drained no turn begins', async () => {
  const { clock, store, bank, stateOf } = await opened()
  await run(store, ['authorize T w1 K 60 pin=1234'])
  bank.watchDue()
  await bank.drain()
  for (let second = 0; second < 3; second += 1) await clock.pass(60_000)
  assert.deepEqual([store.asked, await stateOf('w1')], [0, 'authorized'])
})

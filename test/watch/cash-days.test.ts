/** The days of a zone, and what was in machines at their ends: beside what was seen of the accounts after every step. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginningOf, businessDays } from '../../src/bank/business-day.ts'
import type { EntryPage } from '../../src/bank/store.ts'
import { Watch } from '../../src/watch/watch.ts'
import { prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'
import { goOn, openWorld, type Seen, terminals } from './program.ts'

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Africa/Cairo',
]

test(`a day begins where the one before ends, in every zone (SEED=${seed})`, () => {
  const chance = prng(seed)
  for (const zone of zones) {
    const dayOf = businessDays(zone)
    for (let i = 0; i < 400; i += 1) {
      const instant = Date.UTC(2030, 0, 1) + chance(365 * 24 * 3_600_000)
      const began = beginningOf(dayOf, instant)
      assert.equal(dayOf(began), dayOf(instant))
      assert.notEqual(dayOf(began - 1), dayOf(instant), `${zone} ${instant}`)
      assert.ok(began <= instant)
    }
  }
})

// Clocks are set back a few days later. Machines are made here, with 1,000 notes of 50 and of 10 each.
const begin = Date.UTC(2030, 9, 18, 21, 40)
const made = -60_000

for (let round = 0; round < times(2, 20); round += 1)
  test(`the days end as they were seen to (SEED=${seed + round})`, async () => {
    const chance = prng(seed + round)
    const world = await openWorld(begin)
    const timeZone = 'Europe/Berlin'
    const watch = new Watch(world.bank, world.clock, { timeZone, silentMs: 1 })
    const reads = countReads(world.bank)
    const seen: Seen[] = []
    let days = 0
    for await (const each of goOn(world, chance, 2_400)) {
      seen.push(...each)
      if (chance(80) > 0) continue
      const told = await watch.cashDays()
      const expected = expectedDays(seen, timeZone, world.clock.now())
      assert.deepEqual(
        told.map(({ day, cash }) => [day, Object.fromEntries(cash)]),
        expected,
      )
      days = Math.max(days, told.filter(({ cash }) => cash.size > 0).length)
      reads.count = 0
      await watch.cashDays()
      // But for the first minute of a day: of other nodes something may still come.
      if (world.clock.now() % 3_600_000 > 60_000)
        assert.equal(reads.count, 0, 'days that are over are read once')
    }
    assert.equal(days, 14)
  })

test('who asks at the same time is told of the same reading', async () => {
  const world = await openWorld(Date.UTC(2030, 0, 1))
  for await (const _ of goOn(world, prng(1), 1_000));
  const one = countReads(world.bank)
  const alone = await newWatch(world).cashDays()
  const needed = one.count
  one.count = 0
  const watch = newWatch(world)
  const told = await Promise.all([watch.cashDays(), watch.cashDays(), watch.cashDays()])
  for (const each of told) assert.deepEqual(each, alone)
  assert.ok(needed > 5)
  assert.equal(one.count, needed)
})

function newWatch({ bank, clock }: Awaited<ReturnType<typeof openWorld>>): Watch {
  return new Watch(bank, clock, { timeZone: 'UTC', silentMs: 1 })
}

/** Counts how often entries are read from here on. */
function countReads(bank: Awaited<ReturnType<typeof openWorld>>['bank']): { count: number } {
  const reads = { count: 0 }
  const entries = bank.entries.bind(bank)
  bank.entries = (page: EntryPage) => {
    reads.count += 1
    return entries(page)
  }
  return reads
}

/** Each day's last word of each machine, by the wall clock as `Intl` reads it. */
function expectedDays(seen: readonly Seen[], timeZone: string, now: number): unknown[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' })
  const today = format.format(now)
  return Array.from({ length: 14 }, (_, i) => {
    const day = new Date(Date.parse(today) - (13 - i) * 24 * 3_600_000).toISOString().slice(0, 10)
    const then = terminals.map(
      (id) =>
        seen.findLast(({ terminal, at }) => terminal === id && format.format(at) <= day)?.ledger ?? made,
    )
    const cash = -then.reduce((sum, ledger) => sum + ledger, 0)
    return [day, day < format.format(begin) ? {} : { USD: cash }]
  })
}

/**
 * What the last seven days say of machines, read from the books piece by piece, beside the same worked out anew from
 * what was seen of the machines after every step. `SEED=n` replays a run.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Instant } from '../../src/ledger/money.ts'
import { Follower } from '../../src/watch/follower.ts'
import { Usage, type Used } from '../../src/watch/usage.ts'
import { prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'
import { goOn, openWorld, type Seen, terminals, type World } from './program.ts'

const hourMs = 3_600_000
const weekMs = 168 * hourMs
const begin = Date.UTC(2030, 0, 1, 0, 17)

for (let round = 0; round < times(3, 30); round += 1)
  test(`a follower knows what was seen (SEED=${seed + round})`, async () => {
    const chance = prng(seed + round)
    const world = await openWorld(begin)
    const follower = new Follower(world.bank, world.clock)
    const seen: Seen[] = []
    let compared = { rates: 0, pauses: 0 }
    for await (const each of goOn(world, chance, 2_000)) {
      seen.push(...each)
      if (chance(40) > 0) continue
      compared = sumOf(compared, await compare(world, follower, seen, 0))
      // One that begins now has read no further back than a week.
      const late = new Follower(world.bank, world.clock)
      await compare(world, late, seen, world.clock.now() - weekMs)
    }
    assert.ok(world.clock.now() - begin > 1.5 * weekMs, 'some of it is longer ago than a week')
    assert.ok(compared.rates > 10 && compared.pauses > 3, JSON.stringify(compared))
  })

test('nothing is usual before the third day, and before the twentieth payment', () => {
  const noon = Date.UTC(2030, 0, 10, 12)
  /** What is usual just before noon, after so many days with so many payments about then, ten minutes apart but the first. */
  const usual = (days: number, payments: number) => {
    const usage = new Usage()
    for (let day = days; day > 0; day -= 1)
      for (let i = 0; i < payments; i += 1) {
        const at = noon - day * 24 * hourMs - hourMs + i * 10 * 60_000 - (i === 0 ? day * 60_000 : 0)
        usage.absorb({ at, content: paidOut })
      }
    return usage.of({ id: 'T', at: begin }, noon - 1).usualPauseMs
  }
  assert.equal(usual(3, 7), (10 + 2) * 60_000, 'the longest of the three days, 13 minutes, is left out')
  assert.equal(usual(2, 10), undefined)
  assert.equal(usual(3, 6), undefined)
  assert.equal(usual(5, 7), (10 + 4) * 60_000)
})

/** One note. */
const paidOut = {
  kind: 'withdrawal_settled',
  terminal: 'T',
  withdrawal: 'w',
  state: 'completed',
  by: 'confirm',
  dispensed: 50,
  debited: 50,
  out: { C1: 1 },
  transfers: [],
} as const

async function compare({ clock, terminal }: World, follower: Follower, seen: readonly Seen[], from: Instant) {
  await follower.catchUp()
  assert.equal(follower.isKnown, true)
  let [rates, pauses] = [0, 0]
  for (const id of terminals) {
    const used = follower.usage.of(await terminal(id), clock.now())
    const of = seen.filter((each) => each.terminal === id && each.at >= from)
    const expected = usedOf(of, await terminal(id), clock.now(), from)
    assert.deepEqual(rounded(used), rounded(expected))
    rates += Object.keys(used.notesPerHour).length
    pauses += used.usualPauseMs === undefined ? 0 : 1
  }
  return { rates, pauses }
}

function sumOf<Sums extends Record<string, number>>(a: Sums, b: Sums): Sums {
  return Object.fromEntries(Object.entries(a).map(([name, value]) => [name, value + (b[name] ?? 0)])) as Sums
}

/** Worked out from everything at once. */
function usedOf(seen: readonly Seen[], { at: madeAt }: { at: Instant }, now: Instant, from: Instant): Used {
  const hourOf = (at: Instant) => Math.floor(at / hourMs)
  const oldest = hourOf(now) - 168
  const isRecent = ({ at }: { at: Instant }) => hourOf(at) >= oldest
  const changes = seen.filter(({ changed }) => changed)
  const payments = seen.filter(({ paid }) => paid).map(({ at }) => at)
  const pauses = payments.slice(1).map((until, i) => ({ from: payments[i] ?? 0, until }))
  const longest = [1, 2, 3, 4, 5, 6, 7].flatMap((day) => {
    const hour = hourOf(now) - 24 * day
    const touching = pauses.filter(({ from, until }) => hourOf(from) <= hour && hour <= hourOf(until))
    return touching.length === 0 ? [] : [Math.max(...touching.map(({ from, until }) => until - from))]
  })
  const isUsual = payments.filter((at) => isRecent({ at })).length >= 20 && longest.length >= 3
  const [, usual] = longest.sort((a, b) => b - a)
  const over = Math.max(hourMs, now - Math.max(oldest * hourMs, madeAt))
  const rates = ['C1', 'C3'].flatMap((unit) => {
    const notes = seen.filter(isRecent).reduce((sum, { out }) => sum + (out[unit] ?? 0), 0)
    return notes > 0 ? [[unit, (notes * hourMs) / over] as const] : []
  })
  // In service from the beginning on.
  const stateSince = changes.at(-1)?.at ?? (begin >= from ? begin : undefined)
  const lastCashOut = payments.at(-1)
  return {
    ...(stateSince !== undefined && { stateSince }),
    ...(lastCashOut !== undefined && { lastCashOut }),
    ...(isUsual && usual !== undefined && { usualPauseMs: usual }),
    notesPerHour: Object.fromEntries(rates),
  }
}

function rounded({ notesPerHour, ...used }: Used): object {
  const rates = Object.entries(notesPerHour).map(([unit, rate]) => [unit, rate.toFixed(9)])
  return { ...used, notesPerHour: Object.fromEntries(rates.sort()) }
}

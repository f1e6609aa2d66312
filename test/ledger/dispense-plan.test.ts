/**
 * Mixes of notes: examples that were thought of, then machines by chance, each against every mix that there is. What
 * is better is written here a second time, as a list of figures to compare, and shares no line with the search.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  evenNotesMore,
  judgeMix,
  type Mix,
  type MixRule,
  nearestAmounts,
  type Payer,
  planMix,
} from '../../src/ledger/dispense-plan.ts'
import { seed } from '../support/chance.ts'

const notesMax = 40

/**
 * Units `a`, `b`, … by what is free in them and their value: `10x50` is ten free notes of 50.00 in a unit that began with
 * twice as many; of `3x2/5/4`, three of five notes are free, and it began with four.
 */
function machine(text: string): Payer[] {
  return text.split(' ').map((unit, i) => {
    const [free = 0, value = 0, count = free, initial = 2 * free] = unit.split(/[x/]/).map(Number)
    return { id: String.fromCharCode(97 + i), value: value * 100, free, count, initial }
  })
}

function check(rule: MixRule, table: readonly (readonly [string, number, Mix | undefined])[]): void {
  for (const [text, amount, mix] of table)
    assert.deepEqual(
      planMix(machine(text), amount * 100, { rule, notesMax }),
      mix,
      `${amount} from ${text} by ${rule}`,
    )
}

test('an amount is paid with the fewest notes, also where largest first fails', () => {
  check('minimumBills', [
    ['10x50 10x20', 60, { b: 3 }],
    ['10x50 10x20', 110, { a: 1, b: 3 }],
    ['1x100 1x50 10x20', 200, { a: 1, c: 5 }],
    ['10x50 10x20', 100, { a: 2 }],
    ['10x50 10x20 10x10', 80, { a: 1, b: 1, c: 1 }],
    ['100x10 100x20 100x50 100x100', 40, { b: 2 }],
    ['10x4 10x3 10x1', 6, { b: 2 }],
    ['9x3 9x7 9x11', 17, { a: 2, c: 1 }],
  ])
})

test('what cannot be paid is not paid', () => {
  check('minimumBills', [
    ['10x50 10x20', 10, undefined],
    ['10x50 10x20', 30, undefined],
    ['10x50 10x20', 65, undefined],
    ['10x50 2x20', 60, undefined],
    ['1x50 1x20', 90, undefined],
    ['0x50 0x20', 50, undefined],
    ['100x10', 410, undefined],
    ['100x10', 400, { a: 40 }],
  ])
  assert.equal(planMix([], 1_000, { rule: 'minimumBills', notesMax }), undefined)
  assert.equal(planMix(machine('9x10'), 1_000.5, { rule: 'minimumBills', notesMax }), undefined)
})

test('of as few notes, larger values are preferred', () => {
  // 60 is 50 + 5 + 5 and 20 + 20 + 20, three notes each.
  check('minimumBills', [['9x5 9x20 9x50', 60, { a: 2, c: 1 }]])
})

test('of two cassettes of one value the fuller pays, until they are as full', () => {
  check('minimumBills', [
    ['10x20 30x20', 100, { b: 5 }],
    ['10x20 13x20', 100, { a: 1, b: 4 }],
    ['10x20 10x20', 60, { a: 2, b: 1 }],
    ['2x20 3x20', 100, { a: 2, b: 3 }],
    ['3x50 10x20 9x50 11x20', 190, { b: 1, c: 3, d: 1 }],
  ])
})

test('even emptying spends some more notes to leave the units alike', () => {
  check('equalEmptying', [
    ['100x50 100x20', 200, { a: 2, b: 5 }],
    ['100x50 100x20', 50, { a: 1 }],
    ['100x10 100x20 100x50 100x100', 180, { a: 1, b: 1, c: 1, d: 1 }],
    ['100x10 100x20 100x50 100x100', 540, { a: 3, b: 3, c: 3, d: 3 }],
    // As many of each would be 16 notes, and 8 are enough.
    ['100x10 100x20 100x50 100x100', 720, { a: 3, b: 2, c: 3, d: 5 }],
    ['100x50 0x20', 100, { a: 2 }],
    ['100x50', 25, undefined],
  ])
})

test('of mixes that leave the units as even, the better one is found wherever it is', () => {
  // Each of these was found because a mistake was made there on purpose, and no other test saw it.
  check('equalEmptying', [
    ['3x2/5/4 1x2/1/4 1x2/1/1', 6, { a: 3 }],
    ['1x1/1/1 3x1/5/4 1x2/2/4 1x2/1/2', 5, { a: 1, b: 2, c: 1 }],
    ['2x1/5/11 2x2/2/11 3x1/3/5', 5, { a: 1, b: 1, c: 2 }],
    ['2x1/5/100 2x2/2/100 3x1/3/49', 5, { a: 1, b: 1, c: 2 }],
  ])
})

test('how full a unit is counts by what it began with, and a unit that began with nothing by its notes', () => {
  const full = { id: 'a', value: 1_000, free: 50, count: 50, initial: 50 }
  const low = { id: 'b', value: 1_000, free: 100, count: 100, initial: 1_000 }
  const options = { rule: 'equalEmptying', notesMax } as const
  assert.deepEqual(planMix([full, low], 10_000, options), { a: 10 })
  assert.deepEqual(planMix([full, low], 10_000, { ...options, rule: 'minimumBills' }), { b: 10 })
  assert.deepEqual(planMix([full, { ...low, initial: 0 }], 10_000, options), { b: 10 })
})

test('a unit may have any id, and amounts may be as large as there are', () => {
  const ids = ['__proto__', 'constructor', '', 'Ä']
  const payers = ids.map((id) => ({ id, value: 500, free: 1, count: 1, initial: 1 }))
  const mix = planMix(payers, 2_000, { rule: 'minimumBills', notesMax })
  assert.deepEqual(
    Object.entries(mix ?? {}),
    ids.map((id) => [id, 1]),
  )
  assert.equal(judgeMix(payers, 2_000, mix ?? {}, { notesMax }), 'ok')

  const huge = { id: 'a', value: Number.MAX_SAFE_INTEGER, free: 1, count: 1, initial: 1 }
  assert.deepEqual(planMix([huge], huge.value, { rule: 'equalEmptying', notesMax }), { a: 1 })
  assert.deepEqual(nearestAmounts([huge], 1, { notesMax }), { below: null, above: huge.value })
})

test('the nearest amounts that can be paid are said', () => {
  const table: [string, number, number | null, number | null][] = [
    ['10x50 10x20', 30, 20, 40],
    ['10x50 10x20', 10, null, 20],
    ['10x50 10x20', 60, 50, 70],
    ['10x50 10x20', 65.5, 60, 70],
    ['2x50', 1_000, 100, null],
    ['100x10', 410, 400, null],
    ['2x10 9x1000', 500, 20, 1_000],
    ['0x50', 50, null, null],
    // What one amount left no notes for, another has notes for.
    ['2x13 2x16 2x6 2x16 2x19 2x13', 64, 63, 66],
  ]
  for (const [text, amount, below, above] of table)
    assert.deepEqual(
      nearestAmounts(machine(text), amount * 100, { notesMax }),
      { below: below && below * 100, above: above && above * 100 },
      `${amount} from ${text}`,
    )
  const limited = (amountMax: number) => nearestAmounts(machine('9x50'), 5_500, { notesMax, amountMax }).above
  assert.deepEqual([9_999, 10_000].map(limited), [null, 10_000])
  assert.deepEqual(nearestAmounts([], 5_000, { notesMax }), { below: null, above: null })
})

test('units whose values have next to nothing in common do not pay, and nobody waits for that', () => {
  const values = [99_991, 99_989, 99_971, 99_961, 99_929]
  const payers = values.map((value, i) => ({ id: `${i}`, value, free: 99, count: 99, initial: 99 }))
  assert.equal(planMix(payers, 99_991, { rule: 'equalEmptying', notesMax }), undefined)
  assert.deepEqual(nearestAmounts(payers, 99_990, { notesMax }), { below: null, above: null })
})

test('a mix of the terminal’s own is judged, the first thing wrong with it first', () => {
  const payers = machine('9x50 2x20')
  const judged = (mix: Mix) => judgeMix(payers, 9_000, mix, { notesMax: 3 })
  assert.equal(judged({ a: 1, b: 2 }), 'ok')
  assert.equal(judged({ a: 1, c: 1 }), 'unknown_unit')
  assert.equal(judged({ b: 99, toString: 1 }), 'unknown_unit')
  assert.equal(judged({ a: 0, b: 3 }), 'not_enough')
  for (const notes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(judged({ a: notes }), 'not_enough')
  assert.equal(judged({ a: 4 }), 'too_many')
  assert.equal(judged({ a: 1, b: 1 }), 'wrong_sum')
  assert.equal(judged({}), 'wrong_sum')
})

/** Every way to take notes from the units, in their order. There is no cleverness here to go wrong. */
function everyMix(payers: readonly Payer[]): number[][] {
  const [first, ...others] = payers
  if (first === undefined) return [[]]
  const rest = everyMix(others)
  return Array.from({ length: first.free + 1 }, (_, notes) => rest.map((mix) => [notes, ...mix])).flat()
}

const total = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0)
const worth = (payers: readonly Payer[], mix: number[]) =>
  total(payers.map(({ value }, i) => value * (mix[i] ?? 0)))
const notesOf = (mix: Mix, payers: readonly Payer[]) => payers.map(({ id }) => mix[id] ?? 0)

function spread(payers: readonly Payer[], mix: number[]): number {
  const full = payers.map(({ count, initial }, i) => (count - (mix[i] ?? 0)) / (initial === 0 ? 1 : initial))
  return Math.max(...full) - Math.min(...full)
}

/** The figures that mixes are compared by, one after the other; less is better. */
function figures(rule: MixRule, payers: readonly Payer[], mix: number[]): number[] {
  const notes = payers.map((payer, i) => ({ ...payer, taken: mix[i] ?? 0 }))
  const values = [...new Set(payers.map(({ value }) => value))].sort((a, b) => b - a)
  const ofValue = (value: number) => notes.filter((unit) => unit.value === value)
  const named = values.flatMap((value) => ofValue(value).sort((a, b) => (a.id < b.id ? -1 : 1)))
  return [
    rule === 'equalEmptying' ? spread(payers, mix) : 0,
    total(mix),
    ...values.map((value) => -total(ofValue(value).map(({ taken }) => taken))),
    total(notes.map(({ free, taken }) => (free - taken) ** 2)),
    ...named.map(({ taken }) => -taken),
  ]
}

function isLess(a: number[], b: number[]): boolean {
  const i = a.findIndex((figure, at) => figure !== b[at])
  return i >= 0 && (a[i] ?? 0) < (b[i] ?? 0)
}

function bestOf(rule: MixRule, payers: readonly Payer[], amount: number, most: number): number[] | undefined {
  const paying = everyMix(payers).filter((mix) => worth(payers, mix) === amount && total(mix) <= most)
  const fewest = Math.min(...paying.map(total))
  const allowed =
    rule === 'minimumBills' ? paying : paying.filter((mix) => total(mix) <= fewest + evenNotesMore)
  return allowed
    .map((mix) => ({ mix, figures: figures(rule, payers, mix) }))
    .reduce<{ mix?: number[]; figures: number[] }>(
      (best, other) => (isLess(other.figures, best.figures) ? other : best),
      { figures: [Number.POSITIVE_INFINITY] },
    ).mix
}

const valueSets = [
  [1, 2, 5, 10],
  [10, 20, 50, 100],
  [3, 7, 11],
  [2, 3],
  [20, 50],
  [6, 10, 15],
  [1, 10],
  [4, 5, 9, 13],
]

const listOf = <Each>(each: fc.Arbitrary<Each>, size: number) =>
  fc.array(each, { minLength: size, maxLength: size })

/** Machines of few notes, in any order of their ids, and an amount that they can pay more often than not. */
const asked = fc
  .integer({ min: 1, max: 5 })
  .chain((size) => {
    const freeMax = [0, 60, 40, 18, 8, 5][size] ?? 1
    const filled = fc.record({
      free: fc.oneof(fc.constant(freeMax), fc.noBias(fc.nat({ max: freeMax }))),
      reserved: fc.constantFrom(0, 0, 3),
      initial: fc.constantFrom(8, 16, 10, 20, 7, 2_000, 0),
    })
    return fc.record({
      values: fc.constantFrom(...valueSets).chain((values) => listOf(fc.constantFrom(...values), size)),
      // Filled in one or two ways, so that there are ties to break, or each in its own.
      fillings: fc
        .oneof(listOf(filled, 1), listOf(filled, 2), listOf(filled, 8))
        .chain((ways) => listOf(fc.constantFrom(...ways), size)),
      ids: fc.shuffledSubarray(['a', 'B', 'c', '1', '10', '2'], { minLength: size, maxLength: size }),
      parts: fc.constantFrom(2, 14).chain((max) => listOf(fc.noBias(fc.nat({ max })), size)),
      off: fc.constantFrom(0, 0, 0, 0, 0, 100, -100, 50),
      most: fc.constantFrom(40, 40, 40, 12, 5),
    })
  })
  .map(({ values, fillings, ids, parts, off, most }) => {
    const payers = fillings.map(({ free, reserved, initial }, i): Payer => {
      const value = (values[i] ?? 1) * 100
      return { id: ids[i] ?? '', value, free, count: free + reserved, initial }
    })
    const some = payers.map(({ free }, i) => (parts[i] ?? 0) % (free + 1))
    return { payers, most, amount: Math.max(100, worth(payers, some) + off) }
  })

for (const rule of ['minimumBills', 'equalEmptying'] as const)
  test(`by ${rule}, the mix is the best of all that there are`, () => {
    const property = fc.property(asked, ({ payers, amount, most }) => {
      const mix = planMix(payers, amount, { rule, notesMax: most })
      const best = bestOf(rule, payers, amount, most)
      assert.deepEqual(mix && notesOf(mix, payers), best)
    })
    fc.assert(property, { seed, numRuns: 1_000 })
  })

test('the order in which payers are given changes nothing', () => {
  const shuffled = asked.chain((machine) =>
    fc.record({
      machine: fc.constant(machine),
      others: fc.shuffledSubarray(machine.payers, { minLength: machine.payers.length }),
      rule: fc.constantFrom<MixRule>('minimumBills', 'equalEmptying'),
    }),
  )
  const property = fc.property(shuffled, ({ machine: { payers, amount, most }, others, rule }) => {
    const options = { rule, notesMax: most }
    assert.deepEqual(planMix(others, amount, options), planMix(payers, amount, options))
  })
  fc.assert(property, { seed, numRuns: 1_000 })
})

test('nearest amounts are the nearest of all sums that there are', () => {
  const limits = fc.constantFrom(undefined, 1_000, 4_000)
  const property = fc.property(asked, limits, ({ payers, amount, most }, amountMax) => {
    const sums = everyMix(payers)
      .filter((mix) => total(mix) <= most)
      .map((mix) => worth(payers, mix))
    const below = sums.reduce((best, sum) => (sum < amount && sum > best ? sum : best), 0)
    const above = sums.reduce((best, sum) => (sum > amount && sum < best ? sum : best), 1 / 0)
    assert.deepEqual(
      nearestAmounts(payers, amount, { notesMax: most, ...(amountMax !== undefined && { amountMax }) }),
      { below: below || null, above: above <= (amountMax ?? 1e9) ? above : null },
    )
  })
  fc.assert(property, { seed, numRuns: 1_000 })
})

test('exactly the mixes that there are are judged good', () => {
  const any = asked.chain((machine) =>
    fc.record({
      machine: fc.constant(machine),
      mix: fc.dictionary(
        fc.constantFrom(...machine.payers.map(({ id }) => id), 'other'),
        fc.oneof(fc.integer({ min: -1, max: 12 }), fc.constantFrom(0.5, 61)),
      ),
      asItself: fc.boolean(),
    }),
  )
  const property = fc.property(any, ({ machine: { payers, amount: by, most }, mix, asItself }) => {
    const notes = notesOf(mix, payers)
    const amount = asItself ? worth(payers, notes) : by
    const isThere = everyMix(payers).some((each) => each.join() === notes.join())
    const isGood = isThere && !('other' in mix) && total(notes) <= most && worth(payers, notes) === amount
    assert.equal(judgeMix(payers, amount, mix, { notesMax: most }) === 'ok', isGood)
  })
  fc.assert(property, { seed, numRuns: 1_000 })
})

/** The fewest notes for every amount up to one, in hundreds, found by laying down one note after the other. */
function fewestByAmount(payers: readonly Payer[], amountMax: number): number[] {
  const fewest = Array.from({ length: amountMax / 100 + 1 }, (_, amount) => (amount === 0 ? 0 : 1 / 0))
  for (const { value, free } of payers)
    for (let note = 0; note < Math.min(free, notesMax); note += 1)
      for (let amount = amountMax / 100; amount >= value / 100; amount -= 1)
        fewest[amount] = Math.min(fewest[amount] ?? 1 / 0, (fewest[amount - value / 100] ?? 1 / 0) + 1)
  return fewest
}

test('large machines, too, pay with as few notes as can be, and what they say to be nearest is', () => {
  const unit = fc.record({
    value: fc.constantFrom(300, 700, 1_100, 1_300, 1_700, 3_700, 4_300),
    free: fc.oneof(fc.noBias(fc.nat({ max: 4 })), fc.noBias(fc.nat({ max: 3_000 }))),
    initial: fc.nat({ max: 3_000 }),
  })
  const machines = fc.record({
    units: fc.array(unit, { minLength: 5, maxLength: 12 }),
    hundreds: fc.noBias(fc.integer({ min: 1, max: 900 })),
  })
  const property = fc.property(machines, ({ units, hundreds }) => {
    const payers = units.map((each, i) => ({ ...each, id: `u${i}`, count: each.free }))
    const amount = hundreds * 100
    const fewest = fewestByAmount(payers, amount + 5_000)
    const isPayable = (notes: number) => notes <= notesMax

    const least = fewest[hundreds] ?? 0
    for (const rule of ['minimumBills', 'equalEmptying'] as const) {
      const mix = planMix(payers, amount, { rule, notesMax })
      assert.equal(mix !== undefined, isPayable(least))
      if (mix === undefined) continue
      assert.equal(judgeMix(payers, amount, mix, { notesMax }), 'ok')
      const more = total(notesOf(mix, payers)) - least
      assert(more >= 0 && more <= (rule === 'minimumBills' ? 0 : evenNotesMore), `${more} notes more`)
    }
    const below = fewest.slice(0, hundreds).findLastIndex(isPayable) * 100
    const above = (fewest.slice(hundreds + 1).findIndex(isPayable) + hundreds + 1) * 100
    assert.deepEqual(nearestAmounts(payers, amount, { notesMax }), {
      below: below > 0 ? below : null,
      above: above > amount ? above : null,
    })
  })
  fc.assert(property, { seed, numRuns: 100 })
})

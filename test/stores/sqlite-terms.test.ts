/** Walks down the index's terms beside a look through all of them; a walk that is given up goes on where it was. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { lastOf, spanOf, termKey } from '../../src/bank/terms.ts'
import { Terms, type Within } from '../../src/stores/sqlite/terms.ts'
import { prng, seed } from '../support/chance.ts'

const indexSql = readFileSync(new URL('../../src/stores/sqlite/schema/index.sql', import.meta.url), 'utf8')

test(`what is under all of some terms is walked through, newest first (SEED=${seed})`, () => {
  const chance = prng(seed)
  const index = new DatabaseSync(':memory:')
  index.exec(indexSql)
  const add = index.prepare('insert or ignore into terms (term, sequence) values (?, ?)')
  const addSpan = index.prepare('insert into spans (span, first_at, last_at) values (?, ?, ?)')
  // In three spans of which one has nothing, at the ends of each and in between.
  const records = [0, 1, 3].flatMap((span) => {
    const first = lastOf(span - 1) + 1
    const some = Array.from({ length: 60 }, () => first + chance(300))
    return [...some, first, lastOf(span)].map((sequence) => ({ sequence, at: 1_000 * span + chance(1_500) }))
  })
  const names = ['a', 'b', 'c', 'd']
  const under = new Map(names.map((name) => [name, new Set<number>()]))
  for (const { sequence } of records)
    for (const name of names)
      if (chance(3) > 0) {
        under.get(name)?.add(sequence)
        add.run(termKey(spanOf(sequence), name), sequence)
      }
  const atsOf = (span: number) =>
    records.filter(({ sequence }) => spanOf(sequence) === span).map(({ at }) => at)
  for (const span of [0, 1, 3]) addSpan.run(span, Math.min(...atsOf(span)), Math.max(...atsOf(span)))
  const terms = new Terms(index)
  const all = [...new Set(records.map(({ sequence }) => sequence))].sort((a, b) => b - a)

  for (let round = 0; round < 200; round += 1) {
    const some = names.filter(() => chance(2) === 0)
    if (some.length === 0) continue
    const below = chance(3) === 0 ? Number.MAX_SAFE_INTEGER : (all[chance(all.length)] ?? 0) + chance(2)
    const walk = (within: Within) => {
      const steps = [...terms.under(some, within)]
      return { steps, found: steps.filter(({ isFound }) => isFound).map((step) => step.below) }
    }
    const isUnder = (sequence: number) => some.every((name) => under.get(name)?.has(sequence))
    const expected = all.filter((sequence) => sequence < below && isUnder(sequence))
    const { steps, found } = walk({ below })
    assert.deepEqual(found, expected)
    assert.equal(terms.newest(some, { below }), expected[0])
    const given = chance(Math.max(1, steps.length))
    const step = steps[given]
    if (step !== undefined) {
      const rest = steps.slice(given + 1).filter(({ isFound }) => isFound)
      assert.deepEqual(
        walk({ below: step.below }).found,
        rest.map((each) => each.below),
      )
    }
    // Of spans that have nothing of the time, nothing is told; of the others all is.
    const at = records[chance(records.length)]?.at ?? 0
    const [from, to] = chance(2) === 0 ? [at, at + 1] : [chance(5_000), chance(5_000)]
    const within = walk({ below, from, to }).found
    const wanted = records.filter(
      (each) => each.at >= from && each.at < to && expected.includes(each.sequence),
    )
    for (const { sequence } of wanted) assert(within.includes(sequence), `${sequence} from ${from} to ${to}`)
    assert.deepEqual(
      within,
      expected.filter((sequence) => within.includes(sequence)),
    )
    assert.deepEqual(walk({ below, from: 5_000 }).found, [])
  }
  // A span is of the instant of its first record as of that of its last.
  for (const span of [0, 1, 3])
    for (const at of [Math.min(...atsOf(span)), Math.max(...atsOf(span))])
      assert(terms.spans({ below: lastOf(9), from: at, to: at + 1 }).includes(span))
  for (const limit of [1, 10, 1_000]) {
    const either = all.filter((sequence) => under.get('a')?.has(sequence) || under.get('b')?.has(sequence))
    assert.deepEqual(terms.oldest(['a', 'b'], limit), either.toReversed().slice(0, limit))
  }
  index.close()
})

test('keys of terms are safe integers that rise with the span, however many records there are', () => {
  const last = 1e11
  for (const term of ['', 'withdrawal terminal ATM00001', 'ü'.repeat(200)]) {
    assert(Number.isSafeInteger(termKey(spanOf(last), term)))
    assert(termKey(spanOf(last) + 1, '') > termKey(spanOf(last), term))
    assert(termKey(0, term) >= 0)
  }
  assert.equal(spanOf(lastOf(7)), 7)
  assert.equal(spanOf(lastOf(7) + 1), 8)
})

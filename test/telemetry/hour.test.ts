/** The last hour of commits: steps, percentiles beside exact ones, and clocks that do as they like. `SEED=n` replays. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hour } from '../../src/telemetry/hour.ts'
import { prng, seed } from '../support/chance.ts'

const stepMs = 10_000
const begin = Date.UTC(2030, 0, 1, 9)

function newHour() {
  const clock = { now: begin }
  return { clock, hour: new Hour(() => clock.now) }
}

test('a step is told when it is over: its operations, and half and 99 of a hundred commits', () => {
  const { clock, hour } = newHour()
  for (let ms = 1; ms <= 100; ms += 1) hour.add(2, ms)
  assert.deepEqual(hour.steps(), [])
  clock.now += stepMs
  const [step, ...others] = hour.steps()
  assert.deepEqual(others, [])
  assert.equal(step?.at, begin)
  assert.equal(step?.operations, 200)
  assertClose(step?.p50Ms, 50)
  assertClose(step?.p99Ms, 99)
  clock.now += 2 * stepMs
  const none = { operations: 0, p50Ms: null, p99Ms: null }
  assert.deepEqual(hour.steps().slice(1), [
    { at: begin + stepMs, ...none },
    { at: begin + 2 * stepMs, ...none },
  ])
})

test(`any hour is as it was, and nothing is left of the one before (SEED=${seed})`, () => {
  const chance = prng(seed)
  const { clock, hour } = newHour()
  const added: { readonly step: number; readonly operations: number; readonly ms: number }[] = []
  for (let i = 0; i < 20_000; i += 1) {
    clock.now += chance(3_000) === 0 ? chance(3_000_000) : chance(1_500)
    const operations = 1 + chance(5)
    const ms = 0.1 * 1.01 ** chance(1_000)
    hour.add(operations, ms)
    added.push({ step: Math.floor(clock.now / stepMs), operations, ms })
  }
  const last = Math.floor(clock.now / stepMs)
  const steps = hour.steps()
  assert.equal(steps.length, 360)
  for (const [i, step] of steps.entries()) {
    const at = last - 360 + i
    const of = added.filter((each) => each.step === at)
    assert.equal(step.at, at * stepMs)
    assert.equal(
      step.operations,
      of.reduce((sum, { operations }) => sum + operations, 0),
    )
    const sorted = of.map(({ ms }) => ms).sort((a, b) => a - b)
    if (sorted.length === 0) assert.deepEqual([step.p50Ms, step.p99Ms], [null, null])
    else {
      assertClose(step.p50Ms, sorted[Math.ceil(sorted.length * 0.5) - 1])
      assertClose(step.p99Ms, sorted[Math.ceil(sorted.length * 0.99) - 1])
    }
  }
})

test('a clock that is set back counts into the step it was at; one that is set on leaves steps without', () => {
  const { clock, hour } = newHour()
  clock.now += 5 * stepMs
  hour.add(1, 1)
  clock.now -= 3 * stepMs
  hour.add(1, 1)
  assert.equal(hour.steps().length, 5)
  clock.now += 4 * stepMs
  assert.deepEqual(
    hour.steps().map(({ operations }) => operations),
    [0, 0, 0, 0, 0, 2],
  )
  clock.now += 1_000 * stepMs
  assert.equal(hour.steps().length, 360)
  assert.ok(hour.steps().every(({ operations }) => operations === 0))
})

test('the shortest and the longest are counted as such', () => {
  const { clock, hour } = newHour()
  hour.add(1, 0)
  clock.now += stepMs
  hour.add(1, 3_600_000)
  clock.now += stepMs
  const [short, long] = hour.steps()
  assert.ok((short?.p50Ms ?? 9) < 0.1)
  assert.ok((long?.p99Ms ?? 0) > 50_000)
})

/** Within a class of latencies: an eighth of an octave. */
function assertClose(actual: number | null | undefined, expected: number | undefined): void {
  assert.ok(typeof actual === 'number' && expected !== undefined)
  const off = Math.abs(actual - expected)
  // Beside what rounding to a hundredth does to short ones.
  assert.ok(off <= 0.045 * expected + 0.005, `${actual} for ${expected}`)
}

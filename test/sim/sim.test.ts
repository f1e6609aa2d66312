/**
 * The simulator: hundreds of runs of the whole server in virtual time, each with faults and crashes of its own, each
 * judged; that a seed is a run, to the byte; and that each of many broken parts is found.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seed } from '../support/chance.ts'
import { long, times } from '../support/profile.ts'
import { faultKinds } from './faults.ts'
import { Front } from './front.ts'
import { type Result, run } from './run.ts'
import { saboteurs } from './sabotage.ts'
import { kept, shrink } from './shrink.ts'

const front = await Front.open()
after(() => front.close())

// A machine that is busy with other things does fewer; how many is told.
const enoughMs = long ? 900_000 : 11_000
const chunks = 5
const seedsPerChunk = times(40, 1_000)

async function assertRight(options: Parameters<typeof run>[0]): Promise<Result> {
  const result = await run(options, front)
  assert.equal(result.violation, undefined, `npm run sim -- ${options.seed}`)
  return result
}

for (let chunk = 0; chunk < chunks; chunk += 1) {
  const base = seed + chunk * seedsPerChunk
  test(`whatever goes wrong, every promise holds (seeds from SEED=${base})`, async (t) => {
    const untilMs = performance.now() + enoughMs / chunks
    let [seeds, operations, faults, undecided] = [0, 0, 0, 0]
    while (seeds < seedsPerChunk && performance.now() < untilMs) {
      const result = await assertRight({ seed: base + seeds })
      seeds += 1
      operations += result.operations
      undecided += result.undecided
      for (const count of result.faults.values()) faults += count
    }
    t.diagnostic(`${seeds} seeds, ${operations} operations, ${faults} faults`)
    assert.ok(seeds > 0 && undecided <= seeds / 20, `${undecided} histories of ${seeds} runs were not judged`)
  })
}

test('what goes wrong is all that can: in twenty runs every kind of fault happens', async () => {
  const happened = new Map<string, number>()
  for (let i = 0; i < 20; i += 1)
    for (const [name, count] of (await assertRight({ seed: i })).faults)
      happened.set(name, (happened.get(name) ?? 0) + count)
  const names = [
    'answer lost',
    'crash',
    'crash in COMMIT, done',
    'crash in COMMIT, not done',
    'failed',
    'late',
    'lock held',
    'request lost',
    'request sent twice',
    'shut',
    'slow after COMMIT',
    'slow before COMMIT',
    'unavailable',
    'unknown, done',
    'unknown, done once reopened',
    'unknown, not done',
    'wall clock',
  ]
  assert.deepEqual([...happened.keys()].sort(), names)
})

test('without faults nothing is lost, refused for the time being, or unknown', async () => {
  const { trace, faults } = await assertRight({ seed: 1, faults: [] })
  assert.equal(faults.size, 0)
  assert.ok(!trace.some((line) => /"code":"(account_busy|outcome_unknown|store_unavailable)"/.test(line)))
})

test('a seed is a run, to the byte: twice in this process, and in two others', async () => {
  const of = async (seed: number) => (await run({ seed }, front)).hash
  const first = await of(42)
  assert.notEqual(await of(43), first)
  assert.equal(await of(42), first)
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  for (let i = 0; i < 2; i += 1) {
    const { stdout, status } = spawnSync(process.execPath, ['--no-warnings', main, '42'], {
      encoding: 'utf8',
    })
    assert.equal(status, 0)
    assert.ok(stdout.includes(`trace ${first}`), stdout)
  }
})

test('what the command line cannot read is told in one line, with exit code 2', () => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const { stderr, status } = spawnSync(process.execPath, ['--no-warnings', main, '--seeds', 'x'], {
    encoding: 'utf8',
  })
  assert.equal(status, 2)
  assert.match(stderr, /^usage: npm run sim .*\n$/)
})

// Each is found within the first few seeds; many more would say that the simulator has become blind to it.
const seedsToFind = 30

// The fast profile has half of them; which, the seed says.
const some = Object.entries(saboteurs).filter((_, i) => long || i % 2 === seed % 2)

for (const [name, saboteur] of some)
  test(`it is found: ${name}`, async (t) => {
    for (let seed = 0; seed < seedsToFind; seed += 1) {
      const { violation } = await run({ seed, operations: 40 }, front, saboteur)
      if (violation !== undefined) return t.diagnostic(`seed ${seed}: ${violation.slice(0, 200)}`)
    }
    assert.fail(`not found in ${seedsToFind} seeds`)
  })

test('what fails is made smaller, and still fails', async () => {
  const saboteur = saboteurs['a store that applies a batch twice']
  assert.ok(saboteur)
  let failed: Result | undefined
  for (let seed = 0; failed?.violation === undefined; seed += 1) failed = await run({ seed }, front, saboteur)
  const { options, violation } = await shrink(failed, front, saboteur)
  assert.ok(violation)
  assert.ok((options.faults ?? faultKinds).length < faultKinds.length)
  assert.ok((options.operations ?? Infinity) < (failed.options.operations ?? 0))
})

for (const [name, { reason, options }] of kept())
  test(`a run that failed once goes right: ${name}`, async () => {
    await assertRight(options)
    assert.ok(reason)
  })

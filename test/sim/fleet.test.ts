/** A fleet of cash machines in virtual time, whatever goes wrong: the books say what is in each machine, to the note. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { seed } from '../support/chance.ts'
import { long, times } from '../support/profile.ts'
import { type FleetOptions, runFleet } from './fleet.ts'
import { Front } from './front.ts'

const front = await Front.open()
after(() => front.close())

// A machine that is busy with other things does fewer; how many is told.
const enoughMs = long ? 300_000 : 6_000

async function assertRight(options: FleetOptions) {
  const result = await runFleet(options, front)
  assert.equal(result.violation, undefined, `seed ${options.seed}\n${result.trace.slice(-40).join('\n')}`)
  return result
}

test(`whatever goes wrong, every machine balances to the note (seeds from SEED=${seed})`, async (t) => {
  const untilMs = performance.now() + enoughMs
  let [seeds, withdrawals, suspects, faults] = [0, 0, 0, 0]
  while (seeds < times(40, 2_000) && performance.now() < untilMs) {
    const result = await assertRight({ seed: seed + seeds })
    seeds += 1
    withdrawals += result.withdrawals
    suspects += result.suspects
    for (const count of result.faults.values()) faults += count
  }
  t.diagnostic(
    `${seeds} seeds, ${withdrawals} withdrawals, ${suspects} suspects at the end, ${faults} faults`,
  )
  assert.ok(seeds > 0)
})

test('without faults and trouble there is not one suspect', async () => {
  const { suspects, faults } = await assertRight({ seed: 1, faults: [], sound: true })
  assert.equal(suspects, 0)
  assert.equal(faults.size, 0)
})

test('a seed is a run, to the byte', async () => {
  const [one, two, other] = [
    await assertRight({ seed: 7 }),
    await assertRight({ seed: 7 }),
    await assertRight({ seed: 8 }),
  ]
  assert.equal(one.hash, two.hash)
  assert.notEqual(one.hash, other.hash)
})

test('a machine that dispenses without the yes to its start is found', async () => {
  for (let i = 0; i < 30; i += 1) {
    const { violation } = await runFleet({ seed: i, reckless: true }, front)
    if (violation !== undefined) return
  }
  assert.fail('not found in 30 seeds')
})

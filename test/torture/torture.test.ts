// `cashpoint torture` against servers that are wrong in one way each, one that is right, and the real one, also killed.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { type Options, type Promise_, torture } from '../../src/torture/torture.ts'
import { launcher, pause, place, run, type Scope, serve } from '../process/support.ts'
import { prng, seed } from '../support/chance.ts'
import { long, times } from '../support/profile.ts'
import { type Defect, naiveServer } from './naive-server.ts'

const small = {
  seed,
  seconds: 3,
  clients: 8,
  accounts: 2,
  operations: 500,
  credential: undefined,
}

function tortured(url: URL, more: Partial<Options> = {}) {
  return torture({ ...small, url, prefix: `torture-${seed}`, ...more })
}

/** Each defect, the promise it breaks, and what must be said of it. */
const defects: Record<Defect, readonly [Promise_, RegExp]> = {
  'lost update': ['linearizable', /no order/],
  'double spend': ['linearizable', /no order/],
  'forgotten decline': ['exactly once', /forgotten decline/],
  'no keys': ['exactly once', /does not know Idempotency-Key/],
  'reply differs on replay': ['exactly once', /not alike/],
  'acknowledged deposit lost': ['linearizable', /no order/],
  'stale read': ['linearizable', /no order/],
  'two openings': ['linearizable', /no order/],
  'done after 423': ['conserved', /what was acknowledged makes/],
  'done after 503': ['conserved', /what was acknowledged makes/],
  floats: ['conserved', /rounding in floats/],
  'transfer that never credits': ['conserved', /a list sums to/],
}

// The fast profile has half of them; which, the seed says.
const all = Object.entries(defects) as [Defect, readonly [Promise_, RegExp]][]
const some = all.filter((_, i) => long || i % 2 === seed % 2)

for (const [defect, [promise, says]] of some)
  test(`caught: ${defect} (SEED=${seed})`, { timeout: 60_000 }, async (t) => {
    const url = await naiveServer(t, { defect, v1: defect === 'transfer that never credits' })
    const { findings } = await tortured(url)
    const said = findings.map(({ promise, what }) => `${promise}: ${what}`)
    assert.ok(
      findings.some((finding) => finding.promise === promise && says.test(finding.what)),
      said.join('\n') || 'nothing was found',
    )
    t.diagnostic(said[0] ?? '')
  })

for (const v1 of [false, true])
  test(`a server that does one thing after the other passes${v1 ? ', with transfers' : ''} (SEED=${seed})`, async (t) => {
    const { findings } = await tortured(await naiveServer(t, { v1 }))
    assert.deepEqual(findings, [])
  })

test(`the real server passes (SEED=${seed})`, { timeout: 150_000 }, async (t) => {
  const { path } = place(t)
  const { url } = await serve(t, { path })
  const verdict = await tortured(new URL(url), { accounts: 3, seconds: times(2, 60), operations: 100_000 })
  assert.deepEqual(verdict.findings, [])
  assert.ok(verdict.v1 && verdict.figures.operations > 20, JSON.stringify(verdict.figures))
  t.diagnostic(JSON.stringify(verdict.figures))
})

test(`the real server passes while it is killed and started again (SEED=${seed})`, {
  timeout: 120_000,
}, async (t) => {
  const { path } = place(t)
  const first = await serve(t, { path })
  const url = new URL(first.url)
  const verdict = tortured(url, { accounts: 2, seconds: times(4, 90), operations: 1_000_000 })
  let kill = first.kill
  const chance = prng(seed)
  for (let round = 0; round < times(1, 25); round += 1) {
    await pause(800 + chance(800))
    await kill()
    kill = await startOn(t, path, url.port)
  }
  const { findings, figures, notes } = await verdict
  assert.deepEqual(findings, [])
  assert.ok(figures.retries > figures.lost, 'some were refused a connection')
  t.diagnostic(`${JSON.stringify(figures)} ${notes.join('; ')}`)
})

test('the command: a verdict and exit 0; a violation and exit 1; nothing there and exit 2 in one line', async (t) => {
  const right = await naiveServer(t)
  const asked = ['--seconds', '1', '--operations', '300', '--accounts', '1', '--seed', '7']
  const good = await run(['torture', '--url', right.href, ...asked])
  assert.equal(good.code, 0, good.stdout + good.stderr)
  assert.match(good.stdout, /^seed 7, on [\s\S]*conserved +yes\nexactly once +yes\n[\s\S]*\nseed 7\n$/)
  const bad = await run([
    'torture',
    '--url',
    (await naiveServer(t, { defect: 'lost update' })).href,
    ...asked,
  ])
  assert.equal(bad.code, 1)
  assert.match(bad.stdout, /linearizable per account +NO[\s\S]*No order of these|No order of these[\s\S]*NO/)
  const none = await run(['torture', '--url', 'http://127.0.0.1:1'])
  assert.equal(none.code, 2)
  assert.match(none.stderr, /^cashpoint: nothing answers at .*\n$/)
  assert.equal((await run(['torture', '--url', 'nowhere'])).code, 2)
})

/** The server on this very port, ready; gives what kills it. */
async function startOn(scope: Scope, path: string, port: string) {
  const args = [launcher, 'serve', '--store', `sqlite:${path}`, '--port', port]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const exit = new Promise<void>((resolve) => child.once('close', () => resolve()))
  scope.after(async () => {
    child.kill('SIGKILL')
    await exit
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.stdout.resume()
  return async () => {
    child.kill('SIGKILL')
    await exit
    return { code: null, signal: 'SIGKILL' as const }
  }
}

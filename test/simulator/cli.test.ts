// `cashpoint atm` as a person runs it: one machine by hand, also killed, a fleet with credentials, and the demo.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readFaults } from '../../src/simulator/faults.ts'
import {
  assertOneLine,
  assertProves,
  cleanEnv,
  launcher,
  pause,
  place,
  run,
  serve,
} from '../process/support.ts'
import { prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'

const pan = '4761739001010119'

test('one machine by hand: balance, cash, a deposit, a jam, an exchange, and a close that balances', async (t) => {
  const { path, directory } = place(t)
  const { url } = await serve(t, { path })
  const atm = async (args: readonly string[], typed: readonly string[]) => {
    const child = spawn(
      process.execPath,
      [launcher, 'atm', '--url', url, '--dir', `${directory}/atm`, ...args],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: cleanEnv({}),
      },
    )
    child.stdin.end(`${typed.join('\n')}\n`)
    const stdout = (await child.stdout.setEncoding('utf8').toArray()).join('')
    return stdout.replaceAll(/ {2,}/g, ' ')
  }
  const first = await atm([], ['balance', 'withdraw 60', 'withdraw 15', 'fly', 'deposit 2x50 1x20', 'quit'])
  const said = [
    'BALANCE ATM00001 · card ••0119\n account 123456789\n ledger 1000.00 USD\n available 1000.00 USD\n',
    'WITHDRAWAL ATM00001 · card ••0119\n notes 1 × 50 + 1 × 10\n account 123456789\n available 940.00 USD\n',
    'declined, amount_not_dispensable\n',
    'no machine can fly',
    'DEPOSIT ATM00001 · card ••0119\n amount 120.00 USD\n notes 2 × 50 + 1 × 20\n',
  ]
  for (const words of said) assert.ok(first.includes(words), first)
  assert.match(await atm(['--faults', 'jam=1', 'withdraw', '100'], []), /nobody knows what left/)
  // Another program, the same machine: its notes and its suspect are in its directory.
  const last = await atm([], ['close', 'exchange', 'close', 'notes'])
  assert.match(last, /BATCH 1 IS CLOSED[\s\S]* transit 100\.00\n[\s\S]*carried over w-\S+ suspect/)
  assert.match(last, /EXCHANGE[\s\S]* suspects w-\S+: (0|50)\.00 had left\n over\/short 0\.00\n/)
  assert.match(last, /BATCH 2 IS CLOSED[\s\S]* transit 0\.00\n[\s\S]*carried over nothing/)
  assert.match(last, /C1 cash_out 100 × 50\.00/)
  for (const name of readdirSync(`${directory}/atm/ATM00001`))
    assert.ok(!readFileSync(`${directory}/atm/ATM00001/${name}`, 'utf8').includes(pan))
})

test(`a machine whose program is killed pays each customer at most once and tells all of it (SEED=${seed})`, {
  timeout: times(60_000, 300_000),
}, async (t) => {
  const { path, directory } = place(t)
  const server = await serve(t, { path })
  const args = ['atm', '--url', server.url, '--dir', `${directory}/atm`]
  const chance = prng(seed)
  for (let round = 0; round < times(3, 25); round += 1) {
    const child = spawn(process.execPath, [launcher, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: cleanEnv({}),
    })
    t.after(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    child.stdout.resume()
    child.stdin.write('withdraw 20\ndeposit 1x20\n'.repeat(50))
    await pause(150 + chance(times(500, 1_500)))
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  const { stdout } = await run([...args, 'exchange'])
  assert.match(stdout, /over\/short +0\.00/)
  const { left, paidIn } = JSON.parse(readFileSync(`${directory}/atm/ATM00001/notes.json`, 'utf8'))
  const [out, into] = [Object.values<{ left: number }>(left), Object.values<{ amount: number }>(paidIn)]
  assert.ok(out.length > 0 && out.every((each) => each.left === 2_000))
  const due = 100_000 - 2_000 * out.length + into.reduce((sum, { amount }) => sum + amount, 0)
  const read = async (what: string) => (await fetch(`${server.url}/v1/${what}`)).json()
  const { ledger } = (await read('accounts/123456789')) as { ledger: number }
  assert.equal(ledger, due)
  const { transit, over_short } = (await read('terminals/ATM00001')) as Record<string, object | number>
  assert.deepEqual({ transit, over_short }, { transit: { uncertain: 0, unconfirmed: 0 }, over_short: 0 })
  const { exceptions } = (await read('exceptions?state=open')) as { exceptions: object[] }
  assert.deepEqual(exceptions, [])
  t.diagnostic(`${out.length} withdrawals, ${into.length} deposits`)
  await server.stop()
  await assertProves(path)
})

test('a fleet on a host with credentials makes one for each machine', async (t) => {
  const { path } = place(t)
  const { url } = await serve(t, { path })
  const made = await fetch(`${url}/v1/credentials`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'first' },
    body: '{"role":"admin","name":"Ann"}',
  })
  const { key } = (await made.json()) as { key: string }
  const asked = [
    'atm',
    '--url',
    url,
    '--fleet',
    '2',
    '--seconds',
    '2',
    '--seed',
    '7',
    '--faults',
    'duplicate',
  ]
  const { code, stdout, stderr } = await run([...asked, '--key', key])
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout)
  assert.match(
    stdout,
    /^seed 7, 2 machines on [\s\S]*cash to the note +yes\n[\s\S]*the books prove +yes\n[\s\S]*seed 7\n$/,
  )
  assert.doesNotMatch(stdout, /cp_/)
  const outside = await run(asked)
  assert.equal(outside.code, 2)
  assert.match(outside.stderr, /^cashpoint: .* 401 .*\n$/)
})

test('the demo: a line for each thing that happens, and the judgement', async () => {
  const { code, stdout, stderr } = await run([
    'atm',
    '--demo',
    '--fleet',
    '2',
    '--seconds',
    '2',
    '--faults',
    'none',
  ])
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout)
  assert.match(stdout, /^A host in a temporary store at http:\S+, 2 machines on it, for 2 s\.\n/)
  assert.match(stdout, /^\d\d:\d\d:\d\d {2}FLT0000[12] {2}(withdraw|deposit|balance)/m)
  assert.match(stdout, /customers paid for the cash they hold +yes\n/)
})

test('what cannot be is one line and exit 2', async () => {
  const url = ['--url', 'http://127.0.0.1:1']
  for (const [args, says] of [
    [[], /--url/],
    [[...url, 'balance'], /nothing answers there/],
    [[...url, '--fleet', 'many'], /--fleet must be a whole number/],
    [[...url, '--fleet', '2', '--faults', 'rain'], /there is no fault rain; there are: request-lost/],
    [[...url, '--card', '1', '--pines', '2'], /--pines/],
  ] as const)
    assertOneLine(await run(['atm', ...args]), 2, says)
})

test('faults are read by name, with their odds or without', () => {
  assert.deepEqual(readFaults('none'), {})
  assert.equal(Object.keys(readFaults('all')).length, 12)
  assert.deepEqual(readFaults('jam=0.5, retract=1,partial=.25'), { jam: 0.5, retract: 1, partial: 0.25 })
  for (const wrong of ['jam=2', 'jam=', 'rain', 'jam=-1', 'constructor'])
    assert.throws(() => readFaults(wrong), /there is no fault|the odds are/)
})

// `cashpoint atm` as a person runs it: one machine by hand, also killed, a fleet with credentials, and the demo.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readFaults } from '../../src/simulator/faults.ts'
import { freePort } from '../iso8583/support.ts'
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

test('one machine by hand over ISO 8583, with its PIN as a block, and a fleet of both kinds', async (t) => {
  const { path, directory } = place(t)
  const port = await freePort()
  const at = `localhost:${port}`
  const { url } = await serve(t, { path, env: { CASHPOINT_ISO8583: `iso87a://${at}` } })
  const asked = ['atm', '--url', url, '--iso8583', at]
  const key = { algorithm: 'tdes', key: '11111111111111112222222222222222', kcv: 'D2B91C' }
  const set = await fetch(`${url}/v1/terminals/ATM00001/pin-key`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(key),
  })
  assert.equal(set.status, 204)
  const by = async (pin: string, ...words: string[]) => {
    const env = { CASHPOINT_ATM_PIN: pin, CASHPOINT_ATM_PIN_KEY: `tdes:${key.key}` }
    const { stdout, stderr } = await run([...asked, '--dir', `${directory}/atm`, ...words], env)
    assert.equal(stderr, '')
    return stdout.replaceAll(/ {2,}/g, ' ')
  }
  assert.match(
    await by('1234', 'balance'),
    /BALANCE ATM00001 · card ••0119\n ledger 1000\.00 USD\n available 1/,
  )
  assert.match(
    await by('1234', 'withdraw', '60'),
    /WITHDRAWAL .*\n notes (.*)\n available 940\.00 USD\n authorization [0-9]{6}\n operation [0-9]{6}-[0-9]{10}\n/,
  )
  assert.equal(await by('4321', 'withdraw', '60'), ' declined, 55\n')
  assert.match(await by('1234', '--faults', 'jam=1', 'withdraw', '100'), /nobody knows what left/)
  assert.match(await by('1234', 'deposit', '2x50'), /DEPOSIT .*\n amount 100\.00 USD\n notes 2 × 50\n/)
  assert.match(await by('1234', 'close'), /BATCH 1 IS CLOSED[\s\S]* carried over iso-1-\S+ suspect/)
  assert.match(
    await by('1234', 'exchange'),
    /EXCHANGE[\s\S]* suspects \S+: [0-9.]+ had left\n over\/short 0\.00\n/,
  )
  assert.match(await by('1234', 'close'), /BATCH 2 IS CLOSED[\s\S]* carried over nothing/)
  // Without a key it has no PIN to send, and the demo's cards want none.
  const { stdout } = await run([...asked, '--dir', `${directory}/atm`, 'balance'])
  assert.match(stdout, /BALANCE/)
  assertOneLine(await run([...asked, '--pin', '1234', 'balance']), 2, /CASHPOINT_ATM_PIN_KEY/)

  const fleet = await run([
    ...asked,
    '--fleet',
    '4',
    '--seconds',
    '2',
    '--seed',
    '7',
    '--faults',
    'duplicate',
  ])
  assert.equal(fleet.code, 0, fleet.stdout)
  assert.match(fleet.stdout, /^seed 7, 4 machines on http\S+ and localhost:[0-9]+\n/)
  assert.match(fleet.stdout, /\n4 machines, 2 of them by ISO 8583, /)
})

for (const speaks of ['REST', 'ISO 8583'])
  test(`a machine whose program is killed pays each customer at most once and tells all of it, over ${speaks} (SEED=${seed})`, {
    timeout: times(60_000, 300_000),
  }, async (t) => {
    const { path, directory } = place(t)
    const port = await freePort()
    const server = await serve(t, { path, env: { CASHPOINT_ISO8583: `iso87a://localhost:${port}` } })
    const args = ['atm', '--url', server.url, '--dir', `${directory}/atm`]
    if (speaks === 'ISO 8583') args.push('--iso8583', `localhost:${port}`)
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
  assert.match(stdout, /\nEvery other machine speaks ISO 8583, at localhost:[0-9]+\.\n/)
  assert.match(stdout, /\n2 machines, 1 of them by ISO 8583, /)
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
    [[...url, '--iso8583', 'localhost:1', '--card', '4761-7390'], /--card must be a card number/],
    [[...url, '--iso8583', 'localhost'], /--iso8583 must be a host and a port/],
    [[...url, '--iso8583', 'localhost:0', '--fleet', '2'], /--iso8583 must be a host and a port/],
  ] as const)
    assertOneLine(await run(['atm', ...args]), 2, says)
})

test('where nothing speaks ISO 8583, a machine by hand and a fleet say so in one line', async (t) => {
  const { path } = place(t)
  const { url, port } = await serve(t, { path })
  for (const more of [['balance'], ['--fleet', '2']])
    for (const [at, says] of [
      ['127.0.0.1:1', /nothing answers in ISO 8583 at 127\.0\.0\.1:1: ECONNREFUSED/],
      [`127.0.0.1:${port}`, /what answers there does not speak ISO 8583/],
    ] as const) {
      const ran = await run(['atm', '--url', url, '--iso8583', at, ...more])
      // A fleet has told its seed by then.
      assertOneLine({ ...ran, stdout: ran.stdout.replace(/^seed .*\n\n$/, '') }, 2, says)
    }
})

test('a machine that a listener does not let in is told so', async (t) => {
  const { path, directory } = place(t)
  const port = await freePort()
  const iso = `iso87a://localhost:${port}?terminals=BANK*`
  const { url } = await serve(t, { path, env: { CASHPOINT_ISO8583: iso } })
  const own = ['--iso8583', `localhost:${port}`, '--dir', `${directory}/atm`]
  const ran = await run(['atm', '--url', url, ...own, 'balance'])
  assertOneLine(ran, 2, /ATM00001 may not sign on: 58/)
  const terminal = { id: 'LOBBY00001', name: 'Lobby', currency: 'USD', units: [] }
  const units = [{ id: 'C1', type: 'cash_out', value: 5000 }]
  await fetch(`${url}/v1/terminals`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'lobby' },
    body: JSON.stringify({ ...terminal, units }),
  })
  const long = await run(['atm', '--url', url, ...own, '--terminal', 'LOBBY00001', 'balance'])
  assertOneLine(long, 2, /LOBBY00001 has more than the 8 characters/)
})

test('faults are read by name, with their odds or without', () => {
  assert.deepEqual(readFaults('none'), {})
  assert.equal(Object.keys(readFaults('all')).length, 12)
  assert.deepEqual(readFaults('jam=0.5, retract=1,partial=.25'), { jam: 0.5, retract: 1, partial: 0.25 })
  for (const wrong of ['jam=2', 'jam=', 'rain', 'jam=-1', 'constructor'])
    assert.throws(() => readFaults(wrong), /there is no fault|the odds are/)
})

/** Who looks on at the messages: over the real program, over REST by role, and one who is too slow. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { iso87a } from '../../src/iso8583/message/index.ts'
import { Onlookers } from '../../src/iso8583/onlookers.ts'
import { assertOneLine, cleanEnv, launcher, place, run, serve } from '../process/support.ts'
import { block, dial, freePort, pans, pause, request, until } from './support.ts'

test('cashpoint iso8583 tail prints what passes, and nothing of a card or a PIN', async (t) => {
  const port = await freePort()
  const { path } = place(t)
  const server = await serve(t, { path, env: { CASHPOINT_ISO8583: `iso87a://localhost:${port}` } })
  const tail = spawn(process.execPath, [launcher, 'iso8583', 'tail', '--url', server.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: cleanEnv({}),
  })
  t.after(() => void tail.kill('SIGKILL'))
  const ended = once(tail, 'close')
  const lines: string[] = []
  createInterface({ input: tail.stdout }).on('line', (line) => lines.push(line))

  const line = await dial(t, port)
  // It looks on from when it came.
  for (let i = 0; lines.length < 2; i += 1) {
    assert.ok(i < 400, 'it sees something within twenty seconds')
    await line.ask('0800', { 11: String(i).padStart(6, '0'), 70: '301' })
    await pause(50)
  }
  const asked = request('010000', 2000, { 2: pans.a, 43: 'Main Street', 52: block })
  const answer = await line.ask('0200', asked)
  line.write(Buffer.from('00560200700000000000000016476173900101011901000000000000X000'))
  await until(
    'both are told',
    () => lines.some((each) => each.includes('0210')) && lines.some((each) => each.includes('(')),
  )

  const [echo = ''] = lines
  assert.match(echo, /^\d{4}-\d\d-\d\dT[\d:.]+Z \S+:\d+ [<>] 08[01]0 11=\d{6} (39=00 )?70=301$/)
  const came = lines.find((each) => each.includes(' > 0200 ')) ?? ''
  assert.ok(came.includes(`2=${'*'.repeat(12)}0119 3=010000 4=000000002000`), came)
  assert.ok(
    came.includes(`11=${asked[11]}`) &&
      came.includes('43="Main Street') &&
      came.includes('52="[16 characters]"'),
    came,
  )
  assert.ok(lines.some((each) => each.includes(` < 0210 `) && each.includes(`39=${answer[39]}`)))
  const all = lines.join('\n')
  for (const secret of [pans.a, block]) assert.ok(!all.includes(secret), all)
  assert.match(all, / > 0200 .*\(field 4 \(.*\), offset \d+: .*\)$/m)
  assert.ok(!all.includes('47617390'), 'also where it cannot be read')

  // Looking on does not hold up a server that stops.
  const startedMs = performance.now()
  await server.stop()
  assert.deepEqual(await ended, [0, null])
  assert.ok(performance.now() - startedMs < 5_000)
})

test('it wants an operator, an auditor or an admin; and a server', async (t) => {
  const { path } = place(t)
  const made = async (role: string) => {
    const { stdout } = await run([
      'credentials',
      'create',
      '--role',
      role,
      '--name',
      role,
      '--store',
      `sqlite:${path}`,
    ])
    return /cp_\S+/.exec(stdout)?.[0] ?? assert.fail(stdout)
  }
  const [admin, teller] = [await made('admin'), await made('teller')]
  const server = await serve(t, { path })
  const tail = (key: string) => run(['iso8583', 'tail', '--url', server.url], { CASHPOINT_KEY: key })
  assertOneLine(await tail(teller), 2, /answered 403/)
  assertOneLine(await tail(''), 2, /answered 401/)
  const headers = { authorization: `Bearer ${admin}` }
  const stream = await fetch(`${server.url}/iso8583/messages`, { headers })
  assert.equal(stream.status, 200)
  await stream.body?.cancel()
  await server.stop()
  assertOneLine(await tail(admin), 2, /nobody answers/)
  assertOneLine(await run(['iso8583']), 2, /say iso8583 tail/)
})

test('machines do not wait for one who looks on slowly, and it is told what it missed', async () => {
  const onlookers = new Onlookers()
  const pass = () =>
    onlookers.pass(
      { at: 0, peer: 'p', direction: 'received', message: { mti: '0800', fields: { 2: pans.a } } },
      iso87a,
    )
  pass()
  const seen = onlookers.follow(10)
  assert.deepEqual((await seen.next()).value, { passed: [], missed: 0 }, 'nothing of before')
  for (let i = 0; i < 1_003; i += 1) pass()
  const { value } = await seen.next()
  assert.deepEqual([value?.passed.length, value?.missed], [1_000, 3])
  assert.deepEqual(value?.passed[0]?.fields, { 2: `${'*'.repeat(12)}0119` })
  assert.deepEqual((await seen.next()).value, { passed: [], missed: 0 }, 'that the line lives')
  const last = seen.next()
  onlookers.close()
  await last
  assert.equal((await seen.next()).done, true)
})

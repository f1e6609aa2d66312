/** The real program: what a newcomer's client finds, a server that is killed in the midst of it, and the port that is taken. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import {
  assertOneLine,
  assertProvesHere,
  Client,
  launch,
  place,
  run,
  serve,
  until,
} from '../process/support.ts'
import { prng, seed } from '../support/chance.ts'
import { aesMacKey, type MacKey, tdesMacKey, withMac } from '../support/macs.ts'
import {
  dial,
  type Fields,
  framed,
  freePort,
  lineOf,
  nextStan,
  pans,
  pause,
  request,
  reversalOf,
} from './support.ts'

test('killed in a stream of 0200s, and all that were not answered sent again as 0201: one debit each', async (t) => {
  const { path } = place(t)
  const port = await freePort()
  const env = { CASHPOINT_ISO8583: `iso87a://localhost:${port}` }
  const chance = prng(seed)
  const answered = new Map<string, Fields>()
  const asked: Fields[] = []
  for (let round = 0; round < 3; round += 1) {
    const server = await serve(t, { path, env })
    const lines = await Promise.all(Array.from({ length: 4 }, () => dial(t, port)))
    const again = asked.filter((each) => !answered.has(each[11] ?? ''))
    // Also some that were answered: the machine did not hear it.
    const heard = asked.filter((each) => answered.has(each[11] ?? '') && chance(2) === 0)
    await Promise.all(
      [...again, ...heard].map(async (each, i) => {
        const fields = await lines[i % 4]?.ask('0201', each)
        assert.equal(fields?.[39], '00')
        const before = answered.get(each[11] ?? '')
        if (before !== undefined) assert.deepEqual(fields, before, 'the same answer for ever')
        if (fields !== undefined) answered.set(each[11] ?? '', fields)
      }),
    )
    const isLast = round === 2
    const fresh = Array.from({ length: 30 }, () => request('010000', 1000, { 2: pans.a }))
    asked.push(...fresh)
    const killAt = isLast ? Number.POSITIVE_INFINITY : answered.size + 1 + chance(20)
    await Promise.all(
      fresh.map(async (each, i) => {
        const answer = await lines[i % 4]?.send('0200', each)
        if (answer === undefined) return
        assert.equal(answer.fields[39], '00')
        answered.set(each[11] ?? '', answer.fields)
        if (answered.size === killAt) void server.kill()
      }),
    )
    if (isLast) {
      assert.equal(answered.size, 90)
      assert.equal(await new Client(server).balance('123456789'), 10_000)
      await server.stop()
    } else await server.exit
  }
  assertProvesHere(path)
})

test('a stock client has a day with the demo, and the first credential ends it', async (t) => {
  const { path } = place(t)
  const port = await freePort()
  const server = await serve(t, {
    path,
    env: { CASHPOINT_ISO8583: `iso87a://localhost:${port}?terminals=ATM*` },
  })
  const line = await dial(t, port)
  const said = (code: string, amount: number, more: Fields = {}): Fields => ({
    ...{ 2: pans.a, 3: code, 4: String(amount).padStart(12, '0'), 11: nextStan(), 41: 'ATM00001' },
    ...more,
  })
  assert.equal((await line.ask('0800', { 11: nextStan(), 41: 'ATM00001', 70: '001' }))[39], '00')
  const asked = said('010000', 6000)
  assert.equal((await line.ask('0200', asked))[39], '00')
  assert.equal((await line.ask('0201', asked))[39], '00')
  assert.equal(
    (await line.ask('0400', said('010000', 6000, { 90: asked[11]?.padStart(42, '0') ?? '' })))[39],
    '00',
  )
  const other = request('010000', 10_000, { 2: pans.a })
  assert.equal((await line.ask('0200', other))[39], '00')
  assert.equal((await line.ask('0420', reversalOf('0200', other, 4000)))[39], '00')
  const client = new Client(server)
  assert.equal(await client.balance('123456789'), 96_000)
  assert.equal((await line.ask('0520', { 11: nextStan(), 41: 'ATM00001' }))[66], '1')
  const metrics = (await client.ask('/metrics')).body
  assert.match(metrics, /cashpoint_iso8583_messages_total\{type="0200",answer="00"\} 2/)
  await client.post('/v1/credentials', '{"role":"admin","name":"ann"}')
  assert.equal((await line.ask('0200', said('010000', 1000)))[39], '58')
  await server.stop()
  await until('the line is closed', () => line.state.closed || line.state.ended)
  assertProvesHere(path)
})

test('in demo mode it listens by itself until there is a credential; a port that is taken is one warning', async (t) => {
  const { path } = place(t)
  const taken = createServer()
  // Also where this fails: a port that is kept would keep the process.
  t.after(() => void taken.close())
  const isFree = await new Promise<boolean>((resolve) => {
    taken.once('error', () => resolve(false))
    taken.listen(8583, '127.0.0.1', () => resolve(true))
  })
  const busy = await serve(t, { path, env: { CASHPOINT_ISO8583: '' } })
  const isTold = ({ log }: { readonly log: readonly string[] }) =>
    log.filter((line) => line.includes('its port cannot be had')).length
  await until('it is told', () => isTold(busy) === 1)
  assert.equal(await new Client(busy).balance('123456789'), 100_000)
  await busy.stop()
  if (!isFree) return
  await new Promise((resolve) => taken.close(resolve))
  const server = await serve(t, { path, env: { CASHPOINT_ISO8583: '' } })
  // Somebody else's test may have the port by now; what is told comes a little after the URL.
  await pause(300)
  if (isTold(server) > 0) return
  const line = await dial(t, 8583)
  assert.equal((await line.ask('0800', { 11: nextStan(), 70: '301' }))[39], '00')
  await new Client(server).post('/v1/credentials', '{"role":"admin","name":"ann"}')
  await until('the open line is closed', () => line.state.ended || line.state.closed)
  await assert.rejects(dial(t, 8583))
})

test('what is wrong with the setting is one line', async (t) => {
  const { path } = place(t)
  const start = (iso: string, more: Record<string, string> = {}) =>
    run(['serve', '--store', `sqlite:${path}`, '--port', '0'], { CASHPOINT_ISO8583: iso, ...more })
  assertOneLine(await start('iso87a://0.0.0.0:1'), 2, /beyond this machine.*CASHPOINT_ISO8583_PLAIN=1/)
  assertOneLine(await start('http://x'), 2, /CASHPOINT_ISO8583 must be such as/)
  assertOneLine(await start('iso87a://localhost?cert=/none&key=/none&ca=/none'), 2, /ENOENT/)
  const port = await freePort()
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve))
  t.after(() => void taken.close())
  const { child, exit, log } = launch(t, { path, env: { CASHPOINT_ISO8583: `iso87a://localhost:${port}` } })
  child.stdout.resume()
  assert.equal((await exit).code, 1)
  assert.match(log.join('\n'), /^cashpoint: ISO 8583 cannot listen on localhost:[0-9]+: EADDRINUSE$/)
})

test('a MAC key outlives a server that is killed, comes on the command line as well, and is proven', async (t) => {
  const { path } = place(t)
  const port = await freePort()
  const env = { CASHPOINT_ISO8583: `iso87a://localhost:${port}` }
  const code = async (message: Buffer) => (await lineOf(t, port).ask(message)).fields[39]
  const inquiry = (key?: MacKey) => {
    const fields = request('310000', undefined, { 2: pans.a })
    return key === undefined ? framed('0200', fields).subarray(4) : withMac(key, '0200', fields)
  }
  const heard = async () => [
    await code(inquiry()),
    await code(inquiry(tdesMacKey)),
    await code(inquiry(aesMacKey)),
  ]

  const server = await serve(t, { path, env })
  const given = await fetch(`${server.url}/v1/terminals/ATM00001/mac-key`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(tdesMacKey),
  })
  assert.equal(given.status, 204)
  await server.kill()
  const second = await serve(t, { path, env })
  assert.deepEqual(await heard(), ['30', '00', '30'])
  await second.stop()

  const put = (args: readonly string[], input = '') =>
    run(['terminals', 'mac-key', 'ATM00001', ...args, '--store', `sqlite:${path}`], {}, input)
  assert.deepEqual(await put(['--algorithm', 'aes', '--kcv', 'fde4fb'], `${aesMacKey.key}\n`), {
    code: 0,
    stdout: 'Terminal ATM00001 has the MAC key FDE4FB.\n',
    stderr: '',
  })
  const third = await serve(t, { path, env })
  assert.deepEqual(await heard(), ['30', '00', '00'])
  assert.deepEqual(
    await heard(),
    ['30', '30', '00'],
    'the one before ended with the first message under this one',
  )
  await third.stop()

  const none = await put(['--algorithm', 'none'])
  assert.deepEqual(none, { code: 0, stdout: 'Terminal ATM00001 has no MAC key.\n', stderr: '' })
  assertOneLine(await put(['--algorithm', 'des', '--kcv', '08D7B4'], aesMacKey.key), 2, /--algorithm must be/)
  assertOneLine(await put(['--algorithm', 'aes', '--kcv', '08D7B4'], aesMacKey.key), 2, /another check value/)
  assertOneLine(await put(['--algorithm', 'none', '--kcv', '08D7B4']), 2, /--kcv is of a key/)
  const pinKey = ['terminals', 'pin-key', 'ATM00001', '--algorithm', 'none', '--store', `sqlite:${path}`]
  assertOneLine(await run(pinKey, {}), 2, /--algorithm must be tdes or aes/)
  const last = await serve(t, { path, env })
  assert.deepEqual(await heard(), ['00', '00', '00'])
  await last.stop()
  assertProvesHere(path)
})

/** The line under attack and under load: nobody's bytes keep another's message from its answer. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { matchesAny, readAddresses } from '../../src/iso8583/address.ts'
import { Frames, frame } from '../../src/iso8583/framing.ts'
import { iso87a, type Message, parse } from '../../src/iso8583/message/index.ts'
import { dial, done, framed, nextStan, pause, raw, request, serveIso, until } from './support.ts'

const echo = (stan = nextStan()) => framed('0800', { 11: stan, 41: 'ATM00001', 70: '301' })

test('frames come in any pieces, and keep-alives are swallowed', async (t) => {
  const { dial, answers } = await serveIso(t)
  const line = await dial()
  for (const byte of echo('000001')) line.write(Buffer.from([byte]))
  line.write('0000')
  line.write(Buffer.concat([Buffer.from('0000'), echo('000002'), Buffer.from('00000000'), echo('000003')]))
  await until('all are answered', () => line.unasked.length === 3)
  assert.deepEqual(line.unasked.map(({ fields }) => fields[11]).sort(), ['000001', '000002', '000003'])
  await pause(50)
  assert.equal(line.frames.length, 3, 'a keep-alive is never answered')
  assert.equal(answers.length, 3)
})

test('a length that is none, or too large, closes the line at once and without a word', async (t) => {
  const { dial, logs } = await serveIso(t)
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '00x', '9999', '4097', '-001', '\x16\x03\x01\x00']) {
    const line = await dial()
    line.write(bytes)
    await until(`closed after ${bytes}`, () => line.state.closed || line.state.ended)
    assert.equal(line.frames.length, 0)
  }
  assert.ok(
    logs.every((line) => !line.includes('HTTP')),
    'what came is not told',
  )
  assert.equal(logs.length, 6)
})

test('half a frame has its time, and an idle line all of it', async (t) => {
  const { dial } = await serveIso(t, { line: { patienceMs: 200 } })
  const [idle, half, slow] = [await dial(), await dial(), await dial()]
  half.write('0050')
  const bytes = echo()
  let at = 0
  const drip = setInterval(() => slow.write(bytes.subarray(at, ++at)), 20)
  await until('half a frame is closed', () => half.state.closed || half.state.ended)
  await until('a slow one, too', () => slow.state.closed || slow.state.ended)
  clearInterval(drip)
  await pause(300)
  assert.equal((await idle.ask('0800', { 11: nextStan(), 70: '301' }))[39], '00')
})

test('half-closed: whoever has said all still has the answers', async (t) => {
  const { listener } = await serveIso(t)
  const socket = raw(t, listener.port)
  let got = Buffer.alloc(0)
  let ended = false
  socket.on('data', (chunk) => {
    got = Buffer.concat([got, chunk])
  })
  socket.on('end', () => {
    ended = true
  })
  const asked = Array.from({ length: 200 }, () => request('010000', 1000))
  socket.end(Buffer.concat(asked.slice(0, 90).map((each) => framed('0200', each))))
  await until('it is closed when all is answered', () => ended)
  const frames = new Frames('digits4', 4096)
  frames.put(got)
  const stans: string[] = []
  for (let taken = frames.take(); taken instanceof Buffer; taken = frames.take()) {
    const { fields } = parse(taken, iso87a) as Message
    assert.equal(fields[39], '00')
    stans.push(fields[11] ?? '')
  }
  assert.deepEqual(
    stans.sort(),
    asked
      .slice(0, 90)
      .map((each) => each[11])
      .sort(),
  )
})

test('hundreds at once on one line are all answered, in whatever order', async (t) => {
  const { dial, v1 } = await serveIso(t)
  const line = await dial()
  const asked = Array.from({ length: 95 }, () => request('010000', 1000))
  const echoes = Array.from({ length: 300 }, () => ({ 11: nextStan(), 70: '301' }))
  const answers = await Promise.all([
    ...asked.map((each) => line.ask('0200', each)),
    ...echoes.map((each) => line.ask('0800', each)),
  ])
  assert.ok(answers.every((each) => each[39] === '00'))
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 100_000 - 95_000)
})

test('whoever takes no answers is read no further, then closed; others do not notice', async (t) => {
  const { listener, dial } = await serveIso(t, { line: { patienceMs: 500 } })
  const deaf = raw(t, listener.port)
  let closed = false
  deaf.on('close', () => {
    closed = true
  })
  deaf.pause()
  // Without a terminal, which the host would look at each time: it is to be fast.
  const clock = { 7: '1123010000', 12: '010000', 13: '1123' }
  const unnamed = () => framed('0800', { ...clock, 11: nextStan(), 70: '301' })
  const many = Buffer.concat(Array.from({ length: 2_000 }, unnamed))
  let sent = 0
  // As long as the kernel takes it; beyond that it is ours to stop reading.
  const pour = () => {
    while (!closed && sent < 100 && deaf.write(many)) sent += 1
    sent += 1
    if (!closed && sent < 100) deaf.once('drain', pour)
  }
  pour()
  const line = await dial()
  for (let i = 0; i < 20; i += 1) {
    const startMs = performance.now()
    assert.equal((await line.ask('0800', { 11: nextStan(), 70: '301' }))[39], '00')
    assert.ok(performance.now() - startMs < 1_000)
    await pause(20)
  }
  await until('the deaf one is closed', () => listener.connections === 1, 10_000)
})

test('a thousand idle lines, and one that works', async (t) => {
  const { listener, dial } = await serveIso(t)
  const idle = Array.from({ length: 1_000 }, () => raw(t, listener.port))
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  await until('all are there', () => listener.connections === 1_000)
  const before = process.memoryUsage().heapUsed
  const line = await dial()
  assert.equal((await line.ask('0200', request('010000', 1000)))[39], '00')
  assert.ok(process.memoryUsage().heapUsed - before < 50_000_000)
  for (const socket of idle) socket.destroy()
  await until('all are gone', () => listener.connections === 1)
})

test('a socket that dies between question and answer undoes nothing', async (t) => {
  const { dial, v1 } = await serveIso(t)
  const asked = request('010000', 6000)
  const line = await dial()
  line.write(framed('0200', asked))
  line.socket.destroy()
  const next = await dial()
  assert.equal((await next.ask('0201', asked))[39], '00')
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 94_000)
})

test('stopping answers what was asked, and lets nobody in', async (t) => {
  const { dial, listener, onlookers } = await serveIso(t)
  const line = await dial()
  const seen = onlookers.follow(50)
  await seen.next()
  const answers = Promise.all(Array.from({ length: 20 }, () => line.ask('0200', request('010000', 1000))))
  // What the listener has not read was not asked, however long ago it was sent.
  for (let read = 0; read < 20; ) {
    const next = await seen.next()
    assert(!next.done)
    read += next.value.passed.filter(({ direction }) => direction === 'received').length
  }
  await seen.return(undefined)
  await listener.close()
  assert.ok((await answers).every((each) => each[39] === '00'))
  await assert.rejects(dial())
})

test('two bytes of length, where a listener says so', async (t) => {
  const { listener } = await serveIso(t, { address: '?framing=be16' })
  const socket = raw(t, listener.port)
  const message = echo('000007').subarray(4)
  socket.write(Buffer.concat([Buffer.from([0, 0]), frame(message, 'be16') ?? Buffer.alloc(0)]))
  const [chunk] = await new Promise<[Buffer]>((resolve) => socket.once('data', (chunk) => resolve([chunk])))
  assert.equal(chunk.readUInt16BE(0), chunk.length - 2)
  assert.equal(chunk.toString('latin1', 2, 6), '0810')
})

test('random bytes never stop the listener', async (t) => {
  const { listener, dial } = await serveIso(t)
  const { prng, seed } = await import('../support/chance.ts')
  const chance = prng(seed)
  const good = framed('0200', request('010000', 1000))
  for (let i = 0; i < 200; i += 1) {
    const socket = raw(t, listener.port)
    const bytes = Buffer.from(good)
    for (let times = chance(4); times >= 0; times -= 1) bytes[4 + chance(bytes.length - 4)] = chance(256)
    socket.end(bytes.subarray(0, chance(2) === 0 ? bytes.length : chance(bytes.length)))
  }
  await until('all are gone', () => listener.connections === 0, 10_000)
  const line = await dial()
  assert.equal((await line.ask('0800', { 11: nextStan(), 70: '301' }))[39], '00')
})

test('addresses as operators write them', () => {
  const [one, two] = readAddresses(
    'iso87a://localhost:8583?terminals=ATM*,B1 base24://[::1]:9?framing=be16&strict=1',
  )
  assert.deepEqual(
    [one?.host, one?.port, one?.terminals, one?.spec.name, one?.framing, one?.strict],
    ['localhost', 8583, ['ATM*', 'B1'], 'iso87a', 'digits4', false],
  )
  assert.deepEqual(
    [two?.host, two?.port, two?.terminals, two?.spec.name, two?.framing, two?.strict],
    ['::1', 9, ['*'], 'base24', 'be16', true],
  )
  assert.deepEqual(readAddresses('iso87a://h')[0]?.port, 8583)
  for (const [text, says] of [
    ['http://localhost', /must be such as/],
    ['localhost:8583', /must be such as/],
    ['iso87a://h?terminal=A', /knows no terminal/],
    ['iso87a://h?framing=be32', /framing/],
    ['iso87a://h?strict=yes', /strict/],
    ['iso87a://h?terminals=a-b', /terminals/],
    ['iso87a://h?cert=/c', /together/],
  ] as const)
    assert.throws(() => readAddresses(text), says)
  assert.ok(matchesAny(['ATM*'], 'ATM00001') && !matchesAny(['ATM*'], 'XATM1') && !matchesAny([], 'ATM1'))
})

test('TLS lets in whose certificate is signed, to say what its name may', async (t) => {
  const at = mkdtempSync(join(tmpdir(), 'cashpoint-tls-'))
  t.after(() => rmSync(at, { recursive: true }))
  const file = (name: string) => join(at, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore', cwd: at })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  for (const ca of ['ca', 'other'])
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      `${ca}.key`,
      '-out',
      `${ca}.pem`,
      '-subj',
      `/CN=${ca}`,
      '-days',
      '2',
    )
  const sign = (name: string, ca: string) => {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${ca}.pem`,
      '-CAkey',
      `${ca}.key`,
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
      '-days',
      '2',
    )
  }
  sign('host', 'ca')
  sign('west', 'ca')
  sign('nobody', 'ca')
  sign('forged', 'other')
  const { listener } = await serveIso(t, {
    address: `?client.west=ATM*&cert=${file('host.pem')}&key=${file('host.key')}&ca=${file('ca.pem')}`,
  })
  const { readFileSync } = await import('node:fs')
  const ask = (name: string | undefined, fields: Record<number, string>) =>
    new Promise<string | undefined>((resolve) => {
      const own =
        name === undefined
          ? {}
          : { cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) }
      const socket = connectTls({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false, ...own })
      socket.on('error', () => resolve(undefined))
      socket.on('close', () => resolve(undefined))
      socket.on('data', (chunk) => resolve((parse(chunk.subarray(4), iso87a) as Message).fields[39]))
      socket.write(framed('0200', fields))
      t.after(() => void socket.destroy())
    })
  assert.equal(await ask('west', request('010000', 1000)), '00')
  assert.equal(await ask('nobody', request('010000', 1000)), '58')
  assert.equal(await ask('forged', request('010000', 1000)), undefined)
  assert.equal(await ask(undefined, request('010000', 1000)), undefined)
  const plain = await dial(t, listener.port)
  plain.write(echo())
  await until('plain text is closed', () => plain.state.closed || plain.state.ended)
})

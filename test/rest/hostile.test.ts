// Requests that are made so that two servers would read them differently, bodies that lie about themselves, and clients
// that break off: each has its answer, what it meant to smuggle in is not done, and what was asked for is done once.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'
import { type Answer, balanceOf, Connection, checkProblem, pause, requestBytes, serve } from './support.ts'

const cashpoint = await serve({ after }, { host: 'localhost', accounts: { a: 100_000_000 } })
const { get, post } = cashpoint

const malformed = { status: 400, code: 'malformed_request', error: 'Malformed request' }
const money = '{"amount":1}'
const json = 'content-type: application/json\r\n'
const head = `POST /accounts/a/deposit HTTP/1.1\r\nhost: localhost\r\n${json}`
const sized = `content-length: ${money.length}\r\n\r\n${money}`
const chunked = (chunks: string, encoding = 'chunked') => `transfer-encoding: ${encoding}\r\n\r\n${chunks}`
const whole = `c\r\n${money}\r\n0\r\n\r\n`

/** What a proxy might take for a part of the request before it. */
const smuggled = requestBytes('POST', '/accounts/smuggled/deposit', { body: money })

/** Sends this with another request behind it; gives all answers until the server closes. */
async function sendWithMore(text: string): Promise<Answer[]> {
  const connection = await Connection.open(cashpoint.port)
  connection.write(Buffer.concat([Buffer.from(text, 'latin1'), smuggled]))
  const answers: Answer[] = []
  for (let answer = await connection.answer(); answer; answer = await connection.answer())
    answers.push(answer)
  assert.equal(await connection.closed(), '', 'nothing comes beside whole answers')
  return answers
}

const ambiguous: Record<string, string> = {
  'a length and chunks': `${head}content-length: 12\r\n${chunked(whole)}`,
  'chunks and a length': `${head}transfer-encoding: chunked\r\n${sized}`,
  'two lengths': `${head}content-length: 12\r\n${sized}`,
  'two lengths that differ': `${head}content-length: 0\r\n${sized}`,
  'two lengths in one line': `${head}content-length: 12, 12\r\n\r\n${money}`,
  'a length beyond all numbers': `${head}content-length: 18446744073709551628\r\n\r\n${money}`,
  'an encoding that nobody knows': `${head}${chunked(whole, 'xchunked')}`,
  'an encoding before the chunks': `${head}${chunked(whole, 'gzip, chunked')}`,
  'an encoding in a line of its own before the chunks': `${head}transfer-encoding: identity\r\n${chunked(whole)}`,
  'chunks in chunks': `${head}transfer-encoding: chunked\r\n${chunked(whole)}`,
  'chunks that are not last': `${head}${chunked(whole, 'chunked, identity')}`,
  'chunks with a parameter': `${head}${chunked(whole, 'chunked;x=1')}`,
  'chunks in quotes': `${head}${chunked(whole, '"chunked"')}`,
  'chunks behind a vertical tab': `${head}${chunked(whole, '\x0bchunked')}`,
  'chunks under HTTP/1.0': `${head.replace('1.1', '1.0')}${chunked(whole)}`,
  'a space before the colon': `${head}content-length : 12\r\n\r\n${money}`,
  'a space before the colon of chunks': `${head}transfer-encoding : chunked\r\n${sized}`,
  'bare line feeds': `${head.replaceAll('\r\n', '\n')}content-length: 12\n\n${money}`,
  'a bare carriage return': `${head}x: a\rcontent-length: 0\r\n${sized}`,
  'a folded header': `${head}x: a\r\n transfer-encoding: chunked\r\n${sized}`,
  'no host': `${head.replace('host: localhost\r\n', '')}${sized}`,
  'two hosts': `${head}host: localhost\r\n${sized}`,
  'two hosts, spelled differently': `${head}HOST: evil.example\r\n${sized}`,
  'a target of another host': `${head.replace('/accounts', 'http://evil.example/accounts')}${sized}`,
  'a target of another port': `${head.replace('/accounts', 'http://localhost:1/accounts')}${sized}`,
  'no version': 'POST /accounts/a/deposit\r\n\r\n',
  'a chunk extension with a bare line feed': `${head}${chunked(`c;a\n${money}\r\n0\r\n\r\n`)}`,
  'a chunk extension without an end': `${head}${chunked(`c;${'a'.repeat(20_000)}\r\n${money}\r\n0\r\n\r\n`)}`,
  'a chunk size that overflows': `${head}${chunked(`1000000000000000c\r\n${money}\r\n0\r\n\r\n`)}`,
  'a chunk size below zero': `${head}${chunked(`-c\r\n${money}\r\n0\r\n\r\n`)}`,
  'a chunk size with 0x': `${head}${chunked(`0xc\r\n${money}\r\n0\r\n\r\n`)}`,
  'a chunk longer than it says': `${head}${chunked(`b\r\n${money}\r\n0\r\n\r\n`)}`,
  'a length among the trailers': `${head}${chunked(`c\r\n${money}\r\n0\r\ncontent-length: 5\r\n\r\n`)}`,
}

test('what two servers would read differently is refused, closed, and nothing behind it is done', async () => {
  const before = await balanceOf(cashpoint, 'a')
  const onV1 = (text: string) =>
    text.replace('/accounts/a/deposit', '/v1/deposits').replaceAll(money, '{}'.padEnd(money.length))
  for (const [what, text] of Object.entries(ambiguous))
    for (const request of [text, onV1(text)]) {
      const [answer, ...more] = await sendWithMore(request)
      assert.ok(answer, what)
      checkProblem(answer, malformed, what)
      assert.equal(answer.headers.get('connection'), 'close', what)
      assert.deepEqual(more, [], what)
      assert.equal(await balanceOf(cashpoint, 'smuggled'), '404', `${what}: what is behind it is done`)
    }
  assert.equal(await balanceOf(cashpoint, 'a'), before)
})

test('what comes before something ambiguous is answered, and done once', async () => {
  const connection = await Connection.open(cashpoint.port)
  const good = requestBytes('POST', '/accounts/before/deposit', { body: money })
  connection.write(Buffer.concat([good, Buffer.from(`${ambiguous['two hosts']}`), smuggled]))
  assert.match((await connection.answer())?.body ?? '', /"new_balance":1\.00/)
  const refused = await connection.answer()
  assert.ok(refused)
  checkProblem(refused, malformed)
  assert.equal(await connection.closed(), '')
  assert.equal(await balanceOf(cashpoint, 'before'), '1.00')
  assert.equal(await balanceOf(cashpoint, 'smuggled'), '404')
})

test('what everybody reads alike is read, and what follows it is a request of its own', async () => {
  const target = `http://localhost/accounts/fair/deposit`
  const fair = {
    'chunks by their other names': `${head}transfer-encoding:\tCHUNKED\r\n\r\n${whole}`,
    'a chunk extension': `${head}${chunked(`c;a=b\r\n${money}\r\n0\r\n\r\n`)}`,
    'a body of a GET': `GET /accounts/a/balance HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`,
    'the whole URL of this host': `${head.replace('/accounts/a/deposit', target)}${sized}`,
  }
  for (const [i, [what, text]] of Object.entries(fair).entries()) {
    const connection = await Connection.open(cashpoint.port)
    const next = requestBytes('POST', '/accounts/next/deposit', { body: money })
    connection.write(Buffer.concat([Buffer.from(text), next]))
    assert.equal((await connection.answer())?.status, 200, what)
    assert.match((await connection.answer())?.body ?? '', new RegExp(`"new_balance":${i + 1}\\.00`), what)
    connection.close()
  }
  assert.equal(await balanceOf(cashpoint, 'fair'), '1.00')
  assert.equal(await balanceOf(cashpoint, 'smuggled'), '404')
})

test('a whole URL does not get around what its path is refused', async () => {
  const connection = await Connection.open(cashpoint.port)
  const headers = { origin: 'http://atm.example' }
  const answer = await connection.call('GET', 'http://localhost/v1/accounts', { headers })
  connection.close()
  assert.equal(answer?.status, 403)
  assert.equal(JSON.parse(answer?.body ?? '').code, 'not_local')
})

test('what is refused by hand is closed soon, also where the other side never closes its own', async (t) => {
  const { port, app } = await serve(t)
  const open = () => new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)))
  const deaf = Array.from({ length: 20 }, () => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.on('error', () => {})
    socket.write('GARBAGE\r\n\r\n')
    return socket.resume()
  })
  t.after(() => {
    for (const socket of deaf) socket.destroy()
  })
  for (let tries = 0; (await open()) < deaf.length && tries < 50; tries += 1) await pause(10)
  let left = deaf.length
  for (let tries = 0; left > 0 && tries < 40; tries += 1) {
    await pause(100)
    left = await open()
  }
  assert.equal(left, 0, 'connections that are still open')
})

const unsupported = {
  status: 415,
  code: 'media_type_unsupported',
  error: 'Content-Type must be application/json, in UTF-8 and not compressed',
}
const unreadable = { status: 400, code: 'malformed_body', error: 'Malformed JSON body' }
const invalid = { status: 400, code: 'invalid_request', error: 'Invalid request' }
const tooLong = { status: 413, code: 'body_too_large', error: 'Request body is too large' }

test('/v1 refuses bodies that lie about themselves, at every depth', async () => {
  const operation = '"type":"deposit","account":"lie","amount":1,"currency":"USD"'
  const batch = (...operations: string[]) => `{"operations":[${operations.map((o) => `{${o}}`).join(',')}]}`
  const good = batch(operation)
  const size = 2 ** 20
  const bodies: [string, string | Buffer, typeof unreadable, Record<string, string>?][] = [
    ['gzip', good, unsupported, { 'content-encoding': 'gzip' }],
    ['gzip among others', good, unsupported, { 'content-encoding': 'identity, gzip' }],
    ['utf-16', good, unsupported, { 'content-type': 'application/json; charset=utf-16' }],
    ['utf-16 that does not say so', Buffer.from(good, 'utf16le'), unreadable],
    ['a byte order mark', `\ufeff${good}`, unreadable],
    ['NUL', `${good}\0`, unreadable],
    ['NUL in a text', good.replace('lie', 'l\0e'), unreadable],
    ['a member twice', batch(`${operation},"amount":2`), invalid],
    ['a member twice, alike', batch(`${operation},"amount":1`), invalid],
    ['a member twice, the second escaped', batch(`${operation},"\\u0061mount":1`), invalid],
    [
      'a member twice, the first escaped',
      batch(`${operation.replace('amount', '\\u0061\\u006dount')},"amount":1`),
      invalid,
    ],
    ['a member twice in the second operation', batch(operation, `${operation},"type":"hold"`), invalid],
    ['a member twice in metadata', batch(`${operation},"metadata":{"x":"1","\\u0078":"2"}`), invalid],
    ['operations twice', `${good.slice(0, -1)},"operations":[]}`, invalid],
    ['a hundred thousand arrays', `{"operations":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, invalid],
    [
      'a hundred thousand objects',
      `{"operations":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      invalid,
    ],
    ['a hundred thousand arrays that never end', '['.repeat(100_000), unreadable],
    ['half of a surrogate', batch(operation.replace('lie', '\\ud800')), invalid],
    ['bytes that are no UTF-8', Buffer.from(good.replace('lie', '\xff\xfe'), 'latin1'), invalid],
    ['one byte too many', good.padEnd(size + 1), tooLong],
  ]
  for (const [what, body, problem, headers] of bodies) {
    const { status, body: text } = await post('/v1/batches', body, headers ?? {})
    const { code } = JSON.parse(text)
    assert.deepEqual({ status, code }, { status: problem.status, code: problem.code }, `${what}: ${text}`)
  }
  await post('/v1/accounts', '{"number":"lie"}')
  assert.match((await get('/v1/accounts/lie/balance')).body, /"ledger":0,/)
  assert.equal((await post('/v1/batches', good.padEnd(size))).status, 200, 'one byte less')
})

test(`a client that resets its connection has asked once or not at all, and its key tells which (SEED=${seed})`, async () => {
  const chance = prng(seed)
  const rounds = times(60, 1_000)
  let unasked = 0
  await post('/accounts/reset/deposit', '{"amount":100000}')
  for (let round = 0; round < rounds; round += 1) {
    const headers = { 'idempotency-key': `reset-${round}` }
    const bytes = requestBytes('POST', '/accounts/reset/withdraw', { body: money, headers })
    const cut = chance(4) === 0 ? chance(bytes.length) : bytes.length
    await sendAndReset(bytes.subarray(0, cut), chance(3))
    const again = await post('/accounts/reset/withdraw', money, headers)
    assert.equal(again.status, 200, again.body)
    if (cut < bytes.length) {
      assert.equal(again.headers.get('idempotency-replayed'), null, 'half a request does nothing')
      unasked += 1
    }
  }
  assert.ok(0 < unasked && unasked < rounds)
  assert.equal(await balanceOf(cashpoint, 'reset'), `${100_000 - rounds}.00`, 'each has one effect')
})

async function sendAndReset(bytes: Buffer, afterMs: number): Promise<void> {
  const socket = connect(cashpoint.port, '127.0.0.1').on('error', () => {})
  await new Promise((resolve) => socket.write(bytes, resolve))
  if (afterMs > 0) await pause(afterMs)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.resetAndDestroy()
  await closed
}

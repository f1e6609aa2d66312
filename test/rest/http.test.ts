// HTTP itself: limits, malformed requests, headers, health, listening and stopping.

import assert from 'node:assert/strict'
import { createServer as createTcpServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Bank } from '../../src/bank/bank.ts'
import { systemClock } from '../../src/bank/clock.ts'
import { listen } from '../../src/rest/listen.ts'
import { ListenError } from '../../src/rest/listen-error.ts'
import { httpLimits, stalledSocketMs } from '../../src/rest/server.ts'
import {
  type Answer,
  balanceOf,
  Connection,
  checkProblem,
  holdWriteLock,
  pause,
  quietApp,
  requestBytes,
  serve,
  stubStore,
} from './support.ts'

const malformed = { status: 400, code: 'malformed_request', error: 'Malformed request' }
const tookTooLong = { status: 408, code: 'request_timeout', error: 'Request took too long to arrive' }

const ipv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
const hosts = ipv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']

// Shorter here, so that nobody waits for them; those of every day are looked at by themselves.
const everyDay = { ...httpLimits }
Object.assign(httpLimits, { requestTimeout: 1_500, headersTimeout: 1_000, connectionsCheckingInterval: 100 })

const cashpoint = await serve({ after }, { host: 'localhost', accounts: { a: 10_000_000 } })
const { get, post, call } = cashpoint

const deposit = { body: '{"amount":1}' }

/** Sends what stands there and waits until the server closes; gives the answers, which must be all that came. */
async function exchange(text: string | Buffer): Promise<Answer[]> {
  const connection = await Connection.open(cashpoint.port)
  connection.write(text)
  const answers: Answer[] = []
  for (let answer = await connection.answer(); answer; answer = await connection.answer())
    answers.push(answer)
  assert.equal(await connection.closed(), '', 'nothing comes beside whole answers')
  return answers
}

// The slow clients start first, and are looked at last: meanwhile they run into the limits.
const slow = { headers: hosts.map(sendHeadersSlowly), body: hosts.map(sendBodySlowly) }

type Cut = { readonly answer: Answer | undefined; readonly afterMs: number }

function sendHeadersSlowly(host: string): Promise<Cut> {
  const endless = `x-${'x'.repeat(1_000)}`
  return sendSlowly(host, 'POST /accounts/slow/deposit HTTP/1.1\r\nhost: localhost\r\n', endless)
}

function sendBodySlowly(host: string): Promise<Cut> {
  const head = requestBytes('POST', '/accounts/slow/deposit', { body: `{"amount":1}${' '.repeat(1_000)}` })
  return sendSlowly(host, head.subarray(0, -1_000).toString(), ' '.repeat(999))
}

/** A byte every 100 ms, until the server has had enough, or six seconds have gone. */
async function sendSlowly(host: string, first: string, rest: string): Promise<Cut> {
  const connection = await Connection.open(cashpoint.port, host)
  const startedMs = performance.now()
  connection.write(first)
  let at = 0
  const drip = setInterval(() => connection.write(rest[at++] ?? ''), 100)
  const end = setTimeout(() => connection.close(), 6_000)
  const answer = await connection.answer()
  const afterMs = performance.now() - startedMs
  await connection.closed()
  clearInterval(drip)
  clearTimeout(end)
  return { answer, afterMs }
}

test('the limits are short, and that of the headers is the shorter', () => {
  const { requestTimeout, headersTimeout, connectionsCheckingInterval } = everyDay
  assert.ok(0 < headersTimeout && headersTimeout < requestTimeout && requestTimeout <= 10_000)
  assert.ok(connectionsCheckingInterval <= 1_000)
  assert.ok(cashpoint.app.server.timeout === stalledSocketMs && stalledSocketMs <= 30_000)
})

test('a body that comes a byte at a time is read as if it had come whole', async () => {
  const metadata = { who: 'é😀' }
  const body = Buffer.from(JSON.stringify({ number: 'bytes', currency: 'USD', metadata }))
  const head = 'host: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked'
  const connection = await Connection.open(cashpoint.port)
  connection.write(`POST /v1/accounts HTTP/1.1\r\n${head}\r\n\r\n`)
  for (const byte of body) connection.write(Buffer.of(0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a))
  connection.write('0\r\n\r\n')
  assert.equal((await connection.answer())?.status, 201)
  connection.close()
  assert.deepEqual(JSON.parse((await get('/v1/accounts/bytes')).body).metadata, metadata)
})

test('what is not HTTP is refused, and the connection closed', async () => {
  const post = 'POST /accounts/a/deposit HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'
  const body = '{"amount":1}'
  const before = await balanceOf(cashpoint, 'a')
  const requests = {
    'no request': 'GARBAGE\r\n\r\n',
    'a method that nobody knows': 'FOO / HTTP/1.1\r\nhost: localhost\r\n\r\n',
    'a version that nobody knows': 'GET / HTTP/9.9\r\nhost: localhost\r\n\r\n',
    TLS: Buffer.from('16030100a5010000a1030374', 'hex'),
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a length and chunks': `${post}content-length: 12\r\ntransfer-encoding: chunked\r\n\r\nc\r\n${body}\r\n0\r\n\r\n`,
    'chunks and a length': `${post}transfer-encoding: chunked\r\ncontent-length: 12\r\n\r\n${body}`,
    'two lengths': `${post}content-length: 12\r\ncontent-length: 12\r\n\r\n${body}`,
    'two lengths that differ': `${post}content-length: 12\r\ncontent-length: 13\r\n\r\n${body} `,
    'a length that is none': `${post}content-length: 0x0c\r\n\r\n${body}`,
    'a length below zero': `${post}content-length: -1\r\n\r\n${body}`,
    'a length with a sign': `${post}content-length: +12\r\n\r\n${body}`,
    'an encoding that nobody knows': `${post}transfer-encoding: gzip\r\n\r\n${body}`,
    'chunked, but not last': `${post}transfer-encoding: chunked, identity\r\n\r\nc\r\n${body}\r\n0\r\n\r\n`,
    'a space before the colon': `${post}content-length : 12\r\n\r\n${body}`,
    'a folded header': `${post}x: a\r\n b\r\ncontent-length: 12\r\n\r\n${body}`,
    'bare line feeds': `${post.replaceAll('\r\n', '\n')}content-length: 12\n\n${body}`,
    'a chunk size that is none': `${post}transfer-encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`,
    'a chunk longer than it says': `${post}transfer-encoding: chunked\r\n\r\n5\r\n${body}\r\n0\r\n\r\n`,
    'NUL in a header': `${post}x: a\0b\r\ncontent-length: 12\r\n\r\n${body}`,
    'a space in the path': 'GET /accounts /a HTTP/1.1\r\nhost: localhost\r\n\r\n',
    'two hosts': `${post}host: y\r\ncontent-length: 12\r\n\r\n${body}`,
  }
  for (const [what, text] of Object.entries(requests)) {
    const [answer, ...more] = await exchange(text)
    assert.ok(answer, what)
    checkProblem(answer, malformed, what)
    assert.equal(answer.headers.get('connection'), 'close', what)
    assert.deepEqual(more, [], what)
  }
  // Node answers this one by itself.
  const [noHost] = await exchange(`POST /accounts/a/deposit HTTP/1.1\r\ncontent-length: 12\r\n\r\n${body}`)
  assert.equal(noHost?.status, 400)
  assert.equal(await balanceOf(cashpoint, 'a'), before)
})

test('headers have 16 KiB', async () => {
  const headers = (length: number) => ({ connection: 'close', x: 'x'.repeat(length) })
  const [fits] = await exchange(requestBytes('GET', '/healthz', { headers: headers(15_000) }))
  assert.equal(fits?.status, 200)

  const overflow = { status: 431, code: 'headers_too_large', error: 'Request headers are too large' }
  for (const request of [
    requestBytes('POST', '/accounts/a/deposit', { ...deposit, headers: headers(17_000) }),
    requestBytes('GET', `/accounts/${'a'.repeat(17_000)}/balance`),
  ]) {
    const [answer] = await exchange(request)
    assert.ok(answer)
    checkProblem(answer, overflow)
  }
})

test('requests in one breath are answered in their order', async () => {
  const requests = [
    requestBytes('POST', '/accounts/breath/deposit', { body: '{"amount":5}' }),
    requestBytes('GET', '/accounts/a/balance?simple=true'),
    requestBytes('POST', '/accounts/breath/withdraw', { body: '{"amount":6}' }),
    requestBytes('PUT', '/accounts/breath/withdraw', { body: '{"amount":6}' }),
    requestBytes('GET', '/nowhere'),
    requestBytes('POST', '/accounts/breath/withdraw', { body: '{"amount":2}' }),
    requestBytes('GET', '/accounts?limit=1'),
    requestBytes('GET', '/', { headers: { connection: 'close' } }),
  ]
  const answers = await exchange(Buffer.concat(requests))

  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 400, 405, 404, 200, 200, 200],
  )
  assert.match(answers[0]?.body ?? '', /"deposited_amount":5\.00,"new_balance":5\.00/)
  assert.match(answers[2]?.body ?? '', /Insufficient balance/)
  assert.match(answers[5]?.body ?? '', /"withdrawn_amount":2\.00,"new_balance":3\.00/)
  assert.match(answers[7]?.body ?? '', /"status":"running"/)
  assert.equal(await balanceOf(cashpoint, 'breath'), '3.00')
})

test('what follows a request and is not HTTP does not take its answer away', async (t) => {
  const cashpoint = await serve(t, { accounts: { a: 10_000 } })
  const release = await holdWriteLock(cashpoint)
  const connection = await Connection.open(cashpoint.port)
  const withdraw = requestBytes('POST', '/accounts/a/withdraw', deposit)
  connection.write(Buffer.concat([withdraw, withdraw, Buffer.from('GARBAGE\r\n\r\n')]))
  const first = connection.answer()
  const early = await Promise.race([first, pause(200)])
  await release()
  assert.equal(early, undefined, 'nothing is said before the commit')

  assert.match((await first)?.body ?? '', /"new_balance":99\.00/)
  const second = await connection.answer()
  const third = await connection.answer()
  assert.equal(await connection.closed(), '')
  assert.equal(await balanceOf(cashpoint, 'a'), '98.00')
  assert.match(second?.body ?? '', /"new_balance":98\.00/)
  assert.ok(third)
  checkProblem(third, malformed)
})

test('a client that leaves before its answer finds out by its key, and pays once', async () => {
  const request = { ...deposit, headers: { 'idempotency-key': 'left' } }
  const connection = await Connection.open(cashpoint.port)
  connection.write(requestBytes('POST', '/accounts/left/deposit', request))
  connection.finish()
  await connection.closed()
  const again = await post('/accounts/left/deposit', request.body, request.headers)
  assert.match(again.body, /"new_balance":1\.00,.*"account_created":true/)
  assert.equal(await balanceOf(cashpoint, 'left'), '1.00')
})

test('a client that leaves in the middle of a body has asked for nothing', async () => {
  const connection = await Connection.open(cashpoint.port)
  connection.write(requestBytes('POST', '/accounts/gone/deposit', deposit).subarray(0, -1))
  await pause(50)
  connection.close()
  await pause(50)
  assert.equal(await balanceOf(cashpoint, 'gone'), '404')
})

test('a request id is the client’s where it is fit for a log, else one of ours', async () => {
  const fit = ['abc', 'A-1_b.2', '0', 'x'.repeat(64)]
  const unfit = ['', 'x'.repeat(65), 'a b', 'a"b', 'a/b', '<b>', 'a;b', 'ä', '{}', 'a\tb']
  const ours = new Set<string>()
  const connection = await Connection.open(cashpoint.port)
  for (const id of [...fit, ...unfit]) {
    const answer = await connection.call('GET', '/accounts/none/balance', { headers: { 'x-request-id': id } })
    const given = answer?.headers.get('x-request-id') ?? ''
    if (fit.includes(id)) assert.equal(given, id)
    else {
      assert.match(given, /^[a-z0-9]+-[a-z0-9]+$/, JSON.stringify(id))
      ours.add(given)
    }
  }
  connection.close()
  assert.equal(ours.size, unfit.length, 'no id twice')
  for (const answer of [
    await get('/'),
    await get('/nowhere'),
    await call('PUT', '/'),
    await post('/accounts/a/deposit', '{'),
  ])
    assert.match(answer.headers.get('x-request-id') ?? '', /^[a-z0-9]+-[a-z0-9]+$/)
})

test('every request is one line in the log, with no body and no query', async (t) => {
  const logLines: string[] = []
  const { post, call } = await serve(t, { logLines })
  await post('/accounts/1/deposit?simple=secret', '{"amount":12345}', { 'x-request-id': 'one' })
  await call('GET', '/accounts/%0d%0ax%3a/balance', { headers: { 'x-request-id': 'two' } })
  await until(() => logLines.length === 2)

  const lines = logLines.map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ id, method, path, status }) => ({ id, method, path, status })),
    [
      { id: 'one', method: 'POST', path: '/accounts/1/deposit', status: 200 },
      { id: 'two', method: 'GET', path: '/accounts/%0d%0ax%3a/balance', status: 400 },
    ],
  )
  assert.ok(logLines.every((line) => !/secret|12345/.test(line) && line.indexOf('\n') === line.length - 1))
})

test('in demo mode, pages of any origin may call the original routes', async () => {
  const origin = { origin: 'http://atm.example' }
  for (const answer of [
    await get('/accounts/a/balance', origin),
    await get('/accounts/none/balance', origin),
    await post('/accounts/a/deposit', '{', origin),
    await post('/accounts/a/deposit', '{"amount":1}', { ...origin, 'content-type': 'text/plain' }),
    await call('PUT', '/accounts', { headers: origin }),
  ]) {
    assert.equal(answer.headers.get('access-control-allow-origin'), '*', answer.body)
    const exposed = answer.headers.get('access-control-expose-headers')?.toLowerCase().split(/, ?/)
    for (const name of ['idempotency-replayed', 'link', 'retry-after'])
      assert.ok(exposed?.includes(name), name)
  }

  const preflight = await call('OPTIONS', '/accounts/a/deposit', {
    headers: {
      ...origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type, idempotency-key',
    },
  })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /\bGET\b.*\bPOST\b/)
  assert.equal(preflight.headers.get('access-control-allow-headers'), 'content-type, idempotency-key')
})

test('in demo mode, pages of other origins may not call /v1, not even without reading the answer', async () => {
  const origin = { origin: 'http://atm.example' }
  const preflight = { ...origin, 'access-control-request-method': 'POST' }
  for (const answer of [
    await get('/v1/accounts', origin),
    await post('/v1/holds/1-1/void', '{}', origin),
    await call('OPTIONS', '/v1/deposits', { headers: preflight }),
    await get('/accountsx', origin),
  ]) {
    assert.ok(answer.status >= 400, answer.body)
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
  }
  const denied = { status: 403, code: 'not_local', error: 'Demo mode serves this machine only' }
  checkProblem(await post('/v1/holds/1-1/void', undefined, origin), denied)
  assert.equal((await get('/v1/accounts', { origin: 'http://localhost:3000' })).status, 200)
})

test('outside demo mode, pages of other origins may not', async (t) => {
  const { get, call } = await serve(t, { demo: false, accounts: { a: 100 } })
  const headers = { origin: 'http://atm.example', 'access-control-request-method': 'POST' }
  const preflight = await call('OPTIONS', '/accounts/a/deposit', { headers })

  checkProblem(preflight, { status: 405, code: 'method_not_allowed', error: 'Method not allowed' })
  assert.equal(preflight.headers.get('allow'), 'POST')
  for (const answer of [preflight, await get('/accounts/a/balance', headers), await get('/nowhere', headers)])
    assert.deepEqual(
      [...answer.headers.keys()].filter((name) => name.startsWith('access-control')),
      [],
    )
})

test('OPTIONS that is no preflight is answered without a mistake', async () => {
  const { status, headers } = await call('OPTIONS', '/accounts/a/deposit')
  assert.equal(status, 204)
  assert.equal(headers.get('access-control-allow-origin'), '*')
})

test('it says that it lives, and whether it may get traffic', async (t) => {
  const cashpoint = await serve(t)
  const ask = async (path: string) => {
    const { status, body } = await cashpoint.get(path)
    return { status, body: JSON.parse(body) }
  }
  assert.deepEqual(await ask('/healthz'), { status: 200, body: { status: 'ok' } })
  assert.deepEqual(await ask('/readyz'), { status: 200, body: { status: 'ready' } })
  cashpoint.draining = true
  assert.deepEqual(await ask('/readyz'), { status: 503, body: { status: 'draining' } })
  assert.deepEqual(await ask('/healthz'), { status: 200, body: { status: 'ok' } })
})

test('a store that only reads gets no traffic, and says so to who writes', async (t) => {
  const store = stubStore({ shut: 'storage_low', account: async () => undefined })
  const { get, post } = await serve(t, { store })

  const { status, body } = await get('/readyz')
  assert.deepEqual({ status, body }, { status: 503, body: '{"status":"read_only"}' })
  const refused = await post('/accounts/1/deposit', '{"amount":1}')
  checkProblem(refused, {
    status: 503,
    code: 'storage_low',
    error: 'Storage is almost full, only reads are served',
  })
  assert.match(refused.headers.get('retry-after') ?? '', /^[1-9][0-9]*$/)
  assert.equal((await get('/accounts/1/balance')).status, 404)
})

test('the figures are counted, by route and not by path', async (t) => {
  const { get, post, call } = await serve(t, { accounts: { a: 1_000 } })
  await post('/accounts/a/withdraw', '{"amount":1}')
  await post('/accounts/a/withdraw', '{"amount":2}')
  await post('/accounts/a/withdraw', '{"amount":200}')
  await get('/accounts/a/balance')
  for (const path of ['/x', '/y', '/accounts/a']) await get(path)
  await call('PUT', '/accounts/a/withdraw')
  // Counted when the answer has left.
  await pause(100)
  const { status, headers, body } = await get('/metrics')

  assert.equal(status, 200)
  assert.match(headers.get('content-type') ?? '', /^text\/plain/)
  const count = (method: string, route: string, code: number) =>
    `cashpoint_http_request_seconds_count{method="${method}",route="${route}",status="${code}"}`
  for (const line of [
    `${count('POST', '/accounts/:number/withdraw', 200)} 2`,
    `${count('POST', '/accounts/:number/withdraw', 400)} 1`,
    `${count('GET', '/accounts/:number/balance', 200)} 1`,
    `${count('GET', 'none', 404)} 3`,
    `${count('PUT', '/accounts/:number/withdraw', 405)} 1`,
    'cashpoint_command_errors_total 0',
  ])
    assert.ok(
      body.includes(`${line}\n`),
      `${line} in:\n${body.replace(/^(?!cashpoint_http.*count).*\n/gm, '')}`,
    )
  // Opening the books, and the three withdrawals, each of which came alone.
  assert.match(body, /^cashpoint_batch_commands_sum 4$/m)
  assert.match(body, /^cashpoint_commit_seconds_count 4$/m)
  assert.match(body, /^process_cpu_seconds_total /m)
  assert.doesNotMatch(body, /"\/(x|y|accounts\/a)/)
})

test('localhost answers on both loopbacks, alike', { skip: !ipv6 && 'no IPv6 loopback here' }, async () => {
  for (const host of hosts) {
    const connection = await Connection.open(cashpoint.port, host)
    const answer = await connection.call('POST', '/accounts/both/deposit', {
      ...deposit,
      headers: { connection: 'keep-alive' },
    })
    assert.match(answer?.body ?? '', host === '::1' ? /"new_balance":2\.00/ : /"new_balance":1\.00/)
    connection.write('GARBAGE\r\n\r\n')
    const refused = await connection.answer()
    assert.ok(refused)
    checkProblem(refused, malformed, host)
  }
  assert.match(cashpoint.listening.url, /^http:\/\/localhost:[0-9]+$/)
})

test('a connection may rest as long on one loopback as on the other', { skip: !ipv6 }, async () => {
  const rests = []
  for (const host of hosts) {
    const connection = await Connection.open(cashpoint.port, host)
    const answer = await connection.call('GET', '/healthz')
    rests.push(answer?.headers.get('keep-alive'))
    connection.close()
  }
  assert.equal(rests[0], rests[1])
})

/** An app that does not listen yet. */
async function unheard(scope: { after(then: () => Promise<void>): void }): Promise<FastifyInstance> {
  const bank = new Bank(stubStore({}), systemClock)
  const app = await quietApp(bank)
  scope.after(() => app.close())
  return app
}

/** Holds a port until the test ends. */
async function taken(scope: { after(then: () => void): void }, host: string): Promise<number> {
  const other: Server = createTcpServer()
  await new Promise<void>((resolve) => other.listen(0, host, resolve))
  scope.after(() => other.close())
  return (other.address() as { port: number }).port
}

for (const host of hosts)
  test(`a port that another program has on ${host} is said to be taken`, async (t) => {
    const app = await unheard(t)
    const port = await taken(t, host)
    const error = await listen(app, { host: 'localhost', port }).catch((error) => error)

    assert.ok(error instanceof ListenError, String(error))
    assert.match(error.message, new RegExp(`^port ${port} is taken [^\n]*$`))
    assert.doesNotMatch(error.message, /AirPlay/)
    if (host === '::1')
      await assert.rejects(Connection.open(port, '127.0.0.1'), 'the other loopback is let go')
  })

test('port 5000 is often AirPlay', async () => {
  const error = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' })
  const app = { server: createTcpServer(), listen: () => Promise.reject(error) } as unknown as FastifyInstance
  await assert.rejects(
    listen(app, { host: 'localhost', port: 5000 }),
    /^Error: port 5000 is taken .*AirPlay.*PORT=/,
  )
})

test('a server that stops answers what it accepted, and closes at once', async (t) => {
  const cashpoint = await serve(t, { host: 'localhost', accounts: { a: 10_000 } })
  const release = await holdWriteLock(cashpoint)
  const sent: { connection: Connection; answer: Promise<Answer | undefined> }[] = []
  for (const host of hosts)
    for (let i = 0; i < 3; i += 1) {
      const connection = await Connection.open(cashpoint.port, host)
      sent.push({ connection, answer: connection.call('POST', '/accounts/a/withdraw', deposit) })
    }
  const idle = await Connection.open(cashpoint.port)
  await until(() => cashpoint.bank.queueLength === sent.length)

  const stopping = cashpoint.listening.close()
  await idle.closed()
  await assert.rejects(Connection.open(cashpoint.port), 'nobody new is let in')
  await release()
  const startedMs = performance.now()
  for (const { connection, answer } of sent) {
    assert.match((await answer)?.body ?? '', /"withdrawn_amount":1\.00/)
    assert.equal(await connection.closed(), '')
  }
  await stopping
  assert.ok(performance.now() - startedMs < 2_000, `${performance.now() - startedMs} ms`)
})

test('a request whose body is still coming when the server stops is answered', async (t) => {
  const cashpoint = await serve(t, { accounts: { a: 10_000 } })
  const request = requestBytes('POST', '/accounts/a/withdraw', deposit)
  const connection = await Connection.open(cashpoint.port)
  connection.write(request.subarray(0, -1))
  await pause(50)
  const stopping = cashpoint.listening.close()
  await pause(50)
  connection.write(request.subarray(-1))

  assert.match((await connection.answer())?.body ?? '', /"new_balance":99\.00/)
  await stopping
})

test('what comes on an open connection while the server stops is done, or refused as a problem', async (t) => {
  const cashpoint = await serve(t, { accounts: { a: 10_000 } })
  const request = requestBytes('POST', '/accounts/a/withdraw', deposit)
  const release = await holdWriteLock(cashpoint)
  const connection = await Connection.open(cashpoint.port)
  connection.write(request)
  await until(() => cashpoint.bank.queueLength === 1)
  const stopping = cashpoint.listening.close()
  connection.write(request)
  await pause(50)
  await release()

  assert.match((await connection.answer())?.body ?? '', /"new_balance":99\.00/)
  const second = await connection.answer()
  assert.match(second?.body ?? '', /"new_balance":98\.00/)
  assert.equal(second?.headers.get('connection'), 'close')
  await stopping
})

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    assert.ok(tries < 500, 'it comes to be so')
    await pause(10)
  }
}

test('slow clients are cut off within the limits, on both loopbacks, and nothing was done', async () => {
  const { headersTimeout, requestTimeout } = httpLimits
  for (const [cuts, limitMs] of [
    [await Promise.all(slow.headers), headersTimeout],
    [await Promise.all(slow.body), requestTimeout],
  ] as const)
    for (const { answer, afterMs } of cuts) {
      assert.ok(answer, `no answer after ${afterMs} ms`)
      checkProblem(answer, tookTooLong)
      assert.ok(limitMs - 100 < afterMs && afterMs < limitMs + 3_000, `cut after ${afterMs} ms`)
    }
  assert.equal(await balanceOf(cashpoint, 'slow'), '404')
})

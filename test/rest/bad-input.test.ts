// What must be refused, literally as it comes over the wire, and that nothing is opened or moved by it.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import {
  type Answer,
  balanceOf,
  Connection,
  checkProblem,
  type Problem,
  requestBytes,
  serve,
  stubStore,
} from './support.ts'

const cashpoint = await serve({ after }, { accounts: { rich: 1_000_000_000 } })
const { call, get, post } = cashpoint

const invalid = { status: 400, code: 'amount_invalid', error: 'Invalid amount format' }
const notPositive = { status: 400, code: 'amount_not_positive', error: 'Amount must be positive' }
const tooLarge = { status: 400, code: 'amount_too_large', error: 'Amount is too large' }
const missing = { status: 400, code: 'amount_missing', error: 'Amount is required' }
const repeated = { status: 400, code: 'amount_repeated', error: 'Amount is given more than once' }
const malformed = { status: 400, code: 'malformed_body', error: 'Malformed JSON body' }
const tooLong = { status: 413, code: 'body_too_large', error: 'Request body is too large' }
const unsupported = {
  status: 415,
  code: 'media_type_unsupported',
  error: 'Content-Type must be application/json, in UTF-8 and not compressed',
}
const badNumber = { status: 400, code: 'account_number_invalid', error: 'Invalid account number' }

/** That both routes refuse a body with this problem, and that neither opens nor moves anything. */
async function checkRefused(
  body: string | Buffer | undefined,
  problem: Problem,
  headers = {},
): Promise<void> {
  const what = String(body).slice(0, 80)
  checkProblem(await post('/accounts/never/deposit', body, headers), problem, what)
  checkProblem(await post('/accounts/rich/withdraw', body, headers), problem, what)
  checkProblem(await post('/accounts/rich/deposit', body, headers), problem, what)
}

/** That an answer is a paid-in 100.00. */
function checkPaidIn(answer: Answer | undefined, what: string): void {
  assert.equal(answer?.status, 200, `${what}: ${answer?.body}`)
  assert.match(answer?.body ?? '', /"deposited_amount":100\.00,/, what)
}

async function checkUnmoved(): Promise<void> {
  assert.equal(await balanceOf(cashpoint, 'never'), '404')
  assert.equal(await balanceOf(cashpoint, 'rich'), '10000000.00')
  const { body } = await get('/accounts')
  assert.equal(body, '{"accounts":[{"account_number":"rich","balance":10000000.00}],"total_accounts":1}')
}

const nines = '9'.repeat(30)

// What stands behind `"amount":`, to the letter.
const badAmounts: readonly [Problem, readonly string[]][] = [
  [
    malformed,
    ['NaN', 'Infinity', '-Infinity', '0x10', '1_000', '+1', '.5', '5.', '01', '1e', '1e+', '٣', ''],
  ],
  [malformed, ['1,000', '1 000', "'100'", 'undefined', 'nan', '1n', '--1', '100.00.00', '"100', '1"']],
  [invalid, ['"NaN"', '"Infinity"', '"-Infinity"', '"0x10"', '"1_000"', '"+1"', '".5"', '"5."', '"01"']],
  [
    invalid,
    ['"1,000"', '"1,00"', '"٣"', '"１"', '" 1"', '"1 "', '" "', '""', '"1\\n"', '"\\u00a01"', '"1\\u0000"'],
  ],
  [invalid, ['"abc"', '"$1"', '"1e"', '"e2"', '"1e2.5"', '"1e 2"', '"1.2.3"', '"--1"', '"true"', '"null"']],
  [invalid, ['true', 'false', '[]', '[1]', '["1"]', '{}', '{"amount":1}', '[[1]]', '"\\ud800"', '"\\"1\\""']],
  [invalid, ['0.001', '"0.001"', '1.005', '"1.005"', '100.001', '1e-3', '"1e-3"', '0.1e-400', '1e-400']],
  [invalid, ['1e-99999999999999999999', '"1e-99999999999999999999"', `0.${'0'.repeat(100)}1`, `1.${nines}`]],
  [notPositive, ['0', '0.0', '0.00', '"0"', '"0.00"', '0e0', '0e999', '0.000', '"0e5"']],
  [notPositive, ['-0', '"-0"', '-0.0', '-0e1', '-1', '"-1"', '-100.00', '"-100.00"', '-0.001', '-1e309']],
  [tooLarge, ['1e309', '"1e309"', '1e99999999999999999999', '1e14', '"1e14"', nines, `"${nines}"`]],
  [tooLarge, ['9007199254740993.10', '"9007199254740993.10"', '9007199254740993', '90071992547409.92']],
  [tooLarge, ['"90071992547409.92"', '9007199254740991', '18446744073709551617', '36893488147419103232.01']],
  [missing, ['null']],
]

test('bad amounts are refused, as numbers and as strings', async () => {
  for (const [problem, literals] of badAmounts)
    for (const literal of literals) {
      await checkRefused(`{"amount":${literal}}`, problem)
      await checkRefused(` { "other" : 1 , "amount" : ${literal} } `, problem)
    }
  await checkUnmoved()
})

test('an amount that is not there is asked for', async () => {
  for (const body of ['{}', '{"Amount":1}', '{"amount ":1}', '{"amounts":1}', '{"a":{"amount":1}}', '{"":1}'])
    await checkRefused(body, missing)
  await checkRefused(undefined, missing)
  await checkRefused('', missing)
  await checkUnmoved()
})

test('an amount that is given twice is refused, however it is written', async () => {
  for (const body of [
    '{"amount":1,"amount":1}',
    '{"amount":1,"amount":2}',
    '{"amount":"1","x":[{"amount":3}],"amount":1}',
    '{"amount":1,"\\u0061mount":1}',
    '{"\\u0061\\u006D\\u006fun\\u0074":1,"amount":1}',
    '{"amount":null,"amount":1}',
    '{"amount":"bad","amount":1}',
    '{"amount":1,"amount":1,"amount":1}',
  ])
    await checkRefused(body, repeated)
  await checkUnmoved()
})

test('no number of digits makes the server think for long', async () => {
  const zeros = '0'.repeat(60_000)
  for (const [number, expected] of [
    [`1${zeros}1`, tooLarge],
    [`1${zeros}`, tooLarge],
    [`1e1${zeros}`, tooLarge],
    [`1.${zeros}1`, invalid],
    [`0.${zeros}1`, invalid],
  ] as const)
    for (const literal of [number, `"${number}"`]) {
      const startedMs = performance.now()
      const reply = await post('/accounts/never/deposit', `{"amount":${literal}}`)
      const ms = performance.now() - startedMs
      checkProblem(reply, expected, literal.slice(0, 5))
      assert.ok(ms < 500, `${literal.slice(0, 5)}… took ${ms} ms`)
    }
  checkProblem(
    await post('/accounts/never/deposit', `{"amount":"1${' '.repeat(60_000)}1"}`),
    invalid,
    'spaces',
  )
  await checkUnmoved()
})

test('any text as an amount is refused, or is money to the last digit', async () => {
  const digits = fc.stringMatching(/^-?[0-9]{1,17}(\.[0-9]{0,4})?([eE][+-]?[0-9]{1,2})?$/)
  const text = fc.oneof(digits, fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 20 }))
  let number = 0
  await fc.assert(
    fc.asyncProperty(text, async (amount) => {
      number += 1
      const path = `/accounts/any-${number}`
      const { status } = await post(`${path}/deposit`, JSON.stringify({ amount }))
      const cents = centsOf(amount)
      const balance = await get(`${path}/balance?simple=true`)
      assert.equal(status, cents === undefined ? 400 : 200)
      assert.equal(
        balance.status === 200 ? BigInt(balance.body.replace('.', '')) : undefined,
        cents,
        `the balance is ${balance.body}`,
      )
    }),
    { numRuns: 150 },
  )
})

/** The oracle: cents by whole numbers alone, or undefined where a text is no good amount. */
function centsOf(text: string): bigint | undefined {
  const [, whole, fraction = '', exponent = '0'] =
    /^(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text) ?? []
  if (whole === undefined) return undefined
  const power = Number(exponent) - fraction.length + 2
  const digits = BigInt(whole + fraction)
  const scale = 10n ** BigInt(Math.abs(power))
  if (power < 0 && digits % scale !== 0n) return undefined
  const cents = power < 0 ? digits / scale : digits * scale
  return cents > 0n && cents <= 2n ** 53n - 1n ? cents : undefined
}

test('a hundred may be written in many ways, and the rest of a body is ignored', async () => {
  const hundreds = ['100', '100.00', '1e2', '1E2', '1.0E2', '1.000e+2', '10000e-2', '100.000', '1000.0E-0001']
  const bodies = [
    ...hundreds.flatMap((literal) => [`{"amount":${literal}}`, `{"amount":"${literal}"}`]),
    ' \t\r\n{ "amount"\n:\t100 }\r\n ',
    '{"\\u0061mount":100}',
    '{"amount":"\\u0031\\u0030\\u0030"}',
    '{"amount":100,"balance":1e9,"account_number":"never","version":null}',
    '{"amount":100,"__proto__":{"amount":5},"constructor":{"prototype":{"amount":5}}}',
    '{"x":{"amount":5},"amount":100,"y":[{"amount":6},"\\"amount\\":7",{}],"z":"}"}',
    '{"x":"\\\\","amount":100,"y":"{\\"amount\\":1"}',
    '{"x":1,"x":2,"amount":100}',
    '{"\\ud800":"\\udfff","amount":100}',
    '{"x":"\u2028","amount":100}',
    `{"deep":${'['.repeat(30_000)}${']'.repeat(30_000)},"amount":100}`,
    `{"deep":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)},"amount":100}`,
  ]
  for (const [i, body] of bodies.entries())
    checkPaidIn(await post(`/accounts/hundred-${i}/deposit`, body), body.slice(0, 60))
  for (const [i, body] of bodies.entries()) {
    const { status } = await post(`/accounts/hundred-${i}/withdraw`, body)
    assert.equal(status, 200, body.slice(0, 60))
    assert.equal(await balanceOf(cashpoint, `hundred-${i}`), '0.00')
  }
})

test('what is not a JSON object is refused', async () => {
  for (const body of [
    '[]',
    '[{"amount":1}]',
    '1',
    '"amount"',
    'null',
    'true',
    '{',
    '{"amount":1',
    '{"amount":1,}',
    '{,"amount":1}',
    '{"amount":1}}',
    '{"amount":1} x',
    '{"amount":1}{"amount":1}',
    "{'amount':1}",
    '{amount:1}',
    '{"amount"=1}',
    '{"amount":1 /* all */}',
    'amount=1',
    '\ufeff{"amount":1}',
    '{"amount":1}\u0000',
    '\u0000{"amount":1}',
    '{"amount\u0000":1}',
    '{"x":"\u0000","amount":1}',
    '{"x":"a\nb","amount":1}',
    '\u00a0{"amount":1}',
    ' ',
    `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    '['.repeat(60_000),
    '{"amount":'.repeat(6_000),
  ])
    await checkRefused(body, malformed)
  await checkRefused(Buffer.from('{"amount":1}', 'utf16le'), malformed)
  await checkRefused(`{"amount":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, invalid)
  // Bytes that are no UTF-8, among them a surrogate: they are no digits either.
  for (const bytes of [[0xff], [0xc0, 0xb1], [0xed, 0xa0, 0x80], [0xf0, 0x9f]])
    await checkRefused(Buffer.from([...Buffer.from('{"amount":"1'), ...bytes, 0x22, 0x7d]), invalid)
})

test('a body of 64 KiB is read, and one more byte is not', async () => {
  const body = (length: number) => '{"amount":100}'.padEnd(length)
  checkPaidIn(await post('/accounts/long/deposit', body(65_536)), '64 KiB')
  await checkRefused(body(65_537), tooLong)
  await checkRefused(`{"amount":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, tooLong)

  for (const [length, status] of [
    [65_536, 200],
    [65_537, 413],
  ] as const) {
    const connection = await Connection.open(cashpoint.port)
    connection.write(
      'POST /accounts/long/deposit HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    )
    for (const chunk of body(length).match(/.{1,8192}/gs) ?? [])
      connection.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    connection.write('0\r\n\r\n')
    assert.equal((await connection.answer())?.status, status, `${length} bytes in chunks`)
    connection.close()
  }
  assert.equal(await balanceOf(cashpoint, 'long'), '200.00')
})

test('a body that does not say it is JSON in UTF-8 is refused', async () => {
  const body = '{"amount":1}'
  const accounts = ['/accounts/never/deposit', '/accounts/rich/withdraw']
  for (const type of [
    'text/plain',
    'text/plain; application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'application/problem+json',
    'application/xml',
    'application',
    '*/*',
    'application/json; charset=utf-16',
    'application/json;charset=UTF-16LE',
    'application/json; charset="utf-16"',
    'application/json; charset=latin1',
  ])
    await checkRefused(body, unsupported, { 'content-type': type })
  for (const encoding of ['gzip', 'br', 'deflate', 'x', 'identity, gzip'])
    await checkRefused(body, unsupported, { 'content-encoding': encoding })

  const connection = await Connection.open(cashpoint.port)
  for (const path of accounts) {
    connection.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 12\r\n\r\n${body}`)
    const answer = await connection.answer()
    assert.ok(answer)
    checkProblem(answer, unsupported, 'no content type')
  }
  connection.close()
  await checkNothingAt('never')
})

async function checkNothingAt(number: string): Promise<void> {
  assert.equal(await balanceOf(cashpoint, number), '404')
}

test('JSON by another spelling of its type is read', async () => {
  for (const type of [
    'application/json',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/json; charset="utf-8"',
    'Application/JSON',
    'application/json ; charset=utf-8',
    'application/json; v=1',
  ])
    checkPaidIn(await post('/accounts/typed/deposit', '{"amount":100}', { 'content-type': type }), type)
  checkPaidIn(await post('/accounts/typed/deposit', '{"amount":100}', { 'content-encoding': 'identity' }), '')
})

/** Sends a request line as it is, since `fetch` would tidy it up. */
async function send(method: string, path: string, body?: string): Promise<Answer> {
  const connection = await Connection.open(cashpoint.port)
  connection.write(requestBytes(method, path, { body, headers: { connection: 'close' } }))
  const answer = await connection.answer()
  connection.close()
  assert.ok(answer, `${method} ${path} is answered`)
  return answer
}

test('what is no account number is refused on every route, and never opened', async () => {
  const encoded = [
    'cash:USD',
    'equity:USD',
    'cash%3AUSD',
    '12 34',
    '12_34',
    '__proto__',
    '1.5',
    '٣',
    '１２３',
    '123\u200b',
    '\u200f123',
    '123\ufeff',
    'é',
    'e\u0301',
    'ｒich',
    'rich ',
    ' rich',
    'rich\n',
    'rich\r\nx: y',
    'rich\0',
    "' or 1=1 --",
    '<b>',
    '../rich',
    '..',
    '.',
    'a/b',
    'a\\b',
    '%',
    '%2f',
    'a'.repeat(35),
    'a'.repeat(10_000),
    '=1+1',
    '*',
    '$rich',
  ].map(encodeURIComponent)
  const literal = [
    '..%2f',
    '%2e%2e%2frich',
    '%00',
    'rich%00',
    '%0a',
    '%20',
    'cash:USD',
    '%2525',
    'rich%2f',
    '~',
    '@',
  ]

  for (const number of [...encoded, ...literal])
    for (const [method, route] of [
      ['GET', 'balance'],
      ['GET', 'balance?simple=true'],
      ['POST', 'deposit'],
      ['POST', 'withdraw'],
    ] as const) {
      const body = method === 'POST' ? '{"amount":1}' : undefined
      const answer = await send(method, `/accounts/${number}/${route}`, body)
      checkProblem(answer, badNumber, `${method} ${number.slice(0, 40)} ${route}`)
    }
})

test('a path that is no URL is refused', async () => {
  for (const path of ['%zz', '%', '%e0%a4%a', '%ff', 'a%c0%afb'])
    checkProblem(
      await send('POST', `/accounts/${path}/deposit`, '{"amount":1}'),
      { status: 400, code: 'malformed_request', error: 'Malformed request' },
      path,
    )
})

test('names that JavaScript knows are ordinary account numbers', async () => {
  for (const number of [
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'prototype',
    'null',
    'undefined',
  ]) {
    const notFound = { status: 404, code: 'account_not_found', error: 'Account not found' }
    checkProblem(await get(`/accounts/${number}/balance`), notFound, number)
    checkProblem(await post(`/accounts/${number}/withdraw`, '{"amount":1}'), notFound, number)
    const opened = await post(`/accounts/${number}/deposit`, '{"amount":100}')
    assert.match(opened.body, /"new_balance":100\.00,.*"account_created":true/, number)
    assert.equal(await balanceOf(cashpoint, number), '100.00')
  }
})

const routes = {
  '/': 'GET',
  '/accounts': 'GET',
  '/accounts/rich/balance': 'GET',
  '/accounts/rich/withdraw': 'POST',
  '/accounts/rich/deposit': 'POST',
  '/healthz': 'GET',
  '/readyz': 'GET',
  '/metrics': 'GET',
}

test('a method that a route does not have is 405, with those that it has', async () => {
  const before = await balanceOf(cashpoint, 'rich')
  for (const [path, method] of Object.entries(routes)) {
    // Only what pages of other origins may call has an answer to OPTIONS.
    const open = path === '/' || path.startsWith('/accounts') ? ['OPTIONS'] : []
    const allowed = [...(method === 'GET' ? ['GET', 'HEAD'] : [method]), ...open].join(', ')
    const others = ['PUT', 'DELETE', 'PATCH', 'TRACE', method === 'GET' ? 'POST' : 'GET']
    for (const other of others)
      for (const body of [undefined, '{"amount":1}', 'not JSON']) {
        if (other === 'TRACE' && body !== undefined) continue
        const answer = await send(other, path, body)
        checkProblem(
          answer,
          { status: 405, code: 'method_not_allowed', error: 'Method not allowed' },
          `${other} ${path}`,
        )
        assert.equal(answer.headers.get('allow'), allowed, `${other} ${path}`)
      }
  }
  assert.equal((await call('HEAD', '/accounts/rich/deposit')).headers.get('allow'), 'POST, OPTIONS')
  assert.equal(await balanceOf(cashpoint, 'rich'), before)
})

test('a path that is not there is 404', async () => {
  const notFound = { status: 404, code: 'not_found', error: 'Not found' }
  for (const path of [
    '/x',
    '/accounts/rich',
    '/accounts/a/b/balance',
    '/Accounts',
    '/accounts/rich/Balance',
    '//',
  ])
    for (const method of ['GET', 'POST', 'PUT', 'DELETE'])
      checkProblem(
        await send(method, path, method === 'POST' ? '{}' : undefined),
        notFound,
        `${method} ${path}`,
      )
})

test('HEAD answers as GET does, without the body', async () => {
  for (const [path, method] of Object.entries(routes)) {
    const { status, body } = await call('HEAD', path)
    assert.deepEqual({ status, body }, { status: method === 'GET' ? 200 : 405, body: '' }, path)
  }
  const { headers } = await call('HEAD', '/accounts/rich/balance')
  const { body } = await get('/accounts/rich/balance')
  assert.equal(headers.get('content-length'), `${body.length}`)
  assert.equal((await call('HEAD', '/accounts/none/balance')).status, 404)
})

test('what fails inside stays inside: the log has it, the client does not', async (t) => {
  const secret = 'SECRET /var/lib/cashpoint.db: disk I/O error'
  const fail = () => Promise.reject(new Error(secret))
  const logLines: string[] = []
  const store = stubStore({ account: fail, accounts: fail, commit: fail })
  const { get, post } = await serve(t, { store, logLines })
  const internal = { status: 500, code: 'internal', error: 'Internal server error' }

  for (const answer of [
    await get('/accounts/1/balance'),
    await get('/accounts'),
    await get('/accounts?limit=1'),
    await post('/accounts/1/deposit', '{"amount":1}'),
    await post('/accounts/1/withdraw', '{"amount":1}'),
  ]) {
    checkProblem(answer, internal)
    assert.deepEqual(Object.keys(JSON.parse(answer.body)), ['type', 'title', 'status', 'code', 'error'])
    assert.doesNotMatch(JSON.stringify([answer.body, ...answer.headers]), /SECRET|Error:|node_modules|\.ts/)
  }
  assert.equal(logLines.filter((line) => line.includes(secret)).length, 5)
})

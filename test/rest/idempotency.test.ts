// Idempotency-Key: a request and its repeats have one effect and one answer, to the byte.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  type Answer,
  balanceOf,
  Connection,
  checkProblem,
  holdWriteLock,
  pause,
  requestBytes,
  serve,
} from './support.ts'

const cashpoint = await serve({ after }, { accounts: { a: 100_000, b: 100_000 } })
const { get, post } = cashpoint

/** That `answer` is the stored reply `first`, byte for byte. */
function checkReplay(answer: Answer, first: Answer): void {
  assert.deepEqual([answer.status, answer.body], [first.status, first.body])
  assert.equal(answer.headers.get('content-type'), first.headers.get('content-type'))
  assert.equal(answer.headers.get('idempotency-replayed'), 'true')
  assert.equal(first.headers.get('idempotency-replayed'), null)
}

function keyed(key: string): Record<string, string> {
  return { 'idempotency-key': key }
}

for (const route of ['withdraw', 'deposit']) {
  test(`a repeated ${route} moves money once and answers the same`, async () => {
    const first = await post(`/accounts/a/${route}`, '{"amount":10}', keyed(`twice ${route}`))
    const balance = await balanceOf(cashpoint, 'a')
    await post('/accounts/a/deposit', '{"amount":5}')
    const second = await post(`/accounts/a/${route}`, '{"amount":10}', keyed(`twice ${route}`))

    assert.equal(first.status, 200)
    assert.equal(JSON.parse(first.body).new_balance.toFixed(2), balance)
    checkReplay(second, first)
    assert.equal(await balanceOf(cashpoint, 'a'), (Number(balance) + 5).toFixed(2))
  })
}

test('a repeated first deposit goes on saying that it opened the account', async () => {
  const first = await post('/accounts/opened-once/deposit', '{"amount":1}', keyed('open'))
  checkReplay(await post('/accounts/opened-once/deposit', '{"amount":1}', keyed('open')), first)
  assert.match(first.body, /"account_created":true/)
  assert.equal(await balanceOf(cashpoint, 'opened-once'), '1.00')
})

test('an amount is the same request however it is written', async () => {
  const first = await post('/accounts/spelled/deposit', '{"amount":100}', keyed('spelled'))
  for (const body of [
    '{"amount":100.00}',
    '{"amount":"100"}',
    '{"amount":"100.00"}',
    '{"amount":1e2}',
    '{"amount":"1.0E+2"}',
    ' {"other":[1],"\\u0061mount" : 100.000 } ',
  ])
    checkReplay(await post('/accounts/spelled/deposit', body, keyed('spelled')), first)
  assert.equal(await balanceOf(cashpoint, 'spelled'), '100.00')
})

test('a key is the same with and without quotes', async () => {
  const first = await post('/accounts/quoted/deposit', '{"amount":1}', keyed('k-1'))
  checkReplay(await post('/accounts/quoted/deposit', '{"amount":1}', keyed('"k-1"')), first)

  const second = await post('/accounts/quoted/deposit', '{"amount":1}', keyed('"a \\"b\\" \\\\ c"'))
  checkReplay(await post('/accounts/quoted/deposit', '{"amount":1}', keyed('a "b" \\ c')), second)
  assert.equal(await balanceOf(cashpoint, 'quoted'), '2.00')
})

test('keys that only resemble each other are different', async () => {
  const keys = [
    'k',
    'K',
    'k ',
    '"k "',
    'k\\',
    "'k'",
    '__proto__',
    'constructor',
    'k'.repeat(255),
    '~!@#$%^&*()',
  ]
  const distinct = new Set(keys.map((key) => key.trim().replace(/^"(.*)"$/, '$1')))
  for (const key of keys) await post('/accounts/alike/deposit', '{"amount":1}', keyed(key))
  assert.equal(await balanceOf(cashpoint, 'alike'), `${distinct.size}.00`)
})

test('a key that was used for another request is refused, and nothing moves', async () => {
  const conflict = {
    status: 422,
    code: 'idempotency_conflict',
    error: 'Idempotency-Key was used for another request',
  }
  const first = await post('/accounts/b/withdraw', '{"amount":10}', keyed('taken'))
  const before = await get('/accounts')

  for (const [path, body] of [
    ['/accounts/b/withdraw', '{"amount":10.01}'],
    ['/accounts/b/withdraw', '{"amount":1e9}'],
    ['/accounts/a/withdraw', '{"amount":10}'],
    ['/accounts/B/withdraw', '{"amount":10}'],
    ['/accounts/none/withdraw', '{"amount":10}'],
    ['/accounts/b/deposit', '{"amount":10}'],
    ['/accounts/brand-new/deposit', '{"amount":10}'],
  ] as const)
    checkProblem(await post(path, body, keyed('taken')), conflict, `${path} ${body}`)
  assert.equal((await get('/accounts')).body, before.body)
  checkReplay(await post('/accounts/b/withdraw', '{"amount":10}', keyed('taken')), first)
})

test('without a key, two equal requests are two operations', async () => {
  for (const created of ['true', 'false']) {
    const answer = await post('/accounts/unkeyed/deposit', '{"amount":1}')
    assert.match(answer.body, new RegExp(`"account_created":${created}`))
    assert.equal(answer.headers.get('idempotency-replayed'), null)
  }
  assert.equal(await balanceOf(cashpoint, 'unkeyed'), '2.00')
})

test('a no is remembered, also when the money has come since', async () => {
  const notFound = await post('/accounts/late/withdraw', '{"amount":10}', keyed('no account'))
  await post('/accounts/late/deposit', '{"amount":5}')
  const tooLittle = await post('/accounts/late/withdraw', '{"amount":10}', keyed('no money'))
  await post('/accounts/late/deposit', '{"amount":100}')

  checkProblem(notFound, { status: 404, code: 'account_not_found', error: 'Account not found' })
  checkProblem(tooLittle, { status: 400, code: 'insufficient_funds', error: 'Insufficient balance' })
  checkReplay(await post('/accounts/late/withdraw', '{"amount":10}', keyed('no account')), notFound)
  checkReplay(await post('/accounts/late/withdraw', '{"amount":10}', keyed('no money')), tooLittle)
  assert.equal(await balanceOf(cashpoint, 'late'), '105.00')
})

test('a full account is remembered as well', async () => {
  await post('/accounts/full/deposit', '{"amount":90071992547409.91}')
  const first = await post('/accounts/full/deposit', '{"amount":0.01}', keyed('full'))
  await post('/accounts/full/withdraw', '{"amount":1}')
  checkProblem(first, { status: 400, code: 'balance_too_large', error: 'Balance would be too large' })
  checkReplay(await post('/accounts/full/deposit', '{"amount":0.01}', keyed('full')), first)
})

test('a malformed request leaves its key free', async () => {
  for (const [i, body] of [
    '{"amount":',
    '{}',
    '{"amount":0.001}',
    '{"amount":-1}',
    '{"amount":1e14}',
  ].entries()) {
    const key = keyed(`free ${i}`)
    assert.equal((await post('/accounts/free/deposit', body, key)).status, 400, body)
    assert.equal((await post('/accounts/free_/deposit', '{"amount":1}', key)).status, 400)
    const answer = await post('/accounts/free/deposit', '{"amount":1}', key)
    assert.deepEqual([answer.status, answer.headers.get('idempotency-replayed')], [200, null], body)
  }
  assert.equal(await balanceOf(cashpoint, 'free'), '5.00')
})

test('a busy account leaves its key free', async (t) => {
  const cashpoint = await serve(t, { accounts: { a: 10_000 }, deadlineMs: 100 })
  const release = await holdWriteLock(cashpoint)
  const busy = await cashpoint.post('/accounts/a/withdraw', '{"amount":10}', keyed('busy'))
  await release()
  const answer = await cashpoint.post('/accounts/a/withdraw', '{"amount":10}', keyed('busy'))

  assert.equal(busy.status, 423)
  assert.deepEqual([answer.status, answer.headers.get('idempotency-replayed')], [200, null])
  assert.equal(await balanceOf(cashpoint, 'a'), '90.00')
})

test('a repeat that comes while the first still runs waits, and answers the same', async (t) => {
  const cashpoint = await serve(t, { accounts: { a: 10_000 } })
  const release = await holdWriteLock(cashpoint)
  const sent = [1, 2, 3].map(() => cashpoint.post('/accounts/a/withdraw', '{"amount":10}', keyed('running')))
  const early = await Promise.race([...sent, pause(200)])
  await release()
  const answers = await Promise.all(sent)

  assert.equal(early, undefined, 'nobody is answered before the commit')
  const [first, ...others] = answers.sort((a, b) => Number(isReplay(a)) - Number(isReplay(b)))
  assert.ok(first)
  for (const other of others) checkReplay(other, first)
  assert.equal(await balanceOf(cashpoint, 'a'), '90.00')
})

test('a key that is no key is refused, and nothing moves', async () => {
  const invalid = { status: 400, code: 'idempotency_key_invalid', error: 'Invalid Idempotency-Key' }
  const connection = await Connection.open(cashpoint.port)
  for (const key of [
    '',
    ' ',
    '""',
    'k'.repeat(256),
    `"${'k'.repeat(256)}"`,
    'é',
    'a\tb',
    '\u00a0k',
    '"\u00ff"',
  ])
    for (const path of ['/accounts/unopened/deposit', '/accounts/b/withdraw']) {
      connection.write(requestBytes('POST', path, { body: '{"amount":1}', headers: keyed(key) }))
      const answer = await connection.answer()
      assert.ok(answer)
      checkProblem(answer, invalid, JSON.stringify(key.slice(0, 20)))
    }
  connection.close()

  // Control characters are refused before there is a request at all.
  for (const key of ['a\x00b', 'a\x01b', 'a\x7fb', 'a\nb']) {
    const connection = await Connection.open(cashpoint.port)
    connection.write(
      requestBytes('POST', '/accounts/unopened/deposit', { body: '{"amount":1}', headers: keyed(key) }),
    )
    assert.equal((await connection.answer())?.status, 400, JSON.stringify(key))
    connection.close()
  }
  assert.equal(await balanceOf(cashpoint, 'unopened'), '404')
  assert.equal(await balanceOf(cashpoint, 'b'), '990.00')
})

test('a hundred at once with one key have one effect and one answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => post('/accounts/a/withdraw', '{"amount":0.01}', keyed('storm'))),
  )
  const before = JSON.parse(answers[0]?.body ?? '').new_balance.toFixed(2)
  assert.equal(answers.filter(isReplay).length, 99)
  assert.deepEqual(
    [...new Set(answers.map(({ status, body }) => `${status} ${body}`))],
    [`200 ${answers[0]?.body}`],
  )
  assert.equal(await balanceOf(cashpoint, 'a'), before)
})

test('of a hundred different requests at once with one key, one is done', async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      post('/accounts/chosen/deposit', `{"amount":${i + 1}}`, keyed('who wins')),
    ),
  )
  const done = answers.filter(({ status }) => status === 200)
  assert.equal(done.length, 1)
  assert.equal(answers.filter(({ status }) => status === 422).length, 99)
  assert.equal(
    await balanceOf(cashpoint, 'chosen'),
    JSON.parse(done[0]?.body ?? '').deposited_amount.toFixed(2),
  )
})

function isReplay({ headers }: Answer): boolean {
  return headers.get('idempotency-replayed') === 'true'
}

test('what was answered is answered the same after a restart', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-restart-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'cashpoint.db')
  const accounts = { a: 10_000 }
  const requests = [
    ['/accounts/a/withdraw', '{"amount":10}', 'yes'],
    ['/accounts/b/deposit', '{"amount":"1e1"}', 'opened'],
    ['/accounts/a/withdraw', '{"amount":1000}', 'too little'],
    ['/accounts/none/withdraw', '{"amount":10}', 'nobody'],
  ] as const

  const before = await serve(t, { path, accounts })
  const answers: Answer[] = []
  for (const [path, body, key] of requests) answers.push(await before.post(path, body, keyed(key)))
  await before.post('/accounts/none/deposit', '{"amount":50}')
  await before.post('/accounts/a/deposit', '{"amount":5000}')
  await before.stop()

  const { get, post } = await serve(t, { path, accounts })
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 400, 404],
  )
  for (const [i, [path, body, key]] of requests.entries())
    checkReplay(await post(path, body, keyed(key)), answers[i] as Answer)
  assert.equal((await post('/accounts/a/withdraw', '{"amount":11}', keyed('yes'))).status, 422)
  assert.match(
    (await get('/accounts')).body,
    /^\{"accounts":\[.*"a","balance":5090\.00.*"b","balance":10\.00.*"none","balance":50\.00\}\],"total_accounts":3\}$/,
  )
})

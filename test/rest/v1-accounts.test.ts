// /v1 on a real store and socket: accounts, states, lists, history, proofs; each reply is held against the document.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused, checkContract, type Said, serveV1, type V1 } from './v1-support.ts'

const usd = { currency: 'USD' }

/** For tests that look at accounts of their own alone. */
const shared = await serveV1({ after })
const { open } = shared

test('an account is opened once, with what was asked for, and its version is its ETag', async () => {
  const { post, get } = shared
  const body = {
    number: 'N-1',
    currency: 'JPY',
    overdraft_limit: 500,
    minimum_balance: 20,
    limits: { transaction_amount: 0, daily_count: 1_000_000_000 },
    metadata: { who: 'é😀' },
  }
  const made = await post('/accounts', body)
  assert.deepEqual([made.status, made.headers.get('location')], [201, '/v1/accounts/N-1'])
  const figures = { state: 'active', ledger: 0, held: 0, available: 480, version: 1 }
  assert.deepEqual(made.body, { ...body, ...figures })
  const read = await get('/accounts/N-1')
  assert.deepEqual([read.body, read.headers.get('etag')], [made.body, '"1"'])
  assertRefused(await post('/accounts', { number: 'N-1' }), 409, 'account_exists')
  const numbers = await Promise.all([post('/accounts', {}), post('/accounts')])
  for (const said of numbers) assert.match(String(said.body['number']), /^[1-9][0-9]{15}$/)
  assertRefused(await get('/accounts/nobody'), 404, 'account_not_found')
  assertRefused(await get('/accounts/no%20body'), 400, 'account_number_invalid')
})

test('overdraft raises and minimum lowers what is available', async () => {
  const { post, figures } = shared
  await post('/accounts', { number: 'O', overdraft_limit: 300 })
  await post('/accounts', { number: 'M', minimum_balance: 40 })
  await post('/deposits', { account: 'M', amount: 100, ...usd })
  assert.equal((await post('/withdrawals', { account: 'O', amount: 300, ...usd })).status, 201)
  assertRefused(await post('/withdrawals', { account: 'O', amount: 1, ...usd }), 422, 'insufficient_funds')
  assertRefused(await post('/withdrawals', { account: 'M', amount: 61, ...usd }), 422, 'insufficient_funds')
  assert.equal((await post('/withdrawals', { account: 'M', amount: 60, ...usd })).status, 201)
  assert.deepEqual(
    [await figures('O'), await figures('M')],
    [
      [-300, 0, 0],
      [40, 0, 0],
    ],
  )
})

/** What becomes of a debit, a credit, a hold, a capture and a reversal that credits, in a state. */
async function tryAll({ post, hold, move }: V1, state: string): Promise<(string | number)[]> {
  const account = `S-${state.replace('_', '-')}`
  await post('/accounts', { number: account })
  await post('/deposits', { account, amount: 500, ...usd })
  const held = await hold(account, 50)
  const { id } = (await move(account, 'B', 10)).body
  await post(`/accounts/${account}/state`, { state, reason: 'test' })
  const all: Said[] = [
    await post('/withdrawals', { account, amount: 1, ...usd }),
    await post('/deposits', { account, amount: 1, ...usd }),
    await post('/holds', { account, amount: 1, ...usd }),
    await post(`/holds/${held}/capture`),
    await post(`/transfers/${id}/reversals`),
  ]
  return all.map(({ status, body }) => (status < 400 ? status : String(body['code'])))
}

const byState = {
  active: [201, 201, 201, 200, 201],
  debit_blocked: ['account_debit_blocked', 201, 'account_debit_blocked', 200, 201],
  credit_blocked: [201, 'account_credit_blocked', 201, 200, 201],
  frozen: ['account_frozen', 'account_frozen', 'account_frozen', 'account_frozen', 201],
}

for (const [state, expected] of Object.entries(byState))
  test(`what an account that is ${state} takes`, async () => {
    assert.deepEqual(await tryAll(shared, state), expected)
  })

test('a state is reversible, but not closed, which wants nothing on the account', async () => {
  const { post, cashpoint, hold } = shared
  await open('R', 1000)
  const set = (number: string, state: string, headers = {}) =>
    post(`/accounts/${number}/state`, { state, reason: 'r' }, headers)
  assertRefused(await set('R', 'closed'), 409, 'account_not_empty')
  assertRefused(await set('R', 'frozen', { 'if-match': '"1"' }), 412, 'version_mismatch')
  assert.equal((await set('R', 'frozen', { 'if-match': '"2"' })).status, 200)
  assert.equal((await set('R', 'active')).body['state'], 'active')
  await post('/withdrawals', { account: 'R', amount: 1000, ...usd })
  assert.equal((await set('R', 'closed')).status, 200)
  assertRefused(await set('R', 'active'), 409, 'account_closed')
  assertRefused(await set('B', 'gone'), 400, 'invalid_request')
  await post('/accounts', { number: 'R-O', overdraft_limit: 10 })
  await hold('R-O', 5)
  assertRefused(await set('R-O', 'closed'), 409, 'account_not_empty')
  for (const path of ['deposit', 'withdraw']) {
    const { status, body } = await cashpoint.post(`/accounts/R/${path}`, '{"amount": 1}')
    assert.deepEqual([status, JSON.parse(body).error], [400, 'Account is closed'])
  }
})

test('lists page by cursor, filter by state and currency, and show the house apart', async (t) => {
  const { post, get } = await serveV1(t)
  for (let i = 10; i < 25; i += 1)
    await post('/accounts', { number: `P-${i}`, currency: i % 2 ? 'EUR' : 'USD' })
  await post('/accounts/P-11/state', { state: 'frozen', reason: 'r' })
  const numbers: string[] = []
  for (let path: string | undefined = '/accounts?limit=4'; path !== undefined; ) {
    const page = await get(path)
    numbers.push(...(page.body['accounts'] as unknown as { number: string }[]).map(({ number }) => number))
    path = /<\/v1(.+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]
  }
  assert.deepEqual(numbers, ['A', 'B', ...Array.from({ length: 15 }, (_, i) => `P-${i + 10}`)])
  const only = async (query: string) =>
    ((await get(`/accounts?${query}`)).body['accounts'] as unknown as { number: string }[]).map(
      ({ number }) => number,
    )
  assert.deepEqual(await only('state=frozen'), ['P-11'])
  assert.deepEqual(await only('currency=EUR&state=active&limit=2'), ['P-13', 'P-15'])
  assert.deepEqual(await only('kind=house'), ['cash:USD'])
  for (const query of ['limit=0', 'limit=-1', 'limit=1e9', 'limit=1001', 'state=x', 'currency=x', 'kind=x'])
    assertRefused(await get(`/accounts?${query}`), 400, 'invalid_request')
  for (const cursor of ['', 'x', '!!', 'QQ==', 'JycsJw'])
    assertRefused(await get(`/accounts?cursor=${cursor}`), 400, 'page_invalid')
})

test('entries come newest first, none twice and none missing while others arrive', async () => {
  const { post, get } = shared
  await open('E-1')
  const deposit = () => post('/deposits', { account: 'E-1', amount: 1, ...usd })
  for (let i = 0; i < 60; i += 1) await deposit()
  const versions: number[] = []
  let cursor = ''
  for (;;) {
    const [page] = await Promise.all([get(`/accounts/E-1/entries?limit=7${cursor}`), deposit(), deposit()])
    const entries = page.body['entries'] as unknown as { version: number; balance_after: number }[]
    for (const { version, balance_after } of entries) {
      assert.equal(balance_after, version - 1)
      versions.push(version)
    }
    if (page.body['next_cursor'] === null) break
    cursor = `&cursor=${page.body['next_cursor']}`
  }
  const first = versions[0] ?? 0
  assert.ok(first >= 61)
  assert.deepEqual(
    versions,
    Array.from({ length: first - 1 }, (_, i) => first - i),
  )
  for (const forged of ['x', 'MA', 'LTE', 'MS41'])
    assertRefused(await get(`/accounts/E-1/entries?cursor=${forged}`), 400, 'page_invalid')
})

test('a statement adds up, for any period, as JSON and as CSV that no spreadsheet runs', async () => {
  const { post, get } = shared
  await open('T', 1000)
  await post('/deposits', { account: 'T', amount: 500, ...usd, reference: '=1+1' })
  const middle = new Date(Date.now() + 1).toISOString()
  await new Promise((resolve) => setTimeout(resolve, 5))
  await post('/withdrawals', { account: 'T', amount: 200, ...usd, reference: 'a "b", c' })

  type Entries = { direction: string; amount: number }[]
  for (const where of ['in the journal', 'in the index']) {
    for (const [query, opening, count, closing] of [
      ['', 0, 3, 1300],
      [`?to=${middle}`, 0, 2, 1500],
      [`?from=${middle}`, 1500, 1, 1300],
      ['?from=2001-01-01&to=2001-02-01', 0, 0, 0],
      ['?from=2101-01-01&to=2101-02-01', 1300, 0, 1300],
    ] as const) {
      const { body } = await get(`/accounts/T/statement${query}`)
      const entries = body['entries'] as unknown as Entries
      const sum = entries.reduce(
        (sum, { direction, amount }) => sum + (direction === 'credit' ? amount : -amount),
        0,
      )
      assert.deepEqual(
        [body['opening'], entries.length, body['closing']],
        [opening, count, closing],
        `${query} ${where}`,
      )
      assert.equal(opening + sum, closing)
    }
    await new Promise((resolve) => setTimeout(resolve, 1_100))
  }
  const { text } = await get('/accounts/T/statement', { accept: 'text/csv' })
  const lines = text.split('\r\n')
  assert.match(lines[0] ?? '', /^created_at,/)
  assert.match(lines[3] ?? '', /,500,1500,'=1\+1$/)
  assert.match(lines[4] ?? '', /,200,1300,"a ""b"", c"$/)
  for (const query of ['from=yesterday', 'from=2026-13-01', 'from=2026-02-01&to=2026-01-01'])
    assertRefused(await get(`/accounts/T/statement?${query}`), 400, 'invalid_request')
})

test('a balance as of a version or an instant is the one the account had', async () => {
  const { post, get, hold } = shared
  await open('V', 1000)
  await hold('V', 5)
  await post('/withdrawals', { account: 'V', amount: 100, ...usd })
  const asOf = async (text: string | number) => {
    const { body } = await get(`/accounts/V/balance?as_of=${text}`)
    return [body['ledger'], body['version'], 'available' in body]
  }
  assert.deepEqual(await asOf(0), [0, 0, false])
  assert.deepEqual(await asOf(2), [1000, 2, false])
  assert.deepEqual(await asOf(3), [1000, 2, false], 'a hold leaves the ledger balance alone')
  assert.deepEqual(await asOf(4), [900, 4, false])
  assert.deepEqual(await asOf(new Date().toISOString()), [900, 4, false])
  assert.deepEqual(await asOf('2001-01-01T00:00:00Z'), [0, 0, false])
  assertRefused(await get('/accounts/V/balance?as_of=-1'), 400, 'invalid_request')
})

test('the books prove while the server runs, whole and in part', async (t) => {
  const { post, prove } = await serveV1(t)
  const whole = await prove('')
  assert.deepEqual([whole['proven'], whole['accounts']], [true, 2])
  assert.deepEqual(whole['sums'], [{ currency: 'USD', customers: '1000', terminals: '0', house: '-1000' }])
  const part = await prove('?from=2&to=3')
  assert.deepEqual([part['proven'], part['from'], part['to']], [true, 2, 3])
  assert.equal((await prove('?from=99'))['proven'], false)
  for (const query of ['from=0', 'from=3&to=2', 'to=x'])
    assertRefused(await post(`/verify?${query}`), 400, 'invalid_request')
})

test('a pass says who asked for it', async (t) => {
  const v1 = await serveV1(t)
  assert.equal((await v1.prove(''))['by'], '', 'nobody has a name in demo mode')
  await v1.useKey('operator', 'olga')
  assert.equal((await v1.prove(''))['by'], 'olga')
})

test('a key makes one pass of two requests, and is the key of nothing else', async () => {
  const v1 = shared
  const ask = (query: string, key: string) =>
    v1.post(`/verify${query}`, undefined, { 'idempotency-key': key })
  const replayed = ({ headers }: Said) => headers.get('idempotency-replayed')

  const first = await ask('?from=1&to=2', 'k')
  assert.deepEqual([first.status, replayed(first), first.headers.get('location')], [202, null, '/v1/verify'])
  await v1.proven()
  const { last } = (await v1.get('/verify')).body
  const again = await ask('?from=1&to=2', 'k')
  assert.deepEqual([again.status, replayed(again), again.text], [202, 'true', first.text])
  assert.deepEqual((await v1.get('/verify')).body, { running: null, last }, 'no second pass')

  const other = await ask('?from=2', 'k')
  assertRefused(other, 422, 'idempotency_conflict')
  assert.match(String(other.body['detail']), /: from, to$/)
  const money = { account: 'A', amount: 1, currency: 'USD' }
  assertRefused(await v1.post('/deposits', money, { 'idempotency-key': 'k' }), 422, 'idempotency_conflict')
  await v1.post('/deposits', money, { 'idempotency-key': 'paid' })
  assertRefused(await ask('', 'paid'), 422, 'idempotency_conflict')

  const { body } = await v1.get('/operations?key=k')
  assert.deepEqual([body['status'], body['body']], [202, JSON.parse(first.text)])
  assert.equal((await v1.prove())['proven'], true)
})

test('every path answers 405 with Allow, HEAD and unknown paths as usual', async () => {
  const { cashpoint, document } = shared
  for (const [path, methods] of Object.entries(document.paths)) {
    const there = path.replace(/\{[a-z]+\}/g, '1')
    const answer = await cashpoint.call('PATCH', there)
    checkContract(document, 'patch', there, answer)
    assert.equal(answer.status, 405, path)
    for (const method of Object.keys(methods))
      assert.ok(answer.headers.get('allow')?.includes(method.toUpperCase()))
  }
  assert.equal((await cashpoint.get('/v1/nothing')).status, 404)
})

test('the page of docs asks nobody else for anything', async () => {
  const { cashpoint } = shared
  const { status, headers, body } = await cashpoint.get('/docs')
  assert.equal(status, 200)
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
  assert.doesNotMatch(body, /https?:\/\//)
})

test('transfers are found by reference, by either side and by time, before and after the index has them', async (t) => {
  const { post, get, move } = await serveV1(t)
  const ids: unknown[] = []
  for (let i = 0; i < 6; i += 1) {
    const body = { account: i % 2 ? 'A' : 'B', amount: 10, ...usd, reference: i < 4 ? 'r-1' : 'r-2' }
    ids.push((await post('/deposits', body)).body['id'])
  }
  ids.push((await move('A', 'B', 5)).body['id'])
  const found = async (query: string) => {
    const all: unknown[] = []
    for (let cursor = ''; ; ) {
      const { body } = await get(`/transfers?limit=2${query}${cursor}`)
      all.push(...(body['transfers'] as unknown as { id: string }[]).map(({ id }) => ids.indexOf(id)))
      if (body['next_cursor'] === null) return all
      cursor = `&cursor=${body['next_cursor']}`
    }
  }
  for (const round of ['in the journal', 'in the index']) {
    assert.deepEqual(await found('&reference=r-1'), [3, 2, 1, 0], round)
    assert.deepEqual(await found('&reference=r-1&account=B'), [2, 0], round)
    assert.deepEqual(await found('&reference=none'), [], round)
    assert.deepEqual(await found('&account=B'), [6, 4, 2, 0], round)
    assert.deepEqual(await found('&account=cash:USD'), [5, 4, 3, 2, 1, 0, -1], round)
    assert.deepEqual(await found('&account=equity:USD'), [], round)
    assert.deepEqual(await found(''), [6, 5, 4, 3, 2, 1, 0, -1], round)
    assert.deepEqual(await found('&to=2001-01-01'), [], round)
    assert.deepEqual(await found('&from=2101-01-01'), [], round)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
  }
  for (const query of ['account=x:y', 'limit=0', 'from=x'])
    assertRefused(await get(`/transfers?${query}`), 400, 'invalid_request')
  assertRefused(await get('/transfers?cursor=x'), 400, 'page_invalid')
})

test('holds are listed by account and by the state they are in now', async (t) => {
  const { post, get, hold } = await serveV1(t)
  await post('/accounts', { number: 'O', overdraft_limit: 100 })
  const ids = [
    await hold('A', 1),
    await hold('A', 2, { expires_in: 1 }),
    await hold('O', 3),
    await hold('A', 4),
  ]
  await post(`/holds/${ids[0]}/capture`)
  await post(`/holds/${ids[3]}/void`)
  await new Promise((resolve) => setTimeout(resolve, 1_050))
  ids.push(await hold('O', 5))
  const found = async (path: string) => {
    const all: number[] = []
    for (let cursor = ''; ; ) {
      const { body } = await get(`${path}${path.includes('?') ? '&' : '?'}limit=2${cursor}`)
      all.push(...(body['holds'] as unknown as { id: string }[]).map(({ id }) => ids.indexOf(id)))
      if (body['next_cursor'] === null) return all
      cursor = `&cursor=${body['next_cursor']}`
    }
  }
  for (const round of ['partly in the journal', 'in the index']) {
    assert.deepEqual(await found('/holds'), [4, 3, 2, 1, 0], round)
    assert.deepEqual(await found('/accounts/A/holds'), [3, 1, 0], round)
    assert.deepEqual(await found('/holds?state=pending'), [4, 2], round)
    assert.deepEqual(await found('/accounts/A/holds?state=expired'), [1], round)
    assert.deepEqual(await found('/accounts/A/holds?state=posted'), [0], round)
    assert.deepEqual(await found('/holds?state=voided'), [3], round)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
  }
  assertRefused(await get('/holds?state=gone'), 400, 'invalid_request')
  assertRefused(await get('/accounts/nobody/holds'), 404, 'account_not_found')
})

test('a house account has a figure and entries, without balances after; lists of them page and filter', async (t) => {
  const { post, get, move } = await serveV1(t)
  await post('/accounts', { number: 'E', currency: 'EUR' })
  await post('/deposits', { account: 'E', amount: 7, currency: 'EUR' })
  await post('/withdrawals', { account: 'A', amount: 300, ...usd })
  await move('A', 'B', 5)
  const figure = { number: 'cash:USD', currency: 'USD', ledger: '-700', version: null }
  assert.deepEqual((await get('/accounts/cash:USD')).body, figure)

  const first = await get('/accounts/cash:USD/entries?limit=1')
  const second = await get(`/accounts/cash:USD/entries?limit=1&cursor=${first.body['next_cursor']}`)
  const sides = [first, second].flatMap(({ body }) => body['entries'] as unknown as Record<string, unknown>[])
  assert.deepEqual(
    sides.map(({ direction, amount, kind, version, balance_after }) => [
      direction,
      amount,
      kind,
      version,
      balance_after,
    ]),
    [
      ['credit', 300, 'withdrawal', null, null],
      ['debit', 1000, 'deposit', null, null],
    ],
  )
  assert.equal(second.body['next_cursor'], null)

  const page = await get('/accounts?kind=house&limit=1')
  assert.deepEqual(
    (page.body['accounts'] as unknown as { number: string }[]).map(({ number }) => number),
    ['cash:EUR'],
  )
  assert.match(page.headers.get('link') ?? '', /kind=house/)
  const rest = await get(`/accounts?kind=house&limit=1&cursor=${page.body['next_cursor']}`)
  assert.deepEqual(
    [rest.body['accounts'], rest.body['next_cursor'], rest.body['total_accounts']],
    [[figure], null, 2],
  )
  assert.deepEqual((await get('/accounts?kind=house&currency=USD')).body['accounts'], [figure])

  assertRefused(await get('/accounts?kind=house&state=active'), 400, 'invalid_request')
  assertRefused(await get('/accounts?kind=house&cursor=QQ'), 400, 'page_invalid')
  assertRefused(await get('/accounts/cash:GBP'), 404, 'account_not_found')
  assertRefused(await get('/accounts/cash:usd'), 400, 'account_number_invalid')
  assertRefused(await get('/accounts/cash:USD/statement'), 400, 'account_number_invalid')
  assertRefused(await post('/deposits', { account: 'cash:USD', amount: 1, ...usd }), 400, 'invalid_request')
})

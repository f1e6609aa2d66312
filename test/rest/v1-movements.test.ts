// /v1 on a real store and socket: transfers, reversals, holds and batches; each reply is held against the document.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused, serveV1 } from './v1-support.ts'

const usd = { currency: 'USD' }

const { post, get, open, hold, move, figures } = await serveV1({ after })

let pairs = 0

/** Two accounts of a test's own, A with 1,000 and B with none. */
async function pair() {
  pairs += 1
  return { A: await open(`A-${pairs}`, 1000), B: await open(`B-${pairs}`) }
}

test('a transfer carries both balances and its links, and is found where Location says', async () => {
  const { A, B } = await pair()
  const made = await post('/transfers', {
    from: A,
    to: B,
    amount: 300,
    ...usd,
    reference: 'rent',
    metadata: { a: 'é😀' },
  })
  assert.equal(made.status, 201)
  const { id, created_at, ...rest } = made.body
  assert.equal(made.headers.get('location'), `/v1/transfers/${id}`)
  assert.ok(Date.parse(String(created_at)) > 0)
  assert.deepEqual(rest, {
    kind: 'transfer',
    debit_account: A,
    credit_account: B,
    amount: 300,
    currency: 'USD',
    balances: [
      { account: A, ledger: 700, held: 0, version: 3 },
      { account: B, ledger: 300, held: 0, version: 2 },
    ],
    key: null,
    reference: 'rent',
    metadata: { a: 'é😀' },
    reverses: null,
    hold: null,
    adjustment: null,
    operation: null,
    forced: false,
  })
  const read = await get(`/transfers/${id}`)
  assert.deepEqual(read.body, { ...made.body, reversed_amount: 0, reversed_by: null })
})

test('what a transfer is refused with', async () => {
  const { A, B } = await pair()
  await post('/accounts', { number: 'E', currency: 'EUR' })
  assertRefused(await move(A, B, 1001), 422, 'insufficient_funds')
  assertRefused(await move(A, 'nobody', 1), 404, 'account_not_found')
  assertRefused(await move('nobody', A, 1), 404, 'account_not_found')
  assertRefused(await move(A, A, 1), 422, 'same_account')
  assertRefused(await move(A, 'E', 1), 422, 'currency_mismatch')
  assertRefused(await post('/deposits', { account: 'nobody', amount: 1, ...usd }), 404, 'account_not_found')
  await post('/deposits', { account: B, amount: 2 ** 53 - 1, ...usd })
  assertRefused(await move(A, B, 1), 422, 'balance_too_large')
})

test('bad bodies are 400 and name the member', async () => {
  const bad: [string, RegExp][] = [
    ['{"from":"A","to":"B","amount":1,"currency":"USD","x":1}', /^x is not a member/],
    ['{"from":"A","to":"B","amount":1}', /^currency is required/],
    ['{"from":"A","to":"B","amount":"1","currency":"USD"}', /^amount must be integer/],
    ['{"from":"A","to":"B","amount":0,"currency":"USD"}', /^amount must be >= 1/],
    ['{"from":"A","to":"B","amount":-1,"currency":"USD"}', /^amount/],
    ['{"from":"A","to":"B","amount":1.5,"currency":"USD"}', /^amount/],
    [
      '{"from":"A","to":"B","amount":9007199254740992,"currency":"USD"}',
      /^amount must be (<= 9007199254740991|integer)/,
    ],
    [
      '{"from":"A","to":"B","amount":9007199254740993,"currency":"USD"}',
      /^amount must be (<= 9007199254740991|integer)/,
    ],
    [
      '{"from":"A","to":"B","amount":1e300,"currency":"USD"}',
      /^amount must be (<= 9007199254740991|integer)/,
    ],
    ['{"from":"A","to":"B","amount":0.99999999999999999,"currency":"USD"}', /^amount must be integer/],
    ['{"from":"A","to":"B","amount":9007199254740990.6,"currency":"USD"}', /^amount must be integer/],
    [`{"from":"A","to":"B","amount":0.${'9'.repeat(80)},"currency":"USD"}`, /^amount must be integer/],
    [
      '{"from":"A","to":"B","amount":1,"currency":"USD","metadata":{"a":"1","\\u0061":"2"}}',
      /^metadata.a is given more/,
    ],
    ['{"from":"A","to":"B","amount":1,"amount":2,"currency":"USD"}', /^amount is given more than once/],
    ['{"from":"A","to":"B","amount":1,"currency":"usd"}', /^currency/],
    ['{"from":"A","to":"B","amount":1,"currency":"QQQ"}', /^currency must be an ISO 4217 code/],
    ['{"from":"A","to":"B","amount":1,"currency":"USD","metadata":{"__proto__":"x"}}', /^metadata/],
    ['{"from":"A","to":"B","amount":1,"currency":"USD","metadata":{"a":1}}', /^metadata.a must be string/],
    ['{"from":"A","to":"B","amount":1,"currency":"USD","reference":""}', /^reference/],
    ['{"from":"A:B","to":"B","amount":1,"currency":"USD"}', /^from/],
    ['{"from":"cash:USD","to":"B","amount":1,"currency":"USD"}', /^from/],
    ['', /^from is required/],
  ]
  for (const [text, detail] of bad) {
    const said = await post('/transfers', text)
    assertRefused(said, 400, 'invalid_request')
    assert.match(String(said.body['detail']), detail, text)
  }
  for (const text of ['{', '[]', '1', 'null'])
    assertRefused(await post('/transfers', text), 400, 'malformed_body')
  assert.deepEqual(await figures('A'), [1000, 0, 1000])
})

test('up_to moves what is available, and refuses where that is nothing', async () => {
  const { A } = await pair()
  await hold(A, 400)
  const moved = await post('/withdrawals', { account: A, amount: 5000, ...usd, up_to: true })
  assert.equal(moved.body['amount'], 600)
  assert.deepEqual(await figures(A), [400, 400, 0])
  assertRefused(
    await post('/withdrawals', { account: A, amount: 1, ...usd, up_to: true }),
    422,
    'insufficient_funds',
  )
})

test('a reversal takes back what is left, once, whatever the key and however many ask', async () => {
  const { A, B } = await pair()
  const { id } = (await move(A, B, 300)).body
  const part = await post(`/transfers/${id}/reversals`, { amount: 100 }, { 'idempotency-key': 'r1' })
  assert.deepEqual(
    [part.status, part.body['kind'], part.body['amount'], part.body['reverses']],
    [201, 'reversal', 100, id],
  )
  assertRefused(await post(`/transfers/${id}/reversals`, { amount: 201 }), 422, 'reversal_too_large')

  const many = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      post(`/transfers/${id}/reversals`, undefined, { 'idempotency-key': `all-${i}` }),
    ),
  )
  assert.equal(many.filter(({ status }) => status === 201).length, 1)
  assert.equal(new Set(many.map(({ body }) => body['id'])).size, 1)
  assert.equal(many[0]?.body['amount'], 200)
  assert.deepEqual(await figures(A), [1000, 0, 1000])
  const read = (await get(`/transfers/${id}`)).body
  assert.deepEqual([read['reversed_amount'], read['reversed_by']], [300, many[0]?.body['id']])
  const last = String(many[0]?.body['id'])
  assertRefused(await post(`/transfers/${last}/reversals`), 422, 'not_reversible')
  assertRefused(await post('/transfers/1-99999/reversals'), 404, 'transfer_not_found')
  assertRefused(await post('/transfers/x/reversals'), 404, 'transfer_not_found')
})

test('a reversal wants funds unless it is forced, and a closed account is a conflict', async () => {
  const { A, B } = await pair()
  const { id } = (await move(A, B, 300)).body
  await move(B, A, 250)
  assertRefused(await post(`/transfers/${id}/reversals`), 422, 'insufficient_funds')
  const forced = await post(`/transfers/${id}/reversals`, { force: true })
  assert.deepEqual([forced.status, forced.body['forced']], [201, true])
  assert.deepEqual(await figures(B), [-250, 0, -250])

  const other = (await move(A, B, 250)).body['id']
  await post(`/accounts/${B}/state`, { state: 'closed', reason: 'left' })
  assertRefused(await post(`/transfers/${other}/reversals`, { force: true }), 409, 'account_closed')
})

test('a hold is set aside, captured in part once, and the rest is free', async () => {
  const { A } = await pair()
  const id = await hold(A, 400)
  assert.deepEqual(await figures(A), [1000, 400, 600])
  assertRefused(await post(`/holds/${id}/capture`, { amount: 401 }), 422, 'capture_too_large')
  const captured = await post(`/holds/${id}/capture`, { amount: 150 })
  assert.deepEqual(
    [captured.status, captured.body['state'], captured.body['captured_amount']],
    [200, 'posted', 150],
  )
  assert.deepEqual(await figures(A), [850, 0, 850])
  for (const what of ['capture', 'void']) {
    const again = await post(`/holds/${id}/${what}`)
    assertRefused(again, 409, 'hold_resolved')
    assert.equal(again.body['state'], 'posted')
  }
  const transfer = (await get(`/transfers/${captured.body['transfer']}`)).body
  assert.deepEqual([transfer['kind'], transfer['hold'], transfer['amount']], ['capture', id, 150])
  const back = await post(`/transfers/${transfer['id']}/reversals`)
  assert.equal(back.status, 201)
  assert.equal((await get(`/holds/${id}`)).body['state'], 'posted')
  assert.deepEqual(await figures(A), [1000, 0, 1000])
})

test('an expired hold is not held before anything resolves it; only an advice captures it', async () => {
  const { A } = await pair()
  const id = await hold(A, 900, { expires_in: 1 })
  assertRefused(await post('/withdrawals', { account: A, amount: 500, ...usd }), 422, 'insufficient_funds')
  await new Promise((resolve) => setTimeout(resolve, 1_050))
  assert.deepEqual(await figures(A), [1000, 0, 1000])
  assert.equal((await get(`/holds/${id}`)).body['state'], 'expired')
  assertRefused(await post(`/holds/${id}/capture`), 409, 'hold_resolved')
  assertRefused(await post(`/holds/${id}/void`), 409, 'hold_resolved')
  assert.equal((await post('/withdrawals', { account: A, amount: 500, ...usd })).status, 201)
  const advice = await post(`/holds/${id}/capture`, { advice: true })
  assert.deepEqual([advice.body['state'], advice.body['forced']], ['posted', true])
  assert.deepEqual(await figures(A), [-400, 0, -400])
  assertRefused(await post(`/holds/${id}/capture`, { advice: true }), 409, 'hold_resolved')
})

test('capture against void: one wins, the loser is told the state', async () => {
  const { A } = await pair()
  for (let round = 0; round < 10; round += 1) {
    const before = (await figures(A))[0]
    const id = await hold(A, 10)
    const both = await Promise.all([post(`/holds/${id}/capture`), post(`/holds/${id}/void`)])
    const won = both.find(({ status }) => status === 200)
    const lost = both.find(({ status }) => status === 409)
    assert.equal(lost?.body['state'], won?.body['state'])
    const left = Number(before) - (won?.body['state'] === 'posted' ? 10 : 0)
    assert.deepEqual(await figures(A), [left, 0, left])
  }
})

test('captures around the moment of expiry: a hold is paid or has expired, and never both', async () => {
  const { A } = await pair()
  const states = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const id = await hold(A, 1, { expires_in: 1 })
      const { body } = await get(`/holds/${id}`)
      // From 80 ms before its time to 76 ms after.
      const wait = Date.parse(String(body['expires_at'])) - Date.now() + (i - 20) * 4
      await new Promise((resolve) => setTimeout(resolve, wait))
      const captured = await post(`/holds/${id}/capture`)
      if (captured.status !== 200) assertRefused(captured, 409, 'hold_resolved')
      const state = String((await get(`/holds/${id}`)).body['state'])
      assert.equal(state, captured.status === 200 ? 'posted' : 'expired')
      assert.equal(captured.body['state'], state)
      return state
    }),
  )
  const paid = states.filter((state) => state === 'posted').length
  assert(paid < 40, 'the last came too late')
  assert.deepEqual(await figures(A), [1000 - paid, 0, 1000 - paid])
})

test('transfers both ways at once end, and no money is lost', async () => {
  const { A, B } = await pair()
  await post('/deposits', { account: B, amount: 1000, ...usd })
  const all = Array.from({ length: 200 }, (_, i) => (i % 2 ? move(A, B, 7) : move(B, A, 5)))
  for (const { status } of await Promise.all(all)) assert.equal(status, 201)
  assert.deepEqual(
    [await figures(A), await figures(B)],
    [
      [800, 0, 800],
      [1200, 0, 1200],
    ],
  )
})

test('a key answers the same to the letter, a decline too; another body is 422; operations tells of it', async () => {
  const { A } = await pair()
  const key = { 'idempotency-key': 'k-1' }
  const body = { account: A, amount: 100, ...usd }
  const first = await post('/withdrawals', body, key)
  const again = await post('/withdrawals', body, key)
  assert.deepEqual([again.status, again.text], [first.status, first.text])
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  assert.equal(again.headers.get('location'), first.headers.get('location'))
  const other = await post('/withdrawals', { ...body, amount: 101, reference: 'x' }, key)
  assertRefused(other, 422, 'idempotency_conflict')
  assert.equal(other.body['detail'], 'What differs from the first request: amount, reference')
  const kind = await post('/deposits', body, key)
  assert.match(String(kind.body['detail']), /: account or from, account or to$/)
  assert.deepEqual(await figures(A), [900, 0, 900])

  const declined = await post('/withdrawals', { ...body, amount: 9999 }, { 'idempotency-key': 'k-2' })
  await post('/deposits', { account: A, amount: 99999, ...usd })
  const still = await post('/withdrawals', { ...body, amount: 9999 }, { 'idempotency-key': 'k-2' })
  assert.deepEqual([still.status, still.text], [422, declined.text])

  const known = await get('/operations?key=k-1')
  assert.deepEqual([known.body['status'], known.body['body']], [201, first.body])
  assert.equal((await get('/operations?key=k-2')).body['status'], 422)
  assertRefused(await get('/operations?key=k-3'), 404, 'operation_not_found')
  assertRefused(await get('/operations'), 400, 'idempotency_key_invalid')
  await new Promise((resolve) => setTimeout(resolve, 700))
  assert.deepEqual((await get('/operations?key=k-1')).body, known.body, 'from the index as from the journal')
})

const operationOn =
  (type: 'deposit' | 'withdrawal', account: string) =>
  (amount: number, more: object = {}) => ({ type, account, amount, ...usd, ...more })

test('an atomic batch is all or none, and says where it was refused', async () => {
  const { A, B } = await pair()
  const pay = operationOn('deposit', B)
  const take = operationOn('withdrawal', A)
  const refused = await post('/batches', {
    atomic: true,
    operations: [pay(5, { key: 'i' }), take(2000), pay(7)],
  })
  assertRefused(refused, 422, 'batch_refused')
  assert.equal(refused.body['failed'], 1)
  assert.deepEqual(
    [await figures(A), await figures(B)],
    [
      [1000, 0, 1000],
      [0, 0, 0],
    ],
  )
  assertRefused(await get('/operations?key=i'), 404, 'operation_not_found')

  const key = { 'idempotency-key': 'b' }
  const done = await post('/batches', { atomic: true, operations: [pay(5, { key: 'i' }), take(200)] }, key)
  const again = await post('/batches', { atomic: true, operations: [pay(5, { key: 'i' }), take(200)] }, key)
  assert.deepEqual([again.text, done.body['failed']], [done.text, null])
  const one = await post('/deposits', { account: B, amount: 5, ...usd }, { 'idempotency-key': 'i' })
  assert.equal(one.headers.get('idempotency-replayed'), 'true', 'item keys share the key space')
  assert.deepEqual(
    [await figures(A), await figures(B)],
    [
      [800, 0, 800],
      [5, 0, 5],
    ],
  )
})

test('independent results stand by themselves; an item that was done answers what it was answered', async () => {
  const { A, B } = await pair()
  const pay = operationOn('deposit', B)
  const take = operationOn('withdrawal', A)
  const operations = [pay(5, { key: 'i-1' }), take(2000, { key: 'j-1' }), pay(7)]
  const first = (await post('/batches', { operations })).body['results'] as unknown as {
    status: number
    replayed: boolean
  }[]
  assert.deepEqual(
    first.map(({ status, replayed }) => [status, replayed]),
    [
      [201, false],
      [422, false],
      [201, false],
    ],
  )
  const second = (await post('/batches', { operations })).body['results'] as unknown as typeof first
  assert.deepEqual(
    second.map(({ status, replayed }) => [status, replayed]),
    [
      [201, true],
      [422, true],
      [201, false],
    ],
  )
  assert.deepEqual(await figures(B), [19, 0, 19])
})

test('a dry run says what would be, changes nothing and keeps no key', async () => {
  const { A, B } = await pair()
  const pay = operationOn('deposit', B)
  const take = operationOn('withdrawal', A)
  const body = { dry_run: true, operations: [take(600), take(600), pay(1, { key: 'dry' })] }
  const { body: told } = await post('/batches', body, { 'idempotency-key': 'dry-run' })
  const results = told['results'] as unknown as {
    status: number
    body: { balances?: { ledger: number }[] }
  }[]
  assert.deepEqual(
    results.map(({ status }) => status),
    [201, 422, 201],
  )
  assert.equal(results[0]?.body.balances?.[0]?.ledger, 400)
  assert.deepEqual(
    [await figures(A), await figures(B)],
    [
      [1000, 0, 1000],
      [0, 0, 0],
    ],
  )
  for (const key of ['dry', 'dry-run'])
    assertRefused(await get(`/operations?key=${key}`), 404, 'operation_not_found')
})

test('an operation of a batch is read as exactly as a body of its own', async () => {
  const { B } = await pair()
  const operation = (amount: string) =>
    `{"operations":[{"type":"deposit","account":"${B}","amount":1,"currency":"USD"},{"type":"deposit","account":"${B}",${amount},"currency":"USD"}]}`
  for (const [amount, detail] of [
    ['"amount":1,"amount":1000', /^operations.1.amount is given more than once/],
    ['"amount":0.99999999999999999', /^operations.1.amount must be integer/],
    ['"amount":9007199254740990.6', /^operations.1.amount must be integer/],
    ['"amount":1,"metadata":{"a":"1","a":"2"}', /^operations.1.metadata.a is given more than once/],
  ] as const) {
    const said = await post('/batches', operation(amount))
    assertRefused(said, 400, 'invalid_request')
    assert.match(String(said.body['detail']), detail, amount)
  }
  assert.deepEqual(await figures(B), [0, 0, 0])
  for (const amount of ['"amount":5', '"amount":5.0', '"amount":5e0', '"amount" : 50e-1'])
    assert.equal((await post('/batches', operation(amount))).status, 200, amount)
  assert.deepEqual(await figures(B), [24, 0, 24])
})

test('what is wrong with a batch', async () => {
  const { A, B } = await pair()
  const pay = operationOn('deposit', B)
  assertRefused(
    await post('/batches', { operations: [pay(1, { key: 'x' }), pay(2, { key: 'x' })] }),
    422,
    'key_repeated',
  )
  const bad: [object[], RegExp][] = [
    [[], /^operations/],
    [[pay(1), { type: 'gift' }], /^operations.1: type must be one of/],
    [[pay(1), pay(0)], /^operations.1: amount/],
    [[pay(1, { from: A })], /^operations.0: from is not a member/],
    [[pay(1, { key: '' })], /^operations.0: key/],
    [[{ type: 'capture' }], /^operations.0: hold must be the id/],
    [Array.from({ length: 1001 }, () => pay(1)), /^operations must NOT have more than 1000/],
  ]
  for (const [operations, detail] of bad) {
    const said = await post('/batches', { operations })
    assertRefused(said, 400, 'invalid_request')
    assert.match(String(said.body['detail']), detail)
  }
  assert.deepEqual(await figures(B), [0, 0, 0])
  const most = await post('/batches', { operations: Array.from({ length: 1000 }, () => pay(1)) })
  assert.equal(most.status, 200)
  assert.deepEqual(await figures(B), [1000, 0, 1000])
  assertRefused(await post('/batches', `{"operations":[${' '.repeat(2 ** 20)}]}`), 413, 'body_too_large')
})

test('If-Match guards whatever moves or frees money, and is refused where it guards nothing', async () => {
  const { A, B } = await pair()
  const { body: paid } = await move(A, B, 100)
  const id = await hold(B, 10)
  const etag = (await get(`/accounts/${B}`)).headers.get('etag') ?? ''
  assert.equal(etag, '"3"')
  const stale = { 'if-match': '"2"' }
  const guarded: [string, object][] = [
    ['/deposits', { account: B, amount: 1, ...usd }],
    ['/withdrawals', { account: B, amount: 1, ...usd }],
    ['/transfers', { from: B, to: A, amount: 1, ...usd }],
    ['/holds', { account: B, amount: 1, ...usd }],
    [`/accounts/${B}/state`, { state: 'active', reason: 'r' }],
    [`/transfers/${paid['id']}/reversals`, { amount: 1 }],
    [`/holds/${id}/capture`, {}],
    [`/holds/${id}/void`, {}],
  ]
  for (const [path, body] of guarded) assertRefused(await post(path, body, stale), 412, 'version_mismatch')
  assert.equal((await get(`/accounts/${B}`)).headers.get('etag'), etag, 'nothing was done')

  // The reversal takes from B, so B is what is guarded; a number without quotes is the same ETag.
  assert.equal(
    (await post(`/transfers/${paid['id']}/reversals`, { amount: 1 }, { 'if-match': '3' })).status,
    201,
  )
  assert.equal((await post(`/holds/${id}/capture`, { amount: 4 }, { 'if-match': '"4"' })).status, 200)
  for (const header of ['x', 'W/"7"', '"7', '"7", "8"'])
    assertRefused(
      await post('/deposits', { account: B, amount: 1, ...usd }, { 'if-match': header }),
      400,
      'invalid_request',
    )
  const operations = [{ type: 'deposit', account: B, amount: 1, ...usd }]
  assertRefused(await post('/batches', { operations }, stale), 400, 'invalid_request')
  assertRefused(await post('/accounts', {}, stale), 400, 'invalid_request')
})

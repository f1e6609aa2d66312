// The original routes to the letter: old clients read these bodies, some by text and some by order.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Outcome, refuse } from '../../src/ledger/command.ts'
import type { Refusal } from '../../src/ledger/refusal.ts'
import {
  type Answer,
  balanceOf,
  type Cashpoint,
  checkProblem,
  holdWriteLock,
  serve,
  stubStore,
} from './support.ts'

const opening = { '123456789': 100_000, '987654321': 250_000, '555555555': 50_000 }
const cashpoint = await serve({ after }, { accounts: opening })
const { get, post } = cashpoint

/** That an answer is 200, JSON, and this text. */
function check(answer: Answer, body: string): void {
  assert.deepEqual({ status: answer.status, body: answer.body }, { status: 200, body })
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
}

test('GET / says that it runs, and where to go', async () => {
  const answer = await get('/')
  const greeting = JSON.parse(answer.body)

  assert.equal(answer.status, 200)
  assert.deepEqual(Object.keys(greeting), ['message', 'status', 'endpoints'])
  assert.equal(greeting.status, 'running')
  assert.equal(typeof greeting.message, 'string')
  assert.deepEqual(Object.keys(greeting.endpoints), ['get_balance', 'withdraw', 'deposit', 'list_accounts'])
})

test('a balance', async () => {
  const answer = await get('/accounts/123456789/balance')
  check(answer, '{"account_number":"123456789","balance":1000.00,"message":"Balance retrieved successfully"}')
})

test('a balance with simple=true is the bare number, and with anything else it is not', async () => {
  check(await get('/accounts/987654321/balance?simple=true'), '2500.00')
  for (const query of ['simple=false', 'simple=1', 'simple=', 'simple=TRUE', 'simple'])
    assert.match((await get(`/accounts/987654321/balance?${query}`)).body, /^\{"account_number"/, query)
})

test('a withdrawal', async () => {
  const answer = await post('/accounts/123456789/withdraw', '{"amount": 100.00}')
  check(
    answer,
    '{"account_number":"123456789","withdrawn_amount":100.00,"new_balance":900.00,"message":"Withdrawal successful"}',
  )
  check(await get('/accounts/123456789/balance?simple=true'), '900.00')
})

test('a deposit', async () => {
  const answer = await post('/accounts/555555555/deposit', '{"amount": 0.5}')
  check(
    answer,
    '{"account_number":"555555555","deposited_amount":0.50,"new_balance":500.50,"message":"Deposit successful","account_created":false}',
  )
})

test('a deposit to a new account opens it, and is 200 as well', async () => {
  const answer = await post('/accounts/new-1/deposit', '{"amount": "7"}')
  check(
    answer,
    '{"account_number":"new-1","deposited_amount":7.00,"new_balance":7.00,"message":"Deposit successful","account_created":true}',
  )
  check(await get('/accounts/new-1/balance?simple=true'), '7.00')
})

test('all that is there may be withdrawn, and 0.00 is a balance', async () => {
  await post('/accounts/new-2/deposit', '{"amount": 12.34}')
  const answer = await post('/accounts/new-2/withdraw', '{"amount": 12.34}')

  check(
    answer,
    '{"account_number":"new-2","withdrawn_amount":12.34,"new_balance":0.00,"message":"Withdrawal successful"}',
  )
  check(await get('/accounts/new-2/balance?simple=true'), '0.00')
})

test('ten cents and twenty are thirty', async () => {
  await post('/accounts/new-3/deposit', '{"amount": 0.1}')
  const { body } = await post('/accounts/new-3/deposit', '{"amount": 0.2}')
  assert.match(body, /"deposited_amount":0\.20,"new_balance":0\.30,/)
})

test('the largest balance there is keeps its last cent', async () => {
  const { body } = await post('/accounts/rich/deposit', '{"amount": 90071992547409.90}')
  assert.match(body, /"deposited_amount":90071992547409\.90,"new_balance":90071992547409\.90,/)

  await post('/accounts/rich/deposit', '{"amount": 0.01}')
  check(await get('/accounts/rich/balance?simple=true'), '90071992547409.91')
  assert.match((await get('/accounts/rich/balance')).body, /"balance":90071992547409\.91,/)
  assert.match((await get('/accounts')).body, /\{"account_number":"rich","balance":90071992547409\.91\}/)

  const more = await post('/accounts/rich/deposit', '{"amount": 0.01}')
  checkProblem(more, { status: 400, code: 'balance_too_large', error: 'Balance would be too large' })
  check(await get('/accounts/rich/balance?simple=true'), '90071992547409.91')
})

for (const { currency, paid, written, refused } of [
  { currency: 'JPY', paid: '1000', written: '1000', refused: ['0.5', '1000.1', '"1000.01"'] },
  { currency: 'KWD', paid: '1.5', written: '1.500', refused: ['0.0001', '1.2345'] },
]) {
  test(`${currency} has the decimals that it has`, async (t) => {
    const { get, post } = await serve(t, { currency })
    for (const amount of refused) {
      const answer = await post('/accounts/1/deposit', `{"amount": ${amount}}`)
      checkProblem(answer, { status: 400, code: 'amount_invalid', error: 'Invalid amount format' }, amount)
    }

    check(
      await post('/accounts/1/deposit', `{"amount": ${paid}}`),
      `{"account_number":"1","deposited_amount":${written},"new_balance":${written},"message":"Deposit successful","account_created":true}`,
    )
    check(await get('/accounts/1/balance?simple=true'), written)
    check(
      await get('/accounts/1/balance'),
      `{"account_number":"1","balance":${written},"message":"Balance retrieved successfully"}`,
    )
    check(
      await get('/accounts'),
      `{"accounts":[{"account_number":"1","balance":${written}}],"total_accounts":1}`,
    )
  })
}

test('an account that is not there is 404, by the text that people match on', async () => {
  const problem = { status: 404, code: 'account_not_found', error: 'Account not found' }
  const body =
    '{"type":"urn:cashpoint:problem:account_not_found","title":"Account not found","status":404,' +
    '"code":"account_not_found","error":"Account not found"}'

  for (const answer of [
    await get('/accounts/000/balance'),
    await get('/accounts/000/balance?simple=true'),
    await post('/accounts/000/withdraw', '{"amount": 1}'),
  ]) {
    checkProblem(answer, problem)
    assert.equal(answer.body, body)
  }
})

test('more than is there is refused, and nothing moves', async () => {
  await post('/accounts/poor/deposit', '{"amount": 10}')
  const answer = await post('/accounts/poor/withdraw', '{"amount": 10.01}')
  checkProblem(answer, { status: 400, code: 'insufficient_funds', error: 'Insufficient balance' })
  assert.equal(await balanceOf(cashpoint, 'poor'), '10.00')
})

test('the same number of zeros makes the account: 7, 07 and 007 are three', async () => {
  for (const [number, amount] of [
    ['7', 1],
    ['07', 2],
    ['007', 3],
  ])
    assert.match((await post(`/accounts/${number}/deposit`, `{"amount": ${amount}}`)).body, /_created":true/)
  for (const [number, balance] of [
    ['7', '1.00'],
    ['07', '2.00'],
    ['007', '3.00'],
  ] as const)
    assert.equal(await balanceOf(cashpoint, number), balance)
})

test('account numbers may have 34 characters, in both cases', async () => {
  const number = 'Aa0-'.repeat(8).concat('zZ')
  assert.equal((await post(`/accounts/${number}/deposit`, '{"amount": 1}')).status, 200)
  assert.equal(await balanceOf(cashpoint, number), '1.00')
  assert.equal(await balanceOf(cashpoint, number.toLowerCase()), '404')
})

test('the list of a store without accounts', async (t) => {
  const { get } = await serve(t)
  check(await get('/accounts'), '{"accounts":[],"total_accounts":0}')
  check(await get('/accounts?limit=5'), '{"accounts":[],"total_accounts":0}')
})

test('the list is by number, bytewise, and the house is not in it', async (t) => {
  const { get, post } = await serve(t, { accounts: { ...opening, a: 1, Z: 2, '-': 3, '007': 4, '7': 5 } })
  await post('/accounts/B/deposit', '{"amount": 0.06}')

  const accounts = [
    '{"account_number":"-","balance":0.03}',
    '{"account_number":"007","balance":0.04}',
    '{"account_number":"123456789","balance":1000.00}',
    '{"account_number":"555555555","balance":500.00}',
    '{"account_number":"7","balance":0.05}',
    '{"account_number":"987654321","balance":2500.00}',
    '{"account_number":"B","balance":0.06}',
    '{"account_number":"Z","balance":0.02}',
    '{"account_number":"a","balance":0.01}',
  ]
  check(await get('/accounts'), `{"accounts":[${accounts.join(',')}],"total_accounts":9}`)
  for (const limit of [1, 2, 4, 8, 9, 10, 10_000])
    assert.deepEqual(await pagesOf(get, `/accounts?limit=${limit}`), {
      accounts,
      pages: Math.ceil(accounts.length / limit),
      totals: [9],
    })
})

test('a page has what it was asked for, and says where the next is', async (t) => {
  const { get } = await serve(t, { accounts: opening })
  const first = await get('/accounts?limit=2')

  check(
    first,
    '{"accounts":[{"account_number":"123456789","balance":1000.00},{"account_number":"555555555","balance":500.00}],"total_accounts":3}',
  )
  const next = /^<(\/accounts\?limit=2&cursor=[A-Za-z0-9_-]+)>; rel="next"$/.exec(
    first.headers.get('link') ?? '',
  )
  const last = await get(next?.[1] ?? '')
  check(last, '{"accounts":[{"account_number":"987654321","balance":2500.00}],"total_accounts":3}')
  assert.equal(last.headers.get('link'), null)
})

test('pages that are read while accounts are opened miss none that was there, and give none twice', async (t) => {
  const numbers = Array.from({ length: 40 }, (_, i) => `m${String(i).padStart(2, '0')}`)
  const { get, post } = await serve(t, { accounts: Object.fromEntries(numbers.map((n) => [n, 100])) })

  let opened = 0
  const { accounts, totals } = await pagesOf(get, '/accounts?limit=3', async () => {
    opened += 1
    for (const place of ['a', 'm20-', 'z']) await post(`/accounts/${place}${opened}/deposit`, '{"amount": 1}')
    await post(`/accounts/m${String(opened).padStart(2, '0')}/deposit`, '{"amount": 1}')
  })

  const listed = accounts.map((account) => JSON.parse(account).account_number as string)
  assert.deepEqual(listed, [...new Set(listed)].sort())
  assert.deepEqual(
    numbers.filter((number) => !listed.includes(number)),
    [],
  )
  assert.ok(totals.every((total, i) => i === 0 || total > (totals[i - 1] ?? 0)))
})

/** Follows rel=next to the end; gives the accounts as they were written. `between` runs after every page. */
async function pagesOf(get: Cashpoint['get'], from: string, between: () => Promise<void> = async () => {}) {
  const accounts: string[] = []
  const totals = new Set<number>()
  let pages = 0
  for (let path: string | undefined = from; path !== undefined; ) {
    const answer: Answer = await get(path)
    assert.equal(answer.status, 200, answer.body)
    const [, list = '', total] = /^\{"accounts":\[(.*)\],"total_accounts":(\d+)\}$/.exec(answer.body) ?? []
    accounts.push(...(list.match(/\{.*?\}/g) ?? []))
    totals.add(Number(total))
    pages += 1
    assert.ok(pages < 1000, 'the pages come to an end')
    await between()
    path = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  return { accounts, pages, totals: [...totals] }
}

test('a limit or cursor that makes no sense is refused', async () => {
  const cursor = (text: string | Buffer) => Buffer.from(text).toString('base64url')
  const limits = ['0', '-1', '1e9', '1000000000', '10001', 'abc', '', '01', '1.5', '+1', '%201', '2&limit=2']
  const cursors = [
    '',
    'abc',
    '%%%25',
    '123456789',
    cursor('cash:USD'),
    cursor("' or 1=1 --"),
    cursor('a\0'),
    cursor('a'.repeat(35)),
    cursor('ä'),
    `${cursor('123456789')}=`,
    ` ${cursor('123456789')}`,
    `${cursor('123456789')}&cursor=${cursor('123456789')}`,
  ]
  for (const query of [
    ...limits.map((limit) => `limit=${limit}`),
    ...cursors.map((text) => `limit=2&cursor=${text.replace('%%%25', '%25%25')}`),
    `cursor=${cursor('cash:USD')}`,
  ])
    checkProblem(
      await get(`/accounts?${query}`),
      { status: 400, code: 'page_invalid', error: 'Invalid limit or cursor' },
      query,
    )
})

test('many accounts come whole, in order, while others are opened', async (t) => {
  const { bank, get, post } = await serve(t, { accounts: opening })
  const number = (i: number) => `s${String(i).padStart(4, '0')}`
  await Promise.all(
    Array.from({ length: 5_000 }, (_, i) =>
      bank.submit({
        command: { type: 'deposit', account: number(i), amount: `${i + 1}`, open: 'USD' },
        actor: '',
      }),
    ),
  )

  const [answer] = await Promise.all([
    get('/accounts'),
    ...Array.from({ length: 20 }, (_, i) => post(`/accounts/late-${i}/deposit`, '{"amount": 1}')),
  ])
  const { accounts, total_accounts } = JSON.parse(answer.body)
  const listed: string[] = accounts.map(({ account_number }: { account_number: string }) => account_number)

  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-length'), null, 'it is streamed')
  assert.equal(total_accounts, listed.length, 'the total is of the same moment as the list')
  assert.deepEqual(listed, [...new Set(listed)].sort())
  assert.equal(listed.filter((text) => text.startsWith('s')).length, 5_000)
  for (const { account_number, balance } of accounts.filter((account: { account_number: string }) =>
    account.account_number.startsWith('s'),
  ))
    assert.equal(balance, Number(account_number.slice(1)) + 1)

  const paged = await pagesOf(get, '/accounts?limit=999')
  assert.equal(paged.accounts.length, 5_023)
  assert.deepEqual(paged.totals, [5_023])
})

test('an account whose lock cannot be had in time is busy, and nothing is done later', async (t) => {
  const cashpoint = await serve(t, { accounts: opening, deadlineMs: 150 })
  const release = await holdWriteLock(cashpoint)
  const answers = await Promise.all([
    cashpoint.post('/accounts/123456789/withdraw', '{"amount": 1}'),
    cashpoint.post('/accounts/123456789/deposit', '{"amount": 1}'),
  ])
  const read = await balanceOf(cashpoint, '123456789')
  await release()

  for (const answer of answers) {
    checkProblem(answer, {
      status: 423,
      code: 'account_busy',
      error: 'Account is busy, please try again later',
    })
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9][0-9]*$/)
  }
  assert.equal(read, '1000.00', 'reads do not wait')
  assert.equal((await cashpoint.post('/accounts/555555555/deposit', '{"amount": 1}')).status, 200)
  assert.equal(await balanceOf(cashpoint, '123456789'), '1000.00')
})

test('every refusal has a status, a text and, where it may be tried again, Retry-After', async (t) => {
  const expected: Record<Refusal, { status: number; error: string | RegExp; retry: boolean }> = {
    account_not_found: { status: 404, error: 'Account not found', retry: false },
    insufficient_funds: { status: 400, error: 'Insufficient balance', retry: false },
    limit_exceeded: { status: 400, error: 'Limit exceeded', retry: false },
    balance_too_large: { status: 400, error: /too large/, retry: false },
    account_exists: { status: 409, error: /taken/, retry: false },
    account_debit_blocked: { status: 400, error: 'Account is blocked for debits', retry: false },
    account_credit_blocked: { status: 400, error: 'Account is blocked for credits', retry: false },
    account_frozen: { status: 400, error: 'Account is frozen', retry: false },
    account_closed: { status: 400, error: 'Account is closed', retry: false },
    account_not_empty: { status: 409, error: /balance of zero/, retry: false },
    same_account: { status: 422, error: /itself/, retry: false },
    currency_mismatch: { status: 422, error: /another currency/, retry: false },
    version_mismatch: { status: 412, error: /If-Match/, retry: false },
    transfer_not_found: { status: 404, error: 'Transfer not found', retry: false },
    not_reversible: { status: 422, error: /cannot be reversed/, retry: false },
    reversal_too_large: { status: 422, error: /larger/, retry: false },
    hold_not_found: { status: 404, error: 'Hold not found', retry: false },
    hold_resolved: { status: 409, error: /resolved/, retry: false },
    capture_too_large: { status: 422, error: /larger/, retry: false },
    too_many_holds: { status: 422, error: /too many/, retry: false },
    credential_not_found: { status: 404, error: 'Credential not found', retry: false },
    webhook_not_found: { status: 404, error: 'Webhook not found', retry: false },
    webhook_disabled: { status: 409, error: /disabled/, retry: false },
    adjustment_not_found: { status: 404, error: 'Adjustment not found', retry: false },
    adjustment_resolved: { status: 409, error: /decided/, retry: false },
    second_person_needed: { status: 403, error: /asked/, retry: false },
    belongs_to_withdrawal: { status: 409, error: /taken back there/, retry: false },
    withdrawals_open: { status: 409, error: /under way/, retry: false },
    terminal_exists: { status: 409, error: /taken/, retry: false },
    terminal_not_found: { status: 404, error: /not found/, retry: false },
    terminal_not_allowed: { status: 403, error: /may not/, retry: false },
    withdrawal_not_found: { status: 404, error: /not found/, retry: false },
    withdrawal_state: { status: 409, error: /do not dispense/, retry: false },
    already_reversed: { status: 409, error: /reversed before/, retry: false },
    deposit_not_found: { status: 404, error: /not found/, retry: false },
    card_exists: { status: 409, error: /of this number/, retry: false },
    card_not_found: { status: 404, error: /not found/, retry: false },
    card_status: { status: 409, error: /stays so/, retry: false },
    card_expired: { status: 403, error: /expired/, retry: false },
    card_lost: { status: 403, error: /lost/, retry: false },
    card_stolen: { status: 403, error: /stolen/, retry: false },
    card_blocked: { status: 403, error: /blocked/, retry: false },
    pin_required: { status: 403, error: /required/, retry: false },
    pin_incorrect: { status: 403, error: /not right/, retry: false },
    pin_locked: { status: 403, error: /locked/, retry: false },
    pin_invalid: { status: 422, error: /cannot be used/, retry: false },
    account_not_allowed: { status: 403, error: /does not allow/, retry: false },
    limit_amount: { status: 422, error: /limit/, retry: false },
    limit_count: { status: 422, error: /limit/, retry: false },
    amount_not_dispensable: { status: 422, error: /no notes/, retry: false },
    notes_not_accepted: { status: 422, error: /does not take/, retry: false },
    batch_not_open: { status: 409, error: /Another batch/, retry: false },
    exchange_open: { status: 409, error: /under way/, retry: false },
    no_exchange: { status: 409, error: /No such/, retry: false },
    not_counted: { status: 409, error: /counted/, retry: false },
    suspects_open: { status: 409, error: /settled/, retry: false },
    units_invalid: { status: 422, error: /Units/, retry: false },
    exception_not_found: { status: 404, error: /not found/, retry: false },
    exception_resolved: { status: 409, error: /otherwise/, retry: false },
    dispensed_invalid: { status: 400, error: /Not an amount/, retry: false },
    key_repeated: { status: 422, error: /more than once/, retry: false },
    amount_invalid: { status: 400, error: 'Invalid amount format', retry: false },
    amount_not_positive: { status: 400, error: 'Amount must be positive', retry: false },
    amount_too_large: { status: 400, error: /too large/, retry: false },
    idempotency_conflict: { status: 422, error: /Idempotency-Key/, retry: false },
    in_progress: { status: 409, error: /still running/, retry: true },
    account_busy: { status: 423, error: 'Account is busy, please try again later', retry: true },
    overloaded: { status: 503, error: /overloaded/, retry: true },
    storage_low: { status: 503, error: /full/, retry: true },
    store_unavailable: { status: 503, error: /unavailable/, retry: true },
    outcome_unknown: { status: 503, error: /unknown/, retry: true },
  }
  let refusal: Refusal = 'account_not_found'
  const store = stubStore({
    commit: async (batch) => batch.map((): Outcome => ({ reply: refuse(refusal), replayed: false })),
  })
  const { post } = await serve(t, { store })

  for (const [code, { status, error, retry }] of Object.entries(expected)) {
    refusal = code as Refusal
    const answer = await post('/accounts/1/withdraw', '{"amount": 1}')
    const said = JSON.parse(answer.body).error
    checkProblem(answer, { status, code, error: said })
    if (typeof error === 'string') assert.equal(said, error)
    else assert.match(said, error)
    assert.equal(answer.headers.has('retry-after'), retry, code)
  }
})

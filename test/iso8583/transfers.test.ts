/** Transfers over ISO 8583: moved once however often it is said, between the accounts that are named or meant, and taken back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  block,
  done,
  type Fields,
  type Iso,
  issue,
  nextStan,
  pans,
  request,
  reversalOf,
  serveIso,
  wrongBlock,
} from './support.ts'

const both = '4761739001010143'

/** Beside the card of A: one of A (checking, the usual one) and S (savings, 500.00). */
async function serveTransfers(scope: Parameters<typeof serveIso>[0], address = '') {
  const iso = await serveIso(scope, { address })
  const { v1 } = iso
  done(await v1.post('/accounts', { number: 'S' }), 201)
  done(await v1.post('/deposits', { account: 'S', amount: 50_000, currency: 'USD' }), 201)
  const accounts = [
    { account: 'A', type: 'checking', default: true },
    { account: 'S', type: 'savings', default: false },
  ]
  await issue(v1, { pan: both, account: 'A', accounts, pin_policy: 'if_present' })
  return { ...iso, line: await iso.dial(), ledgers: () => ledgers(iso) }
}

async function ledgers({ v1 }: Pick<Iso, 'v1'>): Promise<Record<string, unknown>> {
  const of = async (account: string) => done(await v1.get(`/accounts/${account}`), 200)['ledger']
  return { A: await of('A'), B: await of('B'), S: await of('S') }
}

const before = { A: 100_000, B: 0, S: 50_000 }

const transfer = (amount: number, more: object = {}) =>
  request('400000', amount, { 2: both, 103: 'B', ...more } as Fields)

const without = (fields: Fields, ...numbers: number[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([number]) => !numbers.includes(Number(number))))

test('a transfer is answered field by field, and the history knows its numbers', async (t) => {
  const { line, v1, ledgers } = await serveTransfers(t)
  const asked = transfer(6000, { 37: '630012000042', 42: 'BANK00000000001', 102: 'A', 103: 'B', 22: '051' })
  const answer = await line.ask('0200', asked)
  const { transfers } = done(await v1.get('/transfers?reference=630012000042'), 200)
  const [moved] = transfers as unknown as Record<string, unknown>[]
  const { 22: _, ...echoed } = asked
  assert.deepEqual(
    { ...answer },
    {
      ...echoed,
      15: asked[13],
      38: String(moved?.['id']).replace(/\D/g, '').slice(-6).padStart(6, '0'),
      39: '00',
      54: '2001840C0000000940002002840C000000094000',
    },
  )
  const operation = `ATM00001/iso-1-${asked[11]}-${asked[13]}${asked[12]}`
  assert.deepEqual(
    ['kind', 'debit_account', 'credit_account', 'amount', 'operation'].map((name) => moved?.[name]),
    ['transfer', 'A', 'B', 6000, operation],
  )
  const { entries } = done(await v1.get('/accounts/B/entries'), 200)
  assert.deepEqual(
    (entries as unknown as Record<string, unknown>[]).map(({ amount, reference }) => [amount, reference]),
    [[6000, '630012000042']],
  )
  assert.deepEqual(await ledgers(), { ...before, A: 94_000, B: 6000 })
  assert.equal((await v1.prove())['proven'], true)
})

test('said again it is the same; with anything else in it, it is 94', async (t) => {
  const { line, dial, ledgers } = await serveTransfers(t)
  const asked = transfer(6000, { 102: 'A' })
  const first = await line.ask('0200', asked)
  assert.match(first[37] ?? '', /^[0-9]{12}$/)
  assert.deepEqual(await line.ask('0201', asked), first)
  assert.deepEqual(await line.ask('0200', asked), first)
  for (const other of [
    { 2: pans.b },
    { 3: '402000' },
    { 3: '010000' },
    { 3: '210000' },
    { 3: '920000', 62: block },
    { 4: '000000007000' },
    { 49: '978' },
    { 102: 'S' },
    { 103: 'A' },
  ])
    assert.equal((await line.ask('0201', { ...asked, ...other }))[39], '94', JSON.stringify(other))
  assert.equal((await line.ask('0520', { 11: nextStan(), 41: 'ATM00001' }))[39], '00')
  const late = await line.ask('0201', asked)
  assert.deepEqual([late[38], late[39], late[54]], [first[38], '00', first[54]])
  const other = await dial()
  const twice = transfer(1000)
  const answers = await Promise.all([line.ask('0200', twice), other.ask('0201', twice)])
  assert.deepEqual(answers[0], answers[1])
  assert.deepEqual(await ledgers(), { ...before, A: 93_000, B: 7000 })
})

test('which accounts are meant, by number and by kind', async (t) => {
  const { line, v1 } = await serveTransfers(t)
  for (const [code, from, to, says] of [
    ['400000', 'A', 'B', 'A B'],
    ['400000', 'S', 'B', 'S B'],
    ['400000', undefined, 'B', 'A B'],
    ['401000', undefined, 'B', 'S B'],
    ['402010', undefined, undefined, 'A S'],
    ['401020', undefined, undefined, 'S A'],
    ['400010', undefined, undefined, 'A S'],
    // What is named counts, whatever kind it is.
    ['402010', 'S', 'A', 'S A'],
    ['401020', undefined, 'B', 'S B'],
    ['400000', 'A', undefined, '30'],
    ['402000', undefined, undefined, '30'],
    ['400099', undefined, undefined, '30'],
    ['400000', undefined, ' ', '30'],
    ['400000', 'B', 'A', '14'],
    ['400000', 'NONE', 'B', '14'],
    ['400000', undefined, 'NONE', '14'],
    ['400000', undefined, 'ATM1.cash', '14'],
    ['400000', undefined, 'cash:USD', '14'],
    ['403000', undefined, 'B', '57'],
    ['400030', undefined, undefined, '57'],
    ['400000', undefined, 'A', '12'],
    ['400020', undefined, undefined, '12'],
  ] as const) {
    const asked: Fields = {
      ...without(transfer(100, { 3: code, 37: nextStan().padStart(12, '0') }), 103),
      ...(from !== undefined && { 102: from }),
      ...(to !== undefined && { 103: to }),
    }
    const answer = await line.ask('0200', asked)
    const { transfers } = done(await v1.get(`/transfers?reference=${asked[37]}`), 200)
    const [moved] = transfers as unknown as Record<string, unknown>[]
    const said = moved === undefined ? answer[39] : `${moved['debit_account']} ${moved['credit_account']}`
    assert.equal(said, says, `${code} ${from} ${to}`)
    assert.equal(answer[54]?.slice(0, 2), moved && (moved['debit_account'] === 'S' ? '10' : '20'))
  }
})

test('why a transfer is declined; the same again is the same no, and one try of a PIN', async (t) => {
  const { line, v1, exceptions } = await serveTransfers(t)
  const state = async (account: string, state: string) =>
    done(await v1.post(`/accounts/${account}/state`, { state, reason: 'r' }), 200)
  const asked: [string, Fields][] = []
  const codeOf = async (fields: Fields) => {
    const code = (await line.ask('0200', fields))[39] ?? ''
    asked.push([code, fields])
    return code
  }
  assert.equal(await codeOf(transfer(0)), '13')
  assert.equal(await codeOf(transfer(100, { 49: '978' })), '12')
  assert.equal(await codeOf(transfer(100, { 49: '000' })), '12')
  assert.equal(await codeOf(transfer(100, { 2: pans.none })), '14')
  assert.equal(await codeOf(transfer(200_000)), '51')
  assert.equal(await codeOf(transfer(100, { 41: 'NOBODY' })), '58')
  assert.equal(await codeOf(transfer(100, { 2: pans.a })), '55')
  assert.equal(await codeOf(transfer(100, { 2: pans.a, 52: wrongBlock })), '55')
  assert.equal(await codeOf(transfer(100, { 2: pans.a, 52: wrongBlock })), '55')
  done(await v1.put('/accounts/S/limits', { transaction_amount: 500 }), 200)
  assert.equal(await codeOf(transfer(501, { 3: '401000' })), '61')
  await state('B', 'credit_blocked')
  assert.equal(await codeOf(transfer(100)), '57')
  await state('B', 'active')
  done(await v1.post('/accounts', { number: 'X' }), 201)
  await state('X', 'closed')
  assert.equal(await codeOf(transfer(100, { 103: 'X' })), '45')
  await state('A', 'frozen')
  assert.equal(await codeOf(transfer(100)), '57')
  await state('A', 'active')
  done(await v1.post('/terminals/ATM00001/state', { state: 'out_of_service', reason: 'r' }), 200)
  assert.equal(await codeOf(transfer(100)), '58')
  done(await v1.post('/terminals/ATM00001/state', { state: 'in_service', reason: 'r' }), 200)
  // What stood in the way does no longer; whoever asks again was told no.
  done(await v1.post('/deposits', { account: 'A', amount: 900_000, currency: 'USD' }), 201)
  for (const [code, fields] of asked)
    for (const mti of ['0200', '0201'])
      assert.equal((await line.ask(mti, fields))[39], code, `${mti} ${code} ${JSON.stringify(fields)}`)
  // Two tries were counted: the third is the right one.
  const right = transfer(100, { 2: pans.a, 52: block })
  assert.equal((await line.ask('0200', right))[39], '00')
  for (const [, fields] of asked.filter(([code]) => code === '51' || code === '57'))
    assert.equal((await line.ask('0420', reversalOf('0200', fields)))[39], '00')
  assert.deepEqual(await exceptions(), [])
  assert.equal((await v1.prove())['proven'], true)
})

test('a strict line wants both accounts', async (t) => {
  const { line, ledgers } = await serveTransfers(t, '?strict=1')
  const whole = transfer(100, { 3: '402010', 102: 'A', 103: 'B' })
  for (const number of [102, 103, 7, 12, 13, 49])
    assert.equal(
      (await line.ask('0200', { ...without(whole, number), 11: nextStan() }))[39],
      '30',
      `${number}`,
    )
  assert.deepEqual(await ledgers(), before)
  assert.equal((await line.ask('0200', whole))[39], '00')
})

test('a transfer that was not heard of is taken back: once, by any advice, and it is 94 afterwards', async (t) => {
  const { line, ledgers, exceptions } = await serveTransfers(t)
  for (const mti of ['0400', '0401', '0420', '0421']) {
    const asked = transfer(6000)
    const undo = reversalOf('0200', asked)
    assert.equal((await line.ask('0200', asked))[39], '00')
    const answer = await line.ask(mti, undo)
    assert.deepEqual([answer[39], answer[90], answer[38], answer[54]], ['00', undo[90], undefined, undefined])
    assert.equal((await line.ask(mti, undo))[39], '00')
    assert.equal((await line.ask('0201', asked))[39], '94')
    assert.deepEqual(await ledgers(), before)
  }
  // By a bare STAN, and in a later batch.
  const bare = { 2: both, 3: '400000', 4: '000000006000', 11: nextStan(), 41: 'ATM00001', 103: 'B' }
  assert.equal((await line.ask('0200', bare))[39], '00')
  assert.equal((await line.ask('0520', { 11: nextStan(), 41: 'ATM00001' }))[39], '00')
  const undo = { ...bare, 11: nextStan(), 90: bare[11].padStart(42, '0') }
  assert.equal((await line.ask('0400', undo))[39], '00')
  assert.deepEqual(await ledgers(), before)
  assert.deepEqual(await exceptions(), [])
})

test('what was spent meanwhile is taken back below zero, and is marked', async (t) => {
  const { line, v1, ledgers, exceptions } = await serveTransfers(t)
  const asked = transfer(6000)
  assert.equal((await line.ask('0200', asked))[39], '00')
  done(await v1.post('/withdrawals', { account: 'B', amount: 5000, currency: 'USD' }), 201)
  assert.equal((await line.ask('0420', reversalOf('0200', asked)))[39], '00')
  assert.equal((await line.ask('0421', reversalOf('0200', asked)))[39], '00')
  assert.deepEqual(await ledgers(), { ...before, B: -5000 })
  const { transfers } = done(await v1.get('/transfers?account=B'), 200)
  const [back] = transfers as unknown as Record<string, unknown>[]
  assert.deepEqual(
    ['kind', 'debit_account', 'credit_account', 'amount', 'forced'].map((name) => back?.[name]),
    ['return', 'B', 'A', 6000, true],
  )
  assert.deepEqual(await exceptions(), [])
  assert.equal((await v1.prove())['proven'], true)
})

test('a reversal before its transfer forbids it; at once, nothing is moved in the end', async (t) => {
  const { line, dial, ledgers, exceptions } = await serveTransfers(t)
  const other = await dial()
  const asked = transfer(6000)
  assert.equal((await other.ask('0420', reversalOf('0200', asked)))[39], '00')
  assert.equal((await line.ask('0200', asked))[39], '94')
  assert.equal((await line.ask('0201', asked))[39], '94')
  for (let i = 0; i < 10; i += 1) {
    const each = transfer(1000)
    await Promise.all([line.ask('0200', each), other.ask('0420', reversalOf('0200', each))])
  }
  assert.deepEqual(await ledgers(), before)
  assert.deepEqual(await exceptions(), [])
})

test('that all of a transfer stands is known; a part of it, and what contradicts it, is for a person', async (t) => {
  const { line, ledgers, exceptions } = await serveTransfers(t)
  const asked = transfer(6000)
  assert.equal((await line.ask('0200', asked))[39], '00')
  const told = { ...asked, 11: nextStan(), 90: reversalOf('0200', asked)[90] ?? '' }
  assert.equal((await line.ask('0220', told))[39], '00')
  assert.equal((await line.ask('0221', told))[39], '00')
  assert.equal((await line.ask('0420', reversalOf('0200', asked, 6000)))[39], '00')
  assert.deepEqual(await exceptions(), [])
  for (const [i, undo] of [
    reversalOf('0200', asked, 4000),
    { ...reversalOf('0200', asked), 3: '210000' },
    { ...reversalOf('0200', asked), 4: '000000005000' },
    { ...reversalOf('0200', asked), 2: pans.a },
    { ...told, 11: nextStan(), 4: '000000005000' },
  ].entries()) {
    const mti = i === 4 ? '0220' : '0420'
    assert.equal((await line.ask(mti, undo))[39], '00')
    assert.equal((await line.ask(mti.replace(/0$/, '1'), undo))[39], '00')
    assert.equal((await exceptions()).length, i + 1, `${i}`)
  }
  // Of a transfer that nobody asked for there is no money that a person could post.
  const never = { ...transfer(6000), 90: '' }
  assert.equal((await line.ask('0220', without(never, 90)))[39], '00')
  const [newest] = (await exceptions()).filter(({ amount, account }) => amount === 6000 && account === null)
  assert.equal(newest?.['type'], 'unknown_advice')
  assert.deepEqual(await ledgers(), { ...before, A: 94_000, B: 6000 })
})

/** Every row of the tables of types, answer codes, presence and errors: docs/iso8583.md. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerCodes } from '../../src/iso8583/answer-codes.ts'
import { isMalformed, iso87a, type Message, parse } from '../../src/iso8583/message/index.ts'
import { presence } from '../../src/iso8583/presence.ts'
import { answerType } from '../../src/iso8583/request.ts'
import { refusals } from '../../src/ledger/refusal.ts'
import {
  block,
  done,
  type Fields,
  framed,
  issue,
  makeTerminal,
  nextStan,
  pans,
  pause,
  request,
  reversalOf,
  serveIso,
  until,
} from './support.ts'

test('types answer as switches match them', () => {
  for (const [asked, answered] of [
    ['0100', '0110'],
    ['0200', '0210'],
    ['0201', '0210'],
    ['0220', '0230'],
    ['0221', '0230'],
    ['0400', '0410'],
    ['0401', '0410'],
    ['0420', '0430'],
    ['0421', '0430'],
    ['0500', '0510'],
    ['0520', '0530'],
    ['0521', '0530'],
    ['0800', '0810'],
  ] as const)
    assert.equal(answerType(asked), answered)
})

test('every refusal has an answer code that stock clients know, and none that they take for a yes', () => {
  assert.deepEqual(Object.keys(answerCodes).sort(), Object.keys(refusals).sort())
  const known = [
    '12',
    '13',
    '14',
    '41',
    '43',
    '45',
    '51',
    '54',
    '55',
    '57',
    '58',
    '61',
    '62',
    '65',
    '75',
    '91',
    '94',
    '95',
    '96',
  ]
  for (const [refusal, code] of Object.entries(answerCodes))
    assert.ok(known.includes(code), `${refusal} ${code}`)
})

test('why a withdrawal is declined, in one table', async (t) => {
  const { dial, v1, exceptions } = await serveIso(t)
  const line = await dial()
  const codeOf = async (fields: Fields, mti = '0200') => (await line.ask(mti, fields))[39]
  const cash = (more: object = {}, amount = 1000) => ({ ...request('010000', amount), ...more }) as Fields
  assert.equal(await codeOf(cash()), '00')
  assert.equal(await codeOf(cash({ 3: '400000' })), '12')
  assert.equal(await codeOf(cash({ 3: '000000' }), '0100'), '12')
  assert.equal(await codeOf(cash(), '0100'), '12')
  assert.equal(await codeOf(cash({ 49: '978' })), '12')
  assert.equal(await codeOf(cash({ 49: '000' })), '12')
  assert.equal(await codeOf(cash({}, 0)), '13')
  assert.equal(await codeOf(cash({}, 1500)), '13')
  assert.equal(await codeOf(cash({ 2: pans.none })), '14')
  assert.equal(await codeOf(cash({ 2: '123' })), '14')
  assert.equal(await codeOf(cash({ 102: 'B' })), '14')
  assert.equal(await codeOf(cash({ 102: 'NONE' })), '14')
  assert.equal(await codeOf(cash({}, 200_000)), '51')
  assert.equal(await codeOf(cash({ 2: pans.a })), '55')
  assert.equal(await codeOf(cash({ 2: pans.a, 52: '0123456789ABCDEF' })), '55')
  assert.equal(await codeOf(cash({ 2: pans.a, 52: block })), '00')
  assert.equal(await codeOf(cash({ 41: 'NOBODY' })), '58')

  const card = async (pan: string, more: object) => {
    await v1.post('/accounts', { number: 'L' })
    return issue(v1, { pan, account: 'A', pin_policy: 'if_present', ...more })
  }
  const limited = '4761739001010143'
  await card(limited, { limits: { per_withdrawal: 5000, daily_amount: 8000, daily_count: 2 } })
  assert.equal(await codeOf(cash({ 2: limited }, 6000)), '61')
  assert.equal(await codeOf(cash({ 2: limited }, 1000)), '00')
  assert.equal(await codeOf(cash({ 2: limited }, 1000)), '00')
  assert.equal(await codeOf(cash({ 2: limited }, 1000)), '65')
  const old = '4761739001010150'
  await card(old, { expiry: '2001' })
  assert.equal(await codeOf(cash({ 2: old })), '54')
  for (const [status, code, pan] of [
    ['blocked', '62', '4761739001010168'],
    ['lost', '41', '4761739001010176'],
    ['stolen', '43', '4761739001010184'],
  ] as const) {
    const id = await card(pan, {})
    done(await v1.post(`/cards/${id}/block`, { status, reason: 'r' }), 200)
    assert.equal(await codeOf(cash({ 2: pan })), code)
  }
  done(await v1.post('/accounts/A/state', { state: 'frozen', reason: 'r' }), 200)
  assert.equal(await codeOf(cash()), '57')
  done(await v1.post('/terminals/ATM00001/state', { state: 'out_of_service', reason: 'r' }), 200)
  assert.equal(await codeOf(cash()), '58')
  await makeTerminal(v1, 'ATM00002', { require_sign_on: true })
  done(await v1.post('/accounts/A/state', { state: 'active', reason: 'r' }), 200)
  const there = { 41: 'ATM00002' }
  assert.equal(await codeOf(cash(there)), '58')
  assert.equal(await codeOf({ 11: nextStan(), 70: '001', ...there }, '0800'), '00')
  const asked = cash(there)
  assert.equal(await codeOf(asked), '00')
  assert.equal(await codeOf({ 11: nextStan(), 70: '002', ...there }, '0800'), '00')
  assert.equal(await codeOf({ ...reversalOf('0200', asked), ...there }, '0420'), '00')
  assert.deepEqual(await exceptions(), [])
})

test('a closed account is 45', async (t) => {
  const { dial, v1 } = await serveIso(t)
  const line = await dial()
  await v1.post('/accounts', { number: 'L' })
  await issue(v1, { pan: '4761739001010143', account: 'L', pin_policy: 'if_present' })
  done(await v1.post('/accounts/L/state', { state: 'closed', reason: 'r' }), 200)
  assert.equal((await line.ask('0200', request('010000', 1000, { 2: '4761739001010143' })))[39], '45')
})

test('what must be there: as the table has it, and all of it on a strict line', async (t) => {
  const { dial } = await serveIso(t)
  const strict = await serveIso(t, { address: '?strict=1' })
  const [line, strictLine] = [await dial(), await strict.dial()]
  const whole: Record<string, readonly [string, Fields]> = {
    inquiry: ['0200', request('310000', undefined)],
    withdrawal: ['0200', request('010000', 1000)],
    deposit: ['0200', request('210000', 1000)],
    completion: ['0220', request('010000', 1000)],
    reversal: ['0420', request('010000', 1000)],
    reconciliation: ['0520', { 11: '000001', 41: 'ATM00001' }],
    network: ['0800', { 11: '000001', 41: 'ATM00001', 70: '301' }],
  }
  for (const [name, { must, strict, card }] of Object.entries(presence)) {
    const [mti, fields] = whole[name] ?? assert.fail(name)
    const without = (number: number) =>
      Object.fromEntries(
        Object.entries({ ...fields, 11: nextStan() }).filter(([field]) => field !== String(number)),
      )
    for (const number of [...must, ...(card ? [2] : [])].filter((number) => number !== 11))
      assert.equal((await line.ask(mti, without(number)))[39], '30', `${name} without ${number}`)
    for (const number of strict) {
      assert.equal((await line.ask(mti, without(number)))[39], '00', `${name} without ${number}`)
      assert.equal((await strictLine.ask(mti, without(number)))[39], '30', `strict ${name} without ${number}`)
    }
  }
  const { 2: _, ...less } = reversalOf('0200', request('010000', 1000))
  assert.equal(
    (await strictLine.ask('0420', less))[39],
    '00',
    'an advice is never refused over what it lacks',
  )
})

test('secrets and what is none of the answer’s never go back', async (t) => {
  const { dial } = await serveIso(t)
  const line = await dial()
  const secret = {
    14: '2912',
    35: `${pans.b}=2912`,
    36: 'T3',
    45: 'T1',
    52: block,
    53: '0'.repeat(16),
    55: 'AA',
    62: 'B',
    64: block,
    123: 'x',
  }
  const answer = await line.ask(
    '0200',
    request('010000', 1000, { ...secret, 43: 'x'.repeat(40), 48: 'C1=1', 22: '051' }),
  )
  for (const field of [...Object.keys(secret), '43', '48', '22'])
    assert.equal(answer[Number(field)], undefined, field)
  assert.equal(answer[39], '55')
})

test('classes and functions that we lack are 40; an answer that is sent to us is ignored', async (t) => {
  const { dial, answers } = await serveIso(t)
  const line = await dial()
  for (const mti of [
    '0300',
    '0320',
    '0600',
    '0620',
    '0700',
    '0500',
    '0501',
    '0120',
    '0140',
    '0202',
    '0820',
    '0900',
    '0000',
  ])
    assert.equal((await line.ask(mti, request('010000', 1000)))[39], '40', mti)
  line.write(framed('0210', { 11: '000009', 39: '00' }))
  assert.equal((await line.ask('0800', { 11: nextStan(), 70: '301' }))[39], '00')
  assert.deepEqual(
    answers.filter((each) => each.startsWith('0210')),
    ['0210 ignored'],
  )
  assert.equal(line.unasked.length, 0)
})

test('what cannot be read is 30, with what could be; ten in a row are enough', async (t) => {
  const { dial, answers } = await serveIso(t)
  const line = await dial()
  const good = framed('0200', { ...request('010000', 1000), 37: 'R'.repeat(12), 102: 'A' })
    .subarray(4)
    .toString('latin1')
  const frame = (text: string) => `${String(text.length).padStart(4, '0')}${text}`
  const wrong = [
    `${good}X`,
    good.slice(0, -1),
    good.replace(/01A$/, '99A'),
    good.replace(/01A$/, 'XXA'),
    good.replace('840', '8"0'),
  ]
  for (const [i, text] of wrong.entries()) {
    line.write(frame(text))
    await until(`${i} is answered`, () => line.unasked.length === i + 1)
    const answer = line.unasked[i] as Message
    assert.deepEqual([answer.mti, answer.fields[39], answer.fields[2]], ['0210', '30', undefined], text)
    assert.equal(answer.fields[37], 'R'.repeat(12))
  }
  assert.equal((await line.ask('0800', { 11: nextStan(), 70: '301' }))[39], '00')
  for (let i = 0; i < 10; i += 1) line.write(frame(`${good}X`))
  await until('the line is closed', () => line.state.ended || line.state.closed)
  assert.equal(answers.filter((each) => each === '0200 30').length, wrong.length + 10)
})

test('what nobody can match an answer to closes the line', async (t) => {
  const { dial } = await serveIso(t)
  const frame = (text: string) => `${String(text.length).padStart(4, '0')}${text}`
  const good = framed('0800', { 11: '000001', 70: '301' }).subarray(4).toString('latin1')
  for (const text of [
    `08X0${good.slice(4)}`,
    good.replace('080080', '0800Z0'),
    framed('0800', { 7: '1123010000', 70: '301' }).subarray(4).toString('latin1'),
    good.replace('000001', '00000A'),
    `1${good.slice(1)}`,
    '08',
  ]) {
    const line = await dial()
    line.write(frame(text))
    await until(`closed after ${text}`, () => line.state.closed || line.state.ended)
    assert.equal(line.frames.length, 0)
  }
})

test('a terminal says nothing on a line that is not its', async (t) => {
  const { dial, v1 } = await serveIso(t, { address: '?terminals=ATM0000*,BANK1' })
  await makeTerminal(v1, 'OTHER')
  const line = await dial()
  assert.equal((await line.ask('0200', request('010000', 1000)))[39], '00')
  assert.equal((await line.ask('0200', request('010000', 1000, { 41: 'OTHER' })))[39], '58')
  assert.equal((await line.ask('0420', request('010000', 1000, { 41: 'OTHER' })))[39], '58')
  await pause(1)
})

test('an amount of a currency without decimals, and of one with three, is its minor units', async () => {
  const { numberOf, currencyOf } = await import('../../src/iso8583/currency.ts')
  const { currencies } = await import('../../src/ledger/money.ts')
  assert.deepEqual(
    currencies.filter((code) => numberOf(code) === '000'),
    [],
  )
  for (const code of currencies) assert.equal(currencyOf(numberOf(code)), code)
  assert.deepEqual(
    [numberOf('USD'), numberOf('JPY'), numberOf('KWD'), numberOf('EUR')],
    ['840', '392', '414', '978'],
  )
  assert.equal(isMalformed(parse(Buffer.from('0800'), iso87a)), true)
})

/** Every row of the tables of types, answer codes and errors: docs/iso8583.md. What each message has in it is in profile.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerCodes } from '../../src/iso8583/answer-codes.ts'
import { isMalformed, iso87a, type Message, parse } from '../../src/iso8583/message/index.ts'
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
  for (const code of ['000000', '020000', '390000', '910000'])
    assert.equal(await codeOf(cash({ 3: code })), '12')
  for (const code of ['000000', '010000', '210000', '380000', '402000', '920000'])
    assert.equal(await codeOf(cash({ 3: code, 62: block }), '0100'), '12')
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

test('classes and functions that we lack are 40; an answer that is sent to us is ignored', async (t) => {
  const { dial, answers } = await serveIso(t)
  const line = await dial()
  for (const mti of [
    '0300',
    '0320',
    '0600',
    '0620',
    '0700',
    '0502',
    '0540',
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
    good.replace('010000', '01A000'),
    // Bit 65 would announce a third bitmap.
    `${good.slice(0, 20)}8${good.slice(21)}`,
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

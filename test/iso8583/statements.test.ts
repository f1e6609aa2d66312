/** Mini statements over ISO 8583: the last ten movements of an account, as they were when they were first asked for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineOf } from '../../src/iso8583/families/inquiry.ts'
import { iso87a, mask } from '../../src/iso8583/message/index.ts'
import {
  block,
  done,
  type Fields,
  issue,
  nextStan,
  pans,
  request,
  reversalOf,
  serveIso,
  wrongBlock,
} from './support.ts'

const statement = (more: object = {}) => request('380000', undefined, more as Fields)

/** `C 000000001000`, newest first; the times are beside them. */
function linesIn(field = ''): { readonly moved: string[]; readonly times: string[] } {
  const lines = field.match(/.{21}/g) ?? []
  assert.equal(lines.join(''), field)
  return { moved: lines.map((line) => line.slice(8)), times: lines.map((line) => line.slice(0, 8)) }
}

const line = (sign: 'C' | 'D', amount: number) => `${sign}${String(amount).padStart(12, '0')}`

test('the last ten, newest first, as they were when it was asked for', async (t) => {
  const { dial, v1 } = await serveIso(t)
  const wire = await dial()
  for (let i = 1; i <= 12; i += 1)
    done(await v1.post('/deposits', { account: 'A', amount: i, currency: 'USD' }), 201)
  assert.equal((await wire.ask('0200', request('010000', 2000)))[39], '00')
  const asked = statement()
  const { 49: _, ...bare } = asked
  const answer = await wire.ask('0200', bare)
  const { moved, times } = linesIn(answer[48])
  assert.deepEqual(moved, [line('D', 2000), ...[12, 11, 10, 9, 8, 7, 6, 5, 4].map((each) => line('C', each))])
  const { entries } = done(await v1.get('/accounts/A/entries?limit=10'), 200)
  assert.deepEqual(
    times,
    (entries as unknown as { created_at: string }[]).map(({ created_at }) =>
      created_at.replace(/\D/g, '').slice(4, 12),
    ),
  )
  const { 37: reference = '', 48: __, ...rest } = { ...answer }
  assert.match(reference, /^[0-9]{12}$/)
  assert.deepEqual(rest, { ...bare, 39: '00', 49: '840', 54: '2001840C0000000980782002840C000000098078' })
  // A movement later the repeat is the same, and what is asked anew is not.
  done(await v1.post('/deposits', { account: 'A', amount: 77, currency: 'USD' }), 201)
  assert.deepEqual(await wire.ask('0201', bare), answer)
  assert.equal(linesIn((await wire.ask('0200', statement()))[48]).moved[0], line('C', 77))
  assert.deepEqual(
    mask({ mti: '0210', fields: { 48: answer[48] ?? '' } }, iso87a).fields[48],
    times.map((time, i) => `${time}${moved[i]?.charAt(0)}${'*'.repeat(12)}`).join(''),
    'the table knows its form',
  )
})

test('of the account that is named, or is of a kind; one without movements has none to tell', async (t) => {
  const { dial, v1 } = await serveIso(t)
  const wire = await dial()
  done(await v1.post('/accounts', { number: 'S' }), 201)
  const accounts = [
    { account: 'A', type: 'checking', default: true },
    { account: 'S', type: 'savings', default: false },
  ]
  await issue(v1, { pan: '4761739001010143', account: 'A', accounts, pin_policy: 'if_present' })
  const ask = (more: object) => wire.ask('0200', statement({ 2: '4761739001010143', ...more }))
  for (const more of [{ 3: '381000' }, { 102: 'S' }]) {
    const answer = await ask(more)
    assert.deepEqual(
      [answer[39], answer[48], answer[49], answer[54]],
      ['00', undefined, '840', '1001840C0000000000001002840C000000000000'],
    )
  }
  done(await v1.post('/deposits', { account: 'S', amount: 5, currency: 'USD' }), 201)
  assert.deepEqual(linesIn((await ask({ 3: '381000' }))[48]).moved, [line('C', 5)])
  assert.equal((await ask({ 102: 'B' }))[39], '14')
  assert.equal((await ask({ 3: '383000' }))[39], '57')
  // Twelve digits, and no more, are what there is room for.
  done(await v1.post('/deposits', { account: 'S', amount: 999_999_999_999, currency: 'USD' }), 201)
  assert.equal(linesIn((await ask({ 102: 'S' }))[48]).moved[0], line('C', 999_999_999_999))
  done(await v1.post('/deposits', { account: 'S', amount: 1_000_000_000_000, currency: 'USD' }), 201)
  const large = await ask({ 102: 'S' })
  assert.deepEqual([large[39], large[48], large[54]], ['00', undefined, undefined])
})

test('a PIN is judged as for a balance: a repeat costs no second try, and 0100 tells no movements', async (t) => {
  const { dial, exceptions } = await serveIso(t)
  const wire = await dial()
  const ofA = (more: object) => statement({ 2: pans.a, ...more })
  assert.equal((await wire.ask('0200', ofA({})))[39], '55')
  const wrong = ofA({ 52: wrongBlock })
  for (const mti of ['0200', '0201', '0201']) assert.equal((await wire.ask(mti, wrong))[39], '55')
  assert.equal((await wire.ask('0200', ofA({ 52: wrongBlock })))[39], '55')
  const right = await wire.ask('0200', ofA({ 52: block }))
  assert.deepEqual([right[39], right[52]], ['00', undefined])
  assert.ok((right[48]?.length ?? 0) > 0)
  assert.equal((await wire.ask('0100', statement()))[39], '12')
  // Whoever did not hear it takes it back, and there is nothing to that.
  const asked = statement({ 11: nextStan() })
  await wire.ask('0200', asked)
  assert.equal((await wire.ask('0420', { ...reversalOf('0200', asked), 4: '000000000000' }))[39], '00')
  assert.deepEqual(await exceptions(), [])
})

test('a line is when in UTC, whichever zone the machine is in, and what it did to the account', () => {
  const at = Date.UTC(2030, 1, 28, 23, 59, 59)
  const moved = { debit: 'A', credit: 'B', amount: 1234, at }
  assert.equal(lineOf('A', moved), '02282359D000000001234')
  assert.equal(lineOf('B', moved), '02282359C000000001234')
})

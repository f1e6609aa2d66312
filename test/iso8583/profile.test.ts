/** What each message must have, and what is in its answer: the whole table, told here once more and nowhere read from. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answerCodes } from '../../src/iso8583/answer-codes.ts'
import { block, type Fields, nextStan, pans, request, reversalOf, serveIso } from './support.ts'

const newBlock = '6E853BE054380A75'

/** Fields that never go back, whatever message they come in. */
const secrets = {
  14: '9912',
  35: `${pans.a}=99122011234`,
  36: 'T3',
  45: 'T1',
  52: block,
  53: '0'.repeat(16),
  55: '9F2608AABBCCDD',
  62: newBlock,
  64: block,
  123: block,
  128: block,
}
const plain = {
  7: '1123142530',
  12: '142530',
  13: '1123',
  18: '6011',
  22: '051',
  23: '001',
  25: '00',
  26: '04',
  28: 'C00000000',
  32: '00000000001',
  33: '00000000002',
  37: '630012000042',
  38: '004711',
  42: 'BANK00000000001',
  43: 'x'.repeat(40),
  102: 'A',
}
const totals = Object.fromEntries([
  ...[74, 75, 76, 77].map((field) => [field, '0000000000']),
  ...[86, 87, 88, 89].map((field) => [field, '0'.repeat(16)]),
  [97, `C${'0'.repeat(16)}`],
])

const times = [7, 12, 13]
const echoed = [2, 3, 4, ...times, 11, 32, 33, 37, 39, 41, 42, 49, 102, 103]
const ofBatch = [...times, 11, 15, 32, 33, 37, 39, 41, 42, 50, 66, 74, 75, 76, 77, 86, 87, 88, 89, 97]
const ofLine = [...times, 11, 39, 41, 70]

/** Each message as it may come, with all that it might have in it; the type of its answer, and which fields that has. */
const messages: readonly (readonly [string, string, Fields, string, readonly number[]])[] = [
  ['sign-on', '0800', { 70: '001' }, '0810', ofLine],
  ['echo', '0800', { 70: '301' }, '0810', ofLine],
  ['echo, as some have it', '0800', { 70: '061' }, '0810', ofLine],
  ['balance', '0100', { 3: '310000', 103: 'B' }, '0110', [...echoed, 54]],
  ['balance again', '0101', { 3: '310000', 103: 'B' }, '0110', [...echoed, 54]],
  ['balance', '0200', { 3: '300000', 103: 'B' }, '0210', [...echoed, 54]],
  ['withdrawal', '0200', { 3: '010000', 103: 'B' }, '0210', [...echoed, 15, 38, 54]],
  ['deposit', '0200', { 3: '210000', 103: 'A', 48: '1000=1' }, '0210', [...echoed, 15, 38, 54]],
  ['deposit again', '0201', { 3: '210000', 103: 'A', 48: '1000=1' }, '0210', [...echoed, 15, 38, 54]],
  ['transfer', '0200', { 3: '400000', 103: 'B' }, '0210', [...echoed, 15, 38, 54]],
  ['mini statement', '0200', { 3: '380000', 103: 'B' }, '0210', [...echoed, 48, 54]],
  ['completion', '0220', { 3: '010000', 48: 'C3=1', 103: 'B' }, '0230', [...echoed, 38, 90]],
  ['completion again', '0221', { 3: '010000', 48: 'C3=1', 103: 'B' }, '0230', [...echoed, 38, 90]],
  ['reversal', '0400', { 3: '010000', 103: 'B' }, '0410', [...echoed, 38, 90]],
  ['reversal again', '0401', { 3: '010000', 103: 'B' }, '0410', [...echoed, 38, 90]],
  ['reversal advice', '0420', { 3: '400000', 103: 'B' }, '0430', [...echoed, 38, 90]],
  ['reversal advice again', '0421', { 3: '400000', 103: 'B' }, '0430', [...echoed, 38, 90]],
  ['totals', '0500', { 50: '840', ...totals }, '0510', ofBatch],
  ['totals again', '0501', { 50: '840', ...totals }, '0510', ofBatch],
  ['reconciliation', '0520', { 50: '840', ...totals }, '0530', ofBatch],
  ['reconciliation again', '0521', { 50: '840', ...totals }, '0530', ofBatch],
  ['sign-off', '0800', { 70: '002' }, '0810', ofLine],
  // The last one: from here on another PIN is right.
  ['PIN change', '0200', { 3: '920000', 103: 'B' }, '0210', [...echoed, 15]],
]

const iso = await serveIso({ after })
const line = await iso.dial()

for (const [name, mti, more, answered, fields] of messages)
  test(`${mti} ${name}: the answer has these fields, and no others`, async () => {
    const isAdvice = /^0[24]2|^040/.test(mti)
    const all = {
      ...{ 2: pans.a, 3: '000000', 4: '000000001000', 11: nextStan(), 41: 'ATM00001', 49: '840' },
      ...plain,
      ...secrets,
      ...(isAdvice && {
        39: '68',
        90: `0200999999${'0'.repeat(32)}`,
        95: '0'.repeat(24).concat('C00000000C00000000'),
      }),
      ...more,
    } as Fields
    const answer = (await line.send(mti, all)) ?? assert.fail('no answer')
    assert.equal(answer.mti, answered)
    assert.equal(answer.fields[39], '00')
    const has = Object.keys({ ...answer.fields }).map(Number)
    assert.deepEqual(
      has,
      [...fields].sort((one, other) => one - other),
    )
    // What it has of the request is as it came.
    const own = [15, 38, 39, 48, 50, 54, 66, ...Object.keys(totals).map(Number)]
    for (const field of has.filter((field) => !own.includes(field)))
      assert.equal(answer.fields[field], all[field], `${field}`)
  })

test('of a decline the answer has what came, and neither a code of approval nor a balance', async () => {
  for (const [code, more] of [
    ['010000', {}],
    ['210000', { 48: '5000=1' }],
    ['310000', {}],
    ['380000', {}],
    ['402000', { 103: 'B' }],
    ['920000', { 62: newBlock }],
    ['000000', {}],
  ] as const) {
    const asked = request(code, 1000, {
      2: pans.a,
      37: '630012000042',
      52: '0123456789ABCDEF',
      ...more,
    } as Fields)
    const answer = await line.ask('0200', asked)
    assert.notEqual(answer[39], '00', code)
    const expected = { ...asked, 39: answer[39] } as Record<number, string>
    for (const field of [48, 52, 62]) delete expected[field]
    assert.deepEqual({ ...answer }, expected, code)
  }
})

const cash = () => request('010000', 1000)
const whole: Readonly<Record<string, readonly [string, () => Fields]>> = {
  balance: ['0200', () => request('310000', 0)],
  statement: ['0200', () => request('380000', 0)],
  withdrawal: ['0200', cash],
  deposit: ['0200', () => request('210000', 1000, { 102: 'A' })],
  transfer: ['0200', () => request('400000', 1000, { 102: 'A', 103: 'B' })],
  'PIN change': ['0200', () => request('920000', 0, { 2: pans.a, 52: block, 62: block })],
  completion: ['0220', () => ({ ...cash(), 38: '004711', 39: '00', 90: '0'.repeat(42), 95: '0'.repeat(42) })],
  reversal: ['0420', () => ({ ...reversalOf('0200', cash()), 38: '004711', 95: '0'.repeat(42) })],
  totals: ['0500', () => ({ ...ofTotals(), 11: nextStan() })],
  reconciliation: ['0520', () => ({ ...ofTotals(), 11: nextStan() })],
  network: [
    '0800',
    () => ({ 7: '1123142530', 12: '142530', 13: '1123', 11: nextStan(), 41: 'ATM00001', 70: '001' }),
  ],
}

function ofTotals(): Fields {
  return { 7: '1123142530', 12: '142530', 13: '1123', 41: 'ATM00001', 50: '840', ...totals }
}

/**
 * Of each field what its lack is answered, in the order of `whole`: M is 30, s is 30 on a strict line and 00 elsewhere, o
 * is 00, P is 55, and of what stands for no field there is nothing to leave out. A deposit needs a card or an account.
 */
const lacks = `
  2    M M M o M M o o - - -
  3    M M M M M M o o - - -
  4    o o M M M o o o - - -
  7    s s s s s s o o o o o
  11   x x x x x x x x x x x
  12   s s s s s s o o o o o
  13   s s s s s s o o o o o
  38   - - - - - - o o - - -
  39   - - - - - - o - - - -
  41   M M M M M M M M M M o
  49   s s s s s s o o - - -
  50   - - - - - - - - o o -
  52   - - - - - P - - - - -
  62   - - - - - M - - - - -
  70   - - - - - - - - - - M
  74   - - - - - - - - o o -
  90   - - - - - - o o - - -
  95   - - - - - - o o - - -
  97   - - - - - - - - o o -
  102  - - - o s - - - - - -
  103  - - - - m - - - - - -`

test('what a message lacks is answered as the table has it, on any line and on a strict one', async (t) => {
  const [any, strict] = [await serveIso(t), await serveIso(t, { address: '?strict=1' })]
  const [anyLine, strictLine] = [await any.dial(), await strict.dial()]
  const rows = lacks
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/ +/))
  for (const [i, [name, [mti, message]]] of Object.entries(whole).entries())
    for (const [number = '', ...row] of rows) {
      const said = row[i] ?? assert.fail(`${name} ${number}`)
      if (said === '-') continue
      const less = (of: Fields) =>
        Object.fromEntries(Object.entries(of).filter(([field]) => field !== number))
      if (said === 'x') {
        // Nobody could match an answer: the line is closed.
        const [lost, also] = [await any.dial(), await strict.dial()]
        for (const each of [lost, also]) assert.equal(await each.send(mti, less(message())), undefined, name)
        continue
      }
      const codes = { M: '30 30', s: '00 30', m: '30 30', o: '00 00', P: '55 55' }[said] ?? assert.fail(said)
      const answers = [await anyLine.ask(mti, less(message())), await strictLine.ask(mti, less(message()))]
      assert.equal(answers.map((each) => each[39]).join(' '), codes, `${name} without ${number}`)
    }
})

test('each refusal has the code of the table', () => {
  const codes = {
    12: ['currency_mismatch', 'same_account'],
    13: ['amount_not_dispensable', 'amount_invalid', 'notes_not_accepted'],
    14: ['card_not_found', 'account_not_found'],
    41: ['card_lost'],
    43: ['card_stolen'],
    45: ['account_closed'],
    51: ['insufficient_funds'],
    54: ['card_expired'],
    55: ['pin_incorrect', 'pin_required', 'pin_invalid'],
    57: ['account_not_allowed'],
    58: ['terminal_not_found', 'terminal_not_allowed'],
    61: ['limit_amount'],
    62: ['card_blocked'],
    65: ['limit_count'],
    75: ['pin_locked'],
    91: ['account_busy', 'in_progress', 'overloaded', 'storage_low', 'store_unavailable'],
    94: ['idempotency_conflict', 'already_reversed', 'key_repeated'],
    96: ['outcome_unknown'],
  } as const
  for (const [code, names] of Object.entries(codes))
    for (const name of names) assert.equal(answerCodes[name], code, name)
})

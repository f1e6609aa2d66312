/** What a message shows of itself: of a card the last four digits, of secrets nothing, whoever prints it and how. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import {
  base24,
  type Draft,
  isMalformed,
  iso87a,
  mask,
  pack,
  parse,
  describe as table,
} from '../../../src/iso8583/message/index.ts'
import { golden, packed, samples } from './samples.ts'

const pan = '4761739001010119'
// Of the card's number any six digits that are not its last; what is behind it on the tracks; blocks, ICC data, MACs.
const secrets = [
  ...Array.from({ length: pan.length - 9 }, (_, at) => pan.slice(at, at + 6)),
  '25122011758928889',
  'DOE',
  '85563E517DCF122E',
  '9F2608A1B2C3D4E5F60708',
  '0123456789ABCDEF',
  'EE834D17A2045301604C8D459A368A5B',
  'FEDCBA9876543210',
  '94000',
]

function assertKept(shown: string): void {
  for (const secret of secrets) assert.ok(!shown.toUpperCase().includes(secret), `${secret} in ${shown}`)
}

/** Everything that prints it. */
function shownOf(bytes: Uint8Array, spec = iso87a): string[] {
  const result = parse(bytes, spec)
  const fields = isMalformed(result) ? result.read.fields : result.fields
  const all = [result, fields, { in: [{ deep: { result } }] }, new Error('x', { cause: result })]
  const masked = isMalformed(result) ? [] : [inspect(mask(result, spec)), JSON.stringify(mask(result, spec))]
  return [
    table(result, spec),
    ...masked,
    ...all.map((one) => JSON.stringify(one)),
    ...all.map((one) => inspect(one, { depth: 9 })),
  ]
}

test('no sample shows a secret', () => {
  for (const sample of samples) for (const shown of shownOf(sample)) assertKept(shown)
})

test('nor does one that is cut, read with the wrong table, or shifted by a wrong bit', () => {
  for (const sample of samples) {
    for (let length = 0; length < sample.length; length += 1)
      for (const shown of shownOf(sample.subarray(0, length))) assertKept(shown)
    for (const shown of shownOf(sample, base24)) assertKept(shown)
    for (let at = 4; at < 36; at += 1)
      for (const digit of '0123456789ABCDEF') {
        const bytes = Buffer.from(sample)
        bytes.write(digit, at)
        for (const shown of shownOf(bytes)) assertKept(shown)
      }
  }
})

test('what cannot be packed does not show itself either', () => {
  const result = pack(
    { mti: '0200', fields: { 2: pan, 35: `${pan}=25122011758928889`, 52: 'no block' } },
    iso87a,
  )
  assert.ok(isMalformed(result))
  assert.equal(result.text, 'field 52 (PIN block), offset 0: shorter than it must be')
  for (const shown of [JSON.stringify(result), inspect(result), table(result, iso87a)]) assertKept(shown)
})

test('a field that is undefined is not shown', () => {
  assert.deepEqual(mask({ mti: '0810', fields: { 2: undefined, 39: '00' } }, iso87a).fields, { 39: '00' })
})

test('the table names what is shown of each field', () => {
  const of = (wanted: string | undefined) =>
    Object.entries(iso87a.fields).flatMap(([number, { mask }]) => (mask === wanted ? [Number(number)] : []))
  const wiped = new Set(of('wipe'))
  for (const number of [14, 36, 45, 52, 53, 55, 62, 64, 96, 123, 125, 128])
    assert.ok(wiped.has(number), `${number}`)
  for (const [number, { kind, length, max }] of Object.entries(iso87a.fields))
    if (kind === 'any' || kind === 'b' || (length === 'lll' && max === 999 && number !== '48'))
      assert.ok(wiped.has(Number(number)), `nobody knows what is in ${number}`)
  assert.deepEqual([of('pan'), of('track'), of('notes'), of('amounts')], [[2, 34], [35], [48], [54]])
  const laxer = Object.entries(base24.fields).filter(
    ([number, { mask }]) => iso87a.fields[Number(number)]?.mask !== mask,
  )
  assert.deepEqual(laxer, [], 'BASE24 hides what ISO87A hides')
})

describe('each field as it is shown', () => {
  const rows: readonly [number, string, string][] = [
    [2, pan, '************0119'],
    [2, '47617390', '[8 characters]'],
    [34, '4761739001010119000000', '******************0000'],
    [35, `${pan}=25122011758928889`, '************0119=[17 characters]'],
    [35, `${pan}d2512`, '************0119=[4 characters]'],
    [35, pan, '[16 characters]'],
    [41, 'ATM00001', 'ATM00001'],
    [43, `A ${pan} B`.padEnd(40), 'A ************0119 B'.padEnd(40)],
    [44, '000000001000000000002000', '000000001000000000002000'],
    [48, 'C1=2,C3=1;R:C1=1', 'C1=2,C3=1;R:C1=1'],
    [48, ';R:C1=1', ';R:C1=1'],
    [48, ';O:unknown', ';O:unknown'],
    [48, 'C1=2;R:C1=1;O:retracted', 'C1=2;R:C1=1;O:retracted'],
    [48, ';O:other', '[8 characters]'],
    [48, ';O:unknown;O:unknown', '[20 characters]'],
    [48, '11230101C00000000600011230059D000000001000', '11230101C************11230059D************'],
    [48, '92 03 123', '[9 characters]'],
    [48, 'CV2=123', '[7 characters]'],
    [48, '', '[0 characters]'],
    [54, '2001840C0000000940002002840D000000094000', '2001840C************2002840D************'],
    [54, '94000', '[5 characters]'],
    [60, 'TOKEN', '[5 characters]'],
    [102, '123456789', '123456789'],
    [102, pan, '************0119'],
  ]
  for (const [number, value, shown] of rows)
    test(`${number}: ${shown.trim()}`, () => {
      const draft: Draft = { mti: '0200', fields: { [number]: value } }
      assert.deepEqual(mask(draft, iso87a), { mti: '0200', fields: { [number]: shown } })
      const message = parse(packed(draft, iso87a), iso87a)
      assert.equal(JSON.stringify(message), JSON.stringify(mask(draft, iso87a)))
    })
})

describe('described', () => {
  test('a message is a table', () => {
    assert.equal(
      table(parse(Buffer.from(golden.partialReversal), iso87a), iso87a),
      `0420  1987, reversal advice
   2  primary account number      ************0119
   3  processing code             010000
   4  amount, transaction         000000010000
   7  transmission date and time  1123010103
  11  system trace audit number   000005
  12  time, local transaction     010003
  13  date, local transaction     1123
  32  acquiring institution       00000000001
  37  retrieval reference number  000000000004
  39  response code               68
  41  terminal                    ATM00001
  42  card acceptor               BANK00000000001
  49  currency, transaction       840
  90  original data elements      020000000411230100030000000000100000000000
  95  replacement amounts         000000004000000000000000C00000000C00000000`,
    )
  })

  test('of a malformed one the shape, and what is wrong', () => {
    const bytes = Buffer.from('08008220000000800000040000000000000011X3010000000001ATM00001001')
    assert.equal(
      table(parse(bytes, iso87a), iso87a),
      `0800  1987, network management request
  11  system trace audit number  999999
  41  terminal                   AAA99999
  70  network management code    999
field 7 (transmission date and time), offset 38: a character that it may not have`,
    )
    assert.equal(
      table(parse(Buffer.of(), iso87a), iso87a),
      'field 0 (message type), offset 0: the message ends inside it',
    )
  })

  test('types in words', () => {
    const words = ['0421', '0110', '0530', '0820', '1304', '9999'].map((mti) =>
      table({ mti, fields: {} }, iso87a),
    )
    assert.deepEqual(words, [
      '0421  1987, reversal advice, repeated by the acquirer',
      '0110  1987, authorization request response',
      '0530  1987, reconciliation advice response',
      '0820  1987, network management advice',
      '1304  1993, file action request',
      '9999',
    ])
  })

  test('a terminal is told nothing that it would obey', () => {
    const draft = { mti: '0200', fields: { 41: '\u001b[2J\u009b', 999: '\u0007' } }
    assert.match(table(draft, iso87a), /^ {2}41 {2}terminal {2}·\[2J·\n 999 +\[1 characters\]$/m)
  })
})

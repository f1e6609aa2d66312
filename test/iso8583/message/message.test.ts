/** The codec by examples: messages of jPOS both ways, every kind of field, and each thing that may be wrong. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  base24,
  type Draft,
  fixed,
  isMalformed,
  iso87a,
  lll,
  type Malformed,
  pack,
  parse,
  type Spec,
} from '../../../src/iso8583/message/index.ts'
import { golden, packed } from './samples.ts'

function read(text: string, spec = iso87a): Draft {
  const message = parse(Buffer.from(text, 'latin1'), spec)
  assert.ok(!isMalformed(message), isMalformed(message) ? message.text : '')
  return { mti: message.mti, fields: { ...message.fields } }
}

function faultOf(text: string, spec = iso87a): Malformed {
  const result = parse(Buffer.from(text, 'latin1'), spec)
  assert.ok(isMalformed(result), `${text} is no message`)
  return result
}

/** Fields alone, with the bitmap that they have. */
function withBitmap(numbers: readonly number[], content: string, mti = '0200'): string {
  const last = Math.max(1, ...numbers)
  const bits = [...(last > 64 ? [1] : []), ...numbers].map((number) => 1n << BigInt(128 - number))
  const bitmap = bits
    .reduce((all, bit) => all | bit, 0n)
    .toString(16)
    .padStart(32, '0')
    .toUpperCase()
  return `${mti}${bitmap.slice(0, last > 64 ? 32 : 16)}${content}`
}

describe('messages of jPOS are read and packed to the byte', () => {
  for (const [name, text] of Object.entries(golden))
    test(name, () => assert.equal(packed(read(text), iso87a).toString('latin1'), text))

  test('the fields of a balance inquiry with a PIN block', () => {
    assert.deepEqual(read(golden.balance), {
      mti: '0200',
      fields: {
        2: '4761739001010119',
        3: '310000',
        4: '000000000000',
        7: '1123010002',
        11: '000003',
        12: '010002',
        13: '1123',
        18: '6011',
        22: '051',
        25: '02',
        32: '00000000001',
        35: '4761739001010119=25122011758928889',
        37: '000000000003',
        41: 'ATM00001',
        42: 'BANK00000000001',
        49: '840',
        52: '85563E517DCF122E',
      },
    })
  })
})

test('the second half of the bitmap is read when it is there and written when it is needed', () => {
  const needless = `0800${'8220000000800000'}${'0000000000000000'}1123010000000001ATM00001`
  assert.equal(packed(read(needless), iso87a).toString(), '080002200000008000001123010000000001ATM00001')
  assert.deepEqual(read('08000000000000000000'), { mti: '0800', fields: {} })
  assert.equal(
    packed({ mti: '0800', fields: { 128: '00112233445566AA' } }, iso87a)
      .toString()
      .slice(4, 36),
    '80000000000000000000000000000001',
  )
})

test('hexadecimal may be in small letters and is told in capitals', () => {
  const small = golden.balance
    .replace('7238448128C09000', '7238448128c09000')
    .replace('85563E517DCF122E', '85563e517dcf122e')
  assert.deepEqual(read(small), read(golden.balance))
})

test('what is shorter than its field is filled up; spaces stay', () => {
  const fields = { 3: '1000', 11: '7', 37: '4', 41: 'ATM1', 102: 'A ' }
  assert.deepEqual(read(packed({ mti: '0200', fields }, iso87a).toString()).fields, {
    3: '001000',
    11: '000007',
    37: '4           ',
    41: 'ATM1    ',
    102: 'A ',
  })
})

test('a field that is undefined is not there', () => {
  assert.deepEqual(
    packed({ mti: '0810', fields: { 11: '000001', 38: undefined } }, iso87a),
    packed({ mti: '0810', fields: { 11: '000001' } }, iso87a),
  )
})

test('BASE24 has longer terminals and MAC, and other private fields', () => {
  const fields = { 41: 'ATM00001', 64: '00112233445566778899AABBCCDDEEFF', 122: '123', 127: 'user' }
  assert.deepEqual(read(packed({ mti: '0200', fields }, base24).toString(), base24).fields, {
    ...fields,
    41: 'ATM00001        ',
  })
  const differing = Object.keys(iso87a.fields).filter((n) => {
    const [{ name: _, ...one }, { name: __, ...other }] = [
      iso87a.fields[Number(n)] ?? assert.fail(),
      base24.fields[Number(n)] ?? assert.fail(),
    ]
    return JSON.stringify(one) !== JSON.stringify(other)
  })
  assert.deepEqual(differing.map(Number), [41, 64, 121, 122, 123, 124, 125, 127])
})

test('a table of one’s own is data', () => {
  const mine: Spec = {
    name: 'mine',
    fields: { ...iso87a.fields, 41: fixed('ans', 16, 'terminal'), 60: lll('b', 4, 'bytes') },
  }
  const fields = { 41: 'ATM0000100000001', 60: '00FF' }
  const bytes = packed({ mti: '0200', fields }, mine)
  assert.match(bytes.toString(), /00200FF$/)
  assert.deepEqual(read(bytes.toString(), mine).fields, fields)
  const half = pack({ mti: '0200', fields: { 60: '00F' } }, mine)
  assert.ok(isMalformed(half) && half.problem === 'character' && half.at === 3)
})

describe('what is wrong is told by field and offset, and what was read is kept', () => {
  const rows: readonly [string, string, Partial<Malformed>, Record<number, string>?][] = [
    ['nothing', '', { problem: 'cut_short', field: 0, at: 0 }],
    ['half a type', '08', { problem: 'cut_short', field: 0, at: 0 }],
    ['a letter in the type', '08A0', { problem: 'character', field: 0, at: 2 }],
    ['half a bitmap', '0800822000', { problem: 'cut_short', field: 1, at: 4 }],
    ['a bitmap that is none', '0800822000000080000G', { problem: 'character', field: 1, at: 19 }],
    ['no second half', '08008220000000800000', { problem: 'cut_short', field: 1, at: 20 }],
    [
      'a field cut short',
      withBitmap([3, 11], '01000000000'),
      { problem: 'cut_short', field: 11, at: 26 },
      { 3: '010000' },
    ],
    ['a length cut short', withBitmap([2], '1'), { problem: 'cut_short', field: 2, at: 20 }],
    ['a content cut short', withBitmap([2], '164761'), { problem: 'cut_short', field: 2, at: 20 }],
    ['a length that is none', withBitmap([2, 3], '9X'), { problem: 'length', field: 2, at: 20 }],
    [
      'a length above the greatest',
      withBitmap([3, 35], `010000${'38'}${'1'.repeat(38)}`),
      { problem: 'length', field: 35, at: 26 },
      { 3: '010000' },
    ],
    [
      'bit 65',
      withBitmap([11, 65, 70], '00000100001'),
      { problem: 'no_such_field', field: 65, at: 42 },
      { 11: '000001' },
    ],
    [
      'bytes left over',
      withBitmap([11], '000001 '),
      { problem: 'left_over', field: 11, at: 26 },
      { 11: '000001' },
    ],
    ['bytes behind no field', withBitmap([], 'x'), { problem: 'left_over', field: 1, at: 20 }],
    ['an amount without a sign', withBitmap([28], '000000100'), { problem: 'character', field: 28, at: 20 }],
    ['letters in an amount', withBitmap([28], 'C000001x0'), { problem: 'character', field: 28, at: 27 }],
    [
      'a PIN block that is none',
      withBitmap([52], '85563E517DCF122G'),
      { problem: 'character', field: 52, at: 35 },
    ],
    ['a control character', withBitmap([41], 'ATM\n0001'), { problem: 'character', field: 41, at: 23 }],
    [
      'a control character of Latin-1',
      withBitmap([41], 'ATM\u0085x001'),
      { problem: 'character', field: 41, at: 23 },
    ],
    ['a delete', withBitmap([41], 'ATM0000\u007f'), { problem: 'character', field: 41, at: 27 }],
    [
      'two wrong fields',
      withBitmap([3, 4], '01000A00000000600B'),
      { problem: 'character', field: 3, at: 25 },
    ],
  ]
  for (const [name, text, fault, fields = {}] of rows)
    test(name, () => {
      const { problem, field, at, read } = faultOf(text)
      assert.deepEqual({ problem, field, at }, fault)
      assert.deepEqual({ ...read.fields }, fields)
      assert.equal(read.mti, field === 0 ? '' : text.slice(0, 4))
    })

  test('a wrong character spoils its own field only: the answer can name what it answers', () => {
    const { text, read } = faultOf(withBitmap([3, 11, 41], '01000A000001ATM00001'))
    assert.deepEqual({ ...read.fields }, { 11: '000001', 41: 'ATM00001' })
    assert.equal(text, 'field 3 (processing code), offset 25: a character that it may not have')
  })
})

describe('what cannot be packed is told', () => {
  const rows: readonly [string, Draft, Partial<Malformed>][] = [
    ['a short type', { mti: '020', fields: {} }, { problem: 'too_short', field: 0, at: 0 }],
    ['a long type', { mti: '02000', fields: {} }, { problem: 'too_long', field: 0, at: 0 }],
    ['no type', { mti: '02x0', fields: {} }, { problem: 'character', field: 0, at: 2 }],
    ['field 65', { mti: '0200', fields: { 65: '00' } }, { problem: 'no_such_field', field: 65, at: 0 }],
    ['field 129', { mti: '0200', fields: { 129: '00' } }, { problem: 'no_such_field', field: 129, at: 0 }],
    ['an empty fixed field', { mti: '0200', fields: { 3: '' } }, { problem: 'too_short', field: 3, at: 0 }],
    ['a long one', { mti: '0200', fields: { 11: '1000000' } }, { problem: 'too_long', field: 11, at: 0 }],
    [
      'a long one of its own length',
      { mti: '0200', fields: { 2: '1'.repeat(20) } },
      { problem: 'too_long', field: 2, at: 0 },
    ],
    ['letters in digits', { mti: '0200', fields: { 11: '00x' } }, { problem: 'character', field: 11, at: 2 }],
    [
      'half a PIN block',
      { mti: '0200', fields: { 52: '85563E51' } },
      { problem: 'too_short', field: 52, at: 0 },
    ],
    [
      'an amount without a sign',
      { mti: '0200', fields: { 28: '000000100' } },
      { problem: 'character', field: 28, at: 0 },
    ],
    [
      'an amount of letters',
      { mti: '0200', fields: { 28: 'Cx0000100' } },
      { problem: 'character', field: 28, at: 1 },
    ],
    [
      'what Latin-1 has not',
      { mti: '0200', fields: { 43: 'Łódź' } },
      { problem: 'character', field: 43, at: 0 },
    ],
    ['a line break', { mti: '0200', fields: { 44: 'a\nb' } }, { problem: 'character', field: 44, at: 1 }],
  ]
  for (const [name, draft, fault] of rows)
    test(name, () => {
      const result = pack(draft, iso87a)
      assert.ok(isMalformed(result))
      const { problem, field, at } = result
      assert.deepEqual({ problem, field, at }, fault)
    })
})

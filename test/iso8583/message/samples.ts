/** Messages of ATM-DOMAIN.md as jPOS packed them, messages of ours, and what must be true of any bytes at all. */
import assert from 'node:assert/strict'
import {
  type Draft,
  isMalformed,
  iso87a,
  pack,
  parse,
  type Spec,
} from '../../../src/iso8583/message/index.ts'

/** Packed by jPOS's ISO87APackager: without the four digits of their length. */
export const golden = {
  signOn: '0800822000000080000004000000000000001123010000000001ATM00001001',
  signedOn: '081082200000028000000400000000000000112301000000000100ATM00001001',
  balance:
    '02007238448128C09000164761739001010119310000000000000000112301000200000301000211236011051021100000000001344761739001010119=25122011758928889000000000003ATM00001BANK0000000000184085563E517DCF122E',
  partialReversal:
    '0420F23800010AC08000000000420000000016476173900101011901000000000001000011230101030000050100031123110000000000100000000000468ATM00001BANK00000000001840020000000411230100030000000000100000000000000000004000000000000000C00000000C00000000',
}

/** Between them they have every kind, every length and both halves of the bitmap. */
const ours: readonly Draft[] = [
  {
    mti: '0210',
    fields: {
      2: '4761739001010119',
      3: '010000',
      4: '000000006000',
      11: '000007',
      37: '632823000007',
      38: '004711',
      39: '00',
      41: 'ATM00001',
      49: '840',
      54: '2001840C0000000940002002840C000000094000',
      102: '123456789',
    },
  },
  {
    mti: '0220',
    fields: {
      3: '010000',
      11: '000008',
      28: 'C00000100',
      35: '4761739001010119D2512201175892888900',
      43: 'Grüner Weg 1          Zürich          CH',
      45: 'B4761739001010119^DOE/JANE^2512201175892888900',
      48: 'C1=2,C3=1;R:C1=1',
      55: '9F2608A1B2C3D4E5F60708',
      62: '85563E517DCF122E',
      64: '0123456789ABCDEF',
    },
  },
  {
    mti: '0530',
    fields: {
      11: '000009',
      50: '840',
      66: '2',
      74: '0000000003',
      86: '0000000000012000',
      97: 'D0000000000060000',
      123: 'EE834D17A2045301604C8D459A368A5B',
      128: 'FEDCBA9876543210',
    },
  },
]

export const samples: readonly Buffer[] = [
  ...Object.values(golden).map((text) => Buffer.from(text)),
  ...ours.map((draft) => packed(draft, iso87a)),
]

export function packed(draft: Draft, spec: Spec): Buffer {
  const result = pack(draft, spec)
  assert.ok(!isMalformed(result), isMalformed(result) ? result.text : '')
  return result
}

/** What must be true of whatever was read: a message that is the same when it is packed and read again, or a fault. */
export function judge(bytes: Uint8Array, spec: Spec): void {
  const result = parse(bytes, spec)
  if (!isMalformed(result)) {
    const again = packed(result, spec)
    assert.ok(again.length <= bytes.length, 'what is packed is no longer')
    assert.deepEqual(parse(again, spec), result)
    return
  }
  const { field, at, text, read } = result
  assert.ok(Number.isInteger(field) && field >= 0 && field <= 128, 'the field has a number')
  assert.ok(Number.isInteger(at) && at >= 0 && at <= bytes.length, 'the offset is in the buffer')
  assert.match(text, new RegExp(`^field ${field}\\b.*, offset ${at}: [a-z ,]+$`))
  for (const number of Object.keys(read.fields)) assert.ok(Number(number) in spec.fields)
}

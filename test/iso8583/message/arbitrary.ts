/** Messages by chance, and a second way to pack them: told from the table again, slowly, with text alone. */
import fc from 'fast-check'
import type { Draft, Field, Kind, Spec } from '../../../src/iso8583/message/index.ts'

const digits = '0123456789'
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const latin1 = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)).join('')

const alphabets: Readonly<Record<Exclude<Kind, 'x'>, string>> = {
  n: digits,
  an: `${digits}${letters} `,
  ans: latin1(0x20, 0x7e) + latin1(0xa0, 0xff),
  any: latin1(0, 0xff),
  z: `${digits}:;<=>?ABCDEFabcdef`,
  b: `${digits}ABCDEF`,
}

/** Any message of a table, with every fixed field in its whole length. */
export function messages(spec: Spec): fc.Arbitrary<Draft> {
  const fields = Object.fromEntries(
    Object.entries(spec.fields).map(([number, field]) => [number, contentOf(field)]),
  )
  return fc.record({
    mti: fc.string({ unit: fc.constantFrom(...digits), minLength: 4, maxLength: 4 }),
    fields: fc.record(fields, { requiredKeys: [] }),
  })
}

function contentOf({ kind, length, max }: Field): fc.Arbitrary<string> {
  if (kind === 'x')
    return fc
      .tuple(fc.constantFrom('C', 'D'), exactly('n', max - 1))
      .map(([sign, amount]) => `${sign}${amount}`)
  if (length === 'fixed') return exactly(kind, kind === 'b' ? 2 * max : max)
  return fc
    .oneof(
      { weight: 4, arbitrary: fc.nat({ max: Math.min(max, 40) }) },
      { weight: 1, arbitrary: fc.constantFrom(0, max) },
    )
    .chain((size) => exactly(kind, kind === 'b' ? 2 * size : size))
}

function exactly(kind: Exclude<Kind, 'x'>, size: number): fc.Arbitrary<string> {
  const unit = fc.constantFrom(...alphabets[kind])
  return fc.string({ unit, minLength: size, maxLength: size })
}

/** The bytes of such a message, put together from text. */
export function slowlyPacked({ mti, fields }: Draft, spec: Spec): Buffer {
  const there = Array.from({ length: 127 }, (_, i) => i + 2).filter((number) => fields[number] !== undefined)
  const isLong = there.some((number) => number > 64)
  const bits = Array.from({ length: isLong ? 128 : 64 }, (_, i) =>
    there.includes(i + 1) || (i === 0 && isLong) ? '1' : '0',
  ).join('')
  const bitmap = (bits.match(/.{4}/g) ?? []).map((four) =>
    Number.parseInt(four, 2).toString(16).toUpperCase(),
  )
  const content = there.map((number) => {
    const value = fields[number] ?? ''
    const { kind, length } = spec.fields[number] as Field
    const said = String(kind === 'b' ? value.length / 2 : value.length)
    return { fixed: '', ll: said.padStart(2, '0'), lll: said.padStart(3, '0') }[length] + value
  })
  return Buffer.from([mti, ...bitmap, ...content].join(''), 'latin1')
}

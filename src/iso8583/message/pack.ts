/** A message to bytes, or to what is wrong with it. Whatever the message is, it does not throw. */
import { bitOf, bits, isDigit } from './characters.ts'
import { guarded } from './mask.ts'
import { type Malformed, malformed, type Problem } from './message.ts'
import { type Field, prefixLength, type Spec } from './spec.ts'

/** What may be packed: a field that is undefined is not there. */
export type Draft = {
  readonly mti: string
  readonly fields: Readonly<Record<number, string | undefined>>
}

type Fault = { readonly problem: Problem; readonly field: number; readonly at: number }

const typeLength = 4
const zero = 48
const space = 32
const hexadecimal = Buffer.from('0123456789ABCDEF')

/**
 * Writes one message, without a length before it. Fixed fields are filled up: `n` with zeros on the left, `an` and
 * `ans` with spaces on the right. The second half of the bitmap is there only if a field above 64 is.
 */
export function pack(draft: Draft, spec: Spec): Buffer | Malformed {
  const { mti, fields } = draft
  const numbers: number[] = []
  let size = 0
  for (const name of Object.keys(fields)) {
    const number = Number(name)
    const value = fields[number]
    if (value === undefined && spec.fields[number] !== undefined) continue
    const field = spec.fields[number]
    if (field === undefined) return refuse(draft, spec, { problem: 'no_such_field', field: number, at: 0 })
    const problem = judgeLength(field, value as string)
    if (problem !== undefined) return refuse(draft, spec, { problem, field: number, at: 0 })
    numbers.push(number)
    size += sizeOf(field, value as string)
  }

  const words = (numbers.at(-1) ?? 0) > 64 ? [1 << 31, 0, 0, 0] : [0, 0]
  const bytes = Buffer.allocUnsafe(typeLength + 8 * words.length + size)
  const wrong = write(bytes, 0, mti, isDigit)
  if (mti.length !== typeLength || wrong >= 0)
    return refuse(draft, spec, {
      problem: mti.length < typeLength ? 'too_short' : 'character',
      field: 0,
      at: Math.max(wrong, 0),
    })
  let at = typeLength + 8 * words.length
  for (const number of numbers) {
    const field = spec.fields[number] as Field
    const value = fields[number] as string
    const wrong = writeField(bytes, at, field, value)
    if (wrong >= 0) return refuse(draft, spec, { problem: 'character', field: number, at: wrong })
    at += sizeOf(field, value)
    const word = (number - 1) >> 5
    words[word] = (words[word] as number) | (0x80000000 >>> ((number - 1) & 31))
  }
  for (const [i, word] of words.entries()) writeWord(bytes, typeLength + 8 * i, word)
  return bytes
}

function judgeLength({ kind, length, max }: Field, value: string): Problem | undefined {
  const characters = kind === 'b' ? 2 * max : max
  if (value.length > characters) return 'too_long'
  if (length !== 'fixed') return kind === 'b' && value.length % 2 === 1 ? 'too_short' : undefined
  if (value.length === characters) return undefined
  return value.length === 0 || kind === 'b' || kind === 'x' || kind === 'z' ? 'too_short' : undefined
}

function sizeOf({ kind, length, max }: Field, value: string): number {
  if (length === 'fixed') return kind === 'b' ? 2 * max : max
  return prefixLength[length] + value.length
}

/** The offset of the first wrong character in the value; -1 if it has none. */
function writeField(bytes: Buffer, at: number, field: Field, value: string): number {
  const { kind, length, max } = field
  if (length !== 'fixed') {
    const said = kind === 'b' ? value.length / 2 : value.length
    writeNumber(bytes, at, prefixLength[length], said)
    return writeContent(bytes, at + prefixLength[length], kind, value)
  }
  const missing = kind === 'b' ? 0 : max - value.length
  if (kind === 'n') {
    bytes.fill(zero, at, at + missing)
    return writeContent(bytes, at + missing, kind, value)
  }
  if (missing > 0) bytes.fill(space, at + value.length, at + max)
  return writeContent(bytes, at, kind, value)
}

function writeContent(bytes: Buffer, at: number, kind: Field['kind'], value: string): number {
  if (kind === 'x' && value.length > 0 && value[0] !== 'C' && value[0] !== 'D') return 0
  if (kind === 'x') {
    bytes[at] = value.charCodeAt(0)
    const wrong = write(bytes, at + 1, value.slice(1), isDigit)
    return wrong < 0 ? wrong : wrong + 1
  }
  return write(bytes, at, kind === 'b' ? value.toUpperCase() : value, bitOf[kind])
}

function write(bytes: Buffer, at: number, value: string, bit: number): number {
  for (let i = 0; i < value.length; i += 1) {
    const character = value.charCodeAt(i)
    if (((bits[character] ?? 0) & bit) === 0) return i
    bytes[at + i] = character
  }
  return -1
}

function writeNumber(bytes: Buffer, at: number, digits: number, number: number): void {
  let rest = number
  for (let i = at + digits - 1; i >= at; i -= 1) {
    bytes[i] = zero + (rest % 10)
    rest = Math.trunc(rest / 10)
  }
}

function writeWord(bytes: Buffer, at: number, word: number): void {
  for (let i = 0; i < 8; i += 1) bytes[at + i] = hexadecimal[(word >>> (28 - 4 * i)) & 15] as number
}

function refuse({ mti, fields }: Draft, spec: Spec, fault: Fault): Malformed {
  return malformed({ ...fault, read: { mti, fields: Object.assign(guarded(spec), fields) } }, spec)
}

/** Bytes to a message, in one pass, or to what is wrong with them. Whatever the bytes are, it does not throw. */
import { bitOf, firstWithout, isDigit, isHexadecimal } from './characters.ts'
import { guarded } from './mask.ts'
import { type Malformed, type Message, malformed, type Problem } from './message.ts'
import { type Field, prefixLength, type Spec } from './spec.ts'

type Reading = {
  readonly bytes: Uint8Array
  /** The same bytes as characters, made once: fields are slices of it. */
  readonly text: string
  readonly spec: Spec
  readonly fields: Record<number, string>
  mti: string
  at: number
  fault: { readonly problem: Problem; readonly field: number; readonly at: number } | undefined
}

const typeLength = 4
const bitmapLength = 16

/**
 * Reads one message; a length before it is the line's and no part of it. A wrong character spoils its own field only
 * and what is behind it is read all the same; where a field's end is not known, reading ends.
 */
export function parse(bytes: Uint8Array, spec: Spec): Message | Malformed {
  const reading = begin(bytes, spec)
  readAll(reading)
  const { mti, fields, fault } = reading
  return fault === undefined ? { mti, fields } : malformed({ ...fault, read: { mti, fields } }, spec)
}

function begin(bytes: Uint8Array, spec: Spec): Reading {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  return { bytes, text, spec, fields: guarded(spec), mti: '', at: 0, fault: undefined }
}

function readAll(reading: Reading): void {
  if (!take(reading, 0, typeLength, isDigit)) return
  reading.mti = reading.text.slice(0, typeLength)
  if (!take(reading, 1, bitmapLength, isHexadecimal)) return
  const bitmap = [wordAt(reading, -16), wordAt(reading, -8)]
  let last = 1
  if (hasSecondHalf(bitmap)) {
    if (!take(reading, 1, bitmapLength, isHexadecimal)) return
    bitmap.push(wordAt(reading, -16), wordAt(reading, -8))
  }
  for (let word = 0; word < bitmap.length; word += 1) {
    // Without bit 1, which says that there is a second half and names no field.
    let bits = word === 0 ? (bitmap[0] as number) & 0x7fffffff : (bitmap[word] as number)
    while (bits !== 0) {
      const bit = Math.clz32(bits)
      bits &= ~(0x80000000 >>> bit)
      last = 32 * word + bit + 1
      if (!readField(reading, last)) return
    }
  }
  if (reading.at < reading.bytes.length) note(reading, 'left_over', last, reading.at)
}

/** Whether the field's end is known, whatever is in it. */
function readField(reading: Reading, number: number): boolean {
  const { bytes, text, spec, at } = reading
  const field = spec.fields[number]
  if (field === undefined) return note(reading, 'no_such_field', number, at)
  const from = at + prefixLength[field.length]
  if (from > bytes.length) return note(reading, 'cut_short', number, at)
  const length = lengthOf(reading, field, from)
  if (length < 0) return note(reading, 'length', number, at)
  const to = from + length
  if (to > bytes.length) return note(reading, 'cut_short', number, at)

  reading.at = to
  const wrong = firstWrong(field, bytes, from, to)
  if (wrong < to) note(reading, 'character', number, wrong)
  else reading.fields[number] = field.kind === 'b' ? text.slice(from, to).toUpperCase() : text.slice(from, to)
  return true
}

/** In bytes; -1 where the digits before the content are none, or say too much. */
function lengthOf({ bytes }: Reading, { kind, length, max }: Field, from: number): number {
  const characters = kind === 'b' ? 2 : 1
  if (length === 'fixed') return max * characters
  let said = 0
  for (let at = from - prefixLength[length]; at < from; at += 1) {
    const digit = (bytes[at] as number) - 48
    if (digit < 0 || digit > 9) return -1
    said = 10 * said + digit
  }
  return said > max ? -1 : said * characters
}

/** Steps over what must be there and must be of this kind. */
function take(reading: Reading, field: number, length: number, bit: number): boolean {
  const { bytes, at } = reading
  const to = Math.min(at + length, bytes.length)
  const wrong = firstWithout(bit, bytes, at, to)
  if (wrong < to) return note(reading, 'character', field, wrong)
  if (to < at + length) return note(reading, 'cut_short', field, at)
  reading.at = to
  return true
}

/** The first fault is the one that is told. False, for whom reading ends there. */
function note(reading: Reading, problem: Problem, field: number, at: number): false {
  reading.fault ??= { problem, field, at }
  return false
}

function hasSecondHalf([first = 0]: readonly number[]): boolean {
  return first < 0
}

/** Eight hexadecimal characters, that many before or behind where reading is, as 32 bits with a sign. */
function wordAt({ bytes, at }: Reading, offset: number): number {
  let word = 0
  for (let i = at + offset; i < at + offset + 8; i += 1) {
    const byte = bytes[i] as number
    word = (word << 4) | ((byte & 15) + (byte > 57 ? 9 : 0))
  }
  return word
}

function firstWrong({ kind }: Field, bytes: Uint8Array, from: number, to: number): number {
  const isSigned = kind === 'x' && from < to
  if (isSigned && bytes[from] !== 67 && bytes[from] !== 68) return from
  return firstWithout(bitOf[kind], bytes, isSigned ? from + 1 : from, to)
}

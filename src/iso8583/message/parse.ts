/** Bytes to a message, in one pass, or to what is wrong with them. Whatever the bytes are, it does not throw. */
import { firstWithout, isDigit, isHexadecimal } from './characters.ts'
import { guarded } from './mask.ts'
import { type Fault, type Malformed, type Message, malformed, type Problem } from './message.ts'
import { type Row, type Rows, rowsOf } from './rows.ts'
import type { Spec } from './spec.ts'

type Reading = {
  readonly bytes: Uint8Array
  /** The same bytes as characters, made once: fields are slices of it. */
  readonly text: string
  readonly rows: Rows
  readonly fields: Record<number, string>
  mti: string
  at: number
  fault: Fault | undefined
}

const typeLength = 4
const bitmapLength = 16
const wordLength = 8

/**
 * Reads one message; a length before it is the line's and no part of it. A wrong character spoils its own field only
 * and what is behind it is read all the same; where a field's end is not known, reading ends.
 */
export function parse(bytes: Uint8Array, spec: Spec): Message | Malformed {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const reading: Reading = {
    bytes,
    text,
    rows: rowsOf(spec),
    fields: guarded(spec),
    mti: '',
    at: 0,
    fault: undefined,
  }
  readAll(reading)
  const { mti, fields, fault } = reading
  return fault === undefined ? { mti, fields } : malformed(fault, { mti, fields }, spec)
}

function readAll(reading: Reading): void {
  if (!step(reading, 0, typeLength, isDigit)) return
  reading.mti = reading.text.slice(0, typeLength)
  const numbers = readBitmap(reading)
  if (numbers === undefined) return
  for (const number of numbers) if (!readField(reading, number)) return
  if (reading.at < reading.bytes.length) note(reading, 'left_over', numbers.at(-1) ?? 1, reading.at)
}

/** The numbers of the fields that follow. Bit 1 names none: it says that the bitmap has a second half. */
function readBitmap(reading: Reading): number[] | undefined {
  const { bytes } = reading
  const from = reading.at
  if (!step(reading, 1, bitmapLength, isHexadecimal)) return undefined
  const first = wordAt(bytes, from)
  if (first < 0 && !step(reading, 1, bitmapLength, isHexadecimal)) return undefined

  const numbers: number[] = []
  collect(numbers, 1, first & 0x7fffffff)
  for (let at = from + wordLength; at < reading.at; at += wordLength)
    collect(numbers, 1 + 4 * (at - from), wordAt(bytes, at))
  return numbers
}

/** Adds the numbers of the bits that are set, of which the highest is `number`. */
function collect(numbers: number[], number: number, word: number): void {
  for (let rest = word; rest !== 0; ) {
    const bit = Math.clz32(rest)
    numbers.push(number + bit)
    rest &= ~((1 << 31) >>> bit)
  }
}

/** Eight hexadecimal characters as 32 bits with a sign. */
function wordAt(bytes: Uint8Array, from: number): number {
  let word = 0
  for (let at = from; at < from + wordLength; at += 1) {
    const byte = bytes[at] as number
    // '0' is 0x30, 'A' 0x41, 'a' 0x61.
    word = (word << 4) | ((byte & 15) + (byte > 0x39 ? 9 : 0))
  }
  return word
}

/** Whether the field's end is known, whatever is in it. */
function readField(reading: Reading, number: number): boolean {
  const { bytes, text, rows, at } = reading
  const row = rows[number]
  if (row === undefined) return note(reading, 'no_such_field', number, at)
  const from = at + row.prefix
  if (from > bytes.length) return note(reading, 'cut_short', number, at)
  const length = row.prefix === 0 ? row.most : row.unit * numberAt(bytes, at, from)
  // Not a number where a digit is none.
  if (!(length <= row.most)) return note(reading, 'length', number, at)
  const to = from + length
  if (to > bytes.length) return note(reading, 'cut_short', number, at)

  reading.at = to
  const wrong = firstWrong(row, bytes, from, to)
  if (wrong < to) note(reading, 'character', number, wrong)
  else reading.fields[number] = row.kind === 'b' ? text.slice(from, to).toUpperCase() : text.slice(from, to)
  return true
}

function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let number = 0
  for (let at = from; at < to; at += 1) {
    const digit = (bytes[at] as number) - 0x30
    number = digit >= 0 && digit <= 9 ? 10 * number + digit : Number.NaN
  }
  return number
}

/** The offset of the first byte that the kind has not; `to` if there is none. An `x` begins with `C` or `D`. */
function firstWrong({ kind, bit }: Row, bytes: Uint8Array, from: number, to: number): number {
  if (kind !== 'x' || from === to) return firstWithout(bit, bytes, from, to)
  return bytes[from] === 0x43 || bytes[from] === 0x44 ? firstWithout(bit, bytes, from + 1, to) : from
}

/** Steps over what must be there and must be of this kind. */
function step(reading: Reading, field: number, length: number, bit: number): boolean {
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

/** A message to bytes, or to what is wrong with it. Whatever the message is, it does not throw. */
import { bits, isDigit } from './characters.ts'
import { type Draft, type Fault, type Malformed, malformed, type Problem } from './message.ts'
import { type Row, type Rows, rowsOf } from './rows.ts'
import type { Spec } from './spec.ts'

/** The numbers of the fields that are there, and how many bytes they take. */
type Plan = { readonly numbers: readonly number[]; readonly size: number }

const typeLength = 4
const wordLength = 8
const zero = 0x30
const space = 0x20
const hexadecimal = Uint8Array.from('0123456789ABCDEF', (digit) => digit.charCodeAt(0))

/**
 * Writes one message, without a length before it. Fixed fields are filled up: `n` with zeros on the left, `an`, `ans`
 * and `any` with spaces on the right. The second half of the bitmap is there only if a field above 64 is.
 */
export function pack(draft: Draft, spec: Spec): Buffer | Malformed {
  const rows = rowsOf(spec)
  const plan = planOf(draft, rows)
  if ('problem' in plan) return malformed(plan, draft, spec)
  const packed = write(draft, plan, rows)
  return packed instanceof Uint8Array ? packed : malformed(packed, draft, spec)
}

function planOf({ mti, fields }: Draft, rows: Rows): Plan | Fault {
  const typeProblem = judgeLength(mti, typeLength, typeLength)
  if (typeProblem !== undefined) return { problem: typeProblem, field: 0, at: 0 }
  const numbers: number[] = []
  let size = 0
  // Numbers as keys come in their order, whatever the order they were set in.
  for (const name of Object.keys(fields)) {
    const number = Number(name)
    const row = rows[number]
    if (row === undefined) return { problem: 'no_such_field', field: number, at: 0 }
    const value = fields[number]
    if (value === undefined) continue
    const problem = judgeLength(value, row.least, row.most)
    if (problem !== undefined) return { problem, field: number, at: 0 }
    numbers.push(number)
    size += sizeOf(row, value)
  }
  return { numbers, size }
}

function judgeLength({ length }: string, least: number, most: number): Problem | undefined {
  if (length > most) return 'too_long'
  return length < least ? 'too_short' : undefined
}

function write({ mti, fields }: Draft, { numbers, size }: Plan, rows: Rows): Buffer | Fault {
  const bitmap = (numbers.at(-1) ?? 0) > 64 ? [1 << 31, 0, 0, 0] : [0, 0]
  let at = typeLength + wordLength * bitmap.length
  const bytes = Buffer.allocUnsafe(at + size)
  const wrong = writeText(bytes, 0, mti, isDigit)
  if (wrong >= 0) return { problem: 'character', field: 0, at: wrong }
  for (const number of numbers) {
    const row = rows[number] as Row
    const value = fields[number] as string
    const wrong = writeField(bytes, at, row, value)
    if (wrong >= 0) return { problem: 'character', field: number, at: wrong }
    at += sizeOf(row, value)
    const word = (number - 1) >> 5
    bitmap[word] = (bitmap[word] as number) | ((1 << 31) >>> ((number - 1) & 31))
  }
  for (const [i, word] of bitmap.entries()) writeWord(bytes, typeLength + wordLength * i, word)
  return bytes
}

function sizeOf({ prefix, most }: Row, value: string): number {
  return prefix === 0 ? most : prefix + value.length
}

/** All three give the offset in the value of the first character that it may not have; -1 if it has none. */
function writeField(bytes: Buffer, at: number, row: Row, value: string): number {
  const { kind, prefix, most, unit } = row
  if (prefix > 0) {
    writeNumber(bytes, at, at + prefix, value.length / unit)
    return writeContent(bytes, at + prefix, row, value)
  }
  const missing = most - value.length
  const isRight = kind === 'n'
  const filler = isRight ? zero : space
  const gap = isRight ? at : at + value.length
  for (let i = gap; i < gap + missing; i += 1) bytes[i] = filler
  return writeContent(bytes, isRight ? at + missing : at, row, value)
}

function writeContent(bytes: Buffer, at: number, { kind, bit }: Row, value: string): number {
  if (kind === 'b')
    return value.length % 2 === 1 ? value.length : writeText(bytes, at, value.toUpperCase(), bit)
  if (kind !== 'x' || value === '') return writeText(bytes, at, value, bit)
  if (value[0] !== 'C' && value[0] !== 'D') return 0
  bytes[at] = value.charCodeAt(0)
  const wrong = writeText(bytes, at + 1, value.slice(1), bit)
  return wrong < 0 ? wrong : wrong + 1
}

function writeText(bytes: Buffer, at: number, value: string, bit: number): number {
  for (let i = 0; i < value.length; i += 1) {
    const character = value.charCodeAt(i)
    // Beyond 255 there is no entry: no field may have what Latin-1 has not.
    if (((bits[character] ?? 0) & bit) === 0) return i
    bytes[at + i] = character
  }
  return -1
}

function writeNumber(bytes: Buffer, from: number, to: number, number: number): void {
  let rest = Math.trunc(number)
  for (let at = to - 1; at >= from; at -= 1) {
    bytes[at] = zero + (rest % 10)
    rest = Math.trunc(rest / 10)
  }
}

function writeWord(bytes: Buffer, at: number, word: number): void {
  for (let i = 0; i < wordLength; i += 1) bytes[at + i] = hexadecimal[(word >>> (28 - 4 * i)) & 15] as number
}

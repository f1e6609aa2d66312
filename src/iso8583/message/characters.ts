/** Which bytes each kind of field may have: one bit a kind in one table, so that a byte costs one look. */
import type { Kind } from './spec.ts'

const digit = 1
const hexadecimal = 2
const alphanumeric = 4
const printable = 8
const track = 16
const any = 32

/** The bit a field's bytes must have; of `x` from its second byte on. */
export const bitOf: Readonly<Record<Kind, number>> = {
  n: digit,
  x: digit,
  b: hexadecimal,
  an: alphanumeric,
  ans: printable,
  z: track,
  any,
}

export const isDigit = digit
export const isHexadecimal = hexadecimal

/** The bits of each byte. A byte beyond 255, as a character may be, has none. */
export const bits = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return (
    any |
    (/[0-9]/.test(character) ? digit : 0) |
    (/[0-9A-Fa-f]/.test(character) ? hexadecimal : 0) |
    (/[0-9A-Za-z ]/.test(character) ? alphanumeric : 0) |
    // Neither control characters of ASCII nor those of Latin-1: they would reach terminals and logs.
    (/[ -~\u00A0-\u00FF]/.test(character) ? printable : 0) |
    // Digits, separators and what stands between them in ASCII; letters, since some write a track as hexadecimal.
    (/[0-?A-Fa-f]/.test(character) ? track : 0)
  )
})

/** The offset of the first byte from `from` to before `to` that has not the bit; `to` if all have it. */
export function firstWithout(bit: number, bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at += 1) if (((bits[bytes[at] as number] as number) & bit) === 0) return at
  return to
}

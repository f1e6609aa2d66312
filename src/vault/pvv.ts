/** The PIN verification value of Visa: four digits that came with a card base made elsewhere. */
import { encipher } from './cipher.ts'

/** `pvki` is one digit, `pvk` 16 bytes of TDES. Only the first four digits of the PIN count. */
export function pvvOf(pan: string, pin: string, { pvki, pvk }: { pvki: number; pvk: Buffer }): string {
  // Eleven digits before the check digit, the index, four of the PIN.
  const input = `${pan.slice(-12, -1)}${pvki}${pin.slice(0, 4)}`
  const output = encipher({ algorithm: 'tdes', key: pvk }, Buffer.from(input, 'hex')).toString('hex')
  // First the digits as they stand; where those are too few, then the letters as a = 0 to f = 5.
  const digits = output.replace(/[a-f]/g, '')
  const letters = output
    .replace(/[0-9]/g, '')
    .replace(/[a-f]/g, (letter) => `${Number.parseInt(letter, 16) - 10}`)
  return (digits + letters).slice(0, 4)
}

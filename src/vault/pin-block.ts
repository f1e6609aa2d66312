/**
 * PIN blocks of ISO 9564-1: a PIN, bound to the card's number, under a key of the terminal's. TDES keys make blocks of
 * format 0, AES keys of format 4.
 */
import { randomBytes } from 'node:crypto'
import { type Algorithm, blockBytes, type ClearKey, decipher, encipher, xor } from './cipher.ts'

export function isPin(text: string): boolean {
  return /^[0-9]{4,12}$/.test(text)
}

/** The block in upper-case hexadecimal. `fill` is the chance that format 4 has in it: 8 bytes. */
export function encodePinBlock(pan: string, pin: string, key: ClearKey, fill = randomBytes(8)): string {
  const { algorithm } = key
  const field = Buffer.from(pinField(pin, algorithm), 'hex')
  const number = panField(pan, algorithm)
  const block =
    algorithm === 'tdes'
      ? encipher(key, xor(field, number))
      : encipher(key, xor(encipher(key, Buffer.concat([field, fill])), number))
  return block.toString('hex').toUpperCase()
}

/** The PIN in a block; undefined where there is none, whatever it is that is wrong. */
export function decodePinBlock(pan: string, block: string, key: ClearKey): string | undefined {
  const { algorithm } = key
  const bytes = Buffer.from(block, 'hex')
  // Buffer.from ends where hexadecimal ends, and so would a block with rubbish behind it.
  if (bytes.length !== blockBytes[algorithm] || block.length !== 2 * bytes.length) return undefined

  const outer = xor(decipher(key, bytes), panField(pan, algorithm))
  const clear = algorithm === 'tdes' ? outer : decipher(key, outer)
  const field = clear.subarray(0, 8).toString('hex').toUpperCase()
  const pin = field.slice(2, 2 + Number.parseInt(field.charAt(1), 16))
  // Made again from its PIN it is the same only if control, length and filler are what they must be.
  return isPin(pin) && pinField(pin, algorithm) === field ? pin : undefined
}

/** Control nibble, length, digits, filler. */
function pinField(pin: string, algorithm: Algorithm): string {
  const [control, filler] = algorithm === 'tdes' ? ['0', 'F'] : ['4', 'A']
  return `${control}${pin.length.toString(16).toUpperCase()}${pin}`.padEnd(16, filler)
}

/** Format 0 has the twelve digits before the check digit, format 4 the whole number and how much longer than 12 it is. */
function panField(pan: string, algorithm: Algorithm): Buffer {
  const field =
    algorithm === 'tdes' ? pan.slice(-13, -1).padStart(16, '0') : `${pan.length - 12}${pan}`.padEnd(32, '0')
  return Buffer.from(field, 'hex')
}

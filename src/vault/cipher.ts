/** The block ciphers of PIN keys, over whole blocks: no mode, no padding. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { WrappedKey } from '../ledger/terminal.ts'

export type Algorithm = WrappedKey['algorithm']

/** A PIN key in clear: of TDES 16 or 24 bytes, of AES 16, 24 or 32. */
export type PinKey = { readonly algorithm: Algorithm; readonly key: Buffer }

export const blockBytes: Readonly<Record<Algorithm, number>> = { tdes: 8, aes: 16 }

const keyBytes: Readonly<Record<Algorithm, readonly number[]>> = { tdes: [16, 24], aes: [16, 24, 32] }

/** Whether it has a right length, and is not DES in disguise: with two equal parts in a row TDES undoes itself. */
export function isPinKey({ algorithm, key }: PinKey): boolean {
  if (!keyBytes[algorithm].includes(key.length)) return false
  if (algorithm === 'aes') return true
  // The lowest bit of each byte is parity, which the cipher does not look at.
  const bare = Buffer.from(key.map((byte) => byte & 0xfe))
  const [first, second, third] = [0, 8, 16].map((at) => bare.subarray(at, at + 8).toString('hex'))
  return first !== second && second !== third
}

export function encipher(pinKey: PinKey, blocks: Buffer): Buffer {
  const { name, key } = cipherOf(pinKey)
  const cipher = createCipheriv(name, key, null).setAutoPadding(false)
  return Buffer.concat([cipher.update(blocks), cipher.final()])
}

export function decipher(pinKey: PinKey, blocks: Buffer): Buffer {
  const { name, key } = cipherOf(pinKey)
  const cipher = createDecipheriv(name, key, null).setAutoPadding(false)
  return Buffer.concat([cipher.update(blocks), cipher.final()])
}

/** Of two keys TDES uses the first one twice. */
function cipherOf({ algorithm, key }: PinKey): { name: string; key: Buffer } {
  if (algorithm === 'aes') return { name: `aes-${8 * key.length}-ecb`, key }
  return { name: 'des-ede3-ecb', key: key.length === 16 ? Buffer.concat([key, key.subarray(0, 8)]) : key }
}

/**
 * A key's check value: the first three bytes of a block of zeros under it, in upper-case hexadecimal. Of AES keys as
 * well, where some makers use a CMAC instead (ANSI X9.24-1): such a value does not fit and the key is refused.
 */
export function kcvOf(pinKey: PinKey): string {
  const zeros = Buffer.alloc(blockBytes[pinKey.algorithm])
  return encipher(pinKey, zeros).subarray(0, 3).toString('hex').toUpperCase()
}

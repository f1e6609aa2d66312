/** The block ciphers of terminals' keys, over whole blocks: each on its own or in a chain, without padding. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { WrappedKey } from '../ledger/terminal.ts'

export type Algorithm = WrappedKey['algorithm']

/** A key in clear: of TDES 16 or 24 bytes, of AES 16, 24 or 32. */
export type ClearKey = { readonly algorithm: Algorithm; readonly key: Buffer }

export const blockBytes: Readonly<Record<Algorithm, number>> = { tdes: 8, aes: 16 }

const keyBytes: Readonly<Record<Algorithm, readonly number[]>> = { tdes: [16, 24], aes: [16, 24, 32] }

/** Whether it has a right length, and is not DES in disguise: with two equal parts in a row TDES undoes itself. */
export function isSound({ algorithm, key }: ClearKey): boolean {
  if (!keyBytes[algorithm].includes(key.length)) return false
  if (algorithm === 'aes') return true
  // The lowest bit of each byte is parity, which the cipher does not look at.
  const bare = Buffer.from(key.map((byte) => byte & 0xfe))
  const [first, second, third] = [0, 8, 16].map((at) => bare.subarray(at, at + 8).toString('hex'))
  return first !== second && second !== third
}

export function encipher(clearKey: ClearKey, blocks: Buffer): Buffer {
  const { name, key } = cipherOf(clearKey)
  const cipher = createCipheriv(`${name}-ecb`, key, null).setAutoPadding(false)
  return Buffer.concat([cipher.update(blocks), cipher.final()])
}

export function decipher(clearKey: ClearKey, blocks: Buffer): Buffer {
  const { name, key } = cipherOf(clearKey)
  const cipher = createDecipheriv(`${name}-ecb`, key, null).setAutoPadding(false)
  return Buffer.concat([cipher.update(blocks), cipher.final()])
}

/** The last block of a chain that begins with zeros (CBC); zeros where there is no block. */
export function chain(clearKey: ClearKey, blocks: Uint8Array): Buffer {
  const size = blockBytes[clearKey.algorithm]
  const zeros = Buffer.alloc(size)
  if (blocks.length === 0) return zeros
  const { name, key } = cipherOf(clearKey)
  return createCipheriv(`${name}-cbc`, key, zeros).update(blocks).subarray(-size)
}

export function xor(one: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.from(one.map((byte, i) => byte ^ (other[i] ?? 0)))
}

/** Of two keys TDES uses the first one twice. */
function cipherOf({ algorithm, key }: ClearKey): { name: string; key: Buffer } {
  if (algorithm === 'aes') return { name: `aes-${8 * key.length}`, key }
  return { name: 'des-ede3', key: key.length === 16 ? Buffer.concat([key, key.subarray(0, 8)]) : key }
}

/**
 * A key's check value: the first three bytes of a block of zeros under it, in upper-case hexadecimal. Of AES keys as
 * well, where some makers use a CMAC instead (ANSI X9.24-1): such a value does not fit and the key is refused.
 */
export function kcvOf(key: ClearKey): string {
  const zeros = Buffer.alloc(blockBytes[key.algorithm])
  return encipher(key, zeros).subarray(0, 3).toString('hex').toUpperCase()
}

/**
 * MACs of eight bytes, written here once more, one block after the other and without a mode: what a machine has of its
 * own. And messages that carry one, as a machine says them.
 */
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { isMalformed, iso87a, pack, type Spec } from '../../src/iso8583/message/index.ts'

export type MacKey = { readonly algorithm: 'tdes' | 'aes'; readonly key: string; readonly kcv: string }

export const tdesMacKey: MacKey = {
  algorithm: 'tdes',
  key: '0123456789ABCDEFFEDCBA9876543210',
  kcv: '08D7B4',
}
export const aesMacKey: MacKey = {
  algorithm: 'aes',
  key: '00112233445566778899AABBCCDDEEFF',
  kcv: 'FDE4FB',
}

export function macOf({ algorithm, key }: Pick<MacKey, 'algorithm' | 'key'>, bytes: Uint8Array): Buffer {
  return algorithm === 'tdes'
    ? retailMac(Buffer.from(key, 'hex'), bytes)
    : cmac(Buffer.from(key, 'hex'), bytes).subarray(0, 8)
}

/** DES under the first part over every block; then back under the second, and on under the third or the first again. */
function retailMac(key: Buffer, bytes: Uint8Array): Buffer {
  const [first, second, third] = [0, 8, 16].map((at) => key.subarray(at, at + 8)) as [Buffer, Buffer, Buffer]
  let block: Buffer = Buffer.alloc(8)
  for (let at = 0; at === 0 || at < bytes.length; at += 8)
    block = des('encipher', first, xor(block, Buffer.concat([bytes.subarray(at, at + 8), Buffer.alloc(8)])))
  return des('encipher', third.length > 0 ? third : first, des('decipher', second, block))
}

/** One block of DES, as TDES with three equal keys is. */
function des(way: 'encipher' | 'decipher', key: Buffer, block: Buffer): Buffer {
  const make = way === 'encipher' ? createCipheriv : createDecipheriv
  return make('des-ede3', Buffer.concat([key, key, key]), null)
    .setAutoPadding(false)
    .update(block)
}

/** RFC 4493, with subkeys as numbers of 128 bits. */
function cmac(key: Buffer, bytes: Uint8Array): Buffer {
  const encipher = (block: Buffer) => createCipheriv(`aes-${8 * key.length}-ecb`, key, null).update(block)
  const double = (n: bigint) => BigInt.asUintN(128, n << 1n) ^ (n >> 127n === 1n ? 0x87n : 0n)
  const l = BigInt(`0x${encipher(Buffer.alloc(16)).toString('hex')}`)
  const count = Math.max(1, Math.ceil(bytes.length / 16))
  const isWhole = bytes.length === 16 * count
  const mask = isWhole ? double(l) : double(double(l))
  const filled = Buffer.alloc(16 * count)
  filled.set(bytes)
  if (!isWhole) filled[bytes.length] = 0x80
  let block: Buffer = Buffer.alloc(16)
  for (let at = 0; at < filled.length; at += 16) {
    const isLast = at + 16 === filled.length
    const masked = isLast ? Buffer.from(mask.toString(16).padStart(32, '0'), 'hex') : Buffer.alloc(16)
    block = encipher(xor(xor(block, filled.subarray(at, at + 16)), masked))
  }
  return block
}

function xor(one: Buffer, other: Uint8Array): Buffer {
  return Buffer.from(one.map((byte, i) => byte ^ (other[i] ?? 0)))
}

type Fields = Readonly<Record<number, string>>

/** The bytes of a message, without a length, and with a MAC in 64, or in 128 where there are fields above 64. */
export function withMac(key: MacKey, mti: string, fields: Fields, spec: Spec = iso87a): Buffer {
  const number = Object.keys(fields).some((each) => Number(each) > 64) ? 128 : 64
  const digits = 2 * (spec.fields[number]?.max ?? 0)
  const packed = pack({ mti, fields: { ...fields, [number]: '0'.repeat(digits) } }, spec)
  assert(!isMalformed(packed), isMalformed(packed) ? packed.text : '')
  const over = packed.subarray(0, packed.length - digits)
  const mac = macOf(key, over).toString('hex').toUpperCase()
  return Buffer.concat([over, Buffer.from(mac.padEnd(digits, '0'))])
}

/** Whether a message ends in the MAC that all before it has; `digits` is how many hexadecimal ones the field has. */
export function hasMac(key: MacKey, message: Buffer, digits = 16): boolean {
  const over = message.subarray(0, message.length - digits)
  const mac = macOf(key, over).toString('hex').toUpperCase()
  return message.subarray(over.length).toString('latin1') === mac.padEnd(digits, '0')
}

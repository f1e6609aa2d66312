/**
 * Message authentication codes of eight bytes. A TDES key makes a retail MAC: ISO/IEC 9797-1, MAC algorithm 3 with
 * padding method 1, which is ANSI X9.19. An AES key makes a CMAC (NIST SP 800-38B), of which it is the left half.
 */
import { blockBytes, type ClearKey, chain, encipher, xor } from './cipher.ts'

const macBytes = 8

export function macOf(key: ClearKey, bytes: Uint8Array): Buffer {
  const size = blockBytes[key.algorithm]
  const lastAt = size * Math.max(0, Math.ceil(bytes.length / size) - 1)
  const parts = { before: bytes.subarray(0, lastAt), last: bytes.subarray(lastAt) }
  return key.algorithm === 'tdes' ? retailMac(key, parts) : cmac(key, parts).subarray(0, macBytes)
}

/** Whole blocks, and the last one, which may be shorter. */
type Parts = { readonly before: Uint8Array; readonly last: Uint8Array }

/** The chain is of single DES, which TDES is with three equal parts; the last block alone has the whole key. */
function retailMac(key: ClearKey, { before, last }: Parts): Buffer {
  const first = key.key.subarray(0, 8)
  const single = { algorithm: key.algorithm, key: Buffer.concat([first, first, first]) }
  return encipher(key, xor(chain(single, before), last))
}

/** The chain's last block is masked: by one mask where it is whole, by another where it had to be filled up. */
function cmac(key: ClearKey, { before, last }: Parts): Buffer {
  const size = blockBytes[key.algorithm]
  const ofWhole = doubled(encipher(key, Buffer.alloc(size)))
  const masked =
    last.length === size
      ? xor(ofWhole, last)
      : xor(doubled(ofWhole), Buffer.concat([last, Uint8Array.of(0x80)]))
  return chain(key, Buffer.concat([before, masked]))
}

/** A block times x in GF(2^128): one bit to the left, reduced by what falls out. */
function doubled(block: Buffer): Buffer {
  const shifted = block.map((byte, i) => (byte << 1) | ((block[i + 1] ?? 0) >> 7))
  const last = block.length - 1
  shifted[last] = (shifted[last] ?? 0) ^ ((block[0] ?? 0) & 0x80 ? 0x87 : 0)
  return Buffer.from(shifted)
}

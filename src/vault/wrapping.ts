/**
 * Terminals' keys under the key-wrapping key (AES-256-GCM), each for one terminal, one use and one algorithm: moved, it
 * does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { ClearKey } from './cipher.ts'
import type { KeyVersion } from './key-ring.ts'

/** What a key is of and for. Its words are in what is wrapped, and never change. */
export type KeyPlace = { readonly terminal: string; readonly use: 'pin-key' | 'mac-key' }

const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** `w<version>:` and nonce, tag and enciphered key in base64url. */
export function wrapKey({ version, key }: KeyVersion, place: KeyPlace, clear: ClearKey): string {
  const nonce = randomBytes(nonceBytes)
  const sealing = createCipheriv(cipher, key, nonce).setAAD(dataOf(place, clear))
  const sealed = Buffer.concat([sealing.update(clear.key), sealing.final()])
  return `w${version}:${Buffer.concat([nonce, sealing.getAuthTag(), sealed]).toString('base64url')}`
}

/** Undefined where none of the keys opens it. */
export function unwrapKey(
  versions: readonly KeyVersion[],
  place: KeyPlace,
  { algorithm, wrapped }: { readonly algorithm: ClearKey['algorithm']; readonly wrapped: string },
): ClearKey | undefined {
  const [, version, text = ''] = /^w([0-9]+):([\w-]+)$/.exec(wrapped) ?? []
  const found = versions.find((each) => String(each.version) === version)
  const bytes = Buffer.from(text, 'base64url')
  if (found === undefined || bytes.length <= nonceBytes + tagBytes) return undefined

  const opening = createDecipheriv(cipher, found.key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(dataOf(place, { algorithm }))
    .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
  const opened = opening.update(bytes.subarray(nonceBytes + tagBytes))
  try {
    return { algorithm, key: Buffer.concat([opened, opening.final()]) }
  } catch {
    return undefined
  }
}

function dataOf({ terminal, use }: KeyPlace, { algorithm }: Pick<ClearKey, 'algorithm'>): Buffer {
  return Buffer.from(`cashpoint ${use} ${terminal} ${algorithm}`)
}

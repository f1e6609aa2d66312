/** PIN keys under the key-wrapping key (AES-256-GCM), each for one terminal and one algorithm: moved, it does not open. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { PinKey } from './cipher.ts'
import type { KeyVersion } from './key-ring.ts'

const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** `w<version>:` and nonce, tag and enciphered key in base64url. */
export function wrapKey({ version, key }: KeyVersion, terminal: string, pinKey: PinKey): string {
  const nonce = randomBytes(nonceBytes)
  const sealing = createCipheriv(cipher, key, nonce).setAAD(dataOf(terminal, pinKey))
  const sealed = Buffer.concat([sealing.update(pinKey.key), sealing.final()])
  return `w${version}:${Buffer.concat([nonce, sealing.getAuthTag(), sealed]).toString('base64url')}`
}

/** Undefined where none of the keys opens it. */
export function unwrapKey(
  versions: readonly KeyVersion[],
  terminal: string,
  { algorithm, wrapped }: { readonly algorithm: PinKey['algorithm']; readonly wrapped: string },
): PinKey | undefined {
  const [, version, text = ''] = /^w([0-9]+):([\w-]+)$/.exec(wrapped) ?? []
  const found = versions.find((each) => String(each.version) === version)
  const bytes = Buffer.from(text, 'base64url')
  if (found === undefined || bytes.length <= nonceBytes + tagBytes) return undefined

  const opening = createDecipheriv(cipher, found.key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(dataOf(terminal, { algorithm }))
    .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
  const opened = opening.update(bytes.subarray(nonceBytes + tagBytes))
  try {
    return { algorithm, key: Buffer.concat([opened, opening.final()]) }
  } catch {
    return undefined
  }
}

function dataOf(terminal: string, { algorithm }: Pick<PinKey, 'algorithm'>): Buffer {
  return Buffer.from(`cashpoint pin-key ${terminal} ${algorithm}`)
}

/** API keys: `cp_`, 40 letters and digits by chance, and a checksum that tells a mistyped one without a look-up. */
import { hash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const secretLength = 40
const keyPattern = /^cp_[0-9A-Za-z]{40}[0-9a-f]{8}$/

/** A new key: 238 bits nobody can guess, which is why one round of SHA-256 is enough to keep of it. */
export function makeKey(): string {
  const secret = Array.from({ length: secretLength }, () => alphabet[randomInt(alphabet.length)]).join('')
  const text = `cp_${secret}`
  return text + checksum(text)
}

export function isKey(text: string): boolean {
  return keyPattern.test(text) && text.endsWith(checksum(text.slice(0, -8)))
}

/** What is kept of a key: its SHA-256. */
export function hashOfKey(key: string): string {
  return hash('sha256', key, 'hex')
}

/** The text without the keys in it, for logs. */
export function withoutKeys(text: string): string {
  return text.includes('cp_') ? text.replace(/cp_[0-9A-Za-z]{8,}/g, 'cp_…') : text
}

/** Whether a text, such as a URL, has what looks like a key in it. */
export function hasKey(text: string): boolean {
  return text.includes('cp_') && /cp_[0-9A-Za-z]{40}/.test(text)
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

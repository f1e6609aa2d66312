/** Keys of one purpose, by version: everything was made with some version, and what is new is made with the newest. */
import assert from 'node:assert'
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/** Keys of 32 bytes, oldest first: a key's version is its place, from 1 on. */
export type KeyRing = readonly Buffer[]

/** A KeyObject, since nothing that prints objects shows what is in it, and an HMAC with it takes a sixth of the time. */
export type KeyVersion = { readonly version: number; readonly key: KeyObject }

/** Of a ring, the newest first: what is new is made with that one. */
export type Versions = readonly [KeyVersion, ...KeyVersion[]]

export function newestFirst(ring: KeyRing): Versions {
  assert(
    ring.every(({ length }) => length === 32),
    'a key must have 32 bytes',
  )
  const versions = ring.map((key, i) => ({ version: i + 1, key: createSecretKey(key) }))
  const [newest, ...older] = versions.reverse()
  assert(newest !== undefined, 'a ring must have a key')
  return [newest, ...older]
}

/** HMAC-SHA-256 in hexadecimal. */
export function digest(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex')
}

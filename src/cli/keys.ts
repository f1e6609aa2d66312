/** The server's keys: a file of its own, beside the store and never in it, made at the first start. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { syncDirectory } from '../stores/sqlite/files.ts'
import type { KeyRing } from '../vault/key-ring.ts'
import type { VaultKeys } from '../vault/vault.ts'
import { SettingError } from './settings.ts'

export type Keys = {
  /** What the secrets of webhooks are made from. */
  readonly webhooks: Buffer
  /** What card numbers, PINs and the keys of terminals are kept under. */
  readonly vault: VaultKeys
}

const keyBytes = 32
/** Of the vault: each one key, or all there were, oldest first; a key's version is its place, so none ever goes. */
const rings = ['pan', 'pin', 'wrap'] as const

type Members = Readonly<Record<string, unknown>>

/**
 * Reads the keys, made first where there are none. `isOurs`: the file is the one that the server keeps beside its
 * store, and gets what a file of an older release lacks; no other process may be doing the same, which the store's
 * lock sees to. Throws a SettingError where others may read the keys, or they are none.
 */
export function readKeys(path: string, { isOurs = false } = {}): Keys {
  if (!existsSync(path)) makeKeys(path)
  const { mode } = statSync(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new SettingError(`${path} has the server's keys and others may read it: chmod 600 ${path}`)
  const members = membersOf(path)
  const missing = rings.filter((name) => members[name] === undefined)
  const whole = { ...members, ...Object.fromEntries(missing.map((name) => [name, newKey()])) }
  const keys = keysOf(path, whole)
  if (missing.length > 0) complete(path, whole, { missing, isOurs })
  return keys
}

function keysOf(path: string, members: Members): Keys {
  const webhooks = keyOf(path, members, 'webhooks')
  const ringOf = (name: (typeof rings)[number]) => keyRingOf(path, members, name)
  const vault = { pan: ringOf('pan'), pin: ringOf('pin'), wrap: ringOf('wrap') }
  const pvk = pvksOf(path, members)
  return { webhooks, vault: { ...vault, ...(pvk && { pvk }) } }
}

function membersOf(path: string): Members {
  const members = parse(path)
  if (typeof members !== 'object' || members === null)
    throw new SettingError(`${path} is no file of keys: it must be a JSON object`)
  return { ...members }
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    // What the parser says has some of the text in it, which may be some of a key.
    const why = cause instanceof SyntaxError ? 'it is not JSON' : (cause as Error).message
    throw new SettingError(`${path} is no file of keys: ${why}`)
  }
}

function keyOf(path: string, members: Members, name: string): Buffer {
  const key = bytesOf(members[name], keyBytes)
  if (key === undefined)
    throw new SettingError(`${path} must have "${name}": a key of ${keyBytes} bytes in hexadecimal`)
  return key
}

function keyRingOf(path: string, members: Members, name: string): KeyRing {
  const member = members[name]
  if (!Array.isArray(member)) return [keyOf(path, members, name)]
  const keys = member.map((each) => bytesOf(each, keyBytes)).filter((key) => key !== undefined)
  if (keys.length === 0 || keys.length < member.length)
    throw new SettingError(
      `${path} must have "${name}": a key of ${keyBytes} bytes in hexadecimal, or a list of such, oldest first`,
    )
  return keys
}

/** Of Visa PVVs, by the PVKI: two keys of DES each. */
function pvksOf(path: string, { pvk }: Members): Record<number, Buffer> | undefined {
  if (pvk === undefined) return undefined
  const entries = typeof pvk === 'object' && pvk !== null ? Object.entries(pvk) : []
  const keys = entries.map(([pvki, text]) => [pvki, bytesOf(text, 16)] as const)
  if (entries.length === 0 || keys.some(([pvki, key]) => !/^[0-9]$/.test(pvki) || key === undefined))
    throw new SettingError(
      `${path} must have "pvk" as keys of 16 bytes in hexadecimal by PVKI, or not at all`,
    )
  return Object.fromEntries(keys.flatMap(([pvki, key]) => (key === undefined ? [] : [[pvki, key]])))
}

function bytesOf(text: unknown, length: number): Buffer | undefined {
  if (typeof text !== 'string' || !/^[0-9a-f]*$/i.test(text) || text.length !== 2 * length) return undefined
  return Buffer.from(text, 'hex')
}

function newKey(): string {
  return randomBytes(keyBytes).toString('hex')
}

/** On the disk before anything is made with them, and only there once: a second server finds the first one's. */
function makeKeys(path: string): void {
  const keys = ['webhooks', ...rings].map((name) => [name, newKey()])
  write(path, Object.fromEntries(keys), (draft) => {
    try {
      // Unlike a rename it fails where there is one.
      linkSync(draft, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  })
}

/** Adds what a file of an older release has not. */
function complete(
  path: string,
  whole: Members,
  { missing, isOurs }: { readonly missing: readonly string[]; readonly isOurs: boolean },
): void {
  // Made here they would be others on each node.
  if (!isOurs)
    throw new SettingError(
      `${path} must have ${missing.map((name) => `"${name}"`).join(', ')} as well: add each as a key of ${keyBytes} bytes in hexadecimal (openssl rand -hex ${keyBytes}), the same ones for all nodes`,
    )
  // The file that a link leads to, or the link would be gone.
  const target = realpathSync(path)
  write(target, whole, (draft) => renameSync(draft, target))
}

/** Whole or not at all, for servers that start together and for machines that stop: beside it first, then in place. */
function write(path: string, members: Members, place: (draft: string) => void): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    const draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`
    try {
      writeDraft(draft, `${JSON.stringify(members, null, 2)}\n`)
      place(draft)
    } finally {
      rmSync(draft, { force: true })
    }
    syncDirectory(dirname(path))
  } catch (error) {
    throw new SettingError(`the server's keys cannot be written to ${path}: ${(error as Error).message}`)
  }
}

function writeDraft(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

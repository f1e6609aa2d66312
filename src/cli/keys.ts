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
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { SettingError } from './settings.ts'

export type Keys = {
  /** What the secrets of webhooks are made from. */
  readonly webhooks: Buffer
}

const keyBytes = 32

/** Reads the keys, made first where there are none. Throws a SettingError where others may read them, or they are none. */
export function readKeys(path: string): Keys {
  if (!existsSync(path)) makeKeys(path)
  const { mode } = statSync(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new SettingError(`${path} has the server's keys and others may read it: chmod 600 ${path}`)
  return { webhooks: keyOf(path, 'webhooks') }
}

function keyOf(path: string, name: string): Buffer {
  let text: unknown
  try {
    text = JSON.parse(readFileSync(path, 'utf8'))[name]
  } catch (cause) {
    throw new SettingError(
      `${path} is no file of keys: ${cause instanceof Error ? cause.message : String(cause)}`,
    )
  }
  if (typeof text !== 'string' || !new RegExp(`^[0-9a-f]{${2 * keyBytes}}$`).test(text))
    throw new SettingError(`${path} must have "${name}": a key of ${keyBytes} bytes in hexadecimal`)
  return Buffer.from(text, 'hex')
}

/** On the disk before anything is made with them, and only there once: a second server finds the first one's. */
function makeKeys(path: string): void {
  const text = `${JSON.stringify({ webhooks: randomBytes(keyBytes).toString('hex') }, null, 2)}\n`
  try {
    mkdirSync(dirname(path), { recursive: true })
    // Whole or not at all, for servers that start together.
    const draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`
    const file = openSync(draft, 'wx', 0o600)
    writeSync(file, text)
    fsyncSync(file)
    closeSync(file)
    try {
      linkSync(draft, path)
    } finally {
      unlinkSync(draft)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new SettingError(`the server's keys cannot be written to ${path}: ${(error as Error).message}`)
  }
}

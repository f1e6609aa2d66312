/**
 * The disk and the clock of a server, in the hands of a test: `shim.c` is built with the machine's compiler and put
 * between the process and libc. Faults can be set, and the clock moved, while the server runs.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { filesOf } from '../../src/stores/sqlite/files.ts'
import type { Scope } from './support.ts'

/** The files of a store that faults can be tied to. */
const names = [
  'journal',
  'wal',
  'index',
  'indexWal',
  'webhooks',
  'webhooksWal',
  'head',
  'draft',
  'draftWal',
  'lock',
] as const
export type FileName = (typeof names)[number]

// In step with shim.c.
const calls = { write: 1, sync: 2, truncate: 4 }
const actions = {
  /** The call fails with EIO, and nothing is done. */
  eio: 1,
  /** It finds no space. */
  enospc: 2,
  /** Half of the bytes are written, then EIO; a sync fails. */
  torn: 3,
  /** Half of the bytes are written, and the process is killed. */
  'torn, kill': 4,
  'kill before': 5,
  'kill after': 6,
  /** A sync fails, and what was written since the last one is gone. */
  lose: 7,
  /** The descriptor was closed by somebody else. */
  closed: 8,
  /** Another descriptor of the file is opened and closed, which drops the process's locks on it. */
  'locks dropped': 9,
  /** The file system has become one that is only read: none of the files can be opened for writing, either. */
  'read-only': 10,
}
export type Action = keyof typeof actions

export type Plan = {
  readonly files: readonly FileName[]
  readonly calls: readonly (keyof typeof calls)[]
  /** The first call that is hit, counted from now on. */
  readonly at: number
  /** How many are hit: one, unless said otherwise. */
  readonly times?: number
  readonly action: Action
  /** The next of these calls after the first that was hit is the last thing the process does. */
  readonly thenKill?: boolean
}

const fields = [
  'armed',
  'files',
  'calls',
  'at',
  'times',
  'action',
  'thenKill',
  'counted',
  'hit',
  'clock',
  'clockNs',
] as const
type Field = (typeof fields)[number]

const sources = join(import.meta.dirname, 'shim.c')
let built: { readonly path: string } | { readonly why: string } | undefined

/** Why there are no faults to be had here; false where there are. */
export function shimMissing(): string | false {
  built ??= build()
  return 'why' in built && built.why
}

function build(): NonNullable<typeof built> {
  if (process.platform !== 'linux') return { why: `LD_PRELOAD is of Linux, this is ${process.platform}` }
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-shim-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'shim.so')
  const { status, error, stderr } = spawnSync('cc', [
    '-shared',
    '-fPIC',
    '-O2',
    '-o',
    path,
    sources,
    '-ldl',
    '-pthread',
  ])
  if (error !== undefined) return { why: `no C compiler here (cc: ${error.message})` }
  assert.equal(status, 0, `shim.c is compiled: ${stderr}`)
  return { path }
}

export class Shim {
  /** For the server's environment. */
  readonly env: Readonly<Record<string, string>>
  /** In the order of `names`. */
  readonly files: readonly string[]
  readonly #control: number
  readonly #trace: string

  /** For the store at a path. With `traced`, what is done to its files and sent to clients is written down. */
  constructor(scope: Scope, store: string, { traced = false } = {}) {
    const why = shimMissing()
    assert.ok(!why && built !== undefined && 'path' in built, String(why))
    const { journal, index, webhooks, head, lock } = filesOf(store)
    const of: Record<FileName, string> = {
      journal,
      wal: `${journal}-wal`,
      index,
      indexWal: `${index}-wal`,
      webhooks,
      webhooksWal: `${webhooks}-wal`,
      head,
      draft: `${journal}.new`,
      draftWal: `${journal}.new-wal`,
      lock,
    }
    this.files = names.map((name) => of[name])
    const directory = mkdtempSync(join(tmpdir(), 'cashpoint-faults-'))
    const control = join(directory, 'control')
    this.#control = openSync(control, 'w+')
    ftruncateSync(this.#control, fields.length * 8)
    this.#trace = join(directory, 'trace')
    scope.after(() => {
      closeSync(this.#control)
      rmSync(directory, { recursive: true, force: true })
    })
    this.env = {
      LD_PRELOAD: built.path,
      FAULT_FILES: this.files.join(':'),
      FAULT_CONTROL: control,
      ...(traced && { FAULT_TRACE: this.#trace }),
    }
  }

  /** From now on, in a server that runs or in the next. */
  set({ files, calls: which, at, times = 1, action, thenKill = false }: Plan): void {
    this.clear()
    this.#put(
      'files',
      files.reduce((bits, name) => bits | (1 << names.indexOf(name)), 0),
    )
    this.#put(
      'calls',
      which.reduce((bits, call) => bits | calls[call], 0),
    )
    this.#put('at', at)
    this.#put('times', times)
    this.#put('action', actions[action])
    this.#put('thenKill', thenKill ? 1 : 0)
    this.#put('armed', 1)
  }

  /** No more faults. */
  clear(): void {
    for (const field of ['armed', 'counted', 'hit'] as const) this.#put(field, 0)
  }

  /** How many calls were hit by what was last set. */
  get hit(): number {
    return Number(this.#get('hit'))
  }

  /** Calls that were counted by what was last set. */
  get counted(): number {
    return Number(this.#get('counted'))
  }

  /** The wall clock is so much ahead, or behind, from now on. */
  shiftClock(ms: number): void {
    this.#put('clockNs', BigInt(ms) * 1_000_000n)
    this.#put('clock', 1)
  }

  /** The wall clock stands still at an instant. */
  stopClock(atMs: number): void {
    this.#put('clockNs', BigInt(atMs) * 1_000_000n)
    this.#put('clock', 2)
  }

  #put(field: Field, value: number | bigint): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(value))
    writeSync(this.#control, bytes, 0, 8, fields.indexOf(field) * 8)
  }

  #get(field: Field): bigint {
    const bytes = Buffer.alloc(8)
    readSync(this.#control, bytes, 0, 8, fields.indexOf(field) * 8)
    return bytes.readBigInt64LE()
  }

  /** What was done, in order. */
  trace(): Note[] {
    return existsSync(this.#trace) ? notesIn(readFileSync(this.#trace)) : []
  }
}

export type Note =
  | {
      readonly type: 'write'
      readonly file: FileName
      readonly fd: number
      readonly offset: number
      readonly bytes: Buffer
    }
  | { readonly type: 'sync'; readonly file: FileName; readonly fd: number; readonly failed: boolean }
  | { readonly type: 'truncate'; readonly file: FileName; readonly fd: number; readonly length: number }
  | { readonly type: 'open'; readonly file: FileName; readonly fd: number }
  | { readonly type: 'sent'; readonly bytes: Buffer }

const noteHead = 32

function notesIn(bytes: Buffer): Note[] {
  const notes: Note[] = []
  for (let at = 0; at + noteHead <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at + 24))
    const data = bytes.subarray(at + noteHead, at + noteHead + length)
    notes.push(noteOf(bytes.subarray(at, at + noteHead), data))
    at += noteHead + length
  }
  return notes
}

function noteOf(head: Buffer, bytes: Buffer): Note {
  const file = names[head.readInt32LE(4)] as FileName
  const fd = head.readInt32LE(8)
  const offset = Number(head.readBigInt64LE(16))
  const letter = String.fromCharCode(head.readUInt32LE(0))
  switch (letter) {
    case 'W':
      return { type: 'write', file, fd, offset, bytes }
    case 'S':
      return { type: 'sync', file, fd, failed: head.readInt32LE(12) !== 0 }
    case 'T':
      return { type: 'truncate', file, fd, length: offset }
    case 'O':
      return { type: 'open', file, fd }
    case 'A':
      return { type: 'sent', bytes }
    default:
      return assert.fail(`no note begins with ${letter}`)
  }
}

/** What a file of a store is called in its directory. */
export function baseOf(shim: Shim, file: FileName): string {
  return basename(shim.files[names.indexOf(file)] ?? '')
}

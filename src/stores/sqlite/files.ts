/** The files of a store: which they are, whether they are ours, and how a handle on them is set up. */

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sha256 } from '../../bank/batch.ts'
import { readMigrations } from '../../bank/migrations.ts'
import { StoreError } from '../../bank/store.ts'

export type Files = {
  /** The journal: the truth. */
  readonly journal: string
  /** Derived from the journal; may be deleted while no server runs. */
  readonly index: string
  /** What became of webhooks' events; may be deleted, and then they are sent again. */
  readonly webhooks: string
  /** Held exclusively by the server for as long as it lives. */
  readonly lock: string
  /** Says which process that is, for people. */
  readonly pid: string
  /** The newest block's number and hash, to tell when the journal's end is lost. */
  readonly head: string
}

export function filesOf(path: string): Files {
  // Its real name: the lock of a store that is reached through a link must be the same.
  const journal = existsSync(path) ? realpathSync(path) : resolve(path)
  const stem = journal.replace(/\.db$/, '')
  return {
    journal,
    index: `${stem}-index.db`,
    webhooks: `${stem}-webhooks.db`,
    lock: `${stem}.lock`,
    pid: `${stem}.pid`,
    head: `${stem}.head`,
  }
}

// 'CASH': says that a SQLite file is a Cashpoint journal.
const applicationId = 0x43415348

const migrations = readMigrations(new URL('schema/', import.meta.url))

/**
 * Takes the store for this process until it ends; gives a function that lets go. No code opens these files but
 * through SQLite: closing any other descriptor of them would drop SQLite's locks without a word.
 */
export function lockStore(files: Files): () => void {
  let handle: DatabaseSync | undefined
  try {
    mkdirSync(dirname(files.journal), { recursive: true })
    handle = new DatabaseSync(files.lock, { timeout: 0 })
    handle.exec('pragma journal_mode = memory; begin exclusive')
    writeFileSync(files.pid, `${process.pid}\n`)
  } catch (cause) {
    handle?.close()
    throw new StoreError('unusable', whyNotLocked(files, cause), { cause })
  }
  return () => {
    rmSync(files.pid, { force: true })
    handle.close()
  }
}

function whyNotLocked({ journal, pid }: Files, cause: unknown): string {
  if (resultCode(cause) !== sqliteBusy) return `${dirname(journal)} cannot be written: ${messageOf(cause)}`
  const other = existsSync(pid) ? readFileSync(pid, 'utf8').trim() : 'unknown'
  return `the store ${journal} is in use by another server (pid ${other})`
}

/**
 * Makes sure that the journal is there, is ours and has today's schema; tells whether it has just been made. Must be
 * called with the store locked.
 */
export function prepareJournal(files: Files): { made: boolean } {
  const made = !existsSync(files.journal)
  if (made) draftJournal(files).settle()
  const version = judgeJournal(files)
  if (version < migrations.length) {
    const db = openForWriting(files.journal)
    try {
      migrate(db, version)
    } catch (cause) {
      const what = `${files.journal} could not be brought to schema ${migrations.length}, and is as it was`
      throw new StoreError('unusable', `${what}: ${messageOf(cause)}`, { cause })
    } finally {
      db.close()
    }
  }
  return { made }
}

/**
 * Judges a journal through a read-only handle, since opening a strange file for writing can change it, and
 * delete a killed server's WAL. Gives the number of its schema; throws with one line for the operator.
 */
export function judgeJournal(files: Files): number {
  const { journal } = files
  if (!existsSync(journal)) throw new StoreError('unusable', `there is no store at ${journal}`)
  const found = statSync(journal)
  if (!found.isFile()) throw new StoreError('unusable', `${journal} is not a file`)
  if (found.size === 0) throw new StoreError('unusable', `${journal} is an empty file, not a Cashpoint store`)
  // SQLite names the WAL after the file: under two names, two programs would not see each other's commits.
  if (found.nlink > 1)
    throw new StoreError('unusable', `${journal} has a second name (a hard link), which is not safe`)
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(journal, { readOnly: true })
    if (pragma(db, 'application_id') !== applicationId)
      throw new StoreError('unusable', `${journal} is a database of another program, not a Cashpoint store`)
    const version = pragma(db, 'user_version')
    if (version > migrations.length)
      throw new StoreError(
        'unusable',
        `${journal} was written by a newer Cashpoint (schema ${version}; this one knows ${migrations.length})`,
      )
    for (const { number, checksum } of db.prepare('select number, checksum from migrations').all())
      if (migrations[Number(number) - 1]?.checksum !== checksum)
        throw new StoreError(
          'unusable',
          `${journal} was made with another migration ${number} than this Cashpoint has`,
        )
    return version
  } catch (cause) {
    if (cause instanceof StoreError) throw cause
    throw new StoreError(
      'unusable',
      `${journal} is not a Cashpoint store, or is damaged: ${messageOf(cause)}`,
      { cause },
    )
  } finally {
    db?.close()
  }
}

/** A journal under another name, moved into place when it is whole: a kill leaves no half of a store behind. */
export function draftJournal({ journal }: Pick<Files, 'journal'>): {
  readonly db: DatabaseSync
  settle(): void
  drop(): void
} {
  const draft = `${journal}.new`
  const clear = () => {
    for (const file of [draft, `${draft}-wal`, `${draft}-shm`]) rmSync(file, { force: true })
  }
  clear()
  const db = openForWriting(draft)
  db.exec(`pragma application_id = ${applicationId}`)
  migrate(db, 0)
  return {
    db,
    settle() {
      // Closing keeps quiet about a checkpoint that failed, and the draft would be moved without its WAL.
      const done = db.prepare('pragma wal_checkpoint(truncate)').get()
      if (done?.['busy'] !== 0) throw new StoreError('unusable', `${draft} cannot be completed`)
      db.close()
      renameSync(draft, journal)
      syncDirectory(dirname(journal))
    },
    drop() {
      db.close()
      clear()
    },
  }
}

function migrate(db: DatabaseSync, version: number): void {
  for (const { number, name, sql, checksum } of migrations.slice(version)) {
    db.exec('begin immediate')
    db.exec(sql)
    db.prepare('insert into migrations (number, name, checksum, at) values (?, ?, ?, ?)').run(
      number,
      name,
      checksum,
      Date.now(),
    )
    db.exec(`pragma user_version = ${number}; commit`)
  }
}

/**
 * Page caches of the handles: 24 MiB together. The journal is only appended to and the system caches files too; it
 * is the index's own handle, which changes random pages, that gains from a large one.
 */
const cacheKiB = { journal: 4_096, index: 8_192, reading: 2_048 }

const indexSql = readFileSync(new URL('schema/index.sql', import.meta.url), 'utf8')
/** Of the index's schema, as SQLite's user_version: an index made from another text is made anew. */
const indexVersion = Number.parseInt(sha256(indexSql).slice(0, 7), 16)

/** Whether an index is of this version: one that is not will be made anew at the next start. */
export function isOfToday(index: DatabaseSync): boolean {
  return pragma(index, 'user_version') === indexVersion
}

/**
 * Makes sure that there is an index which belongs to this journal. One that is missing, damaged, from another
 * schema or of another journal is made anew: says why, since filling it takes time.
 */
export function prepareIndex(files: Files): string | undefined {
  const problem = judgeIndex(files)
  if (problem === undefined) return undefined
  dropIndex(files)
  const db = openIndex(files.index)
  db.exec(`begin; ${indexSql}; pragma user_version = ${indexVersion}; commit`)
  db.close()
  return problem
}

/** Deletes the index: the next start makes it anew. */
export function dropIndex({ index }: Files): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(index + suffix, { force: true })
}

function judgeIndex({ index, journal }: Files): string | undefined {
  if (!existsSync(index)) return 'is missing'
  const indexed = lookInto(index)
  if ('problem' in indexed) return indexed.problem
  return indexed.hash === hashOf(journal, indexed.block)
    ? undefined
    : 'is not of this journal, or the journal has lost its end'
}

/** Which block an index has come to, or why it is of no use. */
function lookInto(index: string): { block: number; hash: string } | { problem: string } {
  let db: DatabaseSync | undefined
  try {
    db = openForReading(index)
    if (!isOfToday(db)) return { problem: 'is of another version' }
    // The accounts only: the keys take long to check, and a reply found there is compared with the journal's anyway.
    const check = db.prepare("pragma quick_check('accounts')").get()?.['quick_check']
    if (check !== 'ok') return { problem: `is damaged (${check})` }
    return db.prepare('select block, hash from progress').get() as { block: number; hash: string }
  } catch (error) {
    return { problem: `is damaged (${messageOf(error)})` }
  } finally {
    db?.close()
  }
}

function hashOf(journal: string, block: number): unknown {
  if (block === 0) return ''
  const db = openForReading(journal)
  try {
    return db.prepare('select hash from blocks where sequence = ?').get(block)?.['hash']
  } finally {
    db.close()
  }
}

/** A handle on the index that may write: not synced at every commit, since it can be made again. */
export function openIndex(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 1000 })
  db.exec(`
    pragma journal_mode = wal;
    pragma synchronous = normal;
    pragma cache_size = -${cacheKiB.index};
    pragma wal_autocheckpoint = 8192;
    pragma journal_size_limit = 67108864;
  `)
  return db
}

/**
 * Pages of WAL after which the writer folds them into the journal, while its commits wait. Tried with 64 withdrawals
 * a commit: 1,000 gave a longest commit of 20 ms, 4,000 of 46 ms, 16,000 of 72 ms, and the p99 was 6 ms with each.
 */
export const checkpointPages = 1_000

/** A handle that commits durably: when COMMIT returns, the records are on disk. */
export function openForWriting(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: busySliceMs })
  try {
    db.exec(`
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma fullfsync = on;
      pragma checkpoint_fullfsync = on;
      pragma recursive_triggers = on;
      pragma cache_size = -${cacheKiB.journal};
      pragma wal_autocheckpoint = ${checkpointPages};
      pragma journal_size_limit = 67108864;
    `)
    return db
  } catch (error) {
    // Reopening may be tried twice a second for as long as the disk is full.
    db.close()
    throw error
  }
}

/** How long one try for the write lock waits before deadlines are looked at again. Milliseconds. */
export const busySliceMs = 50

export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 1000 })
  db.exec(`pragma cache_size = -${cacheKiB.reading}`)
  return db
}

export function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`pragma ${name}`).get()?.[name])
}

export function syncDirectory(directory: string): void {
  // Windows has no directory to sync; its rename is journaled.
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

export const sqliteBusy = 5
const sqliteIoError = 10
const sqliteDamaged = 11
const sqliteFull = 13
const sqliteNotADatabase = 26

/** SQLite's own code for what went wrong, without its extension; undefined where the mistake is not SQLite's. */
export function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** Whether the disk is full or fails, rather than what is on it being wrong. */
export function isDiskTrouble(error: unknown): boolean {
  const code = resultCode(error)
  return code === sqliteFull || code === sqliteIoError
}

/** Whether what is on the disk is wrong. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error)
  return code === sqliteDamaged || code === sqliteNotADatabase
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

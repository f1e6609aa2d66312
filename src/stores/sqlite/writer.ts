/**
 * The thread that owns the writing handle. One message a batch comes in, one goes out, in the same order.
 *
 *   ready ──(COMMIT or the disk fails)──▶ broken ──(reopened and checkpointed)──▶ ready
 *
 * While broken, batches are refused `unavailable` and the thread tries to reopen by itself. A failed sync is never
 * tried again: the newest block on disk says whether the batch counts, and the books are read anew from there.
 */
import assert from 'node:assert'
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { applyBatch, type RuleSettings, rulesOf, sha256 } from '../../bank/batch.ts'
import { read, systemClock } from '../../bank/clock.ts'
import { type Pending, StoreError, type StoreErrorCode } from '../../bank/store.ts'
import { type AccountNumber, isPlain } from '../../ledger/account.ts'
import { type Block, seal } from '../../ledger/block.ts'
import { Books, type Left } from '../../ledger/books.ts'
import { accountsTold, type Outcome } from '../../ledger/command.ts'
import { toLine } from '../../ledger/record.ts'
import {
  type Files,
  isDamage,
  messageOf,
  openForReading,
  openForWriting,
  resultCode,
  sqliteBusy,
} from './files.ts'
import { HeadFile } from './head.ts'
import { JournalReader } from './journal.ts'
import { Loader } from './load.ts'
import { type Progress, progressOf } from './projection.ts'
import { replay } from './replay.ts'
import { JournalWriter } from './save.ts'
import { type Flat, flattenOutcomes, readBatch } from './wire.ts'

export type WriterOptions = RuleSettings & { readonly files: Files }

export type WriterMessage =
  | { readonly type: 'ready' | 'reopened'; readonly last: number }
  | { readonly type: 'outcomes'; readonly outcomes: Flat; readonly left: Left; readonly last: number }
  | { readonly type: 'error'; readonly code: StoreErrorCode; readonly message: string }
  | { readonly type: 'broken' }

/** What a batch was answered, and the pages it left beside the plain accounts that the answers tell themselves. */
type Committed = { readonly outcomes: readonly Outcome[]; readonly left: Left }

const nothingLeft: Left = { accounts: [], transfers: [], holds: [], things: [], entities: [] }

const reopenEveryMs = 500

// Accounts and replies that one layer of the cache holds before the next is begun: some 5 MB.
const pagesMax = 10_000

class Writer {
  readonly #options: WriterOptions
  readonly #rules: ReturnType<typeof rulesOf>
  readonly #index: DatabaseSync
  readonly #progress: () => Progress
  #db!: DatabaseSync
  #loader!: Loader
  #journal!: JournalWriter
  /** Two layers at the most: what this one reads through to goes when the index has come beyond it. */
  #books!: Books
  #head!: Block
  readonly #headFile: HeadFile
  #broken = false

  constructor(options: WriterOptions) {
    this.#options = options
    this.#rules = rulesOf(options)
    this.#index = openForReading(options.files.index)
    this.#progress = progressOf(this.#index)
    this.#headFile = new HeadFile(options.files.head)
    this.#open()
    this.#headFile.write(this.#head)
  }

  /**
   * What a killed server left in the WAL may be in the system's memory alone, where its last sync had failed: it is
   * synced with the journal before anything is built on it.
   */
  begin(): void {
    try {
      this.#checkpoint()
    } catch (error) {
      if (isDamage(error)) throw error
      this.#onBroken()
    }
  }

  /** Sequence of the last record. */
  get last(): number {
    return this.#head.last
  }

  commit(batch: readonly Pending[]): Committed {
    if (this.#broken) throw new StoreError('unavailable', 'the store is being reopened')
    this.#lock(batch)

    let outcomes: Outcome[]
    let books: Books
    let head: Block
    try {
      this.#loader.load(this.#books, batch)
      books = this.#books.fork()
      books.head = this.#head
      const time = read(systemClock)
      outcomes = applyBatch(books, batch, time, this.#rules)
      if (books.records.length === 0) {
        this.#db.exec('rollback')
        return { outcomes, left: nothingLeft }
      }
      const lines = books.records.map(toLine)
      head = seal(this.#head, lines, { at: time.now, totals: books.totals(), sha256 })
      this.#journal.append(lines, head)
    } catch (error) {
      throw this.#onFailedBeforeCommit(error)
    }

    try {
      this.#db.exec('commit')
    } catch (cause) {
      this.#onBroken()
      throw new StoreError('outcome_unknown', messageOf(cause), { cause })
    }
    books.merge()
    this.#books.records.length = 0
    this.#head = head
    this.#headFile.write(head)
    if (this.#books.size > pagesMax) this.#turnLayers()
    return { outcomes, left: leftBeside(outcomes, books.left) }
  }

  #turnLayers(): void {
    const below = this.#books.below
    if (below !== undefined && this.#progress().sequence < below.sequence) return
    this.#books.detach()
    this.#books = this.#books.fork()
  }

  /** Takes the write lock, in short tries, until the first deadline of the batch. */
  #lock(batch: readonly Pending[]): void {
    const firstDeadlineMs = Math.min(...batch.map(({ deadlineMs }) => deadlineMs))
    for (;;) {
      try {
        this.#db.exec('begin immediate')
        return
      } catch (cause) {
        if (resultCode(cause) !== sqliteBusy) throw this.#onFailedBeforeCommit(cause)
        if (systemClock.monotonicMs() >= firstDeadlineMs)
          throw new StoreError('busy', messageOf(cause), { cause })
      }
    }
  }

  /**
   * Nothing was committed. A mistake of ours leaves the store as it is; trouble with the disk makes it reopen; a
   * damaged file ends the thread, since trying again would not mend it.
   */
  #onFailedBeforeCommit(cause: unknown): StoreError {
    if (isDamage(cause)) throw cause
    try {
      if (this.#db.isTransaction) this.#db.exec('rollback')
      if (resultCode(cause) === undefined) return new StoreError('failed', messageOf(cause), { cause })
    } catch {
      // Rolling back failed as well: reopening does it.
    }
    this.#onBroken()
    return new StoreError('unavailable', messageOf(cause), { cause })
  }

  #onBroken(): void {
    this.#broken = true
    post({ type: 'broken' })
    setTimeout(() => this.#onReopen(), 0)
  }

  #onReopen(): void {
    try {
      if (this.#db.isOpen) this.#db.close()
      this.#open()
      this.#checkpoint()
      this.#broken = false
      post({ type: 'reopened', last: this.last })
    } catch (error) {
      if (isDamage(error)) throw error
      setTimeout(() => this.#onReopen(), reopenEveryMs)
    }
  }

  #open(): void {
    const { journal } = this.#options.files
    this.#db = openForWriting(journal)
    const reader = new JournalReader(this.#db)
    this.#loader = new Loader({ index: this.#index, journal: this.#db })
    this.#journal = new JournalWriter(this.#db)
    this.#head = reader.head()

    const { block, sequence } = this.#progress()
    const indexed = reader.block(block)
    assert(indexed !== undefined, 'the index is of a block of this journal')
    this.#books = Books.at(indexed)
    replay(this.#books, this.#loader, reader.linesInTurn(sequence, this.#head.last))
  }

  /** Moves the whole WAL into the file and syncs it; throws where that is not possible now. */
  #checkpoint(): void {
    const done = this.#db.prepare('pragma wal_checkpoint(truncate)').get()
    if (done?.['busy'] !== 0) throw new StoreError('unavailable', 'the store cannot be checkpointed now')
  }

  close(): void {
    this.#index.close()
    this.#db.close()
    this.#headFile.close()
  }
}

/** Most accounts are plain, and told by the reply that left them: they go over to the main thread once. */
function leftBeside(outcomes: readonly Outcome[], left: Left): Left {
  const told = new Map<AccountNumber, number>()
  for (const { reply, replayed } of outcomes) {
    if (replayed) continue
    // Nearly all are: no account need be made of it to learn its version.
    if (reply.type === 'posted') told.set(reply.account, reply.version)
    else for (const { number, version } of accountsTold(reply)) told.set(number, version)
  }
  const accounts = left.accounts.filter(
    (account) => told.get(account.number) !== account.version || !isPlain(account),
  )
  return { ...left, accounts }
}

function post(message: WriterMessage): void {
  parentPort?.postMessage(message)
}

const writer = new Writer(workerData as WriterOptions)
post({ type: 'ready', last: writer.last })
writer.begin()
parentPort?.on('message', (batch: Flat | 'close') => {
  if (batch === 'close') {
    writer.close()
    parentPort?.close()
    return
  }
  try {
    const { outcomes, left } = writer.commit(readBatch(batch))
    post({ type: 'outcomes', outcomes: flattenOutcomes(outcomes), left, last: writer.last })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    post({ type: 'error', code: error.code, message: error.message })
  }
})

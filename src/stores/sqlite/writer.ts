/**
 * The thread that owns the writing handle. One message a batch comes in, one goes out, in the same order.
 *
 *   ready ──(COMMIT or the disk fails)──▶ broken ──(reopened and checkpointed)──▶ ready
 *
 * While broken, batches are refused `unavailable` and the thread tries to reopen by itself. A failed sync is never
 * tried again: the newest block on disk says whether the batch counts, and the books are read anew from there.
 */
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { applyBatch, rulesOf, sha256 } from '../../bank/batch.ts'
import { systemClock } from '../../bank/clock.ts'
import { type Pending, StoreError, type StoreErrorCode } from '../../bank/store.ts'
import { type Block, genesis, seal } from '../../ledger/block.ts'
import { Books } from '../../ledger/books.ts'
import type { Outcome } from '../../ledger/command.ts'
import { toLine } from '../../ledger/record.ts'
import { messageOf, openForWriting } from './files.ts'
import { Loader } from './load.ts'
import { Projection } from './projection.ts'
import { JournalWriter } from './save.ts'

export type WriterOptions = { readonly journal: string; readonly keyRetentionMs?: number }

export type WriterMessage =
  | { readonly type: 'ready'; readonly head: Block }
  | { readonly type: 'outcomes'; readonly outcomes: readonly Outcome[] }
  | { readonly type: 'error'; readonly code: StoreErrorCode; readonly message: string }
  | { readonly type: 'shut'; readonly shut: boolean }

const reopenEveryMs = 500

class Writer {
  readonly #options: WriterOptions
  readonly #rules: ReturnType<typeof rulesOf>
  #db!: DatabaseSync
  #loader!: Loader
  #journal!: JournalWriter
  #projection!: Projection
  #books!: Books
  #head!: Block
  #broken = false

  constructor(options: WriterOptions) {
    this.#options = options
    this.#rules = rulesOf(options)
    this.#open()
  }

  get head(): Block {
    return this.#head
  }

  commit(batch: readonly Pending[]): Outcome[] {
    if (this.#broken) throw new StoreError('unavailable', 'the store is being reopened')
    this.#lock(batch)

    let outcomes: Outcome[]
    let books: Books
    let head: Block
    try {
      this.#loader.load(this.#books, batch)
      books = this.#books.fork()
      outcomes = applyBatch(books, batch, systemClock, this.#rules)
      if (books.records.length === 0) {
        this.#db.exec('rollback')
        return outcomes
      }
      const lines = books.records.map(toLine)
      head = seal(this.#head, lines, { at: systemClock.now(), totals: books.totals(), sha256 })
      this.#journal.append(lines, head)
      this.#projection.save(books, books.records)
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
    return outcomes
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

  /** Nothing was committed. A mistake of ours leaves the store as it is; trouble with the disk makes it reopen. */
  #onFailedBeforeCommit(cause: unknown): StoreError {
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
    post({ type: 'shut', shut: true })
    setTimeout(() => this.#onReopen(), 0)
  }

  #onReopen(): void {
    try {
      if (this.#db.isOpen) this.#db.close()
      this.#open()
      this.#checkpoint()
      this.#broken = false
      post({ type: 'shut', shut: false })
    } catch {
      setTimeout(() => this.#onReopen(), reopenEveryMs)
    }
  }

  #open(): void {
    this.#db = openForWriting(this.#options.journal)
    this.#loader = new Loader({ index: this.#db, journal: this.#db })
    this.#journal = new JournalWriter(this.#db)
    this.#projection = new Projection(this.#db)
    this.#head = (this.#db.prepare('select * from blocks order by sequence desc limit 1').get() ??
      genesis(1)) as Block
    this.#books = Books.at(this.#head)
  }

  /** Moves the whole WAL into the file and syncs it; throws where that is not possible now. */
  #checkpoint(): void {
    const done = this.#db.prepare('pragma wal_checkpoint(truncate)').get()
    if (done?.['busy'] !== 0) throw new StoreError('unavailable', 'the store cannot be checkpointed now')
  }

  close(): void {
    this.#db.close()
  }
}

const sqliteBusy = 5

/** SQLite's own code for what went wrong, without its extension; undefined where the mistake is not SQLite's. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

function post(message: WriterMessage): void {
  parentPort?.postMessage(message)
}

const writer = new Writer(workerData as WriterOptions)
post({ type: 'ready', head: writer.head })
parentPort?.on('message', (batch: readonly Pending[] | 'close') => {
  if (batch === 'close') {
    writer.close()
    parentPort?.close()
    return
  }
  try {
    post({ type: 'outcomes', outcomes: writer.commit(batch) })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    post({ type: 'error', code: error.code, message: error.message })
  }
})

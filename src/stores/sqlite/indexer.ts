/**
 * The thread that carries the journal over into the index, some thousand records a transaction. It is behind the
 * journal by what came since its last turn; nothing waits for it.
 */
import { setPriority } from 'node:os'
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { type Files, isDiskTrouble, openForReading, openIndex } from './files.ts'
import { JournalReader } from './journal.ts'
import { type Progress, Projection } from './projection.ts'

export type IndexerOptions = { readonly files: Files; readonly keyRetentionMs: number }

/** Asks for a turn. The index never shows a commit whose outcome the main thread does not know of yet. */
export type IndexerRequest = { readonly upTo: number }

/** Says up to which record the index has come. */
export type IndexerMessage = { readonly sequence: number }

// A page that many records change is written once a turn. Keys are spread over all pages of their table: with 4,096 a
// turn and 10^6 records, withdrawals with a key had 0.48 of the echo control's rate; with 16,384, 0.80.
const recordsPerTurn = 16_384
const forgottenPerTurn = 2_000
// Between turns the index goes on being advanced; once all that is old is forgotten, a minute passes at the most.
const forgetPauseMs = { more: 20, none: 60_000 }
const retryMs = 200
// Of two threads on one processor it still gets a quarter: with much less it could fall behind for good.
const niceness = 5

class Indexer {
  readonly #index: DatabaseSync
  readonly #journalHandle: DatabaseSync
  readonly #journal: JournalReader
  readonly #projection: Projection
  readonly #keyRetentionMs: number
  #progress: Progress

  constructor({ files, keyRetentionMs }: IndexerOptions) {
    this.#index = openIndex(files.index)
    this.#journalHandle = openForReading(files.journal)
    this.#journal = new JournalReader(this.#journalHandle)
    this.#projection = new Projection(this.#index)
    this.#keyRetentionMs = keyRetentionMs
    this.#progress = this.#projection.progress
  }

  get sequence(): number {
    return this.#progress.sequence
  }

  /** One transaction forward, up to a record at the most; false where there was nothing to do. */
  advance(sequenceMax = Number.POSITIVE_INFINITY): boolean {
    const { block, sequence } = this.#progress
    const to = this.#journal
      .blocksAfter({ sequence: block, last: sequence }, recordsPerTurn)
      .findLast(({ last }) => last <= sequenceMax)
    if (to === undefined) return false
    this.#write(() => this.#projection.advance(this.#journal.linesInTurn(sequence, to.last), to))
    return true
  }

  /** Forgets some keys that are too old; false where there are no more. */
  forget(now: number): boolean {
    const { forgotten, sequence } = this.#progress
    const lines = this.#journal.lines(forgotten, Math.min(forgotten + forgottenPerTurn, sequence))
    const recent = lines.findIndex(({ at }) => at >= now - this.#keyRetentionMs)
    const old = recent < 0 ? lines : lines.slice(0, recent)
    if (old.length > 0) this.#write(() => this.#projection.forget(old))
    return recent < 0 && lines.length > 0
  }

  #write(change: () => void): void {
    this.#index.exec('begin immediate')
    try {
      change()
      this.#index.exec('commit')
    } catch (error) {
      if (this.#index.isTransaction) this.#index.exec('rollback')
      throw error
    }
    this.#progress = this.#projection.progress
  }

  close(): void {
    onDisk(() => {
      while (this.advance());
      // Others may still have the index open to read, so that closing alone would leave its WAL behind.
      this.#index.exec('pragma wal_checkpoint(truncate)')
    })
    this.#journalHandle.close()
    this.#index.close()
  }
}

/**
 * A turn is a tenth of a second of work that nobody waits for: it must not keep those from a processor who are waited
 * for. On Linux a thread has a priority of its own; elsewhere it would be that of the server.
 */
function giveWay(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(niceness)
  } catch {
    // A sandbox may forbid it, and all is done as well without.
  }
}

/** False where the disk is full or fails: the index stays as it was, and goes on from there when it can. */
function onDisk(change: () => void): boolean {
  try {
    change()
    return true
  } catch (error) {
    if (!isDiskTrouble(error)) throw error
    return false
  }
}

giveWay()

const options = workerData as IndexerOptions
const indexer = new Indexer(options)
const idlePauseMs = Math.min(forgetPauseMs.none, options.keyRetentionMs)
while (indexer.advance());
post()
let forgetting = setTimeout(onForget, idlePauseMs)

parentPort?.on('message', (message: IndexerRequest | 'close') => {
  if (message === 'close') {
    clearTimeout(forgetting)
    indexer.close()
    parentPort?.close()
    return
  }
  // Where the disk did not let it, the answer waits, since the next turn is asked for when it comes.
  if (onDisk(() => indexer.advance(message.upTo))) post()
  else setTimeout(post, retryMs)
})

function onForget(): void {
  let more = false
  onDisk(() => {
    more = indexer.forget(Date.now())
  })
  forgetting = setTimeout(onForget, more ? forgetPauseMs.more : idlePauseMs)
}

function post(): void {
  parentPort?.postMessage({ sequence: indexer.sequence } satisfies IndexerMessage)
}

/**
 * The embedded store as the main thread sees it. Batches go to the writer's thread, which owns the journal; the
 * indexer's thread carries the journal over into the index; a reader's thread does the long reads; point reads
 * happen here, in the tail of what was just answered or in the index.
 */

import assert from 'node:assert'
import { once } from 'node:events'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type RuleSettings, usualRules } from '../../bank/batch.ts'
import type { Sealed } from '../../bank/copy.ts'
import {
  type AccountList,
  type AccountPage,
  type Act,
  type ActPage,
  type BlockPage,
  type BlockRange,
  type ChainProven,
  type EntitiesFound,
  type EntityPage,
  type Entry,
  type EntryPage,
  type Finding,
  type FindPage,
  type Found,
  type HoldPageQuery,
  type LineRange,
  type ListedBlock,
  type NamedLine,
  type NamedRecord,
  type Pending,
  type ProofProgress,
  type Store,
  StoreError,
  storeClosed,
  type TransferPageQuery,
} from '../../bank/store.ts'
import type { Account, AccountNumber } from '../../ledger/account.ts'
import { readTotals, type Totals } from '../../ledger/block.ts'
import type { StoredReply, TransferPage } from '../../ledger/books.ts'
import {
  type Hold,
  idOf,
  type Key,
  type Outcome,
  type PostedTransfer,
  type RecordId,
  sequenceOf,
} from '../../ledger/command.ts'
import type { Entity, EntityName } from '../../ledger/entity.ts'
import type { Instant } from '../../ledger/money.ts'
import type { Refusal } from '../../ledger/refusal.ts'
import type { Thing } from '../../ledger/registry.ts'
import { type Fault, faultText, type Proven } from '../../ledger/verify.ts'
import { SqliteDeliveries } from './deliveries.ts'
import { freeBytes, storeBytes } from './disk.ts'
import {
  dropIndex,
  type Files,
  filesOf,
  isDamage,
  lockStore,
  messageOf,
  openForReading,
  prepareIndex,
  prepareJournal,
  resultCode,
} from './files.ts'
import { lostTail } from './head.ts'
import type { IndexerMessage, IndexerOptions, IndexerRequest } from './indexer.ts'
import { JournalReader } from './journal.ts'
import { Loader } from './load.ts'
import { accountsPerPiece, readPiece } from './open-lists.ts'
import type { ProverMessage, ProverOptions } from './prover.ts'
import type { ReaderCalls, ReaderOptions, ReaderRequest, ReaderResponse } from './reader.ts'
import { Tail } from './tail.ts'
import { flattenBatch, readOutcomes } from './wire.ts'
import type { WriterMessage, WriterOptions } from './writer.ts'

export type SqliteOptions = RuleSettings & {
  readonly path: string
  /** Free space on the disk below which writes are refused. Bytes. */
  readonly minFreeBytes?: number
  /** Goes on where the end of the journal is known to be lost. */
  readonly acceptLostTail?: boolean
  /** How often a slice of the journal is read again. Milliseconds. */
  readonly scrubEveryMs?: number
  /** Told of what an operator should know: that the index is made anew, that writes are refused or are not any more. */
  onNotice?(notice: string): void
  /** Called when a thread has died: what was under way is unknown, and the process must end. */
  onDead?(error: unknown): void
}

type Commit = { resolve(outcomes: readonly Outcome[]): void; reject(error: StoreError): void }
type Call = { resolve(result: unknown): void; reject(error: Error): void }

// The index is brought forward when so many records wait for it, or when so long has passed.
const indexEveryRecords = 16_384
const indexEveryMs = 500
// Beyond this many records the index is too far behind: the tail is in memory. Writing goes on at half of it.
const tailMax = 200_000
const diskEveryMs = 1_000
// A slice is some 5,000 records: 10^7 are read again in a day and a half.
const scrubEveryMs = 60_000

export class SqliteStore implements Store {
  readonly name: string
  /** The journal's file. */
  readonly path: string
  readonly #files: Files
  readonly #options: SqliteOptions
  readonly #unlock: () => void
  readonly #indexer: Worker
  readonly #writer: Worker
  readonly #reader: Worker
  readonly #index: DatabaseSync
  readonly #loader: Loader
  readonly #journal: DatabaseSync
  readonly #tail = new Tail()
  readonly #calls = new Map<number, Call>()
  readonly #provers = new Set<Worker>()
  /** The block up to which the journal was read again, and what was found wrong. */
  #scrubbed = 0
  #fault: Fault | undefined
  readonly #timers: NodeJS.Timeout[] = []
  #callCount = 0
  #commit: Commit | undefined
  /** What was read of the commit under way, whose outcome is still coming. */
  readonly #early: ReaderResponse[] = []
  /** Sequence of the last record in the journal, and in the index. */
  #last = 0
  #indexed = 0
  #indexing = false
  #state: 'open' | 'broken' | 'reopened' = 'open'
  #diskLow = false
  #behind = false
  #closed = false
  #told: Refusal | undefined

  /** Opens the store, making it where there is none. Throws a StoreError `unusable` with one line for the operator. */
  static async open(options: SqliteOptions): Promise<SqliteStore> {
    const files = filesOf(options.path)
    const unlock = lockStore(files)
    try {
      const { made } = prepareJournal(files)
      judgeTail(files, options)
      const problem = prepareIndex(files)
      if (problem !== undefined && !made)
        options.onNotice?.(`the index ${problem}: it is made from the journal`)

      const { keyRetentionMs, timeZone, adjustmentThreshold } = { ...usualRules, ...options }
      const [indexer, reader] = await Promise.all([
        startThread('indexer', { files, keyRetentionMs } satisfies IndexerOptions),
        startThread('reader', { files } satisfies ReaderOptions),
      ])
      // After the indexer has caught up, so that there is little to replay.
      const rules = { keyRetentionMs, timeZone, adjustmentThreshold }
      const writer = await startThread('writer', { files, ...rules } satisfies WriterOptions)
      return new SqliteStore(files, unlock, options, { indexer, writer, reader })
    } catch (error) {
      if (isDamage(error)) dropIndex(files)
      unlock()
      if (resultCode(error) === undefined) throw error
      const what = `${files.journal} is damaged, or cannot be written: ${messageOf(error)}`
      throw new StoreError('unusable', what, { cause: error })
    }
  }

  private constructor(files: Files, unlock: () => void, options: SqliteOptions, threads: Threads) {
    this.name = `sqlite:${files.journal}`
    this.path = files.journal
    this.#files = files
    this.#unlock = unlock
    this.#options = options
    this.#last = threads.writer.first.last
    this.#indexed = threads.indexer.first.sequence

    this.#indexer = threads.indexer.worker
    this.#writer = threads.writer.worker
    this.#reader = threads.reader.worker
    this.#indexer.on('message', (message: IndexerMessage) => {
      this.#indexing = false
      this.#onIndexed(message)
    })
    this.#writer.on('message', (message: Exclude<WriterMessage, { type: 'ready' }>) =>
      this.#onWritten(message),
    )
    this.#reader.on('message', (message: ReaderResponse) => this.#onRead(message))
    for (const thread of [this.#indexer, this.#writer, this.#reader]) {
      thread.on('error', (error) => this.#onDead(error))
      thread.on('exit', () => this.#onDead(new Error('a thread of the store stopped')))
    }

    this.#index = openForReading(files.index)
    this.#journal = openForReading(files.journal)
    this.#loader = new Loader({ index: this.#index, journal: this.#journal })
    this.#timers.push(
      setInterval(() => this.#advanceIndex(), indexEveryMs).unref(),
      setInterval(() => this.#lookAtDisk(), diskEveryMs).unref(),
      setInterval(() => void this.#scrub(), options.scrubEveryMs ?? scrubEveryMs).unref(),
    )
    this.#lookAtDisk()
  }

  get shut(): Refusal | undefined {
    if (this.#state !== 'open') return 'store_unavailable'
    if (this.#diskLow) return 'storage_low'
    return this.#behind ? 'overloaded' : undefined
  }

  commit(batch: readonly Pending[]): Promise<readonly Outcome[]> {
    assert(this.#commit === undefined, 'one batch at a time')
    return new Promise((resolve, reject) => {
      this.#commit = { resolve, reject }
      if (this.#closed) this.#settle()?.reject(storeClosed())
      else this.#writer.postMessage(flattenBatch(batch))
    })
  }

  account(number: AccountNumber): Promise<Account | undefined> {
    return this.#point(() => this.#tail.account(number) ?? this.#loader.account(number))
  }

  transfer(id: RecordId): Promise<TransferPage | undefined> {
    return this.#point(() => this.#tail.transfer(id) ?? this.#loader.transfer(id))
  }

  hold(id: RecordId): Promise<Hold | undefined> {
    return this.#point(() => this.#tail.hold(id) ?? this.#loader.hold(id))
  }

  thing(id: RecordId): Promise<Thing | undefined> {
    return this.#point(() => this.#tail.thing(id) ?? this.#loader.thing(id))
  }

  things(): Promise<readonly Thing[]> {
    return this.#call('things', undefined)
  }

  acts(page: ActPage): Promise<Found<Act>> {
    return this.#call('acts', page)
  }

  entity(name: EntityName): Promise<Entity | undefined> {
    return this.#point(() => this.#tail.entity(name) ?? this.#loader.entity(name))
  }

  entities(page: EntityPage): Promise<EntitiesFound> {
    return this.#call('entities', page)
  }

  due(now: Instant, limit: number): Promise<readonly Entity[]> {
    return this.#call('due', { now, limit })
  }

  find(page: FindPage): Promise<Found<Finding>> {
    return this.#call('find', page)
  }

  about(names: readonly EntityName[], limit: number): Promise<readonly NamedRecord[]> {
    return this.#call('about', { names, limit })
  }

  reply(key: Key): Promise<StoredReply | undefined> {
    return this.#call('reply', key)
  }

  transfers(page: TransferPageQuery): Promise<Found<PostedTransfer>> {
    return this.#call('transfers', page)
  }

  holds(page: HoldPageQuery): Promise<Found<Hold>> {
    return this.#call('holds', page)
  }

  async totals(): Promise<Totals> {
    return readTotals((await this.#call('head', undefined)).totals)
  }

  entries(page: EntryPage): Promise<readonly Entry[]> {
    return this.#call('entries', page)
  }

  async #point<Page>(read: () => Page): Promise<Page> {
    // Together with the reads that arrived with it: answered one socket at a time, each client is woken alone, and
    // the server with them (0.84 of the echo control's rate instead of 1.2 on two cores).
    await turn()
    if (this.#closed) throw storeClosed()
    try {
      return read()
    } catch (error) {
      if (isDamage(error)) this.#onDead(error)
      throw error
    }
  }

  async accounts(page: AccountPage): Promise<AccountList> {
    const { list, total, more, first } = await this.#call('accounts', page)
    return { total, more, pieces: this.#pieces(list, readPiece(first)) }
  }

  /** Not a generator: one that is given up before its first piece would never come to its end, and keep the list. */
  #pieces(list: number, first: readonly Account[]): AsyncIterableIterator<readonly Account[]> {
    let piece = first
    let asked = false
    return {
      [Symbol.asyncIterator]() {
        return this
      },
      next: async () => {
        const more = piece.length === accountsPerPiece
        if (asked) piece = more ? readPiece(await this.#call('piece', list)) : []
        asked = true
        return piece.length > 0 ? { value: piece, done: false } : { value: undefined, done: true }
      },
      return: async () => {
        if (piece.length === accountsPerPiece && !this.#closed) await this.#call('drop', list)
        return { value: undefined, done: true }
      },
    }
  }

  async last(): Promise<number> {
    return this.#last
  }

  async placeOf(id: RecordId): Promise<number | undefined> {
    const place = sequenceOf(id)
    return place > 0 && place <= this.#last ? place : undefined
  }

  async lines(range: LineRange): Promise<readonly NamedLine[]> {
    const lines = await this.#call('lines', range)
    return lines.map((line) => ({ id: idOf(line.sequence), line }))
  }

  blocks(page: BlockPage): Promise<readonly ListedBlock[]> {
    return this.#call('blocks', page)
  }

  heads(): Promise<readonly ListedBlock[]> {
    return this.blocks({ limit: 1 })
  }

  async *journal(fromBlock = 1): AsyncGenerator<Sealed> {
    let after = await this.#call('before', fromBlock)
    for (;;) {
      const read = await this.#call('journal', after)
      yield* read
      const last = read.at(-1)
      if (last === undefined) return
      after = last.block
    }
  }

  prove(
    range: BlockRange,
    onProgress: (progress: ProofProgress) => void,
  ): Promise<Fault | Proven | ChainProven> {
    const workerData = { path: this.#files.journal, range } satisfies ProverOptions
    const prover = new Worker(new URL('./prover.ts', import.meta.url), { name: 'prover', workerData })
    this.#provers.add(prover)
    return new Promise((resolve, reject) => {
      prover.on('message', (message: ProverMessage) => {
        if ('found' in message) resolve(message.found)
        else onProgress(message.progress)
      })
      prover.on('error', reject)
      prover.on('exit', () => {
        this.#provers.delete(prover)
        reject(new StoreError('unavailable', 'the pass was given up: the store was closed'))
      })
    })
  }

  /** The log of webhooks' deliveries, beside the store; whoever opens it closes it. */
  openDeliveries(): SqliteDeliveries {
    return SqliteDeliveries.open(this.#files.webhooks)
  }

  figures(): ReturnType<Store['figures']> {
    return {
      store_free_bytes: { help: 'Free space on the disk of the store.', read: () => freeBytes(this.#files) },
      store_bytes: { help: 'Size of the journal and the index.', read: () => storeBytes(this.#files) },
      store_records: { help: 'Records in the journal.', read: () => this.#last },
      store_bytes_per_record: {
        help: 'Size over records: a withdrawal is one record, with an Idempotency-Key two.',
        read: () => storeBytes(this.#files) / Math.max(1, this.#last),
      },
      store_index_lag_records: {
        help: 'Records that the index has yet to take in.',
        read: () => this.#last - this.#indexed,
      },
      store_scrubbed_block: {
        help: 'The block up to which the journal was read again and proven, in this round.',
        read: () => this.#scrubbed,
      },
      store_scrub_faults: {
        help: '1 if a block was found that does not prove, else 0.',
        read: () => (this.#fault === undefined ? 0 : 1),
      },
      store_writable: {
        help: '1 if commands are accepted, else 0.',
        read: () => (this.shut === undefined ? 1 : 0),
      },
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    for (const prover of this.#provers) await prover.terminate()
    this.#index.close()
    this.#journal.close()
    // The writer last: the last handle to close folds the WAL back into the journal.
    for (const thread of [this.#reader, this.#indexer, this.#writer]) {
      const exit = once(thread, 'exit')
      thread.postMessage('close')
      await exit
    }
    this.#unlock()
  }

  #settle(): Commit | undefined {
    const commit = this.#commit
    this.#commit = undefined
    return commit
  }

  #onWritten(message: Exclude<WriterMessage, { type: 'ready' }>): void {
    switch (message.type) {
      case 'outcomes': {
        this.#last = message.last
        const outcomes = readOutcomes(message.outcomes)
        this.#tail.putAnswers(outcomes)
        this.#tail.put(message.left)
        this.#judgeTail()
        this.#settle()?.resolve(outcomes)
        break
      }
      case 'error':
        this.#settle()?.reject(new StoreError(message.code, message.message))
        break
      case 'broken':
        this.#state = 'broken'
        break
      case 'reopened':
        // What was unknown may have been committed: writing goes on once the index knows.
        this.#state = 'reopened'
        this.#last = message.last
        this.#onIndexed({ sequence: this.#indexed })
    }
    if (this.#commit === undefined) for (const response of this.#early.splice(0)) this.#onRead(response)
    this.#tellChange()
  }

  #onIndexed({ sequence }: IndexerMessage): void {
    this.#indexed = sequence
    this.#tail.turn({ last: this.#last, indexed: sequence })
    if (this.#state === 'reopened' && sequence >= this.#last) this.#state = 'open'
    this.#judgeTail()
    this.#tellChange()
  }

  #advanceIndex(): void {
    if (this.#indexing || this.#closed || this.#indexed >= this.#last) return
    this.#indexing = true
    this.#indexer.postMessage({ upTo: this.#last } satisfies IndexerRequest)
  }

  #judgeTail(): void {
    const lag = this.#last - this.#indexed
    if (lag >= indexEveryRecords) this.#advanceIndex()
    this.#behind = lag > (this.#behind ? tailMax / 2 : tailMax)
  }

  #lookAtDisk(): void {
    this.#diskLow = freeBytes(this.#files) < (this.#options.minFreeBytes ?? 0)
    this.#tellChange()
  }

  /** A slice at a time, over and over: what lies on a disk can go bad without anybody reading it. */
  async #scrub(): Promise<void> {
    if (this.#fault !== undefined || this.#closed) return
    const { block, fault } = await this.#call('scrub', this.#scrubbed).catch(() => ({
      block: 0,
      fault: undefined,
    }))
    this.#scrubbed = block
    this.#fault = fault
    if (fault !== undefined)
      this.#options.onNotice?.(`the journal does not prove: block ${fault.block} ${fault.what}`)
  }

  #tellChange(): void {
    const { shut } = this
    if (shut === this.#told) return
    this.#told = shut
    this.#options.onNotice?.(shut === undefined ? 'writes are accepted again' : `writes are refused: ${shut}`)
  }

  #call<Name extends keyof ReaderCalls>(
    call: Name,
    argument: Parameters<ReaderCalls[Name]>[0],
  ): Promise<Awaited<ReturnType<ReaderCalls[Name]>>> {
    this.#callCount += 1
    const id = this.#callCount
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(storeClosed())
        return
      }
      this.#calls.set(id, { resolve: resolve as Call['resolve'], reject })
      this.#reader.postMessage({ id, call, argument } satisfies ReaderRequest)
    })
  }

  /**
   * What shows the commit under way waits until its outcome is known here as well: told before, it would be followed
   * by reads of single pages that show an earlier moment.
   */
  #onRead(response: ReaderResponse): void {
    const { id, result, last = 0, error } = response
    if (last > this.#last && this.#commit !== undefined) {
      this.#early.push(response)
      return
    }
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new StoreError('failed', error))
  }

  #onDead(error: unknown): void {
    if (this.#closed) return
    this.#closed = true
    this.#state = 'broken'
    // Most likely it is the index, which can be made anew; if it is the journal, the next start says so.
    if (isDamage(error)) dropIndex(this.#files)
    const cause = { cause: error }
    this.#settle()?.reject(new StoreError('outcome_unknown', 'the store died', cause))
    for (const call of this.#calls.values()) call.reject(new StoreError('failed', 'the store died', cause))
    this.#options.onDead?.(error)
  }
}

/** Refuses a journal that lost its end, unless the operator has accepted that. */
function judgeTail({ journal, head }: Files, { acceptLostTail, onNotice }: SqliteOptions): void {
  const db = openForReading(journal)
  try {
    const lost = lostTail(head, new JournalReader(db))
    if (lost === undefined) return
    const what = faultText(lost)
    if (acceptLostTail !== true)
      throw new StoreError(
        'unusable',
        `${journal}: ${what}. Restore the store, or say --accept-lost-tail to go on with what is there`,
      )
    onNotice?.(`the journal's end is lost, and that was accepted: ${what}`)
  } finally {
    db.close()
  }
}

type Thread<First> = { readonly worker: Worker; readonly first: First }
type Threads = {
  readonly indexer: Thread<IndexerMessage>
  readonly writer: Thread<WriterMessage & { type: 'ready' }>
  readonly reader: Thread<ReaderResponse>
}

/**
 * What V8 may take for each thread's heap, MB. What a batch makes is garbage soon after, and V8 lets garbage lie
 * the longer the more it may take: without these the server is half as large again. The writer holds a tail of up to
 * `tailMax` records, the reader a whole list.
 */
const heaps = {
  writer: { maxYoungGenerationSizeMb: 9, maxOldGenerationSizeMb: 256 },
  indexer: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 },
  reader: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 2_048 },
}

/** Starts a thread and waits for its first message, which says that it is ready. */
async function startThread<Name extends keyof Threads>(
  name: Name,
  workerData: unknown,
): Promise<Threads[Name]> {
  const file = new URL(`./${name}.ts`, import.meta.url)
  const worker = new Worker(file, { name, workerData, resourceLimits: heaps[name] })
  const [first] = await once(worker, 'message')
  return { worker, first } as Threads[Name]
}

/** The embedded store, as the main thread sees it: batches go to the writer's thread, point reads happen here. */
import assert from 'node:assert'
import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { type AccountList, type Pending, type Store, StoreError } from '../../bank/store.ts'
import type { Account, AccountNumber } from '../../ledger/account.ts'
import type { Block } from '../../ledger/block.ts'
import type { Outcome } from '../../ledger/command.ts'
import type { Line } from '../../ledger/record.ts'
import type { Refusal } from '../../ledger/refusal.ts'
import { type Files, filesOf, lockStore, openForReading, prepareJournal } from './files.ts'
import { Loader } from './load.ts'
import type { WriterMessage, WriterOptions } from './writer.ts'

export type SqliteOptions = {
  readonly path: string
  readonly keyRetentionMs?: number
  /** Free space on the disk below which writes are refused. Bytes. */
  readonly minFreeBytes?: number
  /** Called when writes are refused from now on, and when they are not any more. */
  onChange?(shut: Refusal | undefined): void
  /** Called when the writer's thread has died: what was under way is unknown, and the process must end. */
  onDead?(error: unknown): void
}

type Commit = { resolve(outcomes: readonly Outcome[]): void; reject(error: StoreError): void }

export class SqliteStore implements Store {
  readonly name: string
  shut: Refusal | undefined
  readonly #files: Files
  readonly #unlock: () => void
  readonly #writer: Worker
  readonly #onDead: (error: unknown) => void
  #reader!: DatabaseSync
  #loader!: Loader
  #commit: Commit | undefined
  #closing = false

  static async open(options: SqliteOptions): Promise<SqliteStore> {
    const files = filesOf(options.path)
    const unlock = lockStore(files)
    try {
      prepareJournal(files)
      const store = new SqliteStore(files, unlock, options)
      await store.#ready()
      return store
    } catch (error) {
      unlock()
      throw error
    }
  }

  private constructor(files: Files, unlock: () => void, { keyRetentionMs, onDead }: SqliteOptions) {
    this.name = `sqlite:${files.journal}`
    this.#files = files
    this.#unlock = unlock
    this.#onDead = onDead ?? (() => {})
    const workerData: WriterOptions = {
      journal: files.journal,
      ...(keyRetentionMs !== undefined && { keyRetentionMs }),
    }
    this.#writer = new Worker(new URL('./writer.ts', import.meta.url), { workerData })
    this.#writer.on('message', (message: WriterMessage) => this.#onMessage(message))
    this.#writer.on('error', (error) => this.#onExit(error))
    this.#writer.on('exit', () => this.#onExit(new Error('the writer stopped')))
  }

  async #ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#commit = { resolve: () => resolve(), reject }
    })
    this.#reader = openForReading(this.#files.journal)
    this.#loader = new Loader({ index: this.#reader, journal: this.#reader })
  }

  commit(batch: readonly Pending[]): Promise<readonly Outcome[]> {
    assert(this.#commit === undefined, 'one batch at a time')
    return new Promise((resolve, reject) => {
      this.#commit = { resolve, reject }
      this.#writer.postMessage(batch)
    })
  }

  #onMessage(message: WriterMessage): void {
    const commit = this.#commit
    switch (message.type) {
      case 'ready':
        this.#commit = undefined
        return commit?.resolve([])
      case 'outcomes':
        this.#commit = undefined
        return commit?.resolve(message.outcomes)
      case 'error':
        this.#commit = undefined
        return commit?.reject(new StoreError(message.code, message.message))
      case 'shut':
        this.shut = message.shut ? 'store_unavailable' : undefined
    }
  }

  #onExit(error: unknown): void {
    if (this.#closing) return
    this.#closing = true
    this.shut = 'store_unavailable'
    this.#commit?.reject(new StoreError('outcome_unknown', 'the writer died', { cause: error }))
    this.#onDead(error)
  }

  async account(number: AccountNumber): Promise<Account | undefined> {
    return this.#loader.account(number)
  }

  async accounts({ after = '', limit }: { after?: AccountNumber; limit?: number }): Promise<AccountList> {
    const accounts = this.#reader
      .prepare('select * from accounts where number > ? order by number limit ?')
      .all(after, (limit ?? -2) + 1) as Account[]
    const total = this.#reader.prepare('select count(*) as total from accounts').get()?.['total'] as number
    const more = limit !== undefined && accounts.length > limit
    const pieces = (async function* () {
      yield accounts.slice(0, limit)
    })()
    return { total, more, pieces }
  }

  // biome-ignore lint/correctness/useYield: to come
  async *journal(): AsyncGenerator<{ block: Block; lines: readonly Line[] }> {}

  figures(): Record<string, never> {
    return {}
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#reader.close()
    await new Promise((resolve) => {
      this.#writer.on('exit', resolve)
      this.#writer.postMessage('close')
    })
    this.#unlock()
  }
}

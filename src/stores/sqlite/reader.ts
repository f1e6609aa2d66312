/** The thread for reads that are too long for the main one: lists, which it keeps while clients read, and the journal. */

import { parentPort, workerData } from 'node:worker_threads'
import { sha256 } from '../../bank/batch.ts'
import type { Sealed } from '../../bank/copy.ts'
import type {
  AccountPage,
  Act,
  ActPage,
  BlockPage,
  EntitiesFound,
  EntityPage,
  Entry,
  EntryPage,
  Finding,
  FindPage,
  Found,
  HoldPageQuery,
  LineRange,
  ListedBlock,
  NamedRecord,
  TransferPageQuery,
} from '../../bank/store.ts'
import type { Block } from '../../ledger/block.ts'
import type { StoredReply } from '../../ledger/books.ts'
import type { Hold, Key, PostedTransfer } from '../../ledger/command.ts'
import type { Entity, EntityName } from '../../ledger/entity.ts'
import type { Instant } from '../../ledger/money.ts'
import type { Line } from '../../ledger/record.ts'
import type { Thing } from '../../ledger/registry.ts'
import { checkSealed, type Fault } from '../../ledger/verify.ts'
import { Entities } from './entities.ts'
import { type Files, isDamage, openForReading } from './files.ts'
import { Finder } from './find.ts'
import { History } from './history.ts'
import { JournalReader } from './journal.ts'
import { Lists } from './lists.ts'
import { type ListOpened, OpenLists, type Piece } from './open-lists.ts'
import { Registry } from './registry.ts'
import { Replies } from './replies.ts'
import { Search } from './search.ts'

export type ReaderOptions = { readonly files: Files }

/** What can be asked, and what is answered. */
export type ReaderCalls = {
  accounts(page: AccountPage): Promise<ListOpened>
  entries(page: EntryPage): readonly Entry[]
  transfers(page: TransferPageQuery): Found<PostedTransfer>
  holds(page: HoldPageQuery): Found<Hold>
  things(nothing: undefined): readonly Thing[]
  acts(page: ActPage): Found<Act>
  entities(page: EntityPage): EntitiesFound
  due(of: { readonly now: Instant; readonly limit: number }): readonly Entity[]
  find(page: FindPage): Found<Finding>
  about(of: { readonly names: readonly EntityName[]; readonly limit: number }): readonly NamedRecord[]
  /** What was answered under a key, be it in the index or in the journal beyond. */
  reply(key: Key): StoredReply | undefined
  /** The next accounts of a list; fewer than `accountsPerPiece` at its end. */
  piece(list: number): Piece
  /** Lets go of a list before its end. */
  drop(list: number): void
  /** Reads the next blocks after one again and proves their chain; begins anew behind the newest. */
  scrub(block: number): { readonly block: number; readonly fault?: Fault }
  /** The newest block. */
  head(nothing: undefined): Block
  /** Blocks before one, newest first. */
  blocks(page: BlockPage): readonly ListedBlock[]
  /** Lines beyond one record, up to another. */
  lines(range: LineRange): readonly Line[]
  /** What comes before a block: where to read the journal from. */
  before(block: number): { readonly sequence: number; readonly last: number }
  /** The next blocks with their lines; none at the end. */
  journal(after: { readonly sequence: number; readonly last: number }): readonly Sealed[]
}

export type ReaderRequest = {
  readonly id: number
  readonly call: keyof ReaderCalls
  readonly argument: unknown
}
export type ReaderResponse = {
  readonly id: number
  readonly result?: unknown
  /** Sequence of the last record in the journal; the result shows none beyond it. */
  readonly last?: number
  readonly error?: string
}

const recordsPerPiece = 2_000
// Some 20 ms of reading and hashing.
const recordsPerScrub = 5_000

const { files } = workerData as ReaderOptions
const index = openForReading(files.index)
const journal = openForReading(files.journal)
const lists = new OpenLists(new Lists({ index, journal }))
const history = new History({ index, journal })
const search = new Search({ index, journal })
const registry = new Registry({ index, journal })
const entities = new Entities({ index, journal })
const finder = new Finder({ index, journal })
const replies = new Replies({ index, journal })
const blocks = new JournalReader(journal)

const calls: ReaderCalls = {
  accounts(page) {
    return lists.open(page)
  },
  entries(page) {
    return history.entries(page)
  },
  transfers(page) {
    return search.transfers(page)
  },
  holds(page) {
    return search.holds(page)
  },
  things() {
    return registry.things()
  },
  acts(page) {
    return registry.acts(page)
  },
  entities(page) {
    return entities.page(page)
  },
  due({ now, limit }) {
    return entities.due(now, limit)
  },
  find(page) {
    return finder.find(page)
  },
  about({ names, limit }) {
    return finder.about(names, limit)
  },
  reply(key) {
    return replies.reply(key)
  },
  piece(list) {
    return lists.piece(list)
  },
  drop(list) {
    lists.drop(list)
  },
  scrub(block) {
    let head = blocks.block(block) ?? blocks.head()
    for (const sealed of blocks.after(head, recordsPerScrub)) {
      const fault = checkSealed(head, sealed.block, sealed.lines, sha256)
      if (fault !== undefined) return { block: sealed.block.sequence, fault }
      head = sealed.block
    }
    return { block: head.sequence === block ? 0 : head.sequence }
  },
  head() {
    return blocks.head()
  },
  blocks(page) {
    return blocks.blocksBefore(page)
  },
  lines({ after, last }) {
    return blocks.lines(after, last)
  },
  before(block) {
    return blocks.block(block - 1) ?? blocks.head()
  },
  journal(after) {
    return blocks.after(after, recordsPerPiece)
  },
}

parentPort?.on('message', async (message: ReaderRequest | 'close') => {
  if (message === 'close') {
    index.close()
    journal.close()
    parentPort?.close()
    return
  }
  const { id, call, argument } = message
  let response: ReaderResponse
  try {
    const result = await (calls[call] as (argument: unknown) => unknown)(argument)
    response = { id, result, last: blocks.head().last }
  } catch (error) {
    if (isDamage(error)) throw error
    response = { id, error: error instanceof Error ? error.message : String(error) }
  }
  parentPort?.postMessage(response)
})
parentPort?.postMessage({ id: 0 } satisfies ReaderResponse)

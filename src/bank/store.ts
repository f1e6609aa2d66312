/**
 * The port that every store implements: one write method, all or nothing, and a few reads. A store knows rows
 * and SQL and no rule; the conformance suite in `test/stores` is its contract.
 */
import type { Account, AccountNumber, AccountState } from '../ledger/account.ts'
import type { Block, Totals } from '../ledger/block.ts'
import type { StoredReply, TransferPage } from '../ledger/books.ts'
import type { Hold, Key, Outcome, PostedTransfer, RecordId, Submission } from '../ledger/command.ts'
import { dueAt, type Entity, type EntityName, nameOfEntity } from '../ledger/entity.ts'
import type { Currency, Instant } from '../ledger/money.ts'
import type { JournalRecord, Line } from '../ledger/record.ts'
import type { Refusal } from '../ledger/refusal.ts'
import type { Thing } from '../ledger/registry.ts'
import type { TerminalId } from '../ledger/terminal.ts'
import type { Findable, Sought } from '../ledger/terms.ts'
import type { Fault, Proven } from '../ledger/verify.ts'

/** A submission on its way: `deadlineMs` is monotonic time, after which it may no longer be applied. */
export type Pending = Submission & { readonly deadlineMs: number }

/** Rejects as `commit` does. */
export type OnBlocked = (at: number, outcome: Promise<Outcome>) => void

/** What the queue needs of a store. */
export interface Committing {
  /** Why writes are refused just now, if they are; reads go on. */
  readonly shut: Refusal | undefined

  /**
   * Applies the batch in order and saves what changed, in one commit; the outcomes are in the batch's order.
   * A command whose deadline has passed by the time the locks are held is refused `account_busy`.
   * Throws a StoreError, whose code says what became of the batch.
   *
   * Where others write as well, an account may be locked by them for longer than the rest should wait: with `onBlocked`
   * the outcomes of its commands, named by their places in the batch, come later; in their places is `account_busy`.
   */
  commit(batch: readonly Pending[], onBlocked?: OnBlocked): Promise<readonly Outcome[]>
}

export interface Store extends Committing {
  /** Whether what is behind it has not answered for a while; commands still come, and wait for it until their deadline. */
  readonly isAway?: boolean

  /** Where the money is, in words for people: `sqlite:/path/to/cashpoint.db`. */
  readonly name: string

  /** The account, with every commit that has been answered. */
  account(number: AccountNumber): Promise<Account | undefined>

  /** A transfer and what was reversed of it, with every commit that has been answered. */
  transfer(id: RecordId): Promise<TransferPage | undefined>

  /** A hold as the last commit left it; whether its time is up since is for the reader to see. */
  hold(id: RecordId): Promise<Hold | undefined>

  /** What is registered under an id, with every commit that has been answered. */
  thing(id: RecordId): Promise<Thing | undefined>

  /** Credentials, webhooks, and adjustments that wait, oldest first. */
  things(): Promise<readonly Thing[]>

  /** What only some may do and somebody did, newest first. */
  acts(page: ActPage): Promise<Found<Act>>

  /** What the ATM side keeps under a name, with every commit that has been answered. */
  entity(name: EntityName): Promise<Entity | undefined>

  /** The same of names that begin alike, in their bytewise order. */
  entities(page: EntityPage): Promise<EntitiesFound>

  /** What somebody must look at by now although nobody asked, in the order of its times. */
  due(now: Instant, limit: number): Promise<readonly Entity[]>

  /** What a terminal did for customers, or cards, by how they were numbered: newest first, each as it is now. */
  find(page: FindPage): Promise<Found<Finding>>

  /** The records about withdrawals or exceptions, oldest first: at most `limit` of them. */
  about(names: readonly EntityName[], limit: number): Promise<readonly NamedRecord[]>

  /** What was answered under a key, also where it is too old to be answered again. */
  reply(key: Key): Promise<StoredReply | undefined>

  /** The house accounts' totals, with every commit that has been answered. */
  totals(): Promise<Totals>

  /** The transfers of an account, newest first, with every commit that has been answered. */
  entries(page: EntryPage): Promise<readonly Entry[]>

  /** Transfers of all accounts, newest first, with every commit that has been answered. */
  transfers(page: TransferPageQuery): Promise<Found<PostedTransfer>>

  /** Holds, newest first, as the last commit left them. */
  holds(page: HoldPageQuery): Promise<Found<Hold>>

  /**
   * Customers' accounts in bytewise order of their numbers, beyond `after`, `limit` of them or all, as of one moment.
   * They come in pieces, each when it is asked for.
   */
  accounts(page: AccountPage): Promise<AccountList>

  /**
   * How many records the journal has, with every commit that has been answered. All have a place in one order, from 1
   * on, which is the same for every reader for ever; of several writers, an account's records are in its order.
   */
  last(): Promise<number>

  /** The place of a record; undefined where there is none of that name. */
  placeOf(id: RecordId): Promise<number | undefined>

  /** The lines beyond one place, up to another that is there. */
  lines(range: LineRange): Promise<readonly NamedLine[]>

  /** Blocks without their lines, newest first, with every commit that has been answered. */
  blocks(page: BlockPage): Promise<readonly ListedBlock[]>

  /** The newest block of each writer that has one, in the order of their numbers as writers. */
  heads(): Promise<readonly ListedBlock[]>

  /** Blocks with their lines, from the one with this number on, as they were committed. */
  journal(fromBlock?: number): AsyncIterable<{ block: Block; lines: readonly Line[] }>

  /**
   * Proves the books from the first block to the newest, or the chain of a range of blocks; tells how far it has
   * come. Another pass may run at the same time.
   */
  prove(
    range: BlockRange,
    onProgress: (progress: ProofProgress) => void,
  ): Promise<Fault | Proven | ChainProven>

  /** Figures for operators, each read when it is asked for. */
  figures(): Readonly<Record<string, { readonly help: string; read(): number }>>

  /** Calls back when others have committed, of a store that there are others on; whether who is let in may have changed. */
  watch?(onChange: (change: { readonly registry: boolean }) => void): void

  /** Finishes what is under way and closes. Nothing may be asked afterwards. */
  close(): Promise<void>
}

/** A line with its record's name, which the line alone does not tell where there are several writers. */
export type NamedLine = { readonly id: RecordId; readonly line: Line }

/** Lines beyond place `after`, up to place `last`. */
export type LineRange = { readonly after: number; readonly last: number }

/** Blocks with numbers below `before`, at most `limit`; numbers have no gaps, so there are more until number 1 is told. */
export type BlockPage = { readonly before?: number; readonly limit: number }

/** A block as it stands in the order of all writers' blocks, and in its writer's chain. */
export type ListedBlock = Pick<Block, 'writer' | 'sequence' | 'at' | 'last' | 'hash' | 'previous'> & {
  /** Its place in the order of all, from 1 on, which never changes; where there is one writer, its sequence. */
  readonly number: number
  /** Sequence of its first record. */
  readonly first: number
  /** The number of the block before it in its writer's chain; null of the first. */
  readonly previousNumber: number | null
}

/** The first of a lone writer's blocks as they are listed. They come newest first, with one more where there is one. */
export function listBlocks(newestFirst: readonly Block[], limit: number): readonly ListedBlock[] {
  return newestFirst.slice(0, limit).map(({ writer, sequence, at, last, hash, previous }, i) => {
    const before = newestFirst[i + 1]
    const first = (before?.last ?? 0) + 1
    const previousNumber = before?.sequence ?? null
    return { number: sequence, writer, sequence, at, first, last, hash, previous, previousNumber }
  })
}

/** Blocks `from` to `to`, both included; without one of them, from the first or to the newest. */
export type BlockRange = { readonly from?: number; readonly to?: number }

export type ProofProgress = { readonly block: number; readonly of: number }

/** A range of blocks whose hashes and links are right; balances need all blocks. */
export type ChainProven = {
  readonly from: number
  readonly to: number
  readonly records: number
  readonly head: string
}

export type AccountPage = {
  readonly after?: AccountNumber
  readonly limit?: number
  readonly state?: AccountState
  readonly currency?: Currency
}

/**
 * What stands before record `before`, of the same kind and newest first. Without a reference the journal itself is
 * searched, from its end, and no further than a day before `from`.
 */
export type TransferPageQuery = {
  readonly reference?: string
  /** One side of it: a customer's or a house account. */
  readonly account?: string
  readonly from?: Instant
  readonly to?: Instant
  readonly before?: RecordId
  readonly limit: number
}

export type HoldPageQuery = {
  readonly account?: AccountNumber
  /** As it is at `now`: a pending hold whose time is up is `expired`. */
  readonly state?: Hold['state']
  readonly now: Instant
  readonly before?: RecordId
  readonly limit: number
}

export type ActPage = { readonly before?: RecordId; readonly limit: number }

/** Entities under names that begin with `prefix`, beyond `after`; of one terminal, or those that wait. */
export type EntityPage = {
  readonly prefix: EntityName
  readonly owner?: TerminalId
  readonly waiting?: boolean
  readonly after?: EntityName
  readonly limit: number
}

/** A page, and after which name to go on where there may be more: a search gives up after a while, and says so. */
export type EntitiesFound = { readonly things: readonly Entity[]; readonly next?: EntityName }

/** A name beyond all that begin with a prefix: none has a character beyond `z`. */
export function beyond(prefix: EntityName): EntityName {
  return `${prefix}~`
}

/** The first of what was found as a page: where one more was found than is asked for, there is more. */
export function entityPageOf(found: readonly Entity[], limit: number): EntitiesFound {
  const named = found.map((entity) => ({ entity, name: nameOfEntity(entity) }))
  const page = named.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, limit)
  const last = page.at(-1)
  const things = page.map(({ entity }) => entity)
  return { things, ...(found.length > limit && last && { next: last.name }) }
}

/** In the order of the times at which they are due. */
export function inTime(entities: readonly Entity[]): Entity[] {
  const due = entities.map((entity) => ({
    entity,
    at: dueAt(entity) ?? Infinity,
    name: nameOfEntity(entity),
  }))
  return due.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1)).map(({ entity }) => entity)
}

/** What is sought, made by a record before `before`. */
export type FindPage = Sought & { readonly before?: RecordId; readonly limit: number }

/** What was found, and the record that made it. */
export type Finding = { readonly id: RecordId; readonly entity: Findable }

export type NamedRecord = JournalRecord & { readonly id: RecordId }

/** A record that an auditor asks for. */
export type Act = NamedRecord

/** A page, and before which record to go on where there may be more: a search gives up after a while, and says so. */
export type Found<Thing> = { readonly things: readonly Thing[]; readonly next?: RecordId }

/** The first of what was found as a page: where one more was found than is asked for, there is more. */
export function pageOf<Thing extends { readonly id: RecordId }>(
  found: readonly Thing[],
  limit: number,
): Found<Thing> {
  const things = found.slice(0, limit)
  const last = things.at(-1)
  return { things, ...(found.length > limit && last && { next: last.id }) }
}

/** Entries of versions below `before`, at instants from `from` on and before `to`, at most `limit`. */
export type EntryPage = {
  readonly account: AccountNumber
  readonly before?: number
  readonly from?: Instant
  readonly to?: Instant
  readonly limit: number
}

/** One side of a transfer, as the account saw it: `version` is the account's after it. */
export type Entry = { readonly version: number; readonly transfer: PostedTransfer }

export type AccountList = {
  /** How many customers' accounts there are altogether, whatever the page asks for. */
  readonly total: number
  /** Whether there are more beyond the last one of this page. */
  readonly more: boolean
  /** Has the accounts ready until it is read to its end, or `return` is called. */
  readonly pieces: AsyncIterableIterator<readonly Account[]>
}

/**
 * What went wrong with a commit or with opening a store:
 * - `busy`: the locks could not be had before the first deadline of the batch; nothing was applied.
 * - `failed`: nothing was applied; the batch may be tried again.
 * - `unavailable`: the store cannot write now, or is closed; nothing was applied.
 * - `outcome_unknown`: COMMIT was tried, and whether it took is not known yet.
 * - `unusable`: the store cannot be opened; the message says why, in one line for the operator.
 */
export type StoreErrorCode = 'busy' | 'failed' | 'unavailable' | 'outcome_unknown' | 'unusable'

export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}

/** For whoever asks of a store that was closed, be it to read. */
export function storeClosed(): StoreError {
  return new StoreError('unavailable', 'the store is closed')
}

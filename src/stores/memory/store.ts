/** The store in memory: the reference that the others are compared with, and the one for tests. It keeps nothing. */
import { applyBatch, type RuleSettings, rulesOf, sha256 } from '../../bank/batch.ts'
import { type Clock, read, systemClock } from '../../bank/clock.ts'
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
  entityPageOf,
  type Finding,
  type FindPage,
  type Found,
  type HoldPageQuery,
  inTime,
  type LineRange,
  type ListedBlock,
  listBlocks,
  type NamedLine,
  type NamedRecord,
  type Pending,
  pageOf,
  type Store,
  type TransferPageQuery,
} from '../../bank/store.ts'
import type { Account, AccountNumber } from '../../ledger/account.ts'
import { type Block, genesis, seal, type Totals } from '../../ledger/block.ts'
import { Books, isWanted, leftOn, posted, type StoredReply, type TransferPage } from '../../ledger/books.ts'
import {
  type Hold,
  holdAt,
  idOf,
  type Key,
  type Outcome,
  type PostedTransfer,
  pagesOf,
  type RecordId,
  sequenceBefore,
  sequenceOf,
} from '../../ledger/command.ts'
import { dueAt, type Entity, type EntityName, isWaiting, nameOfEntity, ownerOf } from '../../ledger/entity.ts'
import type { Instant } from '../../ledger/money.ts'
import { fromLine, type JournalRecord, type Line, toLine } from '../../ledger/record.ts'
import type { Refusal } from '../../ledger/refusal.ts'
import { isListed, isPrivileged, type Thing } from '../../ledger/registry.ts'
import { isTerminalAccount } from '../../ledger/terminal.ts'
import { isAbout, isSought, nameMadeBy } from '../../ledger/terms.ts'
import { checkSealed, type Fault, type Proven, Verifier } from '../../ledger/verify.ts'

export class MemoryStore implements Store {
  readonly name = 'memory'
  readonly shut: Refusal | undefined = undefined
  readonly #clock: Clock
  readonly #rules: ReturnType<typeof rulesOf>
  readonly #books = Books.at(genesis(1))
  readonly #journal: { block: Block; lines: Line[] }[] = []
  /** Every customer's account ever opened; the books know their state. */
  readonly #numbers = new Set<AccountNumber>()
  readonly #holds: RecordId[] = []
  readonly #transfers = new Map<RecordId, PostedTransfer>()

  constructor({ clock = systemClock, ...settings }: RuleSettings & { readonly clock?: Clock } = {}) {
    this.#clock = clock
    this.#rules = rulesOf(settings)
  }

  async commit(batch: readonly Pending[]): Promise<readonly Outcome[]> {
    for (const { transfer } of batch.flatMap(pagesOf)) await this.#loadTransfer(transfer)
    const books = this.#books.fork()
    const head = this.#journal.at(-1)?.block ?? genesis(1)
    books.head = head
    const time = read(this.#clock)
    const outcomes = applyBatch(books, batch, time, this.#rules)
    if (books.records.length === 0) return outcomes

    const lines = books.records.map(toLine)
    const block = seal(head, lines, { at: time.now, totals: books.totals(), sha256 })
    this.#journal.push({ block, lines })
    for (const record of books.records) this.#index(record)
    books.merge()
    this.#books.records.length = 0
    return outcomes
  }

  #index({ content, sequence, at }: JournalRecord): void {
    const id = idOf(sequence)
    if (content.kind === 'account_opened' && !isTerminalAccount(content.account))
      this.#numbers.add(content.account)
    if (content.kind === 'hold_placed') this.#holds.push(id)
    if (content.kind === 'transfer') this.#transfers.set(id, posted(content, id, at))
  }

  async #loadTransfer(id: RecordId | undefined): Promise<void> {
    const page = id === undefined ? undefined : await this.transfer(id)
    if (page !== undefined) this.#books.load({ transfer: page })
  }

  async account(number: AccountNumber): Promise<Account | undefined> {
    return this.#books.account(number)
  }

  async transfer(id: RecordId): Promise<TransferPage | undefined> {
    const transfer = this.#transfers.get(id)
    return this.#books.transfer(id) ?? (transfer && { transfer, reversed: 0 })
  }

  async hold(id: RecordId): Promise<Hold | undefined> {
    return this.#books.hold(id)
  }

  async thing(id: RecordId): Promise<Thing | undefined> {
    return this.#books.thing(id)
  }

  async things(): Promise<readonly Thing[]> {
    return this.#books.left.things.filter(isListed)
  }

  async acts({ before, limit }: ActPage): Promise<Found<Act>> {
    const found = this.#records()
      .filter(({ sequence, content }) => sequence < sequenceBefore(before) && isPrivileged(content))
      .reverse()
    return pageOf(found, limit)
  }

  #records(): NamedRecord[] {
    return this.#journal.flatMap(({ lines }) =>
      lines.map((line) => ({ id: idOf(line.sequence), ...fromLine(line) })),
    )
  }

  async entity(name: EntityName): Promise<Entity | undefined> {
    return this.#books.entity(name)
  }

  async entities({ prefix, owner, waiting, after = '', limit }: EntityPage): Promise<EntitiesFound> {
    const isNamed = (name: EntityName) => name.startsWith(prefix) && name > after
    const found = this.#books.left.entities
      .filter((entity) => isNamed(nameOfEntity(entity)))
      .filter((entity) => owner === undefined || ownerOf(entity) === owner)
      .filter((entity) => waiting === undefined || isWaiting(entity) === waiting)
    return entityPageOf(found, limit)
  }

  async due(now: Instant, limit: number): Promise<readonly Entity[]> {
    const due = this.#books.left.entities.filter((entity) => (dueAt(entity) ?? Infinity) <= now)
    return inTime(due).slice(0, limit)
  }

  async find({ before, limit, ...sought }: FindPage): Promise<Found<Finding>> {
    const found = this.#records()
      .filter(({ sequence }) => sequence < sequenceBefore(before))
      .flatMap(({ id, content }): Finding | [] => {
        const name = nameMadeBy(content)
        const entity = name === undefined ? undefined : this.#books.entity(name)
        return entity !== undefined && isSought(entity, sought) ? { id, entity } : []
      })
      .reverse()
    return pageOf(found, limit)
  }

  async about(names: readonly EntityName[], limit: number): Promise<readonly NamedRecord[]> {
    return this.#records()
      .filter(({ content }) => isAbout(content, names))
      .slice(0, limit)
  }

  async reply({ scope, key }: Key): Promise<StoredReply | undefined> {
    return this.#books.reply(scope, key)
  }

  async totals(): Promise<Totals> {
    return this.#books.totals()
  }

  async entries({ account, before, from, to, limit }: EntryPage): Promise<readonly Entry[]> {
    return [...this.#transfers.values()]
      .flatMap((transfer): Entry | [] => {
        const after = leftOn(transfer, account)
        return after === undefined ? [] : { version: after.version, transfer }
      })
      .filter(
        ({ version, transfer: { at } }) =>
          version < (before ?? Infinity) && at >= (from ?? 0) && at < (to ?? Infinity),
      )
      .reverse()
      .slice(0, limit)
  }

  async transfers({ before, limit, ...wanted }: TransferPageQuery): Promise<Found<PostedTransfer>> {
    const found = [...this.#transfers.values()]
      .filter((transfer) => sequenceOf(transfer.id) < sequenceBefore(before) && isWanted(transfer, wanted))
      .reverse()
    return pageOf(found, limit)
  }

  async holds({ account, state, now, before, limit }: HoldPageQuery): Promise<Found<Hold>> {
    const found = this.#holds
      .flatMap((id) => this.#books.hold(id) ?? [])
      .map((hold) => holdAt(hold, now))
      .filter((hold) => sequenceOf(hold.id) < sequenceBefore(before))
      .filter((hold) => hold.account === (account ?? hold.account) && hold.state === (state ?? hold.state))
      .reverse()
    return pageOf(found, limit)
  }

  async accounts({ after = '', limit = Infinity, state, currency }: AccountPage): Promise<AccountList> {
    const beyond = [...this.#numbers]
      .sort()
      .filter((number) => number > after)
      .flatMap((number) => this.#books.account(number) ?? [])
      .filter((account) => account.state === (state ?? account.state))
      .filter((account) => account.currency === (currency ?? account.currency))
    const accounts = beyond.slice(0, limit)
    const pieces = (async function* () {
      if (accounts.length > 0) yield accounts
    })()
    return { total: this.#numbers.size, more: beyond.length > limit, pieces }
  }

  async last(): Promise<number> {
    return this.#books.sequence
  }

  async placeOf(id: RecordId): Promise<number | undefined> {
    const place = sequenceOf(id)
    return place > 0 && place <= this.#books.sequence ? place : undefined
  }

  async lines({ after, last }: LineRange): Promise<readonly NamedLine[]> {
    return this.#journal
      .flatMap(({ lines }) => lines)
      .filter(({ sequence }) => sequence > after && sequence <= last)
      .map((line) => ({ id: idOf(line.sequence), line }))
  }

  async blocks({ before = Infinity, limit }: BlockPage): Promise<readonly ListedBlock[]> {
    const blocks = this.#journal.map(({ block }) => block).filter(({ sequence }) => sequence < before)
    return listBlocks(blocks.reverse(), limit)
  }

  heads(): Promise<readonly ListedBlock[]> {
    return this.blocks({ limit: 1 })
  }

  async *journal(fromBlock = 1): AsyncGenerator<{ block: Block; lines: readonly Line[] }> {
    yield* this.#journal.slice(fromBlock - 1)
  }

  async prove({ from = 1, to = this.#journal.length }: BlockRange): Promise<Fault | Proven | ChainProven> {
    const entries = this.#journal.slice(from - 1, to)
    if (from > 1 || to < this.#journal.length) {
      let head = this.#journal[from - 2]?.block ?? genesis(1)
      for (const { block, lines } of entries) {
        const fault = checkSealed(head, block, lines, sha256)
        if (fault !== undefined) return fault
        head = block
      }
      const records = entries.reduce((sum, { lines }) => sum + lines.length, 0)
      return { from, to: head.sequence, records, head: head.hash }
    }
    const verifier = new Verifier({ sha256 })
    for (const { block, lines } of entries) {
      const fault = verifier.check(block, lines)
      if (fault !== undefined) return fault
    }
    return verifier.finish()
  }

  figures(): Record<string, never> {
    return {}
  }

  async close(): Promise<void> {}
}

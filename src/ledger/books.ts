/**
 * The books: accounts, remembered replies and house totals, in layers. A fork reads through to what is below and
 * keeps its changes to itself; `merge` hands them down, dropping it forgets them. That one mechanism carries a
 * batch that may not commit, an atomic batch of a client, a dry run, and the store's cache.
 */
import assert from 'node:assert'
import { type Account, type AccountNumber, type HouseAccount, isHouse, plainAccount } from './account.ts'
import { isAtm } from './atm-records.ts'
import { type Block, readTotals, type Totals } from './block.ts'
import { type Hold, idOf, type PostedTransfer, type RecordId } from './command.ts'
import { entitiesAfter } from './entities-after.ts'
import { type Entity, type EntityName, isWaiting, nameOfEntity } from './entity.ts'
import type { Instant, Minor } from './money.ts'
import {
  type After,
  type Content,
  fromLine,
  type HoldPlaced,
  type JournalRecord,
  type Line,
  type Remembered,
  type Transfer,
} from './record.ts'
import { registeredAfter, type Thing } from './registry.ts'

/** What a client's key was answered with. */
export type StoredReply = Pick<Remembered, 'fingerprint' | 'marks' | 'reply'> & { readonly at: Instant }

/** A transfer, and how much of it has been taken back. The transfer itself never changes. */
export type TransferPage = {
  readonly transfer: PostedTransfer
  readonly reversed: Minor
  /** The last of its reversals. */
  readonly last?: PostedTransfer
}

/** The pages a layer holds, for whoever keeps copies of them. */
export type Left = {
  readonly accounts: readonly Account[]
  readonly transfers: readonly TransferPage[]
  readonly holds: readonly Hold[]
  readonly things: readonly Thing[]
  readonly entities: readonly Entity[]
}

/** Who a record is written for, and when. */
export type Mark = { readonly at: Instant; readonly actor: string; readonly scope: string }

/** A block as it is named. */
export type Head = Pick<Block, 'writer' | 'sequence' | 'hash'>

type Page =
  | { readonly account: Account }
  | { readonly transfer: TransferPage }
  | { readonly hold: Hold }
  | { readonly thing: Thing }
  | { readonly entity: Entity }
  | { readonly scope: string; readonly key: string; readonly stored: StoredReply }

export class Books {
  /** The records appended to this layer, in order. */
  readonly records: JournalRecord[] = []
  readonly writer: number
  /** Whether other writers have written something; these books then are not new, though this writer wrote nothing. */
  readonly #others: boolean
  #below: Books | undefined
  #sequence: number
  /** Sequence of the layer below when this one was made. */
  readonly #forkedAt: number
  readonly #accounts = new Map<AccountNumber, Account>()
  readonly #transfers = new Map<RecordId, TransferPage>()
  readonly #holds = new Map<RecordId, Hold>()
  readonly #things = new Map<RecordId, Thing>()
  readonly #entities = new Map<EntityName, Entity>()
  readonly #replies = new Map<string, StoredReply>()
  readonly #totals = new Map<HouseAccount, bigint>()
  #head: Head | undefined

  private constructor(writer: number, sequence: number, others: boolean, below?: Books) {
    this.writer = writer
    this.#others = others
    this.#sequence = sequence
    this.#forkedAt = sequence
    this.#below = below
  }

  /** Books as of a writer's block; the store puts accounts and replies in as commands name them. */
  static at(block: { writer: number; last: number; totals: string }, { others = false } = {}): Books {
    const books = new Books(block.writer, block.last, others)
    for (const [house, total] of readTotals(block.totals)) books.#totals.set(house, total)
    return books
  }

  /** The newest block before the commit that these books are of, of its writer: what a report names as its ground. */
  get head(): Head {
    return this.#head ?? this.#below?.head ?? { writer: this.writer, sequence: 0, hash: '' }
  }

  set head({ writer, sequence, hash }: Head) {
    this.#head = { writer, sequence, hash }
  }

  /** Sequence of the last record. */
  get sequence(): number {
    return this.#sequence
  }

  /** Whether nobody has written anything yet. */
  get areNew(): boolean {
    return this.#sequence === 0 && !this.#others
  }

  /** The layer that this one reads through to. */
  get below(): Books | undefined {
    return this.#below
  }

  /** How many pages this layer itself holds. */
  get size(): number {
    const pages = [this.#accounts, this.#replies, this.#transfers, this.#holds, this.#things, this.#entities]
    return pages.reduce((sum, { size }) => sum + size, 0)
  }

  /** The pages of this layer alone: of a batch's fork, what the batch left. */
  get left(): Left {
    return {
      accounts: [...this.#accounts.values()],
      transfers: [...this.#transfers.values()],
      holds: [...this.#holds.values()],
      things: [...this.#things.values()],
      entities: [...this.#entities.values()],
    }
  }

  account(number: AccountNumber): Account | undefined {
    return this.#accounts.get(number) ?? this.#below?.account(number)
  }

  /** A transfer that a reversal names: those that none has named are in the journal alone. */
  transfer(id: RecordId): TransferPage | undefined {
    return this.#transfers.get(id) ?? this.#below?.transfer(id)
  }

  hold(id: RecordId): Hold | undefined {
    return this.#holds.get(id) ?? this.#below?.hold(id)
  }

  /** What is registered under an id. */
  thing(id: RecordId): Thing | undefined {
    return this.#things.get(id) ?? this.#below?.thing(id)
  }

  /** What the ATM side keeps under a name. */
  entity(name: EntityName): Entity | undefined {
    return this.#entities.get(name) ?? this.#below?.entity(name)
  }

  /** What waits under names that begin so, in their order, of what is in these books. */
  waiting(prefix: EntityName): readonly Entity[] {
    return [...this.#named(prefix)]
      .sort()
      .flatMap((name) => this.entity(name) ?? [])
      .filter(isWaiting)
  }

  #named(prefix: EntityName): Set<EntityName> {
    const names = this.#below === undefined ? new Set<EntityName>() : this.#below.#named(prefix)
    for (const name of this.#entities.keys()) if (name.startsWith(prefix)) names.add(name)
    return names
  }

  reply(scope: string, key: string): StoredReply | undefined {
    return this.#replies.get(pageOf(scope, key)) ?? this.#below?.reply(scope, key)
  }

  total(house: HouseAccount): bigint {
    return this.#totals.get(house) ?? this.#below?.total(house) ?? 0n
  }

  /** All house totals, this layer's and those below. */
  totals(): Totals {
    return new Map([...(this.#below?.totals() ?? []), ...this.#totals])
  }

  /** Loads a page: something that is in the store and was not in these books. */
  load(page: Page): void {
    if ('account' in page) this.#accounts.set(page.account.number, page.account)
    else if ('transfer' in page) this.#transfers.set(page.transfer.transfer.id, page.transfer)
    else if ('hold' in page) this.#holds.set(page.hold.id, page.hold)
    else if ('thing' in page) this.#things.set(page.thing.id, page.thing)
    else if ('entity' in page) this.#entities.set(nameOfEntity(page.entity), page.entity)
    else this.#replies.set(pageOf(page.scope, page.key), page.stored)
  }

  /** The id that the next record will get. */
  get nextId(): RecordId {
    return idOf(this.#sequence + 1, this.writer)
  }

  /** Writes the next record: the only way the books change. */
  append(content: Content, { at, actor, scope }: Mark): void {
    const record = { sequence: this.#sequence + 1, at, actor, scope, content }
    this.absorb(record)
    this.records.push(record)
  }

  /** Takes over the state a record leaves. Replaying a journal is this, record by record. */
  absorb({ sequence, at, actor, scope, content }: JournalRecord): void {
    assert(sequence === this.#sequence + 1, 'records follow each other without a gap')
    this.#sequence = sequence
    const id = idOf(sequence, this.writer)
    for (const account of accountsAfter(content, { id, at }, (number) => this.#accountThere(number)))
      this.#accounts.set(account.number, account)
    const hold = holdAfter(content, { id, at }, (named) => this.#holdThere(named))
    if (hold !== undefined) this.#holds.set(hold.id, hold)
    const thing = registeredAfter(content, { id, at, actor }, (named) => this.#thingThere(named))
    if (thing !== undefined) this.#things.set(thing.id, thing)
    if (isAtm(content))
      for (const entity of entitiesAfter(content, at, (name) => this.entity(name)))
        this.#entities.set(nameOfEntity(entity), entity)
    if (content.kind === 'transfer') {
      this.#addUp(content.debit, -content.amount)
      this.#addUp(content.credit, content.amount)
      if (content.reverses !== undefined) this.#noteReversal(content.reverses, posted(content, id, at))
    }
    if (content.kind === 'reply') this.#replies.set(pageOf(scope, content.key), stored(content, at))
  }

  #addUp(name: string, change: Minor): void {
    if (isHouse(name)) this.#totals.set(name, this.total(name) + BigInt(change))
  }

  #noteReversal(id: RecordId, last: PostedTransfer): void {
    const page = this.transfer(id)
    assert(page !== undefined, 'a reversal names a transfer that is there')
    this.#transfers.set(id, { ...page, reversed: page.reversed + last.amount, last })
  }

  #accountThere(number: AccountNumber): Account {
    const account = this.account(number)
    assert(account !== undefined, `a record names an account that is there: ${number}`)
    return account
  }

  #holdThere(id: RecordId): Hold {
    const hold = this.hold(id)
    assert(hold !== undefined, `a record names a hold that is there: ${id}`)
    return hold
  }

  #thingThere(id: RecordId): Thing {
    const thing = this.thing(id)
    assert(thing !== undefined, `a record names what is registered: ${id}`)
    return thing
  }

  /** A layer above this one. */
  fork(): Books {
    return new Books(this.writer, this.#sequence, this.#others, this)
  }

  /** Hands this layer's changes down to the one below, its records behind the records there. */
  merge(): void {
    const below = this.#below
    assert(below !== undefined, 'only a fork can be merged')
    assert(below.#sequence === this.#forkedAt, 'a fork is merged into the books it was made from')
    for (const [number, account] of this.#accounts) below.#accounts.set(number, account)
    for (const [id, page] of this.#transfers) below.#transfers.set(id, page)
    for (const [id, hold] of this.#holds) below.#holds.set(id, hold)
    for (const [id, thing] of this.#things) below.#things.set(id, thing)
    for (const [name, entity] of this.#entities) below.#entities.set(name, entity)
    for (const [page, stored] of this.#replies) below.#replies.set(page, stored)
    for (const [house, total] of this.#totals) below.#totals.set(house, total)
    for (const record of this.records) below.records.push(record)
    below.#sequence = this.#sequence
  }

  /** Lets go of the layers below, whose pages must be in the store by now. */
  detach(): void {
    for (const [house, total] of this.totals()) this.#totals.set(house, total)
    this.#below = undefined
  }
}

function pageOf(scope: string, key: string): string {
  return `${scope}\n${key}`
}

/** What a record remembers, as it is looked up. */
export function stored({ kind: _, key: __, ...reply }: Remembered, at: Instant): StoredReply {
  return { ...reply, at }
}

/** A transfer's record as what it is to those outside. */
export function posted({ kind: _, ...transfer }: Transfer, id: RecordId, at: Instant): PostedTransfer {
  return { id, at, ...transfer }
}

/** The transfer that a line is, if it is one. */
export function transferIn(line: Line): PostedTransfer | undefined {
  if (line.kind !== 'transfer') return undefined
  const { content, sequence, at } = fromLine(line)
  return content.kind === 'transfer' ? posted(content, idOf(sequence), at) : undefined
}

/** What a transfer left on one of its two accounts; undefined where the account is neither, or the house's. */
export function leftOn(
  { debit, credit, debit_after, credit_after }: PostedTransfer,
  account: string,
): After | undefined {
  if (debit === account) return debit_after ?? undefined
  return credit === account ? (credit_after ?? undefined) : undefined
}

/** A hold as the record that placed it says. */
export function placed(content: HoldPlaced, id: RecordId, at: Instant): Hold {
  const { kind: _, after: __, key: ___, ...hold } = content
  return { id, at, state: 'pending', ...hold }
}

/** Whether a transfer is one that is searched for. */
export function isWanted(
  { debit, credit, reference, at }: PostedTransfer,
  wanted: {
    readonly account?: string
    readonly reference?: string
    readonly from?: Instant
    readonly to?: Instant
  },
): boolean {
  const { account, from = 0, to = Infinity } = wanted
  const isNamed = account === undefined || debit === account || credit === account
  return isNamed && at >= from && at < to && reference === (wanted.reference ?? reference)
}

type Named = { readonly id: RecordId; readonly at: Instant }

/** The accounts that a record names, of those that `find` knows, as it leaves them. */
export function accountsAfter(
  content: Content,
  { id, at }: Named,
  find: (number: AccountNumber) => Account | undefined,
): readonly Account[] {
  const change = (
    number: AccountNumber,
    after: After | null,
    more: (account: Account) => Partial<Account>,
  ) => {
    assert((after === null) === isHouse(number), `customers alone have a balance after: ${number}`)
    const account = after === null ? undefined : find(number)
    if (account === undefined || after === null) return []
    assert(
      Number.isSafeInteger(after.ledger) && Number.isSafeInteger(after.held),
      'balances are safe integers',
    )
    return [{ ...account, ...after, at, ...more(account) }]
  }
  const same = () => ({})
  switch (content.kind) {
    case 'account_opened': {
      const { account: number, currency, after, kind: _, ...more } = content
      return [{ ...plainAccount({ number, currency, after, at }), ...more }]
    }
    case 'account_changed':
      return change(content.account, content.after, () => ({ state: content.state }))
    case 'limits_set':
      return change(content.account, content.after, () => ({ limits: content.limits }))
    case 'transfer':
      return [
        ...change(content.debit, content.debit_after, same),
        ...change(content.credit, content.credit_after, same),
      ]
    case 'hold_placed': {
      const { account, after, amount, expires_at } = content
      return change(account, after, ({ holds }) => ({ holds: [...holds, { id, amount, expires_at }] }))
    }
    case 'hold_resolved':
      return change(content.account, content.after, ({ holds }) => ({
        holds: holds.filter((pending) => pending.id !== content.hold),
      }))
    default:
      return []
  }
}

/** The hold that a record is of, as it leaves it: placed, resolved, or paid by a capture. */
export function holdAfter(
  content: Content,
  { id, at }: Named,
  find: (id: RecordId) => Hold | undefined,
): Hold | undefined {
  if (content.kind === 'hold_placed') return placed(content, id, at)
  if (content.kind === 'hold_resolved') {
    const hold = find(content.hold)
    return hold && { ...hold, state: content.state, ...(content.forced && { forced: true }) }
  }
  if (content.kind !== 'transfer' || content.hold === undefined) return undefined
  const hold = find(content.hold)
  return hold && { ...hold, captured: content.amount, transfer: id }
}

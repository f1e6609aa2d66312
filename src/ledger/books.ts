/**
 * The books: accounts, remembered replies and house totals, in layers. A fork reads through to what is below and
 * keeps its changes to itself; `merge` hands them down, dropping it forgets them. That one mechanism carries a
 * batch that may not commit, an atomic batch of a client, a dry run, and the store's cache.
 */
import assert from 'node:assert'
import { type Account, type AccountNumber, type HouseAccount, isHouse } from './account.ts'
import { readTotals, type Totals } from './block.ts'
import type { RecordId, Reply } from './command.ts'
import { type Instant, type Minor, minorMax } from './money.ts'
import type { After, Content, JournalRecord } from './record.ts'

/** What a client's key was answered with. */
export type StoredReply = { readonly fingerprint: string; readonly reply: Reply; readonly at: Instant }

/** Who a record is written for, and when. */
export type Mark = { readonly at: Instant; readonly actor: string; readonly scope: string }

export class Books {
  /** The records appended to this layer, in order. */
  readonly records: JournalRecord[] = []
  readonly writer: number
  #below: Books | undefined
  #sequence: number
  /** Sequence of the layer below when this one was made. */
  readonly #forkedAt: number
  readonly #accounts = new Map<AccountNumber, Account>()
  readonly #replies = new Map<string, StoredReply>()
  readonly #totals = new Map<HouseAccount, bigint>()

  private constructor(writer: number, sequence: number, below?: Books) {
    this.writer = writer
    this.#sequence = sequence
    this.#forkedAt = sequence
    this.#below = below
  }

  /** Books as of a writer's block; the store puts accounts and replies in as commands name them. */
  static at(block: { writer: number; last: number; totals: string }): Books {
    const books = new Books(block.writer, block.last)
    for (const [house, total] of readTotals(block.totals)) books.#totals.set(house, total)
    return books
  }

  /** Sequence of the last record. */
  get sequence(): number {
    return this.#sequence
  }

  /** The layer that this one reads through to. */
  get below(): Books | undefined {
    return this.#below
  }

  /** How many accounts and replies this layer itself holds. */
  get size(): number {
    return this.#accounts.size + this.#replies.size
  }

  account(number: AccountNumber): Account | undefined {
    return this.#accounts.get(number) ?? this.#below?.account(number)
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
  load(page: { account: Account } | { scope: string; key: string; stored: StoredReply }): void {
    if ('account' in page) this.#accounts.set(page.account.number, page.account)
    else this.#replies.set(pageOf(page.scope, page.key), page.stored)
  }

  /** The id that the next record will get. */
  get nextId(): RecordId {
    return `${this.writer}-${this.#sequence + 1}`
  }

  /** Writes the next record: the only way the books change. */
  append(content: Content, { at, actor, scope }: Mark): void {
    const record = { sequence: this.#sequence + 1, at, actor, scope, content }
    this.absorb(record)
    this.records.push(record)
  }

  /** Takes over the state a record leaves. Replaying a journal is this, record by record. */
  absorb({ sequence, at, scope, content }: JournalRecord): void {
    assert(sequence === this.#sequence + 1, 'records follow each other without a gap')
    this.#sequence = sequence
    switch (content.kind) {
      case 'account_opened':
        this.#accounts.set(content.account, {
          number: content.account,
          currency: content.currency,
          ...content.after,
          at,
        })
        break
      case 'transfer':
        this.#leave(content.debit, content.debit_after, -content.amount, at)
        this.#leave(content.credit, content.credit_after, content.amount, at)
        break
      case 'reply': {
        const { key, fingerprint, reply } = content
        this.#replies.set(pageOf(scope, key), { fingerprint, reply, at })
        break
      }
    }
  }

  #leave(name: string, after: After | null, change: Minor, at: Instant): void {
    if (isHouse(name)) {
      assert(after === null, 'a house account keeps no state of its own')
      this.#totals.set(name, this.total(name) + BigInt(change))
      return
    }
    const account = this.account(name)
    assert(account !== undefined && after !== null, `a transfer names an account that is there: ${name}`)
    assert(
      Number.isSafeInteger(after.ledger) && Math.abs(after.ledger) <= minorMax,
      'balances are safe integers',
    )
    this.#accounts.set(name, { number: name, currency: account.currency, ...after, at })
  }

  /** A layer above this one. */
  fork(): Books {
    return new Books(this.writer, this.#sequence, this)
  }

  /** Hands this layer's changes down to the one below, its records behind the records there. */
  merge(): void {
    const below = this.#below
    assert(below !== undefined, 'only a fork can be merged')
    assert(below.#sequence === this.#forkedAt, 'a fork is merged into the books it was made from')
    for (const [number, account] of this.#accounts) below.#accounts.set(number, account)
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

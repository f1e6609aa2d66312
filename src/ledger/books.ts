/**
 * The books: accounts, remembered replies and house totals, in layers. A fork reads through to what is below and
 * keeps its changes to itself; `merge` hands them down, dropping it forgets them. That one mechanism carries a
 * batch that may not commit, an atomic batch of a client, a dry run, and the store's cache.
 */
import assert from 'node:assert'
import { type Account, type AccountNumber, type HouseAccount, isHouse, plainAccount } from './account.ts'
import { readTotals, type Totals } from './block.ts'
import type { Hold, PostedTransfer, RecordId } from './command.ts'
import type { Instant, Minor } from './money.ts'
import type {
  After,
  Content,
  HoldPlaced,
  HoldResolved,
  JournalRecord,
  Remembered,
  Transfer,
} from './record.ts'

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
}

/** Who a record is written for, and when. */
export type Mark = { readonly at: Instant; readonly actor: string; readonly scope: string }

type Page =
  | { readonly account: Account }
  | { readonly transfer: TransferPage }
  | { readonly hold: Hold }
  | { readonly scope: string; readonly key: string; readonly stored: StoredReply }

export class Books {
  /** The records appended to this layer, in order. */
  readonly records: JournalRecord[] = []
  readonly writer: number
  #below: Books | undefined
  #sequence: number
  /** Sequence of the layer below when this one was made. */
  readonly #forkedAt: number
  readonly #accounts = new Map<AccountNumber, Account>()
  readonly #transfers = new Map<RecordId, TransferPage>()
  readonly #holds = new Map<RecordId, Hold>()
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

  /** How many pages this layer itself holds. */
  get size(): number {
    return this.#accounts.size + this.#replies.size + this.#transfers.size + this.#holds.size
  }

  /** The pages of this layer alone: of a batch's fork, what the batch left. */
  get left(): Left {
    return {
      accounts: [...this.#accounts.values()],
      transfers: [...this.#transfers.values()],
      holds: [...this.#holds.values()],
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
    const id = `${this.writer}-${sequence}`
    switch (content.kind) {
      case 'account_opened': {
        const { account: number, currency, after, kind: _, ...more } = content
        this.#accounts.set(number, { ...plainAccount({ number, currency, after, at }), ...more })
        break
      }
      case 'account_changed':
        this.#change(content.account, content.after, at, { state: content.state })
        break
      case 'transfer':
        this.#leave(content.debit, content.debit_after, -content.amount, at)
        this.#leave(content.credit, content.credit_after, content.amount, at)
        this.#link(posted(content, id, at))
        break
      case 'hold_placed':
        this.#place(content, id, at)
        break
      case 'hold_resolved':
        this.#resolve(content, at)
        break
      case 'reply': {
        this.#replies.set(pageOf(scope, content.key), stored(content, at))
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
    assert(after !== null, `a transfer leaves a balance on ${name}`)
    this.#change(name, after, at)
  }

  /** A reversal is noted on what it reverses, a capture on its hold. */
  #link(transfer: PostedTransfer): void {
    if (transfer.reverses !== undefined) {
      const page = this.transfer(transfer.reverses)
      assert(page !== undefined, 'a reversal names a transfer that is there')
      const reversed = page.reversed + transfer.amount
      this.#transfers.set(transfer.reverses, { ...page, reversed, last: transfer })
    }
    if (transfer.hold !== undefined) {
      const hold = this.hold(transfer.hold)
      assert(hold !== undefined, 'a capture names a hold that is there')
      this.#holds.set(hold.id, { ...hold, captured: transfer.amount, transfer: transfer.id })
    }
  }

  #place(content: HoldPlaced, id: RecordId, at: Instant): void {
    const { account, amount, expires_at, after } = content
    this.#holds.set(id, placed(content, id, at))
    const holds = [...this.#accountThere(account).holds, { id, amount, expires_at }]
    this.#change(account, after, at, { holds })
  }

  #resolve({ hold: id, account, state, after, forced }: HoldResolved, at: Instant): void {
    const hold = this.hold(id)
    assert(hold !== undefined, `a hold that is resolved is there: ${id}`)
    this.#holds.set(id, { ...hold, state, ...(forced && { forced }) })
    const holds = this.#accountThere(account).holds.filter((pending) => pending.id !== id)
    this.#change(account, after, at, { holds })
  }

  #change(number: AccountNumber, after: After, at: Instant, more: Partial<Account> = {}): void {
    assert(
      Number.isSafeInteger(after.ledger) && Number.isSafeInteger(after.held),
      'balances are safe integers',
    )
    this.#accounts.set(number, { ...this.#accountThere(number), ...after, at, ...more })
  }

  #accountThere(number: AccountNumber): Account {
    const account = this.account(number)
    assert(account !== undefined, `a record names an account that is there: ${number}`)
    return account
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
    for (const [id, page] of this.#transfers) below.#transfers.set(id, page)
    for (const [id, hold] of this.#holds) below.#holds.set(id, hold)
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

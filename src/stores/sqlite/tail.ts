/**
 * The pages as the latest commits left them, until the index has come beyond those commits: what makes a read see
 * every write that has been answered. Two layers, so that it is emptied without looking at each page.
 */
import type { Account, AccountNumber } from '../../ledger/account.ts'
import type { Left, TransferPage } from '../../ledger/books.ts'
import type { Hold, RecordId } from '../../ledger/command.ts'
import { type Entity, type EntityName, nameOfEntity } from '../../ledger/entity.ts'
import type { Thing } from '../../ledger/registry.ts'

// Few enough to stay small, many enough that a layer is not begun anew at every turn of the index.
const pagesMax = 10_000

class Layer {
  readonly accounts = new Map<AccountNumber, Account>()
  readonly transfers = new Map<RecordId, TransferPage>()
  readonly holds = new Map<RecordId, Hold>()
  readonly things = new Map<RecordId, Thing>()
  readonly entities = new Map<EntityName, Entity>()

  get size(): number {
    const pages = [this.accounts, this.transfers, this.holds, this.things, this.entities]
    return pages.reduce((sum, { size }) => sum + size, 0)
  }
}

export class Tail {
  #young = new Layer()
  #old = new Layer()
  /** Sequence of the last record that the old layer knows. */
  #oldLast = 0

  account(number: AccountNumber): Account | undefined {
    return this.#young.accounts.get(number) ?? this.#old.accounts.get(number)
  }

  transfer(id: RecordId): TransferPage | undefined {
    return this.#young.transfers.get(id) ?? this.#old.transfers.get(id)
  }

  hold(id: RecordId): Hold | undefined {
    return this.#young.holds.get(id) ?? this.#old.holds.get(id)
  }

  thing(id: RecordId): Thing | undefined {
    return this.#young.things.get(id) ?? this.#old.things.get(id)
  }

  entity(name: EntityName): Entity | undefined {
    return this.#young.entities.get(name) ?? this.#old.entities.get(name)
  }

  /** Takes an account as a commit left it. */
  putAccount(account: Account): void {
    this.#young.accounts.set(account.number, account)
  }

  put({ accounts, transfers, holds, things, entities }: Left): void {
    for (const account of accounts) this.putAccount(account)
    for (const page of transfers) this.#young.transfers.set(page.transfer.id, page)
    for (const hold of holds) this.#young.holds.set(hold.id, hold)
    for (const thing of things) this.#young.things.set(thing.id, thing)
    for (const entity of entities) this.#young.entities.set(nameOfEntity(entity), entity)
  }

  /** After a commit up to record `last`, with the index at `indexed`: lets go of what the index has. */
  turn({ last, indexed }: { last: number; indexed: number }): void {
    if (indexed >= last) this.clear()
    if (this.#young.size < pagesMax || indexed < this.#oldLast) return
    this.#old = this.#young
    this.#oldLast = last
    this.#young = new Layer()
  }

  clear(): void {
    this.#young = new Layer()
    this.#old = new Layer()
  }
}

/**
 * The pages as the latest commits left them, until the index has come beyond those commits: what makes a read see
 * every write that has been answered. Two layers, so that it is emptied without looking at each page.
 */
import type { Account, AccountNumber } from '../../ledger/account.ts'
import type { Left, TransferPage } from '../../ledger/books.ts'
import { accountsTold, type Hold, type Outcome, type RecordId } from '../../ledger/command.ts'
import { type Entity, type EntityName, nameOfEntity } from '../../ledger/entity.ts'
import type { Thing } from '../../ledger/registry.ts'

// Few enough to stay small, many enough that a layer is not begun anew at every turn of the index.
const pagesMax = 10_000

class Layer {
  /** What was answered since somebody asked for an account: most of it nobody asks for before the index has it. */
  #answered: (readonly Outcome[])[] = []
  /** Operations in it. */
  #operations = 0
  readonly #accounts = new Map<AccountNumber, Account>()
  readonly transfers = new Map<RecordId, TransferPage>()
  readonly holds = new Map<RecordId, Hold>()
  readonly things = new Map<RecordId, Thing>()
  readonly entities = new Map<EntityName, Entity>()

  get size(): number {
    const pages = [this.#accounts, this.transfers, this.holds, this.things, this.entities]
    return pages.reduce((sum, { size }) => sum + size, this.#operations)
  }

  get accounts(): Map<AccountNumber, Account> {
    if (this.#operations > 0) this.#takeAnswers()
    return this.#accounts
  }

  putAnswers(outcomes: readonly Outcome[]): void {
    this.#answered.push(outcomes)
    for (const { reply } of outcomes) this.#operations += reply.type === 'batch' ? reply.results.length : 1
  }

  #takeAnswers(): void {
    for (const outcomes of this.#answered)
      for (const { reply, replayed } of outcomes)
        if (!replayed) for (const account of accountsTold(reply)) this.#accounts.set(account.number, account)
    this.#answered = []
    this.#operations = 0
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

  /** Takes the accounts that answers tell, as their commit left them. */
  putAnswers(outcomes: readonly Outcome[]): void {
    this.#young.putAnswers(outcomes)
  }

  put({ accounts, transfers, holds, things, entities }: Left): void {
    for (const account of accounts) this.#young.accounts.set(account.number, account)
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

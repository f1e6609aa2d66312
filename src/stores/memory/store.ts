/** The store in memory: the reference that the others are compared with, and the one for tests. It keeps nothing. */
import { applyBatch, rulesOf, sha256 } from '../../bank/batch.ts'
import { type Clock, read, systemClock } from '../../bank/clock.ts'
import type { AccountList, Pending, Store } from '../../bank/store.ts'
import type { Account, AccountNumber } from '../../ledger/account.ts'
import { type Block, genesis, seal } from '../../ledger/block.ts'
import { Books } from '../../ledger/books.ts'
import type { Outcome } from '../../ledger/command.ts'
import { type Line, toLine } from '../../ledger/record.ts'

export class MemoryStore implements Store {
  readonly name = 'memory'
  readonly shut = undefined
  readonly #clock: Clock
  readonly #rules: ReturnType<typeof rulesOf>
  readonly #books = Books.at(genesis(1))
  readonly #journal: { block: Block; lines: Line[] }[] = []
  /** Every account ever opened; the books know their state. */
  readonly #numbers = new Set<AccountNumber>()

  constructor({ clock = systemClock, keyRetentionMs }: { clock?: Clock; keyRetentionMs?: number } = {}) {
    this.#clock = clock
    this.#rules = rulesOf(keyRetentionMs === undefined ? {} : { keyRetentionMs })
  }

  async commit(batch: readonly Pending[]): Promise<readonly Outcome[]> {
    const books = this.#books.fork()
    const time = read(this.#clock)
    const outcomes = applyBatch(books, batch, time, this.#rules)
    if (books.records.length === 0) return outcomes

    const lines = books.records.map(toLine)
    const head = this.#journal.at(-1)?.block ?? genesis(1)
    const block = seal(head, lines, { at: time.now, totals: books.totals(), sha256 })
    this.#journal.push({ block, lines })
    for (const { content } of books.records)
      if (content.kind === 'account_opened') this.#numbers.add(content.account)
    books.merge()
    return outcomes
  }

  async account(number: AccountNumber): Promise<Account | undefined> {
    return this.#books.account(number)
  }

  async accounts({
    after = '',
    limit = Infinity,
  }: {
    after?: AccountNumber
    limit?: number
  }): Promise<AccountList> {
    const beyond = [...this.#numbers].sort().filter((number) => number > after)
    const accounts = beyond.slice(0, limit).flatMap((number) => this.#books.account(number) ?? [])
    const pieces = (async function* () {
      if (accounts.length > 0) yield accounts
    })()
    return { total: this.#numbers.size, more: beyond.length > limit, pieces }
  }

  async *journal(fromBlock = 1): AsyncGenerator<{ block: Block; lines: readonly Line[] }> {
    yield* this.#journal.slice(fromBlock - 1)
  }

  figures(): Record<string, never> {
    return {}
  }

  async close(): Promise<void> {}
}

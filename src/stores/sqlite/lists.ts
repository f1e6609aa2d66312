/**
 * Reads many customers' accounts as of one moment without holding a read transaction for longer than a slice: the index in
 * slices, then what the journal has had since the first of them, the later state of an account winning.
 */

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import type { AccountPage } from '../../bank/store.ts'
import type { Account, AccountNumber } from '../../ledger/account.ts'
import { accountsAfter } from '../../ledger/books.ts'
import { idOf } from '../../ledger/command.ts'
import { fromLine, type Line } from '../../ledger/record.ts'
import { isTerminalAccount } from '../../ledger/terminal.ts'
import { JournalReader } from './journal.ts'
import { type AccountRow, accountOf, pendingHolds } from './load.ts'
import { type Progress, progressOf } from './projection.ts'

// About 3 ms of reading; a slice never waits for a client.
const rowsPerSlice = 2_000
const recordsPerSlice = 2_000

export type List = { readonly total: number; readonly more: boolean; readonly accounts: readonly Account[] }

export class Lists {
  readonly #index: DatabaseSync
  readonly #journal: JournalReader
  readonly #progress: () => Progress
  readonly #accounts: StatementSync
  readonly #pending: StatementSync

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#index = index
    this.#journal = new JournalReader(journal)
    this.#progress = progressOf(index)
    this.#accounts = index.prepare(
      `select number, currency, ledger, held, version, at, more, used
      from accounts
      where number > ? and instr(number, '.') = 0
      order by number
      limit ?`,
    )
    this.#pending = pendingHolds(index)
  }

  /** Whether all accounts beyond `after` are read: also with a filter, since a record in the tail may let any of them in. */
  static readsAll({ limit, state, currency }: AccountPage): boolean {
    return limit === undefined || state !== undefined || currency !== undefined
  }

  async accounts(page: AccountPage): Promise<List> {
    const { after = '', limit = Infinity, state, currency } = page
    const readMax = Lists.readsAll(page) ? Infinity : limit
    const found = new Map<AccountNumber, Account>()
    let from: Progress | undefined
    // One more than is asked for tells whether there are more.
    for (let slice: Account[] | undefined; slice === undefined || slice.length > 0; ) {
      const size = Math.min(rowsPerSlice, readMax + 1 - found.size)
      const read = this.#slice(slice?.at(-1)?.number ?? after, size)
      from ??= read.progress
      slice = read.accounts
      for (const account of slice) found.set(account.number, account)
      if (slice.length < rowsPerSlice) break
      await turn()
    }
    const opened = await this.#catchUp(found, from?.sequence ?? 0)
    const sorted = [...found.values()]
      .filter(({ number }) => number > after)
      .filter((account) => (state ?? account.state) === account.state)
      .filter((account) => (currency ?? account.currency) === account.currency)
      .sort((a, b) => (a.number < b.number ? -1 : 1))
    const total = (from?.accounts ?? 0) + opened
    return { total, more: sorted.length > limit, accounts: sorted.slice(0, limit) }
  }

  #slice(after: AccountNumber, size: number): { progress: Progress; accounts: Account[] } {
    this.#index.exec('begin')
    try {
      const rows = this.#accounts.all(after, size) as AccountRow[]
      return { progress: this.#progress(), accounts: rows.map((row) => accountOf(row, this.#pending)) }
    } finally {
      this.#index.exec('commit')
    }
  }

  /** Brings what was found up to the journal's head; tells how many accounts were opened since. */
  async #catchUp(found: Map<AccountNumber, Account>, sequence: number): Promise<number> {
    const { last } = this.#journal.head()
    let opened = 0
    while (sequence < last) {
      const to = Math.min(sequence + recordsPerSlice, last)
      for (const line of this.#journal.lines(sequence, to)) opened += update(found, line)
      sequence = to
      await turn()
    }
    return opened
  }
}

/** Takes over what a line leaves where it is later than what was found; gives 1 where it opens an account. */
function update(found: Map<AccountNumber, Account>, line: Line): number {
  const { content, at, sequence } = fromLine(line)
  if (content.kind === 'account_opened' && isTerminalAccount(content.account)) return 0
  for (const account of accountsAfter(content, { id: idOf(sequence), at }, (number) => found.get(number)))
    if (account.version > (found.get(account.number)?.version ?? 0)) found.set(account.number, account)
  return content.kind === 'account_opened' ? 1 : 0
}

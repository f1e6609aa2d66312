/** Brings into the books what a batch names and they do not have: accounts, and replies by their keys. */
import { hash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Pending } from '../../bank/store.ts'
import type { Account, AccountNumber } from '../../ledger/account.ts'
import type { Books, StoredReply } from '../../ledger/books.ts'
import { accountsOf } from '../../ledger/command.ts'
import { fromLine, type Line } from '../../ledger/record.ts'

export class Loader {
  readonly #account: StatementSync
  readonly #sequences: StatementSync
  readonly #line: StatementSync

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#account = index.prepare(
      'select number, currency, ledger, held, version, at from accounts where number = ?',
    )
    this.#sequences = index.prepare('select sequence from keys where hash = ? order by sequence desc')
    this.#line = journal.prepare(
      'select sequence, at, kind, actor, scope, body from records where sequence = ?',
    )
  }

  load(books: Books, batch: readonly Pending[]): void {
    for (const { command, key } of batch) {
      this.loadAccounts(books, accountsOf(command))
      if (key === undefined || books.reply(key.scope, key.key) !== undefined) continue
      const stored = this.reply(key.scope, key.key)
      if (stored !== undefined) books.load({ ...key, stored })
    }
  }

  loadAccounts(books: Books, numbers: readonly AccountNumber[]): void {
    for (const number of numbers) {
      const account = books.account(number) === undefined ? this.account(number) : undefined
      if (account !== undefined) books.load({ account })
    }
  }

  account(number: AccountNumber): Account | undefined {
    const row = this.#account.get(number)
    return row === undefined ? undefined : ({ ...row } as Account)
  }

  /** The newest reply under a key. The index has hashes only; key and scope are compared in full. */
  reply(scope: string, key: string): StoredReply | undefined {
    for (const { sequence } of this.#sequences.all(keyHash(scope, key))) {
      const record = fromLine(this.#line.get(Number(sequence)) as Line)
      if (record.content.kind !== 'reply') continue
      const { fingerprint, reply } = record.content
      if (record.scope === scope && record.content.key === key) return { fingerprint, reply, at: record.at }
    }
    return undefined
  }
}

/** 48 bits of SHA-256: a safe integer, and nobody can make many keys that share one. */
export function keyHash(scope: string, key: string): number {
  return Number.parseInt(hash('sha256', `${scope}\n${key}`, 'hex').slice(0, 12), 16)
}

/** Walks the transfers of an account that the index knows, newest first, each leading to the one before. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Entry } from '../../bank/store.ts'
import type { AccountNumber } from '../../ledger/account.ts'
import { leftOn, transferIn } from '../../ledger/books.ts'
import { sequenceOf } from '../../ledger/command.ts'
import type { Instant } from '../../ledger/money.ts'
import type { Line } from '../../ledger/record.ts'
import { JournalReader } from './journal.ts'

/** Entries of versions, at instants and of records below these. */
export type Below = { readonly version?: number; readonly at?: Instant; readonly sequence?: number }

type Links = { readonly debit_before: number | null; readonly credit_before: number | null }

export class Entries {
  readonly #journal: JournalReader
  readonly #newest: StatementSync
  readonly #links: StatementSync
  readonly #byVersion: StatementSync
  readonly #byInstant: StatementSync
  readonly #bySequence: StatementSync

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#journal = new JournalReader(journal)
    this.#newest = index.prepare('select entry as sequence from accounts where number = ?')
    this.#links = index.prepare('select debit_before, credit_before from entries where sequence = ?')
    // An account's versions, instants and records rise together; only the first has a tree to look in. Of 10^6
    // entries the others read 15,000 anchors at the most, some 2 ms.
    const anchor = (bound: string) =>
      index.prepare(
        `select sequence from anchors where account = ? and ${bound} >= ? order by version limit 1`,
      )
    this.#byVersion = anchor('version')
    this.#byInstant = anchor('at')
    this.#bySequence = anchor('sequence')
  }

  *walk(account: AccountNumber, below: Below): Generator<Entry> {
    const { version = Infinity, at = Infinity, sequence = Infinity } = below
    for (let next = this.#start(account, below); next !== null; ) {
      const entry = entryOf(this.#journal.line(next), account)
      if (entry === undefined) throw new Error(`the index leads to record ${next}, no entry of ${account}`)
      const { debit_before, credit_before } = this.#links.get(next) as Links
      const { transfer } = entry
      if (entry.version < version && transfer.at < at && sequenceOf(transfer.id) < sequence) yield entry
      next = transfer.debit === account ? debit_before : credit_before
    }
  }

  /** The oldest place to begin that leaves out nothing: the first anchor that is not below, or the newest entry. */
  #start(account: AccountNumber, { version, at, sequence }: Below): number | null {
    const places = [
      this.#newest.get(account),
      version === undefined ? undefined : this.#byVersion.get(account, version),
      at === undefined ? undefined : this.#byInstant.get(account, at),
      sequence === undefined ? undefined : this.#bySequence.get(account, sequence),
    ].flatMap((row) => (row as { sequence: number | null } | undefined)?.sequence ?? [])
    return places.length === 0 ? null : Math.min(...places)
  }
}

/** The account's side of the transfer that a line is; undefined where it has none. */
export function entryOf(line: Line, account: AccountNumber): Entry | undefined {
  const transfer = transferIn(line)
  const after = transfer && leftOn(transfer, account)
  return transfer && after && { version: after.version, transfer }
}

/** Applies the journal to the index: what the records leave is copied, the last one of an account winning. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Instant } from '../../ledger/money.ts'
import { type After, fromLine, type Line } from '../../ledger/record.ts'
import { keyHash } from './load.ts'

/** Up to where the index has come: the block, its hash, and the last record. */
export type Progress = {
  readonly block: number
  readonly hash: string
  readonly sequence: number
  /** How many accounts there are. */
  readonly accounts: number
  /** Sequence of the last record that was too old for its key to count, and whose key is gone. */
  readonly forgotten: number
}

/** Reads the progress of an index, as often as it is asked. */
export function progressOf(index: DatabaseSync): () => Progress {
  const progress = index.prepare('select block, hash, sequence, accounts, forgotten from progress')
  return () => progress.get() as Progress
}

type Left = { readonly currency: string; readonly after: After; readonly at: Instant }

export class Projection {
  readonly #progress: () => Progress
  readonly #setProgress: StatementSync
  readonly #account: StatementSync
  readonly #key: StatementSync
  readonly #forget: StatementSync

  constructor(index: DatabaseSync) {
    this.#progress = progressOf(index)
    this.#setProgress = index.prepare(
      'update progress set block = ?, hash = ?, sequence = ?, accounts = ?, forgotten = ?',
    )
    this.#account = index.prepare(
      `insert into accounts (number, currency, ledger, held, version, at)
      values (?, ?, ?, ?, ?, ?)
      on conflict (number) do update set
        ledger = excluded.ledger, held = excluded.held, version = excluded.version, at = excluded.at`,
    )
    this.#key = index.prepare('insert into keys (hash, sequence) values (?, ?)')
    this.#forget = index.prepare('delete from keys where hash = ? and sequence = ?')
  }

  get progress(): Progress {
    return this.#progress()
  }

  /** Takes in the lines that follow, up to the block given. To be called within a transaction. */
  advance(
    lines: readonly Line[],
    to: { readonly sequence: number; readonly hash: string; readonly last: number },
  ): void {
    const { accounts, forgotten } = this.progress
    const left = new Map<string, Left>()
    const keys: { hash: number; sequence: number }[] = []
    let opened = 0
    for (const line of lines) {
      const { at, scope, sequence, content } = fromLine(line)
      switch (content.kind) {
        case 'account_opened':
          opened += 1
          left.set(content.account, { currency: content.currency, after: content.after, at })
          break
        case 'transfer': {
          const { currency, debit, credit, debit_after, credit_after } = content
          if (debit_after !== null) left.set(debit, { currency, after: debit_after, at })
          if (credit_after !== null) left.set(credit, { currency, after: credit_after, at })
          break
        }
        case 'reply':
          keys.push({ hash: keyHash(scope, content.key), sequence })
      }
    }
    for (const [number, { currency, after, at }] of inOrder(left))
      this.#account.run(number, currency, after.ledger, after.held, after.version, at)
    // In the order of the tree, so that neighbours are written while their page is at hand.
    for (const { hash, sequence } of keys.sort((a, b) => a.hash - b.hash)) this.#key.run(hash, sequence)
    this.#setProgress.run(to.sequence, to.hash, to.last, accounts + opened, forgotten)
  }

  /** Forgets the keys of lines that are too old to count. To be called within a transaction. */
  forget(lines: readonly Line[]): void {
    const { block, hash, sequence, accounts, forgotten } = this.progress
    for (const line of lines) {
      if (line.kind !== 'reply') continue
      const { scope, content } = fromLine(line)
      if (content.kind === 'reply') this.#forget.run(keyHash(scope, content.key), line.sequence)
    }
    this.#setProgress.run(block, hash, sequence, accounts, lines.at(-1)?.sequence ?? forgotten)
  }
}

function inOrder(left: ReadonlyMap<string, Left>): [string, Left][] {
  return [...left].sort(([a], [b]) => (a < b ? -1 : 1))
}

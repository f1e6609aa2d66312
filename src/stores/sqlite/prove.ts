/**
 * Proves a store from its files, whether a server runs on them or not: the journal from its first block, and that
 * the index says what the journal says. Reads in slices, so that a running server's WAL is not held up.
 */
import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { sha256 } from '../../bank/batch.ts'
import type { Account } from '../../ledger/account.ts'
import { type Fault, type Proven, Verifier } from '../../ledger/verify.ts'
import { filesOf, judgeJournal, messageOf, openForReading } from './files.ts'
import { JournalReader } from './journal.ts'
import { progressOf } from './projection.ts'

const recordsPerSlice = 5_000

/** Throws a StoreError `unusable` where there is no store at the path, or it cannot be read at all. */
export function prove(path: string): Fault | Proven {
  const files = filesOf(path)
  judgeJournal(files)
  const journal = openForReading(files.journal)
  const index = existsSync(files.index) ? openForReading(files.index) : undefined
  try {
    return proveJournal(journal, index)
  } finally {
    index?.close()
    journal.close()
  }
}

function proveJournal(journal: DatabaseSync, index: DatabaseSync | undefined): Fault | Proven {
  // The index first, at once: a running server goes on changing it, and the journal's head is then beyond it.
  const derived = index && readIndex(index)
  const reader = new JournalReader(journal)
  const verifier = new Verifier({ sha256 })
  const head = reader.head()

  let at = { sequence: 0, last: 0 }
  try {
    for (;;) {
      const what = derived?.block === at.sequence ? compare(verifier.accounts, derived.accounts) : undefined
      if (what !== undefined) return { block: at.sequence, what }
      if (at.sequence >= head.sequence) return verifier.finish()

      for (const { block, lines } of reader.after(at, recordsPerSlice)) {
        const fault = verifier.check(block, lines)
        if (fault !== undefined) return fault
        at = block
        if (derived?.block === at.sequence) break
      }
    }
  } catch (error) {
    // A damaged page says so when it is read.
    return { block: at.sequence + 1, what: `cannot be read: ${messageOf(error)}` }
  }
}

type Derived = { readonly block: number; readonly accounts: readonly Account[] }

function readIndex(index: DatabaseSync): Derived {
  index.exec('begin')
  try {
    const accounts = index.prepare('select number, currency, ledger, held, version, at from accounts').all()
    return { block: progressOf(index)().block, accounts: accounts as Account[] }
  } finally {
    index.exec('commit')
  }
}

function compare(accounts: Verifier['accounts'], derived: readonly Account[]): string | undefined {
  for (const { number, currency, ledger, held, version } of derived) {
    const account = accounts.get(number)
    if (account === undefined) return `the index has account ${number}, which the journal never opened`
    const same =
      account.currency === currency &&
      account.ledger === ledger &&
      account.held === held &&
      account.version === version
    if (!same) return `the index has ${ledger} on account ${number}; the journal leaves ${account.ledger}`
  }
  return derived.length === accounts.size ? undefined : 'the index does not have every account'
}

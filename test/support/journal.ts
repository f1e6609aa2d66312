/** A store's journal, and what it proves: what `cashpoint verify` does. */
import assert from 'node:assert/strict'
import { sha256 } from '../../src/bank/batch.ts'
import type { Store } from '../../src/bank/store.ts'
import type { Block } from '../../src/ledger/block.ts'
import type { Line } from '../../src/ledger/record.ts'
import { type Fault, type Proven, Verifier } from '../../src/ledger/verify.ts'

export type Entry = { readonly block: Block; readonly lines: readonly Line[] }

/** The journal from a block on, rows as plain objects. */
export async function journalOf(store: Store, fromBlock?: number): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const { block, lines } of store.journal(fromBlock))
    entries.push({ block: { ...block }, lines: lines.map((line) => ({ ...line })) })
  return entries
}

/** The first thing wrong with a journal, or what it proves. */
export function prove(journal: Iterable<Entry>): Fault | Proven {
  const verifier = new Verifier({ sha256 })
  for (const { block, lines } of journal) {
    const fault = verifier.check(block, lines)
    if (fault !== undefined) return fault
  }
  return verifier.finish()
}

export function assertProven(journal: Iterable<Entry>): Proven {
  const result = prove(journal)
  if ('what' in result) assert.fail(`block ${result.block}, record ${result.record}: ${result.what}`)
  return result
}

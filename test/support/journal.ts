/** A store's journal, and what it proves: what `cashpoint verify` does. */
import assert from 'node:assert/strict'
import { sha256 } from '../../src/bank/batch.ts'
import type { Store } from '../../src/bank/store.ts'
import type { HouseAccount } from '../../src/ledger/account.ts'
import { type Block, genesis, readTotals, seal } from '../../src/ledger/block.ts'
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

// biome-ignore lint/suspicious/noExplicitAny: forgeries are of any shape
export type Body = any

/** The journal with one record's body or actor changed, and every block sealed anew: only its sense is wrong. */
export function forged(
  honest: readonly Entry[],
  record: number,
  forge: (body: Body, line: { actor: string }) => void,
  totals?: Map<HouseAccount, bigint>,
): Entry[] {
  let head = genesis(1)
  return honest.map(({ block, lines }) => {
    const changed = lines.map((line) => {
      if (line.sequence !== record) return line
      const body = JSON.parse(line.body)
      const other = { ...line }
      forge(body, other)
      return { ...other, body: JSON.stringify(body) }
    })
    const sums = readTotals(block.totals)
    const due = lines.some(({ sequence }) => sequence === record) ? (totals ?? sums) : sums
    head = seal(head, changed, { at: block.at, totals: due, sha256 })
    return { block: head, lines: changed }
  })
}

/**
 * Copies a journal into a new store, block by block, each proven before it is written: backups of a running server,
 * restores to any block or instant, imports. What is not right is copied nowhere.
 */
import { existsSync } from 'node:fs'
import { sha256 } from '../../bank/batch.ts'
import { StoreError } from '../../bank/store.ts'
import type { Instant } from '../../ledger/money.ts'
import { type Proven, Verifier } from '../../ledger/verify.ts'
import { draftJournal, type Files, filesOf, judgeJournal, messageOf, openForReading } from './files.ts'
import { JournalReader, type Sealed } from './journal.ts'
import { JournalWriter } from './save.ts'

/** Where to end: behind this block, or before the first one that was committed after this instant. */
export type Until = { readonly block?: number; readonly at?: Instant }

/** What was copied, which has been proven, and when its last block was committed. */
export type Copied = Proven & { readonly at: Instant }

// Reading holds no snapshot for longer than this, so that a running server's WAL is not held up.
const recordsPerSlice = 5_000

/** The blocks of a store up to the newest one there is when it begins, whether a server runs on it or not. */
export function* blocksOf(path: string): Generator<Sealed> {
  const files = filesOf(path)
  judgeJournal(files)
  const journal = openForReading(files.journal)
  try {
    const reader = new JournalReader(journal)
    const last = reader.head().sequence
    for (let at = { sequence: 0, last: 0 }; at.sequence < last; ) {
      for (const sealed of reader.after(at, recordsPerSlice)) {
        if (sealed.block.sequence > last) return
        yield sealed
        at = sealed.block
      }
    }
  } finally {
    journal.close()
  }
}

/**
 * Makes a store of the blocks. Throws a StoreError `unusable`, and leaves nothing behind, where there is a store
 * already, where a block does not prove, or where they end before what was asked for.
 */
export async function copyJournal(
  blocks: Iterable<Sealed> | AsyncIterable<Sealed>,
  path: string,
  until: Until = {},
): Promise<Copied> {
  const files = filesOf(path)
  refuseToOverwrite(files)
  const draft = draftJournal(files)
  try {
    const { db } = draft
    const reader = new JournalReader(db)
    const writer = new JournalWriter(db)
    const verifier = new Verifier({ sha256, line: (sequence) => reader.line(sequence) })
    let pending = 0
    db.exec('begin immediate')
    for await (const { block, lines } of blocks) {
      if (isBeyond(until, block)) break
      const fault = verifier.check(block, lines)
      if (fault !== undefined) {
        const where = fault.record === undefined ? '' : `, record ${fault.record}`
        throw new StoreError('unusable', `block ${fault.block}${where} ${fault.what}: nothing was written`)
      }
      writer.append(lines, block)
      pending += lines.length
      if (pending >= recordsPerSlice) {
        db.exec('commit; begin immediate')
        pending = 0
      }
    }
    db.exec('commit')
    const found = verifier.finish()
    if ('what' in found) throw new StoreError('unusable', `${found.what}: nothing was written`)
    if (found.blocks === 0) throw new StoreError('unusable', 'there is no block to copy: nothing was written')
    if (until.block !== undefined && found.blocks < until.block)
      throw new StoreError('unusable', `block ${found.blocks} is the last there is: nothing was written`)
    const { at } = verifier.head
    draft.settle()
    return { ...found, at }
  } catch (cause) {
    draft.drop()
    if (cause instanceof StoreError) throw cause
    throw new StoreError('unusable', `${messageOf(cause)}: nothing was written`, { cause })
  }
}

function isBeyond({ block: lastBlock, at: lastAt }: Until, { sequence, at }: Sealed['block']): boolean {
  return (lastBlock !== undefined && sequence > lastBlock) || (lastAt !== undefined && at > lastAt)
}

/** A journal, or what a server made beside one that is gone: its head would call the copy one that lost its end. */
function refuseToOverwrite({ journal, index, head, webhooks }: Files): void {
  const there = [journal, `${journal}-wal`, head, index, webhooks].find((file) => existsSync(file))
  if (there !== undefined)
    throw new StoreError('unusable', `${there} is there already: move the old store away, with all its files`)
}

/**
 * Copies a journal into a new store, block by block, each proven before it is written: backups of a running server,
 * restores to any block or instant, imports. What is not right is copied nowhere.
 */
import { existsSync, rmSync } from 'node:fs'
import { sha256 } from '../../bank/batch.ts'
import { StoreError } from '../../bank/store.ts'
import { type RecordId, sequenceOf } from '../../ledger/command.ts'
import type { Instant } from '../../ledger/money.ts'
import type { Line } from '../../ledger/record.ts'
import { faultText, type Proven, Verifier } from '../../ledger/verify.ts'
import {
  draftJournal,
  type Files,
  filesOf,
  judgeJournal,
  lockStore,
  messageOf,
  openForReading,
} from './files.ts'
import { HeadFile, lostTail } from './head.ts'
import { JournalReader, type Sealed } from './journal.ts'
import { JournalWriter } from './save.ts'

/** Where to end: behind this block, or before the first one that was committed after this instant. */
export type Until = { readonly block?: number; readonly at?: Instant }

/** What was copied, which has been proven, and when its last block was committed. */
export type Copied = Proven & { readonly at: Instant }

// Reading holds no snapshot for longer than this, so that a running server's WAL is not held up.
const recordsPerSlice = 5_000

/**
 * The blocks of a store up to the newest one there is when it begins, whether a server runs on it or not. Throws a
 * StoreError `unusable` where there is none, or where it is known to have lost its end and that is not accepted.
 */
export function* blocksOf(path: string, { acceptLostTail = false } = {}): Generator<Sealed> {
  const files = filesOf(path)
  judgeJournal(files)
  const journal = openForReading(files.journal)
  try {
    const reader = new JournalReader(journal)
    const lost = acceptLostTail ? undefined : lostTail(files.head, reader)
    if (lost !== undefined)
      throw unusable(`${files.journal}: ${faultText(lost)}. Say --accept-lost-tail to copy what is there`)
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
  // Two copies to one place would each take the other's draft for what a killed one has left.
  const unlock = lockStore(files)
  try {
    refuseToOverwrite(files)
    return await writeJournal(blocks, files, until)
  } catch (cause) {
    const why = cause instanceof StoreError ? cause.message : messageOf(cause)
    throw unusable(`${why}: nothing was written`, cause)
  } finally {
    // While it is held: whoever makes a new one finds the store, or nothing of ours. Windows removes no open file.
    if (process.platform !== 'win32') rmSync(files.lock, { force: true })
    unlock()
  }
}

async function writeJournal(
  blocks: Iterable<Sealed> | AsyncIterable<Sealed>,
  files: Files,
  until: Until,
): Promise<Copied> {
  const draft = draftJournal(files)
  try {
    const { db } = draft
    const reader = new JournalReader(db)
    const writer = new JournalWriter(db)
    // Proven before they are written: what a key remembers may be of its own block.
    let checked: readonly Line[] = []
    const line = (id: RecordId) => {
      const sequence = sequenceOf(id)
      return checked[sequence - (checked[0]?.sequence ?? Infinity)] ?? reader.line(sequence)
    }
    const verifier = new Verifier({ sha256, line })
    let pending = 0
    db.exec('begin immediate')
    for await (const { block, lines } of blocks) {
      if (isBeyond(until, block)) break
      checked = lines
      const fault = verifier.check(block, lines)
      if (fault !== undefined) throw unusable(faultText(fault))
      writer.append(lines, block)
      pending += lines.length
      if (pending >= recordsPerSlice) {
        db.exec('commit; begin immediate')
        pending = 0
      }
    }
    db.exec('commit')
    const found = verifier.finish()
    if ('what' in found) throw unusable(faultText(found))
    if (found.blocks === 0) throw unusable('there is no block to copy')
    if (until.block !== undefined && found.blocks < until.block)
      throw unusable(`block ${found.blocks} is the last there is`)
    draft.settle()
    writeHead(files, verifier.head)
    return { ...found, at: verifier.head.at }
  } catch (error) {
    draft.drop()
    throw error
  }
}

/** So that a copy which is cut short later, on its way to wherever, is noticed. */
function writeHead({ head }: Files, block: Sealed['block']): void {
  const file = new HeadFile(head)
  file.write(block)
  file.close()
}

function isBeyond({ block: lastBlock, at: lastAt }: Until, { sequence, at }: Sealed['block']): boolean {
  return (lastBlock !== undefined && sequence > lastBlock) || (lastAt !== undefined && at > lastAt)
}

/** A journal, or what a server made beside one that is gone: its head would call the copy one that lost its end. */
function refuseToOverwrite({ journal, index, head, webhooks }: Files): void {
  const there = [journal, `${journal}-wal`, head, index, webhooks].find((file) => existsSync(file))
  if (there !== undefined)
    throw unusable(`${there} is there already: move the old store away, with all its files`)
}

function unusable(message: string, cause?: unknown): StoreError {
  return new StoreError('unusable', message, { cause })
}

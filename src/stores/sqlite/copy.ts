/**
 * Copies a journal into a new store, block by block, each proven before it is written: backups of a running server,
 * restores to any block or instant, imports. What is not right is copied nowhere.
 */
import { existsSync, rmSync } from 'node:fs'
import { sha256 } from '../../bank/batch.ts'
import { type Copied, isBeyond, provenCopy, type Sealed, type Until, uncopied } from '../../bank/copy.ts'
import { StoreError } from '../../bank/store.ts'
import { type RecordId, sequenceOf } from '../../ledger/command.ts'
import type { Line } from '../../ledger/record.ts'
import { faultText, Verifier } from '../../ledger/verify.ts'
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
import { JournalReader } from './journal.ts'
import { JournalWriter } from './save.ts'

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
      throw uncopied(`${files.journal}: ${faultText(lost)}. Say --accept-lost-tail to copy what is there`)
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
    throw uncopied(`${why}: nothing was written`, cause)
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
      if (fault !== undefined) throw uncopied(faultText(fault))
      writer.append(lines, block)
      pending += lines.length
      if (pending >= recordsPerSlice) {
        db.exec('commit; begin immediate')
        pending = 0
      }
    }
    db.exec('commit')
    const copied = provenCopy(verifier, until)
    draft.settle()
    writeHead(files, verifier.head)
    return copied
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

/** A journal, or what a server made beside one that is gone: its head would call the copy one that lost its end. */
function refuseToOverwrite({ journal, index, head, webhooks }: Files): void {
  const there = [journal, `${journal}-wal`, head, index, webhooks].find((file) => existsSync(file))
  if (there !== undefined)
    throw uncopied(`${there} is there already: move the old store away, with all its files`)
}

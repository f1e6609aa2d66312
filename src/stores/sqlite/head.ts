/**
 * `NAME.head`: the newest block's number and hash, beside the store, so that a journal whose end was lost is told
 * from one that simply ends there. Written after each commit and never synced: older than the store is normal,
 * newer means that commits which were answered are gone.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { type Block, genesis } from '../../ledger/block.ts'
import type { JournalReader } from './journal.ts'

type Head = Pick<Block, 'sequence' | 'hash'>

export class HeadFile {
  readonly #descriptor: number

  constructor(path: string) {
    this.#descriptor = openSync(path, existsSync(path) ? 'r+' : 'w+')
  }

  /** Overwrites the last one in place: of one length, so that it needs no room and leaves nothing of the other. */
  write({ sequence, hash }: Head): void {
    try {
      writeSync(this.#descriptor, `${String(sequence).padStart(16)} ${hash}\n`, 0)
    } catch {
      // It stays older than the store, which says nothing false.
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

/** Says what the file knows that the journal does not: that its end was lost. A file that says nothing is as none. */
export function lostTail(path: string, journal: JournalReader): string | undefined {
  const written = existsSync(path) ? readHead(path) : undefined
  if (written === undefined) return undefined
  const { sequence: last } = journal.head()
  if (written.sequence > last)
    return `ends at block ${last}, but block ${written.sequence} was committed: its last commits are lost`
  return journal.block(written.sequence)?.hash === written.hash
    ? undefined
    : `has another block ${written.sequence} than was committed: it is not the journal that was here`
}

function readHead(path: string): Head | undefined {
  const [, sequence, hash] = /^ *([0-9]{1,16}) ([0-9a-f]{64})\n$/.exec(readFileSync(path, 'utf8')) ?? []
  if (sequence === undefined || hash === undefined) return undefined
  return Number(sequence) === 0 ? genesis(1) : { sequence: Number(sequence), hash }
}

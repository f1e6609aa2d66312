/**
 * `NAME.head`: the newest block's number and hash, beside the store, so that a journal whose end was lost is told
 * from one that simply ends there. Written after each commit and never synced: older than the store is normal,
 * newer means that commits which were answered are gone.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { type Block, genesis } from '../../ledger/block.ts'
import type { Fault } from '../../ledger/verify.ts'
import type { JournalReader } from './journal.ts'

type Head = Pick<Block, 'sequence' | 'hash'>

export class HeadFile {
  readonly #descriptor: number

  constructor(path: string) {
    this.#descriptor = openSync(path, existsSync(path) ? 'r+' : 'w+')
  }

  /**
   * Overwrites the last one in place: of one length, so that it needs no room and leaves nothing of the other. The
   * number is at both ends: where they differ, the line is half of one and half of another.
   */
  write({ sequence, hash }: Head): void {
    try {
      const number = String(sequence).padStart(16)
      writeSync(this.#descriptor, `${number} ${hash} ${number}\n`, 0)
    } catch {
      // It stays older than the store, which says nothing false.
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

/** Says what the file knows that the journal does not: that its end was lost. A file that says nothing is as none. */
export function lostTail(path: string, journal: JournalReader): Fault | undefined {
  const written = existsSync(path) ? readHead(path) : undefined
  if (written === undefined) return undefined
  const { sequence: block } = journal.head()
  if (written.sequence > block)
    return {
      block,
      what: `is the newest, but block ${written.sequence} was committed: the last commits are lost`,
    }
  if (journal.block(written.sequence)?.hash === written.hash) return undefined
  return {
    block: written.sequence,
    what: 'is not the one that was committed: this is not the journal that was here',
  }
}

function readHead(path: string): Head | undefined {
  // Cashpoint 0.1.0 wrote the number once.
  const written = /^ *([0-9]{1,16}) ([0-9a-f]{64})(?: +([0-9]{1,16}))?\n$/.exec(readFileSync(path, 'utf8'))
  const [, sequence, hash, again = sequence] = written ?? []
  if (sequence === undefined || hash === undefined || again !== sequence) return undefined
  return Number(sequence) === 0 ? genesis(1) : { sequence: Number(sequence), hash }
}

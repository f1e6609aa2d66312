/** Reads the journal as it was written: blocks, and the lines between them. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Sealed } from '../../bank/copy.ts'
import { type BlockPage, type ListedBlock, listBlocks } from '../../bank/store.ts'
import { type Block, genesis } from '../../ledger/block.ts'
import type { Line } from '../../ledger/record.ts'

const linesAtOnce = 256

export class JournalReader {
  readonly #head: StatementSync
  readonly #block: StatementSync
  readonly #blocks: StatementSync
  readonly #blocksBefore: StatementSync
  readonly #lines: StatementSync

  constructor(journal: DatabaseSync) {
    const columns = 'sequence, writer, clock, at, last, totals, previous, hash'
    this.#head = journal.prepare(`select ${columns} from blocks order by sequence desc limit 1`)
    this.#block = journal.prepare(`select ${columns} from blocks where sequence = ?`)
    this.#blocks = journal.prepare(
      `select ${columns} from blocks where sequence > ? order by sequence limit ?`,
    )
    this.#blocksBefore = journal.prepare(
      `select ${columns} from blocks where sequence < ? order by sequence desc limit ?`,
    )
    this.#lines = journal.prepare(
      `select sequence, at, kind, actor, scope, body
      from records
      where sequence > ? and sequence <= ?
      order by sequence`,
    )
  }

  /** The newest block. */
  head(): Block {
    return { ...((this.#head.get() as Block | undefined) ?? genesis(1)) }
  }

  block(sequence: number): Block | undefined {
    return sequence === 0 ? genesis(1) : (this.#block.get(sequence) as Block | undefined)
  }

  /** The blocks after one, at least one if there is any, and no more once they hold `recordsMax` records. */
  blocksAfter(block: { readonly sequence: number; readonly last: number }, recordsMax: number): Block[] {
    const blocks = this.#blocks.all(block.sequence, recordsMax) as Block[]
    const enough = blocks.findIndex(({ last }) => last - block.last >= recordsMax)
    return enough < 0 ? blocks : blocks.slice(0, enough + 1)
  }

  /** The blocks before one, newest first. */
  blocksBefore({ before = Number.MAX_SAFE_INTEGER, limit }: BlockPage): readonly ListedBlock[] {
    // One more, after whose records the last one's begin.
    return listBlocks(this.#blocksBefore.all(before, limit + 1) as Block[], limit)
  }

  /** The blocks after one with their lines: at least one block if there is any, until they hold `recordsMax` records. */
  after(from: { readonly sequence: number; readonly last: number }, recordsMax: number): Sealed[] {
    const blocks = this.blocksAfter(from, recordsMax)
    const lines = this.lines(from.last, blocks.at(-1)?.last ?? from.last)
    let given = 0
    return blocks.map((block) => {
      const end = block.last - from.last
      const sealed = { block, lines: lines.slice(given, end) }
      given = end
      return sealed
    })
  }

  /** One line that is known to be there. */
  line(sequence: number): Line {
    const [line] = this.lines(sequence - 1, sequence)
    if (line === undefined)
      throw new Error(`the index names record ${sequence}, which the journal does not have`)
    return line
  }

  /** The lines beyond `after`, up to `last`. */
  lines(after: number, last: number): Line[] {
    return this.#lines.all(after, last) as Line[]
  }

  /** The same, some at a time: for whoever reads thousands and keeps none. */
  *linesInTurn(after: number, last: number): Generator<Line, void> {
    for (let at = after; at < last; at += linesAtOnce) yield* this.lines(at, Math.min(at + linesAtOnce, last))
  }
}

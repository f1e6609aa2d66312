/** Blocks: each commit's link in the hash chain. The hash function is given, so that the ledger imports nothing. */
import type { HouseAccount } from './account.ts'
import type { Instant } from './money.ts'
import { canonical, type Line } from './record.ts'

/** SHA-256 of a text's UTF-8 bytes, as 64 hex digits. */
export type Sha256 = (text: string) => string

/** Running totals of the house accounts. Sums of many safe integers, so they are no safe integers themselves. */
export type Totals = ReadonlyMap<HouseAccount, bigint>

/** One commit of one writer: the records after the previous block's, up to `last`. */
export type Block = {
  readonly writer: number
  readonly sequence: number
  /** 1 + the highest clock of the writer and of the accounts touched: orders blocks of several writers. */
  readonly clock: number
  readonly at: Instant
  /** Sequence of the last record. */
  readonly last: number
  /** `Totals` as JSON, in order of name, figures as text. */
  readonly totals: string
  readonly previous: string
  readonly hash: string
}

/** Where a writer's chain begins: the block before the first. */
export function genesis(writer: number): Block {
  return {
    writer,
    sequence: 0,
    clock: 0,
    at: 0,
    last: 0,
    totals: '{}',
    previous: '0'.repeat(64),
    hash: '0'.repeat(64),
  }
}

/** The block that follows `head` with these lines, hash and all. `clock` is given where other writers count. */
export function seal(
  head: Block,
  lines: readonly Line[],
  {
    at,
    totals,
    sha256,
    clock = head.clock + 1,
  }: { at: Instant; totals: Totals; sha256: Sha256; clock?: number },
): Block {
  const open = {
    writer: head.writer,
    sequence: head.sequence + 1,
    clock,
    at,
    last: head.last + lines.length,
    totals: writeTotals(totals),
    previous: head.hash,
  }
  return { ...open, hash: blockHash(open, lines, sha256) }
}

/** The hash of a block: over its own columns, the previous hash among them, and the bytes of all its lines. */
export function blockHash(block: Omit<Block, 'hash'>, lines: readonly Line[], sha256: Sha256): string {
  const { writer, sequence, clock, at, last, totals, previous } = block
  let text = `[${writer},${sequence},${clock},${at},${last},${totals},"${previous}"]\n`
  for (const line of lines) text += canonical(line)
  return sha256(text)
}

export function writeTotals(totals: Totals): string {
  const sorted = [...totals].sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(Object.fromEntries(sorted.map(([house, total]) => [house, String(total)])))
}

export function readTotals(text: string): Map<HouseAccount, bigint> {
  const figures: [HouseAccount, string][] = Object.entries(JSON.parse(text)) as [HouseAccount, string][]
  return new Map(figures.map(([house, total]) => [house, BigInt(total)]))
}

/** What a store must list of its blocks, worked out from its journal by other code than the store's. */
import assert from 'node:assert/strict'
import type { ListedBlock, Store } from '../../src/bank/store.ts'
import { journalOf } from '../support/journal.ts'

/** All of them, newest first, and the newest of each writer. */
export async function blocksOf(store: Store): Promise<{ listed: ListedBlock[]; heads: ListedBlock[] }> {
  const newest = new Map<number, ListedBlock>()
  const listed = (await journalOf(store)).map(({ block, lines: [line] }, i): ListedBlock => {
    const { writer, sequence, at, last, hash, previous } = block
    const own = { writer, sequence, at, first: line?.sequence ?? 0, last, hash, previous }
    const told = { number: i + 1, ...own, previousNumber: newest.get(writer)?.number ?? null }
    newest.set(writer, told)
    return told
  })
  return { listed: listed.reverse(), heads: [...newest.values()].sort((a, b) => a.writer - b.writer) }
}

/** Page by page, until none can be left. */
export async function blockPages(store: Store, limit: number): Promise<(readonly ListedBlock[])[]> {
  const pages: (readonly ListedBlock[])[] = []
  for (let before: number | undefined; before !== 1; ) {
    const page = await store.blocks({ limit, ...(before !== undefined && { before }) })
    pages.push(page)
    const last: number = page.at(-1)?.number ?? 1
    assert.ok(last < (before ?? Infinity), `a page before ${before} ends at ${last}`)
    before = last
  }
  return pages
}

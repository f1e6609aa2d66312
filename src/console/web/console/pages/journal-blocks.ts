/** The chain: where each writer's ends, and its blocks, the newest first, each with the hash of the one before. */
import type { Block, Blocks as BlocksPage, Heads as HeadsFound } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { withParams } from '../api.ts'
import type { Words } from '../messages/journal.en.ts'
import { button } from '../parts/button.ts'
import { copyable } from '../parts/copy.ts'
import { loaded, useData } from '../parts/data.ts'
import { ago, count, stamp } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { listOf } from '../parts/list.ts'
import { panel } from '../parts/page.ts'
import { type Column, table } from '../parts/table.ts'
import type { Place } from '../place.ts'
import { upTo } from './journal-up-to.ts'

const perPage = 30

export function Blocks({ place, words }: { readonly place: Place; readonly words: Words }): View {
  const cursor = place.query.get('cursor')
  const to = numberIn(place.query.get('to'))
  const heads = useData<HeadsFound>('/v1/journal/heads', () => true)
  const blocks = useData<BlocksPage>(withParams('/v1/journal/blocks', { limit: perPage, cursor, to }))
  // A page stays as it is while somebody reads it; what came since is told by the heads.
  const isNewest = cursor === null && to === undefined
  const newest = Math.max(0, ...(heads.body?.heads ?? []).map(({ number }) => number))
  const newer = isNewest && blocks.body !== undefined ? newest - (blocks.body.blocks[0]?.number ?? 0) : 0
  const isOneOfSeveral = (heads.body?.heads ?? []).length > 1
  return html`
    ${loaded(heads, (body) => html`${body.heads.length > 0 && headsOf(body.heads, words)}`)}
    ${to !== undefined && upTo(words.upToBlock(isolated(count(to))), `${place.path}?view=blocks`, words)}
    ${newer > 0 && html`<p>${button({ label: words.newer(count(newer)), onClick: blocks.reload })}</p>`}
    ${loaded(blocks, (body) =>
      listOf({
        caption: words.blocks,
        columns: columnsOf(words, isOneOfSeveral),
        rows: body.blocks,
        keyOf: ({ number }) => String(number),
        place,
        next: body.next_cursor,
        empty: { title: words.noRecords },
      }),
    )}
  `
}

function headsOf(heads: readonly Block[], words: Words): View {
  return panel(
    { title: words.heads, tight: true },
    table({
      caption: words.heads,
      columns: [
        { head: words.writer, cell: ({ writer }) => numbered(words.writer, writer) },
        { head: words.block, cell: ({ number }) => count(number) },
        { head: words.hash, cell: ({ hash }) => copyable(hash, shortened(hash)) },
        { head: words.lastRecord, cell: ({ last_record }) => html`<code>${last_record}</code>` },
        { head: words.at, cell: ({ at }) => ago(at) },
      ],
      rows: heads,
      keyOf: ({ writer }) => String(writer),
    }),
  )
}

function columnsOf(words: Words, isOneOfSeveral: boolean): readonly Column<Block>[] {
  return [
    {
      head: words.block,
      cell: ({ number, writer, sequence }) => html`
        ${numbered(words.block, number)}
        ${isOneOfSeveral && html`<small class="under">${words.ofWriter(isolated(String(writer)), count(sequence))}</small>`}
      `,
    },
    { head: words.records, cell: (block) => recordsOf(block, words) },
    { head: words.hash, cell: ({ hash }) => copyable(hash, shortened(hash)) },
    { head: words.previous, cell: (block) => previousOf(block, words) },
    { head: words.at, cell: ({ at }) => stamp(at) },
  ]
}

/** Of what: where a row is a block of its own, its first cell stands under no head. */
function numbered(what: string, number: number): View {
  return html`<b class="figure numbered" data-what=${what}>${count(number)}</b>`
}

function recordsOf({ records, first_record, last_record }: Block, words: Words): View {
  const range = first_record === last_record ? last_record : `${first_record} – ${last_record}`
  return html`
    <a href=${`/console/journal?upto=${last_record}`}><code>${range}</code></a>
    <small class="under">${words.recordsIn(records, count(records))}</small>
  `
}

/** The same text stands as the hash of the block that the link leads to. */
function previousOf({ previous_number, previous_hash }: Block, words: Words): View {
  if (previous_number === null) return html`<span class="soft">${words.firstBlock}</span>`
  return html`
    <a href=${`/console/journal?view=blocks&to=${previous_number}`} title=${previous_hash}>
      <code>${shortened(previous_hash)}</code>
    </a>
    <small class="under">${words.blockNumber(isolated(count(previous_number)))}</small>
  `
}

function shortened(hash: string): string {
  return `${hash.slice(0, 12)}…`
}

function numberIn(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
}

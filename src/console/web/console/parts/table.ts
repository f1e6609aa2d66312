/** Lists as tables, which on a phone become one block a row; and the way through their pages. */
import type { VNode } from 'preact'
import { html, type View } from '../../html.ts'
import { type Place, withQuery } from '../place.ts'
import { styled } from '../styles.ts'
import { words } from '../words.ts'

styled('parts/table')

export type Column<Row> = {
  readonly head: string
  /** Figures stand at the end of their column. */
  readonly align?: 'end'
  cell(row: Row): View | VNode | string | number | null | undefined | false
}

export type Table<Row> = {
  /** What the list is, for those who hear it. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  keyOf(row: Row): string
}

export function table<Row>({ caption, columns, rows, keyOf }: Table<Row>): View {
  return html`
    <table class="table" role="table">
      <caption class="unseen">${caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          ${columns.map(({ head, align }) => html`<th role="columnheader" scope="col" class=${align}>${head}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map(
          (row) => html`
            <tr role="row" key=${keyOf(row)}>
              ${columns.map(
                ({ head, align, cell }) =>
                  html`<td role="cell" class=${align} data-head=${head}>${cell(row)}</td>`,
              )}
            </tr>
          `,
        )}
      </tbody>
    </table>
  `
}

/** By the address of a page: the one somebody came from by the link to the next. */
const before = new Map<string, string>()

/** Links to the page before and the next one, by `?cursor=` or such, so that each page has an address of its own. */
export function pager(place: Place, next: string | null | undefined, by = 'cursor'): View | undefined {
  const isFirst = !place.query.has(by)
  if (isFirst && !next) return undefined
  const here = withQuery(place, {})
  const after = next ? withQuery(place, { [by]: next }) : undefined
  const first = withQuery(place, { [by]: undefined })
  const previous = before.get(here)
  return html`
    <nav class="pager" aria-label=${words.pages.label}>
      ${!isFirst && html`<a href=${previous ?? first} rel="prev">${previous ? words.pages.previous : words.pages.first}</a>`}
      ${after && html`<a href=${after} rel="next" onClick=${() => before.set(after, here)}>${words.pages.next}</a>`}
    </nav>
  `
}

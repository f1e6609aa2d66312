/** A page of a list: its table with the way to the other pages under it; where it is empty, a few words in its place. */
import { html, type View } from '../../html.ts'
import type { Place } from '../place.ts'
import { type Note, note } from './note.ts'
import { panel } from './page.ts'
import { pager, type Table, table } from './table.ts'

type List<Row> = Table<Row> & {
  readonly place: Place
  /** The cursor of the next page: there may be one behind a page that is empty. */
  readonly next: string | null | undefined
  /** What a page is told apart by in the address, where that is no cursor. */
  readonly by?: string
  readonly empty: Note
}

export function listOf<Row>({ place, next, by, empty, ...of }: List<Row>): View {
  if (of.rows.length === 0) return html`${note(empty)}${pager(place, next, by)}`
  return panel({ tight: true }, [table(of), pager(place, next, by)])
}

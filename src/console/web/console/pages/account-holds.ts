/** What is set aside of an account: for how long, and what became of it. */
import type { Hold, Holds } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment, withParams } from '../api.ts'
import type { Words } from '../messages/account.en.ts'
import { badge } from '../parts/badge.ts'
import { loaded, useData } from '../parts/data.ts'
import { ago, money, stamp } from '../parts/figures.ts'
import { listOf } from '../parts/list.ts'
import { type Column, type Table, table } from '../parts/table.ts'
import type { Place } from '../place.ts'

type Of = { readonly number: string; readonly place: Place; readonly words: Words }

const perPage = 30

export function HoldsOf({ number, place, words }: Of): View {
  const cursor = place.query.get('cursor')
  const data = useData<Holds>(
    withParams(`/v1/accounts/${segment(number)}/holds`, { limit: perPage, cursor }),
    ({ type, data }) => type.startsWith('cashpoint.hold.') && data['account'] === number,
  )
  return html`${loaded(data, ({ holds, next_cursor }) =>
    listOf({ ...tableOf(holds, words), place, next: next_cursor, empty: { title: words.noHolds } }),
  )}`
}

/** Of those that are pending nothing has become yet. */
export function pendingTable(holds: readonly Hold[], words: Words): View {
  const { state, captured } = words
  const columns = columnsOf(words).filter(({ head }) => head !== state && head !== captured)
  return table({ ...tableOf(holds, words), columns })
}

function tableOf(holds: readonly Hold[], words: Words): Table<Hold> {
  return { caption: words.holds, columns: columnsOf(words), rows: holds, keyOf: ({ id }) => id }
}

function columnsOf(words: Words): readonly Column<Hold>[] {
  return [
    { head: words.hold, cell: ({ id }) => html`<code>${id}</code>` },
    { head: words.state, cell: ({ state }) => badge('hold', state) },
    { head: words.at, cell: ({ created_at }) => ago(created_at) },
    { head: words.until, cell: ({ expires_at }) => stamp(expires_at) },
    {
      head: words.reference,
      cell: ({ reference }) => reference !== null && html`<bdi class="cut">${reference}</bdi>`,
    },
    { head: words.amount, align: 'end', cell: ({ amount, currency }) => money(amount, currency) },
    {
      head: words.captured,
      align: 'end',
      cell: ({ captured_amount, currency }) => captured_amount !== null && money(captured_amount, currency),
    },
  ]
}

/** All cards, by status; and those that end in four digits, which is what a customer can say of one. */
import type { Card, Cards } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { withParams } from '../api.ts'
import type { Words } from '../messages/cards.en.ts'
import type { Page } from '../pages.ts'
import { badge, stateText } from '../parts/badge.ts'
import { linkButton } from '../parts/button.ts'
import { loaded, useData } from '../parts/data.ts'
import { typed } from '../parts/dialog.ts'
import { count } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { accountLink, cardLink } from '../parts/links.ts'
import { listOf } from '../parts/list.ts'
import type { Note } from '../parts/note.ts'
import { pageHead } from '../parts/page.ts'
import type { Column } from '../parts/table.ts'
import { type Place, withQuery } from '../place.ts'
import { navigate } from '../router.ts'
import { expiryText } from './card-expiry.ts'

type Shown = { readonly place: Place; readonly words: Words }

const perPage = 50
// A filter may leave little of a page.
const perFilteredPage = 500
const statuses = ['active', 'blocked', 'lost', 'stolen', 'expired'] as const

export const page: Page<Words> = ({ place, words }) => {
  const [status, last4] = [place.query.get('status'), place.query.get('last4')]
  const limit = status === null ? perPage : perFilteredPage
  const cursor = place.query.get('cursor')
  const data = useData<Cards>(withParams('/v1/cards', { status, last4, limit, cursor }), isOfCards)
  return html`
    ${pageHead({ title: words.title, text: words.text })}
    ${filters({ place, words })}
    ${loaded(data, ({ cards, next }) =>
      listOf({
        caption: words.title,
        columns: columnsOf(words),
        rows: cards,
        keyOf: ({ id }) => id,
        place,
        next,
        empty: emptyOf({ place, words }, next),
      }),
    )}
  `
}

function filters({ place, words }: Shown): View {
  const [status, last4] = [place.query.get('status') ?? '', place.query.get('last4') ?? '']
  const choose = ({ target }: Event) =>
    navigate(withQuery(place, { status: (target as HTMLSelectElement).value, cursor: undefined }), {
      replace: true,
    })
  const find = (event: SubmitEvent) => {
    event.preventDefault()
    const last4 = typed(new FormData(event.target as HTMLFormElement), 'last4')
    navigate(withQuery(place, { last4, cursor: undefined }))
  }
  return html`
    <div class="filters">
      <form onSubmit=${find}>
        <label>${words.last4}
          <input key=${last4} name="last4" defaultValue=${last4} inputmode="numeric" pattern="[0-9]{4}" maxlength="4"
            size="8" autocomplete="off" />
        </label>
        <button class="button">${words.find}</button>
      </form>
      <label>${words.status}
        <select onChange=${choose}>
          <option value="" selected=${status === ''}>${words.anyStatus}</option>
          ${statuses.map((one) => html`<option value=${one} selected=${one === status}>${stateText('card', one)}</option>`)}
        </select>
      </label>
    </div>
  `
}

function emptyOf({ place, words }: Shown, next: string | null): Note {
  if (next !== null) return { title: words.noneHere, text: words.noneHereText }
  if (place.query.size === 0) return { title: words.none, text: words.noneText }
  const last4 = place.query.get('last4')
  const title = last4 === null ? words.noneSuch : words.noneFound(isolated(last4))
  return { title, action: linkButton({ label: words.all, href: place.path }) }
}

function columnsOf(words: Words): readonly Column<Card>[] {
  return [
    { head: words.card, cell: ({ id, last4 }) => html`<b>${cardLink(id, last4)}</b>` },
    { head: words.status, cell: ({ status }) => badge('card', status) },
    {
      head: words.accounts,
      cell: ({ accounts }) =>
        html`<span>${accounts.map(({ account }) => html`${accountLink(account)} `)}</span>`,
    },
    {
      head: words.expiry,
      align: 'end',
      cell: ({ expiry }) => html`<bdi class="figure">${expiryText(expiry)}</bdi>`,
    },
    {
      head: words.tries,
      align: 'end',
      cell: ({ tries_left }) =>
        html`<span class="figure ${tries_left === 0 ? 'below' : ''}">${count(tries_left)}</span>`,
    },
  ]
}

function isOfCards({ type }: { readonly type: string }): boolean {
  return type === 'cashpoint.card.changed'
}

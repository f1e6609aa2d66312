/** What happened at machines and could not be booked for certain: open ones first of all, the oldest on top. */
import type { Exception, Exceptions } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { withParams } from '../api.ts'
import type { LiveEvent } from '../live.ts'
import type { Words } from '../messages/exceptions.en.ts'
import type { Page } from '../pages.ts'
import { exceptionText } from '../parts/badge.ts'
import { loaded, useData } from '../parts/data.ts'
import { ago, money, moneyText } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { accountLink, exceptionLink, masked, terminalLink, withdrawalLink } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { pageHead, panel } from '../parts/page.ts'
import { type Column, pager, table } from '../parts/table.ts'
import { type Place, withQuery } from '../place.ts'
import { navigate } from '../router.ts'
import { words as common } from '../words.ts'
import { badgesOf } from './exception-panel.ts'

const perPage = 50

export const page: Page<Words> = ({ place, words }) => {
  const asked = (name: string) => place.query.get(name)
  const state = stateIn(place)
  const path = withParams('/v1/exceptions', {
    limit: perPage,
    cursor: asked('cursor'),
    state: state === 'all' ? undefined : state,
    terminal: asked('terminal'),
    type: asked('type'),
  })
  const data = useData<Exceptions>(path, touchesExceptions)
  return html`
    ${pageHead({ title: words.title })}
    ${filters(place, words)}
    ${loaded(data, ({ exceptions, next }) => {
      if (exceptions.length === 0 && next === null) return empty(place, words)
      const listed = table({
        caption: words.title,
        columns: columnsOf(words),
        rows: exceptions,
        keyOf: ({ id }) => id,
      })
      return panel({ tight: true }, [
        exceptions.length === 0 ? note({ text: words.emptyPage }) : listed,
        pager(place, next),
      ])
    })}
  `
}

const states = ['open', 'resolved', 'all'] as const

function stateIn({ query }: Place): (typeof states)[number] {
  return states.find((state) => state === query.get('state')) ?? 'open'
}

function touchesExceptions({ type }: LiveEvent): boolean {
  return type.startsWith('cashpoint.exception.')
}

/** Each filter has an address; what is typed or picked leads there. */
function filters(place: Place, words: Words): View {
  const to = (members: Record<string, string | undefined>) =>
    withQuery(place, { ...members, cursor: undefined })
  const go = (members: Record<string, string | undefined>) => navigate(to(members), { replace: true })
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault()
    const terminal = new FormData(event.target as HTMLFormElement).get('terminal')
    go({ terminal: String(terminal).trim().toUpperCase() })
  }
  const chosen = place.query.get('type') ?? ''
  return html`
    <div class="filters">
      <nav class="tabs" aria-label=${words.stateFilter}>
        ${states.map(
          (state) => html`
            <a href=${to({ state: state === 'open' ? undefined : state })}
              aria-current=${state === stateIn(place) ? 'true' : undefined}>${words.states[state]}</a>
          `,
        )}
      </nav>
      <label>${words.type}
        <select onChange=${(event: Event) => go({ type: (event.target as HTMLSelectElement).value })}>
          <option value="" selected=${chosen === ''}>${words.anyType}</option>
          ${Object.keys(common.exceptionTypes).map(
            (type) => html`<option value=${type} selected=${type === chosen}>${exceptionText(type)}</option>`,
          )}
        </select>
      </label>
      <form onSubmit=${onSubmit}>
        <label>${words.terminal}
          <input name="terminal" key=${place.query.get('terminal')} defaultValue=${place.query.get('terminal') ?? ''}
            placeholder=${words.anyTerminal} pattern=" *[A-Za-z0-9]{0,16} *" autocomplete="off" spellcheck=${false}
            enterkeyhint="search" />
        </label>
      </form>
    </div>
  `
}

function empty(place: Place, words: Words): View {
  const isFiltered = ['terminal', 'type', 'cursor'].some((name) => place.query.has(name))
  if (stateIn(place) === 'open' && !isFiltered)
    return note({ tone: 'good', title: words.noneOpen, text: words.noneOpenText })
  return note({ title: words.none, text: words.noneText })
}

function columnsOf(words: Words): readonly Column<Exception>[] {
  return [
    { head: words.what, cell: ({ id, type }) => html`<b>${exceptionLink(id, exceptionText(type))}</b>` },
    { head: words.terminal, cell: ({ terminal }) => terminalLink(terminal) },
    {
      head: words.withdrawal,
      cell: ({ terminal, withdrawal }) => withdrawal !== null && withdrawalLink(terminal, withdrawal),
    },
    {
      head: words.customer,
      cell: ({ account, last4 }) =>
        account !== null &&
        html`${accountLink(account)} ${last4 !== null && html`<small>${masked(last4)}</small>`}`,
    },
    { head: words.amount, align: 'end', cell: ({ amount, currency }) => money(amount, currency) },
    { head: words.opened, align: 'end', cell: ({ opened_at }) => ago(opened_at) },
    { head: words.outcome, cell: (exception) => outcome(exception, words) },
  ]
}

function outcome(exception: Exception, words: Words): View {
  const { resolution, currency } = exception
  if (resolution === null) return badgesOf(exception, words.settle)
  const { dispensed, by } = resolution
  const text =
    dispensed === null
      ? words.closed
      : dispensed === 0
        ? words.nothingLeft
        : words.left(moneyText(dispensed, currency))
  return html`${text} <small>${by !== '' && words.by(isolated(by))}</small>`
}

/** What only some may do and somebody did, the newest first: the audit log, which is the journal's own records. */
import type { Audit } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { withParams } from '../api.ts'
import type { Words } from '../messages/journal.en.ts'
import { stateText } from '../parts/badge.ts'
import { loaded, useData } from '../parts/data.ts'
import { stamp } from '../parts/figures.ts'
import { accountLink, cardLink, exceptionLink, terminalLink } from '../parts/links.ts'
import { listOf } from '../parts/list.ts'
import type { Column } from '../parts/table.ts'
import type { Place } from '../place.ts'

type Act = Audit['acts'][number] & { readonly details: Details }
type Details = Readonly<Record<string, unknown>>

const perPage = 30

export function Acts({ place, words }: { readonly place: Place; readonly words: Words }): View {
  const cursor = place.query.get('cursor')
  const data = useData<Audit>(withParams('/v1/audit', { limit: perPage, cursor }), isOfPeople)
  return html`${loaded(data, ({ acts, next_cursor }) =>
    listOf({
      caption: words.acts,
      columns: columnsOf(words),
      rows: acts as Act[],
      keyOf: ({ id }) => id,
      place,
      next: next_cursor,
      empty: { title: words.noActs },
    }),
  )}`
}

function columnsOf(words: Words): readonly Column<Act>[] {
  return [
    {
      head: words.what,
      cell: ({ action, details }) => html`
        <b>${words.actions[action] ?? action}</b> ${ofWhat(details)}
        <small class="under">${outcome(details)}</small>
      `,
    },
    { head: words.why, cell: ({ details }) => html`<bdi>${whyOf(details)}</bdi>` },
    {
      head: words.who,
      cell: ({ actor, actor_name }) => html`<bdi>${actor_name ?? (actor === '' ? words.demo : actor)}</bdi>`,
    },
    { head: words.at, cell: ({ at }) => stamp(at) },
    { head: words.record, cell: ({ id, details }) => recordCell(id, details, words) },
  ]
}

function ofWhat(details: Details): View {
  const text = (name: string) => textOf(details, name)
  const [account, terminal, card, exception] = [
    text('account'),
    text('terminal'),
    text('card'),
    text('exception'),
  ]
  return html`
    ${account !== undefined && accountLink(account)}
    ${terminal !== undefined && terminalLink(terminal)}
    ${card !== undefined && cardLink(card, text('last4') ?? null)}
    ${exception !== undefined && exceptionLink(exception)}
  `
}

/** How it is since. */
function outcome(details: Details): View {
  const text = (name: string) => textOf(details, name)
  const [state, status, role, name, url] = [
    text('state'),
    text('status'),
    text('role'),
    text('name'),
    text('url'),
  ]
  return html`
    ${state !== undefined && stateText(text('account') === undefined ? 'terminal' : 'account', state)}
    ${status !== undefined && stateText('card', status)}
    ${[role, name, url].map((one) => one !== undefined && html`<bdi>${one}</bdi> `)}
  `
}

/** Of what was settled the reason is in what was said of it. */
function whyOf(details: Details): string {
  const { word } = details
  return textOf(details, 'reason') ?? (isRecord(word) ? textOf(word, 'reason') : undefined) ?? ''
}

/** All that the record says, for whoever wants it: whatever somebody wrote in it is text. */
function recordCell(id: string, details: Details, words: Words): View {
  return html`
    <details class="record">
      <summary aria-label=${`${words.details}: ${id}`}><code>${id}</code></summary>
      <pre dir="ltr">${JSON.stringify(details, undefined, 1)}</pre>
    </details>
  `
}

function isRecord(value: unknown): value is Details {
  return typeof value === 'object' && value !== null
}

function textOf(details: Details, name: string): string | undefined {
  const text = details[name]
  return typeof text === 'string' ? text : undefined
}

/** Such as people make happen. */
function isOfPeople({ type }: { readonly type: string }): boolean {
  return /\.(account|terminal|card|exception)\.(changed|resolved|limits_set)$/.test(type)
}

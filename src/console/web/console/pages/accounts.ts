/** All accounts by number, a page at a time: there may be more of them than anybody would scroll through. */
import type { Account, Accounts } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { withParams } from '../api.ts'
import type { Words } from '../messages/accounts.en.ts'
import type { Page } from '../pages.ts'
import { badge, stateText } from '../parts/badge.ts'
import { linkButton } from '../parts/button.ts'
import { loaded, useData } from '../parts/data.ts'
import { typed } from '../parts/dialog.ts'
import { count, money } from '../parts/figures.ts'
import { accountLink, hrefs } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { pageHead, panel } from '../parts/page.ts'
import { type Column, pager, table } from '../parts/table.ts'
import { tabs, viewIn } from '../parts/tabs.ts'
import { type Place, withQuery } from '../place.ts'
import { navigate } from '../router.ts'

type Row = Accounts['accounts'][number]
type Query = { readonly state: string; readonly currency: string }

const perPage = 50
const states = ['active', 'debit_blocked', 'credit_blocked', 'frozen', 'closed'] as const

export const page: Page<Words> = ({ place, words }) => {
  const views = [
    { view: 'customers', label: words.customers },
    { view: 'house', label: words.house },
  ] as const
  const isHouse = viewIn(place, views) === 'house'
  const query = { state: place.query.get('state') ?? '', currency: place.query.get('currency') ?? '' }
  const cursor = place.query.get('cursor')
  const data = useData<Accounts>(
    withParams('/v1/accounts', { limit: perPage, cursor, ...(isHouse ? { kind: 'house' } : query) }),
    ({ type }) => type === 'cashpoint.account.changed',
  )
  const { body } = data
  return html`
    ${pageHead({ title: words.title, text: body && !isHouse && words.total(count(body.total_accounts)) })}
    ${tabs(place, words.views, views)}
    ${!isHouse && filters(place, query, words)}
    ${loaded(data, ({ accounts, next_cursor }) =>
      accounts.length === 0
        ? empty(place, words)
        : panel({ tight: true }, [
            table({
              caption: words.title,
              columns: columnsOf(words, isHouse),
              rows: accounts,
              keyOf: ({ number }) => number,
            }),
            pager(place, next_cursor),
          ]),
    )}
  `
}

/** Whoever knows the number goes there; the others look by state and currency. */
function filters(place: Place, { state, currency }: Query, words: Words): View {
  const set = (member: Partial<Query>) =>
    navigate(withQuery(place, { ...member, cursor: undefined }), { replace: true })
  return html`
    <div class="filters">
      <form onSubmit=${goTo}>
        <label>${words.goTo}
          <input name="number" placeholder=${words.goToHint} maxlength="34" required autocomplete="off" spellcheck=${false} />
        </label>
        <button class="button">${words.open}</button>
      </form>
      <label>${words.state}
        <select onChange=${(event: Event) => set({ state: typedIn(event) })}>
          <option value="" selected=${state === ''}>${words.anyState}</option>
          ${states.map((one) => html`<option value=${one} selected=${one === state}>${stateText('account', one)}</option>`)}
        </select>
      </label>
      <label>${words.currency}
        <input key=${currency} defaultValue=${currency} placeholder=${words.anyCurrency} maxlength="3" size="6" autocomplete="off"
          spellcheck=${false} onChange=${(event: Event) => set({ currency: typedIn(event).toUpperCase() })} />
      </label>
    </div>
  `
}

function goTo(event: SubmitEvent): void {
  event.preventDefault()
  const number = typed(new FormData(event.target as HTMLFormElement), 'number')
  if (number !== '') navigate(hrefs.account(number))
}

function typedIn({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value.trim()
}

function empty(place: Place, words: Words): View {
  const all = linkButton({ label: words.all, href: place.path })
  return note({ title: words.none, ...(place.query.size === 0 ? { text: words.noneText } : { action: all }) })
}

function columnsOf(words: Words, isHouse: boolean): readonly Column<Row>[] {
  const number = { head: words.number, cell: (row: Row) => numberCell(row, words) }
  const ledger: Column<Row> = {
    head: words.ledger,
    align: 'end',
    cell: ({ ledger, currency }) => money(BigInt(ledger), currency),
  }
  if (isHouse) return [number, ledger]
  const figure = (head: string, of: (account: Account) => number): Column<Row> => ({
    head,
    align: 'end',
    cell: (row) => isCustomers(row) && of(row) !== 0 && money(of(row), row.currency),
  })
  return [
    number,
    { head: words.state, cell: (row) => isCustomers(row) && badge('account', row.state) },
    {
      head: words.available,
      align: 'end',
      cell: (row) => isCustomers(row) && money(row.available, row.currency),
    },
    figure(words.held, ({ held }) => held),
    ledger,
  ]
}

/** Whatever somebody wrote about an account stands beside its number: it is text, whatever is in it. */
function numberCell(row: Row, words: Words): View {
  const [owner = ''] = row.number.split(':')
  const about = isCustomers(row) ? Object.values(row.metadata).join(' · ') : words.houses[owner]
  return html`<b>${accountLink(row.number)}</b> ${about && html`<small class="cut"><bdi>${about}</bdi></small>`}`
}

function isCustomers(row: Row): row is Account {
  return 'state' in row
}

/** A statement: what was posted on an account from one day to another, which leads from one balance to the other. */
import type { Statement } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment, withParams } from '../api.ts'
import type { Words } from '../messages/account-statement.en.ts'
import type { Page } from '../pages.ts'
import { button } from '../parts/button.ts'
import { loaded, useData } from '../parts/data.ts'
import { day, money, plainMoney } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { hrefs } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { pageHead, panel } from '../parts/page.ts'
import { type Column, table } from '../parts/table.ts'
import { tiles } from '../parts/tiles.ts'
import { language } from '../words.ts'
import { type Cell, csvOf } from './account-csv.ts'
import { dayAfter, dayOf, type Period, periodForm, periodIn } from './account-period.ts'

type Entry = Statement['entries'][number]

const inUtc = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })

export const page: Page<Words> = ({ place, words }) => {
  const number = place.params['account'] ?? ''
  const usual = thisMonth(Date.now())
  const { from = usual.from, to = usual.to } = periodIn(place)
  const path = withParams(`/v1/accounts/${segment(number)}/statement`, { from, to: dayAfter(to) })
  const data = useData<Statement>(path)
  const { body } = data
  return html`
    ${pageHead({
      title: words.title(isolated(number)),
      above: [
        { label: words.accounts, href: '/console/accounts' },
        { label: words.account(isolated(number)), href: hrefs.account(number) },
      ],
      text: html`${day(from)} – ${day(to)} <span>${words.times}</span>`,
      actions:
        body &&
        html`
          ${button({ label: words.print, onClick: () => print() })}
          ${button({ label: words.download, tone: 'main', onClick: () => download(body, { from, to }, words) })}
        `,
    })}
    ${periodForm(place, words, usual)}
    ${loaded(data, (statement) => html`${balances(statement, words)}${entries(statement, words)}`)}
  `
}

/** From the first of the month to the day it is. */
function thisMonth(now: number): Period<string> {
  const to = dayOf(now)
  return { from: `${to.slice(0, 8)}01`, to }
}

function balances({ opening, closing, entries, currency }: Statement, words: Words): View {
  const sum = (wanted: Entry['direction']) =>
    entries.reduce((sum, { direction, amount }) => (direction === wanted ? sum + BigInt(amount) : sum), 0n)
  return tiles([
    { name: words.opening, figure: money(opening, currency) },
    { name: words.paidIn, figure: money(sum('credit'), currency) },
    { name: words.paidOut, figure: money(sum('debit'), currency) },
    { name: words.closing, figure: money(closing, currency) },
  ])
}

function entries({ entries, currency }: Statement, words: Words): View {
  if (entries.length === 0) return note({ title: words.none })
  const amount = (wanted: Entry['direction'], head: string): Column<Entry> => ({
    head,
    align: 'end',
    cell: ({ direction, amount }) => direction === wanted && money(amount, currency),
  })
  const columns: readonly Column<Entry>[] = [
    { head: words.what, cell: ({ kind }) => html`<b>${words.kinds[kind] ?? kind}</b>` },
    {
      head: words.at,
      cell: ({ created_at }) =>
        html`<time class="figure" datetime=${created_at}>${utcText(created_at)}</time>`,
    },
    { head: words.reference, cell: ({ reference }) => reference !== null && html`<bdi>${reference}</bdi>` },
    { head: words.transfer, cell: ({ transfer }) => html`<code>${transfer}</code>` },
    amount('debit', words.paidOut),
    amount('credit', words.paidIn),
    {
      head: words.balance,
      align: 'end',
      cell: ({ balance_after }) => balance_after !== null && money(balance_after, currency),
    },
  ]
  return panel(
    { tight: true },
    table({ caption: words.entries, columns, rows: entries, keyOf: ({ transfer }) => transfer }),
  )
}

function utcText(instant: string): string {
  return inUtc.format(new Date(instant))
}

function download(statement: Statement, { from, to }: Period<string>, words: Words): void {
  const file = new Blob([csvOf(rowsOf(statement, words))], { type: 'text/csv;charset=utf-8' })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = `statement-${statement.account}-${from}-${to}.csv`
  link.click()
  URL.revokeObjectURL(link.href)
}

/** Amounts in whole units and their parts, as spreadsheets want them. */
function rowsOf({ entries, opening, closing, currency }: Statement, words: Words): Cell[][] {
  const figure = (minor: number) => ({ figure: plainMoney(minor, currency) })
  const balance = (name: string, minor: number) => ['', name, '', '', '', '', figure(minor), currency]
  return [
    [
      words.at,
      words.what,
      words.reference,
      words.transfer,
      words.paidOut,
      words.paidIn,
      words.balance,
      words.currency,
    ],
    balance(words.opening, opening),
    ...entries.map(({ created_at, kind, reference, transfer, direction, amount, balance_after }) => [
      created_at,
      words.kinds[kind] ?? kind,
      reference ?? '',
      transfer,
      direction === 'debit' ? figure(amount) : '',
      direction === 'credit' ? figure(amount) : '',
      balance_after === null ? '' : figure(balance_after),
      currency,
    ]),
    balance(words.closing, closing),
  ]
}

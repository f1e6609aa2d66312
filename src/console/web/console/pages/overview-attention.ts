/** What needs a person, worst first, each with the one thing to do about it. */
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/overview.en.ts'
import { exceptionText } from '../parts/badge.ts'
import { linkButton } from '../parts/button.ts'
import { ago, clock, count, money, spanText } from '../parts/figures.ts'
import { accountLink, hrefs, masked, terminalLink, withdrawalLink } from '../parts/links.ts'
import { panel } from '../parts/page.ts'

export type Attention = {
  readonly kind:
    | 'out_of_service'
    | 'silent'
    | 'no_cash_out'
    | 'unit_empty'
    | 'unit_low'
    | 'unit_inoperative'
    | 'suspect'
    | 'out_of_balance'
    | 'exception'
  readonly terminal: string
  readonly unit?: string
  readonly withdrawal?: string
  readonly exception?: string
  readonly exception_type?: string
  readonly account?: string
  readonly last4?: string
  readonly amount?: number
  readonly currency?: string
  readonly since?: string
  readonly count?: number
  /** Until a unit is empty, at the last days' rate. */
  readonly hours_left?: number | null
  /** How long this machine usually goes without paying out. */
  readonly usual_s?: number
}

type Listed = { readonly at: string; readonly attention: readonly Attention[]; readonly more: boolean }

export function attentionList({ at, attention, more }: Listed, words: Words): View {
  const checked = html`<span class="soft">${words.checked} ${clock(at)}</span>`
  return panel({ title: words.needsPerson(attention.length, more), beside: checked, tight: true }, [
    html`<ol class="attention">${attention.map((one) => row(one, words))}</ol>`,
    more && html`<p class="more"><a href="/console/exceptions">${words.more}</a></p>`,
  ])
}

const bad: readonly Attention['kind'][] = [
  'out_of_service',
  'silent',
  'unit_empty',
  'unit_inoperative',
  'suspect',
]

function row(one: Attention, words: Words): View {
  const { kind, terminal, amount, currency } = one
  return html`
    <li key=${keyOf(one)} class=${bad.includes(kind) ? 'bad' : 'warn'}>
      <div class="what"><b>${whatText(one, words)}</b> <span>${about(one)}</span></div>
      <div class="how-much">${amount !== undefined && currency !== undefined && money(amount, currency)}</div>
      <div class="since soft">${sinceOf(one, words)}</div>
      <div class="do">${linkButton({ label: words.actions[kind], href: hrefFor(one), about: terminal })}</div>
    </li>
  `
}

function keyOf({ kind, terminal, unit, exception }: Attention): string {
  return [kind, terminal, unit, exception].join()
}

function whatText({ kind, unit, exception_type, count: many }: Attention, words: Words): string {
  const what =
    kind === 'exception' && exception_type !== undefined ? exceptionText(exception_type) : words.kinds[kind]
  const named = unit === undefined ? what : `${what} (${unit})`
  return many === undefined || many < 2 ? named : `${named} × ${count(many)}`
}

function about({ terminal, withdrawal, account, last4 }: Attention): View {
  return html`
    ${terminalLink(terminal)}
    ${withdrawal !== undefined && html` · ${withdrawalLink(terminal, withdrawal)}`}
    ${account !== undefined && html` · ${accountLink(account)}`}
    ${last4 !== undefined && html` · <span>${masked(last4)}</span>`}
  `
}

function sinceOf({ since, hours_left, usual_s }: Attention, words: Words): View {
  const left =
    hours_left === undefined || hours_left === null ? undefined : words.left(spanText(hours_left * 3_600))
  const usual = usual_s === undefined ? undefined : words.usual(spanText(usual_s))
  return html`${since !== undefined && ago(since)} ${left} ${usual}`
}

/** Where it is done. */
function hrefFor({ terminal, withdrawal, exception }: Attention): string {
  if (exception !== undefined) return hrefs.exception(exception)
  return withdrawal === undefined ? hrefs.terminal(terminal) : hrefs.withdrawal(terminal, withdrawal)
}

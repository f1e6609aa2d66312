/** What needs a person, worst first, each with the one thing to do about it. */
import { h } from 'preact'
import { useState } from 'preact/hooks'
import type { Attention, Overview } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/overview.en.ts'
import { button, linkButton } from '../parts/button.ts'
import { ago, clock, count, money, notesText, spanText } from '../parts/figures.ts'
import { accountLink, hrefs, masked, terminalLink, withdrawalLink } from '../parts/links.ts'
import { panel } from '../parts/page.ts'
import { exceptionText } from '../words.ts'

/** So many are seen at first: what is under the list matters, too. */
const firstMax = 8

export function attentionList(overview: Overview, words: Words): View {
  return html`${h(AttentionList, { overview, words })}`
}

function AttentionList({ overview, words }: { overview: Overview; words: Words }): View {
  const { at, attention, more } = overview
  const [isWhole, setWhole] = useState(false)
  const shown = isWhole ? attention : attention.slice(0, firstMax)
  const checked = html`<span class="soft">${words.checked} ${clock(at)}</span>`
  const all = button({ label: words.showAll(count(attention.length)), onClick: () => setWhole(true) })
  return panel({ title: words.needsPerson(count(attention.length), more), beside: checked, tight: true }, [
    html`<ol class="attention">${shown.map((one) => row(one, words))}</ol>`,
    shown.length < attention.length && html`<p class="more">${all}</p>`,
    isWhole && more && html`<p class="more"><a href="/console/exceptions">${words.more}</a></p>`,
  ])
}

const bad: readonly Attention['kind'][] = ['out_of_service', 'silent', 'unit_empty', 'suspect']

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

function whatText({ kind, unit, exception_type, count: left = 0 }: Attention, words: Words): string {
  switch (kind) {
    case 'exception':
      return exceptionText(exception_type ?? '')
    case 'unit_empty':
      return unit === undefined ? words.allEmpty : words.unitEmpty(unit)
    case 'unit_low':
      return words.unitLow(unit ?? '', notesText(left))
    default:
      return words.kinds[kind]
  }
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

/** Whether all is well, and what needs a person: the page an operator leaves open. */
import { h } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Overview } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { LiveEvent } from '../live.ts'
import type { Words } from '../messages/overview.en.ts'
import type { Page } from '../pages.ts'
import { loaded, useData } from '../parts/data.ts'
import { clock, count, money } from '../parts/figures.ts'
import { icon } from '../parts/icon.ts'
import { pageHead, panel } from '../parts/page.ts'
import { attentionList } from './overview-attention.ts'

/** What nobody says by an event, such as a machine's silence, is seen so often. */
const lookMs = 20_000

export const page: Page<Words> = ({ words }) => {
  const now = useData<Overview>('/v1/overview', touchesMachines, lookMs)
  return html`
    ${pageHead({ title: words.title })}
    ${loaded(
      now,
      (overview) => html`
      ${numbers(overview, words)}
      ${overview.attention.length === 0 ? allIsWell(overview, words) : attentionList(overview, words)}
    `,
    )}
    ${h(Charts, { words })}
  `
}

/** What is drawn weighs more than all that is said: it is loaded when that is there. */
function Charts({ words }: { words: Words }): View {
  const [charts, setCharts] = useState<(words: Words) => View>()
  useEffect(() => {
    import('./overview-charts.ts').then((module) => setCharts(() => module.charts), reportError)
  }, [])
  return html`<div class="charts">${charts?.(words)}</div>`
}

function touchesMachines({ type }: LiveEvent): boolean {
  return /\.(terminal|withdrawal|exception|batch)\./.test(type)
}

function numbers({ terminals, money: moneys, exceptions }: Overview, words: Words): View {
  const { in_service, total } = terminals
  const amounts = (of: 'cash' | 'uncertain') =>
    moneys.length === 0
      ? '–'
      : moneys.map(({ currency, ...sums }) => html`<span>${money(sums[of], currency)}</span>`)
  const isUncertain = moneys.some(({ uncertain }) => uncertain !== 0)
  return html`
    <ul class="numbers">
      ${number({
        label: words.inService,
        href: '/console/terminals',
        tone: in_service < total ? 'warn' : undefined,
        view: html`<span>${count(in_service)} <small>/ ${count(total)}</small></span>`,
      })}
      ${number({ label: words.cash, view: amounts('cash') })}
      ${number({ label: words.uncertain, tone: isUncertain ? 'warn' : undefined, view: amounts('uncertain') })}
      ${number({
        label: words.exceptions,
        href: '/console/exceptions',
        tone: exceptions > 0 ? 'warn' : undefined,
        view: html`<span>${count(exceptions)}</span>`,
      })}
    </ul>
  `
}

type Number = { label: string; href?: string; tone?: 'warn' | undefined; view: View | View[] | string }

function number({ label, href, tone, view }: Number): View {
  const name = href === undefined ? html`<span>${label}</span>` : html`<a href=${href}>${label}</a>`
  return html`<li class="panel ${tone ?? ''}">${name}<b class="figure">${view}</b></li>`
}

function allIsWell({ at }: Overview, words: Words): View {
  return panel(
    {},
    html`
    <div class="well"><i>${icon('check')}</i><div><h2>${words.well}</h2><p class="soft">${words.checked} ${clock(at)}</p></div></div>
  `,
  )
}

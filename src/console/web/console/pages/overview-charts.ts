/** The last hour's operations, with how long their commits took; and what was in the machines on the last days. */
import { h } from 'preact'
import type { OverviewCash, OverviewHour } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/overview.en.ts'
import { chart } from '../parts/chart.ts'
import { loaded, useData } from '../parts/data.ts'
import { count, dayText, minuteText, moneyAbout, moneyText } from '../parts/figures.ts'
import { panel } from '../parts/page.ts'

const hourS = 3_600
const halfDayS = 43_200
const hourMs = 10_000
const daysMs = 60_000
const nothing = () => false

export function charts(words: Words): View {
  return html`
    ${panel({ title: words.hour }, html`${h(HourChart, { words })}`)}
    ${panel({ title: words.days }, html`${h(CashChart, { words })}`)}
  `
}

function HourChart({ words }: { words: Words }): View {
  const data = useData<OverviewHour>('/v1/overview/hour', nothing, hourMs)
  return loaded(data, ({ step_s, points }) => {
    const rates = points.map(({ operations }) => operations / step_s)
    const perSecond = (rate: number) => words.perSecond(decimals(rate))
    const ms = (value: number) => words.ms(decimals(value))
    const slowest = Math.max(0, ...points.map(({ p99_ms }) => p99_ms ?? 0))
    return chart({
      title: words.hour,
      summary: words.hourSummary({
        most: perSecond(Math.max(0, ...rates)),
        last: perSecond(rates.at(-1) ?? 0),
        slowest: ms(slowest),
      }),
      at: points.map(({ at }) => Date.parse(at) / 1_000),
      atText: minuteText,
      range: (_, last) => [last - hourS, last],
      lines: [
        { label: words.operations, colour: '--accent', values: rates, text: perSecond, as: 'area' },
        {
          label: words.p50,
          colour: '--busy',
          values: points.map(({ p50_ms }) => p50_ms),
          text: ms,
          other: true,
        },
        {
          label: words.p99,
          colour: '--warn',
          values: points.map(({ p99_ms }) => p99_ms),
          text: ms,
          other: true,
        },
      ],
    })
  })
}

const colours = ['--accent', '--busy', '--warn', '--bad'] as const

function CashChart({ words }: { words: Words }): View {
  const data = useData<OverviewCash>('/v1/overview/cash', nothing, daysMs)
  return loaded(data, ({ days }) => {
    const currencies = [...new Set(days.flatMap(({ cash }) => cash.map(({ currency }) => currency)))]
    const lines = currencies.map((currency, i) => ({
      label: currency,
      colour: colours[i % colours.length] ?? '--accent',
      values: days.map(({ cash }) => cash.find((one) => one.currency === currency)?.amount ?? null),
      text: (minor: number) => moneyText(Math.round(minor), currency),
      axisText: (minor: number) => moneyAbout(minor, currency),
      ...(currencies.length === 1 && { as: 'bars' as const }),
    }))
    const now = lines.map(({ values, text }) => text(values.at(-1) ?? 0)).join(', ')
    return chart({
      title: words.days,
      summary: words.daysSummary(now),
      at: days.map(({ day }) => Date.parse(day) / 1_000),
      atText: dayText,
      range: (first, last) => [first - halfDayS, last + halfDayS],
      lines,
    })
  })
}

function decimals(value: number): string {
  return count(value >= 10 ? Math.round(value) : Math.round(value * 10) / 10)
}

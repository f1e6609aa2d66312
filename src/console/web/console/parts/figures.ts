/** Amounts, counts, times and spans, as the language writes them. */
import { h } from 'preact'
import { html, type View } from '../../html.ts'
import { type Money, moneyIn } from '../../money.ts'
import { useValue, value } from '../value.ts'
import { language, words } from '../words.ts'

const moneys = new Map<string, Money>()

/** Such as `$60.00`. */
export function moneyText(minor: number | bigint, currency: string): string {
  return moneyOf(currency).full(minor)
}

/** Such as `$8K`, where there is little room. */
export function moneyAbout(minor: number, currency: string): string {
  return moneyOf(currency).about(minor)
}

/** What comes in with a plus, and what leaves with a minus. */
export function signedMoney(minor: number, currency: string): View {
  return html`<bdi class="figure ${minor > 0 ? 'in' : ''}">${moneyOf(currency).signed(minor)}</bdi>`
}

/** Such as `60.00`, for other programs. */
export function plainMoney(minor: number, currency: string): string {
  return moneyOf(currency).plain(minor)
}

function moneyOf(currency: string): Money {
  const money = moneys.get(currency) ?? moneyIn(currency, language)
  moneys.set(currency, money)
  return money
}

/** An amount in a column of them. */
export function money(minor: number | bigint, currency: string): View {
  return html`<bdi class="figure ${minor < 0 ? 'below' : ''}">${moneyText(minor, currency)}</bdi>`
}

const whole = new Intl.NumberFormat(language)

export function count(number: number): string {
  return whole.format(number)
}

/** Such as `12 notes`. */
export function notesText(notes: number): string {
  return words.notes(notes, count(notes))
}

const dayAndTime = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' })
const timeOfDay = new Intl.DateTimeFormat(language, { timeStyle: 'medium' })
const dayAlone = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' })

/** Such as `Nov 26, 2026, 3:04:05 PM`, of an instant in RFC 3339, where this browser is. */
export function instantText(instant: string): string {
  return dayAndTime.format(new Date(instant))
}

/** The moment itself. */
export function stamp(instant: string): View {
  return html`<time class="figure" datetime=${instant}>${instantText(instant)}</time>`
}

/** The time of the day alone, of what is of today. */
export function clock(instant: string): View {
  const title = instantText(instant)
  return html`<time class="figure" datetime=${instant} title=${title}>${clockText(new Date(instant))}</time>`
}

export function clockText(moment: Date | number): string {
  return timeOfDay.format(moment)
}

const minuteOfDay = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' })
const dayOfMonth = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', timeZone: 'UTC' })

/** Such as `03:04 PM`, of seconds of the Unix clock. */
export function minuteText(seconds: number): string {
  return minuteOfDay.format(seconds * 1_000)
}

/** Such as `Nov 26`, of the seconds at which that day begins at UTC. */
export function dayText(seconds: number): string {
  return dayOfMonth.format(seconds * 1_000)
}

/** A business day, such as `2026-11-26`. */
export function day(date: string): View {
  return html`<time class="figure" datetime=${date}>${dayAlone.format(new Date(date))}</time>`
}

const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]
const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })

const tick = value(Date.now())
const tickMs = 5_000
setInterval(() => !document.hidden && tick.set(Date.now()), tickMs)

/** How long ago, which stays right while one looks at it; the moment itself where one points at it. */
export function ago(instant: string | null | undefined): View {
  if (instant === null || instant === undefined) return html`<span class="soft">–</span>`
  return html`${h(Ago, { instant })}`
}

function Ago({ instant }: { instant: string }): View {
  const seconds = Math.round((useValue(tick) - Date.parse(instant)) / 1_000)
  return html`
    <time class="figure" datetime=${instant} title=${instantText(instant)}>${agoText(Math.max(seconds, 0))}</time>
  `
}

function agoText(seconds: number): string {
  const [unit, of] = steps.find(([, size]) => seconds >= size) ?? ['second', 1]
  return relative.format(-Math.floor(seconds / of), unit)
}

/** A span such as `2 hr`: its largest unit, of seconds. */
export function spanText(seconds: number): string {
  const [unit, of] = steps.find(([, size]) => seconds >= size) ?? ['second', 1]
  const format = new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' })
  return format.format(Math.floor(seconds / of))
}

/** From one day to another, in the address: days of UTC, so that a link shows everybody the same. */
import { html, type View } from '../../html.ts'
import { type Place, withQuery } from '../place.ts'
import { navigate } from '../router.ts'

type Words = { readonly from: string; readonly to: string; readonly utc: string; readonly anyTime: string }

/** Such as `2026-11-01` and `2026-11-26`, both included. */
export type Period<Day = string | undefined> = { readonly from: Day; readonly to: Day }

const dayMs = 24 * 3_600_000

export function periodIn({ query }: Place): Period {
  return { from: dayIn(query.get('from')), to: dayIn(query.get('to')) }
}

/** What begins when a day is over. */
export function dayAfter(day: string): string
export function dayAfter(day: string | undefined): string | undefined
export function dayAfter(day: string | undefined): string | undefined {
  return day === undefined ? undefined : dayOf(Date.parse(day) + dayMs)
}

/** The day of UTC in which an instant is. Milliseconds. */
export function dayOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10)
}

/** Changes the address as soon as a day is chosen. `usual`: what is shown where the address says nothing. */
export function periodForm(place: Place, words: Words, usual?: Period<string>): View {
  const { from = usual?.from, to = usual?.to } = periodIn(place)
  const set = (name: keyof Period) => (event: Event) => {
    const { value, validity } = event.target as HTMLInputElement
    if (validity.valid) navigate(withQuery(place, { [name]: value, cursor: undefined }), { replace: true })
  }
  const isSet = place.query.has('from') || place.query.has('to')
  const anyTime = withQuery(place, { from: undefined, to: undefined, cursor: undefined })
  return html`
    <div class="filters">
      <label>${words.from}
        <input type="date" name="from" key=${`from ${from}`} defaultValue=${from ?? ''} max=${to ?? '9999-12-30'} onChange=${set('from')} />
      </label>
      <label>${words.to}
        <input type="date" name="to" key=${`to ${to}`} defaultValue=${to ?? ''} min=${from} max="9999-12-30" onChange=${set('to')} />
      </label>
      ${isSet && usual === undefined && html`<a class="button" href=${anyTime}>${words.anyTime}</a>`}
      <small>${words.utc}</small>
    </div>
  `
}

function dayIn(text: string | null): string | undefined {
  const isDay = text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))
  return isDay ? text : undefined
}

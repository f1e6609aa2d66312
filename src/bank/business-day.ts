/** Business days: by the wall clock of a zone, so that the days on which clocks change are as long as they are. */
import type { Day } from '../ledger/limits.ts'
import type { Instant } from '../ledger/money.ts'

// No zone's day begins at another time than a full quarter of an hour of UTC.
const quarterMs = 900_000

/** Tells the day of an instant, such as `2026-11-24`. Throws a RangeError on a zone that is not known. */
export function businessDays(timeZone: string): (now: Instant) => Day {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  let quarter = Number.NaN
  let day = ''
  return (now) => {
    if (Math.floor(now / quarterMs) === quarter) return day
    quarter = Math.floor(now / quarterMs)
    const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]))
    day = `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`
    return day
  }
}

// The longest day is the one on which clocks are set back; no zone does it by more than two hours.
const quartersPerDayMax = 26 * 4

/** When the business day of an instant began. */
export function beginningOf(dayOf: (now: Instant) => Day, instant: Instant): Instant {
  const day = dayOf(instant)
  let last = Math.floor(instant / quarterMs)
  let before = last - quartersPerDayMax
  while (last - before > 1) {
    const middle = Math.floor((before + last) / 2)
    if (dayOf(middle * quarterMs) === day) last = middle
    else before = middle
  }
  return last * quarterMs
}

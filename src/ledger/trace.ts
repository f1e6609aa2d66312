/**
 * Traces: what a machine's own numbers of its messages lead to. A machine that knows no ids says a STAN of six digits,
 * which comes back after a while, and when it said so by its own clock, if it does; so each number keeps its newest uses.
 */
import type { Day } from './limits.ts'
import type { Instant } from './money.ts'
import type { TerminalId } from './terminal.ts'

/** How a message is told from others of its terminal. */
export type Stamp = {
  /** Six digits, the same in a repeat. */
  readonly stan: string
  /** The machine's own reference, or the host's where that says none. */
  readonly rrn?: string
  /** MMDDhhmmss by the machine's clock: the same for the whole life of a transaction. */
  readonly local?: string
  /** MMDDhhmmss in UTC, when the message was sent: a repeat may have another. */
  readonly sent?: string
}

/** A stamp as it is kept. */
export type Said = Stamp & {
  /** The message said that it was sent before: the one that it repeats may come behind it. */
  readonly again?: true
}

/** What an advice may be about: a number, and what must be so of its use where it is known. */
export type Original = Omit<Stamp, 'stan'> & { readonly number: string }

export type Use = Said & {
  readonly of: 'withdrawal' | 'operation' | 'batch'
  readonly id: string
  /** The batch that was open. */
  readonly batch: number
  /** It was taken back before it came: it is not to be done. */
  readonly tombstone?: true
  readonly at: Instant
}

export type Trace = {
  readonly kind: 'trace'
  readonly terminal: TerminalId
  readonly number: string
  /** Oldest first. */
  readonly uses: readonly Use[]
}

// By then what a machine sent before it took it back has arrived, or is lost.
const lateMs = 3600 * 1000
const dayMs = 24 * 3600 * 1000
const keptMs = 2 * dayMs
// A client that says the same number all day is told from its own repeats by the id as well, which has the time in it.
const usesMax = 16

/** Whether a use still counts: for 48 hours, and as long as its batch is open or the last. */
export function isKept({ at, batch }: Use, { now, open }: { now: Instant; open: number }): boolean {
  return batch >= open - 1 || now - at < keptMs
}

/** What a withdrawal is called whose terminal has no ids; `received` is when it came, for a terminal without a clock. */
export function isoId(batch: number, { stan, local, sent }: Stamp, received?: string): string {
  return ['iso', batch, stan, local ?? sent ?? received].filter((part) => part !== undefined).join('-')
}

/** The numbers under which a message is found again: its STAN, and its reference unless that ends in the STAN. */
export function numbersOf({ stan, rrn }: Stamp): readonly string[] {
  return rrn !== undefined && rrn.slice(-6) !== stan && isReference(rrn) ? [stan, rrn] : [stan]
}

/** 1 to 12 letters and digits: under others nothing is found again. */
export function isReference(text: string): boolean {
  return /^[A-Za-z0-9]{1,12}$/.test(text)
}

/** The number under which a close of a batch is found again: its messages are of another class. */
export function numberOfClose({ stan }: Pick<Stamp, 'stan'>): string {
  return `close-${stan}`
}

/** A trace with one more use, and without those that do not count any more, such as the tombstone that is used up by it. */
export function traceWith(
  { uses, ...trace }: Trace,
  use: Use,
  { spent, ...at }: { now: Instant; open: number; spent?: string | undefined },
): Trace {
  const kept = uses.filter((each) => isKept(each, at) && !(each.tombstone && each.id === spent))
  return { ...trace, uses: [...kept, use].slice(-usesMax) }
}

/** The tombstones of what was taken back by this reference alone, for as long as it may still come. */
export function tombstonesBy(uses: readonly Use[], reference: string, now: Instant): readonly Use[] {
  return uses.filter(({ tombstone, rrn, at }) => tombstone && rrn === reference && now - at < lateMs)
}

type When = {
  /** Whether the request says that it was sent before. */
  readonly again: boolean
  readonly now: Instant
  readonly open: number
  dayOf(at: Instant): Day
}

/**
 * The use that a request repeats, or that forbids it. The machine's clock decides where both tell it. Where it does not,
 * a STAN is of one transaction in a batch and on a day; `again`, of a repeat, also where it was sent at another time.
 */
export function useOf(uses: readonly Use[], stamp: Stamp, when: When): Use | undefined {
  const own = uses.filter((use) => use.stan === stamp.stan && isKept(use, when))
  return own.findLast((use) => (use.tombstone ? isForbidden : isRepeat)(use, stamp, when))
}

function isRepeat(use: Use, { local, sent }: Stamp, { again, now, open, dayOf }: When): boolean {
  if (local !== undefined && use.local !== undefined) return local === use.local
  if (local !== undefined || use.local !== undefined) return false
  if (sent !== undefined && sent === use.sent) return true
  const isOfLate = use.batch >= open - 1
  if (again) return isOfLate
  if (sent !== undefined && use.sent !== undefined)
    return use.again === true && isOfLate && isOvertaken(use, sent, now)
  // Machines that count from 1 again every morning say no time either.
  const isBare = sent === undefined && use.sent === undefined
  return isBare && use.batch >= open && dayOf(use.at) === dayOf(now)
}

/** Whether it was taken back before it came; what takes back may have the time at which that was sent. */
function isForbidden(use: Use, stamp: Stamp, { again, now, open, dayOf }: When): boolean {
  const { local, sent } = stamp
  const isSentKnown = sent !== undefined && use.sent !== undefined
  // Where references are none made of STANs, the end of one is no STAN of another.
  const [, reference] = use.rrn === undefined ? [] : numbersOf(stamp)
  const isOthers = reference !== undefined && reference !== use.rrn
  // So for a while the number is enough.
  if (now - use.at < lateMs && (again || !isSentKnown) && !isOthers) return true
  if (isSentKnown && (sent === use.sent || isOvertaken(use, sent, now))) return true
  if (local !== undefined && use.local !== undefined) return local === use.local
  if (isSentKnown && !again) return false
  return use.batch >= open - 1 && (again || dayOf(use.at) === dayOf(now)) && !isOthers
}

/** Whether a message that was sent then is one that a use has overtaken, on another line. */
function isOvertaken({ sent, at }: Use, first: string, now: Instant): boolean {
  return sent !== undefined && now - at < lateMs && isSoonBefore(first, sent)
}

/**
 * Whether a message was sent before another one, and not long: then it may be what the other repeats or takes back. What
 * asks anew under the same number is sent later. Neither tells its year, which may have a 29th of February or not.
 */
function isSoonBefore(sent: string, later: string): boolean {
  return [2000, 2001].some((year) => {
    const yearMs = Date.UTC(year + 1, 0) - Date.UTC(year, 0)
    const ms = (instantIn(year, later) - instantIn(year, sent) + yearMs) % yearMs
    return ms > 0 && ms < lateMs
  })
}

function instantIn(year: number, time: string): Instant {
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = (time.match(/../g) ?? []).map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/**
 * Whether a use was at the time that an advice tells of its original: `other` where that is of another time, or where
 * it tells none and the use is so old that the number may be of another one since. Of what a repeat made, the first may
 * have been sent before.
 */
export function timeOf(
  use: Use,
  { local, sent }: Pick<Original, 'local' | 'sent'>,
  now: Instant,
): 'same' | 'other' | 'unknown' {
  if (local !== undefined && use.local !== undefined && local === use.local) return 'same'
  if (sent !== undefined && use.sent !== undefined) {
    if (sent === use.sent) return 'same'
    if (!use.again || !isSoonBefore(sent, use.sent)) return 'other'
  }
  return now - use.at < dayMs ? 'unknown' : 'other'
}

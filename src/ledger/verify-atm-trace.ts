/** Proves that what a machine numbered was done once: by its STAN and its clock, for as long as that is remembered. */
import type { AtmContent } from './atm-records.ts'
import type { Instant } from './money.ts'
import type { TerminalId } from './terminal.ts'

type Known = {
  readonly local: string | undefined
  readonly sent: string | undefined
  readonly batch: number
  readonly at: Instant
  readonly never: boolean
  /** It was sent before: what it repeats may come behind it. */
  readonly again: boolean
}

type Asking = Pick<Known, 'local' | 'sent' | 'batch' | 'at' | 'again'>

// Of a number that is said all day the newest are remembered.
const usesKept = 16
const hour = 60 * 60 * 1000
const hours48 = 48 * hour

export class TraceVerifier {
  /** By terminal, class and STAN; those of 48 hours and of the last two batches. */
  readonly #known = new Map<string, readonly Known[]>()

  /** Takes a record that was found right otherwise; says what is wrong with its numbers. */
  take(content: AtmContent, at: Instant): string | undefined {
    const said = 'again' in content ? content.again : undefined
    const isRequest = content.kind !== 'withdrawal_forestalled'
    if (!('stan' in content) || content.stan === undefined)
      return said === undefined ? undefined : 'was said again, and has no number'
    const { stan, rrn, local, sent } = content
    if (said !== undefined && (said !== true || !isRequest)) return `was said again: ${said}`
    const [terminal, batch] =
      content.kind === 'batch_closed'
        ? [content.report.terminal, content.report.batch]
        : [(content as { terminal: TerminalId }).terminal, content.batch]
    const named = `${content.kind === 'batch_closed' ? 'close' : 'ask'} ${terminal} ${stan}`
    if (!/^[0-9]{6}$/.test(stan)) return `has the STAN ${JSON.stringify(stan)}, which is none`
    if (rrn !== undefined && rrn.length > 12) return `has the RRN ${JSON.stringify(rrn)}, which is none`
    if (![local, sent].every((time) => time === undefined || /^[0-9]{10}$/.test(time)))
      return `was sent at ${local} and ${sent}, which is no time`
    const known = (this.#known.get(named) ?? []).filter(
      (each) => each.batch + 1 >= batch || at - each.at < hours48,
    )
    const asking = { local, sent, batch, at, again: said === true }
    const before = isRequest ? known.find((each) => isSame(each, asking)) : undefined
    this.#known.set(named, [...known, { ...asking, never: !isRequest }].slice(-usesKept))
    if (before === undefined) return undefined
    return `is STAN ${stan} of ${local ?? sent}, which was ${before.never ? 'taken back before' : 'done before'}`
  }
}

function isSame(known: Known, asking: Asking): boolean {
  const { local, sent } = asking
  if (local !== undefined && known.local !== undefined) return local === known.local
  if (local !== undefined || known.local !== undefined)
    return known.never && sent === known.sent && sent !== undefined
  return sent !== undefined && (sent === known.sent || isOvertaken(known, asking))
}

/** Whether a repeat came before what it repeats, which was sent less than an hour before it and came in the next hour. */
function isOvertaken(known: Known, { sent = '', batch, at, again }: Asking): boolean {
  const { sent: repeated } = known
  if (!known.again || again || repeated === undefined) return false
  if (at - known.at >= hour || known.batch + 1 < batch) return false
  return [365, 366].some((days) => {
    const late = timeOf(repeated, days) - timeOf(sent, days)
    const early = late < 0 ? late + days * 24 * hour : late
    return early > 0 && early < hour
  })
}

/** `MMDDhhmmss` of a year of so many days. */
function timeOf(text: string, days: number): number {
  const [month, day, hours, minutes, seconds] = text.match(/[0-9]{2}/g) ?? []
  return Date.parse(`${days === 366 ? 2024 : 2025}-${month}-${day}T${hours}:${minutes}:${seconds}Z`)
}

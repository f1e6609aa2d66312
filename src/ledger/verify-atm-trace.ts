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
}

// Of a number that is said all day the newest are remembered.
const usesKept = 16
const hours48 = 48 * 60 * 60 * 1000

export class TraceVerifier {
  /** By terminal, class and STAN; those of 48 hours and of the last two batches. */
  readonly #known = new Map<string, readonly Known[]>()

  /** Takes a record that was found right otherwise; says what is wrong with its numbers. */
  take(content: AtmContent, at: Instant): string | undefined {
    if (!('stan' in content) || content.stan === undefined) return undefined
    const { stan, rrn, local, sent } = content
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
    const never = content.kind === 'withdrawal_forestalled'
    const before = never ? undefined : known.find((each) => isSame(each, { local, sent }))
    this.#known.set(named, [...known, { local, sent, batch, at, never }].slice(-usesKept))
    if (before === undefined) return undefined
    return `is STAN ${stan} of ${local ?? sent}, which was ${before.never ? 'taken back before' : 'done before'}`
  }
}

function isSame(known: Known, { local, sent }: Pick<Known, 'local' | 'sent'>): boolean {
  if (local !== undefined && known.local !== undefined) return local === known.local
  if (local !== undefined || known.local !== undefined)
    return known.never && sent === known.sent && sent !== undefined
  return sent !== undefined && sent === known.sent
}

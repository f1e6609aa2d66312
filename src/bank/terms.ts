/**
 * Terms as stores keep them: as numbers, in order of where their records stand, so that rows of what happens now go to
 * the same few pages, however large the rest has become.
 */
import type { Instant } from '../ledger/money.ts'
import type { Term } from '../ledger/terms.ts'

/** So many records are a span. */
const spanRecords = 65_536
const hashes = 2 ** 32

/** In which span the record at a place is. */
export function spanOf(place: number): number {
  return Math.floor(place / spanRecords)
}

/** The last place of a span. */
export function lastOf(span: number): number {
  return (span + 1) * spanRecords - 1
}

/** A term's key in a span, a safe integer. Another term may have the same: the record says whether it is what was sought. */
export function termKey(span: number, term: Term): number {
  return span * hashes + hashOf(term)
}

/** FNV-1a of 32 bits, 0.25 µs: a term costs 3 µs in all, and with SHA-256 it would cost 4. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** The instants between which a span's records were made, both included: a clock may go back. */
export type Span = { readonly span: number; readonly first_at: Instant; readonly last_at: Instant }

/** The spans of records that are taken one by one. */
export class Spans {
  readonly #spans = new Map<number, Span>()

  get all(): readonly Span[] {
    return [...this.#spans.values()]
  }

  take(place: number, at: Instant): void {
    const span = spanOf(place)
    const { first_at, last_at } = this.#spans.get(span) ?? { first_at: at, last_at: at }
    this.#spans.set(span, { span, first_at: Math.min(first_at, at), last_at: Math.max(last_at, at) })
  }
}

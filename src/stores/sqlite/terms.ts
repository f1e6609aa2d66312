/** Walks the records that the index knows under terms, span by span. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { lastOf, spanOf, termKey } from '../../bank/terms.ts'
import type { Instant } from '../../ledger/money.ts'
import type { Term } from '../../ledger/terms.ts'

/** Records before one, of spans in which some were made from an instant on and before another. */
export type Within = { readonly below: number; readonly from?: Instant; readonly to?: Instant }

/** Before which record the walk goes on; and whether the one there is what is looked for. */
export type Step = { readonly below: number; readonly isFound: boolean }

export class Terms {
  readonly #spans: StatementSync
  readonly #newest: StatementSync
  readonly #all: StatementSync

  constructor(index: DatabaseSync) {
    this.#spans = index.prepare(
      'select span from spans where span <= ? and first_at < ? and last_at >= ? order by span desc',
    )
    this.#newest = index.prepare(
      'select max(sequence) as sequence from terms where term = ? and sequence <= ?',
    )
    this.#all = index.prepare('select sequence from terms where term = ? order by sequence limit ?')
  }

  /** The spans that have something of it, newest first. */
  spans({ below, from = 0, to = Number.MAX_SAFE_INTEGER }: Within): readonly number[] {
    const rows = this.#spans.all(spanOf(below - 1), to, from) as { span: number }[]
    return rows.map(({ span }) => span)
  }

  /** Newest first, the records that all of the terms lead to; a step is one look at each term, so that none is long. */
  *under(terms: readonly Term[], within: Within): Generator<Step> {
    for (const span of this.spans(within)) {
      const keys = terms.map((term) => termKey(span, term))
      let at = Math.min(within.below - 1, lastOf(span))
      for (;;) {
        const newest = keys.map((key) => this.#newestUnder(key, at))
        at = Math.min(...newest)
        if (at < 0) break
        const isFound = newest.every((each) => each === at)
        yield { below: isFound ? at : at + 1, isFound }
        if (isFound) at -= 1
      }
    }
  }

  newest(terms: readonly Term[], within: Within): number | undefined {
    for (const { below, isFound } of this.under(terms, within)) if (isFound) return below
    return undefined
  }

  #newestUnder(key: number, at: number): number {
    const { sequence } = this.#newest.get(key, at) as { sequence: number | null }
    return sequence ?? -1
  }

  /** The first records that any of the terms leads to, oldest first. */
  oldest(terms: readonly Term[], limit: number): readonly number[] {
    const found = new Set<number>()
    for (const span of this.spans({ below: Infinity }).toReversed()) {
      const rows = terms.flatMap((term) => this.#all.all(termKey(span, term), limit)) as {
        sequence: number
      }[]
      for (const { sequence } of rows) found.add(sequence)
      if (found.size >= limit) break
    }
    return [...found].sort((a, b) => a - b).slice(0, limit)
  }
}

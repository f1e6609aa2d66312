/**
 * Takes records in by their terms, off the path of commits: in turns, by whichever node comes to it. A record is looked
 * for by its terms where it was taken in, and among the lines beyond `taken`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { Spans, spanOf, termKey } from '../../bank/terms.ts'
import { atmKinds } from '../../ledger/atm-records.ts'
import { fromLine } from '../../ledger/record.ts'
import { termsOf } from '../../ledger/terms.ts'
import { type Ask, asker, endIfSilent, type PostgresOptions, reader, readWith, statement } from './connect.ts'
import type { PlacedLine, Places } from './places.ts'

const recordsPerTurn = 5_000
const everyMs = 1_000

const takenUpTo = statement('taken', 'select place from termed where id = 1')
// Of two who read the same lines the second finds nothing to change.
const advanceTaken = statement(
  'advance_taken',
  'update termed set place = $2 where id = 1 and place = $1 returning place',
)
const insertTerms = statement(
  'insert_terms',
  'insert into terms (term, place) select * from unnest($1::bigint[], $2::bigint[]) as u',
)
const saveSpans = statement(
  'save_spans',
  `insert into spans (span, first_at, last_at)
  select * from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as u
  on conflict (span) do update set
    first_at = least(spans.first_at, excluded.first_at), last_at = greatest(spans.last_at, excluded.last_at)`,
)

export class Terms {
  readonly #pool: pg.Pool
  readonly #options: PostgresOptions
  readonly #places: Places
  readonly #ask: Ask
  #timer: NodeJS.Timeout | undefined
  #taking: Promise<void> | undefined
  #closed = false
  /** How many records there are that have yet to be taken in, as of the last look. */
  lag = 0

  constructor(pool: pg.Pool, options: PostgresOptions, places: Places) {
    this.#pool = pool
    this.#options = options
    this.#places = places
    this.#ask = reader(pool, options)
  }

  /** Takes in what comes, from now on until it is closed. */
  start(): void {
    const take = () => {
      this.#taking ??= this.#takeAll().finally(() => {
        this.#taking = undefined
      })
    }
    take()
    this.#timer = setInterval(take, everyMs).unref()
  }

  /** Where much has come, as after an update, half of the time is left to others. */
  async #takeAll(): Promise<void> {
    try {
      for (let isMore = true; isMore && !this.#closed; ) {
        const startedMs = performance.now()
        isMore = await this.takeIn()
        if (isMore) await sleep(performance.now() - startedMs)
      }
    } catch {
      // The next time, maybe.
    }
  }

  /** Up to which place records were taken in. */
  async taken(): Promise<number> {
    const [row] = await this.#ask(takenUpTo, [])
    return Number(row?.['place'] ?? 0)
  }

  /** One turn; tells whether there was more than that. */
  async takeIn(): Promise<boolean> {
    const { place: head } = await this.#places.head()
    const after = await this.taken()
    const last = Math.min(after + recordsPerTurn, head)
    this.lag = Math.max(0, head - after)
    if (last <= after) return false
    const lines = await this.#places.linesOf({ after, last }, atmKinds)
    await this.#write(lines, { after, last })
    return last < head
  }

  #write(lines: readonly PlacedLine[], { after, last }: { after: number; last: number }): Promise<void> {
    const spans = new Spans()
    const rows: { readonly term: number; readonly place: number }[] = []
    for (const { line, place } of lines) {
      const found = termsOf(fromLine(line).content)
      if (found.length > 0) spans.take(place, line.at)
      for (const term of found) rows.push({ term: termKey(spanOf(place), term), place })
    }
    rows.sort((a, b) => a.term - b.term)
    return readWith(this.#pool, async (client) => {
      const ask = asker(client, this.#options)
      await client.query(`begin; ${endIfSilent}`)
      const isFirst = (await ask(advanceTaken, [after, last])).length > 0
      if (isFirst && rows.length > 0) {
        await ask(insertTerms, [rows.map(({ term }) => term), rows.map(({ place }) => place)])
        const { all } = spans
        await ask(saveSpans, [
          all.map(({ span }) => span),
          all.map(({ first_at }) => first_at),
          all.map(({ last_at }) => last_at),
        ])
      }
      await client.query('commit')
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#taking
  }
}

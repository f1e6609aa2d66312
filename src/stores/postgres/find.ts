/**
 * Finds what the ATM side keeps by its terms, newest first. Beside `stores/sqlite/find.ts`: among the lines that no node
 * has taken in yet, then down the terms; what the records have made is read as it is now.
 */
import {
  type Finding,
  type FindPage,
  type Found,
  type NamedRecord,
  pageOf,
  StoreError,
} from '../../bank/store.ts'
import { lastOf, type Span, spanOf, termKey } from '../../bank/terms.ts'
import { atmKinds } from '../../ledger/atm-records.ts'
import { type EntityName, nameOf, nameOfEntity } from '../../ledger/entity.ts'
import { fromLine } from '../../ledger/record.ts'
import {
  isAbout,
  isSought,
  kindsThatMake,
  nameMadeBy,
  type Sought,
  type Term,
  termsSought,
} from '../../ledger/terms.ts'
import { isOpen } from '../../ledger/withdrawal.ts'
import { type Ask, statement } from './connect.ts'
import { readEntities, readWaiting } from './entities.ts'
import type { PlacedLine, Places } from './places.ts'
import type { Terms } from './terms.ts'

// A page that needs to look at more ends there, and says where to go on.
const looksPerPage = 20_000
// A record with what it made takes as long as so many lines or terms.
const looksPerRecord = 10
const linesPerSlice = 1_000
const rowsPerSlice = 1_000
const recordsPerSlice = 100
const spansPerSlice = 64

const spansWithin = statement(
  'spans_within',
  `select span, first_at, last_at
  from spans
  where span <= $1 and first_at < $2 and last_at >= $3
  order by span desc`,
)
// Of each span the newest under the first term, and whether they are under the others, whose keys are as far apart from
// the first one's in every span.
const underTerms = statement(
  'under_terms',
  `select t.place, t.is_found
  from unnest($1::bigint[]) as s (term)
  cross join lateral (
    select y.place, not exists (
      select 1 from unnest($2::bigint[]) as o (apart)
      where not exists (select 1 from terms x where x.term = y.term + o.apart and x.place = y.place)
    ) as is_found
    from terms y
    where y.term = s.term and y.place < $3
    order by y.place desc
    limit $4
  ) t
  order by t.place desc
  limit $4`,
)
const underBoth = statement(
  'under_both',
  `select distinct t.place
  from unnest($1::bigint[], $2::bigint[]) as made (one, other)
  join terms t on t.term = made.one
  join terms x on x.term = made.other and x.place = t.place
  where t.place < $3
  order by t.place desc`,
)
const placesUnder = statement(
  'places_under',
  'select distinct place from terms where term = any($1::bigint[]) order by place limit $2',
)

/** Lines that may have made what is sought, newest first; before which place to go on; how much was looked at for it. */
type Look = { readonly lines: readonly PlacedLine[]; readonly below: number; readonly looks: number }

/** Places before one, of what was taken in. */
type Within = Pick<Sought, 'from' | 'to'> & { readonly below: number }

export class Finder {
  readonly #ask: Ask
  readonly #places: Places
  readonly #terms: Terms

  constructor({ ask, places, terms }: { ask: Ask; places: Places; terms: Terms }) {
    this.#ask = ask
    this.#places = places
    this.#terms = terms
  }

  async find({ before, limit, ...sought }: FindPage): Promise<Found<Finding>> {
    const { place: head } = await this.#places.head()
    const below = (before === undefined ? undefined : await this.#places.placeOf(before)) ?? head + 1
    const things: Finding[] = []
    let looked = 0
    for await (const look of this.#looks(sought, below)) {
      things.push(...(await this.#findingsIn(look.lines, sought)))
      if (things.length > limit) break
      looked += look.looks
      if (looked < looksPerPage) continue
      const [next] = await this.#places.linesAt([look.below])
      return { things, ...(next && { next: next.id }) }
    }
    return pageOf(things, limit)
  }

  async *#looks(sought: Sought, below: number): AsyncGenerator<Look> {
    const taken = await this.#terms.taken()
    yield* this.#lines({ after: taken, last: below - 1 })
    const within = { ...sought, below: Math.min(below, taken + 1) }
    if (sought.state !== undefined && isOpen({ state: sought.state })) yield* this.#open(sought, within)
    else if (termsSought(sought).length > 0) yield* this.#under(termsSought(sought), within)
    else
      for (const { span } of await this.#spans(within))
        yield* this.#lines({ after: lastOf(span - 1), last: Math.min(within.below - 1, lastOf(span)) })
  }

  async *#lines({ after, last }: { after: number; last: number }): AsyncGenerator<Look> {
    for (let at = last; at > after; ) {
      const down = Math.max(after, at - linesPerSlice)
      const lines = await this.#places.linesOf({ after: down, last: at }, kindsThatMake)
      yield { lines: lines.toReversed(), below: down + 1, looks: at - down + looksPerRecord * lines.length }
      at = down
    }
  }

  async *#under([first = '', ...others]: readonly Term[], within: Within): AsyncGenerator<Look> {
    const aparts = others.map((term) => termKey(0, term) - termKey(0, first))
    let { below } = within
    for (let spans = await this.#spans(within); spans.length > 0; ) {
      const some = spans.slice(0, spansPerSlice)
      const keys = some.map(({ span }) => termKey(span, first))
      const rows = (await this.#ask(underTerms, [keys, aparts, below, rowsPerSlice])) as unknown as UnderRow[]
      for (let i = 0; i < rows.length; i += recordsPerSlice)
        yield this.#lookAt(rows.slice(i, i + recordsPerSlice))
      const isAll = rows.length < rowsPerSlice
      below = isAll ? firstOf(some.at(-1)) : (rows.at(-1)?.place ?? 0)
      yield { lines: [], below, looks: some.length }
      spans = isAll ? spans.slice(some.length) : spans.filter(({ span }) => span <= spanOf(below - 1))
    }
  }

  async #lookAt(rows: readonly UnderRow[]): Promise<Look> {
    const found = rows.filter(({ is_found }) => is_found).map(({ place }) => place)
    const lines = await this.#places.linesAt(found)
    const looks = rows.length + looksPerRecord * lines.length
    return { lines: lines.toReversed(), below: rows.at(-1)?.place ?? 0, looks }
  }

  /** What is open is little, whatever there has been: each leads to the record that made it. */
  async *#open(sought: Sought, within: Within): AsyncGenerator<Look> {
    const spans = await this.#spans(within)
    const keys = (await readWaiting(nameOf.everyWithdrawal, this.#ask)).flatMap((entity) => {
      if (entity.kind !== 'withdrawal' || !isSought(entity, sought)) return []
      const { kind, terminal, id, at } = entity
      const [one = '', other = ''] = termsSought({ kind, terminal, id })
      return spans
        .filter(({ first_at, last_at }) => first_at <= at && last_at >= at)
        .map(({ span }) => [termKey(span, one), termKey(span, other)])
    })
    const both = [keys.map(([one]) => one), keys.map(([, other]) => other)]
    const rows = (await this.#ask(underBoth, [...both, within.below])) as unknown as { place: number }[]
    for (let i = 0; i < rows.length; i += recordsPerSlice)
      yield this.#lookAt(rows.slice(i, i + recordsPerSlice).map(({ place }) => ({ place, is_found: true })))
  }

  /** The spans that have something of it, newest first. */
  async #spans({ below, from = 0, to = Number.MAX_SAFE_INTEGER }: Within): Promise<readonly Span[]> {
    return (await this.#ask(spansWithin, [spanOf(below - 1), to, from])) as unknown as Span[]
  }

  async #findingsIn(lines: readonly PlacedLine[], sought: Sought): Promise<readonly Finding[]> {
    const made = lines.flatMap(({ id, line }) => {
      const name = nameMadeBy(fromLine(line).content)
      return name === undefined ? [] : [{ id, name }]
    })
    const found = await readEntities(
      made.map(({ name }) => name),
      this.#ask,
    )
    const byName = new Map(found.map((entity) => [nameOfEntity(entity), entity]))
    return made.flatMap(({ id, name }): Finding | [] => {
      const entity = byName.get(name)
      return entity !== undefined && isSought(entity, sought) ? { id, entity } : []
    })
  }

  /** Throws a StoreError `unavailable` while much has yet to be taken in, as after an update: they may be anywhere in that. */
  async about(names: readonly EntityName[], limit: number): Promise<readonly NamedRecord[]> {
    const { place: head } = await this.#places.head()
    const taken = await this.#terms.taken()
    if (head - taken > looksPerPage)
      throw new StoreError('unavailable', `${head - taken} records have yet to be taken in`)
    const spans = await this.#spans({ below: Number.MAX_SAFE_INTEGER })
    const keys = names.flatMap((name) => spans.map(({ span }) => termKey(span, name)))
    const rows = (await this.#ask(placesUnder, [keys, limit])) as unknown as { place: number }[]
    const places = rows.map(({ place }) => place).filter((place) => place <= taken)
    const lines = await this.#places.linesAt(places)
    const beyond = await this.#places.linesOf({ after: taken, last: head }, atmKinds)
    return [...lines, ...beyond]
      .map(({ id, line }) => ({ id, ...fromLine(line) }))
      .filter(({ content }) => isAbout(content, names))
      .slice(0, limit)
  }
}

type UnderRow = { readonly place: number; readonly is_found: boolean }

function firstOf(span: Span | undefined): number {
  return lastOf((span?.span ?? 0) - 1) + 1
}

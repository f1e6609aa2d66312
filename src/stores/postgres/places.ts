/**
 * One order of all writers' blocks, for whoever reads what happened one after the other: events, exports, proofs. A
 * block gets its place when somebody first reads that far, never to change. Blocks are taken in the order of their
 * clocks from among those that are committed: a block is committed before any that builds on it, and its clock is
 * lower, so an account's records stand in its order.
 */
import type pg from 'pg'
import type { BlockPage, LineRange, ListedBlock, NamedLine } from '../../bank/store.ts'
import type { Block } from '../../ledger/block.ts'
import type { RecordId } from '../../ledger/command.ts'
import type { Line } from '../../ledger/record.ts'
import {
  type Ask,
  asker,
  endIfSilent,
  type PostgresOptions,
  type Rows,
  reader,
  readWith,
  statement,
} from './connect.ts'
import { idAt, type LineRow, lineColumns, lineOf, spotOf } from './rows.ts'

const blocksPerTurn = 10_000

const head = statement(
  'placed_head',
  `select block, place, exists (
    select 1 from writers w left join placed_of p on p.writer = w.id
    where w.block > coalesce(p.sequence, 0)
  ) as behind
  from placed
  where id = 1`,
)
const lockHead = statement('placed_lock', 'select block, place from placed where id = 1 for update')
const unplaced = statement(
  'unplaced',
  `select b.writer, b.sequence, b.last,
    coalesce((select last from blocks where writer = b.writer and sequence = b.sequence - 1), 0) as before
  from writers w
  left join placed_of p on p.writer = w.id
  cross join lateral (
    select writer, sequence, clock, last from blocks
    where writer = w.id and sequence > coalesce(p.sequence, 0)
    order by sequence
    limit ${blocksPerTurn}
  ) b
  order by b.clock, b.writer
  limit ${blocksPerTurn}`,
)
const insertPlaces = statement(
  'insert_places',
  `insert into places (block, writer, sequence, first, last, place)
  select * from unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) as u`,
)
const savePlacedOf = statement(
  'save_placed_of',
  `insert into placed_of (writer, sequence)
  select * from unnest($1::integer[], $2::bigint[]) as u
  on conflict (writer) do update set sequence = excluded.sequence`,
)
const saveHead = statement('save_placed', 'update placed set block = $1, place = $2 where id = 1')
const placeOf = statement(
  'place_of',
  `select place - last + $2::bigint as place
  from places
  where writer = $1 and last >= $2 and first <= $2
  order by last
  limit 1`,
)
// Block by block, by the key: the planner does not know that the ranges are short, and would read all records to join
// them. `offset 0` keeps it from doing so.
const recordsOf =
  '(select * from records where writer = p.writer and sequence >= p.first and sequence <= p.last offset 0)'
const placesIn =
  'select * from places where place > $1 and place < coalesce((select min(place) from places where place >= $2), $2) + 1'
const placedColumns = `p.place - p.last + r.sequence as place, ${lineColumns}`
const within = 'p.place - p.last + r.sequence > $1 and p.place - p.last + r.sequence <= $2'
const linesIn = statement(
  'lines_in',
  `select ${placedColumns}
  from (${placesIn}) p cross join lateral ${recordsOf} r
  where ${within}
  order by p.place, r.sequence`,
)
const linesOfKinds = statement(
  'lines_of_kinds',
  `select ${placedColumns}
  from (${placesIn}) p cross join lateral ${recordsOf} r
  where ${within} and r.kind = any($3::text[])
  order by p.place, r.sequence`,
)
const linesAt = statement(
  'lines_at_places',
  `select w.place, ${lineColumns}
  from unnest($1::bigint[]) as w (place)
  cross join lateral (select * from places where place >= w.place order by place limit 1) p
  join records r on r.writer = p.writer and r.sequence = p.last - (p.place - w.place)
  order by w.place`,
)
const blocksIn = statement(
  'blocks_in',
  `select b.writer, b.sequence, b.clock, b.at, b.last, b.totals, b.previous, b.hash
  from places p join blocks b on b.writer = p.writer and b.sequence = p.sequence
  where p.block > $1
  order by p.block
  limit $2`,
)
// Each looked up by its key: the planner does not know how few they are, and would read all blocks to join them.
const listedColumns = `p.block as number, p.writer, p.sequence, b.at, p.first, p.last, b.hash, b.previous,
    (select block from places where writer = p.writer and last = p.first - 1) as "previousNumber"`
const blocksBefore = statement(
  'blocks_before_place',
  `select ${listedColumns}
  from (select * from places where block < $1 order by block desc limit $2) p
  cross join lateral (
    select * from blocks where writer = p.writer and sequence = p.sequence offset 0
  ) b
  order by p.block desc`,
)
const heads = statement(
  'heads',
  `select ${listedColumns}
  from placed_of o
  cross join lateral (
    select * from blocks where writer = o.writer and sequence = o.sequence offset 0
  ) b
  cross join lateral (select * from places where writer = b.writer and last = b.last offset 0) p
  order by p.writer`,
)
const linesOf = statement(
  'lines_of',
  `select p.block, ${lineColumns}
  from places p cross join lateral ${recordsOf} r
  where p.block > $1 and p.block <= $2
  order by p.block, r.sequence`,
)

/** A block with its lines, and which one it is in the order of all. */
export type PlacedBlock = { readonly block: Block; readonly lines: readonly Line[]; readonly number: number }

export type PlacedLine = NamedLine & { readonly place: number }

/** Up to which block, and with that to which record, the order has come. */
type Head = { readonly block: number; readonly place: number }

const blocksPerPage = 100

export class Places {
  readonly #pool: pg.Pool
  readonly #options: PostgresOptions
  readonly #ask: Ask
  #advancing: Promise<Head> | undefined
  /** That after it. */
  #next: Promise<Head> | undefined

  constructor(pool: pg.Pool, options: PostgresOptions) {
    this.#pool = pool
    this.#options = options
    this.#ask = reader(pool, options)
  }

  /** Where the order has come to, with every commit that has been answered. */
  async head(): Promise<Head> {
    const [row] = (await this.#ask(head, [])) as unknown as (Head & { behind: boolean })[]
    return row === undefined || row.behind ? this.#advance() : row
  }

  async placeOf(id: RecordId): Promise<number | undefined> {
    const spot = spotOf(id)
    if (spot === undefined) return undefined
    await this.head()
    const [row] = await this.#ask(placeOf, [spot.writer, spot.sequence])
    return row && Number(row['place'])
  }

  async lines({ after, last }: LineRange): Promise<readonly NamedLine[]> {
    const rows = (await this.#ask(linesIn, [after, last])) as readonly LineRow[]
    return rows.map((row) => ({ id: idAt(row), line: lineOf(row) }))
  }

  /** Those of some kinds, with where each is. */
  async linesOf({ after, last }: LineRange, kinds: readonly Line['kind'][]): Promise<readonly PlacedLine[]> {
    return placed(await this.#ask(linesOfKinds, [after, last, kinds]))
  }

  /** The lines at places that are there, in their order. */
  async linesAt(places: readonly number[]): Promise<readonly PlacedLine[]> {
    return places.length === 0 ? [] : placed(await this.#ask(linesAt, [places]))
  }

  async blocksBefore({
    before = Number.MAX_SAFE_INTEGER,
    limit,
  }: BlockPage): Promise<readonly ListedBlock[]> {
    await this.head()
    return (await this.#ask(blocksBefore, [before, limit])) as unknown as ListedBlock[]
  }

  async heads(): Promise<readonly ListedBlock[]> {
    await this.head()
    return (await this.#ask(heads, [])) as unknown as ListedBlock[]
  }

  /** The blocks beyond one, up to another, each with its lines. */
  async *blocks(after: number, to: number): AsyncGenerator<PlacedBlock> {
    for (let at = after; at < to; ) {
      const limit = Math.min(blocksPerPage, to - at)
      const blocks = (await this.#ask(blocksIn, [at, limit])) as unknown as Block[]
      if (blocks.length === 0) return
      const end = at + blocks.length
      const lines = (await this.#ask(linesOf, [at, end])) as readonly (LineRow & { block: number })[]
      const byBlock = Map.groupBy(lines, ({ block }) => block)
      for (const block of blocks) {
        at += 1
        yield { block, lines: (byBlock.get(at) ?? []).map(lineOf), number: at }
      }
    }
  }

  /** Of those who ask together one does it; who comes while it is done may know of later blocks than it saw. */
  #advance(): Promise<Head> {
    if (this.#advancing === undefined) return this.#begin()
    this.#next ??= this.#advancing
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.#advancing ?? this.#begin()
      })
    return this.#next
  }

  #begin(): Promise<Head> {
    const advancing = this.#writeOn().finally(() => {
      this.#advancing = undefined
    })
    this.#advancing = advancing
    return advancing
  }

  #writeOn(): Promise<Head> {
    return readWith(this.#pool, async (client) => {
      const ask = asker(client, this.#options)
      for (;;) {
        await client.query(`begin; ${endIfSilent}`)
        const [row] = (await ask(lockHead, [])) as unknown as Head[]
        let { block, place } = row ?? { block: 0, place: 0 }
        const found = (await ask(unplaced, [])) as unknown as Unplaced[]
        const rows = found.map(({ writer, sequence, before, last }) => {
          block += 1
          place += last - before
          return [block, writer, sequence, before + 1, last, place]
        })
        if (rows.length > 0) {
          await ask(insertPlaces, transposed(rows))
          const ofWriters = new Map(found.map(({ writer, sequence }) => [writer, sequence]))
          await ask(savePlacedOf, [[...ofWriters.keys()], [...ofWriters.values()]])
          await ask(saveHead, [block, place])
        }
        await client.query('commit')
        if (rows.length < blocksPerTurn) return { block, place }
      }
    })
  }
}

function placed(rows: Rows): readonly PlacedLine[] {
  return (rows as unknown as (LineRow & { place: number })[]).map((row) => ({
    id: idAt(row),
    line: lineOf(row),
    place: row.place,
  }))
}

type Unplaced = {
  readonly writer: number
  readonly sequence: number
  readonly last: number
  readonly before: number
}

function transposed(rows: readonly (readonly number[])[]): unknown[][] {
  return (rows[0] ?? []).map((_, i) => rows.map((row) => row[i]))
}

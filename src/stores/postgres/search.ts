/**
 * Searches transfers, holds and acts, newest first. Beside `stores/sqlite/search.ts`: nothing trails that would have to
 * be taken in, and ids of several writers have no order, so it is that of the blocks' clocks, and of every account.
 */
import {
  type Act,
  type ActPage,
  type Entry,
  type EntryPage,
  type Found,
  type HoldPageQuery,
  pageOf,
  type TransferPageQuery,
} from '../../bank/store.ts'
import { isHouse } from '../../ledger/account.ts'
import { isWanted, leftOn } from '../../ledger/books.ts'
import { type Hold, holdAt, type PostedTransfer, type RecordId } from '../../ledger/command.ts'
import { fromLine } from '../../ledger/record.ts'
import { type Ask, statement } from './connect.ts'
import { readLines, transferOf } from './load.ts'
import { idAt, type LineRow, lineColumns, lineOf, type Spot, spotOf } from './rows.ts'

const rowsPerSearch = 1_000
const linesPerSearch = 20_000
// An account's records never go back in time, but the wall clock may: no further than this is looked for.
const clockStepMs = 24 * 3600 * 1000
const end = { clock: Number.MAX_SAFE_INTEGER, writer: 0x7fff_ffff, sequence: Number.MAX_SAFE_INTEGER }

/** Where a record stands: behind those of lower clocks. */
type Order = Spot & { readonly clock: number }

const orderOf = statement(
  'order_of',
  'select clock from blocks where writer = $1 and last >= $2 order by last limit 1',
)
const earlier = '(clock, writer, sequence) < ($1::bigint, $2::integer, $3::bigint)'
const newestFirst = 'order by clock desc, writer desc, sequence desc'
const byReference = statement(
  'transfers_by_reference',
  `select o.clock, ${lineColumns}
  from (
    select clock, writer, sequence from refs where reference = $5 and ${earlier} ${newestFirst} limit $4
  ) o
  join records r using (writer, sequence)
  order by o.clock desc, r.writer desc, r.sequence desc`,
)
const entriesOf = statement(
  'entries_of',
  `select e.version, ${lineColumns}
  from entries e join records r using (writer, sequence)
  where e.account = $1 and e.version < $2 and r.at >= $3 and r.at < $4
  order by e.version desc
  limit $5`,
)
const versionBefore = statement(
  'version_before',
  `select coalesce(max(e.version) + 1, 0) as version
  from entries e join blocks b on b.writer = e.writer and b.last >= e.sequence
    and not exists (select 1 from blocks c where c.writer = b.writer and c.sequence = b.sequence - 1 and c.last >= e.sequence)
  where e.account = $4 and (b.clock, e.writer, e.sequence) < ($1::bigint, $2::integer, $3::bigint)`,
)
const blocksBefore = statement(
  'blocks_before',
  `select b.clock, ${lineColumns}
  from (
    select b.writer, b.sequence, b.clock, b.last from blocks b
    where b.clock <= $1
    order by b.clock desc, b.writer desc
    limit $4
  ) b
  left join blocks before on before.writer = b.writer and before.sequence = b.sequence - 1
  cross join lateral (
    select * from records
    where writer = b.writer and sequence > coalesce(before.last, 0) and sequence <= b.last
    offset 0
  ) r
  where (b.clock, r.writer, r.sequence) < ($1::bigint, $2::integer, $3::bigint)
  order by b.clock desc, r.writer desc, r.sequence desc`,
)
const holdsBefore = statement(
  'holds_before',
  `select clock, writer, sequence, body from holds where ${earlier} ${newestFirst} limit $4`,
)
const holdsOf = statement(
  'holds_of',
  `select clock, writer, sequence, body from holds where account = $5 and ${earlier} ${newestFirst} limit $4`,
)
const actsBefore = statement(
  'acts_before',
  `select ${lineColumns}
  from (select clock, writer, sequence from acts where ${earlier} ${newestFirst} limit $4) o
  join records r using (writer, sequence)
  order by o.clock desc, r.writer desc, r.sequence desc`,
)

async function placeBefore(id: RecordId | undefined, ask: Ask): Promise<Order> {
  const spot = id === undefined ? undefined : spotOf(id)
  if (spot === undefined) return end
  const [row] = await ask(orderOf, [spot.writer, spot.sequence])
  return row === undefined ? end : { ...spot, clock: Number(row['clock']) }
}

export async function searchTransfers(
  { before, limit, ...wanted }: TransferPageQuery,
  ask: Ask,
): Promise<Found<PostedTransfer>> {
  const { reference, account, from = 0 } = wanted
  let at = await placeBefore(before, ask)
  if (reference === undefined && account !== undefined && !isHouse(account))
    return transfersOf({ account, from, to: wanted.to, before, at, limit }, ask)

  const things: PostedTransfer[] = []
  let looked = 0
  for (;;) {
    const { clock, writer, sequence } = at
    const rows = (reference === undefined
      ? await ask(blocksBefore, [clock, writer, sequence, 50])
      : await ask(byReference, [clock, writer, sequence, rowsPerSearch, reference])) as unknown as (LineRow &
      Order)[]
    for (const row of rows) {
      if (reference === undefined && row.at < from - clockStepMs) return pageOf(things, limit)
      at = { clock: row.clock, writer: row.writer, sequence: row.sequence }
      const transfer = row.kind === 'transfer' ? transferOf(row) : undefined
      if (transfer !== undefined && isWanted(transfer, wanted)) things.push(transfer)
      if (things.length > limit) return pageOf(things, limit)
    }
    looked += rows.length
    if (rows.length === 0 || (reference !== undefined && rows.length < rowsPerSearch))
      return pageOf(things, limit)
    if (reference === undefined && looked >= linesPerSearch) return { things, next: idAt(at) }
  }
}

async function transfersOf(
  of: {
    account: string
    from: number
    to: number | undefined
    before: RecordId | undefined
    at: Order
    limit: number
  },
  ask: Ask,
): Promise<Found<PostedTransfer>> {
  const { account, at, from, to, limit } = of
  // Most likely the record is one of the account's own, which says where it stands.
  const left = await versionLeft(of.before, account, ask)
  const before = left ?? (at === end ? end.sequence : await versionsBefore(account, at, ask))
  const entries = await readEntries(
    { account, before, from, limit: limit + 1, ...(to !== undefined && { to }) },
    ask,
  )
  return pageOf(
    entries.map(({ transfer }) => transfer),
    limit,
  )
}

/** The version that a record left on an account; undefined where it is no entry of it. */
async function versionLeft(id: RecordId | undefined, account: string, ask: Ask): Promise<number | undefined> {
  const spot = id === undefined ? undefined : spotOf(id)
  const [row] = spot === undefined ? [] : await readLines([spot], ask)
  return row?.kind === 'transfer' ? leftOn(transferOf(row), account)?.version : undefined
}

async function versionsBefore(
  account: string,
  { clock, writer, sequence }: Order,
  ask: Ask,
): Promise<number> {
  const [row] = await ask(versionBefore, [clock, writer, sequence, account])
  return Number(row?.['version'])
}

export async function readEntries(
  { account, before = end.sequence, from = 0, to = end.sequence, limit }: EntryPage,
  ask: Ask,
): Promise<readonly Entry[]> {
  const rows = (await ask(entriesOf, [account, before, from, to, limit])) as unknown as LineRow[]
  return rows.map((row) => {
    const transfer = transferOf(row)
    const after = leftOn(transfer, account)
    if (after === undefined) throw new Error(`record ${idAt(row)} is no entry of ${account}`)
    return { version: after.version, transfer }
  })
}

export async function searchHolds(
  { account, state, now, before, limit }: HoldPageQuery,
  ask: Ask,
): Promise<Found<Hold>> {
  const things: Hold[] = []
  let at = await placeBefore(before, ask)
  for (let looked = 0; ; ) {
    const values = [at.clock, at.writer, at.sequence, rowsPerSearch]
    const rows = (account === undefined
      ? await ask(holdsBefore, values)
      : await ask(holdsOf, [...values, account])) as unknown as (Order & { body: string })[]
    for (const { body, ...place } of rows) {
      at = place
      const hold = holdAt(JSON.parse(body) as Hold, now)
      if (hold.state === (state ?? hold.state)) things.push(hold)
      if (things.length > limit) return pageOf(things, limit)
    }
    looked += rows.length
    if (rows.length < rowsPerSearch) return pageOf(things, limit)
    if (looked >= linesPerSearch) return { things, next: idAt(at) }
  }
}

export async function readActs({ before, limit }: ActPage, ask: Ask): Promise<Found<Act>> {
  const { clock, writer, sequence } = await placeBefore(before, ask)
  const rows = (await ask(actsBefore, [clock, writer, sequence, limit + 1])) as unknown as LineRow[]
  return pageOf(
    rows.map((row) => ({ id: idAt(row), ...fromLine(lineOf(row)) })),
    limit,
  )
}

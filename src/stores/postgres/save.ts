/**
 * Writes what a batch left. Beside `stores/sqlite/save.ts`, which appends to the journal and leaves the rest to the
 * indexer: here other nodes look things up a moment later, so all rows go with the batch, each table's in the order of
 * its key, which is that of the locks.
 */
import type { Block } from '../../ledger/block.ts'
import type { Books } from '../../ledger/books.ts'
import type { Hold } from '../../ledger/command.ts'
import { dueAt, type Entity, isWaiting, nameOfEntity, ownerOf, waitsOn } from '../../ledger/entity.ts'
import type { JournalRecord, Line } from '../../ledger/record.ts'
import { isListed, isPrivileged } from '../../ledger/registry.ts'
import { type Statement, statement } from './connect.ts'
import { moreOf, type Spot, spotOf } from './rows.ts'

export type Saving = readonly [Statement, readonly unknown[]]

const insertRecords = statement(
  'insert_records',
  `insert into records (writer, sequence, at, kind, actor, scope, body)
  select $1::integer, u.* from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[]) as u`,
)
const insertBlock = statement(
  'insert_block',
  `insert into blocks (writer, sequence, clock, at, last, totals, previous, hash)
  values ($1, $2, $3, $4, $5, $6, $7, $8)`,
)
const accountArrays =
  'unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::text[]) as u (number, currency, ledger, held, version, at, state, more)'
const insertAccounts = statement(
  'insert_accounts',
  `insert into accounts (number, currency, ledger, held, version, at, clock, state, more)
  select number, currency, ledger, held, version, at, $1::bigint, state, more from ${accountArrays}`,
)
const updateAccounts = statement(
  'update_accounts',
  `update accounts set
    ledger = u.ledger, held = u.held, version = u.version, at = u.at, clock = $1::bigint, state = u.state, more = u.more
  from ${accountArrays}
  where accounts.number = u.number`,
)
const insertEntries = statement(
  'insert_entries',
  `insert into entries (account, version, writer, sequence)
  select account, version, $1::integer, sequence
  from unnest($2::text[], $3::bigint[], $4::bigint[]) as u (account, version, sequence)`,
)
const saveHolds = statement(
  'save_holds',
  `insert into holds (writer, sequence, clock, account, pending, body)
  select writer, sequence, $1::bigint, account, pending, body
  from unnest($2::integer[], $3::bigint[], $4::text[], $5::boolean[], $6::text[]) as u (writer, sequence, account, pending, body)
  on conflict (writer, sequence) do update set pending = excluded.pending, body = excluded.body`,
)
const saveReversals = statement(
  'save_reversals',
  `insert into reversals (writer, sequence, reversed, by_writer, by_sequence)
  select * from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::integer[], $5::bigint[]) as u
  on conflict (writer, sequence) do update set
    reversed = excluded.reversed, by_writer = excluded.by_writer, by_sequence = excluded.by_sequence`,
)
const insertRefs = statement(
  'insert_refs',
  `insert into refs (reference, clock, writer, sequence)
  select reference, $1::bigint, $2::integer, sequence
  from unnest($3::text[], $4::bigint[]) as u (reference, sequence)`,
)
const saveThings = statement(
  'save_things',
  `insert into registry (writer, sequence, clock, listed, account, body)
  select writer, sequence, $1::bigint, listed, account, body
  from unnest($2::integer[], $3::bigint[], $4::boolean[], $5::text[], $6::text[]) as u (writer, sequence, listed, account, body)
  on conflict (writer, sequence) do update set
    clock = excluded.clock, listed = excluded.listed, body = excluded.body`,
)
const entityArrays =
  'unnest($2::text[], $3::text[], $4::boolean[], $5::text[], $6::bigint[], $7::text[]) as u (name, owner, waiting, waits_on, due, body)'
const insertEntities = statement(
  'insert_entities',
  `insert into entities (name, clock, owner, waiting, waits_on, due, body)
  select name, $1::bigint, owner, waiting, waits_on, due, body from ${entityArrays}`,
)
const updateEntities = statement(
  'update_entities',
  `update entities set
    clock = $1::bigint, waiting = u.waiting, waits_on = u.waits_on, due = u.due, body = u.body
  from ${entityArrays}
  where entities.name = u.name`,
)
const insertActs = statement(
  'insert_acts',
  `insert into acts (clock, writer, sequence)
  select $1::bigint, $2::integer, u.sequence from unnest($3::bigint[]) as u (sequence)`,
)
// What is too old to be answered again makes room; what another node has remembered meanwhile does not.
const dropReplies = statement(
  'drop_replies',
  `delete from replies
  using unnest($1::text[], $2::text[], $3::bigint[]) as u (scope, key, at)
  where replies.scope = u.scope and replies.key = u.key and replies.at = u.at`,
)
const insertReplies = statement(
  'insert_replies',
  `insert into replies (scope, key, writer, sequence, at)
  select scope, key, $1::integer, sequence, at
  from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) as u (scope, key, sequence, at)`,
)
const advanceWriter = statement(
  'advance_writer',
  'update writers set block = $3, last = $4, totals = $5, until = $6 where id = $1 and epoch = $2',
)

export type Written = {
  /** The batch's layer, and what it was applied to. */
  readonly books: Books
  readonly below: Books
  readonly lines: readonly Line[]
  readonly block: Block
  readonly epoch: number
  /** When the writer's lease ends. Milliseconds of the database's clock. */
  readonly until: number
}

/** The statements that write a batch down, in the order in which every node takes its locks. */
export function saves({ books, below, lines, block, epoch, until }: Written): Saving[] {
  const { writer, clock } = block
  const { records, left } = books
  const saves: Saving[] = []
  const save = (statement: Statement, before: readonly unknown[], rows: readonly (readonly unknown[])[]) => {
    const [first] = rows
    if (first !== undefined)
      saves.push([statement, [...before, ...first.map((_, i) => rows.map((row) => row[i]))]])
  }

  const opened = new Set(left.accounts.filter(({ number }) => below.account(number) === undefined))
  const accounts = left.accounts
    .toSorted((a, b) => (a.number < b.number ? -1 : 1))
    .map((account) => {
      const { number, currency, ledger, held, version, at, state } = account
      const row = [number, currency, ledger, held, version, at, state, moreOf(account)]
      return { isNew: opened.has(account), row }
    })
  const rowsOf = (isNew: boolean) => accounts.filter((each) => each.isNew === isNew).map(({ row }) => row)
  save(insertAccounts, [clock], rowsOf(true))
  save(updateAccounts, [clock], rowsOf(false))
  saveReplies(records, { writer, below, save })
  save(
    insertRecords,
    [writer],
    lines.map(({ sequence, at, kind, actor, scope, body }) => [sequence, at, kind, actor, scope, body]),
  )
  save(insertEntries, [writer], records.flatMap(entriesIn))
  save(saveHolds, [clock], inOrder(left.holds, holdRow))
  save(
    saveReversals,
    [],
    inOrder(
      left.transfers.flatMap(({ transfer: { id }, reversed, last }) => {
        const by = last && spotOf(last.id)
        return by === undefined ? [] : [{ id, reversed, by }]
      }),
      ({ reversed, by }) => [reversed, by.writer, by.sequence],
    ),
  )
  save(
    saveThings,
    [clock],
    inOrder(left.things, (thing) => [
      isListed(thing),
      thing.kind === 'adjustment' ? thing.account : null,
      JSON.stringify(thing),
    ]),
  )
  const entities = left.entities
    .map((entity) => ({ entity, name: nameOfEntity(entity) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ entity, name }) => ({
      isNew: below.entity(name) === undefined,
      row: [name, ...entityRow(entity)],
    }))
  for (const isNew of [true, false])
    save(
      isNew ? insertEntities : updateEntities,
      [clock],
      entities.filter((each) => each.isNew === isNew).map(({ row }) => row),
    )
  save(insertRefs, [clock, writer], records.flatMap(referencesIn))
  save(
    insertActs,
    [clock, writer],
    records.filter(({ content }) => isPrivileged(content)).map(({ sequence }) => [sequence]),
  )
  const { sequence, at, last, totals, previous, hash } = block
  saves.push([insertBlock, [writer, sequence, clock, at, last, totals, previous, hash]])
  saves.push([advanceWriter, [writer, epoch, sequence, last, totals, until]])
  return saves
}

function saveReplies(
  records: readonly JournalRecord[],
  {
    writer,
    below,
    save,
  }: {
    writer: number
    below: Books
    save(statement: Statement, before: readonly unknown[], rows: readonly (readonly unknown[])[]): void
  },
): void {
  // Of two in one batch, which only a clock that jumps makes possible, the later one counts.
  const kept = new Map<string, { scope: string; key: string; sequence: number; at: number }>()
  for (const { content, scope, sequence, at } of records)
    if (content.kind === 'reply')
      kept.set(`${scope}\n${content.key}`, { scope, key: content.key, sequence, at })
  const replies = [...kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reply]) => reply)
  save(
    dropReplies,
    [],
    replies.flatMap(({ scope, key }) => {
      const old = below.reply(scope, key)
      return old === undefined ? [] : [[scope, key, old.at]]
    }),
  )
  save(
    insertReplies,
    [writer],
    replies.map(({ scope, key, sequence, at }) => [scope, key, sequence, at]),
  )
}

/** Rows of what is named by records, in the order of the names, which is that of the locks. */
function inOrder<Thing extends { readonly id: string }>(
  things: readonly Thing[],
  rest: (thing: Thing) => readonly unknown[],
): (readonly unknown[])[] {
  return things
    .flatMap((thing) => {
      const spot = spotOf(thing.id)
      return spot === undefined ? [] : [{ spot, thing }]
    })
    .sort((a, b) => compare(a.spot, b.spot))
    .map(({ spot: { writer, sequence }, thing }) => [writer, sequence, ...rest(thing)])
}

function compare(a: Spot, b: Spot): number {
  return a.writer - b.writer || a.sequence - b.sequence
}

function holdRow(hold: Hold): readonly unknown[] {
  return [hold.account, hold.state === 'pending', JSON.stringify(hold)]
}

function entityRow(entity: Entity): readonly unknown[] {
  return [ownerOf(entity), isWaiting(entity), waitsOn(entity), dueAt(entity), JSON.stringify(entity)]
}

function entriesIn({ content, sequence }: JournalRecord): [string, number, number][] {
  if (content.kind !== 'transfer') return []
  const { debit, credit, debit_after, credit_after } = content
  return [
    ...(debit_after === null ? [] : [[debit, debit_after.version, sequence] as [string, number, number]]),
    ...(credit_after === null ? [] : [[credit, credit_after.version, sequence] as [string, number, number]]),
  ]
}

function referencesIn({ content, sequence }: JournalRecord): [string, number][] {
  return content.kind === 'transfer' && content.reference !== undefined ? [[content.reference, sequence]] : []
}

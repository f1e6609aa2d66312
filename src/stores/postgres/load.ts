/**
 * Brings into the books what a batch names. Other than with one file, others write as well: accounts are locked before
 * anything else is read, and what was read with the lock, or before it, may be of before the wait. So the lock names
 * accounts alone, and what they guard is read by later statements of the same flush.
 */
import type { Pending } from '../../bank/store.ts'
import { type AccountNumber, isHouse } from '../../ledger/account.ts'
import { type Books, posted, stored } from '../../ledger/books.ts'
import { type Hold, type Key, type Pages, pagesOf, type RecordId } from '../../ledger/command.ts'
import type { Entity, EntityName } from '../../ledger/entity.ts'
import { fromLine } from '../../ledger/record.ts'
import type { Thing } from '../../ledger/registry.ts'
import { type Ask, statement } from './connect.ts'
import {
  askEntities,
  type Cards,
  lockUnguarded,
  reach,
  readThere,
  type WantedEntities,
  wantedEntities,
} from './entities.ts'
import {
  type AccountRow,
  accountColumns,
  accountOf,
  columnsOf,
  idAt,
  type LineRow,
  lineColumns,
  lineOf,
  type Spot,
  spotOf,
} from './rows.ts'

/** What a batch names, with the accounts that stand behind the ids in it; in the order in which rows are locked. */
export type Wanted = {
  readonly accounts: readonly AccountNumber[]
  /** Of each command of the batch. */
  readonly pagesOf: readonly (readonly Pages[])[]
  readonly accountsOf: readonly (readonly AccountNumber[])[]
  readonly transfers: readonly Spot[]
  readonly holds: readonly Spot[]
  readonly things: readonly Spot[]
  readonly entities: WantedEntities
  readonly keys: readonly Key[]
}

const spots = 'unnest($1::integer[], $2::bigint[]) as named (writer, sequence)'

const accountsOfHolds = statement(
  'accounts_of_holds',
  `select writer, sequence, account from holds join ${spots} using (writer, sequence)`,
)
const accountsOfThings = statement(
  'accounts_of_things',
  `select writer, sequence, account from registry join ${spots} using (writer, sequence) where account is not null`,
)
const transfersAt = statement(
  'transfers_at',
  `select ${lineColumns}, v.reversed, v.by_writer, v.by_sequence
  from ${spots}
  join records r using (writer, sequence)
  left join reversals v using (writer, sequence)
  where r.kind = 'transfer'`,
)
const linesAt = statement(
  'lines_at',
  `select ${lineColumns} from ${spots} join records r using (writer, sequence)`,
)
const lockAccounts = statement(
  'lock_accounts',
  `select ${accountColumns}
  from accounts
  where number = any($1::text[])
  order by number
  for no key update`,
)
const lockFreeAccounts = statement('lock_free_accounts', `${lockAccounts.text} skip locked`)
const existing = statement('existing', 'select number from accounts where number = any($1::text[])')
const lockThings = statement(
  'lock_things',
  `select writer, sequence, clock, body
  from registry join ${spots} using (writer, sequence)
  order by writer, sequence
  for no key update of registry`,
)
const holdsAt = statement(
  'holds_at',
  `select body from holds where account = any($1::text[]) and pending
  union all
  select body from holds join unnest($2::integer[], $3::bigint[]) as named (writer, sequence) using (writer, sequence)
  where not pending`,
)
const repliesAt = statement(
  'replies_at',
  `select p.scope as key_scope, p.key, ${lineColumns}
  from unnest($1::text[], $2::text[]) as named (scope, key)
  join replies p using (scope, key)
  join records r on r.writer = p.writer and r.sequence = p.sequence`,
)

/**
 * Which accounts a hold, a transfer or an adjustment is of never changes: it is looked up before anything is locked. What
 * stands behind the ATM side's is looked up with it.
 */
export async function wantedBy(batch: readonly Pending[], cards: Cards, ask: Ask): Promise<Wanted> {
  const pages = batch.map((pending) => pagesOf(pending))
  const named = {
    transfers: new Map<RecordId, Spot>(),
    holds: new Map<RecordId, Spot>(),
    things: new Map<RecordId, Spot>(),
  }
  const keys: Key[] = []
  for (const { transfer, hold, thing, key } of pages.flat()) {
    name(named.transfers, transfer)
    name(named.holds, hold)
    name(named.things, thing)
    if (key !== undefined) keys.push(key)
  }
  const [transfers, holds, things] = [named.transfers, named.holds, named.things].map((ids) => [
    ...ids.values(),
  ]) as [Spot[], Spot[], Spot[]]
  const behind = new Map<RecordId, readonly AccountNumber[]>()
  const reading = wantedEntities(pages.flat(), cards, ask)
  const [ofHolds, ofThings, ofTransfers] = (await Promise.all([
    holds.length === 0 ? [] : ask(accountsOfHolds, columnsOf(holds)),
    things.length === 0 ? [] : ask(accountsOfThings, columnsOf(things)),
    transfers.length === 0 ? [] : ask(linesAt, columnsOf(transfers)),
    reading,
  ])) as unknown as [OwnedRow[], OwnedRow[], LineRow[]]
  const { wanted: entities, found } = await reading
  for (const row of [...ofHolds, ...ofThings]) behind.set(idAt(row), [row.account])
  for (const row of ofTransfers) {
    const { content } = fromLine(lineOf(row))
    if (content.kind === 'transfer') behind.set(idAt(row), [content.debit, content.credit])
  }
  const accountsOf = pages.map((each) =>
    each
      .flatMap(({ accounts = [], transfer, hold, thing }) => [
        ...accounts,
        ...[transfer, hold, thing].flatMap((id) => (id === undefined ? [] : (behind.get(id) ?? []))),
      ])
      .concat(...reach(each, found).accounts)
      .filter((number) => !isHouse(number)),
  )
  const accounts = [...new Set(accountsOf.flat())].sort()
  return { accounts, pagesOf: pages, accountsOf, transfers, holds, things, entities, keys }
}

type OwnedRow = Spot & { readonly account: AccountNumber }

function name(ids: Map<RecordId, Spot>, id: RecordId | undefined): void {
  const spot = id === undefined ? undefined : spotOf(id)
  if (id !== undefined && spot !== undefined) ids.set(id, spot)
}

/**
 * Asks for the locks, then for the rest; nothing is waited for until all is on its way. Gives what puts it into books.
 * With `free`, accounts that are locked by others are left out.
 */
export function load(
  { accounts, transfers, holds, things, entities, keys }: Wanted,
  ask: Ask,
  free: boolean,
): Promise<(books: Books) => { readonly clock: number }>[] {
  const asked: Promise<(books: Books) => { readonly clock: number }>[] = []
  const put = (rows: ReturnType<Ask>, into: (books: Books, row: never) => void) =>
    asked.push(
      rows.then((found) => (books) => {
        let clock = 0
        for (const row of found) {
          into(books, row as never)
          clock = Math.max(clock, Number(row['clock'] ?? 0))
        }
        return { clock }
      }),
    )
  if (accounts.length > 0)
    put(ask(free ? lockFreeAccounts : lockAccounts, [accounts]), (books, row: AccountRow) =>
      books.load({ account: accountOf(row) }),
    )
  if (things.length > 0)
    put(ask(lockThings, columnsOf(things)), (books, { body }: { body: string }) =>
      books.load({ thing: JSON.parse(body) as Thing }),
    )
  for (const rows of [...lockUnguarded(entities, ask), ...askEntities(entities, ask)])
    put(rows as ReturnType<Ask>, (books, { body }: { body: string }) =>
      books.load({ entity: JSON.parse(body) as Entity }),
    )
  if (accounts.length > 0)
    put(ask(holdsAt, [accounts, ...columnsOf(holds)]), (books, { body }: { body: string }) =>
      books.load({ hold: JSON.parse(body) as Hold }),
    )
  if (keys.length > 0)
    put(
      ask(repliesAt, [keys.map(({ scope }) => scope), keys.map(({ key }) => key)]),
      (books, row: LineRow & { key_scope: string; key: string }) => {
        const { content, at } = fromLine(lineOf(row))
        if (content.kind === 'reply')
          books.load({ scope: row.key_scope, key: row.key, stored: stored(content, at) })
      },
    )
  if (transfers.length > 0) {
    const pages = readTransfers(transfers, ask)
    asked.push(
      pages.then((found) => (books) => {
        for (const transfer of found) books.load({ transfer })
        return { clock: 0 }
      }),
    )
  }
  return asked
}

type TransferRow = LineRow & {
  readonly reversed: number | null
  readonly by_writer: number
  readonly by_sequence: number
}

/** Transfers with what was reversed of each, and by which reversal last. */
export async function readTransfers(named: readonly Spot[], ask: Ask) {
  const rows = (await ask(transfersAt, columnsOf(named))) as readonly TransferRow[]
  const reversals = rows.filter(({ reversed }) => reversed !== null)
  const last = new Map<RecordId, LineRow>()
  if (reversals.length > 0) {
    const by = reversals.map(({ by_writer: writer, by_sequence: sequence }) => ({ writer, sequence }))
    for (const row of (await ask(linesAt, columnsOf(by))) as readonly LineRow[]) last.set(idAt(row), row)
  }
  return rows.map((row) => {
    const by = last.get(idAt({ writer: row.by_writer, sequence: row.by_sequence }))
    return { transfer: transferOf(row), reversed: row.reversed ?? 0, ...(by && { last: transferOf(by) }) }
  })
}

/** The transfer that a row of a transfer is. */
export function transferOf(row: LineRow) {
  const { content, at } = fromLine(lineOf(row))
  if (content.kind !== 'transfer') throw new Error(`record ${idAt(row)} is no transfer`)
  return posted(content, idAt(row), at)
}

/** Lines by where they are, in no order. */
export async function readLines(named: readonly Spot[], ask: Ask): Promise<readonly LineRow[]> {
  return named.length === 0 ? [] : ((await ask(linesAt, columnsOf(named))) as readonly LineRow[])
}

/** Those of accounts that are there. */
export async function readExisting(
  accounts: readonly AccountNumber[],
  ask: Ask,
): Promise<ReadonlySet<AccountNumber>> {
  return new Set((await ask(existing, [accounts])).map(({ number }) => String(number)))
}

/** Waits for the lock of one account, as long as the transaction may. */
export async function lockOne(account: AccountNumber, ask: Ask): Promise<void> {
  await ask(lockAccounts, [[account]])
}

/**
 * Whether what was read under the locks stands on something that was not loaded with it: another node has made or
 * changed it since it was looked up. Of the commands given by their places in the batch, as the others have no locks.
 */
export async function isOutgrown(
  { pagesOf, accountsOf, entities }: Wanted,
  places: readonly number[],
  books: Books,
  ask: Ask,
): Promise<boolean> {
  const names = new Set(entities.names)
  const absent = { accounts: new Set<AccountNumber>(), entities: new Set<EntityName>() }
  for (const at of places) {
    const reached = reach(pagesOf[at] ?? [], books)
    const locked = new Set(accountsOf[at])
    if (![...reached.accounts].every((number) => locked.has(number))) return true
    if (![...reached.entities].every((name) => names.has(name))) return true
    for (const number of reached.accounts)
      if (books.account(number) === undefined) absent.accounts.add(number)
    for (const name of reached.entities) if (books.entity(name) === undefined) absent.entities.add(name)
  }
  // What was looked for and not found may be there by now.
  if (absent.accounts.size > 0 && (await readExisting([...absent.accounts], ask)).size > 0) return true
  return absent.entities.size > 0 && (await readThere([...absent.entities], ask)).length > 0
}

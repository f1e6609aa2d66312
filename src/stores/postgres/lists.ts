/**
 * Reads many customers' accounts as of one moment. Beside `stores/sqlite/lists.ts`: the moment is a snapshot of the database's,
 * with nothing to catch up with; all of its slices are taken before any is given on.
 */
import type pg from 'pg'
import type { AccountList, AccountPage } from '../../bank/store.ts'
import type { Account } from '../../ledger/account.ts'
import { asker, type PostgresOptions, readWith, statement } from './connect.ts'
import { type AccountRow, accountColumns, accountOf } from './rows.ts'

const rowsPerSlice = 5_000

// A terminal's accounts have a dot in their names.
const isCustomers = `position('.' in number) = 0`
const total = statement('accounts_total', `select count(*) as total from accounts where ${isCustomers}`)
const slice = statement(
  'accounts_slice',
  `select ${accountColumns}
  from accounts
  where number > $1 and ${isCustomers} and state = coalesce($2, state) and currency = coalesce($3, currency)
  order by number
  limit $4`,
)

export function listAccounts(
  pool: pg.Pool,
  options: PostgresOptions,
  { after = '', limit = Infinity, state, currency }: AccountPage,
): Promise<AccountList> {
  return readWith(pool, async (client) => {
    const ask = asker(client, options)
    await client.query('begin isolation level repeatable read, read only')
    const [counted] = await ask(total, [])
    const slices: AccountRow[][] = []
    let found = 0
    for (let from = after; ; ) {
      // One more than is asked for tells whether there are more.
      const size = Math.min(rowsPerSlice, limit + 1 - found)
      const values = [from, state ?? null, currency ?? null, size]
      const rows = (await ask(slice, values)) as unknown as AccountRow[]
      slices.push(rows)
      found += rows.length
      from = rows.at(-1)?.number ?? from
      if (rows.length < size || found > limit) break
    }
    await client.query('commit')
    const more = found > limit
    if (more) slices.at(-1)?.pop()
    return { total: Number(counted?.['total']), more, pieces: piecesOf(slices) }
  })
}

async function* piecesOf(slices: AccountRow[][]): AsyncGenerator<readonly Account[]> {
  for (let rows = slices.shift(); rows !== undefined; rows = slices.shift())
    if (rows.length > 0) yield rows.map(accountOf)
}

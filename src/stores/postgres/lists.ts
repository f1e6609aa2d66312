/** Reads many accounts as of one moment: in slices of one snapshot, all of which are taken before any is given on. */
import type pg from 'pg'
import type { AccountList, AccountPage } from '../../bank/store.ts'
import type { Account } from '../../ledger/account.ts'
import { asker, type PostgresOptions, statement } from './connect.ts'
import { type AccountRow, accountColumns, accountOf } from './rows.ts'

const rowsPerSlice = 5_000

const total = statement('accounts_total', 'select count(*) as total from accounts')
const slice = statement(
  'accounts_slice',
  `select ${accountColumns}
  from accounts
  where number > $1 and state = coalesce($2, state) and currency = coalesce($3, currency)
  order by number
  limit $4`,
)

export async function listAccounts(
  pool: pg.Pool,
  options: PostgresOptions,
  { after = '', limit = Infinity, state, currency }: AccountPage,
): Promise<AccountList> {
  const client = await pool.connect()
  const ask = asker(client, options)
  try {
    await client.query('begin isolation level repeatable read, read only')
    const [counted] = await ask(total, [])
    const slices: AccountRow[][] = []
    let found = 0
    for (let from = after; ; ) {
      // One more than is asked for tells whether there are more.
      const size = Math.min(rowsPerSlice, limit + 1 - found)
      const rows = (await ask(slice, [
        from,
        state ?? null,
        currency ?? null,
        size,
      ])) as unknown as AccountRow[]
      slices.push(rows)
      found += rows.length
      from = rows.at(-1)?.number ?? from
      if (rows.length < size || found > limit) break
    }
    await client.query('commit')
    const more = found > limit
    if (more) slices.at(-1)?.pop()
    return { total: Number(counted?.['total']), more, pieces: piecesOf(slices) }
  } finally {
    client.release()
  }
}

async function* piecesOf(slices: AccountRow[][]): AsyncGenerator<readonly Account[]> {
  for (let rows = slices.shift(); rows !== undefined; rows = slices.shift())
    if (rows.length > 0) yield rows.map(accountOf)
}

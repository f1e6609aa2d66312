/** Brings a database to the schema of this program: numbered files, forward only, each with its checksum. */
import { type Migration, readMigrations } from '../../bank/migrations.ts'
import { StoreError } from '../../bank/store.ts'
import { type Client, messageOf, stateOf } from './connect.ts'

const migrations = readMigrations(new URL('schema/', import.meta.url))
const undefinedTable = '42P01'

/**
 * Runs what is missing, each migration in a transaction with its own row; of several nodes that start together one
 * does it. Throws a StoreError `unusable` for a database that a newer program has changed, or another one made.
 */
export async function migrate(client: Client): Promise<void> {
  let done = await doneIn(client)
  while (done < migrations.length) {
    const { number, name, sql, checksum } = migrations[done] as Migration
    try {
      await client.query(`begin; ${number === 1 ? table : ''}`)
      await client.query('insert into migrations (number, name, checksum, at) values ($1, $2, $3, $4)', [
        number,
        name,
        checksum,
        Date.now(),
      ])
      await client.query(sql)
      await client.query('commit')
      done += 1
    } catch (cause) {
      await client.query('rollback').catch(() => {})
      // Where another node has done it meanwhile, it fails here in one of several ways.
      const before = done
      done = await doneIn(client)
      if (done === before)
        throw new StoreError('unusable', `migration ${number} failed: ${messageOf(cause)}`, { cause })
    }
  }
}

const table = `create table migrations (
  number integer primary key,
  name text not null,
  checksum text not null,
  at bigint not null
);`

async function doneIn(client: Client): Promise<number> {
  const { rows } = await client
    .query('select number, checksum from migrations order by number')
    .catch((error) => {
      if (stateOf(error) === undefinedTable) return { rows: [] }
      throw error
    })
  if (rows.length > migrations.length)
    throw new StoreError(
      'unusable',
      `the database was changed by a newer Cashpoint (schema ${rows.length}; this one knows ${migrations.length})`,
    )
  for (const [i, { checksum }] of rows.entries())
    if (checksum !== migrations[i]?.checksum)
      throw new StoreError(
        'unusable',
        `the database was made with another migration ${i + 1} than this Cashpoint has`,
      )
  return rows.length
}

/** What the conformance suite needs of a database beside a store: which one it is, and that nothing of it is left there. */
import { StoreError } from '../../bank/store.ts'
import { type Client, connect, cut, messageOf } from './connect.ts'
import { readDatabaseUrl } from './hosts.ts'

/** What the database says it is. Throws a StoreError `unusable` where it cannot be reached. */
export function versionOf(url: string): Promise<string> {
  return over(url, async (client) => {
    const { rows } = await client.query('select version() as text')
    return String(rows[0]?.text)
  })
}

/** Drops the schemas whose names begin so, with all that is in them. */
export function dropSchemas(url: string, prefix: string): Promise<void> {
  return over(url, async (client) => {
    const { rows } = await client.query(
      'select schema_name as name from information_schema.schemata where left(schema_name, length($1)) = $1',
      [prefix],
    )
    for (const { name } of rows) await client.query(`drop schema ${client.escapeIdentifier(name)} cascade`)
  })
}

async function over<Got>(url: string, ask: (client: Client) => Promise<Got>): Promise<Got> {
  const client = await connect({ url }).catch((cause) => {
    throw new StoreError('unusable', `${readDatabaseUrl(url).name} cannot be reached: ${messageOf(cause)}`, {
      cause,
    })
  })
  try {
    return await ask(client)
  } finally {
    cut(client)
  }
}

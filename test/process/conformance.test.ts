// `cashpoint conformance`, which is our own suite on whatever database somebody has.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { postgres, postgresMissing } from '../support/postgres.ts'
import { run } from './support.ts'

const match = 'one key on three nodes'

async function schemasIn(url: string): Promise<number> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query(
    `select 1 from information_schema.schemata where schema_name like 'cashpoint%'`,
  )
  await client.end()
  return rows.length
}

test('conformance says what a database is, passes where it should, and leaves nothing behind', {
  skip: postgresMissing,
}, async () => {
  const { url } = await postgres()
  const { code, stdout } = await run(['conformance', '--url', url, '--match', match])
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^postgres:\/\/127\.0\.0\.1:\d+\/postgres\nPostgreSQL \d+/)
  assert.match(stdout, /✔ one key on three nodes at once has one effect/)
  assert.equal(await schemasIn(url), 0)
})

test('a database that is otherwise does not pass', { skip: postgresMissing }, async () => {
  const { url } = await postgres()
  const readOnly = `${url}?options=${encodeURIComponent('-c default_transaction_read_only=on')}`
  const { code, stdout } = await run(['conformance', '--url', readOnly, '--match', match])
  assert.equal(code, 1)
  assert.match(stdout, /read-only transaction/)
})

test('what is no database, or is not there, is one line', async () => {
  for (const [url, exit] of [
    ['http://x', 2],
    ['postgres://nobody@127.0.0.1:1/x', 1],
  ] as const) {
    const { code, stderr } = await run(['conformance', '--url', url])
    assert.equal(code, exit)
    assert.match(stderr, /^cashpoint: .*\n$/)
  }
})

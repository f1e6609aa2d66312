/** How nodes on one PostgreSQL take records in by their terms, and what is found before they have. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import pg from 'pg'
import { StoreError } from '../../src/bank/store.ts'
import { nameOf } from '../../src/ledger/entity.ts'
import { poolOf } from '../../src/stores/postgres/connect.ts'
import { Places } from '../../src/stores/postgres/places.ts'
import { PostgresStore } from '../../src/stores/postgres/store.ts'
import { Terms } from '../../src/stores/postgres/terms.ts'
import { deposit, pending } from '../support/commands.ts'
import { postgres, postgresMissing, runOnce } from '../support/postgres.ts'
import { pagesOf } from './conformance-find.ts'
import { makeCard, makeTerminal, run, step } from './terminals.ts'

const newSchema = async () => (await (await postgres()).schema()).url
const withdrawals = { kind: 'withdrawal', limit: 100 } as const

/** Three withdrawals, one of which is in doubt. */
async function withdraw(store: PostgresStore): Promise<void> {
  await makeTerminal(store, 'T')
  await makeCard(store, 'K', 'a')
  await run(store, ['authorize T w1 K 60 pin=1234', 'authorize T w2 K 20 pin=1234', 'start T w1'])
  await run(store, ['confirm T w1 outcome=unknown', 'authorize T w3 K 60 pin=1234'])
}

async function assertFound(store: PostgresStore): Promise<void> {
  const found = async (sought: object) => (await pagesOf(store, { ...withdrawals, ...sought })).found
  assert.deepEqual(await found({}), ['T/w3', 'T/w2', 'T/w1'])
  assert.deepEqual(await found({ account: 'a', amount: 60 }), ['T/w3', 'T/w1'])
  assert.deepEqual(await found({ state: 'suspect' }), ['T/w1'])
  assert.deepEqual(await found({ id: 'w2' }), ['T/w2'])
  const records = await store.about([nameOf.withdrawal('T', 'w1')], 9)
  assert.deepEqual(
    records.map(({ content }) => content.kind),
    ['withdrawal_authorized', 'withdrawal_started', 'withdrawal_settled', 'exception_opened'],
  )
}

async function rowsOf(url: string, text: string): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** Waits until nothing is left to be taken in. */
async function allTaken(store: PostgresStore, url: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const [row] = await rowsOf(url, 'select place from termed')
    if (Number(row?.['place']) === (await store.last())) return
    assert(tries < 200, 'it is taken in before long')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('taking in', { skip: postgresMissing }, () => {
  test('what was there before there was a table for it is taken in, and found meanwhile', async () => {
    const url = await newSchema()
    const old = await PostgresStore.open({ url })
    await withdraw(old)
    await old.close()
    await runOnce(url, 'drop table terms, spans, termed; delete from migrations where number = 4')
    const store = await PostgresStore.open({ url })
    try {
      await assertFound(store)
      await allTaken(store, url)
      await assertFound(store)
    } finally {
      await store.close()
    }
  })

  test('what nobody can take in just now is found among the lines, or it is said where to go on', async (t) => {
    const url = await newSchema()
    const store = await PostgresStore.open({ url })
    t.after(() => store.close())
    await allTaken(store, url)
    const psql = new pg.Client({ connectionString: url })
    await psql.connect()
    t.after(() => psql.end())
    await psql.query('begin; select 1 from termed for update')
    await withdraw(store)
    await assertFound(store)

    const fill = Array.from({ length: 1_000 }, () => pending(deposit('z', '0.01')))
    for (let i = 0; i < 25; i += 1) await store.commit(fill)
    const { found, pages } = await pagesOf(store, { ...withdrawals, terminal: 'T' })
    assert.deepEqual(found, ['T/w3', 'T/w2', 'T/w1'])
    assert.equal(pages, 1)
    const first = await store.find({ ...withdrawals, terminal: 'T' })
    assert.deepEqual(first.things, [])
    assert(first.next !== undefined)
    const isUnavailable = (error: unknown) => error instanceof StoreError && error.code === 'unavailable'
    await assert.rejects(store.about([nameOf.withdrawal('T', 'w1')], 9), isUnavailable)

    await psql.query('rollback')
    await allTaken(store, url)
    assert.equal((await store.find({ ...withdrawals, terminal: 'T' })).things.length, 3)
    await assertFound(store)
  })

  test('of nodes that take the same in at once one does it', async (t) => {
    const url = await newSchema()
    const store = await PostgresStore.open({ url })
    t.after(() => store.close())
    await makeTerminal(store, 'T')
    await makeCard(store, 'K', 'a')
    const pools = [1, 2, 3].map(() => poolOf({ url }, 2))
    t.after(() => Promise.all(pools.map((pool) => pool.end())))
    const nodes = pools.map((pool) => new Terms(pool, { url }, new Places(pool, { url })))
    for (let round = 0; round < 10; round += 1) {
      await store.commit([step(`authorize T w${round} K 10 pin=1234`)])
      await Promise.all(nodes.map((node) => node.takeIn()))
    }
    await allTaken(store, url)
    const { found } = await pagesOf(store, { ...withdrawals, account: 'a' })
    assert.deepEqual(
      found,
      Array.from({ length: 10 }, (_, i) => `T/w${9 - i}`),
    )
    // Each is under its account once.
    const [row] = await rowsOf(url, 'select count(*) as n from terms group by term order by n desc limit 1')
    assert.equal(Number(row?.['n']), 10)
  })

  test('a node goes on taking in when its connections were cut, whatever was under way', async (t) => {
    const server = await postgres()
    const url = await newSchema()
    const store = await PostgresStore.open({ url })
    t.after(() => store.close())
    await makeTerminal(store, 'T')
    await makeCard(store, 'K', 'a')
    const pool = poolOf({ url }, 4)
    t.after(() => pool.end())
    const terms = new Terms(pool, { url }, new Places(pool, { url }))
    // What cannot be reached for a moment is asked again; what is broken off with nobody waiting is nobody's error.
    const taking = new AbortController()
    const takers = [1, 2, 3].map(async () => {
      while (!taking.signal.aborted) await terms.takeIn()
    })
    for (let round = 0; round < 20; round += 1) {
      await store.commit([step(`authorize T w${round} K 10 pin=1234`)])
      await server.cut()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    taking.abort()
    await Promise.all(takers)
    await allTaken(store, url)
    const { found } = await pagesOf(store, { ...withdrawals, account: 'a' })
    assert.equal(found.length, 20)
  })

  test('a term of more records than are read at once leads to all of them', async (t) => {
    const url = await newSchema()
    const store = await PostgresStore.open({ url })
    t.after(() => store.close())
    await makeTerminal(store, 'T')
    await makeCard(store, 'K', 'a')
    const ids = Array.from({ length: 2_100 }, (_, i) => `w${i}`)
    for (let i = 0; i < ids.length; i += 300)
      await store.commit(
        ids
          .slice(i, i + 300)
          .map((id, j) => step(`authorize T ${id} K ${(i + j) % 700 === 0 ? 50 : 10} pin=9999`)),
      )
    await allTaken(store, url)
    const found = async (sought: object) => (await pagesOf(store, { ...withdrawals, ...sought })).found
    const newestFirst = ids.toReversed().map((id) => `T/${id}`)
    assert.deepEqual(await found({ terminal: 'T' }), newestFirst)
    assert.deepEqual(await found({ last4: '0119', amount: 50 }), ['T/w1400', 'T/w700', 'T/w0'])
    assert.deepEqual(await found({ terminal: 'T', state: 'reversed' }), [])
    assert.deepEqual(await found({ terminal: 'T', stan: '000001' }), [])
  })
})

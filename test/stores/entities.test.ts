/** What the ATM side keeps in an index or in rows, held against the journal; and books that are read anew from both. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { genesis } from '../../src/ledger/block.ts'
import { Books } from '../../src/ledger/books.ts'
import { nameOf, nameOfEntity } from '../../src/ledger/entity.ts'
import { fromLine } from '../../src/ledger/record.ts'
import { PostgresStore } from '../../src/stores/postgres/store.ts'
import { filesOf } from '../../src/stores/sqlite/files.ts'
import { JournalReader } from '../../src/stores/sqlite/journal.ts'
import { Loader } from '../../src/stores/sqlite/load.ts'
import { Projection } from '../../src/stores/sqlite/projection.ts'
import { prove } from '../../src/stores/sqlite/prove.ts'
import { replay } from '../../src/stores/sqlite/replay.ts'
import { postgres, postgresMissing, runOnce } from '../support/postgres.ts'
import { sqlitePlace } from '../support/stores.ts'
import { someOfEach } from './terminals.ts'

test('books that an index and the journal beyond it make are those that the whole journal makes', async () => {
  const place = sqlitePlace()
  const store = await place.open()
  await someOfEach(store)
  await store.close()
  const journal = new DatabaseSync(place.path, { readOnly: true })
  const reader = new JournalReader(journal)
  const { sequence: blocks, last } = reader.head()
  const whole = Books.at(genesis(1))
  const indexSql = readFileSync(new URL('../../src/stores/sqlite/schema/index.sql', import.meta.url), 'utf8')
  const emptyIndex = () => {
    const index = new DatabaseSync(':memory:')
    index.exec(indexSql)
    return index
  }
  replay(whole, new Loader({ index: emptyIndex(), journal }), reader.lines(0, last))
  const kinds = new Set(reader.lines(0, last).map(({ kind }) => kind))
  assert(kinds.size > 20, `there are records of ${kinds.size} kinds`)

  for (let at = 0; at <= blocks; at += 1) {
    const index = emptyIndex()
    const block = reader.block(at)
    assert(block !== undefined)
    new Projection(index).advance(reader.lines(0, block.last), block)
    const loader = new Loader({ index, journal })
    const books = Books.at(block)
    replay(books, loader, reader.lines(block.last, last))
    for (const entity of whole.left.entities) {
      const name = nameOfEntity(entity)
      assert.deepEqual(
        plain(books.entity(name) ?? loader.entity(name)),
        plain(entity),
        `${name} from block ${at}`,
      )
    }
    for (const account of whole.left.accounts)
      assert.deepEqual(
        { ...(books.account(account.number) ?? loader.account(account.number)) },
        { ...account },
        `${account.number} from block ${at}`,
      )
    loader.loadPages(books, { waiting: nameOf.everyWithdrawal })
    assert.deepEqual(books.waiting(nameOf.everyWithdrawal), whole.waiting(nameOf.everyWithdrawal))
    index.close()
  }
  const content = fromLine(reader.line(last)).content
  assert.equal(content.kind, 'demo_ended', 'the first credential ends the demo')
  journal.close()
  place.remove()
})

/** Each a change of what is derived, in SQL of both, and what is said of it. */
const forgeries: readonly { readonly sql: string; readonly says: RegExp }[] = [
  {
    sql: `update entities set body = replace(body, '"tries_left":3', '"tries_left":2') where name like 'card/%'`,
    says: /card\/card_[0-9a-f]+ is not what the journal leaves/,
  },
  {
    sql: `update entities set due = null where name = 'withdrawal/T/w7'`,
    says: /withdrawal\/T\/w7 is not what the journal leaves/,
  },
  {
    sql: `update entities set waits_on = null where name = 'withdrawal/T/w7'`,
    says: /withdrawal\/T\/w7 is not what the journal leaves/,
  },
  {
    sql: `update entities set owner = 'U' where name = 'batch/T/000000001'`,
    says: /batch\/T\/000000001 is not what the journal leaves/,
  },
  {
    sql: `delete from entities where name = 'operation/T/d1'`,
    says: /(the index does not have|there is no) operation\/T\/d1/,
  },
  {
    sql: `update entities set name = 'operation/T/d3' where name = 'operation/T/d2'`,
    says: /there is operation\/T\/d3, which the journal never made|there is no operation\/T\/d2/,
  },
]

test('sqlite: an entity that only the index has, has otherwise or has not is named', async () => {
  const place = sqlitePlace()
  const store = await place.open()
  await someOfEach(store)
  await store.close()
  const honest = prove(place.path)
  assert(!('what' in honest), 'what' in honest ? honest.what : '')
  for (const { sql, says } of [...forgeries, { sql: lateWaiting('waiting = 1'), says: /w1 is not what/ }]) {
    const index = new DatabaseSync(filesOf(place.path).index)
    index.exec(`create table before as select * from entities; ${sql}`)
    const found = prove(place.path)
    assert.match('what' in found ? found.what : '', says)
    index.exec('delete from entities; insert into entities select * from before; drop table before')
    index.close()
  }
  assert(!('what' in prove(place.path)))
  place.remove()
})

function lateWaiting(set: string): string {
  return `update entities set ${set} where name = 'withdrawal/T/w1'`
}

describe('postgres', { skip: postgresMissing }, () => {
  test('postgres: an entity that only a row has, has otherwise or has not is named', async () => {
    const { url } = await (await postgres()).schema()
    const store = await PostgresStore.open({ url })
    try {
      await someOfEach(store)
      const proven = async () => {
        const found = await store.prove({}, () => {})
        return 'what' in found ? found.what : ''
      }
      assert.equal(await proven(), '')
      const behind = {
        sql: `update entities set clock = clock - 1 where name = 'keys/'`,
        says: /keys\/ is of clock/,
      }
      for (const { sql, says } of [
        ...forgeries,
        { sql: lateWaiting('waiting = true'), says: /w1 is not what/ },
        behind,
      ]) {
        await runOnce(url, `create table before as select * from entities; ${sql}`)
        assert.match(await proven(), says, sql)
        await runOnce(
          url,
          'delete from entities; insert into entities select * from before; drop table before',
        )
      }
      // A clock that no block has yet is one of a block that has come since: there is none.
      await runOnce(url, `update entities set clock = clock + 1000 where name = 'terminal/T'`)
      assert.match(await proven(), /terminal\/T is of clock/)
    } finally {
      await store.close()
    }
  })
})

/** As it comes out of JSON. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

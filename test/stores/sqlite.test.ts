/** The SQLite store keeps the contract of a store, and what is in its files cannot be changed. */
import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Key } from '../../src/ledger/command.ts'
import { filesOf } from '../../src/stores/sqlite/files.ts'
import { keyHash } from '../../src/stores/sqlite/load.ts'
import { SqliteStore } from '../../src/stores/sqlite/store.ts'
import { deposit, gist, pending, withdraw } from '../support/commands.ts'
import { assertProven, journalOf } from '../support/journal.ts'
import { sqlitePlace } from '../support/stores.ts'
import { conformance } from './conformance.ts'

conformance('sqlite', sqlitePlace)

describe('sqlite: history', () => {
  // What somebody with a SQL prompt might try, with SQLite's own settings, not the store's.
  const attempts = [
    "update records set body = '{}'",
    'update records set at = at + 1 where sequence = 1',
    'update records set sequence = sequence + 100',
    "update or replace records set actor = 'x'",
    "update or ignore records set actor = 'x'",
    'delete from records',
    'delete from records where sequence = 3',
    'insert or replace into records select * from records where sequence = 1',
    "insert or replace into records (sequence, at, kind, actor, scope, body) values (2, 0, 'transfer', '', '', '{}')",
    "replace into records (sequence, at, kind, actor, scope, body) values (1, 0, 'reply', '', '', '{}')",
    "insert into records (sequence, at, kind, actor, scope, body) values (99, 0, 'reply', '', '', '{}')",
    "insert into records (sequence, at, kind, actor, scope, body) values (0, 0, 'reply', '', '', '{}')",
    "insert into records (sequence, at, kind, actor, scope, body) values (-1, 0, 'reply', '', '', '{}')",
    "insert into records (sequence, at, kind, actor, scope, body) values (1, 0, 'reply', '', '', '{}') on conflict (sequence) do update set body = '{}'",
    "update blocks set hash = ''",
    'update blocks set last = 2 where sequence = 1',
    "update or replace blocks set totals = '{}'",
    'delete from blocks',
    'delete from blocks where sequence = (select max(sequence) from blocks)',
    'insert or replace into blocks select * from blocks where sequence = 1',
    'replace into blocks select * from blocks',
    'insert into blocks select 99, writer, clock, at, last, totals, previous, hash from blocks where sequence = 1',
    "insert into blocks select 1, writer, clock, at, last, totals, previous, hash from blocks where sequence = 2 on conflict (sequence) do update set hash = ''",
  ]

  test('no record and no block can be changed, removed or replaced', async () => {
    const place = sqlitePlace()
    const store = await place.open()
    await store.commit([pending(deposit('a', '10'), { key: { scope: '', key: 'k' } })])
    await store.commit([pending(withdraw('a', '1'))])
    const before = await journalOf(store)
    await store.close()

    const db = new DatabaseSync(place.path)
    for (const recursiveTriggers of ['on', 'off']) {
      db.exec(`pragma recursive_triggers = ${recursiveTriggers}`)
      for (const attempt of attempts)
        assert.throws(() => db.exec(attempt), /never changed|never deleted|without a gap/, attempt)
    }
    db.close()

    const reopened = await place.open()
    assert.deepEqual(await journalOf(reopened), before)
    assertProven(before)
    await reopened.close()
    place.remove()
  })
})

describe('sqlite: the index is derived, and made again from the journal', () => {
  const key = { scope: '', key: 'k' }

  /** A store of some accounts and a key, closed; `between` is done halfway, with the store closed. */
  async function filled(between: (index: string) => void = () => {}) {
    const place = sqlitePlace()
    const { index } = filesOf(place.path)
    const first = await place.open()
    await first.commit([pending(deposit('a', '10'), { key }), pending(deposit('b', '20'))])
    await first.close()
    between(index)
    const second = await place.open()
    await second.commit([pending(withdraw('a', '4')), pending(deposit('c', '30'))])
    await second.close()
    return { place, index }
  }

  async function checkAll(path: string, expectedNotice: RegExp | undefined): Promise<void> {
    const notices: string[] = []
    const store = await SqliteStore.open({ path, onNotice: (notice) => notices.push(notice) })
    const { total, pieces } = await store.accounts({})
    const accounts = (await Array.fromAsync(pieces)).flat()
    assert.deepEqual(
      accounts.map(({ number, ledger, version }) => `${number} ${ledger} ${version}`),
      ['a 600 3', 'b 2000 2', 'c 3000 2'],
    )
    assert.equal(total, 3)
    for (const account of accounts)
      assert.deepEqual({ ...(await store.account(account.number)) }, { ...account })
    const [again] = await store.commit([pending(deposit('a', '10'), { key })])
    assert.deepEqual(again && [gist(again), again.replayed], [1000, true])
    assert.deepEqual((await store.commit([pending(withdraw('a', '6'))])).map(gist), [0])
    assertProven(await journalOf(store))
    await store.close()
    if (expectedNotice === undefined) assert.deepEqual(notices, [])
    else assert.match(notices.join(), expectedNotice)
  }

  test('where it is missing', async () => {
    const { place, index } = await filled()
    rmSync(index)
    await checkAll(place.path, /index is missing/)
    place.remove()
  })

  test('where it is damaged', async () => {
    const { place, index } = await filled()
    writeFileSync(
      index,
      'no database at all, but some text that is long enough to be read as one'.repeat(100),
    )
    await checkAll(place.path, /index is damaged/)
    place.remove()
  })

  test('where it is empty', async () => {
    const { place, index } = await filled()
    writeFileSync(index, '')
    await checkAll(place.path, /index/)
    place.remove()
  })

  test('where it is of an earlier moment it only catches up, as after a kill', async () => {
    const { place, index } = await filled((index) => copyFileSync(index, `${index}.before`))
    rmSync(index)
    copyFileSync(`${index}.before`, index)
    await checkAll(place.path, undefined)
    place.remove()
  })

  test('where it belongs to another journal', async () => {
    const other = await filled()
    const { place, index } = await filled()
    copyFileSync(other.index, index)
    await checkAll(place.path, /index is not of this journal/)
    place.remove()
    other.place.remove()
  })
})

describe('sqlite: all or nothing', () => {
  test('a batch that fails halfway through being written has written nothing', async () => {
    const place = sqlitePlace()
    const store = await place.open()
    await store.commit([pending(deposit('a', '10'))])
    const before = await journalOf(store)
    // No column takes an object, which is found out when the lines before it have been inserted.
    const actor = {} as string
    const batch = [
      pending(withdraw('a', '1')),
      pending(withdraw('a', '2'), { actor }),
      pending(deposit('b', '1')),
    ]
    await assert.rejects(store.commit(batch), { name: 'StoreError', code: 'failed' })
    assert.deepEqual(await journalOf(store), before)
    assert.deepEqual((await store.commit([pending(withdraw('a', '4'))])).map(gist), [600])
    assert.equal(await store.account('b'), undefined)
    assertProven(await journalOf(store))
    await store.close()
    place.remove()
  })
})

describe('sqlite: keys in the index', () => {
  test('two keys that share the 48 bits the index has of them are two keys', async () => {
    // Found among 36 million keys.
    const [one, other] = ['k-16659473', 'k-17096114'].map((key) => ({ scope: '', key })) as [Key, Key]
    assert.equal(keyHash('', one.key), keyHash('', other.key))
    const place = sqlitePlace()
    let store = await place.open()
    const ask = async (key: Key, amount: string) => {
      const [outcome] = await store.commit([pending(deposit('a', amount), { key })])
      return outcome && [gist(outcome), outcome.replayed]
    }
    assert.deepEqual(await ask(one, '1'), [100, false])
    await store.close()
    store = await place.open()
    assert.deepEqual(await ask(other, '2'), [300, false])
    await store.close()
    store = await place.open()
    assert.deepEqual(await ask(one, '1'), [100, true])
    assert.deepEqual(await ask(other, '2'), [300, true])
    await store.close()
    place.remove()
  })

  test('a key is kept as long as the setting says, and then it is free', async () => {
    const keyRetentionMs = 700
    const { path, remove } = sqlitePlace()
    const key = { scope: '', key: 'k' }
    let store = await SqliteStore.open({ path, keyRetentionMs })
    const repeat = async () => {
      const [outcome] = await store.commit([pending(deposit('a', '1'), { key })])
      return outcome && [gist(outcome), outcome.replayed]
    }
    assert.deepEqual(await repeat(), [100, false])
    assert.deepEqual(await repeat(), [100, true])
    await sleep(keyRetentionMs)
    assert.deepEqual(await repeat(), [200, false])
    assert.deepEqual(await repeat(), [200, true])
    await store.close()

    store = await SqliteStore.open({ path, keyRetentionMs: 24 * 3600 * 1000 })
    assert.deepEqual(await repeat(), [200, true], 'of two replies under a key the newer one counts')
    await store.close()
    remove()
  })

  test('keys that are too old leave the index, and the others stay', async () => {
    const keyRetentionMs = 600
    const { path, remove } = sqlitePlace()
    const store = await SqliteStore.open({ path, keyRetentionMs })
    const keyed = (from: number) =>
      Array.from({ length: 500 }, (_, i) =>
        pending(deposit('a', '1'), { key: { scope: '', key: `k${from + i}` } }),
      )
    const keysInIndex = () => {
      const index = new DatabaseSync(path.replace(/\.db$/, '-index.db'), { readOnly: true })
      const row = index.prepare('select count(*) as keys from keys').get()
      index.close()
      return row?.['keys']
    }
    for (let batch = 0; batch < 5; batch += 1) await store.commit(keyed(batch * 500))
    const waitFor = async (keys: number) => {
      for (let waitedMs = 0; keysInIndex() !== keys; waitedMs += 20) {
        assert(waitedMs < 10_000, `${keysInIndex()} keys, not ${keys}`)
        await sleep(20)
      }
    }
    await waitFor(2500)
    await waitFor(0)
    await store.commit(keyed(0))
    await waitFor(500)
    await store.close()
    remove()
  })
})

describe('sqlite: lists', () => {
  test('a list that is given up before its first piece is let go of', async () => {
    const place = sqlitePlace()
    const store = await place.open()
    for (let batch = 0; batch < 5; batch += 1)
      await store.commit(Array.from({ length: 1000 }, (_, i) => pending(deposit(`${batch}-${i}`, '1'))))
    // What happens when a client of GET /accounts hangs up at once.
    const giveUp = async () => {
      const { pieces } = await store.accounts({})
      await pieces[Symbol.asyncIterator]().return?.()
    }
    for (let i = 0; i < 20; i += 1) await giveUp()
    const before = process.memoryUsage.rss()
    for (let i = 0; i < 60; i += 1) await giveUp()
    const grownMb = (process.memoryUsage.rss() - before) / 1e6
    await store.close()
    place.remove()
    assert(grownMb < 40, `grew by ${Math.round(grownMb)} MB`)
  })
})

test('the indexer, for which nobody waits, gives way to the writer, for which all do', {
  skip: process.platform !== 'linux' && 'only there has a thread a priority of its own',
}, async () => {
  const store = await sqlitePlace().open()
  assert.deepEqual(nicenessOf('indexer'), [5])
  assert.deepEqual(nicenessOf('writer'), [0])
  await store.close()
})

/** How nice the threads of this process are that have a name, each figure once. */
function nicenessOf(name: string): number[] {
  const figures = readdirSync('/proc/self/task')
    .map((id) => readFileSync(`/proc/self/task/${id}/stat`, 'utf8'))
    .filter((stat) => stat.includes(`(${name})`))
    .map((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]))
  return [...new Set(figures)]
}

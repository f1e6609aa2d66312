/** A ledger in a file is moved to PostgreSQL: every byte of the journal, and all that is looked up, are the same there. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Command } from '../../src/ledger/command.ts'
import { copyToDatabase, databaseBlocks } from '../../src/stores/postgres/copy.ts'
import { PostgresStore } from '../../src/stores/postgres/store.ts'
import { deposit, gist, pending, withdraw } from '../support/commands.ts'
import { type Entry, journalOf } from '../support/journal.ts'
import { postgres } from '../support/postgres.ts'
import { sqlitePlace } from '../support/stores.ts'
import { someOfEach } from './terminals.ts'

const far = Number.MAX_SAFE_INTEGER
const usd = { currency: 'USD' }

export function movingUp(): void {
  describe('moving up', () => {
    test('journal, accounts, holds, history, keys and registry are the same, and writing goes on', async () => {
      const place = sqlitePlace()
      const file = await place.open()
      const { holds } = await someOfEverything((command, key) =>
        file.commit([pending(command, { fresh: 'a'.repeat(64), ...(key && { key: { scope: '', key } }) })]),
      )
      await someOfEach(file)
      const journal = await journalOf(file)
      const { url } = await (await postgres()).schema()
      const copied = await copyToDatabase(journal, { url })
      assert.equal(copied.head, journal.at(-1)?.block.hash)

      const store = await PostgresStore.open({ url })
      try {
        assert.deepEqual(await journalOf(store), journal)
        for (const number of ['a', 'b', 'nobody'])
          assert.deepEqual(plain(await store.account(number)), plain(await file.account(number)))
        for (const hold of holds)
          assert.deepEqual(plain(await store.hold(hold)), plain(await file.hold(hold)))
        for (const page of [{ account: 'a' }, { account: 'cash:USD' }, { reference: 'r' }, {}])
          assert.deepEqual(
            plain(await store.transfers({ ...page, limit: 50 })),
            plain(await file.transfers({ ...page, limit: 50 })),
          )
        assert.deepEqual(
          plain(await store.entries({ account: 'a', limit: 50 })),
          plain(await file.entries({ account: 'a', limit: 50 })),
        )
        assert.deepEqual(plain(await store.things()), plain(await file.things()))
        assert.deepEqual(plain(await store.acts({ limit: 50 })), plain(await file.acts({ limit: 50 })))
        assert.deepEqual(await store.totals(), await file.totals())
        const all = { prefix: '', limit: 1_000 }
        assert.deepEqual(await store.entities(all), await file.entities(all))
        assert.deepEqual(await store.due(far, 10), await file.due(far, 10))
        const [again] = await store.commit([pending(deposit('a', '10'), { key: { scope: '', key: 'k' } })])
        assert.equal(again?.replayed, true)
        const [next] = await store.commit([pending(withdraw('a', '1'))])
        const last = journal.at(-1)?.block.last ?? 0
        assert.equal(next?.reply.type === 'posted' && next.reply.transfer, `1-${last + 1}`)
        const proven = await store.prove({}, () => {})
        assert.ok(!('what' in proven), 'what' in proven ? proven.what : '')

        // And out again, as it is by now.
        assert.deepEqual(await Array.fromAsync(databaseBlocks({ url })), await journalOf(store))
        await assert.rejects(
          copyToDatabase(journal, { url }),
          /a ledger in the database already: nothing was/,
        )
      } finally {
        await store.close()
        await file.close()
        place.remove()
      }
    })

    test('up to a block; and what does not prove leaves nothing behind', async () => {
      const place = sqlitePlace()
      const file = await place.open()
      for (let i = 0; i < 5; i += 1) await file.commit([pending(deposit('a', '1'))])
      const journal = await journalOf(file)
      await file.close()
      place.remove()

      const { url } = await (await postgres()).schema()
      const changed = journal.map((entry, i): Entry => {
        const [line, ...rest] = entry.lines
        if (i !== 3 || line === undefined) return entry
        return { ...entry, lines: [{ ...line, body: line.body.replace('100', '900') }, ...rest] }
      })
      await assert.rejects(copyToDatabase(changed, { url }), /block 4.*was changed.*nothing was written/)
      await assert.rejects(copyToDatabase(journal, { url }, { block: 9 }), /block 5 is the last there is/)
      assert.equal((await copyToDatabase(journal, { url }, { block: 3 })).blocks, 3)
      const store = await PostgresStore.open({ url })
      assert.deepEqual((await store.commit([pending(withdraw('a', '1'))])).map(gist), [200])
      await store.close()
    })
  })
}

/** A little of each kind of record, in commits of one command each. */
async function someOfEverything(
  commit: (command: Command, key?: string) => ReturnType<PostgresStore['commit']>,
): Promise<{ holds: string[] }> {
  const done = async (command: Command, key?: string) => {
    const [outcome] = await commit(command, key)
    assert.notEqual(outcome?.reply.type, 'refused', JSON.stringify(outcome))
    return outcome?.reply
  }
  const open = { overdraft_limit: 0, minimum_balance: 0, metadata: { a: 'é' } }
  await done({ type: 'open_account', number: 'b', ...usd, ...open, limits: { daily_amount: 100_000 } })
  await done(deposit('a', '10'), 'k')
  await done(deposit('b', '100'))
  const holds: string[] = []
  for (const amount of [100, 200, 300]) {
    const reply = await done({ type: 'hold', account: 'b', amount, ...usd, expires_in_s: 900 })
    if (reply?.type === 'hold') holds.push(reply.hold.id)
  }
  await done({ type: 'capture', hold: holds[0] ?? '', amount: 50 })
  await done({ type: 'void', hold: holds[1] ?? '' })
  const moved = await done({ type: 'move', from: 'b', to: 'a', amount: 500, ...usd, reference: 'r' }, 'moved')
  const transfer = moved?.type === 'transferred' ? moved.transfer.id : ''
  await done({ type: 'reverse', transfer, amount: 200 })
  await done({ type: 'reverse', transfer })
  await done({ type: 'set_state', account: 'a', state: 'debit_blocked', reason: 'x' })
  await done({ type: 'set_state', account: 'a', state: 'active', reason: 'x' })
  await done({ type: 'create_credential', role: 'teller', name: 'ann' })
  const adjust = {
    type: 'adjust',
    account: 'a',
    ...usd,
    direction: 'credit',
    reason: 'r',
    person: 'ann',
  } as const
  await done({ ...adjust, amount: 5 })
  await done({ ...adjust, amount: 50_000 })
  return { holds }
}

/** Without the prototypes that rows have. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

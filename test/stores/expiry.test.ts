/** Holds whose time is up while nobody looks: over a restart, and before any command has touched their account. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { available } from '../../src/ledger/account.ts'
import { type Command, holdAt } from '../../src/ledger/command.ts'
import { deposit, gist, pending } from '../support/commands.ts'
import { assertProven, journalOf } from '../support/journal.ts'
import { places } from '../support/stores.ts'

for (const [name, makePlace] of Object.entries(places))
  test(`${name}: an expired hold never counts, and the next command resolves it`, async (t) => {
    const place = makePlace()
    let store = await place.open()
    t.after(async () => {
      await store.close()
      place.remove()
    })
    const only = async (command: Command) => {
      const [outcome] = await store.commit([pending(command)])
      assert(outcome !== undefined)
      return outcome
    }
    const hold = (amount: number, expires_in_s: number): Command => ({
      type: 'hold',
      account: 'a',
      amount,
      currency: 'USD',
      expires_in_s,
    })
    await only(deposit('a', '10'))
    await only(hold(100, 3600))
    const { reply } = await only(hold(900, 1))
    assert(reply.type === 'hold')
    const take: Command = { type: 'move', from: 'a', to: null, amount: 800, currency: 'USD' }
    assert.equal(gist(await only(take)), 'insufficient_funds')
    if (place.keeps) {
      await store.close()
      store = await place.open()
    }
    place.clock?.move(1_000)
    if (place.clock === undefined) await new Promise((resolve) => setTimeout(resolve, 1_050))
    const now = place.clock?.now() ?? Date.now()

    const before = await store.account('a')
    assert(before !== undefined)
    assert.deepEqual([before.held, available(before, now)], [1_000, 900], 'before any command')
    const seen = await store.hold(reply.hold.id)
    assert.equal(seen && holdAt(seen, now).state, 'expired')

    assert.equal(gist(await only(take)), 800)
    const after = await store.account('a')
    assert.deepEqual([after?.ledger, after?.held, after?.holds.length], [200, 100, 1])
    assert.equal((await store.hold(reply.hold.id))?.state, 'expired')
    const kinds = (await journalOf(store)).flatMap(({ lines }) => lines.map(({ kind }) => kind))
    assert.deepEqual(kinds.slice(-2), ['hold_resolved', 'transfer'], 'resolved in the same commit, before')
    assertProven(await journalOf(store))
  })

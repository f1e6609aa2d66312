/** What is read of many machines and exceptions: whole lists in pages, of which the worst is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Watch } from '../../src/watch/watch.ts'
import { makeTerminal, run, step } from '../stores/terminals.ts'
import { deposit, pending } from '../support/commands.ts'
import { openWorld } from './program.ts'

test('all open exceptions are counted, and two hundred rows are told, the worst of them', async () => {
  const { bank, clock, store } = await openWorld(Date.UTC(2030, 0, 1))
  await store.commit([pending(deposit('a', '10000000'))])
  await store.commit([step('card K a pin=1234')])
  for (const id of ['T', 'U']) await makeTerminal(store, id)
  const suspects = 1_003
  for (let i = 0; i < suspects; i += 1) {
    clock.move(1_000)
    const id = i % 2 === 0 ? 'T' : 'U'
    await run(store, [
      `authorize ${id} w${i} K 50 pin=1234`,
      `start ${id} w${i}`,
      `confirm ${id} w${i} outcome=unknown`,
    ])
  }
  const watch = new Watch(bank, clock, { timeZone: 'UTC', silentMs: 1 })
  const { terminals, money, exceptions, attention, more } = await watch.overview()
  assert.deepEqual(terminals, { in_service: 2, total: 2 })
  assert.deepEqual(money, [{ currency: 'USD', cash: 120_000, uncertain: 50 * suspects, unconfirmed: 0 }])
  assert.equal(exceptions, suspects)
  assert.equal(more, true)
  assert.equal(attention.length, 200)
  // One machine has been silent for a second; suspects come behind it, the oldest first.
  assert.deepEqual(
    attention.slice(0, 3).map(({ kind, terminal, withdrawal }) => [kind, terminal, withdrawal]),
    [
      ['silent', 'U', undefined],
      ['suspect', 'T', 'w0'],
      ['suspect', 'U', 'w1'],
    ],
  )
  assert.equal(attention.at(-1)?.withdrawal, 'w198')
})

test('money of each currency is told apart', async () => {
  const { bank, clock, store } = await openWorld(Date.UTC(2030, 0, 1))
  await makeTerminal(store, 'T')
  await run(store, ['terminal E C1:50 currency=EUR', 'exchange E as=x', 'end E x add C1=3'])
  const watch = new Watch(bank, clock, { timeZone: 'UTC', silentMs: 1_000 })
  const none = { uncertain: 0, unconfirmed: 0 }
  const { money } = await watch.overview()
  assert.deepEqual(money, [
    { currency: 'EUR', cash: 150, ...none },
    { currency: 'USD', cash: 60_000, ...none },
  ])
  const today = (await watch.cashDays()).at(-1)
  assert.deepEqual(Object.fromEntries(today?.cash ?? []), { USD: 60_000, EUR: 150 })
})

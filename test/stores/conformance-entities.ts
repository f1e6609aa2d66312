/**
 * The part of a store's contract that is of what the ATM side keeps. Each story is read right after it was committed
 * and, where the store keeps anything, once more after it was closed and opened again.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '../../src/bank/clock.ts'
import type { EntityPage, Store } from '../../src/bank/store.ts'
import { genesis } from '../../src/ledger/block.ts'
import type { Command } from '../../src/ledger/command.ts'
import { dueAt, nameOf, nameOfEntity } from '../../src/ledger/entity.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { cardIdOf } from '../support/atm-words.ts'
import { deposit, gist, pending, withdraw } from '../support/commands.ts'
import { journalOf } from '../support/journal.ts'
import type { Place } from '../support/stores.ts'
import { asTerminal, makeCard, makeTerminal, run, say, step, tellerOf } from './terminals.ts'

export function conformanceOfEntities(name: string, newPlace: () => Place): void {
  const told = tellerOf(newPlace)

  describe(`${name}: terminals, cards, withdrawals`, () => {
    told(
      'each is found under its name as soon as its commit is answered',
      async (store) => {
        assert.equal(await store.entity(nameOf.terminal('T')), undefined)
        await makeTerminal(store, 'T')
        await makeCard(store, 'K', 'a')
        for (let i = 1; i <= 20; i += 1) {
          await store.commit([step(`authorize T w${i} K 60 pin=1234`)])
          const withdrawal = await store.entity(nameOf.withdrawal('T', `w${i}`))
          assert.equal(withdrawal?.kind === 'withdrawal' && withdrawal.state, 'authorized')
          await store.commit([step(`start T w${i}`), step(`confirm T w${i} C1=1 C3=1`)])
          const terminal = asTerminal(await store.entity(nameOf.terminal('T')))
          assert.deepEqual(
            terminal.units.slice(0, 2).map(({ out }) => out),
            [i, i],
          )
        }
      },
      async (store) => {
        const terminal = asTerminal(await store.entity(nameOf.terminal('T')))
        assert.equal(terminal.batch.withdrawals.count, 20)
        const card = await store.entity(nameOf.card(cardIdOf('K')))
        assert.equal(card?.kind === 'card' && card.tries_left, 3)
        const withdrawal = await store.entity(nameOf.withdrawal('T', 'w7'))
        assert.equal(withdrawal?.kind === 'withdrawal' && withdrawal.state, 'completed')
        for (const none of ['', 'terminal/', 'terminal/U', 'withdrawal/T/w', 'constructor'])
          assert.equal(await store.entity(none), undefined)
      },
    )

    told(
      'a batch does all of a withdrawal, and of two at the last note one',
      async (store) => {
        await makeTerminal(store, 'T')
        await makeCard(store, 'K', 'a')
        const steps = [
          'authorize T w1 K 60 pin=1234',
          'start T w1',
          'confirm T w1 C1=1 C3=1',
          'authorize T w2 K 45 pin=1234',
          'authorize T w3 K 60 pin=1234',
          'authorize T w1 K 60 pin=1234',
          'terminal T C1:50',
          'undo T w9',
          'authorize T w9 K 60 pin=1234',
        ]
        const outcomes = await store.commit(steps.map((text) => step(text)))
        assert.deepEqual(outcomes.map(say), [
          'authorized 60 C1=1 C3=1',
          'dispensing 60 C1=1 C3=1',
          'completed 60 C1=1 C3=1',
          'amount_not_dispensable',
          'authorized 60 C1=1 C3=1',
          'completed 60 C1=1 C3=1',
          'terminal_exists',
          'reversed tombstone',
          'already_reversed',
        ])
      },
      async (store) => {
        assert.equal((await store.account('a'))?.ledger, 9_880)
        assert.equal((await store.account('T.transit'))?.ledger, 60)
      },
    )

    told(
      'a terminal’s own accounts are in no list of accounts and not counted, and have entries',
      async (store) => {
        await makeTerminal(store, 'T')
        await makeCard(store, 'K', 'a')
        await store.commit([pending(deposit('T', '1')), pending(deposit('T-cash', '1'))])
        await run(store, ['authorize T w1 K 60 pin=1234', 'start T w1', 'confirm T w1 C1=1 C3=1'])
        await makeTerminal(store, 'U')
      },
      async (store) => {
        const listed = async (page: Parameters<Store['accounts']>[0]) => {
          const { total, more, pieces } = await store.accounts(page)
          const numbers = (await Array.fromAsync(pieces)).flat().map(({ number }) => number)
          return [total, more, ...numbers]
        }
        assert.deepEqual(await listed({}), [3, false, 'T', 'T-cash', 'a'])
        assert.deepEqual(await listed({ limit: 1 }), [3, true, 'T'])
        assert.deepEqual(await listed({ limit: 1, after: 'T' }), [3, true, 'T-cash'])
        assert.deepEqual(await listed({ limit: 1, after: 'T.cash' }), [3, false, 'a'])
        assert.deepEqual(await listed({ state: 'active', currency: 'USD' }), [3, false, 'T', 'T-cash', 'a'])
        const cash = await store.account('T.cash')
        assert.equal(cash?.ledger, -59_940)
        const entries = await store.entries({ account: 'T.cash', limit: 10 })
        assert.deepEqual(
          entries.map(({ transfer: { type, amount } }) => [type, amount]),
          [
            ['dispense', 60],
            ['load', 60_000],
          ],
        )
        const { things } = await store.transfers({ account: 'T.transit', limit: 10 })
        assert.deepEqual(
          things.map(({ type, operation }) => [type, operation]),
          [
            ['dispense', 'T/w1'],
            ['withdrawal', 'T/w1'],
          ],
        )
      },
    )

    told(
      'lists: names that begin alike, in bytewise order, beyond one; of a terminal, and of what waits',
      async (store) => {
        for (const id of ['T', 'TT', 'U']) await makeTerminal(store, id)
        await makeCard(store, 'K', 'a')
        await run(store, [
          ...['w1', 'W2', 'w10', 'w-1', 'w_1', 'w.1'].map((id) => `authorize T ${id} K 10 pin=1234`),
          'authorize TT x K 10 pin=1234',
          'authorize U w1 K 10 pin=1234',
          'undo T W2',
          'start T w10',
          'confirm T w10 outcome=unknown',
          'start U w1',
          'confirm U w1 outcome=unknown',
          'confirm U w1 C3=1',
          'confirm U none C1=1',
        ])
      },
      async (store) => {
        const names = async (page: Omit<EntityPage, 'limit'>, limit = 100) => {
          const { things, next } = await store.entities({ ...page, limit })
          return [...things.map(nameOfEntity), ...(next === undefined ? [] : [`then ${next}`])]
        }
        const of = (...ids: string[]) => ids.map((id) => `withdrawal/T/${id}`)
        assert.deepEqual(await names({ prefix: 'terminal/' }), ['terminal/T', 'terminal/TT', 'terminal/U'])
        const all = of('W2', 'w-1', 'w.1', 'w1', 'w10', 'w_1')
        assert.deepEqual(await names({ prefix: 'withdrawal/T/' }), all)
        assert.deepEqual(await names({ prefix: 'withdrawal/T/' }, 6), all)
        assert.deepEqual(await names({ prefix: 'withdrawal/T/' }, 2), [
          ...of('W2', 'w-1'),
          'then withdrawal/T/w-1',
        ])
        assert.deepEqual(await names({ prefix: 'withdrawal/T/', after: 'withdrawal/T/w-1' }, 2), [
          ...of('w.1', 'w1'),
          'then withdrawal/T/w1',
        ])
        assert.deepEqual(await names({ prefix: 'withdrawal/T/', after: 'withdrawal/T/w1' }), of('w10', 'w_1'))
        assert.deepEqual(await names({ prefix: 'withdrawal/T/', after: 'withdrawal/T/w_1' }), [])
        assert.deepEqual(await names({ prefix: 'withdrawal/', after: 'withdrawal/T/w_1' }), [
          'withdrawal/TT/x',
          'withdrawal/U/none',
          'withdrawal/U/w1',
        ])
        assert.deepEqual(await names({ prefix: 'withdrawal/', waiting: true }), [
          ...of('w-1', 'w.1', 'w1', 'w10', 'w_1'),
          'withdrawal/TT/x',
        ])
        assert.deepEqual(await names({ prefix: 'withdrawal/', waiting: true }, 1), [
          'withdrawal/T/w-1',
          'then withdrawal/T/w-1',
        ])
        assert.deepEqual(await names({ prefix: 'withdrawal/', waiting: false, owner: 'T' }), of('W2'))
        assert.deepEqual(await names({ prefix: 'withdrawal/', owner: 'TT' }), ['withdrawal/TT/x'])
        const exceptions = async (page: Omit<EntityPage, 'limit' | 'prefix'>) => {
          const { things } = await store.entities({ prefix: nameOf.exception(''), limit: 10, ...page })
          return things.map((each) => each.kind === 'exception' && `${each.terminal} ${each.type}`)
        }
        assert.deepEqual(await exceptions({ owner: 'T' }), ['T suspect'])
        assert.deepEqual((await exceptions({ waiting: true })).sort(), ['T suspect', 'U unknown_advice'])
        assert.deepEqual((await exceptions({ owner: 'U' })).sort(), ['U suspect', 'U unknown_advice'])
        assert.deepEqual(await names({ prefix: 'card/', owner: 'T' }), [])
        assert.deepEqual(await names({ prefix: 'card/' }), [nameOf.card(cardIdOf('K'))])
        assert.deepEqual(await names({ prefix: 'batch/' }), [])
        assert.deepEqual(await store.entities({ prefix: 'nothing/', limit: 1 }), { things: [] })
      },
    )

    told(
      'what is due is told in the order of its times, and not what has ended',
      async (store) => {
        await makeTerminal(store, 'T')
        await makeCard(store, 'K', 'a')
        for (const id of ['b', 'a', 'c', 'd', 'e']) {
          await store.commit([step(`authorize T ${id} K 10 pin=1234${id === 'e' ? ' implicit' : ''}`)])
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
        // What is started waits for longer.
        await run(store, ['start T b', 'undo T c'])
      },
      async (store) => {
        const due = async (now: number, limit = 10) =>
          (await store.due(now, limit)).map((each) => each.kind === 'withdrawal' && each.id)
        const [a, d, b] = await Promise.all(
          ['a', 'd', 'b'].map(async (id) => {
            const found = await store.entity(nameOf.withdrawal('T', id))
            return (found && dueAt(found)) ?? 0
          }),
        )
        assert(a !== undefined && d !== undefined && b !== undefined && a <= d && d < b)
        assert.deepEqual(await due(b), ['a', 'd', 'b'])
        assert.deepEqual(await due(b, 2), ['a', 'd'])
        assert.deepEqual(await due(d), ['a', 'd'])
        assert.deepEqual(await due(a - 1), [])
      },
    )

    told(
      'closing an account asks what waits on it, and closing a batch what waits at the terminal',
      async (store) => {
        for (const id of ['T', 'U']) await makeTerminal(store, id)
        await makeCard(store, 'K', 'a')
        await store.commit([pending(deposit('b', '0.60'))])
        await run(store, [
          'card L b pin=1234',
          'authorize U w1 L 60 pin=1234',
          'authorize T w1 K 60 pin=1234',
        ])
        await run(store, ['authorize T i1 K 10 pin=1234 implicit'])
      },
      async (store) => {
        const [closed] = await store.commit([
          pending({ type: 'set_state', account: 'b', state: 'closed', reason: 'r' }),
        ])
        assert(closed !== undefined)
        assert.equal(gist(closed), 'withdrawals_open')
        const [said] = await run(store, ['close T 1'])
        assert.equal(said, 'batch 1 net -70 cash 59990 transit 60 over 0 open w1')
      },
    )

    told(
      'many at once: more than a page, and more than the index takes in one turn',
      async (store) => {
        await makeTerminal(store, 'T')
        for (let i = 0; i < 10; i += 1) await makeCard(store, `K${i}`, `a-${i}`)
        for (let batch = 0; batch < 3; batch += 1) {
          const ids = Array.from({ length: 500 }, (_, i) => `w-${batch * 500 + i}`)
          await store.commit(ids.map((id, i) => step(`authorize T ${id} K${i % 10} 10 pin=1234`)))
          const ended = ids.filter((_, i) => i % 2 === 0)
          await store.commit(ended.map((id) => step(`undo T ${id}`)))
        }
        const outcomes = await store.commit([pending(withdraw('a-0', '1000'))])
        assert.deepEqual(outcomes.map(gist), ['insufficient_funds'])
      },
      async (store) => {
        const seen: string[] = []
        for (let after: string | undefined = ''; after !== undefined; ) {
          const page: Awaited<ReturnType<Store['entities']>> = await store.entities({
            prefix: 'withdrawal/T/',
            waiting: true,
            after,
            limit: 97,
          })
          seen.push(...page.things.map(nameOfEntity))
          after = page.next
        }
        assert.equal(seen.length, 750)
        assert.deepEqual(seen, [...new Set(seen)].sort())
        assert.equal((await store.entities({ prefix: 'withdrawal/', limit: 2_000 })).things.length, 1_500)
      },
    )

    told(
      'a terminal has the MAC key that it was given, and the one before until the newest was used',
      async (store) => {
        const keyOf = (kcv: string) => ({ algorithm: 'aes', wrapped: `w1:${kcv}`, kcv }) as const
        const submit = async (command: Command) => (await store.commit([pending(command)]))[0]
        const set = (terminal: string, kcv?: string) =>
          submit({ type: 'set_mac_key', terminal, ...(kcv !== undefined && { key: keyOf(kcv) }) })
        const retire = (terminal: string, kcv: string) =>
          submit({ type: 'retire_mac_key', terminal, wrapped: `w1:${kcv}` })
        const keys = async (terminal: string) => {
          const { mac_keys } = asTerminal(await store.entity(nameOf.terminal(terminal)))
          return mac_keys?.map(({ kcv }) => kcv)
        }
        const records = async () => (await journalOf(store)).flatMap(({ lines }) => lines).length
        for (const terminal of ['T', 'U', 'V']) await makeTerminal(store, terminal)
        assert.equal(gist((await set('NONE', 'AAAAAA')) ?? assert.fail()), 'terminal_not_found')
        assert.equal(gist((await retire('NONE', 'AAAAAA')) ?? assert.fail()), 'terminal_not_found')

        await set('T', 'AAAAAA')
        assert.deepEqual(await keys('T'), ['AAAAAA'])
        await set('T', 'BBBBBB')
        assert.deepEqual(await keys('T'), ['BBBBBB', 'AAAAAA'])
        await retire('T', 'AAAAAA')
        assert.deepEqual(await keys('T'), ['BBBBBB', 'AAAAAA'], 'the one before says nothing of the newest')
        await retire('T', 'BBBBBB')
        assert.deepEqual(await keys('T'), ['BBBBBB'])
        // Said again by messages that were under way, when there may be another key by then.
        const before = await records()
        await retire('T', 'BBBBBB')
        await set('V')
        assert.equal(await records(), before, 'what changes nothing is not written')
        await set('T', 'CCCCCC')
        await retire('T', 'BBBBBB')
        assert.deepEqual(await keys('T'), ['CCCCCC', 'BBBBBB'])

        await set('U', 'AAAAAA')
        await set('U', 'BBBBBB')
        await set('U')
        assert.deepEqual(await keys('U'), [])
        await set('U', 'AAAAAA')
        await set('U', 'AAAAAA')
      },
      async (store) => {
        const kept = await Promise.all(
          ['T', 'U', 'V'].map(async (id) => asTerminal(await store.entity(nameOf.terminal(id))).mac_keys),
        )
        const kcvs = kept.map((keys) => keys?.map(({ kcv }) => kcv))
        assert.deepEqual(kcvs, [['CCCCCC', 'BBBBBB'], ['AAAAAA'], undefined])
        assert.equal(kept[0]?.[1]?.wrapped, 'w1:BBBBBB')
      },
    )

    test('fed the same steps at the same instants, memory has the same replies, records and hashes', async () => {
      const place = newPlace()
      const store = await place.open()
      // The memory store's clock says what this one's said, which its blocks tell.
      let now = 0
      const memory = new MemoryStore({ clock: { ...systemClock, now: () => now } })
      let { block: head } = { block: genesis(1) }
      try {
        const both = {
          async commit(batch: Parameters<Store['commit']>[0]) {
            const outcomes = await store.commit(batch)
            const [wrote] = await journalOf(store, head.sequence + 1)
            if (wrote !== undefined) head = wrote.block
            now = head.at
            assert.deepEqual(await memory.commit(batch), outcomes)
            return outcomes
          },
        }
        await makeTerminal(both, 'T')
        await makeCard(both, 'K', 'a')
        await run(both, [
          'authorize T w1 K 60 pin=1234',
          'authorize T w1 K 60 pin=1234',
          'authorize T w2 K 60 pin=9999',
          'start T w1',
          'confirm T w1 C1=1',
          'undo T w1',
          'authorize T w3 K 10 pin=1234 implicit',
          'feed T d1 a 5000:2',
          'unfeed T d1',
          'repin T p1 K pin=1234 new=4321',
          'inquire T K pin=4321',
          'close T 1',
          'exchange T as=x',
          'count T x C1=999 C3=1000',
          'end T x set C1=10 C3=10',
          'block K lost',
          'service T off',
        ])
        assert.deepEqual(await journalOf(memory), await journalOf(store))
        const kept = await memory.entities({ prefix: '', limit: 1_000 })
        assert.deepEqual(await store.entities({ prefix: '', limit: 1_000 }), kept)
      } finally {
        await store.close()
        place.remove()
      }
    })
  })
}

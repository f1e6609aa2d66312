/**
 * The part of a store's contract that is of finding: withdrawals, operations and cards by how they were numbered, and
 * the records about one. Each story is read right after it was committed, and once more after a restart, by when the
 * store has taken all of it in.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FindPage, Store } from '../../src/bank/store.ts'
import { nameOf } from '../../src/ledger/entity.ts'
import { deposit, pending } from '../support/commands.ts'
import type { Place } from '../support/stores.ts'
import { makeCard, makeTerminal, run, step, tellerOf } from './terminals.ts'

export function conformanceOfFinding(name: string, newPlace: () => Place): void {
  const told = tellerOf(newPlace)

  describe(`${name}: finding by numbers`, () => {
    told(
      'each number leads to what has it, newest first; all that is given must be so',
      async (store) => {
        for (const id of ['T', 'U']) await makeTerminal(store, id)
        for (const account of ['a', 'b']) await store.commit([pending(deposit(account, '100'))])
        await run(store, ['card K a pin=1234 last4=1111', 'card L b pin=1234 last4=2222'])
        await run(store, [
          'authorize T w1 K 60 pin=1234',
          'authorize T w2 L 60 pin=1234',
          'authorize U w1 K 20 pin=1234',
          'authorize U w3 K 60 pin=9999',
          'authorize T i1 K 10 pin=1234 implicit stan=000042 rrn=ABC123456789 local=1123010000',
          'authorize U i1 L 10 pin=1234 implicit stan=000042 rrn=000000000042',
          'undo T w9',
          'advise U a1 000043 amount=30 card=L',
          'feed T d1 a 1000:2',
          'feed U d2 card=L 1000:1 stan=000044 rrn=000000000044',
          'unfeed T d9',
          'send T s1 K b 5 pin=1234',
          'feed U d3 card=none 1000:1 stan=000045',
        ])
      },
      async (store) => {
        const find = finderOf(store)
        const all = ['U/iso-1-000043', 'T/w9', 'U/i1', 'T/i1', 'U/w3', 'U/w1', 'T/w2', 'T/w1']
        assert.deepEqual(await find({}), all)
        assert.deepEqual(await find({ terminal: 'T' }), ['T/w9', 'T/i1', 'T/w2', 'T/w1'])
        assert.deepEqual(await find({ id: 'w1' }), ['U/w1', 'T/w1'])
        assert.deepEqual(await find({ id: 'w1', terminal: 'T' }), ['T/w1'])
        assert.deepEqual(await find({ account: 'a' }), ['T/i1', 'U/w1', 'T/w1'])
        assert.deepEqual(await find({ last4: '1111' }), ['T/i1', 'U/w3', 'U/w1', 'T/w1'])
        assert.deepEqual(await find({ stan: '000042' }), ['U/i1', 'T/i1'])
        assert.deepEqual(await find({ stan: '000043' }), ['U/iso-1-000043'])
        assert.deepEqual(await find({ stan: '000042', terminal: 'U' }), ['U/i1'])
        assert.deepEqual(await find({ rrn: 'ABC123456789' }), ['T/i1'])
        assert.deepEqual(await find({ amount: 60 }), ['U/w3', 'T/w2', 'T/w1'])
        assert.deepEqual(await find({ amount: 60, currency: 'USD', terminal: 'T' }), ['T/w2', 'T/w1'])
        assert.deepEqual(await find({ amount: 60, account: 'b' }), ['T/w2'])
        const made = await store.entity(nameOf.withdrawal('T', 'w2'))
        assert(made?.kind === 'withdrawal' && made.authorization_code !== undefined)
        assert.deepEqual(await find({ authorization_code: made.authorization_code }), ['T/w2'])
        for (const none of [
          { terminal: 'X' },
          { terminal: 't' },
          { id: 'w' },
          { account: 'c' },
          { last4: '0119' },
          { stan: '000044' },
          { rrn: 'ABC12345678' },
          { amount: 6 },
          { amount: 60, currency: 'EUR' },
          { amount: 60, rrn: 'ABC123456789' },
          { account: 'a', last4: '2222' },
        ])
          assert.deepEqual(await find(none), [], JSON.stringify(none))
        assert.deepEqual(await find({ kind: 'operation' }), ['U/d3', 'T/s1', 'T/d9', 'U/d2', 'T/d1'])
        assert.deepEqual(await find({ kind: 'operation', stan: '000044' }), ['U/d2'])
        assert.deepEqual(await find({ kind: 'operation', stan: '000045' }), ['U/d3'])
        assert.deepEqual(await find({ kind: 'operation', account: 'a' }), ['T/s1', 'T/d1'])
        assert.deepEqual(await find({ kind: 'operation', amount: 2_000 }), ['T/d1'])
        const cards = await store.find({ kind: 'card', last4: '1111', limit: 9 })
        assert.deepEqual(
          cards.things.map(({ entity }) => entity.kind === 'card' && entity.accounts[0]?.account),
          ['a'],
        )
      },
    )

    told(
      'a state is the one of now, and an instant the one at which it was made',
      async (store, { clock }) => {
        await makeTerminal(store, 'T')
        await makeCard(store, 'K', 'a')
        for (let i = 1; i <= 8; i += 1) {
          await store.commit([step(`authorize T w${i} K 10 pin=1234`)])
          await new Promise((resolve) => setTimeout(resolve, 3))
          clock?.move(3)
        }
        await run(store, [
          ...['w2', 'w3', 'w5', 'w6', 'w7'].map((id) => `start T ${id}`),
          'confirm T w5 C3=1',
          'confirm T w6 outcome=unknown',
          'confirm T w3 outcome=unknown',
          'confirm T w7 C3=0',
          'undo T w1',
          'authorize T w9 K 10 pin=9999',
        ])
      },
      async (store) => {
        const find = finderOf(store)
        assert.deepEqual(await find({ state: 'suspect' }), ['T/w6', 'T/w3'])
        assert.deepEqual(await find({ state: 'suspect', account: 'a', amount: 10 }), ['T/w6', 'T/w3'])
        assert.deepEqual(await find({ state: 'suspect', amount: 20 }), [])
        assert.deepEqual(await find({ state: 'dispensing' }), ['T/w2'])
        assert.deepEqual(await find({ state: 'authorized' }), ['T/w8', 'T/w4'])
        assert.deepEqual(await find({ state: 'authorized', terminal: 'U' }), [])
        assert.deepEqual(await find({ state: 'completed' }), ['T/w5'])
        assert.deepEqual(await find({ state: 'reversed', last4: '0119' }), ['T/w7', 'T/w1'])
        assert.deepEqual(await find({ state: 'declined' }), ['T/w9'])
        const at = async (id: string) => {
          const found = await store.entity(nameOf.withdrawal('T', id))
          assert(found?.kind === 'withdrawal')
          return found.at
        }
        const [from, to] = [await at('w3'), await at('w6')]
        for (const more of [{}, { account: 'a' }, { terminal: 'T', amount: 10 }]) {
          assert.deepEqual(await find({ from, to, ...more }), ['T/w5', 'T/w4', 'T/w3'])
          assert.deepEqual(await find({ from, to: from + 1, ...more }), ['T/w3'])
          assert.deepEqual(await find({ from: to + 1_000_000, ...more }), [])
          assert.deepEqual(await find({ to: from, ...more }), ['T/w2', 'T/w1'])
        }
        assert.deepEqual(await find({ from, to, state: 'suspect' }), ['T/w3'])
        assert.deepEqual(await find({ from, state: 'suspect' }), ['T/w6', 'T/w3'])
      },
    )

    told(
      'pages go on before the last one told, whatever is asked',
      async (store) => {
        await makeTerminal(store, 'T')
        await makeCard(store, 'K', 'a')
        const ids = Array.from({ length: 40 }, (_, i) => `w${i}`)
        await store.commit(ids.map((id) => step(`authorize T ${id} K 10 pin=1234`)))
        await store.commit(ids.filter((_, i) => i % 2 === 0).map((id) => step(`undo T ${id}`)))
      },
      async (store) => {
        const newestFirst = Array.from({ length: 40 }, (_, i) => `T/w${39 - i}`)
        for (const [sought, expected] of [
          [{}, newestFirst],
          [{ account: 'a' }, newestFirst],
          [{ terminal: 'T', last4: '0119' }, newestFirst],
          [{ state: 'authorized' }, newestFirst.filter((_, i) => i % 2 === 0)],
          [{ state: 'reversed', amount: 10 }, newestFirst.filter((_, i) => i % 2 === 1)],
        ] as const)
          for (const limit of [1, 7, 20, 40, 41])
            assert.deepEqual(await pagesOf(store, { kind: 'withdrawal', ...sought, limit }), {
              found: expected,
              pages: Math.max(1, Math.ceil(expected.length / limit)),
            })
        const { next } = await store.find({ kind: 'withdrawal', limit: 40 })
        assert.equal(next, undefined)
      },
    )

    told(
      'the records about one are told oldest first, and of what else is named with it',
      async (store) => {
        await makeTerminal(store, 'T')
        await makeCard(store, 'K', 'a')
        await run(store, [
          'authorize T w1 K 60 pin=1234',
          'authorize T w2 K 60 pin=1234',
          'start T w1',
          'start T w2',
          'confirm T w1 outcome=unknown',
          'confirm T w2 C1=1 C3=1',
          'undo T w2',
        ])
        const { things } = await store.entities({ prefix: nameOf.exception(''), waiting: true, limit: 9 })
        for (const each of things)
          if (each.kind === 'exception' && each.withdrawal === 'w1')
            await run(store, [`resolve ${each.id} dispensed=60`])
      },
      async (store) => {
        const of = (id: string) => nameOf.withdrawal('T', id)
        const kinds = async (names: string[], limit = 100) =>
          (await store.about(names, limit)).map(({ content }) => content.kind)
        assert.deepEqual(await kinds([of('w2')]), [
          'withdrawal_authorized',
          'withdrawal_started',
          'withdrawal_settled',
          'withdrawal_advised',
          'exception_opened',
        ])
        assert.deepEqual(await kinds([of('w2')], 2), ['withdrawal_authorized', 'withdrawal_started'])
        const w1 = await store.about([of('w1')], 100)
        const opened = w1.find(({ content }) => content.kind === 'exception_opened')
        assert(opened?.content.kind === 'exception_opened')
        const exception = nameOf.exception(opened.content.exception)
        const made = ['withdrawal_authorized', 'withdrawal_started', 'withdrawal_settled', 'exception_opened']
        assert.deepEqual(
          w1.map(({ content }) => content.kind),
          [...made, 'withdrawal_settled'],
        )
        assert.deepEqual(await kinds([exception]), ['exception_opened', 'exception_resolved'])
        assert.deepEqual(await kinds([of('w1'), exception]), [
          ...made,
          'withdrawal_settled',
          'exception_resolved',
        ])
        const places = await Promise.all(w1.map(({ id }) => store.placeOf(id)))
        assert.deepEqual(
          places,
          places.toSorted((a = 0, b = 0) => a - b),
        )
        for (const none of [[], [of('w3')], ['withdrawal/'], [nameOf.terminal('T')]])
          assert.deepEqual(await kinds(none), [])
      },
    )

    const skip = !newPlace().keeps && `${name} has no spans`
    test('what is in one span of records is found behind another, by number, state and time', {
      skip,
    }, async () => {
      const place = newPlace()
      let store = await place.open()
      try {
        await makeTerminal(store, 'T')
        await makeCard(store, 'K', 'a')
        await run(store, ['authorize T w1 K 60 pin=1234', 'authorize T w2 K 20 pin=1234', 'start T w1'])
        const at = (await store.find({ kind: 'withdrawal', id: 'w2', limit: 1 })).things[0]?.entity.at ?? 0
        const fill = Array.from({ length: 500 }, () => pending(deposit('z', '0.01')))
        const fillTo = async (place: number) => {
          while ((await store.last()) < place) await store.commit(fill)
        }
        await fillTo(64_500)
        await store.commit([step('authorize T v1 K 20 pin=1234')])
        await fillTo(65_800)
        await run(store, ['authorize T w3 K 60 pin=1234', 'confirm T w1 outcome=unknown', 'start T w3'])
        await allTakenIn(store)
        const check = async () => {
          const find = async (sought: Partial<FindPage>) =>
            (await pagesOf(store, { kind: 'withdrawal', limit: 2, ...sought })).found
          assert.deepEqual(await find({ terminal: 'T' }), ['T/w3', 'T/v1', 'T/w2', 'T/w1'])
          assert.deepEqual(await find({ terminal: 'T', amount: 60 }), ['T/w3', 'T/w1'])
          assert.deepEqual(await find({ id: 'w1' }), ['T/w1'])
          for (const limit of [2, 100])
            assert.deepEqual(await find({ limit }), ['T/w3', 'T/v1', 'T/w2', 'T/w1'])
          assert.deepEqual(await find({ to: at + 1 }), ['T/w2', 'T/w1'])
          assert.deepEqual(await find({ account: 'a', from: at + 1 }), ['T/w3', 'T/v1'])
          assert.deepEqual(await find({ state: 'dispensing' }), ['T/w3'])
          // What is open is found at once, however long ago it was made.
          const { things, next } = await store.find({ kind: 'withdrawal', state: 'suspect', limit: 2 })
          assert.deepEqual([things[0]?.entity.id, next], ['w1', undefined])
          assert.deepEqual(await find({ state: 'authorized' }), ['T/v1', 'T/w2'])
          const records = await store.about([nameOf.withdrawal('T', 'w1')], 9)
          assert.deepEqual(
            records.map(({ content }) => content.kind),
            ['withdrawal_authorized', 'withdrawal_started', 'withdrawal_settled', 'exception_opened'],
          )
        }
        await check()
        await store.close()
        store = await place.open()
        await check()
      } finally {
        await store.close()
        place.remove()
      }
    })
  })
}

/** Resolves when a store that takes records in by their terms behind the commits has taken in nearly all. */
async function allTakenIn(store: Store): Promise<void> {
  const lastMs = performance.now() + 60_000
  while ((await store.find({ kind: 'withdrawal', state: 'suspect', limit: 2 })).next !== undefined) {
    assert(performance.now() < lastMs, 'records are taken in')
    await sleep(50)
  }
}

/** Names of what is found, of withdrawals if nothing is said, on one page. */
function finderOf(store: Store) {
  return async (sought: Partial<FindPage>) => {
    const { things, next } = await store.find({ kind: 'withdrawal', limit: 100, ...sought })
    assert.equal(next, undefined)
    return things.map(({ entity }) => ('terminal' in entity ? `${entity.terminal}/${entity.id}` : entity.id))
  }
}

/** The same over all pages, and how many there were with something on them. */
export async function pagesOf(store: Store, page: FindPage) {
  const found: string[] = []
  let pages = 0
  let before: string | undefined
  do {
    const { things, next } = await store.find({ ...page, ...(before !== undefined && { before }) })
    assert(things.length <= page.limit)
    for (const { entity } of things)
      found.push('terminal' in entity ? `${entity.terminal}/${entity.id}` : entity.id)
    if (things.length > 0 || next === undefined) pages += 1
    before = next
  } while (before !== undefined)
  return { found, pages }
}

/**
 * The rest of a store's contract: what it tells of transfers, holds, entries and replies. Each story is read right
 * after it was committed and, where the store keeps anything, once more after it was closed and opened again.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Store } from '../../src/bank/store.ts'
import type { Command, Outcome, Reply } from '../../src/ledger/command.ts'
import { deposit, pending } from '../support/commands.ts'
import { times } from '../support/profile.ts'
import type { Place } from '../support/stores.ts'
import { blockPages, blocksOf } from './listed-blocks.ts'

const usd = { currency: 'USD' }
const far = Number.MAX_SAFE_INTEGER

export function conformanceOfReads(name: string, newPlace: () => Place): void {
  /** What `prepare` gives is what `check` is given; both see a store, not always the same one. */
  const told = <Known>(
    story: string,
    prepare: (store: Store) => Promise<Known>,
    check: (store: Store, known: Known) => Promise<void>,
  ) =>
    test(story, async () => {
      const place = newPlace()
      let store = await place.open()
      try {
        const known = await prepare(store)
        await check(store, known)
        if (!place.keeps) return
        await store.close()
        store = await place.open()
        await check(store, known)
      } finally {
        await store.close()
        place.remove()
      }
    })

  test(`${name}: what one read has shown, be it a list or an account, the next one shows as well`, async () => {
    const place = newPlace()
    const store = await place.open()
    try {
      const both = () => ['A', 'B'].map((account) => pending(deposit(account, '0.01')))
      await store.commit(both())
      let writing = true
      const writer = (async () => {
        for (let i = 0; i < times(600, 10_000); i += 1) await store.commit(both())
        writing = false
      })()
      const onlyOf = async (number: string) => (await store.account(number))?.ledger ?? 0
      const listed = async () => {
        const { pieces } = await store.accounts({})
        const [a, b] = (await Array.fromAsync(pieces)).flat()
        assert.equal(a?.ledger, b?.ledger)
        return a?.ledger ?? 0
      }
      const later = [listed, () => onlyOf('A'), () => onlyOf('B'), () => onlyOf('A'), listed]
      const reader = async () => {
        let shown = 0
        while (writing)
          for (const read of later) {
            const ledger = await read()
            assert.ok(ledger >= shown, `${ledger} after ${shown}`)
            shown = ledger
          }
      }
      await Promise.all([writer, reader(), reader(), reader(), reader()])
    } finally {
      await store.close()
      place.remove()
    }
  })

  describe(`${name}: reads`, () => {
    told(
      'a transfer is told with what was reversed of it, and by which reversal last',
      async (store) => {
        await opened(store, 'A', 'B')
        const [paid] = await done(store, move(null, 'A', 100))
        const [moved] = await done(store, move('A', 'B', 60))
        await done(store, { type: 'reverse', transfer: idOf(moved), amount: 10 })
        const [last] = await done(store, { type: 'reverse', transfer: idOf(moved), amount: 20 })
        return { paid: idOf(paid), moved: idOf(moved), last: idOf(last) }
      },
      async (store, { paid, moved, last }) => {
        const page = await store.transfer(moved)
        assert.deepEqual(
          [page?.transfer.amount, page?.reversed, page?.last?.id, page?.last?.reverses],
          [60, 30, last, moved],
        )
        assert.deepEqual(
          [(await store.transfer(paid))?.reversed, (await store.transfer(paid))?.last],
          [0, undefined],
        )
        // Records that are no transfer, that are not there, and what is no id.
        for (const id of ['1-1', '1-999', '2-3', '', 'x', '1-01', '1-1e1', `1-${far}`])
          assert.equal(await store.transfer(id), undefined, id)
      },
    )

    told(
      'a hold is told as the last commit left it, and its account carries it while it is pending',
      async (store) => {
        await opened(store, 'A')
        await done(store, move(null, 'A', 100))
        const holds = await done(store, hold('A', 10), hold('A', 20), hold('A', 30))
        const [open = '', paid = '', free = ''] = holds.map(idOf)
        await done(store, { type: 'capture', hold: paid, amount: 5 }, { type: 'void', hold: free })
        return { open, paid, free }
      },
      async (store, { open, paid, free }) => {
        const state = async (id: string) => (await store.hold(id))?.state
        assert.deepEqual(
          [await state(open), await state(paid), await state(free)],
          ['pending', 'posted', 'voided'],
        )
        const captured = await store.hold(paid)
        assert.equal(captured?.captured, 5)
        assert.equal((await store.transfer(captured?.transfer ?? ''))?.transfer.hold, paid)
        const account = await store.account('A')
        assert.deepEqual(
          [account?.ledger, account?.held, account?.holds.map(({ id }) => id)],
          [95, 10, [open]],
        )
        for (const id of ['1-1', '1-999', 'x']) assert.equal(await store.hold(id), undefined, id)
      },
    )

    told(
      'an account is told with its limits, state and words',
      async (store) => {
        const metadata = { é: '😀', constructor: 'x' }
        await done(
          store,
          { type: 'open_account', number: 'A', ...usd, overdraft_limit: 7, minimum_balance: 3, metadata },
          { type: 'set_state', account: 'A', state: 'frozen', reason: 'r' },
          {
            type: 'open_account',
            number: 'B',
            currency: 'EUR',
            overdraft_limit: 0,
            minimum_balance: 0,
            metadata: {},
          },
        )
        return metadata
      },
      async (store, metadata) => {
        const account = await store.account('A')
        assert.deepEqual(
          [account?.state, account?.overdraft_limit, account?.minimum_balance, account?.version],
          ['frozen', 7, 3, 2],
        )
        assert.deepEqual({ ...account?.metadata }, metadata)
        const numbers = async (filter: object) => {
          const { pieces, total } = await store.accounts(filter)
          return [total, (await Array.fromAsync(pieces)).flat().map(({ number }) => number)]
        }
        assert.deepEqual(await numbers({ state: 'frozen' }), [2, ['A']])
        assert.deepEqual(await numbers({ currency: 'EUR' }), [2, ['B']])
        assert.deepEqual(await numbers({ currency: 'EUR', state: 'frozen' }), [2, []])
      },
    )

    told(
      'entries are an account’s transfers, newest first, by version and by time, from any of them on',
      async (store) => {
        await opened(store, 'A', 'B')
        await done(
          store,
          move(null, 'A', 100),
          move('A', 'B', 1),
          hold('A', 2),
          move(null, 'B', 9),
          move('A', null, 3),
        )
      },
      async (store) => {
        const versions = async (page: object) =>
          (await store.entries({ account: 'A', limit: 10, ...page })).map(({ version, transfer }) => [
            version,
            transfer.amount,
          ])
        assert.deepEqual(await versions({}), [
          [5, 3],
          [3, 1],
          [2, 100],
        ])
        assert.deepEqual(await versions({ before: 5, limit: 1 }), [[3, 1]])
        assert.deepEqual(await versions({ before: 2 }), [])
        const [first] = await store.entries({ account: 'A', limit: 1, before: 3 })
        const at = first?.transfer.at ?? 0
        assert.deepEqual((await versions({ from: at })).at(-1), [2, 100])
        assert.deepEqual(await versions({ to: at }), [])
        assert.deepEqual(await versions({ from: far }), [])
        assert.deepEqual(await store.entries({ account: 'nobody', limit: 1 }), [])
      },
    )

    told(
      'a long history can be begun anywhere: at a version, an instant, a record',
      async (store) => {
        await opened(store, 'A', 'B')
        const ids: string[] = []
        for (let i = 0; i < 300; i += 50) {
          const moves = Array.from({ length: 50 }, (_, at) =>
            move(null, (i + at) % 3 === 0 ? 'B' : 'A', i + at + 1),
          )
          ids.push(...(await done(store, ...moves)).map(idOf))
          // So that instants differ.
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
        return ids
      },
      async (store, ids) => {
        // The entries of A have these amounts, the oldest first, and leave versions from 2 on.
        const amounts = Array.from({ length: 300 }, (_, i) => i + 1).filter(
          (amount) => (amount - 1) % 3 !== 0,
        )
        const newestBelow = (count: number) => amounts.slice(Math.max(0, count - 3), count).reverse()
        for (const count of [0, 1, 3, 63, 64, 65, 66, 127, 128, 129, 191, 192, 193, 199, 200]) {
          const entries = await store.entries({ account: 'A', before: count + 2, limit: 3 })
          assert.deepEqual(
            entries.map(({ transfer }) => transfer.amount),
            newestBelow(count),
            `below ${count}`,
          )
          const [next] = await store.entries({ account: 'A', before: count + 3, limit: 1 })
          const at = next?.transfer.at ?? 0
          const earlier = await store.entries({ account: 'A', to: at, limit: 500 })
          const both = await store.entries({ account: 'A', before: count + 2, from: at, limit: 500 })
          for (const { transfer } of earlier) assert(transfer.at < at, 'earlier')
          for (const { transfer } of both) assert(transfer.at >= at, 'not earlier')
          if (next !== undefined && count < 200) assert.equal(earlier.length + both.length, count)

          const before = ids[(amounts[count] ?? 301) - 1]
          const found = await store.transfers({ account: 'A', limit: 3, ...(before && { before }) })
          assert.deepEqual(
            found.things.map(({ amount }) => amount),
            newestBelow(count),
            `before ${before}`,
          )
        }
        const all = await store.entries({ account: 'A', limit: 500 })
        assert.deepEqual(
          all.map(({ transfer }) => transfer.amount),
          amounts.toReversed(),
        )
      },
    )

    told(
      'transfers are found by reference and by either side, page by page',
      async (store) => {
        await opened(store, 'A', 'B')
        const outcomes = await done(
          store,
          { ...move(null, 'A', 100), reference: 'r' },
          move('A', 'B', 1),
          { ...move('A', null, 2), reference: 'r' },
          move(null, 'B', 3),
          { ...move('A', 'B', 4), reference: 'é' },
        )
        return outcomes.map(idOf)
      },
      async (store, ids) => {
        const found = async (page: object) => {
          const all: number[] = []
          let before: string | undefined
          do {
            const { things, next } = await store.transfers({ limit: 2, ...page, ...(before && { before }) })
            all.push(...things.map(({ id }) => ids.indexOf(id)))
            before = next
          } while (before !== undefined)
          return all
        }
        assert.deepEqual(await found({}), [4, 3, 2, 1, 0])
        assert.deepEqual(await found({ reference: 'r' }), [2, 0])
        assert.deepEqual(await found({ reference: 'é' }), [4])
        assert.deepEqual(await found({ reference: 'none' }), [])
        assert.deepEqual(await found({ account: 'B' }), [4, 3, 1])
        assert.deepEqual(await found({ account: 'A', reference: 'r' }), [2, 0])
        assert.deepEqual(await found({ account: 'cash:USD' }), [3, 2, 0])
        assert.deepEqual(await found({ account: 'cash:EUR' }), [])
        assert.deepEqual(await found({ to: 1 }), [])
        assert.deepEqual(await found({ from: far }), [])
      },
    )

    told(
      'holds are listed newest first, by account and by what they are at an instant',
      async (store) => {
        await opened(store, 'A', 'B')
        await done(store, move(null, 'A', 100), move(null, 'B', 100))
        const holds = await done(store, hold('A', 1), hold('B', 2), hold('A', 3), hold('A', 4, 5))
        const ids = holds.map(idOf)
        await done(store, { type: 'void', hold: ids[0] ?? '' })
        return { ids, now: (await store.hold(ids[3] ?? ''))?.at ?? 0 }
      },
      async (store, { ids, now }) => {
        const found = async (page: object) => {
          const { things, next } = await store.holds({ limit: 2, now, ...page })
          return [things.map(({ id }) => ids.indexOf(id)), next !== undefined]
        }
        assert.deepEqual(await found({}), [[3, 2], true])
        const { next } = await store.holds({ limit: 2, now })
        assert.deepEqual(await found({ before: next }), [[1, 0], false])
        assert.deepEqual(await found({ account: 'B' }), [[1], false])
        assert.deepEqual(await found({ state: 'pending', limit: 9 }), [[3, 2, 1], false])
        assert.deepEqual(await found({ state: 'voided' }), [[0], false])
        assert.deepEqual(await found({ state: 'expired' }), [[], false])
        assert.deepEqual(await found({ state: 'expired', now: now + 5_000 }), [[3], false])
        assert.deepEqual(await found({ state: 'pending', now: now + 5_000 }), [[2, 1], false])
      },
    )

    told(
      'what a key was answered is told, by its caller’s own keys alone',
      async (store) => {
        await opened(store, 'A')
        const key = { scope: 'shop', key: 'k "é' }
        await store.commit([pending(move(null, 'A', 5), { key })])
        await store.commit([pending(move('A', null, 9), { key: { scope: '', key: 'no' } })])
        return key
      },
      async (store, key) => {
        const stored = await store.reply(key)
        assert.equal(stored?.reply.type === 'transferred' && stored.reply.transfer.amount, 5)
        const declined = await store.reply({ scope: '', key: 'no' })
        assert.equal(declined?.reply.type === 'refused' && declined.reply.refusal, 'insufficient_funds')
        for (const other of [
          { ...key, scope: '' },
          { ...key, key: 'k' },
          { scope: '', key: 'never' },
        ])
          assert.equal(await store.reply(other), undefined)
      },
    )

    told(
      'house totals are the other side of everything',
      async (store) => {
        const accounts = [{ number: '1001', ...usd, ledger: 70 }]
        await done(store, { type: 'open_books', accounts }, open('A'), open('E', 'EUR'))
        await done(store, move(null, 'A', 100), move('A', null, 30), move(null, 'E', 9, 'EUR'))
      },
      async (store) => {
        assert.deepEqual([...(await store.totals())].sort(), [
          ['cash:EUR', -9n],
          ['cash:USD', -70n],
          ['equity:USD', -70n],
        ])
      },
    )

    told(
      'lines are read beyond any record, up to any other',
      async (store) => {
        await opened(store, 'A')
        for (let i = 0; i < 3; i += 1) await done(store, move(null, 'A', 1), move(null, 'A', 1))
      },
      async (store) => {
        const sequences = async (after: number, last: number) =>
          (await store.lines({ after, last })).map(({ line: { sequence } }) => sequence)
        assert.equal(await store.last(), 7)
        const named = await store.lines({ after: 0, last: 7 })
        for (const [i, { id }] of named.entries()) assert.equal(await store.placeOf(id), i + 1)
        for (const id of ['', 'x', '1-0', '1-8', '1-01', `1-${far}`])
          assert.equal(await store.placeOf(id), undefined, id)
        assert.deepEqual(await sequences(0, 7), [1, 2, 3, 4, 5, 6, 7])
        assert.deepEqual(await sequences(2, 4), [3, 4])
        assert.deepEqual(await sequences(7, 7), [])
      },
    )

    told(
      'a new journal has no blocks, and nobody a head',
      async () => {},
      async (store) => {
        assert.deepEqual([await store.blocks({ limit: 9 }), await store.heads()], [[], []])
      },
    )

    told(
      'blocks are listed newest first, page by page, as the journal has them, and the newest is the head',
      async (store) => {
        await opened(store, 'A')
        for (let i = 1; i <= 6; i += 1)
          await done(store, ...Array.from({ length: i }, () => move(null, 'A', 1)))
      },
      async (store) => {
        const { listed, heads } = await blocksOf(store)
        assert.deepEqual(await store.heads(), heads)
        for (const limit of [1, 2, 3, 7, 8]) {
          const pages = await blockPages(store, limit)
          assert.deepEqual(pages.flat(), listed, `pages of ${limit}`)
          assert.equal(pages.length, Math.ceil(listed.length / limit))
        }
        assert.deepEqual(await store.blocks({ before: 1, limit: 9 }), [])
        assert.deepEqual(await store.blocks({ before: far, limit: 2 }), listed.slice(0, 2))
        // What is committed meanwhile moves no page.
        await done(store, hold('A', 1))
        assert.deepEqual(await store.blocks({ before: listed[2]?.number ?? 0, limit: 9 }), listed.slice(3))
        const [newest] = await store.blocks({ limit: 1 })
        assert.equal(newest?.number, listed.length + 1)
      },
    )

    told(
      'the books prove whole, and a range of blocks as a chain',
      async (store) => {
        await opened(store, 'A')
        for (let i = 0; i < 5; i += 1) await done(store, move(null, 'A', 1))
      },
      async (store) => {
        const prove = (range: object) => store.prove(range, () => {})
        const whole = await prove({})
        assert(!('what' in whole) && 'blocks' in whole, 'the books prove')
        assert.deepEqual([whole.blocks, whole.records, whole.accounts], [6, 6, 1])
        const part = await prove({ from: 3, to: 5 })
        assert(!('what' in part) && 'from' in part, 'the range proves')
        assert.deepEqual([part.from, part.to, part.records], [3, 5, 3])
      },
    )
  })
}

function open(number: string, currency = 'USD'): Command {
  return { type: 'open_account', number, currency, overdraft_limit: 0, minimum_balance: 0, metadata: {} }
}

function move(from: string | null, to: string | null, amount: number, currency = 'USD') {
  return { type: 'move', from, to, amount, currency } as const
}

function hold(account: string, amount: number, expires_in_s = 900): Command {
  return { type: 'hold', account, amount, ...usd, expires_in_s }
}

/** One commit, nothing of which is refused. */
async function done(store: Store, ...commands: Command[]): Promise<readonly Outcome[]> {
  const outcomes = await store.commit(commands.map((command) => pending(command)))
  for (const { reply } of outcomes) assert.notEqual(reply.type, 'refused', JSON.stringify(reply))
  return outcomes
}

function opened(store: Store, ...numbers: string[]): Promise<unknown> {
  return done(store, ...numbers.map((number) => open(number)))
}

function idOf(outcome: Outcome | undefined): string {
  const reply: Reply | undefined = outcome?.reply
  if (reply?.type === 'transferred') return reply.transfer.id
  return reply?.type === 'hold' ? reply.hold.id : ''
}

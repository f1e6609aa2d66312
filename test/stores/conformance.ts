/**
 * The contract of a store, as a test suite: what `src/bank/store.ts` promises, run alike on every store. A store
 * joins by a file beside this one that calls `conformance` with a place where it can be opened.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '../../src/bank/clock.ts'
import { type Pending, type Store, StoreError } from '../../src/bank/store.ts'
import { type Account, plainAccount } from '../../src/ledger/account.ts'
import { genesis } from '../../src/ledger/block.ts'
import type { Command, Outcome } from '../../src/ledger/command.ts'
import { nameOf } from '../../src/ledger/entity.ts'
import { minorMax } from '../../src/ledger/money.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { deposit, gist, pending, withdraw } from '../support/commands.ts'
import { assertProven, type Entry, journalOf } from '../support/journal.ts'
import type { Place } from '../support/stores.ts'
import { conformanceOfEntities } from './conformance-entities.ts'
import { conformanceOfFinding } from './conformance-find.ts'
import { conformanceOfReads } from './conformance-reads.ts'

export function conformance(name: string, newPlace: () => Place): void {
  conformanceOfReads(name, newPlace)
  conformanceOfEntities(name, newPlace)
  conformanceOfFinding(name, newPlace)

  /** A test with a new store, whose journal must be proven at the end. */
  const on = (story: string, body: (store: Store, place: Place) => Promise<void>) =>
    test(story, async () => {
      const place = newPlace()
      const store = await place.open()
      try {
        await body(store, place)
        assertProven(await journalOf(store))
      } finally {
        await store.close()
        place.remove()
      }
    })

  /** A test that opens, closes and opens the store again. */
  const over = (story: string, body: (place: Place) => Promise<void>) =>
    test(story, { skip: !newPlace().keeps && `${name} keeps nothing` }, async () => {
      const place = newPlace()
      try {
        await body(place)
      } finally {
        place.remove()
      }
    })

  describe(`${name}: commands`, () => {
    on('a batch is applied in its order, and answered in its order', async (store) => {
      const outcomes = await store.commit(
        [
          withdraw('a', '1'),
          deposit('a', '10'),
          withdraw('a', '8'),
          withdraw('a', '8'),
          deposit('b', '5'),
          deposit('a', '8'),
          withdraw('a', '8'),
        ].map((command) => pending(command)),
      )
      assert.deepEqual(outcomes.map(gist), [
        'account_not_found',
        1000,
        200,
        'insufficient_funds',
        500,
        1000,
        200,
      ])
    })

    on('a posting says what was done, to whom, and what it left', async (store) => {
      const posted = await answered(store, deposit('a', '10'))
      assert.deepEqual(
        { ...posted, at: 0 },
        {
          type: 'posted',
          transfer: '1-2',
          account: 'a',
          currency: 'USD',
          amount: 1000,
          ledger: 1000,
          held: 0,
          version: 2,
          at: 0,
          opened: true,
        },
      )
    })

    on('two withdrawals of 800 from 1,000: one is paid, in one batch as in two', async (store) => {
      await store.commit([pending(deposit('a', '1000')), pending(deposit('b', '1000'))])
      const together = await store.commit([pending(withdraw('a', '800')), pending(withdraw('a', '800'))])
      assert.deepEqual(together.map(gist), [20_000, 'insufficient_funds'])
      assert.equal(gist(await only(store, withdraw('b', '800'))), 20_000)
      assert.equal(gist(await only(store, withdraw('b', '800'))), 'insufficient_funds')
    })

    on('fifty first deposits in one batch open the account once, and none is lost', async (store) => {
      const outcomes = await store.commit(Array.from({ length: 50 }, () => pending(deposit('a', '1'))))
      const opened = outcomes.filter(({ reply }) => reply.type === 'posted' && reply.opened)
      assert.equal(opened.length, 1)
      assert.equal((await store.account('a'))?.ledger, 5000)
    })

    on('a thousand commands are one commit', async (store) => {
      const batch = Array.from({ length: 1000 }, (_, i) => pending(deposit(`a-${i % 100}`, '0.01')))
      const outcomes = await store.commit(batch)
      assert.equal(outcomes.length, 1000)
      assert.deepEqual(outcomes.slice(900).map(gist), Array(100).fill(10))
      assert.equal((await journalOf(store)).length, 1)
    })

    on('an empty batch is answered with nothing', async (store) => {
      assert.deepEqual(await store.commit([]), [])
    })

    on('the largest figures come through: 2^53 - 1, and house totals beyond', async (store) => {
      const batch = ['a', 'b', 'c'].map((account) => pending(deposit(account, '90071992547409.91')))
      assert.deepEqual((await store.commit(batch)).map(gist), [minorMax, minorMax, minorMax])
      assert.equal(gist(await only(store, deposit('a', '0.01'))), 'balance_too_large')
      assert.equal((await store.account('b'))?.ledger, minorMax)
      const { sums } = assertProven(await journalOf(store))
      assert.deepEqual(sums, [
        { currency: 'USD', customers: 3n * BigInt(minorMax), terminals: 0n, house: -3n * BigInt(minorMax) },
      ])
    })

    on('who asked is written down as it was given', async (store) => {
      const actor = 'José 🏧 "quoted" \\ '
      await store.commit([pending(deposit('a', '1'), { actor, key: { scope: 'Łódź', key: 'k' } })])
      const [entry] = await journalOf(store)
      assert.deepEqual(
        entry?.lines.map((line) => [line.actor, line.scope]),
        Array(3).fill([actor, 'Łódź']),
      )
    })
  })

  describe(`${name}: deadlines`, () => {
    on(
      'a command whose deadline has passed is account_busy and is not applied; its neighbours are',
      async (store) => {
        const late = { deadlineMs: systemClock.monotonicMs() - 1 }
        const outcomes = await store.commit([
          pending(deposit('a', '10')),
          pending(withdraw('a', '1'), late),
          pending(deposit('late', '10'), late),
          pending(withdraw('a', '2'), { ...late, key: { scope: '', key: 'k' } }),
          pending(withdraw('a', '4')),
        ])
        assert.deepEqual(outcomes.map(gist), [1000, 'account_busy', 'account_busy', 'account_busy', 600])
        assert.equal(await store.account('late'), undefined)
        assert.equal((await store.account('a'))?.ledger, 600)
      },
    )

    on('what was refused as busy is not remembered: under the same key it can be done', async (store) => {
      const key = { scope: '', key: 'k' }
      const late = pending(deposit('a', '10'), { key, deadlineMs: systemClock.monotonicMs() - 1 })
      assert.deepEqual((await store.commit([late])).map(gist), ['account_busy'])
      const outcome = await only(store, deposit('a', '10'), { key })
      assert.deepEqual([gist(outcome), outcome.replayed], [1000, false])
    })

    on('a batch that came too late altogether writes nothing', async (store) => {
      const deadlineMs = systemClock.monotonicMs() - 1
      const batch = [pending(deposit('a', '1'), { deadlineMs }), pending(deposit('b', '1'), { deadlineMs })]
      assert.deepEqual((await store.commit(batch)).map(gist), ['account_busy', 'account_busy'])
      assert.deepEqual(await journalOf(store), [])
    })
  })

  describe(`${name}: all or nothing`, () => {
    // No amount is a mistake of ours: the rules throw.
    const broken = { type: 'withdraw', account: 'a' } as unknown as Command

    on('a batch that throws has done nothing at all, and the next one goes on', async (store) => {
      await store.commit([pending(deposit('a', '10'))])
      const before = await journalOf(store)
      const key = { scope: '', key: 'k' }
      const batch = [
        pending(withdraw('a', '1')),
        pending(deposit('b', '1'), { key }),
        pending(broken),
        pending(withdraw('a', '2')),
      ]
      await assert.rejects(store.commit(batch))

      assert.equal((await store.account('a'))?.ledger, 1000)
      assert.equal(await store.account('b'), undefined)
      assert.deepEqual(await journalOf(store), before)
      const outcomes = await store.commit([pending(withdraw('a', '4')), pending(deposit('b', '1'), { key })])
      assert.deepEqual(
        outcomes.map((outcome) => [gist(outcome), outcome.replayed]),
        [
          [600, false],
          [100, false],
        ],
      )
    })

    on('a batch of which nothing comes writes no block', async (store) => {
      await store.commit([pending(deposit('a', '1'))])
      const before = await journalOf(store)
      const outcomes = await store.commit([pending(withdraw('a', '2')), pending(withdraw('x', '1'))])
      assert.deepEqual(outcomes.map(gist), ['insufficient_funds', 'account_not_found'])
      assert.deepEqual(await journalOf(store), before)
    })
  })

  describe(`${name}: keys`, () => {
    on('a key is answered once: in the same batch and in later ones', async (store) => {
      const key = { scope: '', key: 'k' }
      const twice = await store.commit([
        pending(deposit('a', '10'), { key }),
        pending(deposit('a', '10'), { key }),
      ])
      const later = await only(store, deposit('a', '10'), { key })
      assert.deepEqual(
        [...twice, later].map(({ replayed }) => replayed),
        [false, true, true],
      )
      assert.deepEqual(later.reply, twice[0]?.reply)
      assert.deepEqual(twice[1]?.reply, twice[0]?.reply)
      assert.equal((await store.account('a'))?.ledger, 1000)
    })

    on('a key used for another command is a conflict, in the same batch and in later ones', async (store) => {
      const key = { scope: '', key: 'k' }
      const batch = [pending(deposit('a', '10'), { key }), pending(deposit('a', '11'), { key })]
      assert.deepEqual((await store.commit(batch)).map(gist), [1000, 'idempotency_conflict'])
      assert.equal(gist(await only(store, withdraw('a', '10'), { key })), 'idempotency_conflict')
    })

    on('a remembered decline has an entry in the journal, and no money', async (store) => {
      await only(store, withdraw('a', '1'), { key: { scope: '', key: 'k' } })
      const lines = (await journalOf(store)).flatMap((entry) => entry.lines)
      assert.deepEqual(
        lines.map(({ kind }) => kind),
        ['reply'],
      )
    })

    on(
      'scope and key are kept apart, also where one could end and the other begin anywhere',
      async (store) => {
        const keys = [
          { scope: '', key: 'a' },
          { scope: '', key: 'aaa' },
          { scope: 'a', key: 'a' },
          { scope: 'aa', key: 'a' },
          { scope: 'a', key: 'aa' },
        ]
        for (const key of keys) assert.equal((await only(store, deposit('x', '1'), { key })).replayed, false)
        for (const key of keys) assert.equal((await only(store, deposit('x', '1'), { key })).replayed, true)
        assert.equal((await store.account('x'))?.ledger, keys.length * 100)
      },
    )

    on('a key may be 255 characters long, and differ in the last', async (store) => {
      const long = 'k'.repeat(254)
      for (const last of ['1', '2'])
        await only(store, deposit('x', '1'), { key: { scope: '', key: long + last } })
      assert.equal((await store.account('x'))?.ledger, 200)
    })
  })

  describe(`${name}: reads`, () => {
    on('an account is seen as soon as its commit is answered', async (store) => {
      assert.equal(await store.account('a'), undefined)
      for (let i = 1; i <= 20; i += 1) {
        await store.commit([pending(deposit('a', '1')), pending(deposit(`b-${i}`, '0.50'))])
        const account = await store.account('a')
        assert.deepEqual([account?.ledger, account?.version], [i * 100, i + 1])
        assert.equal((await store.account(`b-${i}`))?.ledger, 50)
        assert.equal((await list(store)).total, i + 1)
      }
      const { at, ...account } = (await store.account('a')) ?? assert.fail()
      const after = { ledger: 2000, held: 0, version: 21 }
      assert.deepEqual({ at, ...account }, plainAccount({ number: 'a', currency: 'USD', after, at: at ?? 0 }))
      assert(Number.isSafeInteger(at) && at > 0)
    })

    on('a new store has no accounts, and says so', async (store) => {
      assert.deepEqual(await list(store), { total: 0, more: false, numbers: [] })
      assert.deepEqual(await list(store, { limit: 5 }), { total: 0, more: false, numbers: [] })
      assert.equal(await store.account('constructor'), undefined)
    })

    on('accounts are in bytewise order of their numbers', async (store) => {
      const ordered = [
        '-',
        '--',
        '-a',
        '0',
        '00',
        '007',
        '1',
        '10',
        '9',
        'A',
        'AA',
        'Aa',
        'B',
        'Z',
        'a',
        'aA',
        'z',
      ]
      const shuffled = ordered.toSorted((a, b) => hash(a) - hash(b))
      for (const number of shuffled) await store.commit([pending(deposit(number, '1'))])
      assert.deepEqual((await list(store)).numbers, ordered)
      assert.deepEqual((await list(store, { after: '9' })).numbers, [
        'A',
        'AA',
        'Aa',
        'B',
        'Z',
        'a',
        'aA',
        'z',
      ])
    })

    on('pages: after, limit, whether there is more, and always the total', async (store) => {
      const numbers = ['a', 'b', 'c', 'd', 'e']
      await store.commit(numbers.map((number) => pending(deposit(number, '1'))))
      const page = async (of: { after?: string; limit?: number }) => {
        const { numbers, more, total } = await list(store, of)
        assert.equal(total, 5)
        return `${numbers.join('')} ${more ? 'and more' : 'to the end'}`
      }
      assert.equal(await page({}), 'abcde to the end')
      assert.equal(await page({ limit: 2 }), 'ab and more')
      assert.equal(await page({ limit: 2, after: 'b' }), 'cd and more')
      assert.equal(await page({ limit: 2, after: 'd' }), 'e to the end')
      assert.equal(await page({ limit: 5 }), 'abcde to the end')
      assert.equal(await page({ limit: 4 }), 'abcd and more')
      assert.equal(await page({ limit: 6 }), 'abcde to the end')
      assert.equal(await page({ limit: 2, after: 'e' }), ' to the end')
      assert.equal(await page({ after: 'bb' }), 'cde to the end')
      assert.equal(await page({ limit: 1, after: 'A' }), 'a and more')
    })

    on('all pages together are the whole list, also while it grows behind the reader', async (store) => {
      const numbers = Array.from({ length: 50 }, (_, i) => String(1000 + i))
      await store.commit(numbers.map((number) => pending(deposit(number, '1'))))
      const seen: string[] = []
      for (let after = ''; ; ) {
        const page = await list(store, { after, limit: 7 })
        seen.push(...page.numbers)
        await store.commit([pending(deposit(`0${seen.length}`, '1'))])
        after = seen.at(-1) ?? ''
        if (!page.more) break
      }
      assert.deepEqual(seen, numbers)
    })

    on('a list is of one moment, however slowly its pieces are taken', async (store) => {
      // More than a piece, so that there is something left to change.
      const numbers = Array.from({ length: 5000 }, (_, i) => String(10_000 + i))
      await inBatches(
        store,
        numbers.map((number) => deposit(number, '2')),
      )
      const { total, pieces } = await store.accounts({})
      const taken: Account[] = []
      for await (const piece of pieces) {
        if (taken.length === 0) {
          await inBatches(
            store,
            numbers.map((number) => withdraw(number, '1')),
          )
          await inBatches(store, [deposit('00000', '1'), deposit('99999', '1')])
        }
        taken.push(...piece)
      }
      assert.equal(taken.length, total)
      assert.deepEqual([...new Set(taken.map(({ ledger }) => ledger))], [200])
      const { accounts } = await listed(store)
      assert.equal(accounts.length, 5002)
      assert.deepEqual([...new Set(accounts.map(({ ledger }) => ledger))], [100])
    })

    on('a list that nobody takes to its end does no harm', async (store) => {
      await inBatches(
        store,
        Array.from({ length: 3000 }, (_, i) => deposit(String(i), '1')),
      )
      const { pieces } = await store.accounts({})
      for await (const piece of pieces) {
        assert(piece.length > 0)
        break
      }
      await store.accounts({})
      assert.equal((await list(store)).total, 3000)
    })

    on(
      'figures for operators are numbers with a word of help, under names Prometheus takes',
      async (store) => {
        for (const [figure, { help, read }] of Object.entries(store.figures())) {
          assert.match(figure, /^[a-z][a-z0-9_]*$/)
          assert.match(help, /\w/)
          assert(Number.isFinite(read()), `${figure} is ${read()}`)
        }
      },
    )

    on('a store that is open takes writes, and has a name for people', async (store) => {
      assert.equal(store.shut, undefined)
      assert.match(store.name, /\w/)
    })
  })

  describe(`${name}: the journal`, () => {
    on('each commit is a block with its lines, and can be read from any block on', async (store) => {
      await store.commit([pending(deposit('a', '1')), pending(withdraw('a', '0.40'))])
      await store.commit([pending(deposit('b', '2'), { key: { scope: '', key: 'k' } })])
      await store.commit([pending(withdraw('b', '1'))])
      const journal = await journalOf(store)

      assert.deepEqual(
        journal.map(({ block, lines }) => [
          block.sequence,
          block.last,
          lines.map(({ kind }) => kind).join(' '),
        ]),
        [
          [1, 3, 'account_opened transfer transfer'],
          [2, 6, 'account_opened transfer reply'],
          [3, 7, 'transfer'],
        ],
      )
      for (const from of [1, 2, 3]) assert.deepEqual(await journalOf(store, from), journal.slice(from - 1))
      assert.deepEqual(await journalOf(store, 4), [])
    })

    on('a long journal comes whole, in order, and is proven', async (store) => {
      for (let i = 0; i < 12; i += 1)
        await store.commit(
          Array.from({ length: 1000 }, (_, n) =>
            pending(i === 0 ? deposit(`a-${n}`, '1') : withdraw(`a-${n}`, '0.01')),
          ),
        )
      const { blocks, records, accounts } = assertProven(await journalOf(store))
      assert.deepEqual({ blocks, records, accounts }, { blocks: 12, records: 13_000, accounts: 1000 })
      const fromTenth = await journalOf(store, 10)
      assert.deepEqual(
        fromTenth.map(({ block, lines }) => [block.sequence, lines.length]),
        [
          [10, 1000],
          [11, 1000],
          [12, 1000],
        ],
      )
    })

    on('what the journal proves is what the accounts say', async (store) => {
      await inBatches(
        store,
        Array.from({ length: 300 }, (_, i) => deposit(`a-${i % 7}`, `${1 + (i % 5)}`)),
      )
      const { sums, accounts: count } = assertProven(await journalOf(store))
      const { accounts } = await listed(store)
      assert.equal(count, accounts.length)
      assert.equal(sums[0]?.customers, BigInt(accounts.reduce((sum, { ledger }) => sum + ledger, 0)))
    })

    on(
      'fed the same commands at the same instants, memory has the same replies, records and hashes',
      async (store) => {
        // The memory store's clock says what this one's said, which its blocks tell.
        let wrote: Entry | undefined
        let readings = 0
        const now = () => {
          readings += 1
          return wrote === undefined ? 0 : readings === 1 ? lastOf(wrote.lines).at : wrote.block.at
        }
        const memory = new MemoryStore({ clock: { ...systemClock, now } })

        for (const submission of program) {
          const { block: head } = (await journalOf(store)).at(-1) ?? { block: genesis(1) }
          const outcome = await only(store, submission.command, submission)
          ;[wrote] = await journalOf(store, head.sequence + 1)
          readings = 0
          assert.deepEqual(await only(memory, submission.command, submission), outcome)
        }
        const journal = await journalOf(store)
        assert.deepEqual(await journalOf(memory), journal)
        assert.equal(assertProven(journal).blocks, 9)
      },
    )
  })

  describe(`${name}: over a restart`, () => {
    over('everything is there again: accounts, replies, totals and the journal', async (place) => {
      const first = await place.open()
      for (const submission of program) await first.commit([pending(submission.command, submission)])
      const before = { list: await listed(first), journal: await journalOf(first) }
      await first.close()

      const second = await place.open()
      try {
        assert.deepEqual({ list: await listed(second), journal: await journalOf(second) }, before)
        assert.equal(
          (await second.account('a'))?.version,
          before.list.accounts.find(({ number }) => number === 'a')?.version,
        )
        const replayed = await only(second, deposit('a', '10'), { key: { scope: '', key: 'first' } })
        assert.deepEqual([replayed.replayed, gist(replayed)], [true, 101_000])
      } finally {
        await second.close()
      }
    })

    over('writing goes on where it stopped: records, versions, house totals and the chain', async (place) => {
      for (let start = 1; start <= 4; start += 1) {
        const store = await place.open()
        const posted = await answered(store, deposit('a', '90000000000000'))
        assert.equal(posted.transfer, `1-${2 * start}`)
        assert.equal(posted.version, 2 * start)
        assert.equal(gist(await only(store, withdraw('a', '90000000000000'))), 0)
        const { blocks } = assertProven(await journalOf(store))
        assert.equal(blocks, 2 * start)
        await store.close()
      }
    })

    over('one that is closed says so, whatever is asked of it', async (place) => {
      const store = await place.open()
      const { transfer } = await answered(store, deposit('a', '10'))
      await store.close()
      const asked: Record<string, () => Promise<unknown>> = {
        account: () => store.account('a'),
        transfer: () => store.transfer(transfer),
        entity: () => store.entity(nameOf.terminal('T')),
        totals: () => store.totals(),
        reply: () => store.reply({ scope: '', key: 'k' }),
        lines: () => store.lines({ after: 0, last: 1 }),
        blocks: () => store.blocks({ limit: 1 }),
        heads: () => store.heads(),
        commit: () => only(store, deposit('a', '10')),
      }
      for (const [what, ask] of Object.entries(asked))
        await assert.rejects(
          ask,
          (error) => error instanceof StoreError && error.code === 'unavailable',
          what,
        )
    })

    over('a commit that was answered just before closing is there', async (place) => {
      for (let start = 1; start <= 3; start += 1) {
        const store = await place.open()
        const batch = Array.from({ length: 500 }, (_, i) => pending(deposit(`a-${i}`, '1')))
        await store.commit(batch)
        await store.close()
      }
      const store = await place.open()
      const { accounts } = await listed(store)
      assert.deepEqual([accounts.length, ...new Set(accounts.map(({ ledger }) => ledger))], [500, 300])
      await store.close()
    })

    over('a store that was opened and closed unused is still new', async (place) => {
      await (await place.open()).close()
      const store = await place.open()
      assert.deepEqual(await list(store), { total: 0, more: false, numbers: [] })
      assert.deepEqual(await journalOf(store), [])
      await store.close()
    })
  })
}

/** Some of everything, one command at a time. */
const program: readonly (Partial<Pending> & { command: Command })[] = [
  {
    command: {
      type: 'open_books',
      accounts: [
        { number: 'a', currency: 'USD', ledger: 100_000 },
        { number: 'b', currency: 'KWD', ledger: 5 },
      ],
    },
  },
  { command: deposit('a', '10'), key: { scope: '', key: 'first' } },
  { command: deposit('a', '10'), key: { scope: '', key: 'first' } },
  { command: deposit('a', '11'), key: { scope: '', key: 'first' } },
  { command: withdraw('a', '0.01'), actor: 'Zoë 🏧' },
  { command: withdraw('a', '0.001') },
  { command: withdraw('a', '99999') },
  { command: withdraw('b', '0.006'), key: { scope: 'shop', key: 'k' } },
  { command: withdraw('b', '0.006'), key: { scope: 'shop', key: 'k' } },
  { command: withdraw('b', '0.005') },
  { command: deposit('007', '700', 'JPY'), key: { scope: '', key: '~' } },
  { command: withdraw('7', '1'), key: { scope: '', key: 'none' } },
  { command: deposit('7', '90071992547409.91') },
  { command: deposit('7', '0.01'), key: { scope: '', key: 'too-large' } },
  { command: { type: 'open_books', accounts: [{ number: 'c', currency: 'USD', ledger: 1 }] } },
  { command: deposit('a', '10'), key: { scope: '', key: 'first' } },
]

function lastOf<T>(items: readonly T[]): T {
  const last = items.at(-1)
  assert(last !== undefined, 'there is at least one')
  return last
}

async function only(store: Store, command: Command, more: Partial<Pending> = {}): Promise<Outcome> {
  const [outcome] = await store.commit([pending(command, more)])
  assert(outcome !== undefined, 'a command is answered')
  return outcome
}

async function answered(store: Store, command: Command) {
  const { reply } = await only(store, command)
  assert(reply.type === 'posted', `posted, not ${JSON.stringify(reply)}`)
  return reply
}

async function inBatches(store: Store, commands: readonly Command[]): Promise<void> {
  for (let from = 0; from < commands.length; from += 1000)
    await store.commit(commands.slice(from, from + 1000).map((command) => pending(command)))
}

async function listed(store: Store, page: { after?: string; limit?: number } = {}) {
  const { total, more, pieces } = await store.accounts(page)
  const accounts = (await Array.fromAsync(pieces)).flat().map((account) => ({ ...account }))
  return { total, more, accounts }
}

async function list(store: Store, page: { after?: string; limit?: number } = {}) {
  const { total, more, accounts } = await listed(store, page)
  return { total, more, numbers: accounts.map(({ number }) => number) }
}

/** Some order that is not the alphabet's. */
function hash(text: string): number {
  return [...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0) * 7919) % 65_521, 17)
}

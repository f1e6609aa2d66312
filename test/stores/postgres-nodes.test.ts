/** Several nodes on one PostgreSQL, each a store with a bank of its own, and what others do to the database meanwhile. */
import assert from 'node:assert/strict'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Bank } from '../../src/bank/bank.ts'
import { systemClock } from '../../src/bank/clock.ts'
import { openBooks } from '../../src/cli/store.ts'
import type { Command, Outcome } from '../../src/ledger/command.ts'
import { faultText } from '../../src/ledger/verify.ts'
import {
  connect as connectTo,
  cut,
  isLost,
  isPassing,
  poolOf,
  reader,
} from '../../src/stores/postgres/connect.ts'
import { PostgresDeliveries } from '../../src/stores/postgres/deliveries.ts'
import { PostgresStore } from '../../src/stores/postgres/store.ts'
import { prng, seed } from '../support/chance.ts'
import { type HeldClock, heldClock } from '../support/clock.ts'
import { deposit, gist, withdraw } from '../support/commands.ts'
import { postgres, postgresMissing, runOnce } from '../support/postgres.ts'
import { times } from '../support/profile.ts'
import { blockPages, blocksOf } from './listed-blocks.ts'

const usd = { currency: 'USD' }

describe('nodes', { skip: postgresMissing }, () => {
  let url = ''
  const nodes: Node[] = []
  before(async () => {
    url = (await (await postgres()).schema()).url
    for (let i = 0; i < 3; i += 1) nodes.push(await Node.open(url))
  })
  after(async () => {
    for (const node of nodes) await node.close()
  })
  const node = (i: number) => nodes[i % nodes.length] as Node

  test('each has a chain of its own, and all of them prove together', async () => {
    for (let i = 0; i < 30; i += 1) await node(i).submit(deposit(`own-${i % 4}`, '1'))
    const writers = new Set<number>()
    for await (const { block } of node(0).store.journal()) writers.add(block.writer)
    assert.equal(writers.size, 3)
    await node(1).assertProves()
  })

  test('two withdrawals of 800 from 1,000 on two nodes at once: one is paid, thirty times over', async () => {
    for (let round = 0; round < 30; round += 1) {
      const account = `two-${round}`
      await node(round).submit(deposit(account, '1000'))
      const outcomes = await Promise.all([0, 1].map((i) => node(round + i).submit(withdraw(account, '800'))))
      assert.deepEqual(outcomes.map(gist).sort(), [20_000, 'insufficient_funds'])
      for (let i = 0; i < 3; i += 1) assert.equal((await node(i).bank.account(account))?.ledger, 20_000)
    }
  })

  test('one key on three nodes at once has one effect, and one answer', async () => {
    for (let round = 0; round < 30; round += 1) {
      const key = { scope: '', key: `key-${round}` }
      const command = deposit(`keyed-${round % 3}`, '1')
      const outcomes = await Promise.all([0, 1, 2].map((i) => node(i).submit(command, { key })))
      assert.deepEqual(outcomes.map(({ replayed }) => replayed).sort(), [false, true, true], `round ${round}`)
      assert.equal(new Set(outcomes.map(({ reply }) => JSON.stringify(reply))).size, 1)
    }
    for (const i of [0, 1, 2]) assert.equal((await node(0).bank.account(`keyed-${i}`))?.ledger, 1000)
  })

  test('first deposits to one account on three nodes open it once', async () => {
    for (let round = 0; round < 20; round += 1) {
      const outcomes = await Promise.all(
        Array.from({ length: 9 }, (_, i) => node(i).submit(deposit(`first-${round}`, '1'))),
      )
      const opened = outcomes.filter(({ reply }) => reply.type === 'posted' && reply.opened)
      assert.equal(opened.length, 1)
      assert.equal((await node(round).bank.account(`first-${round}`))?.ledger, 900)
    }
  })

  test('three nodes that start on an empty database open the first accounts once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const empty = await (await postgres()).schema()
      const three = await Promise.all([0, 1, 2].map(() => Node.open(empty.url)))
      await Promise.all(three.map(({ bank }) => openBooks(bank)))
      const { total } = await (three[0] as Node).bank.accounts({})
      assert.equal(total, 3)
      await (three[0] as Node).assertProves()
      await Promise.all(three.map((each) => each.close()))
      await empty.drop()
    }
  })

  test('a database that has a table of that name from somebody else is refused, and left as it is', async () => {
    const { url, drop } = await (await postgres()).schema()
    await runOnce(url, 'create table accounts (name text)')
    await assert.rejects(Node.open(url), {
      code: 'unusable',
      message: 'migration 1 failed: relation "accounts" already exists',
    })
    await runOnce(url, 'insert into accounts values (1)')
    await assert.rejects(runOnce(url, 'select 1 from migrations'), { code: '42P01' })
    await drop()
  })

  test('a hold is captured once, whichever node is first', async () => {
    await node(0).submit(deposit('held', '1000'))
    for (let round = 0; round < 20; round += 1) {
      const placed = await node(round).submit({
        type: 'hold',
        account: 'held',
        amount: 100,
        ...usd,
        expires_in_s: 60,
      })
      const hold = placed.reply.type === 'hold' ? placed.reply.hold.id : ''
      const outcomes = await Promise.all([0, 1, 2].map((i) => node(i).submit({ type: 'capture', hold })))
      assert.deepEqual(outcomes.map(({ reply }) => reply.type).sort(), ['hold', 'refused', 'refused'])
    }
    const account = await node(1).bank.account('held')
    assert.deepEqual([account?.ledger, account?.held, account?.holds], [98_000, 0, []])
  })

  test('an account that is locked in psql is busy at the deadline, others go on, and nothing is applied later', async (t) => {
    await node(0).submit(deposit('locked', '100'))
    await node(0).submit(deposit('free', '100'))
    const psql = await lockedBy(t, url, 'locked')
    const startedMs = performance.now()
    const blocked = [0, 1].map(async (i) => {
      const outcome = await node(i).submit(withdraw('locked', '1'))
      return { said: gist(outcome), ms: performance.now() - startedMs }
    })
    const move = { type: 'move', from: 'free', to: 'locked', amount: 1, ...usd } as const
    const moved = node(0).submit(move)
    await sleep(100)
    const tookMs: number[] = []
    for (let i = 0; i < 40; i += 1) {
      const beganMs = performance.now()
      assert.equal((await node(i % 2).submit(withdraw('free', '0.01'))).reply.type, 'posted')
      tookMs.push(performance.now() - beganMs)
    }
    const [median = Infinity, most = Infinity] = [20, 39].map((i) => tookMs.sort((a, b) => a - b)[i])
    assert.ok(median < 100 && most < 1_000, `others took ${median} ms, one of them ${most}`)
    for (const { said, ms } of await Promise.all(blocked)) {
      assert.equal(said, 'account_busy')
      assert.ok(ms >= deadlineMs - 5 && ms < deadlineMs + 1_200, `refused after ${ms} ms`)
    }
    assert.equal(gist(await moved), 'account_busy')
    await psql.query('rollback')
    await sleep(200)
    assert.equal((await node(2).bank.account('locked'))?.ledger, 10_000, 'nothing is applied later')
    assert.equal(gist(await node(1).submit(withdraw('locked', '1'))), 9_900)
  })

  test('two nodes in line for one row are each refused at their own deadline', async (t) => {
    await node(0).submit(deposit('in-line', '100'))
    const psql = await lockedBy(t, url, 'in-line')
    const refused = [0, 1].map(async (i) => {
      await sleep(i * 700)
      const startedMs = performance.now()
      const outcome = await node(i).submit(withdraw('in-line', '1'))
      return { said: gist(outcome), ms: performance.now() - startedMs }
    })
    for (const { said, ms } of await Promise.all(refused)) {
      assert.equal(said, 'account_busy')
      // The second waits for the first, and then for who has the row: not for so long each time.
      assert.ok(ms >= deadlineMs - 5 && ms < deadlineMs + 500, `refused after ${ms} ms`)
    }
    await psql.query('rollback')
  })

  test('where no connection for a locked account can be had at first, its command is done all the same', async (t) => {
    const proxy = await Between.before(url)
    const behind = await Node.open(proxy.url)
    try {
      await behind.submit(deposit('lane', '100'))
      const psql = await lockedBy(t, url, 'lane')
      proxy.isShut = true
      const outcome = behind.submit(withdraw('lane', '1'))
      await sleep(300)
      proxy.isShut = false
      await psql.query('rollback')
      assert.equal(gist(await outcome), 9_900)
    } finally {
      await behind.close()
      await proxy.close()
    }
  })

  test('let go before the deadline, those that waited are done', async () => {
    const psql = new pg.Client({ connectionString: url })
    await psql.connect()
    await psql.query('begin')
    await psql.query("select 1 from accounts where number = 'locked' for update")
    const asked = Array.from({ length: 20 }, (_, i) => node(i % 2).submit(withdraw('locked', '1')))
    await sleep(300)
    await psql.query('commit')
    await psql.end()
    const outcomes = await Promise.all(asked)
    assert.ok(
      outcomes.every(({ reply }) => reply.type === 'posted'),
      JSON.stringify(outcomes.map(gist)),
    )
    assert.equal((await node(2).bank.account('locked'))?.ledger, 7_900)
  })

  test(`a storm over a few accounts on all nodes, with connections cut: what was told is what is there (SEED=${seed})`, async (t) => {
    const chance = prng(seed)
    const accounts = ['s-0', 's-1', 's-2', 's-3']
    for (const account of accounts) await node(0).submit(deposit(account, '100'))
    const due = new Map(accounts.map((account) => [account, 10_000]))
    const tally = new Map<string, number>()
    let storming = true
    const cut = (async () => {
      while (storming) {
        await sleep(100 + chance(150))
        await (await postgres()).cut()
      }
    })()
    await Promise.all(
      Array.from({ length: 12 }, async (_, client) => {
        for (let i = 0; i < times(50, 1_000); i += 1) {
          const account = accounts[chance(accounts.length)] as string
          const cents = 1 + chance(500)
          const pays = chance(2) === 0
          const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
          const command = pays ? withdraw(account, amount) : deposit(account, amount)
          const key = { scope: '', key: `storm-${client}-${i}` }
          // Until it is known what became of it: under its key it is done once.
          for (let at = client; ; at += 1) {
            const outcome = await node(at).submit(command, { key })
            const said = outcome.reply.type === 'refused' ? outcome.reply.refusal : 'posted'
            tally.set(said, (tally.get(said) ?? 0) + 1)
            if (['outcome_unknown', 'store_unavailable', 'account_busy', 'in_progress'].includes(said))
              continue
            if (said === 'posted') due.set(account, (due.get(account) ?? 0) + (pays ? -cents : cents))
            break
          }
        }
      }),
    )
    storming = false
    await cut
    for (const [account, ledger] of due) assert.equal((await node(1).bank.account(account))?.ledger, ledger)
    await node(2).assertProves()
    t.diagnostic(JSON.stringify([...tally]))
  })

  for (const lost of ['the answer', 'the request'] as const)
    test(`${lost} of COMMIT is lost: what became of it is looked up, and it is done once`, async () => {
      const proxy = await Between.before(url)
      const behind = await Node.open(proxy.url)
      try {
        await behind.submit(deposit(`lost-${lost.length}`, '100'))
        for (let round = 1; round <= 5; round += 1) {
          proxy.lose = lost
          // Without a key: done twice, it would be paid twice.
          const outcome = await behind.submit(withdraw(`lost-${lost.length}`, '1'))
          assert.equal(gist(outcome), 10_000 - round * 100)
          assert.equal(proxy.lose, undefined, 'it was lost')
          assert.equal((await node(0).bank.account(`lost-${lost.length}`))?.ledger, 10_000 - round * 100)
        }
        await behind.assertProves()
      } finally {
        await behind.close()
        await proxy.close()
      }
    })

  test('COMMIT is lost, and the database cannot be reached: the outcome is unknown, and under its key is found later', async () => {
    const proxy = await Between.before(url)
    const behind = await Node.open(proxy.url)
    const key = { scope: '', key: 'unknown' }
    try {
      await behind.submit(deposit('unknown', '100'))
      proxy.lose = 'the answer'
      proxy.isShut = true
      assert.equal(gist(await behind.submit(withdraw('unknown', '1'), { key })), 'outcome_unknown')
      assert.equal(gist(await behind.submit(withdraw('unknown', '1'))), 'store_unavailable')
      proxy.isShut = false
      const again = await behind.submit(withdraw('unknown', '1'), { key })
      assert.deepEqual([gist(again), again.replayed], [9_900, true])
      assert.equal(gist(await behind.submit(withdraw('unknown', '1'))), 9_800)
      await behind.assertProves()
    } finally {
      await behind.close()
      await proxy.close()
    }
  })

  test('events of all nodes come in the order of each account, and go on from any of them on any node', async () => {
    const [a, b] = [node(0).store, node(1).store]
    const last = await a.last()
    const all = await b.lines({ after: 0, last })
    assert.equal(all.length, last)
    const versions = new Map<string, number>()
    for (const { line } of all) {
      const body = JSON.parse(line.body)
      for (const [account, left] of [
        [body.account, body.after],
        [body.debit, body.debit_after],
        [body.credit, body.credit_after],
      ]) {
        if (left === undefined || left === null) continue
        assert.equal(left.version, (versions.get(account) ?? 0) + 1, `${account} at ${line.sequence}`)
        versions.set(account, left.version)
      }
    }
    const some = all[Math.floor(all.length / 2)]
    assert.equal(await a.placeOf(some?.id ?? ''), Math.floor(all.length / 2) + 1)
    assert.deepEqual(await a.lines({ after: 5, last }), all.slice(5))
  })

  test('blocks of all nodes are listed in one order, and each has a head, on whichever node is asked', async () => {
    for (let i = 0; i < 40; i += 1) await node(i).submit(deposit(`listed-${i % 5}`, '1'))
    await Promise.all(Array.from({ length: 60 }, (_, i) => node(i).submit(deposit(`listed-${i % 7}`, '1'))))
    const { listed, heads } = await blocksOf(node(0).store)
    assert.ok(heads.length >= 3, `${heads.length} writers`)
    assert.ok(listed.some(({ number, sequence }) => number !== sequence))
    for (const i of [0, 1, 2]) {
      assert.deepEqual(await node(i).store.heads(), heads)
      assert.deepEqual((await blockPages(node(i).store, 7)).flat(), listed)
    }
    // What was answered on one node a moment ago is the head on another, and the newest block on a third.
    const writer = await node(1).writerOf(deposit('listed-0', '1'))
    const head = (await node(0).store.heads()).find((each) => each.writer === writer)
    const before = heads.find((each) => each.writer === writer)
    assert.deepEqual([head?.number, head?.previousNumber], [listed.length + 1, before?.number])
    assert.deepEqual(await node(2).store.blocks({ limit: 1 }), [head])
  })

  test('a transaction that the database ended since its node was silent may run again', async () => {
    const client = await connectTo({ url })
    await client.query('begin; set local idle_in_transaction_session_timeout = 50')
    await sleep(300)
    const error = await client.query('select 1').catch((error: unknown) => error)
    assert.ok(isLost(error) && isPassing(error), String(error))
    cut(client)

    // Met while a statement of it is on its way, the word comes as the database's error.
    const said = new pg.DatabaseError('terminating connection', 22, 'error')
    Object.assign(said, { severity: 'FATAL', code: '57000' })
    assert.ok(isLost(said) && isPassing(said))
    Object.assign(said, { severity: '致命错误', code: '25P03' })
    assert.ok(isLost(said) && isPassing(said))
    Object.assign(said, { severity: 'ERROR', code: '22012' })
    assert.ok(!isLost(said) && !isPassing(said), 'a mistake of ours is no reason to try again')
  })

  test('what is committed while the order is written on has its place for who asks then', async () => {
    const psql = new pg.Client({ connectionString: url })
    await psql.connect()
    await node(0).submit(deposit('placed', '1'))
    await psql.query('begin; lock table places in share mode')
    // Has seen what there is to place, and waits to write it down.
    const first = node(0).store.last()
    await sleep(100)
    const { reply } = await node(0).submit(deposit('placed', '1'))
    const later = reply.type === 'posted' ? reply.transfer : ''
    const place = node(0).store.placeOf(later)
    await sleep(50)
    await psql.query('commit')
    await psql.end()
    assert.ok(((await place) ?? 0) > (await first))
  })

  test('who is let in on one node is let in on the others, and is not any more where that was revoked', async () => {
    const made = await node(0).submit(
      { type: 'create_credential', role: 'teller', name: 'ann' },
      { fresh: 'a'.repeat(64) },
    )
    const id = made.reply.type === 'registered' ? made.reply.thing.id : ''
    const known = () => nodes.map(({ bank }) => bank.things.some((thing) => thing.id === id))
    for (let i = 0; i < 100 && known().includes(false); i += 1) await sleep(20)
    assert.deepEqual(known(), [true, true, true])
    await node(2).submit({ type: 'revoke_credential', credential: id })
    const revoked = () =>
      nodes.map(({ bank }) =>
        bank.things.some((thing) => thing.kind === 'credential' && thing.id === id && thing.revoked_at),
      )
    for (let i = 0; i < 100 && revoked().includes(false); i += 1) await sleep(20)
    assert.deepEqual(revoked(), [true, true, true])
  })

  test('a limit of the day is one for all nodes, and is free again the next day on whichever comes first', async () => {
    const clock = heldClock()
    const three = await Promise.all([0, 1, 2].map(() => Node.open(url, { clock })))
    const of = (i: number) => three[i % 3] as Node
    try {
      await of(0).submit(deposit('limited', '1000'))
      const limits = { daily_amount: 10_000 }
      await of(1).submit({ type: 'set_limits', account: 'limited', limits })
      for (let day = 0; day < 3; day += 1) {
        const outcomes = await Promise.all(
          Array.from({ length: 12 }, (_, i) => of(day + i).submit(withdraw('limited', '30'))),
        )
        const paid = outcomes.filter(({ reply }) => reply.type === 'posted')
        assert.equal(paid.length, 3, `on day ${day + 1}: ${outcomes.map(gist)}`)
        clock.move(24 * 3_600_000)
      }
      assert.equal((await of(0).bank.account('limited'))?.ledger, 100_000 - 9 * 3_000)
    } finally {
      for (const each of three) await each.close()
    }
  })

  test('a hold expires once: what it held is free on all nodes, and one of them writes it down', async () => {
    const clock = heldClock()
    const three = await Promise.all([0, 1, 2].map(() => Node.open(url, { clock })))
    try {
      const [first] = three as [Node]
      await first.submit(deposit('expiring', '10'))
      await first.submit({ type: 'hold', account: 'expiring', amount: 900, ...usd, expires_in_s: 60 })
      assert.equal(gist(await first.submit(withdraw('expiring', '2'))), 'insufficient_funds')
      clock.move(60_000)
      const outcomes = await Promise.all(three.map((each) => each.submit(withdraw('expiring', '3'))))
      assert.deepEqual(outcomes.map(gist).sort(), [100, 400, 700])
      const last = await first.bank.last()
      const records = await first.bank.records({ after: Math.max(0, last - 50), last })
      const expired = records.filter(
        ({ content }) => content.kind === 'hold_resolved' && content.account === 'expiring',
      )
      assert.equal(expired.length, 1)
    } finally {
      for (const each of three) await each.close()
    }
  })

  test('replies that are too old to be given again are deleted, and no others', async () => {
    const old = { scope: '', key: 'old' }
    const young = { scope: '', key: 'young' }
    for (const key of [old, young]) await node(0).submit(deposit('forgotten', '1'), { key })
    await runOnce(url, `update replies set at = 0 where key = 'old'`)
    assert.equal(await node(1).store.forget(), 1)
    assert.equal(await node(2).store.reply(old), undefined)
    assert.equal((await node(2).submit(deposit('forgotten', '1'), { key: young })).replayed, true)
    assert.equal((await node(0).bank.account('forgotten'))?.ledger, 200)
  })

  test('who is let in just when a node starts is let in there as well', async () => {
    const starting = await Node.open(url)
    try {
      const command = {
        type: 'create_webhook',
        url: 'https://just.now/',
        types: [],
        sealed_with: '',
      } as const
      const { reply } = await node(0).submit(command, { fresh: '00' })
      assert.equal(reply.type, 'registered')
      const isKnown = () => starting.bank.things.some((thing) => 'url' in thing && thing.url === command.url)
      for (let tries = 0; !isKnown(); tries += 1) {
        assert.ok(tries < 100, 'it is known within two seconds')
        await sleep(20)
      }
    } finally {
      await starting.close()
    }
  })

  test('one node sends for a webhook, and what it writes after another took over is dropped', async (t) => {
    const pool = poolOf({ url }, 2)
    t.after(() => pool.end())
    const ask = reader(pool, { url })
    const [first, second] = [0, 1].map(
      () => new PostgresDeliveries(ask, async () => undefined, { leaseMs: 300 }),
    ) as [PostgresDeliveries, PostgresDeliveries]
    const webhook = '1-1'
    const event = { id: '1-2', place: 2 }
    assert.deepEqual([await first.isOurs(webhook), await second.isOurs(webhook)], [true, false])
    await first.take(webhook, { last: 2, events: [event] }, 0)
    await sleep(700)
    assert.equal(await second.isOurs(webhook), false, 'it renews its lease')

    // As a process that is stopped for longer than its lease and then goes on.
    await pool.query(`update sending set until = 0, holder = 'nobody'`)
    assert.equal(await second.isOurs(webhook), true)
    const [delivery] = await second.due(webhook, 1, 8)
    assert.ok(delivery)
    await first.take(webhook, { last: 5, events: [{ id: '1-5', place: 5 }] }, 0)
    await first.settle({ ...delivery, state: 'delivered', attempts: 1, next_at: null })
    assert.equal(await second.position(webhook), 2)
    assert.deepEqual(await second.due(webhook, 1, 8), [delivery])
    await second.settle({ ...delivery, state: 'delivered', attempts: 1, next_at: null })
    assert.deepEqual(await second.due(webhook, 1, 8), [])

    await second.close()
    await sleep(350)
    assert.equal(await first.isOurs(webhook), true, 'it was let go')
    await first.close()
  })

  test('a name is taken over when its lease is over, and who had it goes by another', async () => {
    const [old] = nodes as [Node]
    const writer = await old.writerOf(deposit('lease', '1'))
    await old.expireLease(url, writer)
    const other = await Node.open(url)
    try {
      assert.equal(await other.writerOf(deposit('lease', '1')), writer)
      assert.notEqual(await old.writerOf(deposit('lease', '1')), writer)
      assert.equal((await other.bank.account('lease'))?.ledger, 300)
      await other.assertProves()
    } finally {
      await other.close()
    }
  })
})

const deadlineMs = 1_500

/** What somebody does in `psql`: a transaction that has an account locked, until it is told otherwise. */
async function lockedBy(
  scope: { after(then: () => Promise<void>): void },
  url: string,
  account: string,
): Promise<pg.Client> {
  const psql = new pg.Client({ connectionString: url })
  await psql.connect()
  scope.after(() => psql.end())
  await psql.query('begin')
  await psql.query('select 1 from accounts where number = $1 for update', [account])
  return psql
}

class Node {
  readonly store: PostgresStore
  readonly bank: Bank

  private constructor(store: PostgresStore) {
    this.store = store
    this.bank = new Bank(store, systemClock, { deadlineMs, graceMs: 1_000 })
  }

  static async open(url: string, more: { clock?: HeldClock } = {}): Promise<Node> {
    const node = new Node(await PostgresStore.open({ url, ...more }))
    await node.bank.readRegistry()
    return node
  }

  submit(
    command: Command,
    more: { key?: { scope: string; key: string }; fresh?: string } = {},
  ): Promise<Outcome> {
    return this.bank.submit({ command, actor: '', ...more })
  }

  /** Which writer a command's record is of. */
  async writerOf(command: Command): Promise<number> {
    const { reply } = await this.submit(command)
    return Number((reply.type === 'posted' ? reply.transfer : '').split('-')[0])
  }

  async expireLease(url: string, writer: number): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query('update writers set until = 0 where id = $1', [writer])
    await client.end()
  }

  async assertProves(): Promise<void> {
    const found = await this.store.prove({}, () => {})
    assert.ok(!('what' in found), 'what' in found ? faultText(found) : '')
  }

  async close(): Promise<void> {
    await this.bank.drain()
    await this.store.close()
  }
}

/** Stands between a node and the database, and loses a batch's COMMIT or its answer, with the connection. */
class Between {
  lose: 'the answer' | 'the request' | undefined
  /** Takes no new connections. */
  isShut = false
  readonly url: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  static async before(url: string): Promise<Between> {
    const to = new URL(url)
    const server = createServer()
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    )
    const own = new URL(url)
    own.host = `127.0.0.1:${port}`
    // It reads what goes by.
    own.searchParams.set('sslmode', 'disable')
    return new Between(server, { host: to.hostname, port: Number(to.port || 5432) }, own.href)
  }

  private constructor(server: Server, to: { host: string; port: number }, url: string) {
    this.#server = server
    this.url = url
    server.on('connection', (client) => {
      if (this.isShut) return void client.destroy()
      const database = connect(to)
      for (const socket of [client, database]) {
        this.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          client.destroy()
          if (!isLosing) database.destroy()
        })
      }
      let isLosing = false
      // The node commits in the background as well, over other connections.
      let isWriter = false
      client.on('data', (data) => {
        isWriter ||= data.includes('insert into records')
        const isCommit = this.lose !== undefined && isWriter && data.includes('commit\0')
        if (isCommit && this.lose === 'the request') {
          this.lose = undefined
          client.destroy()
          database.destroy()
        } else {
          isLosing ||= isCommit
          database.write(data)
        }
      })
      database.on('data', (data) => {
        if (!isLosing) client.write(data)
        // Not before the database has done it.
        else if (data.includes('COMMIT\0')) {
          this.lose = undefined
          client.destroy()
          isLosing = false
          database.destroy()
        }
      })
    })
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

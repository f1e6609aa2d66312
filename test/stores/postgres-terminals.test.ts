/** Several nodes on one PostgreSQL, and the same terminals and cards on all of them at once. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Bank } from '../../src/bank/bank.ts'
import { systemClock } from '../../src/bank/clock.ts'
import type { Outcome } from '../../src/ledger/command.ts'
import { nameOf } from '../../src/ledger/entity.ts'
import { faultText } from '../../src/ledger/verify.ts'
import { PostgresStore } from '../../src/stores/postgres/store.ts'
import { assertInvariants, cardIdOf } from '../support/atm-words.ts'
import { prng, seed } from '../support/chance.ts'
import { deposit, pending } from '../support/commands.ts'
import { postgres, postgresMissing } from '../support/postgres.ts'
import { times } from '../support/profile.ts'
import { asTerminal, makeCard, makeTerminal, run, say, step } from './terminals.ts'

describe('nodes of terminals', { skip: postgresMissing }, () => {
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

  /** What several nodes answer to a step each, asked together. */
  const together = async (...steps: string[]) =>
    (await Promise.all(steps.map((text, i) => node(i).submit(text)))).map(say)

  test('one terminal made on all of them at once is made once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const said = await together(...nodes.map(() => `terminal M${round} C1:50`))
      assert.deepEqual(said.sort(), ['terminal out_of_service', 'terminal_exists', 'terminal_exists'])
    }
    await node(0).assertProves()
  })

  test('a withdrawal that is asked for on two at once is made once, and so is what becomes of it', async () => {
    await makeTerminal(node(0).store, 'T')
    await makeCard(node(1).store, 'K', 'a')
    for (let round = 0; round < 15; round += 1) {
      const id = `w${round}`
      const outcomes = await Promise.all(nodes.map((each) => each.submit(`authorize T ${id} K 60 pin=1234`)))
      assert.deepEqual(outcomes.map(say), Array(3).fill('authorized 60 C1=1 C3=1'))
      assert.equal(outcomes.filter(({ replayed }) => !replayed).length, 1)
      await together(`start T ${id}`, `start T ${id}`)
      const ends = await together(`confirm T ${id} C1=1 C3=1`, `confirm T ${id} C1=1 C3=1`)
      assert.deepEqual(ends, Array(2).fill('completed 60 C1=1 C3=1'))
    }
    assert.equal((await node(2).bank.account('a'))?.ledger, 10_000 - 15 * 60)
    await node(2).assertHolds('T')
    await node(0).assertProves()
  })

  test('a card that is issued on one is good on the others, and blocked on one it is good on none', async () => {
    await makeTerminal(node(0).store, 'U')
    for (let round = 0; round < 10; round += 1) {
      const card = `C${round}`
      await makeCard(node(round).store, card, 'b')
      const said = await together(
        `authorize U ${card}-1 ${card} 10 pin=1234`,
        `block ${card} lost`,
        `authorize U ${card}-2 ${card} 10 pin=1234`,
      )
      assert.equal(said[1], 'card lost tries 3')
      const [later] = await Promise.all([node(round).submit(`authorize U ${card}-3 ${card} 10 pin=1234`)])
      assert.equal(say(later as Outcome), 'card_lost')
    }
    await node(1).assertHolds('U')
    await node(1).assertProves()
  })

  test('what a withdrawal stands on may grow while a node waits for its locks', async (t) => {
    await makeTerminal(node(0).store, 'V')
    await makeCard(node(0).store, 'L', 'c')
    for (let round = 0; round < 3; round += 1) {
      const id = `w${round}`
      await run(node(0).store, [`authorize V ${id} L 60 pin=1234`, `start V ${id}`])
      const psql = new pg.Client({ connectionString: url })
      await psql.connect()
      t.after(() => psql.end())
      await psql.query('begin')
      await psql.query(`select 1 from accounts where number = 'V.cash' for update`)
      // The second has looked up what it names before the first has made an exception of it.
      const first = node(0).submit(`confirm V ${id} outcome=unknown`)
      await sleep(300)
      const second = node(1).submit(`confirm V ${id} C1=1 C3=1`)
      await sleep(300)
      await psql.query('commit')
      assert.deepEqual(
        [say(await first), say(await second)],
        ['suspect 60 C1=1 C3=1', 'completed 60 C1=1 C3=1'],
      )
    }
    const { things } = await node(2).bank.entities({
      prefix: nameOf.exception(''),
      owner: 'V',
      waiting: true,
      limit: 9,
    })
    assert.deepEqual(things, [])
    await node(2).assertHolds('V')
    await node(2).assertProves()
  })

  test('what no account guards is written by one after the other', async () => {
    for (let round = 0; round < 10; round += 1) {
      const outcomes = await Promise.all(
        nodes.map(({ bank }, i) =>
          bank.submit({ command: { type: 'know_keys', values: { k: `${round} ${i}` } }, actor: '' }),
        ),
      )
      assert(outcomes.every(({ reply }) => reply.type === 'entity'))
    }
    await node(0).assertProves()
  })

  test(`anything on any of them at once leaves books that prove (SEED=${seed})`, async () => {
    const chance = prng(seed)
    const one = <Thing>(things: readonly Thing[]) => things[chance(things.length)] as Thing
    const terminals = ['X', 'Y']
    const cards = ['P', 'Q']
    for (const id of terminals) await makeTerminal(node(0).store, id)
    await node(0).store.commit([pending(deposit('e', '1000')), pending(deposit('f', '1000'))])
    await run(node(0).store, ['card P e,f pin=1234 day=90000', 'card Q f pin=1234'])
    let made = 0
    const next = () => {
      const terminal = one(terminals)
      const id = `w${Math.max(1, made - chance(12))}`
      const pin = `pin=${chance(20) === 0 ? 'garbled' : '1234'}`
      switch (chance(16)) {
        case 0:
          return `close ${terminal} ${1 + chance(5)}`
        case 1:
          return `exchange ${terminal}`
        case 2:
          return `unblock ${one(cards)}`
        case 3:
          return `feed ${terminal} ${id} ${one(['e', 'f'])} 1000:1`
        case 4:
          return `unfeed ${terminal} ${id}`
        case 5:
          return `undo ${terminal} ${id}`
        case 6:
          return `send ${terminal} s${made} ${one(cards)} e 10 ${pin}`
        case 7:
        case 8:
          return `start ${terminal} ${id}`
        case 9:
          return `confirm ${terminal} ${id} outcome=unknown`
        case 10:
        case 11:
          return `confirm ${terminal} ${id} C1=${chance(2)} C3=${chance(3)}`
        default:
          made += 1
          return `authorize ${terminal} w${made} ${one(cards)} ${10 * (1 + chance(9))} ${pin}`
      }
    }
    for (let round = 0; round < times(40, 400); round += 1) {
      await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const outcome = await node(i).submit(next())
          const { reply } = outcome
          // Whoever opens a machine puts notes in and closes it.
          if (reply.type === 'exchange_open')
            await node(i + 1).submit(`end ${reply.terminal.id} ${reply.exchange} add C1=2`)
        }),
      )
      if (round % 10 === 0) {
        const { things } = await node(0).bank.entities({
          prefix: nameOf.exception(''),
          waiting: true,
          limit: 20,
        })
        await Promise.all(
          things.map((each, i) =>
            each.kind === 'exception' ? node(i).submit(`resolve ${each.id} dispensed=${chance(2) * 10}`) : 0,
          ),
        )
      }
    }
    for (const id of terminals) await node(1).assertHolds(id)
    await node(1).assertProves()
    const all = await Promise.all(nodes.map(({ bank }) => bank.entities({ prefix: '', limit: 10_000 })))
    for (const other of all.slice(1)) assert.deepEqual(other, all[0])
    assert((await node(0).bank.entity(nameOf.card(cardIdOf('P'))))?.kind === 'card')
  })

  test('a pass that runs while others write finds nothing wrong', async () => {
    await makeTerminal(node(0).store, 'Z')
    await makeCard(node(0).store, 'R', 'g')
    let writing = true
    const write = async (i: number) => {
      for (let n = 0; writing; n += 1) {
        const id = `n${i}-${n}`
        for (const text of [
          `authorize Z ${id} R 10 pin=1234`,
          `undo Z ${id}`,
          `terminal Z${i}X${n} C1:50`,
          `sign Z on`,
        ])
          await node(i).submit(text)
      }
    }
    const writers = [write(0), write(1)]
    try {
      for (let pass = 0; pass < 5; pass += 1) await node(2).assertProves()
    } finally {
      writing = false
      await Promise.all(writers)
    }
    await node(2).assertProves()
  })
})

class Node {
  readonly store: PostgresStore
  readonly bank: Bank

  private constructor(store: PostgresStore) {
    this.store = store
    this.bank = new Bank(store, systemClock)
  }

  static async open(url: string): Promise<Node> {
    return new Node(await PostgresStore.open({ url }))
  }

  submit(text: string): Promise<Outcome> {
    const { deadlineMs: _, ...submission } = step(text)
    return this.bank.submit(submission)
  }

  /** That the money of a terminal is where its notes and its withdrawals say. */
  async assertHolds(id: string): Promise<void> {
    await assertInvariants(asTerminal(await this.bank.entity(nameOf.terminal(id))), {
      ledger: async (account) => (await this.bank.account(account))?.ledger,
      waiting: async () => {
        const page = { prefix: nameOf.withdrawal(id, ''), waiting: true, limit: 10_000 }
        const { things } = await this.bank.entities(page)
        return things.flatMap((each) => (each.kind === 'withdrawal' ? each : []))
      },
    })
  }

  async assertProves(): Promise<void> {
    const found = await this.store.prove({}, () => {})
    assert(!('what' in found), 'what' in found ? faultText(found) : '')
  }

  async close(): Promise<void> {
    await this.bank.drain()
    await this.store.close()
  }
}

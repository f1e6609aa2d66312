/**
 * Random commands of /v1 on every store, against a model that is nothing but sums: each account's postings and holds.
 * The stores must answer as the model says and as each other, prove, and tell the same after closing and opening.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Store } from '../../src/bank/store.ts'
import type { Command, Outcome } from '../../src/ledger/command.ts'
import { type Chance, prng, seed } from '../support/chance.ts'
import { pending } from '../support/commands.ts'
import { assertProven, journalOf } from '../support/journal.ts'
import { memoryPlace, type Place } from '../support/stores.ts'

const commandsPerRound = 250

/** What the model knows: sums of what was posted, and what is set aside. */
class Model {
  readonly ledger = new Map<string, number>()
  readonly overdraft = new Map<string, number>()
  readonly frozen = new Set<string>()
  readonly limits = new Map<string, { amount: number; count: number }>()
  readonly used = new Map<string, { amount: number; count: number }>()
  readonly holds = new Map<string, { account: string; amount: number; open: boolean }>()
  readonly transfers = new Map<string, { from: string | null; to: string | null; left: number }>()

  isOver(account: string, amount: number): boolean {
    const { amount: used = 0, count = 0 } = this.used.get(account) ?? {}
    const limit = this.limits.get(account) ?? { amount: Infinity, count: Infinity }
    return used + amount > limit.amount || count + 1 > limit.count
  }

  use(account: string | null, amount: number, count: number): void {
    if (account === null) return
    const used = this.used.get(account) ?? { amount: 0, count: 0 }
    this.used.set(account, { amount: used.amount + amount, count: used.count + count })
  }

  free(account: string): number {
    let free = (this.ledger.get(account) ?? 0) + (this.overdraft.get(account) ?? 0)
    for (const hold of this.holds.values()) if (hold.open && hold.account === account) free -= hold.amount
    return free
  }

  post(from: string | null, to: string | null, amount: number): void {
    if (from !== null) this.ledger.set(from, (this.ledger.get(from) ?? 0) - amount)
    if (to !== null) this.ledger.set(to, (this.ledger.get(to) ?? 0) + amount)
  }

  /** What a store must answer: `ok` or the refusal; and takes it over. */
  expect(command: Command, { reply }: Outcome): string {
    switch (command.type) {
      case 'open_account': {
        const number = command.number ?? ''
        if (this.ledger.has(number)) return 'account_exists'
        this.ledger.set(number, 0)
        this.overdraft.set(number, command.overdraft_limit)
        const { daily_amount = Infinity, daily_count = Infinity } = command.limits ?? {}
        this.limits.set(number, { amount: daily_amount, count: daily_count })
        return 'ok'
      }
      case 'move': {
        const { from, to, amount } = command
        for (const side of [from, to]) if (side !== null && !this.ledger.has(side)) return 'account_not_found'
        if (from === to) return 'same_account'
        for (const side of [from, to]) if (side !== null && this.frozen.has(side)) return 'account_frozen'
        if (from !== null && this.free(from) < amount) return 'insufficient_funds'
        if (from !== null && this.isOver(from, amount)) return 'limit_exceeded'
        this.post(from, to, amount)
        this.use(from, amount, 1)
        if (reply.type === 'transferred') this.transfers.set(reply.transfer.id, { from, to, left: amount })
        return 'ok'
      }
      case 'reverse': {
        const transfer = this.transfers.get(command.transfer)
        if (transfer === undefined) return 'transfer_not_found'
        const { from, to, left } = transfer
        if (left === 0) return 'ok'
        const amount = command.amount ?? left
        if (amount > left) return 'reversal_too_large'
        if (!command.force && to !== null && this.frozen.has(to)) return 'account_frozen'
        if (!command.force && to !== null && this.free(to) < amount) return 'insufficient_funds'
        this.post(to, from, amount)
        transfer.left -= amount
        this.use(from, -amount, transfer.left === 0 ? -1 : 0)
        return 'ok'
      }
      case 'hold': {
        const { account, amount } = command
        if (!this.ledger.has(account)) return 'account_not_found'
        if (this.frozen.has(account)) return 'account_frozen'
        if (this.free(account) < amount) return 'insufficient_funds'
        if (this.isOver(account, amount)) return 'limit_exceeded'
        this.use(account, amount, 1)
        if (reply.type === 'hold') this.holds.set(reply.hold.id, { account, amount, open: true })
        return 'ok'
      }
      case 'capture': {
        const hold = this.holds.get(command.hold)
        if (hold === undefined) return 'hold_not_found'
        if (!hold.open) return 'hold_resolved'
        const amount = command.amount ?? hold.amount
        if (amount > hold.amount) return 'capture_too_large'
        if (this.frozen.has(hold.account)) return 'account_frozen'
        hold.open = false
        this.post(hold.account, null, amount)
        this.use(hold.account, amount - hold.amount, 0)
        return 'ok'
      }
      case 'void': {
        const hold = this.holds.get(command.hold)
        if (hold === undefined) return 'hold_not_found'
        if (!hold.open) return 'hold_resolved'
        hold.open = false
        this.use(hold.account, -hold.amount, -1)
        return 'ok'
      }
      case 'set_state': {
        if (!this.ledger.has(command.account)) return 'account_not_found'
        if (command.state === 'frozen') this.frozen.add(command.account)
        else this.frozen.delete(command.account)
        return 'ok'
      }
      default:
        throw new Error(`the model does not know ${command.type}`)
    }
  }
}

function randomCommand(model: Model, chance: Chance): Command {
  const account = () => `a-${chance(6)}`
  const amount = 1 + chance(400)
  const some = <T>(things: Iterable<T>, none: T): T => {
    const all = [...things]
    return all[chance(all.length + 1)] ?? none
  }
  const transfer = some(model.transfers.keys(), '1-999999')
  const hold = some(model.holds.keys(), '1-999999')
  const part = chance(2) ? { amount } : {}
  switch (chance(12)) {
    case 0:
      return {
        type: 'open_account',
        number: account(),
        currency: 'USD',
        overdraft_limit: chance(3) * 100,
        minimum_balance: 0,
        metadata: chance(2) ? { n: 'é😀' } : {},
        ...(chance(2) && { limits: { daily_amount: 300 + chance(3000), daily_count: 5 + chance(20) } }),
      }
    case 1:
    case 2:
      return { type: 'move', from: null, to: account(), amount: amount * 2, currency: 'USD' }
    case 3:
      return { type: 'move', from: account(), to: null, amount, currency: 'USD' }
    case 4:
    case 5:
      return { type: 'move', from: account(), to: account(), amount, currency: 'USD', reference: 'r' }
    case 6:
    case 7:
      return { type: 'reverse', transfer, ...part, ...(chance(4) === 0 && { force: true }) }
    case 8:
      return { type: 'hold', account: account(), amount, currency: 'USD', expires_in_s: 3600 }
    case 9:
      return { type: 'capture', hold, ...part }
    case 10:
      return { type: 'void', hold }
    default:
      return { type: 'set_state', account: account(), state: chance(4) ? 'active' : 'frozen', reason: 'r' }
  }
}

const said = ({ reply }: Outcome) => (reply.type === 'refused' ? reply.refusal : 'ok')

/** Without instants and days, which each store reads for itself. */
const timeless = (value: unknown) =>
  JSON.stringify(value)
    ?.replace(/"(at|expires_at)":\d+/g, '"$1":0')
    .replace(/"(day|charged)":"[0-9-]+"/g, '"$1":""')

/** Tests that a store does random commands of /v1 as the model says, and as the memory store does. */
export function testV1Programs(name: string, newPlace: () => Place, rounds: number): void {
  describe(name, () => {
    for (let round = 0; round < rounds; round += 1)
      test(`commands of /v1 do what a model of sums says (SEED=${seed + round})`, async () => {
        const chance = prng(seed + round)
        const place = newPlace()
        const model = new Model()
        let store = await place.open()
        const memory = await memoryPlace().open()
        try {
          for (let i = 0; i < commandsPerRound; i += 1) {
            const command = randomCommand(model, chance)
            const submission = pending(command, chance(3) ? {} : { key: { scope: '', key: `k-${i}` } })
            const [[outcome], [other]] = await Promise.all([
              store.commit([submission]),
              memory.commit([submission]),
            ])
            assert(outcome !== undefined)
            assert.equal(said(outcome), model.expect(command, outcome), `${i}: ${JSON.stringify(command)}`)
            assert.equal(timeless(outcome), timeless(other), `${i}: as in memory`)
            const any = `a-${chance(6)}`
            assert.equal(
              timeless(await store.account(any)),
              timeless(await memory.account(any)),
              `${i}: ${any}`,
            )
            if (place.keeps && i % 90 === 89) {
              await store.close()
              store = await place.open()
            }
          }
          await check(store, memory, model)
          assertProven(await journalOf(store))
        } finally {
          await store.close()
          place.remove()
        }
      })
  })
}

async function check(store: Store, memory: Store, model: Model): Promise<void> {
  for (const [account, ledger] of model.ledger) {
    const found = await store.account(account)
    assert.equal(found?.ledger, ledger)
    assert.equal(ledger - (found?.held ?? 0) + (model.overdraft.get(account) ?? 0), model.free(account))
    const page = { account, limit: 1_000 }
    assert.equal(timeless(await store.entries(page)), timeless(await memory.entries(page)))
  }
  for (const id of model.transfers.keys())
    assert.equal(timeless(await store.transfer(id)), timeless(await memory.transfer(id)))
  for (const id of model.holds.keys())
    assert.equal(timeless(await store.hold(id)), timeless(await memory.hold(id)))
  const now = Date.now()
  assert.equal(
    timeless(await store.holds({ now, limit: 1_000 })),
    timeless(await memory.holds({ now, limit: 1_000 })),
  )
  for (const query of [{}, { reference: 'r' }, { account: 'a-1' }, { account: 'cash:USD' }]) {
    const page = { ...query, limit: 1_000 }
    assert.equal(timeless(await store.transfers(page)), timeless(await memory.transfers(page)))
  }
  const lists = await Promise.all(
    [store, memory].map(async (each) => Array.fromAsync((await each.accounts({ state: 'frozen' })).pieces)),
  )
  assert.equal(timeless(lists[0]?.flat()), timeless(lists[1]?.flat()))
}

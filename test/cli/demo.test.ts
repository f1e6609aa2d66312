// The demo's machine and cards: made once, taken up where a start died in the midst, and never again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bank } from '../../src/bank/bank.ts'
import { systemClock } from '../../src/bank/clock.ts'
import { makeDemo } from '../../src/cli/demo.ts'
import { type Entity, nameOf } from '../../src/ledger/entity.ts'
import { worthOf } from '../../src/ledger/terminal.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { Vault } from '../../src/vault/vault.ts'

const vault = new Vault({
  pan: [Buffer.alloc(32, 1)],
  pin: [Buffer.alloc(32, 2)],
  wrap: [Buffer.alloc(32, 3)],
})
const numbers = ['123456789', '987654321', '555555555']
const pans = ['4761739001010119', '4761739001010127', '4761739001010135']

async function openBank(accounts = numbers): Promise<{ bank: Bank; store: MemoryStore }> {
  const store = new MemoryStore()
  const bank = new Bank(store, systemClock)
  const opened = accounts.map((number) => ({ number, currency: 'USD', ledger: 100_000 }))
  await bank.submit({ command: { type: 'open_books', accounts: opened }, actor: '' })
  return { bank, store }
}

async function readAll(bank: Bank): Promise<readonly Entity[]> {
  return (await bank.entities({ prefix: '', limit: 100 })).things
}

async function check(bank: Bank, cards = 3): Promise<void> {
  const terminal = await bank.entity(nameOf.terminal('ATM00001'))
  assert(terminal?.kind === 'terminal')
  assert.equal(terminal.state, 'in_service')
  assert.equal(
    terminal.units.reduce((sum, unit) => sum + worthOf(unit), 0),
    800_000,
  )
  assert.equal((await bank.account('ATM00001.cash'))?.ledger, -800_000)
  const issued = (await readAll(bank)).filter(({ kind }) => kind === 'card')
  assert.equal(issued.length, cards)
  const demo = await bank.entity(nameOf.demo)
  assert(demo?.kind === 'demo')
  assert.equal(demo.cards.length, cards)
}

test('a machine with notes in it and a card for each account, by the commands that anybody uses', async () => {
  const { bank } = await openBank()
  assert.equal(await makeDemo(bank, vault), undefined)
  await check(bank)
  const last = await bank.last()
  assert.equal(await makeDemo(bank, vault), undefined)
  assert.equal(await bank.last(), last, 'nothing is done twice')
})

test('an account that is not there has no card', async () => {
  const { bank } = await openBank(numbers.slice(0, 1))
  assert.equal(await makeDemo(bank, vault), undefined)
  await check(bank, 1)
})

test('a start that died behind any of its commits is taken up', async () => {
  let whole = Number.POSITIVE_INFINITY
  for (let commits = 0; commits < whole; commits += 1) {
    const { bank, store } = await openBank()
    let left = commits
    const dying = new Bank(
      new Proxy(store, {
        get: (target, name) => {
          const member = Reflect.get(target, name)
          if (name !== 'commit') return typeof member === 'function' ? member.bind(target) : member
          return async (...args: Parameters<MemoryStore['commit']>) => {
            if (left === 0) throw new Error('it died')
            left -= 1
            return target.commit(...args)
          }
        },
      }),
      systemClock,
    )
    const died = await makeDemo(dying, vault).then(
      () => false,
      () => true,
    )
    if (!died) whole = commits
    assert.equal(await makeDemo(bank, vault), undefined)
    await check(bank)
    assert.equal((await bank.entity(nameOf.card(vault.cardIds(pans[0] ?? '')[0] ?? '')))?.kind, 'card')
  }
  assert.ok(whole > 5, `${whole} commits`)
})

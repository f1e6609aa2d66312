/** Terminals by the client, over lines that lose: each thing is done once, and answered as the first time. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Cashpoint, CashpointError } from '../../src/client/client.ts'
import { pans, pin, units } from '../rest/atm-support.ts'
import { serve } from '../rest/support.ts'
import { badLine, type Does } from './line.ts'

const usd = { currency: 'USD' }
const server = await serve({ after }, { accounts: { A: 100_000, B: 0 } })
const direct = new Cashpoint({ url: server.listening.url })

async function over(t: Parameters<typeof badLine>[0], plan: Does[]) {
  return new Cashpoint({ url: (await badLine(t, { to: server.listening.url, plan })).url })
}

test('a terminal is made, loaded and put in service, and a card issued', async (t) => {
  const client = await over(t, ['lose', 'pass', 'lose', 'drop'])
  await client.createTerminal({ id: 'ATM1', name: 'Lobby', ...usd, units: units as never })
  const terminal = client.terminal('ATM1')
  const { exchange } = await terminal.startExchange()
  await terminal.count({ exchange, units: { C1: 0, C2: 0, C3: 0 } })
  const loaded = await terminal.endExchange({ exchange, mode: 'set', loaded: { C1: 10, C3: 10 } })
  assert.equal(loaded.over_short, 0)
  assert.equal((await terminal.setState({ state: 'in_service', reason: 'loaded' })).cash, 60_000)
  const accounts = [{ account: 'A', type: 'checking' as const, default: true }]
  const card = await client.issueCard({ pan: pans.a, expiry: '9912', accounts, pin })
  assert.deepEqual(await client.cardOf(card.id), card)
  assert.deepEqual((await client.cards({ status: 'active' })).cards, [card])
  assert.equal((await client.terminals()).terminals.length, 1)
})

test('a withdrawal leaves once, whichever of its answers are lost', async (t) => {
  const client = await over(t, ['lose', 'lose', 'pass', 'lose', 'drop', 'pass', 'lose', 'pass'])
  const terminal = client.terminal('ATM1')
  const w1 = { id: 'w1', pan: pans.a, pin, amount: 6000, ...usd }
  assert.deepEqual((await terminal.authorize(w1)).units, { C1: 1, C3: 1 })
  assert.equal((await terminal.start('w1')).state, 'dispensing')
  assert.equal((await terminal.confirm('w1', { units: { C1: 1, C3: 1 } })).dispensed, 6000)
  assert.equal((await direct.balance('A')).ledger, 94_000)
  assert.equal((await terminal.read()).cash, 54_000)
  await assert.rejects(terminal.start('w1'), (error) => {
    assert.ok(error instanceof CashpointError)
    return error.code === 'withdrawal_state' && error.problem.state === 'completed'
  })
})

test('everything else there is to ask of a terminal, once', async () => {
  const terminal = direct.terminal('ATM1')
  const card = { pan: pans.a, pin }
  assert.equal((await terminal.signOn()).signed_on, true)
  assert.equal((await terminal.signOff()).signed_on, false)
  assert.equal((await terminal.inquire({ ...card, type: 'statement' })).entries?.length, 2)
  assert.equal((await terminal.deposit({ id: 'd1', account: 'B', ...usd, notes: { 5000: 1 } })).amount, 5000)
  assert.equal((await terminal.reverseDeposit('d1', 'jam')).state, 'reversed')
  assert.equal((await terminal.transfer({ id: 't1', ...card, to: 'B', amount: 1, ...usd })).id, 't1')
  assert.equal((await terminal.changePin({ id: 'p1', ...card, new_pin: pin })).changed, true)
  assert.equal((await terminal.reverse('w9', { reason: 'timeout' })).state, 'reversed')
  await terminal.authorize({ id: 'w2', ...card, amount: 1000, ...usd })
  await terminal.start('w2')
  await terminal.confirm('w2', { units: {}, outcome: 'unknown' })
  assert.equal((await terminal.withdrawals({ state: 'open' })).withdrawals.length, 1)
  const [exception] = (await direct.exceptions({ state: 'open', terminal: 'ATM1' })).exceptions
  assert.ok(exception !== undefined)
  assert.equal((await direct.exceptionOf(exception.id)).type, 'suspect')
  const resolved = await direct.resolveException(exception.id, { dispensed: 0, reason: 'found' })
  assert.equal(resolved.resolution?.dispensed, 0)
  assert.equal((await terminal.withdrawalOf('w2')).state, 'reversed')
  const closed = await terminal.close(1)
  assert.deepEqual(await terminal.batchOf(1), closed)
  const found = await terminal.withdrawalOf('w1')
  assert.ok('card' in found && found.card !== null)
  assert.equal((await direct.blockCard(found.card, { status: 'blocked', reason: 'x' })).status, 'blocked')
  assert.equal((await direct.unblockCard(found.card, 'x')).status, 'active')
  assert.equal((await direct.setPin(found.card, { pin: '4321', reason: 'x' })).pin_set, true)
})

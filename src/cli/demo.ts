/** What a newcomer finds: a cash machine with notes in it, and a card for each of the first accounts. */
import type { Bank } from '../bank/bank.ts'
import type { CardId } from '../ledger/card.ts'
import type { Command, Submission } from '../ledger/command.ts'
import { nameOf } from '../ledger/entity.ts'
import type { Refusal } from '../ledger/refusal.ts'
import { countOf } from '../ledger/terminal.ts'
import { lastFour } from '../vault/pan.ts'
import type { Vault } from '../vault/vault.ts'

const terminal = 'ATM00001'
const loaded = { C1: 100, C2: 100, C3: 100 }
const nothing = { C1: 0, C2: 0, C3: 0, D1: {}, R1: {}, T1: {} }
const pin = '1234'
const cards = [
  { pan: '4761739001010119', account: '123456789' },
  { pan: '4761739001010127', account: '987654321' },
  { pan: '4761739001010135', account: '555555555' },
]

const createTerminal: Command = {
  type: 'create_terminal',
  id: terminal,
  name: 'Demo',
  currency: 'USD',
  units: [
    { id: 'C1', type: 'cash_out', value: 5_000, low: 20 },
    { id: 'C2', type: 'cash_out', value: 2_000, low: 20 },
    { id: 'C3', type: 'cash_out', value: 1_000, low: 20 },
    { id: 'D1', type: 'cash_in' },
    { id: 'R1', type: 'reject' },
    { id: 'T1', type: 'retract' },
  ],
  mix: 'minimumBills',
  max_notes: 40,
  start_within_s: 60,
  confirm_within_s: 300,
  require_sign_on: false,
}

/**
 * Makes the demo data by the commands that anybody uses, where there never were any; a start that died in the midst of
 * it is taken up. Gives why it could not, if so.
 */
export async function makeDemo(bank: Bank, vault: Vault): Promise<Refusal | undefined> {
  if ((await bank.entity(nameOf.demo)) !== undefined) return undefined
  return (await makeTerminal(bank)) ?? (await makeCards(bank, vault))
}

async function makeTerminal(bank: Bank): Promise<Refusal | undefined> {
  const refused = await ask(bank, createTerminal, 'terminal_exists')
  if (refused !== undefined) return refused
  const made = await bank.entity(nameOf.terminal(terminal))
  const isEmpty = made?.kind === 'terminal' && made.units.every((unit) => countOf(unit) === 0)
  return (
    (isEmpty ? await load(bank) : undefined) ??
    ask(bank, { type: 'set_terminal_state', terminal, state: 'in_service', reason: 'demo' })
  )
}

/** Through an exchange, as every note comes into a machine. */
async function load(bank: Bank): Promise<Refusal | undefined> {
  const { reply } = await bank.submit({ command: { type: 'start_exchange', terminal }, actor: '' })
  if (reply.type === 'refused') return reply.refusal
  if (reply.type !== 'exchange_open') throw new Error(`an exchange was answered with ${reply.type}`)
  const { exchange } = reply
  return (
    (await ask(bank, { type: 'count_units', terminal, exchange, units: nothing })) ??
    (await ask(bank, { type: 'end_exchange', terminal, exchange, mode: 'set', loaded }))
  )
}

/** Of accounts that are there, and can have one. */
async function makeCards(bank: Bank, vault: Vault): Promise<Refusal | undefined> {
  const made: CardId[] = []
  for (const { pan, account } of cards) {
    const found = await bank.account(account)
    if (found?.currency !== 'USD' || found.state === 'closed') continue
    const ids = vault.cardIds(pan)
    const command: Command = {
      type: 'issue_card',
      pan: ids,
      last4: lastFour(pan),
      expiry: '2912',
      accounts: [{ account, type: 'checking', default: true }],
      pin_policy: 'if_present',
    }
    const [id = ''] = ids
    const refused = await ask(bank, command, 'card_exists', { new_pin: { [id]: vault.reference(id, pin) } })
    if (refused !== undefined) return refused
    made.push(id)
  }
  return ask(bank, { type: 'open_demo', terminal, cards: made })
}

/** Why it was refused, unless because it was done before. */
async function ask(
  bank: Bank,
  command: Command,
  before?: Refusal,
  more: Pick<Submission, 'new_pin'> = {},
): Promise<Refusal | undefined> {
  const { reply } = await bank.submit({ command, actor: '', ...more })
  return reply.type === 'refused' && reply.refusal !== before ? reply.refusal : undefined
}

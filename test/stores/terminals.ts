/** Terminals and cards in the words of scenarios, for tests that ask a store itself. */
import assert from 'node:assert/strict'
import type { Pending, Store } from '../../src/bank/store.ts'
import type { Outcome } from '../../src/ledger/command.ts'
import type { Terminal } from '../../src/ledger/terminal.ts'
import { atmStepOf, idOfAtm, sayAtm } from '../support/atm-words.ts'
import { deposit, gist, pending } from '../support/commands.ts'
import { wordsOf } from '../support/v1-words.ts'

/** Ids by the names that `as=` gave them. */
export type Ids = Map<string, string>

/** One step, such as `authorize T w1 K 60 pin=1234`, as it goes to a store. */
export function step(text: string, ids: Ids = new Map()): Pending {
  const found = atmStepOf(wordsOf(text.split(' ')), (name) => ids.get(name) ?? name)
  assert(found !== undefined, `${text} is a step of the ATM side`)
  const { command, ...entered } = found
  return pending(command, entered)
}

/** Steps one after the other, each a commit; what each was answered, in the words of scenarios. */
export async function run(store: Pick<Store, 'commit'>, steps: readonly string[]): Promise<string[]> {
  const ids: Ids = new Map()
  const said: string[] = []
  for (const text of steps) {
    const [outcome] = await store.commit([step(text, ids)])
    assert(outcome !== undefined)
    const name = wordsOf(text.split(' ')).options.get('as')
    if (name !== undefined) ids.set(name, idOf(outcome) ?? '')
    said.push(say(outcome))
  }
  return said
}

/** The id that `as=` is for. */
export function idOf({ reply }: Outcome): string | undefined {
  return 'entity' in reply || reply.type === 'exchange_open' ? idOfAtm(reply) : undefined
}

export function say(outcome: Outcome): string {
  const { reply } = outcome
  switch (reply.type) {
    case 'entity':
    case 'inquired':
    case 'exchange_open':
    case 'counted':
    case 'exchanged':
      return sayAtm(reply)
    default:
      return String(gist(outcome))
  }
}

/** A terminal in service with 1,000 notes in each of two units: of 50 in C1, of 10 in C3. */
export async function makeTerminal(store: Pick<Store, 'commit'>, id: string): Promise<void> {
  const steps = [
    `terminal ${id} C1:50 C3:10 D1:in R1:reject T1:retract`,
    `exchange ${id} as=x`,
    `count ${id} x C1=0 C3=0`,
    `end ${id} x set C1=1000 C3=1000`,
    `service ${id} on`,
  ]
  const said = await run(store, steps)
  assert.equal(said.at(-1), 'terminal in_service')
}

/** A card, with its account and 10,000 minor units on it. */
export async function makeCard(store: Pick<Store, 'commit'>, card: string, account: string): Promise<void> {
  await store.commit([pending(deposit(account, '100'))])
  assert.deepEqual(await run(store, [`card ${card} ${account} pin=1234`]), ['card active tries 3'])
}

export function asTerminal(entity: unknown): Terminal {
  const terminal = entity as Terminal | undefined
  assert(terminal?.kind === 'terminal')
  return terminal
}

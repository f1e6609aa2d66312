/** Terminals and cards in the words of scenarios, for tests that ask a store itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pending, Store } from '../../src/bank/store.ts'
import type { Outcome } from '../../src/ledger/command.ts'
import { nameOf } from '../../src/ledger/entity.ts'
import type { Terminal } from '../../src/ledger/terminal.ts'
import { atmStepOf, cardIdOf, idOfAtm, sayAtm } from '../support/atm-words.ts'
import { deposit, gist, pending } from '../support/commands.ts'
import { assertProven, journalOf } from '../support/journal.ts'
import type { Place } from '../support/stores.ts'
import { wordsOf } from '../support/v1-words.ts'

/** Tests whose story is read right after it was committed and, where the store keeps anything, once more after a restart. */
export function tellerOf(newPlace: () => Place) {
  return (
    story: string,
    prepare: (store: Store, place: Place) => Promise<unknown>,
    check: (store: Store) => Promise<void>,
  ) =>
    test(story, async () => {
      const place = newPlace()
      let store = await place.open()
      try {
        await prepare(store, place)
        await check(store)
        if (place.keeps) {
          await store.close()
          store = await place.open()
          await check(store)
        }
        assertProven(await journalOf(store))
        const found = await store.prove({}, () => {})
        assert(!('what' in found), 'what' in found ? found.what : '')
      } finally {
        await store.close()
        place.remove()
      }
    })
}

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

/** A little of each kind of record of the ATM side, in commits of one command each. */
export async function someOfEach(store: Store): Promise<void> {
  await makeTerminal(store, 'T')
  await makeCard(store, 'K', 'a')
  await makeCard(store, 'M', 'b')
  await run(store, [
    'card L a pin=1234 day=500',
    'authorize T w1 K 60 pin=1234',
    'start T w1',
    'confirm T w1 C1=1 C3=1',
    'authorize T w2 L 60 pin=1234',
    'start T w2',
    'confirm T w2 C1=1',
    'authorize T w3 K 60 pin=garbled',
    'authorize T w4 K 60 pin=1234',
    'start T w4',
    'confirm T w4 outcome=unknown',
    'authorize T w5 L 10 pin=1234',
    'undo T w6',
    'undo T w1',
    'feed T d1 a 1000:3',
    'unfeed T d1',
    'unfeed T d2',
    'repin T p1 L pin=1234 new=4321',
    'send T i1 K b 60 pin=1234 stan=000001',
    'advise T a1 000001 of=transfer nothing',
    'send T i2 K b 99999 pin=1234 stan=000002',
    'close T 1',
    'exchange T as=x',
    'count T x C1=997 C3=1000',
    'end T x set C1=10 C3=10 w4:60',
    'block K stolen',
    'authorize T w7 L 10 pin=4321',
  ])
  const { things } = await store.entities({ prefix: nameOf.exception(''), waiting: true, limit: 9 })
  for (const exception of things)
    if (exception.kind === 'exception') await run(store, [`resolve ${exception.id} dispensed=60`])
  await store.commit([
    { ...step('service T on'), command: { type: 'know_keys', values: { k: 'v' } } },
    {
      ...step('service T on'),
      command: { type: 'open_demo', terminal: 'T', cards: [cardIdOf('K'), cardIdOf('L')] },
    },
  ])
  await store.commit([
    {
      ...step('service T on'),
      command: { type: 'create_credential', role: 'teller', name: 'ann' },
      fresh: 'b'.repeat(64),
    },
  ])
}

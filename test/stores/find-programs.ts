/** Random searches of a store and of the memory store, which looks through every record: they must find the same. */
import assert from 'node:assert/strict'
import type { Finding, FindPage, Store } from '../../src/bank/store.ts'
import { type Entity, nameOf, nameOfEntity } from '../../src/ledger/entity.ts'
import type { Findable } from '../../src/ledger/terms.ts'
import type { WithdrawalState } from '../../src/ledger/withdrawal.ts'
import type { Chance } from '../support/chance.ts'

const states: readonly WithdrawalState[] = [
  'declined',
  'authorized',
  'dispensing',
  'completed',
  'partially_completed',
  'reversed',
  'suspect',
]
const members = [
  'id',
  'terminal',
  'account',
  'last4',
  'stan',
  'rrn',
  'authorization_code',
  'amount',
  'currency',
]

/** Searches for what there is, for what one has and another has not, and for what nothing has. */
export async function assertFindsAlike(store: Store, memory: Store, chance: Chance): Promise<void> {
  const kept = (await memory.entities({ prefix: '', limit: 100_000 })).things
  const findable = kept.filter(isFindable)
  for (let i = 0; i < 25; i += 1) {
    const page = pageOf(findable, chance)
    const all = await memory.find({ ...page, limit: 100_000 })
    assert.deepEqual(await allOf(store, page), all.things, JSON.stringify(page))
  }
  const named = kept.filter(({ kind }) => kind === 'withdrawal' || kind === 'exception').map(nameOfEntity)
  for (let i = 0; i < 10; i += 1) {
    const names = Array.from({ length: chance(4) }, () => named[chance(named.length)] ?? nameOf.demo)
    const limit = chance(4) === 0 ? chance(4) : 1_000
    assert.deepEqual(await store.about(names, limit), await memory.about(names, limit), names.join(' '))
  }
}

function pageOf(findable: readonly Findable[], chance: Chance): FindPage {
  const one = <Thing>(things: readonly Thing[]) => things[chance(things.length)] as Thing
  const entity = one(findable)
  const other = chance(4) === 0 ? one(findable) : entity
  const page: Record<string, unknown> = { kind: entity.kind, limit: one([5, 20, 100]) }
  for (const name of members) {
    const value = (chance(2) === 0 ? entity : other)[name as 'id']
    if (chance(4) === 0 && value !== undefined) page[name] = value
  }
  if (chance(4) === 0) page['state'] = one(states)
  if (chance(4) === 0) page['from'] = other.at + chance(3) - 1
  if (chance(4) === 0) page['to'] = entity.at + chance(3) - 1
  return page as FindPage
}

async function allOf(store: Store, page: FindPage): Promise<readonly Finding[]> {
  const found: Finding[] = []
  let before: string | undefined
  do {
    const { things, next } = await store.find({ ...page, ...(before !== undefined && { before }) })
    found.push(...things)
    before = next
  } while (before !== undefined)
  return found
}

function isFindable(entity: Entity): entity is Findable {
  return entity.kind === 'withdrawal' || entity.kind === 'operation' || entity.kind === 'card'
}

/** What the bank knows of the registry: by the time a command that changes it is answered, and after it is unknown. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bank } from '../../src/bank/bank.ts'
import { systemClock } from '../../src/bank/clock.ts'
import { type Pending, StoreError } from '../../src/bank/store.ts'
import type { Thing } from '../../src/ledger/registry.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'

const create = { type: 'create_credential', role: 'teller', name: 'ann' } as const

/** A store whose registry takes a while to read, and that may lose the answer to a commit. */
class SlowStore extends MemoryStore {
  loses = false

  override async things(): Promise<readonly Thing[]> {
    await new Promise((resolve) => setTimeout(resolve, 50))
    return super.things()
  }

  override async commit(batch: readonly Pending[]) {
    const outcomes = await super.commit(batch)
    if (this.loses) throw new StoreError('outcome_unknown', 'lost')
    return outcomes
  }
}

test('who is let in is known by when that is answered', async () => {
  const bank = new Bank(new SlowStore(), systemClock)
  const heard: number[] = []
  bank.watchRegistry((things) => heard.push(things.length))
  await bank.submit({ command: create, actor: '', fresh: 'a' })
  assert.equal(bank.things.length, 1)
  const [credential] = bank.things
  await bank.submit({ command: { type: 'revoke_credential', credential: credential?.id ?? '' }, actor: '' })
  assert.ok(bank.things.every((thing) => thing.kind === 'credential' && thing.revoked_at !== undefined))
  assert.deepEqual(heard, [0, 1, 1])
})

test('where the outcome is unknown, it is known a little later', async () => {
  const store = new SlowStore()
  const bank = new Bank(store, systemClock)
  store.loses = true
  const { reply } = await bank.submit({ command: create, actor: '', fresh: 'a' })
  assert.equal(reply.type === 'refused' && reply.refusal, 'outcome_unknown')
  assert.equal(bank.things.length, 0)
  for (let i = 0; bank.things.length === 0; i += 1) {
    assert.ok(i < 100, 'it is read again')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
})

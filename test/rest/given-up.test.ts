/** A list that its client gives up: the store must be told, or it keeps what it had ready for ever. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Bank } from '../../src/bank/bank.ts'
import { systemClock } from '../../src/bank/clock.ts'
import type { AccountList } from '../../src/bank/store.ts'
import type { Account } from '../../src/ledger/account.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { quietApp } from './support.ts'

/** Takes its time for a list, and knows whether the list was taken to its end or given up. */
class SlowStore extends MemoryStore {
  readonly asked = Promise.withResolvers<void>()
  readonly found = Promise.withResolvers<void>()
  ended = false

  override async accounts(): Promise<AccountList> {
    this.asked.resolve()
    await this.found.promise
    const end = async (): Promise<IteratorResult<Account[]>> => {
      this.ended = true
      return { value: undefined, done: true }
    }
    const pieces = { next: end, return: end, [Symbol.asyncIterator]: () => pieces }
    return { total: 0, more: false, pieces }
  }
}

test('a client that hangs up before its list has begun: the list is let go of', async () => {
  const store = new SlowStore()
  const bank = new Bank(store, systemClock)
  const app = await quietApp(bank)
  await app.listen({ host: '127.0.0.1', port: 0 })

  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  client.write('GET /accounts HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await store.asked.promise
  client.destroy()
  await once(client, 'close')
  await sleep(50)
  store.found.resolve()
  for (let i = 0; i < 20 && !store.ended; i += 1) await sleep(25)
  await app.close()
  assert(store.ended)
})

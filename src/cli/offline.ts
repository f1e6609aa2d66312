/** A bank on a store that no server is using, for commands that change it from the shell. */
import pino from 'pino'
import { Bank } from '../bank/bank.ts'
import { systemClock } from '../bank/clock.ts'
import { StoreError } from '../bank/store.ts'
import type { Settings } from './settings.ts'
import { type OpenStore, openBooks, openStore } from './store.ts'

/** Who asks, in the journal: those who hold the store's file may do anything with it. */
export const cliActor = 'cli'

/** `instead` says what can be done where a server is using the store. */
export async function withBank<T>(
  settings: Settings,
  instead: string,
  use: (bank: Bank, store: OpenStore) => Promise<T>,
): Promise<T> {
  const store = await openStore(settings, pino({ level: 'silent' })).catch((error) => {
    if (!(error instanceof StoreError) || !error.message.includes('in use by another server')) throw error
    throw new StoreError('unusable', `${error.message}: ${instead}`)
  })
  try {
    const bank = new Bank(store, systemClock)
    // Whatever makes a store, it begins with the same accounts.
    await openBooks(bank)
    await bank.readRegistry()
    return await use(bank, store)
  } finally {
    await store.close()
  }
}

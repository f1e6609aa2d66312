/** Places where a store can be opened, so that one test runs on all of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '../../src/bank/store.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { SqliteStore } from '../../src/stores/sqlite/store.ts'
import { type HeldClock, heldClock } from './clock.ts'
import { deposit, pending } from './commands.ts'

/** Where a store is: it can be opened there, closed by its user, and opened again. */
export type Place = {
  /** Whether what was committed is still there after it was closed. */
  readonly keeps: boolean
  /** The store's wall clock, where a test can hold it. */
  readonly clock?: HeldClock
  open(): Promise<Store>
  remove(): void
}

export function memoryPlace(): Place {
  const clock = heldClock()
  return { keeps: false, clock, open: async () => new MemoryStore({ clock }), remove() {} }
}

/** A real file in a directory of its own. */
export function sqlitePlace(): Place & { readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-test-'))
  const path = join(directory, 'cashpoint.db')
  const remove = () => rmSync(directory, { recursive: true, force: true })
  // Also where a test fails before it comes to it.
  process.on('exit', remove)
  return {
    keeps: true,
    path,
    open: () => SqliteStore.open({ path }),
    remove,
  }
}

export const places = { memory: memoryPlace, sqlite: sqlitePlace } satisfies Record<string, () => Place>

/** A store at a path with these accounts, each with 1,000.00 that was deposited. */
export async function makeAccounts(path: string, numbers: readonly string[]): Promise<void> {
  const store = await SqliteStore.open({ path })
  for (let at = 0; at < numbers.length; at += 1_000)
    await store.commit(numbers.slice(at, at + 1_000).map((number) => pending(deposit(number, '1000'))))
  await store.close()
}

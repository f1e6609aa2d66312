/** The vault of a store: opened with the server's keys, which must be those that its cards were made with. */
import { dirname, join } from 'node:path'
import type { Bank } from '../bank/bank.ts'
import { nameOf } from '../ledger/entity.ts'
import { SqliteStore } from '../stores/sqlite/store.ts'
import { Vault } from '../vault/vault.ts'
import { readKeys } from './keys.ts'
import { SettingError, type Settings } from './settings.ts'
import type { OpenStore } from './store.ts'

/** Where the keys are: beside a store's file they are made at the first start; nodes on a database must be given the same ones. */
export function pathOfKeys({ keysPath }: Settings, store: OpenStore): string | undefined {
  return keysPath ?? (store instanceof SqliteStore ? join(dirname(store.path), 'keys.json') : undefined)
}

/**
 * The vault, of keys that the store knows from now on by their check values. Undefined where there are no keys and
 * never were any. Throws a SettingError where one that it knows is missing, or is another.
 */
export async function openVault(bank: Bank, path: string | undefined): Promise<Vault | undefined> {
  const known = await knownKeys(bank)
  if (path === undefined) {
    if (Object.keys(known).length === 0) return undefined
    throw new SettingError(
      'the cards of this store were made with keys, and no file of keys is given: name it with CASHPOINT_KEYS',
    )
  }
  const vault = new Vault(readKeys(path).vault)
  check(known, vault, path)
  if (Object.keys(vault.checkValues).every((name) => name in known)) return vault
  await bank.submit({ command: { type: 'know_keys', values: vault.checkValues }, actor: '' })
  // Another node may have begun at the same time, with others.
  check(await knownKeys(bank), vault, path)
  return vault
}

async function knownKeys(bank: Bank): Promise<Readonly<Record<string, string>>> {
  const keys = await bank.entity(nameOf.keys)
  return keys?.kind === 'keys' ? keys.values : {}
}

function check(known: Readonly<Record<string, string>>, { checkValues }: Vault, path: string): void {
  for (const [name, value] of Object.entries(known)) {
    const has = checkValues[name]
    if (has === value) continue
    const what = has === undefined ? `has no key ${name}` : `has another key ${name} than the one`
    throw new SettingError(
      `${path} ${what} that the cards of this store were made with: name the right file with CASHPOINT_KEYS`,
    )
  }
}

/** The vault of a store: opened with the server's keys, which must be those that its cards were made with. */
import { dirname, join, resolve } from 'node:path'
import type { Bank } from '../bank/bank.ts'
import { nameOf } from '../ledger/entity.ts'
import { SqliteStore } from '../stores/sqlite/store.ts'
import { type CheckValues, judgeCheckValues } from '../vault/check-values.ts'
import { Vault } from '../vault/vault.ts'
import { type Keys, readKeys } from './keys.ts'
import { SettingError, type Settings } from './settings.ts'
import type { OpenStore } from './store.ts'

/** The server's keys, and the file that they are in. */
export type KeysAt = { readonly path: string; readonly keys: Keys }

/** Beside a store's file they are made at the first start; nodes on a database must be given the same ones. */
export function keysOf({ keysPath }: Settings, store: OpenStore): KeysAt | undefined {
  const beside = store instanceof SqliteStore ? join(dirname(store.path), 'keys.json') : undefined
  const path = keysPath ?? beside
  return path === undefined ? undefined : { path, keys: readKeys(path, { isOurs: beside === resolve(path) }) }
}

/**
 * The vault, of keys that the store knows from now on by their check values. Undefined where there are no keys and
 * never were any. Throws a SettingError where one that it knows is missing, or is another.
 */
export async function openVault(bank: Bank, at: KeysAt | undefined): Promise<Vault | undefined> {
  const known = await knownKeys(bank)
  if (at === undefined) {
    if (Object.keys(known).length === 0) return undefined
    throw new SettingError(
      'the cards of this store were made with keys, and no file of keys is given: name it with CASHPOINT_KEYS',
    )
  }
  const { path, keys } = at
  const vault = new Vault(keys.vault)
  check(known, vault, path)
  if (Object.keys(vault.checkValues).every((name) => name in known)) return vault
  await bank.submit({ command: { type: 'know_keys', values: vault.checkValues }, actor: '' })
  // Another node may have begun at the same time, with others.
  check(await knownKeys(bank), vault, path)
  return vault
}

async function knownKeys(bank: Bank): Promise<CheckValues> {
  const keys = await bank.entity(nameOf.keys)
  return keys?.kind === 'keys' ? keys.values : {}
}

function check(known: CheckValues, { checkValues }: Vault, path: string): void {
  const wrong = judgeCheckValues(known, checkValues)
  if (wrong === undefined) return
  const { name, problem } = wrong
  const what = problem === 'missing' ? `has no key ${name}` : `has another key ${name} than the one`
  throw new SettingError(
    `${path} ${what} that the cards of this store were made with: name the right file with CASHPOINT_KEYS`,
  )
}

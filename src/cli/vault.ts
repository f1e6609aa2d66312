/** The server's keys and the vault that is opened with them: they must be those that the store's cards were made with. */
import { dirname, join, resolve } from 'node:path'
import type { Bank } from '../bank/bank.ts'
import { nameOf } from '../ledger/entity.ts'
import { SqliteStore } from '../stores/sqlite/store.ts'
import { type CheckValues, judgeCheckValues } from '../vault/check-values.ts'
import { Vault } from '../vault/vault.ts'
import { type Keys, readKeys } from './keys.ts'
import { SettingError, type Settings } from './settings.ts'
import type { OpenStore } from './store.ts'

export type ServerKeys = { readonly path: string; readonly keys: Keys }

/** Beside a store's file the keys are made at the first start; nodes on a database must be given the same ones. */
export function keysOf({ keysPath }: Settings, store: OpenStore): ServerKeys | undefined {
  const beside = store instanceof SqliteStore ? join(dirname(store.path), 'keys.json') : undefined
  const path = keysPath ?? beside
  if (path === undefined) return undefined
  return { path, keys: readKeys(path, { isOurs: beside === resolve(path) }) }
}

/**
 * The vault, of keys that the store knows from now on by their check values. Undefined where there are no keys and
 * never were any. Throws a SettingError where one that it knows is missing, or is another.
 */
export async function openVault(bank: Bank, of: ServerKeys | undefined): Promise<Vault | undefined> {
  const known = await knownKeys(bank)
  if (of === undefined) {
    if (Object.keys(known).length === 0) return undefined
    throw new SettingError('the cards of this store were made with keys: name their file with CASHPOINT_KEYS')
  }
  const vault = new Vault(of.keys.vault)
  check(known, vault, of.path)
  if (Object.keys(vault.checkValues).every((name) => name in known)) return vault
  await bank.submit({ command: { type: 'know_keys', values: vault.checkValues }, actor: '' })
  // Another node may have begun at the same time, with others.
  check(await knownKeys(bank), vault, of.path)
  return vault
}

async function knownKeys(bank: Bank): Promise<CheckValues> {
  const keys = await bank.entity(nameOf.keys)
  return keys?.kind === 'keys' ? keys.values : {}
}

function check(known: CheckValues, { checkValues }: Vault, path: string): void {
  const wrong = judgeCheckValues(known, checkValues)
  if (wrong === undefined) return
  const what = wrong.problem === 'missing' ? 'has not the key' : 'has another key'
  throw new SettingError(
    `${path} ${what} ${wrong.name} that the cards of this store were made with: name the right file with CASHPOINT_KEYS`,
  )
}

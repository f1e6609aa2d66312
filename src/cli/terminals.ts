/** `cashpoint terminals`: gives a terminal its PIN key or its MAC key, of a store that no server is using. */
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import type { SetMacKey, SetPinKey } from '../ledger/atm-commands.ts'
import { isTerminalId, type WrappedKey } from '../ledger/terminal.ts'
import type { GivenKey } from '../vault/vault.ts'
import type { KeyPlace } from '../vault/wrapping.ts'
import { cliActor, withBank } from './offline.ts'
import { readSettings, SettingError, type Settings } from './settings.ts'
import { keysOf, openVault } from './vault.ts'

const usage = `usage: cashpoint terminals pin-key ID --algorithm tdes|aes --kcv HEX [--store STORE] < KEY
       cashpoint terminals mac-key ID --algorithm tdes|aes --kcv HEX [--store STORE] < KEY
       cashpoint terminals mac-key ID --algorithm none [--store STORE]

  reads the key, in hexadecimal, from the standard input: an argument would stay in the shell's history
  with a MAC key a terminal's ISO 8583 messages must carry MACs; with none, not any more`

const names = { 'pin-key': 'key', 'mac-key': 'MAC key' } as const

export async function terminals(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage)
  const { values, positionals } = read(args)
  const [use, id, ...rest] = positionals
  if ((use !== 'pin-key' && use !== 'mac-key') || id === undefined || rest.length > 0)
    throw new SettingError(
      'say terminals pin-key ID or mac-key ID, --algorithm tdes|aes --kcv HEX, with the key on the standard input',
    )
  if (!isTerminalId(id)) throw new SettingError('ID must be the id of a terminal, such as ATM00001')
  const isNone = use === 'mac-key' && values.algorithm === 'none'
  if (isNone && values.kcv !== undefined) throw new SettingError('--kcv is of a key: with none there is none')
  const words = isNone ? undefined : readWords(values)
  const settings = readSettings(values.store === undefined ? [] : ['--store', values.store], process.env)
  if (settings.storePath === undefined && settings.databaseUrl === undefined)
    throw new SettingError('a temporary store goes with its server: there is no terminal in it')
  const key = words && { ...words, key: (await text(process.stdin)).trim() }
  await give(settings, { terminal: id, use }, key)
  console.log(`Terminal ${id} has ${key ? `the ${names[use]} ${key.kcv.toUpperCase()}` : 'no MAC key'}.`)
}

function readWords({ algorithm, kcv = '' }: Values): Omit<GivenKey, 'key'> {
  if (algorithm !== 'tdes' && algorithm !== 'aes') throw new SettingError('--algorithm must be tdes or aes')
  if (!/^[0-9A-Fa-f]{6,10}$/.test(kcv))
    throw new SettingError('--kcv must be the check value of the key, 6 to 10 hexadecimal digits')
  return { algorithm, kcv }
}

async function give(settings: Settings, place: KeyPlace, key: GivenKey | undefined): Promise<void> {
  const instead = 'stop it first, since a key in clear goes over no network'
  await withBank(settings, instead, async (bank, store) => {
    const vault = await openVault(bank, keysOf(settings, store))
    if (vault === undefined)
      throw new SettingError('there are no keys to keep it under: name their file with CASHPOINT_KEYS')
    const wrapped = key && vault.wrap(place, key)
    if (wrapped === 'kcv_mismatch') throw new SettingError('the key has another check value than --kcv')
    if (wrapped === 'key_invalid')
      throw new SettingError(`what came on the standard input is no ${key?.algorithm} key in hexadecimal`)
    const { reply } = await bank.submit({ command: commandOf(place, wrapped), actor: cliActor })
    if (reply.type !== 'refused') return
    const isUnknown = reply.refusal === 'terminal_not_found'
    throw new SettingError(isUnknown ? `there is no terminal ${place.terminal}` : `refused: ${reply.refusal}`)
  })
}

/** A PIN key there always is; a MAC key may be none. */
function commandOf({ terminal, use }: KeyPlace, key: WrappedKey | undefined): SetPinKey | SetMacKey {
  if (key === undefined) return { type: 'set_mac_key', terminal }
  return { type: use === 'pin-key' ? 'set_pin_key' : 'set_mac_key', terminal, key }
}

type Values = ReturnType<typeof read>['values']

function read(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    const options = { algorithm: text, kcv: text, store: text }
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

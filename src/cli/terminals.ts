/** `cashpoint terminals`: gives a terminal its PIN key, of a store that no server is using. */
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { isTerminalId } from '../ledger/terminal.ts'
import { cliActor, withBank } from './offline.ts'
import { readSettings, SettingError } from './settings.ts'
import { keysOf, openVault } from './vault.ts'

const usage = `usage: cashpoint terminals pin-key ID --algorithm tdes|aes --kcv HEX [--store STORE] < KEY

  reads the key, in hexadecimal, from the standard input: an argument would stay in the shell's history`

export async function terminals(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage)
  const { values, positionals } = read(args)
  const [verb, id, ...rest] = positionals
  if (verb !== 'pin-key' || id === undefined || rest.length > 0)
    throw new SettingError(
      'say terminals pin-key ID --algorithm tdes|aes --kcv HEX, with the key on the standard input',
    )
  if (!isTerminalId(id)) throw new SettingError('ID must be the id of a terminal, such as ATM00001')
  const { algorithm, kcv = '' } = values
  if (algorithm !== 'tdes' && algorithm !== 'aes') throw new SettingError('--algorithm must be tdes or aes')
  if (!/^[0-9A-Fa-f]{6,10}$/.test(kcv))
    throw new SettingError('--kcv must be the check value of the key, 6 to 10 hexadecimal digits')
  const settings = readSettings(values.store === undefined ? [] : ['--store', values.store], process.env)
  if (settings.storePath === undefined && settings.databaseUrl === undefined)
    throw new SettingError('a temporary store goes with its server: there is no terminal in it')
  const key = (await text(process.stdin)).trim()

  const instead = 'stop it first, since a key in clear goes over no network'
  await withBank(settings, instead, async (bank, store) => {
    const vault = await openVault(bank, keysOf(settings, store))
    if (vault === undefined)
      throw new SettingError('there are no keys to keep it under: name their file with CASHPOINT_KEYS')
    const wrapped = vault.wrap(id, { algorithm, key, kcv })
    if (wrapped === 'kcv_mismatch') throw new SettingError('the key has another check value than --kcv')
    if (wrapped === 'key_invalid')
      throw new SettingError(`what came on the standard input is no ${algorithm} key in hexadecimal`)
    const command = { type: 'set_pin_key', terminal: id, key: wrapped } as const
    const { reply } = await bank.submit({ command, actor: cliActor })
    if (reply.type === 'refused')
      throw new SettingError(
        reply.refusal === 'terminal_not_found' ? `there is no terminal ${id}` : `refused: ${reply.refusal}`,
      )
  })
  console.log(`Terminal ${id} has the key ${kcv.toUpperCase()}.`)
}

function read(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    const options = { algorithm: text, kcv: text, store: text }
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

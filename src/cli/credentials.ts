/** `cashpoint credentials`: makes, lists and revokes credentials of a store that no server is using. */
import { parseArgs } from 'node:util'
import { hashOfKey, makeKey } from '../access/key.ts'
import type { Command, Reply } from '../ledger/command.ts'
import { type Credential, roles } from '../ledger/registry.ts'
import { isTerminalId } from '../ledger/terminal.ts'
import { cliActor, withBank } from './offline.ts'
import { readSettings, SettingError, type Settings } from './settings.ts'

const usage = `usage: cashpoint credentials create --role ROLE --name NAME [--store STORE]
       cashpoint credentials list [--store STORE]
       cashpoint credentials revoke ID [--store STORE]

  ROLE is one of ${roles.join(', ')}; NAME is whose it is, of a terminal its id`

const instead = 'stop it, or ask it with POST /v1/credentials'

export async function credentials(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage)
  const { values, positionals } = read(args)
  const [verb, id, ...rest] = positionals
  const settings = settingsOf(values.store)
  if (verb === 'create' && id === undefined) return create(settings, values)
  if (verb === 'list' && id === undefined) return list(settings)
  if (verb === 'revoke' && id !== undefined && rest.length === 0) return revoke(settings, id)
  throw new SettingError(
    'say credentials create --role ROLE --name NAME, credentials list, or credentials revoke ID',
  )
}

function read(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    const options = { role: text, name: text, store: text }
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

function settingsOf(store: string | undefined): Settings {
  const settings = readSettings(store === undefined ? [] : ['--store', store], process.env)
  if (settings.storePath === undefined && settings.databaseUrl === undefined)
    throw new SettingError('a temporary store goes with its server: there is nothing to let anybody into')
  return settings
}

async function create(
  settings: Settings,
  { role, name }: { role?: string | undefined; name?: string | undefined },
): Promise<void> {
  const known = roles.find((each) => each === role)
  if (known === undefined) throw new SettingError(`--role must be one of ${roles.join(', ')}`)
  if (name === undefined || !/^[^\p{Cc}]{1,64}$/u.test(name))
    throw new SettingError('--name must say whose it is, in 1 to 64 characters')
  if (known === 'terminal' && !isTerminalId(name))
    throw new SettingError(
      '--name of a terminal’s credential must be the id of the terminal, such as ATM00001',
    )

  const key = makeKey()
  const reply = await submit(
    settings,
    { type: 'create_credential', role: known, name },
    { fresh: hashOfKey(key) },
  )
  if (reply.type !== 'registered') throw new Error(`no credential was made: ${JSON.stringify(reply)}`)
  console.log(
    `Credential ${reply.thing.id} for ${name}, ${known}. Its key, which is not shown again:\n\n  ${key}\n`,
  )
}

async function list(settings: Settings): Promise<void> {
  const credentials = await withBank(settings, instead, async (bank) =>
    bank.things.filter((thing): thing is Credential => thing.kind === 'credential'),
  )
  if (credentials.length === 0) return console.log('There is no credential.')
  for (const { id, role, name, hash, revoked_at } of credentials) {
    const state = revoked_at === undefined ? 'in use' : `revoked ${new Date(revoked_at).toISOString()}`
    console.log(`${id.padEnd(10)} ${role.padEnd(9)} ${hash.slice(0, 16)}  ${state}  ${name}`)
  }
}

async function revoke(settings: Settings, credential: string): Promise<void> {
  const reply = await submit(settings, { type: 'revoke_credential', credential })
  if (reply.type === 'refused') throw new SettingError(`there is no credential ${credential}`)
  console.log(`Credential ${credential} is revoked.`)
}

async function submit(settings: Settings, command: Command, more: { fresh?: string } = {}): Promise<Reply> {
  const { reply } = await withBank(settings, instead, (bank) =>
    bank.submit({ command, actor: cliActor, ...more }),
  )
  return reply
}

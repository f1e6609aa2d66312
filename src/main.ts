/** `cashpoint COMMAND`: argv to one of `cli/*`. */
import { StoreError } from './bank/store.ts'
import { SettingError } from './cli/settings.ts'
import { ListenError } from './rest/listen-error.ts'

type Command = (args: readonly string[]) => Promise<void>

const commands: Record<string, { readonly help: string; load(): Promise<Command> }> = {
  serve: { help: 'serve the ATM API', load: async () => (await import('./cli/serve.ts')).serve },
  verify: {
    help: 'prove the books from the journal',
    load: async () => (await import('./cli/verify.ts')).verify,
  },
  credentials: {
    help: 'make, list and revoke credentials, of a store that no server is using',
    load: async () => (await import('./cli/credentials.ts')).credentials,
  },
  terminals: {
    help: 'give a terminal its PIN key or its MAC key, of a store that no server is using',
    load: async () => (await import('./cli/terminals.ts')).terminals,
  },
  backup: {
    help: 'copy the journal of a store, proven on the way, while a server runs or not',
    load: async () => (await import('./cli/copy.ts')).backup,
  },
  restore: {
    help: 'make a store of a backup, as of its end, a block or an instant',
    load: async () => (await import('./cli/copy.ts')).restore,
  },
  export: {
    help: 'print the journal as JSON lines',
    load: async () => (await import('./cli/copy.ts')).exportJournal,
  },
  import: {
    help: 'make a store of an export',
    load: async () => (await import('./cli/copy.ts')).importJournal,
  },
  torture: {
    help: 'attack a running deployment with random operations, and judge its answers',
    load: async () => (await import('./cli/torture.ts')).torture,
  },
  atm: {
    help: 'be a cash machine, or many, on a running host',
    load: async () => (await import('./cli/atm.ts')).atm,
  },
  describe: {
    help: 'print an ISO 8583 message, masked',
    load: async () => (await import('./cli/describe.ts')).describe,
  },
  iso8583: {
    help: 'follow what machines say to a running server by ISO 8583, masked',
    load: async () => (await import('./cli/iso8583-tail.ts')).iso8583,
  },
  conformance: {
    help: 'run the suite that every store must pass, on any database',
    load: async () => (await import('./cli/conformance.ts')).conformance,
  },
}

const usage = `usage: cashpoint COMMAND [--help]
${Object.entries(commands)
  .map(([name, { help }]) => `  ${name.padEnd(11)} ${help}`)
  .join('\n')}`

const [name = '', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined
if (command === undefined) {
  const asked = name === '--help' || name === 'help'
  console[asked ? 'log' : 'error'](usage)
  process.exit(asked ? 0 : 2)
}
try {
  await (await command.load())(args)
} catch (error) {
  const expected =
    error instanceof SettingError ||
    error instanceof ListenError ||
    (error instanceof StoreError && error.code === 'unusable')
  console.error(expected ? `cashpoint: ${error.message}` : error)
  process.exit(error instanceof SettingError ? 2 : 1)
}

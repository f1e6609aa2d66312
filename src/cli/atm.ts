/** `cashpoint atm`: simulated cash machines on a running host: one by hand, a fleet, or the demo. Exit 1 if not balanced. */
import { parseArgs } from 'node:util'
import { AskedWrongError, allFaults, faults, type Odds, readFaults } from '../simulator/faults.ts'
import { type FleetOptions, fleet } from '../simulator/fleet.ts'
import type { IsoAddress } from '../simulator/iso8583/iso-wire.ts'
import { HostError } from '../simulator/operator.ts'
import { enterClearPin, enterNoPin, enterPinBlock, readPinKey } from '../simulator/pin-entry.ts'
import { report } from '../simulator/report.ts'
import { Session, sessionHelp } from '../simulator/session.ts'
import { SettingError } from './settings.ts'

const usage = `usage: cashpoint atm --url http://localhost:5000 [--iso8583 localhost:8583] [--terminal ATM00001]
                     [--card PAN] [--pin 1234] [--key CREDENTIAL] [--operator-key CREDENTIAL] [--dir data/atm]
                     [--faults none] [COMMAND]
       cashpoint atm --url http://localhost:5000 [--iso8583 localhost:8583] --fleet N [--seconds 30] [--cards N]
                     [--seed N] [--faults all] [--key CREDENTIAL]
       cashpoint atm --demo [--fleet 8] [--seconds S] [--faults some]

  one machine by hand, which keeps its journal and its notes in a directory:
    ${sessionHelp.replaceAll('\n', '\n    ')}
    The PIN can be in CASHPOINT_ATM_PIN, and the machine's PIN key, for a host that is not in demo mode, in
    CASHPOINT_ATM_PIN_KEY, as tdes:HEX or aes:HEX
    With --iso8583 it speaks ISO 8583 there, and its operator REST. A PIN is a block then: without the key there is none
  a fleet, with an administrator's credential unless the host is in demo mode: makes its own terminals (FLT00001 and
  on), cards and accounts, and judges at the end whether everything balances to the note; exit 1 if not. With
  --iso8583 every other machine speaks that
  the demo: a temporary host and eight machines, until Ctrl-C

  faults: all, none, or some of these with commas between them, each with its odds or without (jam,answer-lost=0.2)
${Object.entries(faults)
  .map(([name, { odds, help }]) => `    ${name.padEnd(13)} ${String(odds).padEnd(6)} ${help}`)
  .join('\n')}`

const text = { type: 'string' } as const
const names = {
  url: text,
  iso8583: text,
  key: text,
  'operator-key': text,
  terminal: text,
  card: text,
  pin: text,
  dir: text,
  fleet: text,
  seconds: text,
  cards: text,
  seed: text,
  faults: text,
  demo: { type: 'boolean' },
} as const

type Values = Partial<Record<Exclude<keyof typeof names, 'demo'>, string>> & { readonly demo?: boolean }

export async function atm(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage)
  const { values, positionals } = read(args)
  try {
    if (values.demo) await (await import('./atm-demo.ts')).demo(demoOf(values))
    else if (values.fleet !== undefined) await runFleet(values)
    else await runOne(values, positionals)
  } catch (error) {
    if (error instanceof HostError || error instanceof AskedWrongError) throw new SettingError(error.message)
    throw error
  }
}

async function runFleet(values: Values): Promise<void> {
  const machines = wholeOf(values, 'fleet', 8, 1_000)
  const seed = wholeOf(values, 'seed', 1 + (Date.now() % 1_000_000), 999_999_999)
  const options: FleetOptions = {
    url: urlOf(values),
    iso8583: addressOf(values),
    credential: values.key,
    machines,
    cards: wholeOf(values, 'cards', 2 * machines, 100_000),
    seconds: wholeOf(values, 'seconds', 30, 86_400),
    seed,
    odds: readFaults(values.faults ?? 'all'),
    onPhase: (phase) => console.log(phase === 'open' ? 'all machines are open' : 'closing'),
  }
  const also = values.iso8583 === undefined ? '' : ` and ${values.iso8583}`
  console.log(`seed ${seed}, ${machines} machines on ${options.url}${also}\n`)
  const verdict = await fleet(options)
  console.log(report(verdict, seed))
  if (verdict.findings.length > 0) process.exitCode = 1
}

// The first card of the demo data, and its PIN.
const demoCard = '4761739001010119'
const demoPin = '1234'

async function runOne(values: Values, words: readonly string[]): Promise<void> {
  const { key, 'operator-key': operatorKey = key, terminal = 'ATM00001', card = demoCard } = values
  // Neither a PIN nor a key belongs among the arguments, where everybody on this machine can read them.
  const { CASHPOINT_ATM_PIN: typedPin, CASHPOINT_ATM_PIN_KEY: pinKey } = process.env
  const iso8583 = addressOf(values)
  if (iso8583 !== undefined && pinKey === undefined && (values.pin ?? typedPin) !== undefined)
    throw new SettingError(
      'a PIN goes as a block over ISO 8583: put the key of the machine into CASHPOINT_ATM_PIN_KEY, as tdes:HEX or aes:HEX',
    )
  if (iso8583 !== undefined && !/^[0-9]{1,19}$/.test(card))
    throw new SettingError('--card must be a card number, of at most 19 digits')
  const pin = values.pin ?? typedPin ?? (card === demoCard ? demoPin : undefined)
  const enterWithoutKey = iso8583 === undefined ? enterClearPin : enterNoPin
  const session = await Session.open({
    terminal,
    directory: values.dir ?? 'data/atm',
    url: urlOf(values),
    iso8583,
    credential: key,
    operatorCredential: operatorKey,
    customer: { pan: card, pin, account: '' },
    enterPin: pinKey === undefined ? enterWithoutKey : enterPinBlock(readPinKey(pinKey)),
    odds: readFaults(values.faults ?? 'none'),
    seed: wholeOf(values, 'seed', 1 + (Date.now() % 1_000_000), 999_999_999),
    print: (line) => console.log(line),
  })
  try {
    if (words.length > 0) await session.do(words.join(' '))
    else await typed(session, terminal)
  } finally {
    await session.close()
  }
}

/** What is typed, line by line, until `quit` or the end. */
async function typed(session: Session, terminal: string): Promise<void> {
  const { createInterface } = await import('node:readline')
  const lines = createInterface({ input: process.stdin })
  const prompt = () => process.stdin.isTTY && process.stdout.write(`${terminal}> `)
  console.log(`${terminal} is on. ${sessionHelp}\n`)
  prompt()
  for await (const line of lines) {
    if (line.trim() === 'quit') break
    try {
      await session.do(line)
    } catch (error) {
      if (!(error instanceof AskedWrongError || error instanceof HostError)) throw error
      console.log(`  ${error.message}`)
    }
    prompt()
  }
  lines.close()
}

function demoOf(values: Values): { machines: number; seconds: number; seed: number; odds: Odds } {
  return {
    machines: wholeOf(values, 'fleet', 8, 100),
    // A day and on: until Ctrl-C.
    seconds: values.seconds === undefined ? Number.POSITIVE_INFINITY : wholeOf(values, 'seconds', 1, 86_400),
    seed: wholeOf(values, 'seed', 1 + (Date.now() % 1_000_000), 999_999_999),
    odds: values.faults === undefined ? allFaults : readFaults(values.faults),
  }
}

function urlOf({ url }: Values): URL {
  if (url === undefined || !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new SettingError('say where the host is: --url http://localhost:5000')
  return new URL(url)
}

/** `localhost:8583`, or with an address of IPv6 `[::1]:8583`. */
function addressOf({ iso8583 }: Values): IsoAddress | undefined {
  if (iso8583 === undefined) return undefined
  const [, inBrackets, plain, digits] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^:/\s]+)):([0-9]{1,5})$/.exec(iso8583) ?? []
  const host = inBrackets ?? plain
  const port = Number(digits)
  if (host === undefined || port < 1 || port > 65_535)
    throw new SettingError(`--iso8583 must be a host and a port, such as localhost:8583, not ${iso8583}`)
  return { host, port }
}

function wholeOf(
  values: Values,
  name: 'fleet' | 'cards' | 'seconds' | 'seed',
  fallback: number,
  max: number,
): number {
  const value = values[name] ?? String(fallback)
  if (!/^[1-9][0-9]*$/.test(value) || Number(value) > max)
    throw new SettingError(`--${name} must be a whole number from 1 to ${max}`)
  return Number(value)
}

function read(args: readonly string[]): { values: Values; positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], options: names, strict: true, allowPositionals: true })
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

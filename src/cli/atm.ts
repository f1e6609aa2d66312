/** `cashpoint atm`: simulated cash machines on a running host: one by hand, a fleet, or the demo. Exit 1 if not balanced. */
import { parseArgs } from 'node:util'
import { AskedWrongError, faults, readFaults } from '../simulator/faults.ts'
import { type FleetOptions, fleet } from '../simulator/fleet.ts'
import { HostError } from '../simulator/operator.ts'
import { report } from '../simulator/report.ts'
import { SettingError } from './settings.ts'

const usage = `usage: cashpoint atm --url http://localhost:5000 --fleet N [--seconds 30] [--cards N] [--seed N] [--faults all]
                     [--key CREDENTIAL]

  faults: all, none, or some of these with commas between them, each with its odds or without (jam,answer-lost=0.2)
${Object.entries(faults)
  .map(([name, { odds, help }]) => `    ${name.padEnd(13)} ${String(odds).padEnd(6)} ${help}`)
  .join('\n')}`

const text = { type: 'string' } as const
const names = {
  url: text,
  key: text,
  fleet: text,
  seconds: text,
  cards: text,
  seed: text,
  faults: text,
}

type Values = Partial<Record<keyof typeof names, string>>

export async function atm(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage)
  const values = read(args)
  try {
    await runFleet(values)
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
    credential: values.key,
    machines,
    cards: wholeOf(values, 'cards', 2 * machines, 100_000),
    seconds: wholeOf(values, 'seconds', 30, 86_400),
    seed,
    odds: readFaults(values.faults ?? 'all'),
    onPhase: (phase) => console.log(phase === 'open' ? 'all machines are open' : 'closing'),
  }
  console.log(`seed ${seed}, ${machines} machines on ${options.url}\n`)
  const verdict = await fleet(options)
  console.log(report(verdict, seed))
  if (verdict.findings.length > 0) process.exitCode = 1
}

function urlOf({ url }: Values): URL {
  if (url === undefined || !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new SettingError('say where the host is: --url http://localhost:5000')
  return new URL(url)
}

function wholeOf(values: Values, name: keyof typeof names, fallback: number, max: number): number {
  const value = values[name] ?? String(fallback)
  if (!/^[1-9][0-9]*$/.test(value) || Number(value) > max)
    throw new SettingError(`--${name} must be a whole number from 1 to ${max}`)
  return Number(value)
}

function read(args: readonly string[]): Values {
  try {
    return parseArgs({ args: [...args], options: names, strict: true }).values
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

/** `cashpoint torture`: random operations on a running deployment, and whether it keeps its promises. Exit 1 if not. */
import { parseArgs } from 'node:util'
import { report } from '../torture/report.ts'
import { torture as run, UnreachableError } from '../torture/torture.ts'
import { SettingError } from './settings.ts'

const usage = `usage: cashpoint torture --url http://localhost:5000 [--key CREDENTIAL] [--seed N] [--seconds 10]
       [--clients 16] [--accounts 8] [--operations 20000]

  makes accounts of its own, whose names begin with torture-SEED, and touches no others`

const text = { type: 'string' } as const
const names = {
  url: text,
  key: text,
  seed: text,
  seconds: text,
  clients: text,
  accounts: text,
  operations: text,
}

export async function torture(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage)
  const values = read(args)
  const { url } = values
  if (url === undefined || !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new SettingError('say where the deployment is: --url http://localhost:5000')
  const whole = (name: Exclude<keyof typeof names, 'url' | 'key'>, fallback: number, max: number) => {
    const value = values[name] ?? String(fallback)
    if (!/^[1-9][0-9]*$/.test(value) || Number(value) > max)
      throw new SettingError(`--${name} must be a whole number from 1 to ${max}`)
    return Number(value)
  }
  const seed = whole('seed', 1 + (Date.now() % 1_000_000), 999_999_999)
  const options = {
    url: new URL(url),
    // The seed makes the choices; the time makes the names new where a seed is run again.
    prefix: `torture-${seed}-${Date.now().toString(36)}`,
    credential: values.key,
    seed,
    seconds: whole('seconds', 10, 86_400),
    clients: whole('clients', 16, 500),
    accounts: whole('accounts', 8, 1_000),
    operations: whole('operations', 20_000, 10_000_000),
  }
  console.log(`seed ${seed}, on ${url}, with accounts of its own: ${options.prefix}-…\n`)
  try {
    const verdict = await run(options)
    console.log(report(verdict, seed))
    if (verdict.findings.length > 0) process.exitCode = 1
  } catch (error) {
    if (error instanceof UnreachableError) throw new SettingError(error.message)
    throw error
  }
}

function read(args: readonly string[]): Partial<Record<keyof typeof names, string>> {
  try {
    return parseArgs({ args: [...args], options: names, strict: true }).values
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

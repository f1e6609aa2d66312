/**
 * `cashpoint conformance`: the suite that our stores must pass, on any database that speaks PostgreSQL's protocol. It
 * is the repository's own tests, so it runs where the source is. Exit 1 where anything is otherwise.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readDatabaseUrl } from '../stores/postgres/hosts.ts'
import { SettingError } from './settings.ts'

const usage = `usage: cashpoint conformance --url postgres://USER@HOST/DATABASE [--match TEXT]

  runs what every store must pass on a database, in schemas of its own that it drops at the end:
  the contract of a store, random programs beside the memory store, the scenarios, several nodes, and /v1
  --match TEXT   only tests whose names have it`

const root = join(import.meta.dirname, '..', '..')
const suites = [
  'test/stores/postgres.test.ts',
  'test/stores/postgres-nodes.test.ts',
  'test/rest/postgres.test.ts',
]

export async function conformance(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage)
  const { url, match } = read(args)
  if (url === undefined)
    throw new SettingError('say where the database is: --url postgres://USER@HOST/DATABASE')
  let name: string
  try {
    name = readDatabaseUrl(url).name
  } catch (error) {
    throw new SettingError(`--url cannot be used: ${(error as Error).message}`)
  }
  if (!suites.every((suite) => existsSync(join(root, suite))))
    throw new SettingError('the suite is not in the npm package: run this in a checkout of the source')
  if (!isInstalled('fast-check')) throw new SettingError('what the tests need is not installed: npm ci')

  // The driver of a database is loaded only where there is one.
  const { dropSchemas, versionOf } = await import('../stores/postgres/schemas.ts')
  console.log(`${name}\n${await versionOf(url)}\n`)
  const prefix = `cashpoint_conformance_${process.pid}_`
  try {
    process.exitCode = await run(url, prefix, match)
  } finally {
    await dropSchemas(url, prefix)
  }
}

async function run(url: string, prefix: string, match: string | undefined): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      ...['--import', './test/support/setup.ts', '--disable-warning=ExperimentalWarning', '--test'],
      ...['--test-concurrency=1', '--test-reporter=spec'],
      ...(match === undefined ? [] : [`--test-name-pattern=${match.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`]),
      ...suites,
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        CASHPOINT_TEST_POSTGRES: url,
        CASHPOINT_TEST_SCHEMAS: prefix,
        // All of it, and not the part that the seed chooses.
        CASHPOINT_TEST_LONG: '1',
      },
    },
  )
  // The schemas are dropped also where somebody has had enough.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code] = await once(child, 'exit')
  return code === 0 ? 0 : 1
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

function read(args: readonly string[]): { url?: string | undefined; match?: string | undefined } {
  try {
    const options = { url: { type: 'string' }, match: { type: 'string' } } as const
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

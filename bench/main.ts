/**
 * `npm run bench`: how fast Cashpoint is beside the same server doing nothing, and beside a naive one. Prints its
 * report and leaves it in bench/results. Everything runs on this machine, in stores that go with the run.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { atmReport, measureAtm } from './atm.ts'
import { type CellName, cells } from './cells.ts'
import { consoleReport, measureConsole } from './console.ts'
import { measureBytes } from './fill.ts'
import { codecReport, measureCodec } from './iso8583.ts'
import { findGenerator } from './load.ts'
import { readMachine } from './machine.ts'
import { measure } from './measure.ts'
import { measureMemory, memoryReport } from './memory.ts'
import { measureMix, mixReport } from './mix.ts'
import { measurePostgres, postgresReport } from './postgres.ts'
import { writeMachine, writeReport } from './report.ts'
import { measureStarts, startReport } from './start.ts'
import { measureV1, v1Report } from './v1.ts'

const usage = `usage: npm run bench -- [flags]

  --rounds 3             how often everything is measured, and how many starts are timed
  --connections 64,256   the numbers of connections
  --seconds 5            how long one cell is measured
  --warmup 4             how long each cell runs before, uncounted
  --only a,b,c           these cells; ratios need both of theirs
  --records 0,1000000    how many records the journals begin with (0)
  --load wrk             or autocannon: the load generator (wrk where it is installed)
  --name latest          of the report in bench/results
  --directory DIR        where the stores are put (bench/.stores)

Other modes, each with a report of its own:
  --memory               resident memory over --operations 2000000, at the first number of connections
  --mix                  the search for the notes to pay with, alone: median, p99 and worst
  --iso8583              messages parsed and packed, beside JSON of the same fields
  --v1                   batches, holds and pages of /v1, at --entries 1000000 and 100,000 accounts
  --atm                  withdrawals at a thousand terminals, beside the echo control
  --console              a browser's first view of the console, on a ledger of --operations 1000000
  --store postgres       one node and three on a PostgreSQL of this machine, beside pgbench and a naive server
  --start N              how long a start takes on N records, after a stop and after a kill`

const { values } = readFlags()
if (values.help) {
  console.log(usage)
  process.exit()
}

const rounds = wholeOf('rounds')
const seconds = wholeOf('seconds')
const connections = wholesOf('connections')
const only = cellsOf(values.only)

const stores = values.directory ?? fileURLToPath(new URL('.stores', import.meta.url))
mkdirSync(stores, { recursive: true })
const directory = mkdtempSync(join(stores, 'run-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

const generator = findGenerator(values.load)
const loadName = values.v1 || values.atm ? 'a Node client (bench/client.ts)' : generator.name
const machine = readMachine(directory, values.mix || values.iso8583 ? 'none' : loadName)
console.log(`${writeMachine(machine)}\n`)

if (values.memory) {
  const options = { operations: wholeOf('operations', '2000000'), connections: connections[0] ?? 64 }
  const rows = await measureMemory(directory, generator, options)
  leave(values.name ?? 'memory', memoryReport(rows), { options, rows })
} else if (values.mix) {
  const rows = measureMix()
  leave(values.name ?? 'mix', mixReport(rows), { rows })
} else if (values.iso8583) {
  const rows = measureCodec()
  leave(values.name ?? 'iso8583', codecReport(rows), { rows })
} else if (values.store === 'postgres') {
  const options = { rounds, seconds }
  const measured = await measurePostgres(generator, options)
  leave(values.name ?? 'postgres', postgresReport(measured, options), { options, ...measured })
} else if (values.atm) {
  const options = { rounds, seconds, terminals: 1_000 }
  const figures = await measureAtm(directory, options)
  leave(values.name ?? 'atm', atmReport(figures, options), { options, figures })
} else if (values.console) {
  const options = { rounds, operations: wholeOf('operations', '1000000'), terminals: 200 }
  const figures = await measureConsole(directory, options)
  leave(values.name ?? 'console', consoleReport(figures, options), { options, figures })
} else if (values.v1) {
  const options = { rounds, seconds, accounts: 100_000, entries: wholeOf('entries') }
  const figures = await measureV1(directory, options)
  leave(values.name ?? 'v1', v1Report(figures, options), { options, figures })
} else if (values.start !== undefined) {
  const options = { records: wholeOf('start'), rounds, seconds, connections: connections[0] ?? 64 }
  const starts = await measureStarts(directory, generator, options)
  leave(values.name ?? 'start', startReport(starts), { options, ...starts })
} else {
  const options = {
    rounds,
    seconds,
    connections,
    records: wholesOf('records'),
    warmup: wholeOf('warmup'),
    only,
  }
  const measured = await measure(directory, generator, options)
  const disk = join(directory, 'disk')
  mkdirSync(disk)
  const report = { options, ...measured, bytes: await measureBytes(disk) }
  leave(values.name ?? 'latest', writeReport(report), report)
}
process.exit()

/** Prints a report and leaves it, with the figures it was made from, in bench/results. */
function leave(name: string, body: string, figures: object): void {
  const text = `# Cashpoint bench: ${name}\n\n${writeMachine(machine)}\n\n${body}`
  const results = fileURLToPath(new URL('results/', import.meta.url))
  mkdirSync(results, { recursive: true })
  writeFileSync(`${results}${name}.md`, text)
  writeFileSync(`${results}${name}.json`, `${JSON.stringify({ machine, ...figures }, null, 2)}\n`)
  console.log(`\n${text}\nbench/results/${name}.md`)
}

function readFlags() {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      options: {
        rounds: { ...text, default: '3' },
        connections: { ...text, default: '64,256' },
        seconds: { ...text, default: '5' },
        warmup: { ...text, default: '4' },
        only: { ...text, default: 'a,b,c,d,e,f,g,h' },
        records: { ...text, default: '0' },
        operations: text,
        entries: { ...text, default: '1000000' },
        atm: { type: 'boolean' },
        console: { type: 'boolean' },
        v1: { type: 'boolean' },
        start: text,
        store: text,
        memory: { type: 'boolean' },
        mix: { type: 'boolean' },
        iso8583: { type: 'boolean' },
        load: text,
        name: text,
        directory: text,
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

function wholesOf(
  flag: 'connections' | 'records' | 'rounds' | 'seconds' | 'warmup' | 'operations' | 'entries' | 'start',
  usual = '',
) {
  return (values[flag] ?? usual).split(',').map((text) => {
    if (!/^[0-9]+$/.test(text)) fail(`--${flag} takes whole numbers, not ${text}`)
    return Number(text)
  })
}

function wholeOf(...asked: Parameters<typeof wholesOf>): number {
  return wholesOf(...asked)[0] ?? 0
}

function cellsOf(list: string): CellName[] {
  return list.split(',').map((name) => {
    if (!Object.hasOwn(cells, name)) fail(`--only takes cells from a to h, not ${name}`)
    return name as CellName
  })
}

function fail(problem: string): never {
  console.error(`bench: ${problem}\n\n${usage}`)
  process.exit(2)
}

/**
 * The main mode. A unit is one round on one store at one number of connections: a Cashpoint and a naive server
 * of its own, every cell warmed up, then every cell measured in turn, so that drift cancels in the unit's ratios.
 */
import { closeSync, constants, cpSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkMoved, proveStore, readSum } from './books.ts'
import { accountCount, type CellName, cellOrder, cells } from './cells.ts'
import { type ServerProcess, startServer } from './children.ts'
import { two, whole } from './figures.ts'
import { type Filled, fill, storePath } from './fill.ts'
import type { Generator, Measured } from './load.ts'

export type MeasureOptions = {
  readonly rounds: number
  readonly connections: readonly number[]
  /** How many records the journals begin with. */
  readonly records: readonly number[]
  readonly seconds: number
  readonly warmup: number
  readonly only: readonly CellName[]
}

export type Unit = {
  readonly round: number
  readonly records: number
  readonly connections: number
  readonly cells: Partial<Record<CellName, Measured>>
  /** Of the Cashpoint process. */
  readonly startBytes: number
  readonly endBytes: number
  readonly peakBytes: number
  /** How many records the journal had in the end, proven. */
  readonly recordsAfter: number
}

// What one cell left under way does not run into the next.
const pauseMs = 250

export async function measure(
  directory: string,
  generator: Generator,
  options: MeasureOptions,
): Promise<{ units: Unit[]; fills: Filled[] }> {
  const fills: Filled[] = []
  for (const records of options.records) {
    const template = join(directory, `template-${records}`)
    mkdirSync(template)
    const filled = await fill(template, { accounts: accountCount, records })
    fills.push(filled)
    if (records > 0)
      console.log(
        `filled ${whole(filled.records)} records, ${whole(filled.records / filled.seconds)} a second`,
      )
  }

  const units: Unit[] = []
  for (let round = 0; round < options.rounds; round += 1)
    for (const connections of options.connections)
      for (const records of options.records) {
        const store = join(directory, 'unit')
        copyStore(join(directory, `template-${records}`), store)
        units.push(await measureUnit(store, generator, options, { round, connections, records }))
        rmSync(store, { recursive: true })
      }
  return { units, fills }
}

async function measureUnit(
  directory: string,
  generator: Generator,
  { only, seconds, warmup }: MeasureOptions,
  unit: Pick<Unit, 'round' | 'connections' | 'records'>,
): Promise<Unit> {
  const { round, connections, records } = unit
  const order = rotate(cellOrder, round).filter((name) => only.includes(name))
  const servers = {
    cashpoint: await startServer('server.ts', [storePath(directory)]),
    naive: await startServer('naive-server.ts', [directory, String(accountCount)]),
  }
  const { cashpoint } = servers
  const { nowBytes: startBytes } = await cashpoint.memory()
  const before = await readSum(cashpoint.url)

  const paid = { answered: 0, cutOff: 0 }
  const run = async (name: CellName, seconds: number) => {
    const measured = await measureCell(name, servers, { generator, connections, seconds })
    if (cells[name].pays) {
      paid.answered += measured.requests
      paid.cutOff += connections
    }
    return measured
  }

  if (warmup > 0) for (const name of order) await run(name, warmup)
  const measured: Partial<Record<CellName, Measured>> = {}
  for (const name of order) {
    const figures = await run(name, seconds)
    measured[name] = figures
    console.log(
      `round ${round + 1}  ${whole(records).padStart(9)} records  ${String(connections).padStart(3)} connections  ` +
        `(${name}) ${whole(figures.requests / figures.seconds).padStart(7)}/s  p99 ${two(figures.p99Ms)} ms`,
    )
  }

  const after = await readSum(cashpoint.url)
  const { nowBytes: endBytes, peakBytes } = await cashpoint.memory()
  await Promise.all([cashpoint.stop(), servers.naive.stop()])
  checkMoved(before, after, paid)
  const recordsAfter = await proveStore(directory, after)
  return { ...unit, cells: measured, startBytes, endBytes, peakBytes, recordsAfter }
}

async function measureCell(
  name: CellName,
  servers: Record<'cashpoint' | 'naive', ServerProcess>,
  { generator, connections, seconds }: { generator: Generator; connections: number; seconds: number },
): Promise<Measured> {
  const { server, requests } = cells[name]
  const { url } = servers[server]
  const figures = await generator.start({ url, connections, seconds, requests }).measured
  if (figures.errors > 0 || figures.requests === 0)
    throw new Error(
      `cell (${name}) at ${connections} connections: ${figures.errors} errors, ${figures.requests} replies`,
    )
  await sleep(pauseMs)
  return figures
}

/** Copies a closed store, and waits until it is on disk, so that no write of ours runs into what is measured. */
function copyStore(from: string, to: string): void {
  cpSync(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE })
  for (const name of readdirSync(to)) {
    const file = openSync(join(to, name), 'r+')
    fsyncSync(file)
    closeSync(file)
  }
}

function rotate<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length
  return [...list.slice(at), ...list.slice(0, at)]
}

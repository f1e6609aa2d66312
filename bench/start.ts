/** `--start N`: how long `cashpoint serve` takes until it prints its URL, on a store with N records. */
import assert from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { readSum } from './books.ts'
import { accountCount } from './cells.ts'
import { next, watched } from './children.ts'
import { megabytes, spread, table, two, whole } from './figures.ts'
import { type Filled, fill, sizes, storePath } from './fill.ts'
import type { Generator } from './load.ts'

export type StartRow = { readonly what: string; readonly seconds: readonly number[] }

export type Starts = {
  readonly filled: Filled
  readonly files: Readonly<Record<string, number>>
  readonly rows: readonly StartRow[]
}

const targetSeconds = 2
const startMaxMs = 120_000
const stopMaxMs = 60_000

export async function measureStarts(
  directory: string,
  generator: Generator,
  {
    records,
    rounds,
    seconds,
    connections,
  }: { records: number; rounds: number; seconds: number; connections: number },
): Promise<Starts> {
  const empty = join(directory, 'empty')
  const full = join(directory, 'full')
  for (const store of [empty, full]) mkdirSync(store)
  await fill(empty, { accounts: accountCount })
  const filled = await fill(full, { accounts: accountCount, records })
  console.log(`filled ${whole(filled.records)} records, ${whole(filled.records / filled.seconds)} a second`)
  const files = sizes(full)

  const times = { empty: [] as number[], stopped: [] as number[], killed: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    times.empty.push(await startAndStop(empty))
    times.stopped.push(await startAndStop(full))
    await killUnderLoad(full, generator, { seconds, connections })
    times.killed.push(await startAndStop(full))
    console.log(
      `round ${round + 1}  ${Object.entries(times)
        .map(([what, list]) => `${what} ${two(list.at(-1) ?? 0)} s`)
        .join('  ')}`,
    )
  }
  const rows = [
    { what: `no records beside ${whole(accountCount)} accounts`, seconds: times.empty },
    { what: `${whole(filled.records)} records, stopped in order`, seconds: times.stopped },
    { what: `${whole(filled.records)} records, killed under load`, seconds: times.killed },
  ]
  return { filled, files, rows }
}

export function startReport({ filled, files, rows }: Starts): string {
  const verdict = (seconds: readonly number[]) =>
    Math.max(...seconds) < targetSeconds ? 'met' : '**missed**'
  return `From starting the process until it prints its URL. The files are in the page cache. Target: every one below ${targetSeconds} s.

${table(
  ['store', 'seconds, median (min–max)', ''],
  rows.map(({ what, seconds }) => [what, spread(seconds, two), verdict(seconds)]),
)}

Filled at ${whole(filled.records / filled.seconds)} records a second. Files: ${Object.entries(files)
    .map(([file, bytes]) => `${file} ${megabytes(bytes)}`)
    .join(', ')}.
`
}

async function startAndStop(directory: string): Promise<number> {
  const server = await serve(directory)
  await readSum(server.url)
  server.child.kill('SIGTERM')
  const code = await next(server.child, 'exit', stopMaxMs)
  assert(code === 0, `the server must end with 0, not ${code}`)
  return server.seconds
}

async function killUnderLoad(
  directory: string,
  generator: Generator,
  { seconds, connections }: { seconds: number; connections: number },
): Promise<void> {
  const { url, child } = await serve(directory)
  const requests = { method: 'POST', action: 'withdraw', accounts: accountCount, keyed: 0.5 } as const
  const load = generator.start({ url, connections, seconds: seconds + 60, requests })
  setTimeout(() => child.kill('SIGKILL'), seconds * 1000)
  await once(child, 'exit')
  load.stop()
  await load.measured
}

/** Starts the program as a user would, on a free port. */
async function serve(directory: string) {
  const launcher = fileURLToPath(new URL('../packaging/launch.cjs', import.meta.url))
  const startedMs = performance.now()
  const child = watched(
    spawn(
      process.execPath,
      [launcher, 'serve', '--port', '0', '--log-level', 'error', '--store', `sqlite:${storePath(directory)}`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    ),
  )
  const signal = AbortSignal.timeout(startMaxMs)
  for await (const line of createInterface({ input: child.stdout, signal })) {
    const url = /^\s*URL\s+(http:\S+)/.exec(line)?.[1]
    if (url === undefined) continue
    const seconds = (performance.now() - startedMs) / 1000
    child.stdout.resume()
    return { child, seconds, url: url.replace('localhost', '127.0.0.1') }
  }
  throw new Error('the server printed no URL')
}

/** `--memory`: how large the server gets over millions of withdrawals on 100,000 accounts, and whether that ends. */
import assert from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServer } from './children.ts'
import { megabytes, table, whole } from './figures.ts'
import { fill, storePath } from './fill.ts'
import type { Generator } from './load.ts'

export type MemoryRow = { readonly operations: number; readonly nowBytes: number; readonly peakBytes: number }

const accounts = 100_000
const printEvery = 100_000
const pollMs = 50
/** Where the target is judged, and what it is. */
const target = { operations: 1_000_000, bytes: 300e6 }
// Slower than this it is not memory that is wrong.
const rateMin = 1_000

export async function measureMemory(
  directory: string,
  generator: Generator,
  { operations, connections }: { operations: number; connections: number },
): Promise<MemoryRow[]> {
  console.log(`opening ${whole(accounts)} accounts`)
  await fill(directory, { accounts })
  // The first start after an installation has the stripper of types in memory, some 40 MB: the second has not.
  await (await startServer('server.ts', [storePath(directory)])).stop()
  const server = await startServer('server.ts', [storePath(directory)])
  const rows: MemoryRow[] = [{ operations: 0, ...(await server.memory()) }]

  const requests = { method: 'POST', action: 'withdraw', accounts, keyed: 0.5 } as const
  const seconds = Math.ceil(operations / rateMin)
  const load = generator.start({ url: server.url, connections, seconds, requests })
  let ended = false
  const measured = load.measured.finally(() => {
    ended = true
  })
  for (let due = printEvery; due <= operations && !ended; ) {
    await sleep(pollMs)
    const done = await operationsOf(server.url)
    if (done < due) continue
    const row = { operations: done, ...(await server.memory()) }
    rows.push(row)
    console.log(
      `${whole(done).padStart(10)} operations  ${megabytes(row.nowBytes)}  peak ${megabytes(row.peakBytes)}`,
    )
    due = (Math.floor(done / printEvery) + 1) * printEvery
  }
  load.stop()
  const { errors } = await measured
  assert(errors === 0, `${errors} errors under load`)
  await server.stop()
  return rows
}

export function memoryReport(rows: readonly MemoryRow[]): string {
  const judged = rows.find(({ operations }) => operations >= target.operations)
  const last = rows.at(-1)
  const verdict =
    judged === undefined || last === undefined
      ? `The run ended before ${whole(target.operations)} operations.`
      : `${megabytes(judged.nowBytes)} after ${whole(judged.operations)} operations (target: below ` +
        `${megabytes(target.bytes)}: ${judged.nowBytes < target.bytes ? 'met' : '**missed**'}); ` +
        `${megabytes(last.nowBytes)} after ${whole(last.operations)}, peak ${megabytes(last.peakBytes)}.`
  return `Resident memory of the server process, withdrawals over ${whole(accounts)} accounts, half of them with a key.

${verdict}

${table(
  ['operations', 'resident', 'peak'],
  rows.map(({ operations, nowBytes, peakBytes }) => [
    whole(operations),
    megabytes(nowBytes),
    megabytes(peakBytes),
  ]),
)}
`
}

/** How many withdrawals the server has answered. */
async function operationsOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) })).text()
  const counts = text.matchAll(/^cashpoint_http_request_seconds_count\{[^}]*withdraw[^}]*\} ([0-9]+)$/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

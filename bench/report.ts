/** The main mode's report: ratios first, each by its own round, then what they are made of. */
import { checkpointPages } from '../src/stores/sqlite/files.ts'
import { type CellName, cellOrder, cells, type Target, targets } from './cells.ts'
import { median, megabytes, spread, table, two, whole } from './figures.ts'
import type { BytesPerWithdrawal, Filled } from './fill.ts'
import type { Machine } from './machine.ts'
import type { MeasureOptions, Unit } from './measure.ts'

export type Report = {
  readonly options: MeasureOptions
  readonly units: readonly Unit[]
  readonly fills: readonly Filled[]
  readonly bytes: BytesPerWithdrawal
}

export function writeReport(report: Report): string {
  const { options, units } = report
  const { rounds, seconds, warmup, only } = options
  const used = cellOrder.toSorted().filter((name) => only.includes(name))
  return `Rounds: ${rounds}, of ${seconds} s a cell after ${warmup} s of warming up, interleaved. A ratio is taken within its round; figures are medians (min–max).

${used.map((name) => `- (${name}) ${cells[name].title}`).join('\n')}

## Ratios
${ratioTable(report)}

## Rates and latencies
${rateTable(report, used)}

Every reply was 2xx. The books moved by the withdrawals that were answered and nothing else, and every journal was proven after its round (up to ${whole(Math.max(...units.map(({ recordsAfter }) => recordsAfter)))} records).

The journal's WAL is folded in every ${whole(checkpointPages)} pages (src/stores/sqlite/files.ts says why).

## Memory and disk
${memoryTable(report)}

${bytesTable(report.bytes)}
`
}

export function writeMachine(machine: Machine): string {
  return Object.entries(machine)
    .map(([what, value]) => `- ${what}: ${value}`)
    .join('\n')
}

function ratioTable({ options, units }: Report): string {
  const { connections, records, only } = options
  const head = ['', 'connections', 'target', ...records.flatMap((count) => [recordsTitle(count), ''])]
  const rows = targets
    .filter(({ of, to }) => only.includes(of) && only.includes(to))
    .flatMap((target) =>
      connections.map((count) => {
        const limit = limitOf(target, count)
        const results = records.flatMap((filled) => {
          const ratios = ratiosOf(target, at(units, filled, count))
          return [
            `**${two(median(ratios))}** (${spreadOnly(ratios)})`,
            verdict(target, limit, median(ratios)),
          ]
        })
        return [titleOf(target), String(count), writeLimit(target, limit), ...results]
      }),
    )
  return table(head, rows)
}

function rateTable({ options, units }: Report, used: readonly CellName[]): string {
  const { connections, records } = options
  const rows = used.flatMap((name) =>
    connections.flatMap((count) =>
      records.map((filled) => {
        const list = at(units, filled, count).flatMap(({ cells }) => cells[name] ?? [])
        return [
          `(${name}) ${cells[name].title}`,
          String(count),
          recordsTitle(filled),
          spread(
            list.map(({ requests, seconds }) => requests / seconds),
            whole,
          ),
          ...(['p50Ms', 'p99Ms', 'p999Ms'] as const).map((key) =>
            spread(
              list.map((figures) => figures[key]),
              two,
            ),
          ),
        ]
      }),
    ),
  )
  return table(['', 'connections', 'journal', 'requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms'], rows)
}

function memoryTable({ options, units, fills }: Report): string {
  const rows = options.records.map((count, i) => {
    const own = units.filter(({ records }) => records === count)
    const { records = 0, seconds = 0 } = fills[i] ?? {}
    return [
      recordsTitle(count),
      records > 0 ? `${whole(records / seconds)} records/s` : '–',
      ...(['startBytes', 'endBytes', 'peakBytes'] as const).map((key) =>
        spread(
          own.map((unit) => unit[key]),
          megabytes,
        ),
      ),
    ]
  })
  return table(['journal', 'filled at', 'resident at start', 'after a round', 'peak'], rows)
}

function bytesTable({ plain, keyed }: BytesPerWithdrawal): string {
  const total = (files: Readonly<Record<string, number>>) =>
    Object.values(files).reduce((sum, bytes) => sum + bytes, 0)
  const names = [...new Set([...Object.keys(plain), ...Object.keys(keyed)])]
  return table(
    ['bytes on disk per withdrawal', ...names, 'together'],
    [
      ['without a key', ...names.map((name) => whole(plain[name] ?? 0)), whole(total(plain))],
      ['with a key', ...names.map((name) => whole(keyed[name] ?? 0)), whole(total(keyed))],
    ],
  )
}

function at(units: readonly Unit[], records: number, connections: number): Unit[] {
  return units.filter((unit) => unit.records === records && unit.connections === connections)
}

function ratiosOf({ of, to, figure }: Target, units: readonly Unit[]): number[] {
  return units.flatMap(({ cells }) => {
    const [above, below] = [cells[of], cells[to]]
    if (above === undefined || below === undefined) return []
    if (figure === 'p99') return above.p99Ms / below.p99Ms
    return above.requests / above.seconds / (below.requests / below.seconds)
  })
}

function limitOf({ limit }: Target, connections: number): number | undefined {
  return typeof limit === 'number' ? limit : limit?.[connections]
}

function verdict({ figure }: Target, limit: number | undefined, value: number): string {
  if (limit === undefined) return ''
  return (figure === 'rate' ? value >= limit : value <= limit) ? 'met' : '**missed**'
}

function writeLimit({ figure }: Target, limit: number | undefined): string {
  return limit === undefined ? '–' : `${figure === 'rate' ? '≥' : '≤'} ${limit}`
}

function titleOf({ of, to, figure }: Target): string {
  return `(${of}) ${cells[of].title}: ${figure === 'rate' ? 'rate' : 'p99'} ÷ (${to})`
}

function spreadOnly(values: readonly number[]): string {
  return `${two(Math.min(...values))}–${two(Math.max(...values))}`
}

function recordsTitle(records: number): string {
  return records === 0 ? 'fresh' : `${whole(records)} records`
}

/** `cashpoint backup`, `restore`, `export` and `import`: a journal from one place to another, proven on the way. */

import { once } from 'node:events'
import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { StoreError } from '../bank/store.ts'
import type { Line } from '../ledger/record.ts'
import { blocksOf, type Copied, copyJournal, type Until } from '../stores/sqlite/copy.ts'
import type { Sealed } from '../stores/sqlite/journal.ts'
import { readSettings, SettingError } from './settings.ts'

const usages = {
  backup:
    'usage: cashpoint backup FILE [--store sqlite:PATH]\n\n  FILE is made, and is a store itself; the server may run',
  restore:
    'usage: cashpoint restore FILE [--to BLOCK | --at INSTANT] [--store sqlite:PATH]\n\n  FILE is a backup, the store is made; INSTANT is such as 2026-11-24T17:00:00Z',
  export:
    'usage: cashpoint export [--store sqlite:PATH] > FILE\n\n  one line of JSON a block; the server may run',
  import:
    'usage: cashpoint import FILE [--to BLOCK | --at INSTANT] [--store sqlite:PATH]\n\n  FILE is an export, or - for standard input; the store is made',
}

type Verb = keyof typeof usages

export async function backup(args: readonly string[]): Promise<void> {
  const read = readArgs('backup', args, { file: true, until: false })
  if (read === undefined) return
  tell('Backed up', await copyJournal(blocksOf(read.store), read.file))
}

export async function restore(args: readonly string[]): Promise<void> {
  const read = readArgs('restore', args, { file: true, until: true })
  if (read === undefined) return
  tell('Restored', await copyJournal(blocksOf(read.file), read.store, read.until))
}

export async function exportJournal(args: readonly string[]): Promise<void> {
  const read = readArgs('export', args, { file: false, until: false })
  if (read === undefined) return
  for (const sealed of blocksOf(read.store))
    if (!process.stdout.write(`${writeBlock(sealed)}\n`)) await once(process.stdout, 'drain')
}

export async function importJournal(args: readonly string[]): Promise<void> {
  const read = readArgs('import', args, { file: true, until: true })
  if (read === undefined) return
  if (read.file !== '-' && !existsSync(read.file)) throw new SettingError(`there is no file ${read.file}`)
  const input = read.file === '-' ? process.stdin : createReadStream(read.file)
  tell('Imported', await copyJournal(readBlocks(input), read.store, read.until))
}

/** Bodies as the JSON they are, for whoever reads the export; written again, they are the same bytes. */
function writeBlock({ block, lines }: Sealed): string {
  const records = lines.map(({ body, ...line }) => ({ ...line, body: JSON.parse(body) }))
  return JSON.stringify({ block, records })
}

async function* readBlocks(input: NodeJS.ReadableStream): AsyncGenerator<Sealed> {
  let count = 0
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    count += 1
    yield blockIn(text, count)
  }
}

/** What is wrong beyond its shape, its hash tells. */
function blockIn(text: string, count: number): Sealed {
  try {
    const { block, records } = JSON.parse(text)
    const lines = records.map(({ body, ...line }: Line) => ({ ...line, body: JSON.stringify(body) }))
    if (typeof block.sequence === 'number') return { block, lines }
  } catch {
    // Then it is no block.
  }
  throw new StoreError('unusable', `line ${count} is no block of an export: nothing was written`)
}

type Read = { readonly store: string; readonly file: string; readonly until: Until }

function readArgs(
  verb: Verb,
  args: readonly string[],
  takes: { readonly file: boolean; readonly until: boolean },
): Read | undefined {
  if (args.includes('--help')) {
    console.log(usages[verb])
    return undefined
  }
  const text = { type: 'string' } as const
  const options = takes.until ? { store: text, to: text, at: text } : { store: text }
  let read: { values: { store?: string; to?: string; at?: string }; positionals: string[] }
  try {
    read = parseArgs({ args: [...args], options, allowPositionals: true, strict: true }) as typeof read
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals } = read
  const [file = '', ...rest] = positionals
  if (takes.file !== (file !== '') || rest.length > 0)
    throw new SettingError(usages[verb].split('\n', 1)[0] ?? '')
  const settings = readSettings(values.store === undefined ? [] : ['--store', values.store], process.env)
  if (settings.storePath === undefined)
    throw new SettingError('a temporary store goes with its server: there is nothing to copy')
  return { store: settings.storePath, file, until: untilOf(values) }
}

function untilOf({ to, at }: { to?: string; at?: string }): Until {
  if (to !== undefined && at !== undefined) throw new SettingError('say --to or --at, not both')
  if (to !== undefined && !/^[1-9][0-9]{0,14}$/.test(to))
    throw new SettingError(`--to must be the number of a block, not ${to}`)
  const instant = at === undefined ? undefined : Date.parse(at)
  if (
    at !== undefined &&
    (Number.isNaN(instant) || !/^\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:\d\d)$/.test(at))
  )
    throw new SettingError(`--at must be an instant such as 2026-11-24T17:00:00Z, not ${at}`)
  return { ...(to !== undefined && { block: Number(to) }), ...(instant !== undefined && { at: instant }) }
}

function tell(done: string, { records, blocks, accounts, at, head }: Copied): void {
  const what = `${records} records in ${blocks} blocks, ${accounts} accounts`
  console.log(`${done} and proven: ${what}, up to ${new Date(at).toISOString()}.\n  head ${head}`)
}

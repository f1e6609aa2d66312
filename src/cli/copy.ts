/** `cashpoint backup`, `restore`, `export` and `import`: a journal from one place to another, proven on the way. */

import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import type { Copied, Sealed, Until } from '../bank/copy.ts'
import { StoreError } from '../bank/store.ts'
import type { Line } from '../ledger/record.ts'
import { blocksOf, copyJournal } from '../stores/sqlite/copy.ts'
import { fileOf, readSettings, SettingError, type Settings } from './settings.ts'

const usages = {
  backup: `usage: cashpoint backup FILE [--store sqlite:PATH] [--accept-lost-tail]

  FILE is made, and is a store itself; the server may run`,
  restore: `usage: cashpoint restore FILE [--to BLOCK | --at INSTANT] [--store sqlite:PATH] [--accept-lost-tail]

  FILE is a backup, the store is made; INSTANT is such as 2026-11-24T17:00:00Z`,
  export: `usage: cashpoint export [--store STORE] [--accept-lost-tail] > FILE

  one line of JSON a block; the server may run`,
  import: `usage: cashpoint import FILE [--to BLOCK | --at INSTANT] [--store STORE]

  FILE is an export, or - for standard input; the store is made, or the database is empty`,
}

type Verb = keyof typeof usages

export async function backup(args: readonly string[]): Promise<void> {
  const read = readArgs('backup', args)
  if (read === undefined) return
  tell('Backed up', await copyJournal(blocksOf(fileIn(read), read), read.file))
}

export async function restore(args: readonly string[]): Promise<void> {
  const read = readArgs('restore', args)
  if (read === undefined) return
  tell('Restored', await copyJournal(blocksOf(read.file, read), fileIn(read), read.until))
}

export async function exportJournal(args: readonly string[]): Promise<void> {
  const read = readArgs('export', args)
  if (read === undefined) return
  try {
    const { databaseUrl: url } = read.settings
    const blocks =
      url === undefined ? blocksOf(fileIn(read), read) : (await database()).databaseBlocks({ url })
    await pipeline(linesOf(blocks), process.stdout, { end: false })
  } catch (error) {
    // Whoever read it has had enough, as `head` does.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}

export async function importJournal(args: readonly string[]): Promise<void> {
  const read = readArgs('import', args)
  if (read === undefined) return
  if (read.file !== '-' && !existsSync(read.file)) throw new SettingError(`there is no file ${read.file}`)
  const input = read.file === '-' ? process.stdin : createReadStream(read.file)
  const { databaseUrl: url } = read.settings
  const blocks = readBlocks(input)
  tell(
    'Imported',
    url === undefined
      ? await copyJournal(blocks, fileIn(read), read.until)
      : await (await database()).copyToDatabase(blocks, { url }, read.until),
  )
}

/** A block a line, and at the end which the last one was, so that an export that was cut short is no export. */
async function* linesOf(blocks: Iterable<Sealed> | AsyncIterable<Sealed>): AsyncGenerator<string> {
  let last: Sealed['block'] | undefined
  for await (const sealed of blocks) {
    yield `${writeBlock(sealed)}\n`
    last = sealed.block
  }
  yield `${JSON.stringify({ end: { sequence: last?.sequence ?? 0, hash: last?.hash ?? '' } })}\n`
}

/** Bodies as the JSON they are, for whoever reads the export; written again, they are the same bytes. */
function writeBlock({ block, lines }: Sealed): string {
  const records = lines.map(({ body, ...line }) => ({ ...line, body: JSON.parse(body) }))
  // Readers of lines may take U+2028 and U+2029, which JSON lets stand, for ends of them.
  return JSON.stringify({ block, records }).replace(
    /[\u2028\u2029]/g,
    (separator) => `\\u${separator.charCodeAt(0).toString(16)}`,
  )
}

async function* readBlocks(input: NodeJS.ReadableStream): AsyncGenerator<Sealed> {
  let count = 0
  let last: Sealed['block'] | undefined
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    count += 1
    const read = readLine(text, count)
    if ('end' in read) {
      if (read.end.sequence === (last?.sequence ?? 0) && read.end.hash === (last?.hash ?? '')) return
      throw new StoreError('unusable', `the export ends with block ${read.end.sequence}, which is not there`)
    }
    last = read.block
    yield read
  }
  throw new StoreError('unusable', `the export was cut short: it ends after ${count} lines without saying so`)
}

/** What is wrong with a block beyond its shape, its hash tells. */
function readLine(text: string, count: number): Sealed | { end: Pick<Sealed['block'], 'sequence' | 'hash'> } {
  try {
    const { block, records, end } = JSON.parse(text)
    if (typeof end?.sequence === 'number' && typeof end.hash === 'string') return { end }
    const lines = records.map(({ body, ...line }: Line) => ({ ...line, body: JSON.stringify(body) }))
    if (typeof block.sequence === 'number') return { block, lines }
  } catch {
    // Then it is no block.
  }
  throw new StoreError('unusable', `line ${count} is no block of an export`)
}

type Read = {
  readonly verb: Verb
  readonly settings: Settings
  readonly file: string
  readonly until: Until
  readonly acceptLostTail: boolean
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

/** What a command's usage says that it takes; undefined where it has been asked for its usage. */
function readArgs(verb: Verb, args: readonly string[]): Read | undefined {
  const usage = usages[verb]
  if (args.includes('--help')) {
    console.log(usage)
    return undefined
  }
  const options = {
    store: text,
    ...(usage.includes('--at') && { to: text, at: text }),
    ...(usage.includes('--accept-lost-tail') && { 'accept-lost-tail': flag }),
  }
  const { values, positionals } = parse(args, options)
  const [file = '', ...rest] = positionals
  const takesFile = usage.startsWith(`usage: cashpoint ${verb} FILE`)
  if (takesFile !== (file !== '') || rest.length > 0) throw new SettingError(usage.split('\n', 1)[0] ?? '')
  const settings = readSettings(
    [
      ...(values.store === undefined ? [] : ['--store', values.store]),
      ...(values['accept-lost-tail'] ? ['--accept-lost-tail'] : []),
    ],
    process.env,
  )
  if (settings.storePath === undefined && settings.databaseUrl === undefined)
    throw new SettingError(temporary)
  return { verb, settings, file, until: untilOf(values), acceptLostTail: settings.acceptLostTail }
}

const temporary = 'a temporary store goes with its server: there is nothing to copy'

/** The file of the store, for what is done to files alone. */
function fileIn({ verb, settings }: Read): string {
  const database = `${verb} is for a store in a file: a database has its own, such as pg_basebackup`
  return fileOf(settings, { temp: temporary, database })
}

/** Loaded only where there is one. */
function database() {
  return import('../stores/postgres/copy.ts')
}

type Values = { store?: string; to?: string; at?: string; 'accept-lost-tail'?: boolean }

function parse(
  args: readonly string[],
  options: Readonly<Record<string, typeof text | typeof flag>>,
): { readonly values: Values; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

function untilOf({ to, at }: Values): Until {
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

/**
 * `--iso8583`: how fast messages are parsed and packed, beside JSON.parse and JSON.stringify of the same fields. No
 * server and no line: the functions alone, in this process, in turns so short that both meet the same machine.
 */
import assert from 'node:assert'
import { isMalformed, iso87a, type Message, pack, parse } from '../src/iso8583/message/index.ts'
import { median, spread, table, two, whole } from './figures.ts'

export type CodecRow = {
  readonly message: string
  readonly bytes: number
  readonly fields: number
  /** Messages a second: medians of all turns. */
  readonly parse: number
  readonly pack: number
  readonly codec: number
  readonly json: number
  /** The codec to JSON within a turn, where one was measured after the other: median and quartiles of all turns. */
  readonly ratios: readonly number[]
}

type Task = keyof typeof tasks

type Case = { readonly bytes: Buffer; readonly message: Message; readonly text: string }

const turns = 400
const timesATurn = 500
const target = 0.5

// As jPOS packs them, but the approval, which is ours.
const messages: Readonly<Record<string, string>> = {
  '0800 sign-on': '0800822000000080000004000000000000001123010000000001ATM00001001',
  '0200 balance, with a PIN block':
    '02007238448128C09000164761739001010119310000000000000000112301000200000301000211236011051021100000000001344761739001010119=25122011758928889000000000003ATM00001BANK0000000000184085563E517DCF122E',
  '0210 approval':
    '0210723800010EC08400164761739001010119010000000000006000112301000200000301000211231100000000001632823000007004711' +
    '00ATM00001BANK000000000018400402001840C0000000940002002840C000000094000',
  '0420 partial reversal':
    '0420F23800010AC08000000000420000000016476173900101011901000000000001000011230101030000050100031123110000000000100000000000468ATM00001BANK00000000001840020000000411230100030000000000100000000000000000004000000000000000C00000000C00000000',
}

export function measureCodec(): CodecRow[] {
  const cases = Object.entries(messages).map(([name, text]) => ({ name, ...caseOf(text) }))
  const rows = cases.map(({ name, ...of }) => measureRow(name, [of]))
  return [...rows, measureRow('all four in turn', cases)]
}

function caseOf(text: string): Case {
  const bytes = Buffer.from(text, 'latin1')
  const message = parse(bytes, iso87a)
  assert(!isMalformed(message), isMalformed(message) ? message.text : '')
  const packed = pack(message, iso87a)
  assert(!isMalformed(packed) && packed.equals(bytes), 'it is packed as it was')
  return { bytes, message, text: JSON.stringify(plain(message)) }
}

/** Without what masks its fields when it is made JSON of. */
function plain({ mti, fields }: Message): Message {
  return { mti, fields: { ...fields } }
}

const tasks = {
  parse: ({ bytes }: Case) => parse(bytes, iso87a),
  pack: ({ message }: Case) => pack(message, iso87a),
  codec: ({ bytes }: Case) => pack(parse(bytes, iso87a) as Message, iso87a),
  json: ({ text }: Case): unknown => JSON.stringify(JSON.parse(text)),
}

function measureRow(message: string, cases: readonly Case[]): CodecRow {
  const names = Object.keys(tasks) as Task[]
  for (const name of names) for (let i = 0; i < 20; i += 1) rateOf(name, cases)
  const rates: Record<Task, number[]> = { parse: [], pack: [], codec: [], json: [] }
  for (let turn = 0; turn < turns; turn += 1) for (const name of names) rates[name].push(rateOf(name, cases))

  const mean = (of: (one: Case) => number) => cases.reduce((sum, one) => sum + of(one), 0) / cases.length
  const row = {
    message,
    bytes: mean(({ bytes }) => bytes.length),
    fields: mean(({ message }) => Object.keys(message.fields).length),
    parse: median(rates.parse),
    pack: median(rates.pack),
    codec: median(rates.codec),
    json: median(rates.json),
    ratios: quartiles(rates.codec.map((rate, i) => rate / (rates.json[i] ?? Number.NaN))),
  }
  console.log(`${message.padEnd(32)} ${whole(row.codec).padStart(9)}/s, ${two(median(row.ratios))} of JSON`)
  return row
}

function rateOf(name: Task, cases: readonly Case[]): number {
  const task = tasks[name]
  const startedMs = performance.now()
  let made: unknown
  for (let i = 0; i < timesATurn; i += 1) made = task(cases[i % cases.length] as Case)
  const tookMs = performance.now() - startedMs
  // Looked at, so that nothing is left out as idle.
  assert(made !== undefined, `${name} makes something`)
  return (1000 * timesATurn) / tookMs
}

export function codecReport(rows: readonly CodecRow[]): string {
  const million = (rate: number) => two(rate / 1e6)
  return `ISO 8583 codec: ${whole(turns)} turns of ${whole(timesATurn)} messages of each column, one column after the other in each turn; medians. JSON is \`JSON.stringify(JSON.parse(text))\` of the same type and fields, text to text; the codec is parse and pack, bytes to bytes. Target: at least ${two(target)} of JSON.

${table(
  [
    'message',
    'bytes',
    'fields',
    'parse, million/s',
    'pack',
    'parse and pack',
    'JSON',
    'of JSON (middle half)',
    '',
  ],
  rows.map((row) => [
    row.message,
    whole(row.bytes),
    whole(row.fields),
    million(row.parse),
    million(row.pack),
    million(row.codec),
    million(row.json),
    spread(row.ratios, two),
    median(row.ratios) >= target ? 'met' : '**missed**',
  ]),
)}
`
}

function quartiles(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b)
  return [0.25, 0.5, 0.75].map((part) => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN)
}

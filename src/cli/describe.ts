/** `cashpoint describe`: an ISO 8583 message as a table, masked. Exit 1 if it is malformed. */
import { text as textOf } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import {
  base24,
  isMalformed,
  iso87a,
  type Malformed,
  type Message,
  parse,
  type Spec,
  describe as table,
} from '../iso8583/message/index.ts'
import { SettingError } from './settings.ts'

const usage = `usage: cashpoint describe [--spec iso87a|base24] [HEX]

  prints an ISO 8583 message, card numbers by their last four digits and secrets not at all. HEX, or standard input
  where it is not given, is its bytes in hexadecimal, or its characters; with the length before it or without`

const specs: Readonly<Record<string, Spec>> = { iso87a, base24 }

export async function describe(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage)
  const { spec: name, input } = read(args)
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
  if (spec === undefined) throw new SettingError(`--spec must be one of ${Object.keys(specs).join(', ')}`)
  const given = input ?? (await textOf(process.stdin))
  if (given.trim() === '') throw new SettingError('there is no message: give it as hexadecimal')
  const found = best(readings(given).map((bytes) => parse(bytes, spec)))
  console.log(table(found, spec))
  if (isMalformed(found)) process.exitCode = 1
}

/** Whatever was meant: hexadecimal or characters, whole or behind its length of four digits or two bytes. */
function readings(given: string): Buffer[] {
  const packed = given.replace(/\s+/g, '')
  const hexadecimal = /^(?:[0-9A-Fa-f]{2})+$/.test(packed) ? Buffer.from(packed, 'hex') : Buffer.of()
  const characters = Buffer.from(given.trim(), 'latin1')
  const meant = [hexadecimal, characters].flatMap((bytes) => [0, 4, 2].map((at) => bytes.subarray(at)))
  const likely = meant.filter((bytes) => /^[0-2][1-8][0-4][0-5]/.test(bytes.toString('latin1', 0, 4)))
  return likely.length > 0 ? likely : [characters]
}

/** The one that is a message; else the one of which most was read. */
function best(results: readonly (Message | Malformed)[]): Message | Malformed {
  const read = (result: Message | Malformed) =>
    isMalformed(result) ? Object.keys(result.read.fields).length : Number.POSITIVE_INFINITY
  return results.reduce((one, other) => (read(other) > read(one) ? other : one))
}

function read(args: readonly string[]): { readonly spec: string; readonly input: string | undefined } {
  try {
    const options = { spec: { type: 'string', default: 'iso87a' } } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    if (positionals.length > 1) throw new Error('give one message')
    return { spec: values.spec, input: positionals[0] }
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

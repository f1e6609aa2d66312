/** A message as a table for people, masked. */
import { mask, shapes } from './mask.ts'
import type { Draft, Malformed } from './message.ts'
import type { Spec } from './spec.ts'

/**
 * Lines: the type, then each field with number, name and value. Of a malformed message what could be read, its values
 * by their shape (9 for a digit, A for a letter), and last what is wrong.
 */
export function describe(message: Draft | Malformed, spec: Spec): string {
  if ('problem' in message) return [...linesOf(shapes(message.read, spec), spec), message.text].join('\n')
  return linesOf(mask(message, spec), spec).join('\n')
}

function linesOf({ mti, fields }: Draft, spec: Spec): string[] {
  const nameOf = (number: string) => spec.fields[Number(number)]?.name ?? ''
  const width = Math.max(0, ...Object.keys(fields).map((number) => nameOf(number).length))
  const lines = Object.entries(fields).map(([number, value = '']) =>
    `${number.padStart(4)}  ${nameOf(number).padEnd(width)}  ${printable(value)}`.trimEnd(),
  )
  return mti === '' ? lines : [`${mti}  ${typeInWords(mti)}`.trim(), ...lines]
}

/** A terminal must not obey what a message has in it. */
function printable(value: string): string {
  return value.replace(/[^ -~\u00A0-\u00FF]/g, '·')
}

/** `0421`: 1987, reversal advice, repeated by the acquirer. */
function typeInWords(mti: string): string {
  const [version, family, turn, origin] = [versions, families, turns, origins].map(
    (words, i) => words[mti[i] ?? ''],
  )
  return [version, [family, turn].filter((word) => word !== undefined).join(' '), origin]
    .filter(Boolean)
    .join(', ')
}

type Words = Readonly<Record<string, string>>

const versions: Words = { 0: '1987', 1: '1993', 2: '2003' }
const families: Words = {
  1: 'authorization',
  2: 'financial',
  3: 'file action',
  4: 'reversal',
  5: 'reconciliation',
  6: 'administrative',
  7: 'fee collection',
  8: 'network management',
}
const turns: Words = {
  0: 'request',
  1: 'request response',
  2: 'advice',
  3: 'advice response',
  4: 'notification',
}
const origins: Words = { 1: 'repeated by the acquirer', 2: 'from the issuer', 3: 'repeated by the issuer' }

/** A message, and what may be wrong with one. */
import { guarded } from './mask.ts'
import type { Spec } from './spec.ts'

/** Its type in four digits, and its fields by number as text; bytes (`b`) as upper-case hexadecimal. */
export type Message = {
  readonly mti: string
  readonly fields: Readonly<Record<number, string>>
}

/** What may be packed: a field that is undefined is not there. */
export type Draft = {
  readonly mti: string
  readonly fields: Readonly<Record<number, string | undefined>>
}

/**
 * - `cut_short`: the buffer ends inside it
 * - `length`: the digits before it are none, or say more than its greatest length
 * - `character`: one that its kind has not
 * - `no_such_field`: the table has none of this number, so nobody knows where it ends; 65 is never there
 * - `left_over`: bytes behind the last field
 * - `too_short`, `too_long`: a value to pack
 */
export type Problem =
  | 'cut_short'
  | 'length'
  | 'character'
  | 'no_such_field'
  | 'left_over'
  | 'too_short'
  | 'too_long'

/** What is wrong, and where. */
export type Fault = {
  readonly problem: Problem
  /** 0 is the message type, 1 the bitmap; for bytes left over, the field before them. */
  readonly field: number
  /** Offset in the buffer; of a value to pack, in the value. */
  readonly at: number
}

export type Malformed = Fault & {
  /** The fault in words, with the field's name and never with its value. */
  readonly text: string
  /** What could be read, or was to be packed. `mti` is empty where not even that could be read. */
  readonly read: Message
}

/** Whether it is no message and no bytes, but what is wrong with them. */
export function isMalformed(result: Message | Uint8Array | Malformed): result is Malformed {
  return 'problem' in result
}

export function malformed(fault: Fault, { mti, fields }: Draft, spec: Spec): Malformed {
  const read = { mti, fields: Object.assign(guarded(spec, 'malformed'), fields) }
  return { ...fault, text: `${nameOf(fault, spec)}: ${words[fault.problem]}`, read }
}

function nameOf({ field, at }: Fault, spec: Spec): string {
  const name = ['message type', 'bitmap'][field] ?? spec.fields[field]?.name
  return `field ${field}${name === undefined ? '' : ` (${name})`}, offset ${at}`
}

const words: Readonly<Record<Problem, string>> = {
  cut_short: 'the message ends inside it',
  length: 'its length is no number, or above what it may have',
  character: 'a character that it may not have',
  no_such_field: 'the table has no such field',
  left_over: 'bytes are left over behind it',
  too_short: 'shorter than it must be',
  too_long: 'longer than it may be',
}

/** A message, and what may be wrong with one. */
import type { Spec } from './spec.ts'

/** Its type in four digits, and its fields by number as text; bytes (`b`) as upper-case hexadecimal. */
export type Message = {
  readonly mti: string
  readonly fields: Readonly<Record<number, string>>
}

/**
 * - `cut_short`: the buffer ends inside it
 * - `length`: the digits before it are none, or say more than its greatest length
 * - `character`: one that its kind has not
 * - `no_such_field`: the table has none of this number, so nobody knows where it ends; 65 among them
 * - `left_over`: bytes behind the last field
 * - `too_short`, `too_long`: of a value to pack
 */
export type Problem =
  | 'cut_short'
  | 'length'
  | 'character'
  | 'no_such_field'
  | 'left_over'
  | 'too_short'
  | 'too_long'

/** What is wrong, and where. Never the value: it may be a secret. */
export type Malformed = {
  readonly problem: Problem
  /** 0 is the message type, 1 the bitmap; bytes left over are behind the field it names. */
  readonly field: number
  /** Offset in the buffer; of a value to pack, in the value. */
  readonly at: number
  /** In words, with the field's name. */
  readonly text: string
  /** What could be read; `mti` is empty when even that could not. */
  readonly read: Message
}

/** Whether it is no message, or no buffer, but what is wrong with it. */
export function isMalformed(result: Message | Uint8Array | Malformed): result is Malformed {
  return 'problem' in result
}

type Where = Omit<Malformed, 'text'>

export function malformed(where: Where, spec: Spec): Malformed {
  const name = ['message type', 'bitmap'][where.field] ?? spec.fields[where.field]?.name
  const named = name === undefined ? '' : ` (${name})`
  return { ...where, text: `field ${where.field}${named}, offset ${where.at}: ${words[where.problem]}` }
}

const words: Readonly<Record<Problem, string>> = {
  cut_short: 'the message ends inside it',
  length: 'its length is no number, or above what it may have',
  character: 'a character it may not have',
  no_such_field: 'the table has no such field',
  left_over: 'bytes are left over behind it',
  too_short: 'shorter than it must be',
  too_long: 'longer than it may be',
}

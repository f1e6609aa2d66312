/** What may be shown of a field, by the table's word. */
import type { Message } from './message.ts'
import type { Field, Mask, Spec } from './spec.ts'

type Guard = new () => Record<number, string>

type Values = Readonly<Record<number, string | undefined>>

/** The message as it may be shown: for logs, pages and terminals. It can not be packed. */
export function mask(message: { readonly mti: string; readonly fields: Values }, spec: Spec): Message {
  return { mti: message.mti, fields: maskFields(message.fields, spec) }
}

/** Fields without any yet, that show themselves masked wherever they are printed or made JSON of. */
export function guarded(spec: Spec): Record<number, string> {
  let Guarded = guards.get(spec)
  if (Guarded === undefined) {
    Guarded = guardOf(spec)
    guards.set(spec, Guarded)
  }
  return new Guarded()
}

const guards = new WeakMap<Spec, Guard>()

function guardOf(spec: Spec): Guard {
  class Fields {
    readonly [field: number]: string

    toJSON(): Record<number, string> {
      return maskFields(this, spec)
    }

    // What Node's console and util.inspect ask for.
    [Symbol.for('nodejs.util.inspect.custom')](): Record<number, string> {
      return maskFields(this, spec)
    }
  }
  return Fields
}

function maskFields(fields: Values, spec: Spec): Record<number, string> {
  const masked: Record<number, string> = {}
  for (const [name, value] of Object.entries(fields)) {
    const number = Number(name)
    if (value !== undefined) masked[number] = maskField(spec.fields[number], value)
  }
  return masked
}

function maskField(field: Field | undefined, value: string): string {
  if (field === undefined) return wiped(value)
  return field.mask === undefined ? value : masks[field.mask](value)
}

const masks: Readonly<Record<Mask, (value: string) => string>> = {
  pan: lastFour,
  track: (value) => wiped(value),
  numbers: (value) => value.replace(/\d{12,}/g, lastFour),
  amounts: wiped,
  notes: wiped,
  wipe: wiped,
}

function lastFour(digits: string): string {
  return digits.length < 12 ? wiped(digits) : `${'*'.repeat(digits.length - 4)}${digits.slice(-4)}`
}

function wiped(value: string): string {
  return `[${value.length} characters]`
}

/**
 * What may be shown of a message: the table says it of each field, so no caller can forget one. The fields of a
 * message that was parsed show themselves so wherever they are printed or made JSON of.
 */
import type { Draft, Message } from './message.ts'
import type { Field, Mask, Spec } from './spec.ts'

/** The message as it may be shown, in logs and on pages. */
export function mask({ mti, fields }: Draft, spec: Spec): Message {
  return { mti, fields: shown(fields, masking(spec)) }
}

/**
 * What may be shown of a message that is malformed. Nobody knows what is a card number there: where one byte is wrong,
 * its digits may be in any field. So of all that the table does not wipe it is the shape: 9 for a digit, A for a letter.
 */
export function shapes({ mti, fields }: Draft, spec: Spec): Message {
  return { mti, fields: shown(fields, shaping(spec)) }
}

type Show = (value: string, number: number) => string

function masking(spec: Spec): Show {
  return (value, number) => maskValue(spec.fields[number], value)
}

function shaping(spec: Spec): Show {
  return (value, number) =>
    spec.fields[number]?.mask === 'wipe' ? wiped(value) : value.replace(/\d/g, '9').replace(/\p{L}/gu, 'A')
}

function maskValue(field: Field | undefined, value: string): string {
  if (field === undefined) return wiped(value)
  return field.mask === undefined ? value : masks[field.mask](value)
}

const masks: Readonly<Record<Mask, (value: string) => string>> = {
  pan: lastFour,
  // The card number, and how much is behind it: with that anybody could write the card.
  track(value) {
    const end = value.search(/[=Dd]/)
    return end < 0 ? wiped(value) : `${lastFour(value.slice(0, end))}=${wiped(value.slice(end + 1))}`
  },
  numbers: (value) => value.replace(/\d{12,}/g, lastFour),
  amounts: (value) => (/^(?:\d{4}\w{3}[CD]\d{12})+$/.test(value) ? withoutAmounts(value) : wiped(value)),
  // What has a form of ours; others keep security codes there, which have three digits or four.
  notes(value) {
    if (/^(?=.)(?:;R:|[A-Z0-9]{1,4}=\d{1,2}(?:,|(?=;)|$))*(?:;O:(?:unknown|retracted))?$/.test(value))
      return value
    return /^(?:\d{8}[CD]\d{12})+$/.test(value) ? withoutAmounts(value) : wiped(value)
  },
  wipe: wiped,
}

function withoutAmounts(value: string): string {
  return value.replace(/(?<=[CD])\d{12}/g, '*'.repeat(12))
}

function lastFour(number: string): string {
  return number.length < 12 ? wiped(number) : `${'*'.repeat(number.length - 4)}${number.slice(-4)}`
}

function wiped(value: string): string {
  return `[${value.length} characters]`
}

type Guards = Readonly<Record<'whole' | 'malformed', new () => Record<number, string>>>

const guards = new WeakMap<Spec, Guards>()

/** Fields without any yet, that show themselves as they may be shown, of a message that is whole or is malformed. */
export function guarded(spec: Spec, of: keyof Guards = 'whole'): Record<number, string> {
  let both = guards.get(spec)
  if (both === undefined) {
    both = { whole: guard(masking(spec)), malformed: guard(shaping(spec)) }
    guards.set(spec, both)
  }
  return new both[of]()
}

function guard(show: Show): new () => Record<number, string> {
  return class Fields {
    readonly [field: number]: string

    toJSON(): Record<number, string> {
      return shown(this, show)
    }

    // What Node's console and util.inspect ask for.
    [Symbol.for('nodejs.util.inspect.custom')](): Record<number, string> {
      return shown(this, show)
    }
  }
}

function shown(fields: Draft['fields'], show: Show): Record<number, string> {
  const all: Record<number, string> = {}
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined) all[Number(name)] = show(value, Number(name))
  return all
}

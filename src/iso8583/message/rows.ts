/** A table as parse and pack go through it: what a field's words come to, worked out once for each table. */
import { bitOf } from './characters.ts'
import type { Field, Kind, Length, Spec } from './spec.ts'

export type Row = {
  readonly kind: Kind
  /** What its bytes must have: see characters.ts. */
  readonly bit: number
  /** How many digits stand before the content; 0 for a fixed field. */
  readonly prefix: number
  /** How many characters one of what its length counts takes. */
  readonly unit: number
  /** The greatest length, which is a fixed field's only one. Characters. */
  readonly most: number
  /** The least that can be packed: fixed fields are filled up where it is clear with what. Characters. */
  readonly least: number
}

/** By the fields' numbers. */
export type Rows = readonly (Row | undefined)[]

const cache = new WeakMap<Spec, Rows>()

export function rowsOf(spec: Spec): Rows {
  const known = cache.get(spec)
  if (known !== undefined) return known
  const rows = Array.from({ length: 129 }, (_, number) => {
    const field = spec.fields[number]
    return field === undefined ? undefined : rowOf(field)
  })
  cache.set(spec, rows)
  return rows
}

const prefixes: Readonly<Record<Length, number>> = { fixed: 0, ll: 2, lll: 3 }

function rowOf({ kind, length, max }: Field): Row {
  const unit = kind === 'b' ? 2 : 1
  const most = unit * max
  const isFilled = kind === 'n' || kind === 'an' || kind === 'ans' || kind === 'any'
  const least = length === 'fixed' ? (isFilled ? 1 : most) : 0
  return { kind, bit: bitOf[kind], prefix: prefixes[length], unit, most, least }
}

/** What a field table says, and the kinds of characters it speaks of. Tables are data: see iso87a.ts and base24.ts. */

/**
 * `n` digits; `an` letters, digits and spaces; `ans` whatever prints, in Latin-1; `any` every byte, as Latin-1;
 * `z` a track's digits and separators; `x` `C` or `D`, then digits; `b` bytes, as hexadecimal on the wire.
 */
export type Kind = 'n' | 'an' | 'ans' | 'any' | 'z' | 'x' | 'b'

/** `ll` and `lll` are two and three digits before the content that say how long it is. */
export type Length = 'fixed' | 'll' | 'lll'

/** What may be shown of a field: see mask.ts. */
export type Mask = 'pan' | 'track' | 'numbers' | 'amounts' | 'notes' | 'wipe'

export type Field = {
  readonly name: string
  readonly kind: Kind
  readonly length: Length
  /** The length of a fixed field, the greatest of others. Characters; bytes for `b`, which takes two characters each. */
  readonly max: number
  readonly mask?: Mask
}

/** A table's fields by their number, 2 to 128. A number that is missing cannot be read: nobody knows where it ends. */
export type Fields = Readonly<Record<number, Field>>

export type Spec = {
  readonly name: string
  readonly fields: Fields
}

export function fixed(kind: Kind, max: number, name: string, mask?: Mask): Field {
  return field({ kind, length: 'fixed', max, name }, mask)
}

export function ll(kind: Kind, max: number, name: string, mask?: Mask): Field {
  return field({ kind, length: 'll', max, name }, mask)
}

export function lll(kind: Kind, max: number, name: string, mask?: Mask): Field {
  return field({ kind, length: 'lll', max, name }, mask)
}

function field(of: Field, mask: Mask | undefined): Field {
  return mask === undefined ? of : { ...of, mask }
}

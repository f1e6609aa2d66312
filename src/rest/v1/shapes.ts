/** Small shapes of /v1 that many others are made of. */
import Type, { type TProperties, type TSchema, type TSchemaOptions } from 'typebox'
import { minorMax } from '../../ledger/money.ts'

/** An object with these members and no others. */
export function closed<Properties extends TProperties>(properties: Properties, said: TSchemaOptions = {}) {
  return Type.Object(properties, { additionalProperties: false, ...said })
}

export function orNull<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()])
}

export const number = Type.String({
  pattern: '^[A-Za-z0-9-]{1,34}$',
  description: 'An account number: 1 to 34 of A–Z, a–z, 0–9 and -',
})
export const amount = Type.Integer({
  minimum: 1,
  maximum: minorMax,
  description: 'Whole minor units (cents)',
})
export const limit = Type.Integer({ minimum: 0, maximum: minorMax, description: 'Whole minor units (cents)' })
export const balance = Type.Integer({ description: 'Whole minor units (cents)' })
export const currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'An ISO 4217 code' })
export const id = Type.String({ description: 'writer-sequence, such as 1-42' })
export const instant = Type.String({ format: 'date-time' })
export const referenceMax = 140
export const reference = Type.String({
  minLength: 1,
  maxLength: referenceMax,
  description: 'The client’s own',
})
export const house = Type.String({
  pattern: '^(cash|equity|adjustments|vault):[A-Z]{3}$',
  description: 'Such as cash:USD',
})
/** Of a terminal: what is in it, what may have left, and what counting found. */
const ofTerminal = Type.String({
  pattern: '^[A-Z0-9]{1,16}[.](cash|transit|over_short)$',
  description: 'Such as ATM00001.cash',
})
export const owned = Type.Union([number, ofTerminal])
export const side = Type.Union([number, house, ofTerminal])
export const reason = Type.String({ minLength: 1, maxLength: 140 })

export const kind = Type.Enum([
  'opening',
  'deposit',
  'withdrawal',
  'transfer',
  'capture',
  'reversal',
  'adjustment',
  'dispense',
  'return',
  'correction',
  'load',
  'unload',
  'variance',
])
export const entry = closed({
  version: orNull(Type.Integer()),
  direction: Type.Enum(['debit', 'credit']),
  amount,
  balance_after: orNull(balance),
  transfer: id,
  kind,
  reference: orNull(reference),
  created_at: instant,
})
export const count = Type.Integer({ minimum: 0 })

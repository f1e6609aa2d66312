/** Bodies of /v1 are checked as they were sent: nothing is converted, filled in or dropped on the way. */
import { AjvCompiler, type ValidatorFactory } from '@fastify/ajv-compiler'
import type { FastifyError, FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import { withoutNumbers } from '../members.ts'
import { ProblemError } from '../problem.ts'

const ajvOptions = {
  customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: false },
} as const

const buildCompiler = AjvCompiler()

/**
 * Fastify's compiler of schemas, which makes a validator when its route is first asked: all of them at the start took
 * a seventh of it (docs/decisions/0004).
 */
export const schemaController = {
  compilersFactory: { buildValidator: buildLazyCompiler as ValidatorFactory },
}

/** As Fastify calls it: not quite as its types say. */
function buildLazyCompiler(shared: Record<string, object>) {
  const compile = buildCompiler(shared, ajvOptions)
  return (route: AnySchema) => {
    let validate: Validator | undefined
    const validator: Validator = (value) => {
      validate ??= compile(route) as Validator
      const valid = validate(value)
      validator.errors = validate.errors
      return valid
    }
    return validator
  }
}

/** What was wrong with the last value is in `errors`. */
type Validator = { (value: unknown): unknown; errors?: unknown }
type AnySchema = Parameters<ReturnType<typeof buildCompiler>>[0]

/** Judges a part of a body as its own route would have a body judged; undefined where nothing is wrong. */
export function whatDiffers(request: FastifyRequest, schema: TSchema, part: object): string | undefined {
  const validate = request.compileValidationSchema(schema)
  if (validate(part)) return undefined
  return whatIsInvalid({ validation: validate.errors ?? [] } as Parameters<typeof whatIsInvalid>[0])
}

/** Refuses a body that is not what this schema says, where the route's own says less. */
export function demandBody(request: FastifyRequest, schema: TSchema): void {
  const what = whatDiffers(request, schema, request.body as object)
  if (what !== undefined) throw new ProblemError('invalid_request', what)
}

/** Which member is wrong, and what it must be. Values are not repeated. */
export function whatIsInvalid({ validation }: FastifyError): string {
  const [first] = validation ?? []
  if (first === undefined) return 'The body is not what it must be'
  const { instancePath, keyword, params, message = 'is not what it must be' } = first
  const member = withoutNumbers(instancePath.slice(1).replaceAll('/', '.'))
  if (keyword === 'additionalProperties')
    return `${within(member)}${withoutNumbers(String(params['additionalProperty']))} is not a member here`
  if (keyword === 'required') return `${within(member)}${String(params['missingProperty'])} is required`
  if (keyword === 'enum')
    return `${member} must be one of ${(params['allowedValues'] as string[]).join(', ')}`
  return `${member === '' ? 'The body' : member} ${message}`
}

function within(member: string): string {
  return member === '' ? '' : `${member}.`
}

/** A query member that is a whole number in a range; undefined where it is not given. */
export function wholeIn(
  query: Query,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const value = typeof text === 'string' && /^[0-9]{1,16}$/.test(text) ? Number(text) : -1
  if (value < min || value > max)
    throw new ProblemError('invalid_request', `${name} must be a whole number from ${min} to ${max}`)
  return value
}

/** A query member that is one of some words; undefined where it is not given. */
export function oneIn<Word extends string>(
  query: Query,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const word = words.find((each) => each === text)
  if (word === undefined)
    throw new ProblemError('invalid_request', `${name} must be one of ${words.join(', ')}`)
  return word
}

/** A query member that is a text of some kind, which `what` says; undefined where it is not given. */
export function textIn(
  query: Query,
  name: string,
  isOne: (text: string) => boolean,
  what: string,
): string | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  if (typeof text !== 'string' || !isOne(text))
    throw new ProblemError('invalid_request', `${name} must be ${what}`)
  return text
}

/** The end of a card number. */
export function isLast4(text: string): boolean {
  return /^[0-9]{4}$/.test(text)
}

const rfc3339 = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/

/** A query member that is an instant of RFC 3339, or a day, which is its beginning in UTC. */
export function instantIn(query: Query, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const instant = typeof text === 'string' && rfc3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(instant))
    throw new ProblemError(
      'invalid_request',
      `${name} must be an instant such as 2026-01-31T00:00:00Z, or a day`,
    )
  return instant
}

/** `from` and `to` of a query, where they are given. */
export function periodIn(query: Query): { from?: number; to?: number } {
  const from = instantIn(query, 'from')
  const to = instantIn(query, 'to')
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
}

export type Query = Readonly<Record<string, unknown>>

export function queryOf(request: FastifyRequest): Query {
  return request.query as Query
}

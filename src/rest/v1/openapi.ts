/** The OpenAPI 3.1 document: the table of routes, with every status each can answer. */
import Type, { type TProperties, type TSchema } from 'typebox'
import { permissions } from '../../access/permissions.ts'
import { currencies } from '../../ledger/money.ts'
import { refusals as ledger, type Refusal } from '../../ledger/refusal.ts'
import { type ProblemCode, retryAfterOf, statusOf, titleOf } from '../problem.ts'
import { sessionCookieName } from '../session-cookie.ts'
import type { V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { closed, key, number } from './schemas.ts'

/** What any route can answer, since it comes before the route is looked at or from the server itself. */
const always: readonly ProblemCode[] = [
  'malformed_request',
  'invalid_request',
  'headers_too_large',
  'internal',
]

/** What the gate can answer, of what is not open to everybody, and of what is. */
const ofGate: readonly ProblemCode[] = [
  'unauthenticated',
  'forbidden',
  'not_local',
  'rate_limited',
  'issuer_unavailable',
]
const ofOpenGate: readonly ProblemCode[] = ['not_local', 'rate_limited']

/** What can be answered where a body may come. */
const ofBodies: readonly ProblemCode[] = [
  'malformed_body',
  'request_timeout',
  'body_too_large',
  'media_type_unsupported',
]

/** What any command can answer beside that. */
const ofCommands: readonly ProblemCode[] = [
  'idempotency_key_invalid',
  'idempotency_conflict',
  'in_progress',
  'account_busy',
  'overloaded',
  'storage_low',
  'store_unavailable',
  'outcome_unknown',
]

const description = `An ATM host: accounts, transfers, holds, proofs.

Every refusal is application/problem+json (RFC 9457) with a stable \`code\`. An unknown path is answered 404. Every reply carries \`X-Request-Id\`: the request's own where it is fit for a log line, else one of the server's. Outside demo mode replies carry \`RateLimit\` and \`RateLimit-Policy\`.`

export function openApi(routes: readonly V1Route[]): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of [...originalRoutes, ...routes, ...plainRoutes]) {
    const path = route.url.replace(/:([a-z]+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: withNames(operationOf(route)) }
  }
  const components = {
    schemas: Object.fromEntries([...named.values()].map(({ name, schema }) => [name, withNames(schema)])),
    responses: { MethodNotAllowed: withNames(methodNotAllowed) },
    securitySchemes: {
      key: { type: 'http', scheme: 'bearer', description: 'An API key, or a token of the configured issuer' },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: sessionCookieName,
        description: 'Of a session; what changes something must come from a page of the server’s own',
      },
    },
  }
  return { openapi: '3.1.0', info: { title: 'Cashpoint', version: '1', description }, paths, components }
}

/** Schemas that stand in many places: there by name, here once; the currency with all its codes. */
const named = new Map<string, { readonly name: string; readonly schema: object }>()
for (const [name, schema, written = schema] of [
  ['AccountNumber', schemas.number],
  ['Amount', schemas.amount],
  ['Currency', schemas.currency, { enum: currencies, description: 'An ISO 4217 code' }],
  ['Metadata', schemas.metadata],
  ['Account', schemas.accountReply],
  ['HouseAccount', schemas.houseReply],
  ['Transfer', schemas.transferReply],
  ['Hold', schemas.holdReply],
  ['Entry', schemas.entry],
  ['Result', schemas.result],
  ['Credential', schemas.credentialReply],
  ['Adjustment', schemas.adjustmentReply],
  ['Terminal', schemas.terminalReply],
  ['TerminalWithdrawal', schemas.withdrawalReply],
  ['WithdrawalFound', schemas.withdrawalFound],
  ['TerminalBatch', schemas.closedBatchReply],
  ['Exception', schemas.exceptionReply],
  ['Card', schemas.cardReply],
  ['Block', schemas.blockReply],
  ['Session', schemas.sessionReply],
  ['Problem', schemas.problem],
  ['BatchRefused', schemas.batchRefused],
] as const)
  named.set(JSON.stringify(schema), { name, schema: written })

/** The same with every named schema as a reference, also in what is named itself. */
function withNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reference)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([member, each]) => [member, reference(each)]))
}

function reference(value: unknown): unknown {
  const name = named.get(JSON.stringify(value))?.name
  return name === undefined ? withNames(value) : { $ref: `#/components/schemas/${name}` }
}

type Described = Omit<V1Route, 'handler'> & {
  /** Success that is not JSON, by content type. */
  readonly plain?: string
}

function operationOf(route: Described): object {
  const { method, url, summary, body, documented = body, query = {}, needed = [], guarded, problems } = route
  const { may, keyed, own, apart } = route
  const isCommand = method !== 'GET' && !apart
  const gated = may === 'health' ? [] : may === 'public' ? ofOpenGate : ofGate
  const ofKey = keyed === 'always' ? (['idempotency_key_missing'] as const) : []
  const ofMethod = [...(method === 'GET' ? [] : ofBodies), ...(isCommand ? ofCommands : [])]
  const codes = [...always, ...gated, ...ofMethod, ...ofKey, ...problems]
  const content = documented && { 'application/json': { schema: documented } }
  return {
    summary,
    ...(may !== 'health' &&
      may !== 'public' && {
        description: `For the roles ${permissions[may].join(', ')}.${own ? ' A terminal may ask it of itself alone.' : ''}`,
        security: url.startsWith('/v1') ? [{ key: [] }, { session: [] }] : [{ key: [] }],
      }),
    parameters: [
      ...[...url.matchAll(/:([a-z]+)/g)].map(([, name = '']) => ({
        ...parameter(name, 'path', name === 'number' ? number : Type.String()),
        required: true,
      })),
      ...Object.entries(query).map(([name, schema]) => ({
        ...parameter(name, 'query', schema),
        ...(needed.includes(name) && { required: true }),
      })),
      ...(isCommand && keyed !== 'never'
        ? [{ ...parameter('Idempotency-Key', 'header', key), ...(keyed === 'always' && { required: true }) }]
        : []),
      ...(guarded ? [parameter('If-Match', 'header', etag)] : []),
    ],
    ...(content && { requestBody: { required: 'required' in documented, content } }),
    responses: {
      ...successes(route),
      ...refusals(codes, url.startsWith('/v1')),
      405: { $ref: '#/components/responses/MethodNotAllowed' },
    },
  }
}

function parameter(name: string, where: string, schema: TSchema & { description?: string }): object {
  const { description } = schema
  return { name, in: where, ...(description && { description }), schema }
}

const etag = Type.String({
  pattern: '^([0-9]{1,15}|"[0-9]{1,15}")$',
  description: 'An account’s version, such as "7"',
})
const seconds = Type.Integer({ minimum: 1, description: 'Seconds after which to ask again' })
const link = Type.String({ description: 'The next page, rel="next", where there is one' })
const replayed = Type.Literal('true', { description: 'Where the reply is the one of an earlier request' })

function successes({ method, query = {}, replies, also, plain, apart }: Described): object {
  const other = also && { [also]: { schema: { type: 'string' } } }
  return Object.fromEntries(
    Object.entries(replies).map(([status, schema]) => {
      const isMade = status === '201' || status === '202'
      const headers = headersOf({
        ...(isMade && { Location: Type.String({ format: 'uri-reference' }) }),
        ...(hasVersion(schema) && { ETag: etag }),
        ...('cursor' in query && { Link: link }),
        ...(method !== 'GET' && !apart && { 'Idempotency-Replayed': replayed }),
      })
      const content = { [plain ?? 'application/json']: { schema }, ...other }
      return [status, { description: 'Done', ...headers, ...(status !== '204' && { content }) }]
    }),
  )
}

/** Of the path rather than of one of its methods, so it is written once. */
const methodNotAllowed = {
  description: '`method_not_allowed`: the path does not have this method',
  headers: headersOf({ Allow: Type.String({ description: 'The methods that it has' }) }).headers,
  content: { 'application/problem+json': { schema: schemaOf(['method_not_allowed']) } },
}

/** Whether what is answered has a version of its own, which is its ETag. */
function hasVersion(schema: TSchema): boolean {
  const { properties, anyOf } = schema as { properties?: object; anyOf?: TSchema[] }
  if (anyOf !== undefined) return anyOf.some(hasVersion)
  return properties !== undefined && 'available' in properties
}

function refusals(codes: readonly ProblemCode[], isV1: boolean): object {
  const byStatus = Map.groupBy(new Set(codes), (code) => statusOf(code, isV1 ? 'v1' : 'original'))
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => {
      const description = same.map((code) => `\`${code}\`: ${titleOf(code)}`).join('. ')
      const headers = headersOf({
        ...(same.some((code) => retryAfterOf(code) !== undefined) && { 'Retry-After': seconds }),
        ...(same.some(isRemembered) && { 'Idempotency-Replayed': replayed }),
      })
      return [
        status,
        { description, ...headers, content: { 'application/problem+json': { schema: schemaOf(same) } } },
      ]
    }),
  )
}

/** Whether a key may answer it again. */
function isRemembered(code: ProblemCode): boolean {
  return code === 'batch_refused' || (code in ledger && ledger[code as Refusal].remembered)
}

/** An atomic batch that is refused says more than its code. */
function schemaOf(codes: readonly ProblemCode[]): object {
  const simple = codes.filter((code) => code !== 'batch_refused')
  const plain = { allOf: [schemas.problem, { properties: { code: { enum: simple } } }] }
  if (simple.length === codes.length) return plain
  return { anyOf: [plain, schemas.batchRefused] }
}

function headersOf(headers: Record<string, TSchema>): { headers?: object } {
  const described = Object.entries(headers).map(([name, { description, ...schema }]: Named) => [
    name,
    { ...(description && { description }), schema },
  ])
  return described.length > 0 ? { headers: Object.fromEntries(described) } : {}
}

type Named = [string, TSchema & { description?: string }]

const major = Type.Number({ description: 'Major units, with the currency’s decimals' })
const decimal = Type.Object({
  amount: Type.Union(
    [
      Type.Number({ exclusiveMinimum: 0 }),
      Type.String({ pattern: '^([1-9][0-9]*([.][0-9]+)?|0[.][0-9]*[1-9][0-9]*)$' }),
    ],
    {
      description:
        'Above zero, with no more decimals than the currency has; a string that would be such a number',
    },
  ),
})
const blocked = ['account_frozen', 'account_closed', 'account_number_invalid'] as const
const amounts = [
  'amount_missing',
  'amount_invalid',
  'amount_repeated',
  'amount_not_positive',
  'amount_too_large',
] as const

/** A reply of the original routes. */
function told(properties: TProperties) {
  return closed({ account_number: number, ...properties, message: Type.String() })
}

/** The original routes, whose amounts are decimals in major units. */
const originalRoutes: readonly Described[] = [
  {
    method: 'GET',
    url: '/',
    may: 'public',
    summary: 'What this is',
    replies: {
      200: closed({
        message: Type.String(),
        status: Type.Literal('running'),
        endpoints: Type.Record(Type.String(), Type.String()),
      }),
    },
    problems: [],
  },
  {
    method: 'GET',
    url: '/accounts',
    may: 'read',
    summary: 'All accounts, or a page of them',
    query: {
      limit: Type.Integer({ minimum: 1, maximum: 10_000, description: 'All if left out' }),
      cursor: Type.String({ description: 'Of the Link header' }),
    },
    replies: {
      200: closed({
        accounts: Type.Array(closed({ account_number: number, balance: major })),
        total_accounts: Type.Integer(),
      }),
    },
    problems: ['page_invalid'],
  },
  {
    method: 'GET',
    url: '/accounts/:number/balance',
    may: 'read',
    summary: 'The balance in major units; with simple=true the number alone',
    query: { simple: Type.String({ description: 'true for the number alone' }) },
    replies: { 200: Type.Union([told({ balance: major }), major]) },
    problems: ['account_number_invalid', 'account_not_found'],
  },
  {
    method: 'POST',
    url: '/accounts/:number/withdraw',
    may: 'move_money',
    summary: 'Pay out a decimal amount',
    body: decimal,
    replies: { 200: told({ withdrawn_amount: major, new_balance: major }) },
    problems: [
      ...blocked,
      ...amounts,
      'account_not_found',
      'account_debit_blocked',
      'insufficient_funds',
      'limit_exceeded',
    ],
  },
  {
    method: 'POST',
    url: '/accounts/:number/deposit',
    may: 'move_money',
    summary: 'Pay in a decimal amount; opens the account where it does not exist',
    body: decimal,
    replies: {
      200: told({ deposited_amount: major, new_balance: major, account_created: Type.Boolean() }),
    },
    problems: [...blocked, ...amounts, 'account_credit_blocked', 'balance_too_large'],
  },
]

const health = closed({ status: Type.Enum(['ok', 'ready', 'draining', 'read_only', 'store_unavailable']) })

/** What is not of the ledger. */
const plainRoutes: readonly Described[] = [
  {
    method: 'GET',
    url: '/healthz',
    may: 'health',
    summary: 'Whether it is alive',
    replies: { 200: health },
    problems: [],
  },
  {
    method: 'GET',
    url: '/readyz',
    may: 'health',
    summary: 'Whether it may get traffic: 503 while it drains, or takes no commands',
    replies: { 200: health, 503: health },
    problems: [],
  },
  {
    method: 'GET',
    url: '/metrics',
    may: 'measure',
    summary: 'Figures for Prometheus',
    replies: { 200: Type.String() },
    plain: 'text/plain',
    problems: [],
  },
  {
    method: 'GET',
    url: '/openapi.json',
    may: 'public',
    summary: 'This document',
    replies: { 200: Type.Object({}) },
    problems: [],
  },
  {
    method: 'GET',
    url: '/docs',
    may: 'public',
    summary: 'This document as a page',
    replies: { 200: Type.String() },
    plain: 'text/html',
    problems: [],
  },
]

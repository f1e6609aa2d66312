/** The OpenAPI 3.1 document: the table of routes, with every status each can answer. */
import type { TSchema } from 'typebox'
import { type ProblemCode, statusOf, titleOf } from '../problem.ts'
import type { V1Route } from './route.ts'
import { problem } from './schemas.ts'

/** What any route can answer, since it comes before the route is looked at or from the server itself. */
const always: readonly ProblemCode[] = [
  'malformed_request',
  'invalid_request',
  'headers_too_large',
  'internal',
]

/** What any command can answer. */
const ofCommands: readonly ProblemCode[] = [
  'malformed_body',
  'idempotency_key_invalid',
  'idempotency_conflict',
  'request_timeout',
  'in_progress',
  'body_too_large',
  'media_type_unsupported',
  'account_busy',
  'overloaded',
  'storage_low',
  'store_unavailable',
  'outcome_unknown',
]

export function openApi(routes: readonly V1Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of [...originalRoutes, ...routes]) {
    const path = route.url.replace(/:([a-z]+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cashpoint',
      version: '1',
      description: 'An ATM host: accounts, transfers, holds, proofs.',
    },
    paths,
  }
}

type Described = Omit<V1Route, 'handler'>

function operationOf({ method, url, summary, body, query = {}, replies, csv, problems }: Described): object {
  const isV1 = url.startsWith('/v1')
  const codes = [...always, ...(method === 'POST' ? ofCommands : []), ...problems]
  const named = [...url.matchAll(/:([a-z]+)/g)].map(([, name]) => name)
  const parameters = [
    ...named.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...Object.entries(query).map(([name, description]) => ({
      name,
      in: 'query',
      description,
      schema: { type: 'string' },
    })),
    ...(method === 'POST'
      ? [{ name: 'Idempotency-Key', in: 'header', schema: { type: 'string', minLength: 1, maxLength: 255 } }]
      : []),
  ]
  const content = body && { 'application/json': { schema: body } }
  return {
    summary,
    parameters,
    ...(content && { requestBody: { content } }),
    responses: { ...successes(replies, csv), ...refusals(codes, isV1) },
  }
}

function successes(replies: V1Route['replies'], csv?: true): object {
  const table = csv && { 'text/csv': { schema: { type: 'string' } } }
  return Object.fromEntries(
    Object.entries(replies).map(([status, schema]) => [
      status,
      { description: 'Done', content: { 'application/json': { schema }, ...table } },
    ]),
  )
}

function refusals(codes: readonly ProblemCode[], isV1: boolean): object {
  const byStatus = Map.groupBy(new Set(codes), (code) => statusOf(code, isV1 ? 'v1' : 'original'))
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.map((code) => `\`${code}\`: ${titleOf(code)}`).join('. '),
        content: {
          'application/problem+json': {
            schema: { ...problem, properties: { ...problem.properties, code: { enum: same } } },
          },
        },
      },
    ]),
  )
}

const any: TSchema = { type: 'object' } as TSchema
const decimal = { type: 'object', properties: { amount: {} }, required: ['amount'] } as unknown as TSchema
const blocked = ['account_frozen', 'account_closed', 'account_number_invalid'] as const
const amounts = [
  'amount_missing',
  'amount_invalid',
  'amount_repeated',
  'amount_not_positive',
  'amount_too_large',
] as const

/** The original routes, whose amounts are decimals in major units. */
const originalRoutes: readonly Described[] = [
  { method: 'GET', url: '/', summary: 'What this is', replies: { 200: any }, problems: [] },
  {
    method: 'GET',
    url: '/accounts',
    summary: 'All accounts, or a page of them',
    query: { limit: '1 to 10000', cursor: 'Of the Link header' },
    replies: { 200: any },
    problems: ['page_invalid'],
  },
  {
    method: 'GET',
    url: '/accounts/:number/balance',
    summary: 'The balance in major units; with simple=true the number alone',
    query: { simple: 'true' },
    replies: { 200: {} as TSchema },
    problems: ['account_number_invalid', 'account_not_found'],
  },
  {
    method: 'POST',
    url: '/accounts/:number/withdraw',
    summary: 'Pay out a decimal amount',
    body: decimal,
    replies: { 200: any },
    problems: [...blocked, ...amounts, 'account_not_found', 'account_debit_blocked', 'insufficient_funds'],
  },
  {
    method: 'POST',
    url: '/accounts/:number/deposit',
    summary: 'Pay in a decimal amount; opens the account where it does not exist',
    body: decimal,
    replies: { 200: any },
    problems: [...blocked, ...amounts, 'account_credit_blocked', 'balance_too_large'],
  },
]

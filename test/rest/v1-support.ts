/** A client of /v1 that holds every reply against the OpenAPI document of the server that gave it. */
import assert from 'node:assert/strict'
import { type Answer, type Options, serve } from './support.ts'

type Scope = Parameters<typeof serve>[0]

export type Said = {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, never> & Record<string, unknown>
  /** To the letter. */
  readonly text: string
}

export type V1 = Awaited<ReturnType<typeof serveV1>>

export type Document = {
  readonly components: {
    readonly schemas: Record<string, Schema>
    readonly responses: Record<string, Response>
  }
  readonly paths: Record<string, Record<string, Operation>>
}

export type Operation = {
  readonly parameters: readonly { name: string; in: string; required?: boolean; schema: Schema }[]
  readonly requestBody?: { readonly content: Record<string, { schema: Schema }> }
  readonly responses: Record<string, Response | { readonly $ref: string }>
}

type Response = { readonly headers?: object; readonly content?: Record<string, { schema: Schema }> }

export type Schema = {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly format?: string
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly properties?: Record<string, Schema>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: boolean | Schema
  readonly patternProperties?: Record<string, Schema>
}

/** Two accounts, A with 1,000 and B with none, and short ways to ask. */
export async function serveV1(scope: Scope, options: Options = {}) {
  const cashpoint = await serve(scope, options)
  const document = JSON.parse((await cashpoint.get('/openapi.json')).body) as Document

  const say = (method: string, path: string, answer: Answer): Said => {
    checkContract(document, method, `/v1${path}`, answer)
    const isJson = answer.headers.get('content-type')?.includes('json')
    const body = isJson ? JSON.parse(answer.body) : {}
    return { status: answer.status, headers: answer.headers, body, text: answer.body }
  }
  let authorization: Record<string, string> = {}
  const v1 = {
    cashpoint,
    document,
    /** Makes a credential that is used from here on. */
    async useKey(role: string, name = role): Promise<string> {
      const { body } = await v1.post('/credentials', { role, name })
      authorization = { authorization: `Bearer ${body['key']}` }
      return String(body['key'])
    },
    async get(path: string, headers: Record<string, string> = {}): Promise<Said> {
      return say('get', path, await cashpoint.get(`/v1${path}`, { ...authorization, ...headers }))
    },
    async send(
      method: string,
      path: string,
      content?: object | string,
      headers: Record<string, string> = {},
    ): Promise<Said> {
      const body = typeof content === 'string' ? content : content && JSON.stringify(content)
      const sent = { body, headers: { 'content-type': 'application/json', ...authorization, ...headers } }
      return say(method, path, await cashpoint.call(method.toUpperCase(), `/v1${path}`, sent))
    },
    post: (path: string, body?: object | string, headers: Record<string, string> = {}) =>
      v1.send('post', path, body, headers),
    put: (path: string, body?: object | string, headers: Record<string, string> = {}) =>
      v1.send('put', path, body, headers),
    /** Opens an account, with a deposit where an amount is given; gives its number. */
    async open(number: string, amount = 0): Promise<string> {
      await v1.post('/accounts', { number })
      if (amount > 0) await v1.post('/deposits', { account: number, amount, currency: 'USD' })
      return number
    },
    /** Ledger, held and available. */
    async figures(number: string): Promise<unknown[]> {
      const { body } = await v1.get(`/accounts/${number}/balance`)
      return [body['ledger'], body['held'], body['available']]
    },
    /** Starts a pass of verification and gives its verdict. */
    async prove(query = ''): Promise<Record<string, unknown>> {
      assert.equal((await v1.post(`/verify${query}`)).status, 202)
      return await v1.proven()
    },
    /** Waits until no pass runs; the last one's verdict. */
    async proven(): Promise<Record<string, unknown>> {
      for (;;) {
        const { body } = await v1.get('/verify')
        if (body['running'] === null) return body['last'] as unknown as Record<string, unknown>
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    move: (from: string, to: string, amount: number) =>
      v1.post('/transfers', { from, to, amount, currency: 'USD' }),
    hold: async (account: string, amount: number, more: object = {}) =>
      String((await v1.post('/holds', { account, amount, currency: 'USD', ...more })).body['id']),
  }
  // In this order, which tests of ids and of the whole stream count on.
  await v1.open('A')
  await v1.open('B')
  await v1.post('/deposits', { account: 'A', amount: 1000, currency: 'USD' })
  return v1
}

/** That a refusal is a problem with this status and code. */
export function assertRefused({ status, headers, body }: Said, expected: number, code: string): void {
  assert.deepEqual([status, body['code'], body['status']], [expected, code, expected])
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/)
}

export function checkContract(
  { paths, components }: Document,
  method: string,
  path: string,
  answer: Answer,
): void {
  const bare = path.split('?')[0] ?? ''
  const found = Object.entries(paths).find(([template]) =>
    new RegExp(`^${template.replace(/\{[a-z]+\}/g, '[^/]+')}$`).test(bare),
  )
  // Of a path that is not there nothing is documented; of a method that is not, any other of the path's tells.
  const operation = found?.[1][method] ?? Object.values(found?.[1] ?? {})[0]
  if (found?.[1][method] === undefined)
    assert.equal(answer.status, operation ? 405 : 404, `${method} ${bare}`)
  if (operation === undefined) return
  const written = operation.responses[answer.status]
  const response =
    written && '$ref' in written
      ? components.responses[written.$ref.slice('#/components/responses/'.length)]
      : written
  assert.ok(
    response,
    `${method} ${bare} answers ${answer.status}, which the document does not have: ${answer.body}`,
  )
  const declared = Object.keys(response.headers ?? {}).map((name) => name.toLowerCase())
  for (const name of ['allow', 'location', 'etag', 'link', 'retry-after', 'idempotency-replayed'])
    assert.ok(
      answer.headers.get(name) === null || declared.includes(name),
      `${method} ${bare} ${answer.status} has ${name}, which the document does not have`,
    )
  if (response.content === undefined) {
    assert.equal(answer.body, '', `${method} ${bare} ${answer.status} has a body`)
    return
  }
  const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
  const schema = response.content[type]?.schema
  assert.ok(schema, `${method} ${bare} ${answer.status} answers ${type}: ${answer.body}`)
  const value = type.endsWith('json') ? JSON.parse(answer.body) : answer.body
  assert.ok(
    fits(schema, value, components.schemas),
    `${method} ${bare} ${answer.status} answers ${answer.body}`,
  )
}

/** As much of JSON Schema as the document uses, read here by other code than made it. */
function fits(schema: Schema, value: unknown, named: Record<string, Schema>): boolean {
  const of = (schema: Schema | undefined, value: unknown) => fits(schema ?? {}, value, named)
  if (schema.$ref) return of(named[schema.$ref.slice('#/components/schemas/'.length)], value)
  if (schema.allOf) return schema.allOf.every((each) => of(each, value))
  if (schema.anyOf) return schema.anyOf.some((each) => of(each, value))
  if (schema.enum) return schema.enum.includes(value)
  if (schema.const !== undefined) return value === schema.const
  if (schema.type === 'null') return value === null
  if (schema.type === 'integer') return Number.isSafeInteger(value)
  if (schema.type === 'string')
    return typeof value === 'string' && new RegExp(schema.pattern ?? '', 'u').test(value)
  if (schema.type === 'number' || schema.type === 'boolean') return typeof value === schema.type
  if (schema.type === 'array') return Array.isArray(value) && value.every((item) => of(schema.items, item))
  if (schema.type !== 'object' && schema.properties === undefined) return true
  if (typeof value !== 'object' || value === null) return false
  const { properties = {}, required = [], additionalProperties } = schema
  const hasAll = required.every((name) => Object.hasOwn(value, name))
  const known = (name: string) => additionalProperties !== false || Object.hasOwn(properties, name)
  return hasAll && Object.entries(value).every(([name, each]) => known(name) && of(properties[name], each))
}

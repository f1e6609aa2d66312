/**
 * Requests made from the OpenAPI document, right and wrong, in a random order: whatever is answered must be in the
 * document, to the body and the headers, and be nobody's surprise (500). `SEED=n` replays a run.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Chance, prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'
import { issue, pin, serveAtm } from './atm-support.ts'
import { type Operation, type Schema, serveV1, type V1 } from './v1-support.ts'

const requests = times(600, 20_000)
/** By then chance has led everywhere, or something leads nowhere any more. */
const mostRequests = 10 * requests

test(`requests made from the document are answered as it says (SEED=${seed})`, async (t) => {
  // With a credential of its own: the first one that a request makes would end the demo mode.
  const v1 = await serveV1(t, { adjustmentThreshold: 1 })
  // Two, since what one proposes another approves.
  const keys = [await v1.useKey('admin', 'one'), await v1.useKey('admin', 'another')]
  await tryAll(v1, {
    wanted: (path) => !ofAtm.test(path),
    amounts: [1, 1, 2, 5],
    headers: (make) => ({ authorization: `Bearer ${make.one(keys)}` }),
    credentials: keys,
    often: async (make) => {
      for (const account of make.otherAccounts()) await v1.open(account, 20)
    },
  })
})

test(`the same of the ATM side, in demo mode, where PINs and keys may come in clear (SEED=${seed})`, async (t) => {
  const { v1, at, authorize } = await serveAtm(t)
  await tryAll(v1, {
    wanted: (path) => ofAtm.test(path),
    amounts: [1000, 1000, 2000, 5000],
    headers: () => ({}),
    credentials: [],
    often: async (make) => {
      for (const account of make.otherAccounts()) await v1.open(account, 20)
      // Whatever came of it by chance: in service again, with notes, and a card that nobody has reported as lost.
      const { exchange } = (await v1.post(`${at}/exchange`, { action: 'start' })).body
      await v1.post(`${at}/exchange`, {
        action: 'end',
        exchange,
        mode: 'add',
        loaded: { C1: 9, C2: 9, C3: 9 },
      })
      await v1.post(`${at}/state`, { state: 'in_service', reason: 'again' })
      const pan = make.otherPan()
      make.know('/v1/cards', { id: await issue(v1, { pan, account: 'A' }) })
      for (const id of make.ownIds().slice(2)) await authorize(id, 1000, { pan })
    },
  })
})

const ofAtm = /^\/v1\/(terminals|exceptions|cards)/

type Tried = {
  /** Such as can be moved. */
  readonly amounts: readonly number[]
  /** That open sessions. */
  readonly credentials: readonly string[]
  wanted(path: string): boolean
  headers(make: Maker): Record<string, string>
  /** Done now and then, so that chance has something to work on. */
  often(make: Maker): Promise<void>
}

async function tryAll(v1: V1, { wanted, amounts, credentials, headers: more, often }: Tried): Promise<void> {
  const { paths, components } = v1.document
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    path.startsWith('/v1/') && wanted(path)
      ? Object.entries(methods).map(([method, of]) => ({ path, method, of }))
      : [],
  )
  const make = new Maker(prng(seed), { named: components.schemas, amounts, credentials })
  const untried = new Set(operations.flatMap(whatToTry))
  for (let i = 0; i < requests || (untried.size > 0 && i < mostRequests); i += 1) {
    if (i % 50 === 0) await often(make)
    const left = operations.filter((each) => whatToTry(each).some((what) => untried.has(what)))
    const { path, method, of } = make.one(left.length > 0 && i % 2 === 0 ? left : operations)
    const target = make.target(path.slice('/v1'.length), of)
    const headers = { ...make.headers(of), ...more(make) }
    const said =
      method === 'get'
        ? await v1.get(target, headers)
        : await v1.send(method, target, make.body(of, path), headers)
    assert.notEqual(said.status, 500, `${method} ${target}: ${said.text}`)
    make.know(path, said.body)
    untried.delete(`${method} ${path} ${said.status < 300 ? 'done' : 'refused'}`)
  }
  // One that was asked for by chance, of blocks that are not there, may be running yet.
  await v1.proven()
  assert.equal((await v1.prove())['proven'], true)
  // What is only ever refused, or only ever done, has not been tried.
  assert.deepEqual([...untried], [])
}

/** An operation that takes anything must be seen to be done and to be refused. */
function whatToTry({ path, method, of }: { path: string; method: string; of: Operation }): string[] {
  const takes =
    path.includes('{') || of.requestBody || of.parameters.some(({ in: where }) => where === 'query')
  return [`${method} ${path} done`, ...(takes ? [`${method} ${path} refused`] : [])]
}

/** Makes requests of a document: mostly what it wants, of a few names so that they meet, and now and then something else. */
class Maker {
  readonly #chance: Chance
  readonly #named: Readonly<Record<string, Schema>>
  readonly #amounts: readonly number[]
  readonly #credentials: readonly string[]
  /** Ids that were told, by what they are of. */
  readonly #ids = new Map<string, string[]>()
  #round = 0
  #pan = ''

  constructor(
    chance: Chance,
    of: {
      named: Readonly<Record<string, Schema>>
      amounts: readonly number[]
      credentials: readonly string[]
    },
  ) {
    this.#chance = chance
    this.#named = of.named
    this.#amounts = of.amounts
    this.#credentials = of.credentials
  }

  /** From here on: those before may be closed by now, or full. */
  otherAccounts(): string[] {
    this.#round += 1
    return this.#accounts()
  }

  know(path: string, { id, exchange, exceptions }: Record<string, unknown>): void {
    this.#keep(kindOf(path), id)
    this.#keep('exchanges', exchange)
    if (Array.isArray(exceptions)) for (const { id } of exceptions) this.#keep('exceptions', id)
  }

  #keep(kind: string, id: unknown): void {
    const known = (this.#ids.get(kind) ?? []).filter((each) => each !== id)
    if (typeof id === 'string') this.#ids.set(kind, [...known, id])
  }

  #id(kind: string): string {
    const known = this.#ids.get(kind)?.slice(-4)
    return known && this.#often(85) ? this.one(known) : this.one(['1-1', '1-7', 'nothing'])
  }

  one<Thing>(things: readonly Thing[]): Thing {
    const thing = things[this.#chance(things.length)]
    assert.ok(thing !== undefined, 'there is something to choose from')
    return thing
  }

  #often(percent: number): boolean {
    return this.#chance(100) < percent
  }

  target(path: string, { parameters }: Operation): string {
    const named = path.replace(/\{([a-z]+)\}/g, (_, name: string) =>
      encodeURIComponent(name === 'id' ? this.#id(kindOf(`/v1${path}`)) : this.#text(name)),
    )
    const query = new URLSearchParams()
    for (const { name, in: where, schema } of parameters)
      if (where === 'query' && this.#often(name === 'key' ? 90 : 20))
        query.append(name, String(this.#value(name, schema)))
    return `${named}?${query}`
  }

  headers({ parameters }: Operation): Record<string, string> {
    const headers: Record<string, string> = {}
    const must = parameters.some(({ name, required }) => name === 'Idempotency-Key' && required)
    if (must && this.#often(90)) headers['idempotency-key'] = `k${this.#chance(1_000_000)}`
    else if (this.#often(20)) headers['idempotency-key'] = this.one(['k1', 'k2', '"k3"', 'k'.repeat(256)])
    const guarded = parameters.some(({ name }) => name === 'If-Match')
    if (this.#often(guarded ? 30 : 5)) headers['if-match'] = this.one(['"2"', '3', '*', 'W/"x"'])
    return headers
  }

  body({ requestBody }: Operation, path: string): string | undefined {
    if (path === '/v1/session' && this.#often(50)) return JSON.stringify({ key: this.one(this.#credentials) })
    const schema = requestBody?.content['application/json']?.schema
    if (this.#often(2)) return undefined
    if (this.#often(2)) return this.one(['[]', '{', '{"amount":1,"amount":2}', '{"amount":1.5}', 'null'])
    return JSON.stringify(this.#value('body', schema ?? {}))
  }

  #value(name: string, schema: Schema): unknown {
    if (this.#often(3)) return this.one([null, -1, 2 ** 53, '', '__proto__', {}, true])
    if (schema.$ref)
      return this.#value(name, this.#named[schema.$ref.slice('#/components/schemas/'.length)] ?? {})
    if (schema.anyOf) return this.#value(name, this.one(schema.anyOf))
    if (schema.const !== undefined) return schema.const
    if (name === 'state' && schema.enum?.includes('active') && this.#often(85)) return 'active'
    if (schema.enum) return this.#often(70) && schema.enum.includes('USD') ? 'USD' : this.one(schema.enum)
    if (name === 'amount' && this.#often(80)) return this.one(this.#amounts)
    if (schema.type === 'integer') return this.one([1, 1, 1, 2, 5, Number.MAX_SAFE_INTEGER])
    if (schema.type === 'boolean') return this.#often(50)
    if (name === 'url')
      return this.one(['http://127.0.0.1:9/', 'http://127.0.0.1:9/', 'https://10.0.0.1/', 'x'])
    if (schema.format !== undefined) return this.one(['2026-01-01', '2100-01-01T00:00:00Z'])
    if (schema.type === 'string') return this.#text(name)
    if (schema.type === 'array')
      return Array.from({ length: this.#chance(4) }, () => this.#value(name, schema.items ?? {}))
    if (schema.patternProperties && name !== 'metadata') return this.#notes(name)
    if (name === 'metadata') return this.one([{}, { till: '7' }, { é: '😀' }])
    const members = Object.entries(schema.properties ?? {}).filter(([member]) =>
      this.#often(schema.required?.includes(member) ? 98 : member === 'pin_block' ? 4 : 30),
    )
    if (this.#often(2)) members.push(['extra', { type: 'boolean' }])
    return Object.fromEntries(members.map(([member, each]) => [member, this.#value(member, each)]))
  }

  /** Notes by unit or by value, as units are counted, or answers for suspects. */
  #notes(name: string): object {
    if (name === 'notes') return this.one([{ 5000: 1 }, { 1000: 2, 2000: 1 }, {}])
    if (name === 'suspects') return this.one([{}, { W1: { dispensed: 0 } }])
    const counts = { C1: this.#chance(99), C2: 1, C3: 0, D1: { 5000: 1 }, R1: {}, T1: {} }
    return this.one([{ C1: 1 }, { C3: 1 }, {}, counts, counts, { C9: 1 }])
  }

  /** From here on; of a card that is issued with it. */
  otherPan(): string {
    this.#pan = this.#anyPan()
    return this.#pan
  }

  /** Sixteen digits of which the last is the check digit. */
  #anyPan(): string {
    const digits = `4${String(this.#round).padStart(5, '0')}${String(this.#chance(1_000_000)).padStart(9, '0')}`
    const sum = [...digits].reduce((sum, digit, i) => {
      const twice = i % 2 === 0 ? 2 * Number(digit) : Number(digit)
      return sum + (twice > 9 ? twice - 9 : twice)
    }, 0)
    return digits + ((10 - (sum % 10)) % 10)
  }

  /** What terminals call their withdrawals: as for accounts, and what would do for a terminal, too. */
  ownIds(): string[] {
    return ['W', 'X', 'Y', 'Z'].map((letter) => letter + this.#round)
  }

  #accounts(): string[] {
    return ['A', 'B', 'C'].map((letter) => letter + this.#round)
  }

  #text(name: string): string {
    switch (name) {
      case 'number':
      case 'account':
      case 'from':
      case 'to':
        return this.one([...this.#accounts(), ...this.#accounts(), 'cash:USD', 'nobody', 'a b'])
      case 'hold':
        return this.#id('holds')
      case 'transfer':
      case 'event':
        return this.#id('transfers')
      case 'terminal':
        return this.#often(90) ? 'ATM1' : this.one(['ATM2', 'W1', 'none'])
      case 'withdrawal':
      case 'deposit':
        return this.#often(95) ? this.one(this.ownIds()) : 'a b'
      case 'batch':
        return this.one(['1', '1', '2', 'x'])
      case 'exchange':
        return this.#often(90) ? this.#id('exchanges').replace(/^nothing$/, 'x_0') : 'x_0'
      case 'pan':
        return this.#often(70) ? this.#pan : this.#anyPan()
      case 'pin':
        return this.#often(95) ? pin : '9999'
      case 'new_pin':
        return pin
      case 'expiry':
        return '9912'
      case 'pvv':
        return '0949'
      case 'kcv':
        return '08D7B4'
      case 'pin_block':
      case 'new_pin_block':
        return '0123456789ABCDEF'
      case 'as_of':
        return this.one(['2', '2026-01-01', '2100-01-01T00:00:00Z', 'never'])
      case 'key':
        return this.one(['k1', 'k2', 'k3', 'item', '', '0123456789ABCDEFFEDCBA9876543210'])
      case 'id':
        return this.one([...this.ownIds(), 'C1', 'C2'])
      default:
        return this.one(['x', 'é', 'none'])
    }
  }
}

/** What a path's ids are of: `holds`, of /v1/holds/{id}/capture; what deposits and withdrawals make are transfers. */
function kindOf(path: string): string {
  const kind = path.split('/')[2] ?? ''
  return ['deposits', 'withdrawals'].includes(kind) ? 'transfers' : kind
}

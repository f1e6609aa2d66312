// Who is let in: keys and tokens, right and wrong; the demo mode and its end; roles; rates; two people.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { makeKey } from '../../src/access/key.ts'
import { permissions } from '../../src/access/permissions.ts'
import { Tokens } from '../../src/access/tokens.ts'
import type { Role } from '../../src/ledger/registry.ts'
import { times } from '../support/profile.ts'
import { type Answer, Connection, checkProblem, type Options, pause, serve } from './support.ts'
import { assertRefused, type Operation, serveV1, type V1 } from './v1-support.ts'

const usd = { currency: 'USD' }
const nobody = { status: 401, code: 'unauthenticated', error: 'Credential is missing or not valid' }
const stranger = { status: 403, code: 'not_local', error: 'Demo mode serves this machine only' }
const forbidden = { status: 403, code: 'forbidden', error: 'Credential does not allow this' }
const tooMany = { status: 429, code: 'rate_limited', error: 'Too many requests, please slow down' }

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

// A server with a credential of each role, whose admin `v1` asks as.
const logLines: string[] = []
const v1 = await serveV1({ after }, { logLines })
const keys: Record<string, string> = { admin: await v1.useKey('admin', 'ann') }
for (const role of ['teller', 'operator', 'auditor']) keys[role] = (await credential(role)).key
keys['terminal'] = (await credential('terminal', 'A')).key
const as = (role: string) => bearer(keys[role] ?? '')

async function credential(role: string, name = role): Promise<Record<'id' | 'key', string>> {
  return (await v1.post('/credentials', { role, name })).body as unknown as Record<'id' | 'key', string>
}

async function credentials(): Promise<object[]> {
  return (await v1.get('/credentials', as('auditor'))).body['credentials'] as unknown as object[]
}

async function auditLog(): Promise<Record<string, string>[]> {
  return (await v1.get('/audit', as('auditor'))).body['acts'] as unknown as Record<string, string>[]
}

test('a repeat under the same Idempotency-Key makes no second credential, and tells no key', async () => {
  const before = await credentials()
  const ask = () => v1.post('/credentials', { role: 'teller', name: 'bob' }, { 'idempotency-key': 'k' })
  const [first, second] = [await ask(), await ask()]
  assert.equal(second.status, 201)
  assert.equal(second.headers.get('idempotency-replayed'), 'true')
  assert.deepEqual(second.body, { ...first.body, key: null })
  assert.equal((await credentials()).length, before.length + 1)
})

test('no key, a malformed, unknown or revoked one, or one in the URL: answered alike', async () => {
  const { cashpoint } = v1
  const revoked = await credential('admin', 'old')
  assert.equal((await cashpoint.get('/accounts', bearer(revoked.key))).status, 200)
  assert.equal((await v1.post(`/credentials/${revoked.id}/revoke`)).status, 200)

  const admin = String(keys['admin'])
  const wrong: Record<string, string>[] = [
    {},
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: admin },
    { authorization: `Basic ${Buffer.from(`x:${admin}`).toString('base64')}` },
    bearer(admin.slice(0, -1)),
    bearer(`${admin}0`),
    bearer(admin.replace(/.$/, (last) => (last === '0' ? '1' : '0'))),
    bearer(admin.toLowerCase()),
    bearer(makeKey()),
    bearer(revoked.key),
    bearer('null'),
    bearer('__proto__'),
    { 'x-api-key': admin },
    { cookie: `key=${admin}` },
  ]
  const answers: Answer[] = []
  for (const headers of wrong)
    for (const path of ['/accounts', '/accounts/A/balance', '/v1/accounts', '/v1/credentials', '/metrics'])
      answers.push(await cashpoint.get(path, headers))
  for (const answer of answers) {
    checkProblem(answer, nobody)
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="cashpoint"')
    assert.equal(answer.body, answers[0]?.body, 'alike to the byte')
  }
  for (const path of [
    `/v1/accounts?key=${admin}`,
    `/v1/accounts/${admin}`,
    `/accounts?access_token=${admin}`,
  ])
    for (const headers of [{}, bearer(admin)])
      checkProblem(await cashpoint.get(path, headers), nobody, `a key in the URL: ${path}`)
  assert.equal((await cashpoint.get('/accounts', { authorization: `bearer  ${admin}` })).status, 200)
})

test('what needs no credential says nothing of the accounts', async () => {
  for (const path of ['/', '/healthz', '/readyz', '/openapi.json', '/docs'])
    assert.equal((await v1.cashpoint.get(path)).status, 200, path)
})

test('no log line has a key, in whatever place it was sent', async () => {
  const admin = String(keys['admin'])
  await v1.cashpoint.get(`/v1/accounts/${admin}?key=${admin}`, bearer(admin))
  await v1.cashpoint.get(`/nowhere/${admin}`)
  await v1.cashpoint.get('/v1/accounts', { ...bearer(admin), 'x-request-id': admin })
  await pause(50)
  assert.ok(logLines.length > 5)
  assert.ok(
    logLines.some((line) => JSON.parse(line).actor?.startsWith('1-')),
    'but it says who asked',
  )
  for (const key of Object.values(keys))
    assert.ok(!logLines.join('').includes(key.slice(3)), 'no key in the log')
})

describe('the demo mode', async () => {
  const v1 = await serveV1({ after })
  const { port, get } = v1.cashpoint
  let first = { id: '', key: '' }

  test('serves this machine alone, by name and without a proxy', async () => {
    const ask = async (host: string, headers: Record<string, string> = {}) => {
      const connection = await Connection.open(port)
      const answer = await connection.call('GET', '/accounts/A/balance', { headers: { host, ...headers } })
      connection.close()
      assert.ok(answer !== undefined)
      return answer
    }
    for (const host of [
      'localhost',
      `localhost:${port}`,
      '127.0.0.1',
      '127.0.0.1:5000',
      '[::1]:5000',
      'LOCALHOST',
    ])
      assert.equal((await ask(host)).status, 200, host)
    const others = ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'evil.example:5000']
    for (const host of [...others, '10.0.0.1', '[::2]', 'localhost@evil.example', ''])
      checkProblem(await ask(host), stranger, host)
    for (const name of [
      'forwarded',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-prefix',
    ])
      checkProblem(await ask('localhost', { [name]: '127.0.0.1' }), stranger, name)
    assert.equal((await get('/v1/audit')).status, 200)
  })

  test('its first credential is shown once, and what is kept of it lets nobody in', async () => {
    assert.equal((await v1.get('/accounts/A')).status, 200)
    const made = await v1.post('/credentials', { role: 'admin', name: 'ann' }, { 'idempotency-key': 'k' })
    assert.equal(made.status, 201)
    const { key, id, fingerprint } = made.body as Record<string, string>
    assert.match(String(key), /^cp_[0-9A-Za-z]{48}$/)
    assert.equal(made.headers.get('location'), `/v1/credentials/${id}`)
    assert.equal(made.headers.get('cache-control'), 'no-store')
    first = { id: String(id), key: String(key) }

    const read = await v1.get(`/credentials/${id}`, bearer(first.key))
    assert.deepEqual({ ...read.body, key }, made.body)
    for (const none of ['1-1', '1-99', 'x'])
      assertRefused(await v1.get(`/credentials/${none}`, bearer(first.key)), 404, 'credential_not_found')
    const list = await v1.get('/credentials', bearer(first.key))
    assert.equal(list.status, 200)
    assert.deepEqual(
      (list.body['credentials'] as unknown as { id: string; name: string; fingerprint: string }[]).map(
        (each) => [each.id, each.name, each.fingerprint],
      ),
      [[id, 'ann', fingerprint]],
    )
    assert.ok(!list.text.includes(first.key))
    const lines = await v1.cashpoint.bank.records({ after: 0, last: await v1.cashpoint.bank.last() })
    assert.ok(!JSON.stringify(lines).includes(first.key), 'the journal has no key')
  })

  test('ends for good with it, also when that is revoked', async () => {
    const { id, key } = first
    checkProblem(await get('/accounts'), nobody)
    checkProblem(await v1.cashpoint.post('/accounts/A/deposit', '{"amount": 1}'), nobody)
    assert.equal((await v1.post(`/credentials/${id}/revoke`, {}, bearer(key))).status, 200)
    checkProblem(await get('/accounts'), nobody)
    checkProblem(await get('/accounts', bearer(key)), nobody)
  })

  test('is off where it is not wanted', async (t) => {
    const { get } = await serve(t, { demo: false })
    checkProblem(await get('/accounts'), nobody)
  })
})

describe('roles', () => {
  test('each route lets in the roles of its permission, and answers the others before it looks', async () => {
    const routes = Object.entries(v1.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, of]) => ({ path, method, of })),
    )
    let tried = 0
    for (const { path, method, of } of routes) {
      const roles = rolesOf(of)
      if (roles === undefined) continue
      for (const role of ['terminal', 'teller', 'operator', 'auditor', 'admin']) {
        // Names that are there, and that are not: what is forbidden must not tell which.
        const bodies = await Promise.all(
          ['A', 'nobody'].map(async (name) => {
            const target = path.replace(/\{[a-z]+\}/g, name)
            if (target === '/v1/events') return v1.cashpoint.get(`${target}?limit=1`, as(role))
            const sent = method === 'get' ? {} : { body: '{}' }
            const headers = { 'content-type': 'application/json', ...as(role) }
            return v1.cashpoint.call(method.toUpperCase(), target, { ...sent, headers })
          }),
        )
        const isOwn = role === 'terminal' && path.includes('{terminal}')
        for (const [i, answer] of bodies.entries()) {
          tried += 1
          if (roles.includes(role) && !(isOwn && i === 1))
            assert.ok(![401, 403].includes(answer.status), `${role} ${method} ${path}`)
          else checkProblem(answer, forbidden, `${role} ${method} ${path}`)
        }
        if (!roles.includes(role)) assert.equal(bodies[0]?.body, bodies[1]?.body, 'known and unknown alike')
      }
    }
    assert.ok(tried > 200, `${tried} tried`)
  })

  /** The roles that the document says a route is for. */
  function rolesOf({ description }: Operation & { readonly description?: string }): string[] | undefined {
    return /^For the roles ([^.]*)\./.exec(description ?? '')?.[1]?.split(', ')
  }

  test('an auditor changes nothing: every permission that does is others’', () => {
    const changing = ['open_accounts', 'move_money', 'force', 'block_accounts', 'set_limits', 'adjust']
    const managing = ['redeliver', 'manage_webhooks', 'manage_credentials']
    for (const name of [...changing, ...managing] as (keyof typeof permissions)[])
      assert.ok(!(permissions[name] as readonly Role[]).includes('auditor'), name)
  })

  test('forcing is an admin’s, alone and in a batch', async () => {
    const [from, to] = [await v1.open('F-1', 1000), await v1.open('F-2', 1000)]
    const { id } = (await v1.move(from, to, 100)).body as Record<string, string>
    const path = `/transfers/${id}/reversals`
    assertRefused(await v1.post(path, { force: true }, as('teller')), 403, 'forbidden')
    const operations = [{ type: 'reversal', transfer: id, force: true }]
    assertRefused(await v1.post('/batches', { operations }, as('teller')), 403, 'forbidden')
    assert.deepEqual(await v1.figures(to), [1100, 0, 1100])
    assert.equal((await v1.post(path, { amount: 40 }, as('teller'))).status, 201)
    assert.equal((await v1.post(path, { force: true })).status, 201)
    assert.deepEqual(await v1.figures(to), [1000, 0, 1000])
  })

  test('a key that is revoked while a stream goes on ends the stream', async () => {
    const { id, key } = await credential('auditor', 'temp')
    const headers = { accept: 'text/event-stream', ...bearer(key) }
    const stream = await fetch(`${v1.cashpoint.listening.url}/v1/events`, { headers })
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const read = async (until: string) => {
      for (;;) {
        const { value = '', done = true } = (await reader?.read()) ?? {}
        text += value
        if (done || text.includes(until)) return
      }
    }
    await read('cashpoint.account.opened')
    assert.equal((await v1.post(`/credentials/${id}/revoke`)).status, 200)
    const { body } = await v1.move('A', 'B', 1)
    await read('never')
    assert.ok(text.includes('cashpoint.account.opened'))
    assert.ok(!text.includes(`id: ${body['id']}\n`))
  })
})

test('the keys of callers are apart: one key of two callers is two operations', async () => {
  const account = await v1.open('K', 1000)
  const other = bearer((await credential('teller', 'bob')).key)
  const body = { account, amount: 10, ...usd }
  const key = { 'idempotency-key': 'same' }
  const batch = { operations: [{ type: 'deposit', ...body, key: 'item' }] }
  for (const headers of [as('teller'), other, as('teller'), other])
    for (const [path, sent] of [['/deposits', body] as const, ['/batches', batch] as const]) {
      const more = path === '/deposits' ? key : {}
      assert.ok((await v1.post(path, sent, { ...headers, ...more })).status < 300)
    }
  assert.deepEqual(await v1.figures(account), [1040, 0, 1040])
  assert.equal((await v1.get('/operations?key=same', as('teller'))).status, 200)
  assertRefused(await v1.get('/operations?key=same', as('auditor')), 404, 'operation_not_found')
})

describe('adjustments', () => {
  test('above the threshold a second person approves; who asked cannot, under another credential neither', async () => {
    const account = await v1.open('J', 1000)
    const adjust = { account, amount: 10_001, ...usd, direction: 'credit', reason: 'miscounted' }
    const asked = await v1.post('/adjustments', adjust, as('operator'))
    assert.equal(asked.status, 201)
    assert.deepEqual([asked.body['state'], asked.body['second_person']], ['pending', true])
    const path = `/adjustments/${asked.body['id']}`
    const twin = bearer((await credential('operator')).key)
    for (const headers of [as('operator'), twin, as('operator')])
      assertRefused(await v1.post(`${path}/approve`, {}, headers), 403, 'second_person_needed')
    assertRefused(await v1.post(`${path}/approve`, {}, as('teller')), 403, 'forbidden')
    assert.deepEqual(await v1.figures(account), [1000, 0, 1000])
    const waiting = (await v1.get('/adjustments', as('auditor'))).body['adjustments'] as unknown as object[]
    assert.deepEqual(waiting, [asked.body])

    const approvals = await Promise.all([1, 2, 3].map(() => v1.post(`${path}/approve`)))
    assert.deepEqual(approvals.map(({ status }) => status).sort(), [200, 409, 409])
    assert.deepEqual(await v1.figures(account), [11_001, 0, 11_001])
    const read = (await v1.get(path)).body as Record<string, unknown>
    assert.deepEqual([read['state'], read['requested_by_name']], ['posted', 'operator'])
    const transfer = (await v1.get(`/transfers/${read['transfer']}`)).body as Record<string, unknown>
    assert.deepEqual(
      [transfer['kind'], transfer['debit_account'], transfer['amount'], transfer['adjustment']],
      ['adjustment', 'adjustments:USD', 10_001, asked.body['id']],
    )
    assert.deepEqual((await v1.get('/adjustments')).body['adjustments'], [])
    assert.equal((await v1.prove())['proven'], true)
  })

  test('every privileged act is in the audit log, with who did it', async () => {
    const before = await auditLog()
    const [account, other] = [await v1.open('L-1', 1000), await v1.open('L-2', 1000)]
    await v1.put(`/accounts/${account}/limits`, { daily_amount: 100 })
    await v1.post(`/accounts/${other}/state`, { state: 'frozen', reason: 'police' }, as('operator'))
    const adjust = { account, amount: 5, ...usd, direction: 'debit', reason: 'fee' }
    await v1.post('/adjustments', adjust, as('operator'))
    await v1.post('/accounts', { number: 'C' })
    const paid = await v1.post('/deposits', { account: 'C', amount: 1, ...usd })
    await v1.post('/withdrawals', { account: 'C', amount: 1, ...usd })
    await v1.post(`/transfers/${paid.body['id']}/reversals`, { force: true })
    const acts = await auditLog()
    const told = acts.map(({ action, actor_name }) => [action, actor_name])
    assert.deepEqual(told.slice(0, 5), [
      ['reversal_forced', 'ann'],
      ['adjustment_posted', 'operator'],
      ['adjustment_requested', 'operator'],
      ['account_changed', 'operator'],
      ['limits_set', 'ann'],
    ])
    assert.deepEqual(acts.slice(5), before)
    assert.deepEqual(told.slice(-4), [
      ['credential_created', 'ann'],
      ['credential_created', 'ann'],
      ['credential_created', 'ann'],
      ['credential_created', null],
    ])
    assert.ok(!JSON.stringify(acts).includes('hash'))
    const pages = []
    for (let path: string | undefined = '/audit?limit=2'; path !== undefined; ) {
      const { body } = await v1.get(path, as('auditor'))
      pages.push(...(body['acts'] as unknown as object[]))
      const cursor = body['next_cursor'] as unknown as string | null
      path = cursor === null ? undefined : `/audit?limit=2&cursor=${cursor}`
    }
    assert.deepEqual(pages, acts)
  })
})

describe('tokens of an issuer', async () => {
  const issuer = 'https://id.example'
  const audience = 'cashpoint'

  // An issuer that publishes one key, down at first, and a server that takes its tokens.
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const other = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }
  let up = false
  const jwks = createServer((_, response) =>
    up ? response.end(JSON.stringify({ keys: [jwk] })) : response.socket?.destroy(),
  ).listen(0, '127.0.0.1')
  await once(jwks, 'listening')
  after(() => void jwks.close())
  const url = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/`
  const tokens = new Tokens({ issuer, audience, jwks: url, roleClaim: 'role' })
  const cashpoint = await serve({ after }, { tokens, accounts: { A: 100 } })
  const sign = (claims: object = {}, { key = privateKey, kid = 'k1', exp = '5m' } = {}) =>
    new SignJWT({ role: 'teller', sub: 'ann', iss: issuer, aud: audience, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setExpirationTime(exp)
      .sign(key)

  test('an issuer that cannot be asked is said to be that', async () => {
    const answer = await cashpoint.get('/v1/accounts/A', bearer(await sign()))
    checkProblem(answer, { status: 503, code: 'issuer_unavailable', error: 'Tokens cannot be checked now' })
    assert.ok(answer.headers.get('retry-after'))
    up = true
  })

  test('a token of the issuer lets in by its role; whatever is wrong with one, it lets nobody in', async () => {
    const ask = (token: string, path = '/v1/accounts/A') => cashpoint.get(path, bearer(token))
    const good = await sign()
    assert.equal((await ask(good)).status, 200)
    assert.equal((await ask(good)).status, 200, 'again, from what is kept')
    checkProblem(await ask(good, '/v1/audit'), forbidden)
    checkProblem(await cashpoint.get('/v1/accounts/A'), nobody, 'with an issuer there is no demo mode')

    const [head = '', payload = '', signature = ''] = good.split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, role: 'admin' })).toString('base64url')
    const hmac = await new SignJWT({ role: 'admin', sub: 'ann', iss: issuer, aud: audience })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setExpirationTime('5m')
      .sign(Buffer.from(JSON.stringify(jwk)))
    const wrong: Record<string, string> = {
      'alg none': `${none}.${payload}.`,
      'alg none with a signature': `${none}.${payload}.${signature}`,
      'an HMAC with the public key': hmac,
      'changed claims': `${head}.${forged}.${signature}`,
      'no signature': `${head}.${payload}.`,
      'another key': await sign({}, { key: other.privateKey }),
      'an unknown key id': await sign({}, { kid: 'k2' }),
      expired: await sign({}, { exp: '-1m' }),
      'not yet': await sign({ nbf: Math.floor(Date.now() / 1000) + 600 }),
      'another audience': await sign({ aud: 'other' }),
      'another issuer': await sign({ iss: 'https://evil.example' }),
      'no subject': await sign({ sub: undefined }),
      'no role': await sign({ role: undefined }),
      'an unknown role': await sign({ role: 'root' }),
      'a list of roles': await sign({ role: ['admin'] }),
      'three dots': '..',
    }
    for (const [what, token] of Object.entries(wrong)) checkProblem(await ask(token), nobody, what)
  })

  test('who asked is in the journal, and keys are kept apart by subject', async () => {
    const before = await cashpoint.bank.last()
    const body = JSON.stringify({ account: 'A', amount: 1, ...usd })
    for (const sub of ['ann', 'bob', 'ann']) {
      const headers = { ...bearer(await sign({ sub })), 'idempotency-key': 'k' }
      assert.equal((await cashpoint.post('/v1/deposits', body, headers)).status, 201)
    }
    const records = await cashpoint.bank.records({ after: before, last: await cashpoint.bank.last() })
    const actors = records.filter(({ content }) => content.kind === 'transfer').map(({ actor }) => actor)
    assert.deepEqual(actors, ['jwt:ann', 'jwt:bob'])
  })
})

describe('rates', () => {
  const limited = async (t: Parameters<typeof serve>[0], options: Options) => {
    const v1 = await serveV1(t, options)
    const key = await v1.useKey('admin')
    const other = String((await v1.post('/credentials', { role: 'teller', name: 'b' })).body['key'])
    return { v1, key, other }
  }

  test('a credential that asks too often is told when to come again; another one goes on', async (t) => {
    const { v1, key, other } = await limited(t, { perCredential: 5 })
    const { get } = v1.cashpoint
    const answers = await Promise.all(Array.from({ length: 40 }, () => get('/v1/accounts/A', bearer(key))))
    const over = answers.filter(({ status }) => status === 429)
    // Two windows at the most.
    assert.ok(over.length >= 30, `${over.length} of 40`)
    for (const answer of over) {
      checkProblem(answer, tooMany)
      assert.equal(answer.headers.get('retry-after'), '1')
      assert.equal(answer.headers.get('ratelimit-policy'), '"credential";q=5;w=1')
      assert.match(answer.headers.get('ratelimit') ?? '', /^"credential";r=0;t=1$/)
    }
    const good = await get('/v1/accounts/A', bearer(other))
    assert.equal(good.status, 200)
    assert.equal(good.headers.get('ratelimit'), '"credential";r=4;t=1')
    await pause(1_050)
    assert.equal((await get('/v1/accounts/A', bearer(key))).status, 200)
  })

  test('an address that shows wrong keys is told to stop, and a right one from there is let in', async (t) => {
    const { v1, key } = await limited(t, { perAddress: 20 })
    const { get } = v1.cashpoint
    const statuses = []
    // A forged X-Forwarded-For makes no other address of it.
    for (let i = 0; i < 60; i += 1) {
      const headers = { ...bearer(makeKey()), 'x-forwarded-for': `10.0.0.${i}`, forwarded: `for=10.0.0.${i}` }
      statuses.push((await get('/v1/accounts/A', headers)).status)
    }
    assert.deepEqual(new Set(statuses.slice(0, 15)), new Set([401]))
    assert.deepEqual(new Set(statuses.slice(20)), new Set([429]))
    assert.equal((await get('/v1/accounts/A', bearer(key))).status, 200)
    assert.equal((await get('/')).status, 429)
    assert.equal((await get('/healthz')).status, 200, 'the health is never counted')
  })

  test('behind a proxy that is trusted, each address behind it is one of its own', async (t) => {
    const { v1 } = await limited(t, { perAddress: 3, trustedProxies: ['127.0.0.1', '::1'] })
    const from = (address: string) =>
      v1.cashpoint.get('/v1/accounts/A', { 'x-forwarded-for': address }).then(({ status }) => status)
    const many = async (address: string) => [
      await from(address),
      await from(address),
      await from(address),
      await from(address),
    ]
    assert.deepEqual(await many('192.0.2.1'), [401, 401, 401, 429])
    assert.deepEqual(await many('192.0.2.2'), [401, 401, 401, 429])
    // What the client wrote itself stands before what the proxy saw.
    assert.equal(await from('198.51.100.7, 192.0.2.1'), 429)
    // The 64 bits of a household are one.
    assert.deepEqual(await many('2001:db8:1:2::1'), [401, 401, 401, 429])
    assert.equal(await from('2001:db8:1:2:3:4:5:6'), 429)
    assert.equal(await from('2001:db8:1:3::1'), 401)
  })

  test('thousands of wrong keys do not slow the right one', async (t) => {
    const { v1, key } = await limited(t, { perAddress: 600 })
    const flood = await Promise.all(
      Array.from({ length: times(6, 20) }, () => Connection.open(v1.cashpoint.port)),
    )
    const request = Buffer.concat(
      Array.from({ length: 500 }, () =>
        Buffer.from(
          `GET /v1/accounts/A HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${makeKey()}\r\n\r\n`,
        ),
      ),
    )
    for (const connection of flood) connection.write(request)
    const startedMs = performance.now()
    const answers = await Promise.all([1, 2, 3].map(() => v1.cashpoint.get('/v1/accounts/A', bearer(key))))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    )
    // Not a measurement: it must not wait for its turn behind all of them.
    assert.ok(performance.now() - startedMs < 5_000)
    for (const connection of flood) {
      const answer = await connection.answer()
      assert.ok(answer?.status === 401 || answer?.status === 429)
      connection.close()
    }
  })
})

test('a server that is opened again knows its credentials', async (t) => {
  const first: V1 = await serveV1(t)
  const key = await first.useKey('admin')
  const { id } = (await first.post('/credentials', { role: 'teller', name: 'bob' })).body as Record<
    string,
    string
  >
  await first.post(`/credentials/${id}/revoke`)
  const adjust = { account: 'A', amount: 20_000, ...usd, direction: 'debit', reason: 'r' }
  await first.post('/adjustments', adjust)
  const dropped = (await first.post('/adjustments', adjust)).body as Record<string, string>
  await first.post(`/adjustments/${dropped['id']}/reject`)
  const operations = [{ type: 'deposit', account: 'A', amount: 1, ...usd, key: 'item' }]
  await first.post('/batches', { operations })
  const paths = ['/v1/audit', '/v1/credentials', '/v1/adjustments', `/v1/adjustments/${dropped['id']}`]
  const before = await Promise.all(paths.map((path) => first.cashpoint.get(path, bearer(key))))
  await first.cashpoint.stop()
  const again = await serve(t, { path: first.cashpoint.path })
  checkProblem(await again.get('/accounts'), nobody)
  // By now the index has all of it, where the journal's tail had it before.
  const after = await Promise.all(paths.map((path) => again.get(path, bearer(key))))
  assert.deepEqual(
    after.map(({ body }) => body),
    before.map(({ body }) => body),
  )
  assert.equal(JSON.parse(after[0]?.body ?? '').acts.length, 6)
  const replay = await again.post('/v1/batches', JSON.stringify({ operations }), bearer(key))
  assert.equal(JSON.parse(replay.body).results[0].replayed, true, replay.body)
})

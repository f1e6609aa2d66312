// Sessions of browsers, over a real server: their cookie, their end, and which pages may use them.

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { makeKey } from '../../src/access/key.ts'
import { type Clock, systemClock } from '../../src/bank/clock.ts'
import { type Options, pause } from './support.ts'
import { assertRefused, type Said, serveV1, type V1 } from './v1-support.ts'

const minuteMs = 60_000
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

/** A clock that is as far ahead as it was moved. */
function movedClock(): Clock & { move(ms: number): void } {
  let ahead = 0
  return {
    now: () => systemClock.now() + ahead,
    monotonicMs: () => systemClock.monotonicMs() + ahead,
    after: systemClock.after,
    move: (ms) => {
      ahead += ms
    },
  }
}

type Made = { readonly id: string; readonly key: string }

/** A server out of demo mode, with ways to come in and ask as a browser does. */
async function serveWithKeys(scope: { after(then: () => Promise<void>): void }, options: Options = {}) {
  const v1 = await serveV1(scope, options)
  const admin = String((await v1.post('/credentials', { role: 'admin', name: 'ann' })).body['key'])
  const own = v1.cashpoint.listening.url
  const ways = {
    v1,
    own,
    /** As its admin, by key. */
    admin: bearer(admin),
    make: async (role: string, name = role) =>
      (await v1.post('/credentials', { role, name }, bearer(admin))).body as unknown as Made,
    login: (key: string, headers: Record<string, string> = { origin: own }) =>
      v1.post('/session', { key }, headers),
    /** The cookie of somebody who has come in. */
    cookie: async (key: string) => cookieIn(await ways.login(key)),
    get: (path: string, cookie: string) => v1.get(path, { cookie }),
    post: (path: string, body: object, cookie: string, headers: Record<string, string> = { origin: own }) =>
      v1.post(path, body, { cookie, ...headers }),
  }
  return ways
}

/** What a browser sends back of a Set-Cookie. */
function cookieIn({ status, text, headers }: Said): string {
  assert.equal(status, 200, text)
  return headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

const at = await serveWithKeys({ after })
const { v1, own } = at
const operator = await at.make('operator', 'olga')

const frozen = { state: 'frozen', reason: 'lost' }
const active = { state: 'active', reason: 'found' }

test('a key opens a session: a cookie that no script reads, and who it is of', async () => {
  const said = await at.login(operator.key)
  const [cookie = '', ...others] = said.headers.getSetCookie()
  assert.match(cookie, /^cashpoint_session=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
  assert.deepEqual(others, [])
  assert.equal(said.headers.get('cache-control'), 'no-store')
  const { expires_at, permissions, ...body } = said.body as Record<string, unknown>
  assert.deepEqual(body, { role: 'operator', name: 'olga', demo: false, currency: 'USD' })
  assert.ok((permissions as string[]).includes('resolve_exceptions'))
  assert.ok(!(permissions as string[]).includes('move_money'))
  const leftMs = Date.parse(String(expires_at)) - Date.now()
  assert.ok(Math.abs(leftMs - 15 * minuteMs) < 5_000, `${leftMs}`)

  const read = await at.get('/session', cookieIn(said))
  assert.equal(read.status, 200)
  assert.deepEqual({ ...read.body, expires_at }, said.body)
  const byKey = await v1.get('/session', bearer(operator.key))
  assert.deepEqual(byKey.body, { ...said.body, expires_at: null })
  assertRefused(await v1.get('/session'), 401, 'unauthenticated')
})

test('whoever asks by it is the credential: in records, in the log, with its keys of requests', async () => {
  const logLines: string[] = []
  const at = await serveWithKeys({ after }, { logLines })
  const { id, key } = await at.make('teller', 'tim')
  const cookie = await at.cookie(key)
  const deposit = { account: 'A', amount: 5, currency: 'USD' }
  const headers = { 'idempotency-key': 'k', origin: at.own }
  assert.equal((await at.post('/deposits', deposit, cookie, headers)).status, 201)
  const again = await at.v1.post('/deposits', deposit, { ...bearer(key), 'idempotency-key': 'k' })
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  const records = await at.v1.cashpoint.bank.records({ after: 0, last: await at.v1.cashpoint.bank.last() })
  const paid = records.findLast(({ content }) => content.kind === 'transfer')
  assert.equal(paid?.actor, id)
  await pause(50)
  const log = logLines.map((line) => JSON.parse(line)).filter(({ path }) => path === '/v1/session')
  assert.deepEqual(
    log.map(({ actor }) => actor),
    [id],
  )
  for (const secret of [key, cookie.split('=')[1] ?? '']) assert.ok(!logLines.join('').includes(secret))
})

test('a wrong key opens none, and is told no more than by Authorization', async () => {
  const revoked = await at.make('operator', 'old')
  assert.equal((await v1.post(`/credentials/${revoked.id}/revoke`, {}, at.admin)).status, 200)
  const byHeader = await v1.get('/accounts', bearer(makeKey()))
  for (const key of [makeKey(), revoked.key, `${operator.key}0`, operator.key.slice(0, -1), 'x', 'a.b.c']) {
    const said = await at.login(key)
    assertRefused(said, 401, 'unauthenticated')
    assert.equal(said.text, byHeader.text)
    assert.deepEqual(said.headers.getSetCookie(), [])
  }
  for (const body of [{}, { key: '' }, { key: 1 }, { key: operator.key, more: 1 }, '{', undefined])
    assert.equal((await v1.post('/session', body)).status, 400)
})

test('the session may what its role may, in all of /v1, and nothing of the original routes', async () => {
  const cookie = await at.cookie(operator.key)
  assert.equal((await at.get('/accounts/A', cookie)).status, 200)
  assertRefused(await at.get('/audit', cookie), 403, 'forbidden')
  const deposit = { account: 'A', amount: 5, currency: 'USD' }
  assertRefused(await at.post('/deposits', deposit, cookie), 403, 'forbidden')
  assert.equal((await at.post('/accounts/B/state', frozen, cookie)).status, 200)
  assert.equal((await at.post('/accounts/B/state', active, cookie)).status, 200)
  assert.equal((await v1.cashpoint.get('/accounts', { cookie })).status, 401)
  assert.equal((await v1.cashpoint.post('/accounts/A/deposit', '{"amount":1}', { cookie })).status, 401)
})

test('Authorization counts where both are sent, right or wrong', async () => {
  const cookie = await at.cookie(operator.key)
  const auditor = await at.make('auditor', 'audrey')
  const read = async (authorization: string) => v1.get('/session', { cookie, authorization })
  assert.equal((await read(`Bearer ${auditor.key}`)).body['name'], 'audrey')
  for (const wrong of [`Bearer ${makeKey()}`, 'Bearer', 'Basic x', ''])
    assertRefused(await read(wrong), 401, 'unauthenticated')
})

describe('what changes something', async () => {
  const cookie = await at.cookie(operator.key)
  const ask = (headers: Record<string, string>) => at.post('/accounts/B/state', active, cookie, headers)
  const { host, port } = new URL(own)

  test('comes from a page of this server, or is refused', async () => {
    assert.equal((await ask({ origin: own })).status, 200)
    const foreign = [
      {},
      { origin: 'http://evil.example' },
      { origin: `http://127.0.0.1:${Number(port) + 1}` },
      { origin: 'http://127.0.0.1' },
      { origin: `http://localhost:${port}` },
      { origin: `${own}.evil.example` },
      { origin: `ftp://${host}` },
      { origin: '' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
      { origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' },
    ]
    for (const headers of foreign) {
      const said = await ask(headers as Record<string, string>)
      assertRefused(said, 403, 'forbidden')
    }
    for (const method of ['put', 'delete'])
      assertRefused(
        await v1.send(method, method === 'put' ? '/accounts/B/limits' : '/session', '{}', { cookie }),
        403,
        'forbidden',
      )
    assert.equal((await at.get('/session', cookie)).status, 200, 'and it is still there')
  })

  test('a browser that names no origin may say that it is the same', async () => {
    assert.equal((await ask({ 'sec-fetch-site': 'same-origin' })).status, 200)
    assert.equal((await ask({ origin: 'null', 'sec-fetch-site': 'same-origin' })).status, 200)
  })

  test('reading wants no origin, and a key none at all', async () => {
    assert.equal((await v1.get('/accounts/A', { cookie, origin: 'http://evil.example' })).status, 200)
    const headers = { ...bearer(operator.key), origin: 'http://evil.example' }
    assert.equal((await v1.post('/accounts/B/state', active, headers)).status, 200)
  })

  test('a page of another origin opens no session for its visitor; a program without any does', async () => {
    const said = await at.login(operator.key, { origin: 'http://evil.example' })
    assertRefused(said, 403, 'forbidden')
    assert.deepEqual(said.headers.getSetCookie(), [])
    assert.equal((await at.login(operator.key, {})).status, 200)
  })
})

describe('under TLS', async () => {
  const flags = async (at: Awaited<ReturnType<typeof serveWithKeys>>, headers: Record<string, string>) => {
    const { key } = await at.make('operator')
    const [cookie = ''] = (await at.login(key, headers)).headers.getSetCookie()
    return cookie.split('; ').slice(1)
  }
  const usual = ['HttpOnly', 'SameSite=Strict', 'Path=/']

  test('the cookie is Secure where the page says so, or a proxy that is trusted', async (t) => {
    const { host } = new URL(own)
    assert.deepEqual(await flags(at, { origin: `https://${host}` }), [...usual, 'Secure'])
    assert.deepEqual(await flags(at, { 'x-forwarded-proto': 'https' }), usual, 'anybody may say that')
    const behind = await serveWithKeys(t, { trustedProxies: ['127.0.0.1'] })
    assert.deepEqual(await flags(behind, { 'x-forwarded-proto': 'https' }), [...usual, 'Secure'])
    assert.deepEqual(await flags(behind, {}), usual)
  })

  test('a page in clear is not of this server; behind a proxy the host is the one that it was asked for', async (t) => {
    const at = await serveWithKeys(t, { trustedProxies: ['127.0.0.1'] })
    const { key } = await at.make('operator')
    const cookie = await at.cookie(key)
    const ask = async (headers: Record<string, string>) =>
      (await at.post('/accounts/B/state', active, cookie, headers)).status
    const { host } = new URL(at.own)
    const tls = { 'x-forwarded-proto': 'https' }
    assert.equal(await ask({ ...tls, origin: `https://${host}` }), 200)
    assert.equal(await ask({ ...tls, origin: `http://${host}` }), 403)
    assert.equal(await ask({ origin: `https://${host}` }), 200, 'a proxy need not say that it does TLS')
    const forwarded = { ...tls, 'x-forwarded-host': 'cash.example.com' }
    assert.equal(await ask({ ...forwarded, origin: 'https://cash.example.com' }), 200)
    assert.equal(await ask({ ...forwarded, origin: `https://${host}` }), 403)
  })
})

describe('a session ends', () => {
  test('when it is ended, alone', async () => {
    const [one, two] = [await at.cookie(operator.key), await at.cookie(operator.key)]
    assert.notEqual(one, two)
    const gone = await v1.send('delete', '/session', undefined, { cookie: one, origin: own })
    assert.equal(gone.status, 204)
    assert.match(gone.headers.getSetCookie()[0] ?? '', /^cashpoint_session=; .*Max-Age=0$/)
    assertRefused(await at.get('/session', one), 401, 'unauthenticated')
    assert.equal((await at.get('/session', two)).status, 200)
    assert.equal((await v1.send('delete', '/session', undefined, bearer(operator.key))).status, 204)
    assert.equal((await at.get('/session', two)).status, 200)
  })

  test('with its credential', async () => {
    const { id, key } = await at.make('operator', 'otto')
    const [cookie, other] = [await at.cookie(key), await at.cookie(operator.key)]
    assert.equal((await v1.post(`/credentials/${id}/revoke`, {}, at.admin)).status, 200)
    assertRefused(await at.get('/accounts/A', cookie), 401, 'unauthenticated')
    assert.equal((await at.get('/accounts/A', other)).status, 200)
  })

  test('when nobody has used it for 15 minutes; what a page asks by itself is no use', async (t) => {
    const clock = movedClock()
    const at = await serveWithKeys(t, { clock })
    const { key } = await at.make('operator')
    const cookie = await at.cookie(key)
    const read = async (path: string) => (await at.get(path, cookie)).status
    clock.move(14 * minuteMs)
    assert.equal(await read('/accounts/A'), 200)
    clock.move(14 * minuteMs)
    assert.equal(await read('/events?limit=1'), 200)
    const foreign = await at.post('/accounts/B/state', active, cookie, { origin: 'http://evil.example' })
    assertRefused(foreign, 403, 'forbidden')
    clock.move(2 * minuteMs)
    assert.equal(await read('/accounts/A'), 401)
  })

  test('and with it its streams', async () => {
    const cookie = await at.cookie(operator.key)
    const stream = await fetch(`${own}/v1/events?after=latest`, {
      headers: { accept: 'text/event-stream', cookie },
    })
    assert.equal(stream.status, 200)
    const reader = (stream.body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (wanted: string) => {
      while (!text.includes(wanted)) {
        const { value = '', done } = await reader.read()
        if (done) return false
        text += value
      }
      return true
    }
    const move = async () => String((await v1.post('/deposits', one, at.admin)).body['id'])
    const one = { account: 'A', amount: 1, currency: 'USD' }
    assert.ok(await until(`id: ${await move()}\n`))
    assert.equal((await v1.send('delete', '/session', undefined, { cookie, origin: own })).status, 204)
    const after = await move()
    assert.equal(await until(`id: ${after}\n`), false)
  })

  test('where its browser comes in anew: the token is never one that somebody else chose', async () => {
    const before = await at.cookie(operator.key)
    const chosen = `cashpoint_session=${'A'.repeat(43)}`
    assertRefused(await at.get('/session', chosen), 401, 'unauthenticated')
    const given = cookieIn(await at.login(operator.key, { origin: own, cookie: chosen }))
    assert.notEqual(given, chosen)
    assertRefused(await at.get('/session', chosen), 401, 'unauthenticated')
    const anew = cookieIn(await at.login(operator.key, { origin: own, cookie: before }))
    assertRefused(await at.get('/session', before), 401, 'unauthenticated')
    assert.equal((await at.get('/session', anew)).status, 200)
    // One of them was set by somebody else.
    assertRefused(await at.get('/session', `${anew}; ${given}`), 401, 'unauthenticated')
    assert.equal((await at.get('/session', `other=1; ${anew}; last="x"`)).status, 200)
  })

  test('when its credential has opened twenty others, and nobody else’s does', async () => {
    const { key } = await at.make('operator', 'many')
    const mine = await at.cookie(operator.key)
    const cookies: string[] = []
    for (let i = 0; i < 20; i += 1) cookies.push(await at.cookie(key))
    const [first = '', second = ''] = cookies
    assert.equal((await at.get('/accounts/A', first)).status, 200)
    await at.cookie(key)
    assert.equal((await at.get('/session', first)).status, 200, 'used a moment ago')
    assertRefused(await at.get('/session', second), 401, 'unauthenticated')
    assert.equal((await at.get('/session', mine)).status, 200)
  })
})

describe('rates', () => {
  test('keys that are tried out are counted as those in Authorization are', async (t) => {
    const at = await serveWithKeys(t, { perAddress: 20 })
    const statuses: number[] = []
    for (let i = 0; i < 15; i += 1) statuses.push((await at.login(makeKey())).status)
    for (let i = 0; i < 15; i += 1) statuses.push((await at.v1.get('/accounts', bearer(makeKey()))).status)
    // The first request of all was one without a key, too.
    assert.deepEqual(new Set(statuses.slice(0, 15)), new Set([401]))
    assert.deepEqual(new Set(statuses.slice(20)), new Set([429]))
    assertRefused(await at.login(makeKey()), 429, 'rate_limited')
    assert.equal((await at.v1.get('/accounts', at.admin)).status, 200)
  })

  test('opening sessions is asking, too', async (t) => {
    const at = await serveWithKeys(t, { perCredential: 6 })
    const { key } = await at.make('auditor')
    const answers = await Promise.all(Array.from({ length: 30 }, () => at.login(key)))
    const refused = answers.filter(({ status }) => status !== 200)
    assert.ok(refused.length >= 18, `${refused.length} refused`)
    for (const answer of refused) {
      assertRefused(answer, 429, 'rate_limited')
      assert.equal(answer.headers.get('retry-after'), '1')
      assert.deepEqual(answer.headers.getSetCookie(), [])
    }
  })

  test('a session has the rate of its credential, not one of its own', async (t) => {
    const at = await serveWithKeys(t, { perCredential: 6 })
    const { key } = await at.make('auditor')
    const cookies = [await at.cookie(key), await at.cookie(key)]
    await pause(1_050)
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => at.get('/accounts/A', cookies[i % 2] ?? '')),
    )
    const passed = answers.filter(({ status }) => status === 200).length
    // Two windows at the most.
    assert.ok(passed >= 6 && passed <= 12, `${passed} passed`)
  })
})

test('in demo mode whoever is on this machine is its admin, without a session', async (t) => {
  const demo: V1 = await serveV1(t)
  const { body } = await demo.get('/session')
  assert.deepEqual(
    { ...body, permissions: [] },
    { role: 'admin', name: '', demo: true, currency: 'USD', permissions: [], expires_at: null },
  )
  assert.ok((body['permissions'] as unknown as string[]).includes('manage_credentials'))
  assertRefused(await demo.post('/session', { key: makeKey() }), 401, 'unauthenticated')
  assertRefused(await demo.get('/session', { 'x-forwarded-for': '192.0.2.1' }), 403, 'not_local')
})

// Webhooks, over real sockets to real targets: signed, retried, given up and sent again; and where they may not lead.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { Targets } from '../../src/webhooks/targets.ts'
import { times } from '../support/profile.ts'
import { type Options, pause, serve } from './support.ts'
import { assertRefused, serveV1, type V1 } from './v1-support.ts'

type Scope = Parameters<typeof serve>[0]

type Received = { readonly headers: Record<string, string>; readonly body: string; readonly path: string }

/** A target that answers as it is told, and keeps what it got. */
async function target(
  scope: Scope,
  answer: (request: Received, response: ServerResponse, count: number) => void = (_, response) =>
    response.end(),
  host = '127.0.0.1',
) {
  const received: Received[] = []
  let onMore = () => {}
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const { headers, url = '' } = request
    const got = {
      headers: headers as Record<string, string>,
      body: Buffer.concat(pieces).toString(),
      path: url,
    }
    received.push(got)
    answer(got, response, received.length)
    onMore()
  }).listen(0, host)
  await once(server, 'listening')
  scope.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    received,
    port,
    url: `http://${host}:${port}/hook`,
    /** Waits until so many have come. */
    async many(count: number, ms = 10_000): Promise<readonly Received[]> {
      const until = Date.now() + ms
      while (received.length < count) {
        assert.ok(Date.now() < until, `${received.length} of ${count} came`)
        await Promise.race([
          pause(50),
          new Promise<void>((resolve) => {
            onMore = resolve
          }),
        ])
      }
      return received
    },
  }
}

const quick = { retryMs: 20, tryMs: 400 }

function serveQuick(scope: Scope, options: Options = {}) {
  return serveV1(scope, { ...options, webhooks: { ...quick, ...options.webhooks } })
}

async function hook({ post }: V1, url: string, types?: readonly string[]) {
  const { status, body } = await post('/webhooks', { url, ...(types && { types }) })
  assert.equal(status, 201)
  return body as unknown as { id: string; secret: string }
}

/** A webhook of a test's own on a server of many tests. */
async function hookFor(scope: Scope, v1: V1, url: string, types?: readonly string[]) {
  const made = await hook(v1, url, types)
  scope.after(async () => void (await v1.post(`/webhooks/${made.id}/disable`)))
  return made
}

/** What the specification says a signature is, computed here again. */
function assertSigned({ headers, body }: Received, secret: string): void {
  const { 'webhook-id': id, 'webhook-timestamp': at } = headers
  assert.ok(Math.abs(Number(at) - Date.now() / 1000) < 10)
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const due = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')
  assert.equal(headers['webhook-signature'], `v1,${due}`)
  assert.equal(JSON.parse(body).id, id)
}

async function deliveriesOf(v1: V1, id: string, query = '') {
  const { body } = await v1.get(`/webhooks/${id}/deliveries${query}`)
  return body['deliveries'] as unknown as {
    event: string
    state: string
    attempts: number
    status: number | null
    error: string | null
    next_attempt_at: string | null
  }[]
}

/** Waits until a webhook has nothing on its way. */
async function settled(v1: V1, id: string): Promise<{ pending: number; dead: number }> {
  for (let i = 0; i < 400; i += 1) {
    const list = (await v1.get('/webhooks')).body['webhooks'] as unknown as {
      id: string
      pending: number
      dead: number
    }[]
    const found = list.find((each) => each.id === id)
    if (found?.pending === 0) return found
    await pause(25)
  }
  assert.fail('it is settled within ten seconds')
}

const shared = await serveQuick({ after })

test('events come signed, once each, as the stream has them, and only what is asked for', async (t) => {
  // With time enough for a try on a machine that does much else: one that takes too long is sent again.
  const v1 = await serveQuick(t, { webhooks: { tryMs: 10_000 } })
  const [all, some] = [await target(t), await target(t)]
  await v1.move('A', 'B', 1)
  const { id, secret } = await hook(v1, all.url)
  const { id: other } = await hook(v1, some.url, ['cashpoint.hold.placed'])
  for (let i = 1; i <= 30; i += 1) await v1.move('A', 'B', i)
  await v1.hold('A', 5)
  const received = await all.many(31)
  for (const each of received) assertSigned(each, secret)
  assert.match(received[0]?.headers['content-type'] ?? '', /^application\/cloudevents\+json/)
  await settled(v1, id)
  const page = (await v1.get(`/events?after=${id}`)).body['events'] as unknown as { id: string }[]
  const byId = new Map(received.map(({ headers, body }) => [headers['webhook-id'], JSON.parse(body)]))
  assert.deepEqual(
    page.map((event) => byId.get(event.id)),
    page,
    'each is what the page has, none from before',
  )
  assert.equal(received.length, 31)

  await some.many(1)
  await settled(v1, other)
  assert.equal(some.received.length, 1)
  assert.equal(JSON.parse(some.received[0]?.body ?? '').type, 'cashpoint.hold.placed')
})

test('a target that fails three times gets the event on the fourth, with the same id and a right signature', async (t) => {
  const v1 = shared
  const failing = await target(t, (_, response, count) => {
    response.statusCode = count <= 3 ? 500 : 204
    response.end()
  })
  const { id, secret } = await hookFor(t, v1, failing.url)
  await v1.move('A', 'B', 1)
  const received = await failing.many(4)
  await settled(v1, id)
  assert.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1)
  assert.equal(new Set(received.map(({ body }) => body)).size, 1)
  for (const each of received) assertSigned(each, secret)
  const [delivery] = await deliveriesOf(v1, id)
  assert.deepEqual([delivery?.state, delivery?.attempts, delivery?.status], ['delivered', 4, 204])
})

// A server that gives up soon, on which `rebind.example` leads where `answers` say.
const dead: string[] = []
const answers: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }]
let asked = 0
const hasty = await serveQuick(
  { after },
  {
    webhooks: {
      giveUpMs: 150,
      onDead: ({ id }) => dead.push(id),
      resolve: (name, _, callback) => {
        assert.equal(name, 'rebind.example')
        asked += 1
        callback(null, [...answers])
      },
    },
  },
)

test('what nobody takes in time is given up where all can see it, and sent again when somebody asks', async (t) => {
  const v1 = hasty
  let up = false
  const down = await target(t, (_, response) => {
    response.statusCode = up ? 200 : 503
    response.end()
  })
  const { id } = await hookFor(t, v1, down.url)
  await v1.move('A', 'B', 1)
  await v1.move('A', 'B', 2)
  await down.many(4)
  assert.deepEqual(await settled(v1, id).then(({ dead }) => dead), 2)
  const given = await deliveriesOf(v1, id, '?state=dead')
  assert.deepEqual(
    given.map(({ state, status, error, next_attempt_at }) => [state, status, error, next_attempt_at]),
    [
      ['dead', 503, 'answered 503', null],
      ['dead', 503, 'answered 503', null],
    ],
  )
  assert.deepEqual(dead.sort(), given.map(({ event }) => event).sort())
  assert.deepEqual(await deliveriesOf(v1, id, '?state=delivered'), [])

  up = true
  const before = down.received.length
  const [last, first] = given
  assert.equal((await v1.post(`/webhooks/${id}/redeliver`, { event: first?.event })).status, 200)
  await down.many(before + 1)
  assert.deepEqual(await settled(v1, id).then(({ dead }) => dead), 1)
  assert.equal((await v1.post(`/webhooks/${id}/redeliver`)).status, 200)
  await down.many(before + 2)
  assert.deepEqual(await settled(v1, id).then(({ dead }) => dead), 0)
  const ids = down.received.slice(before).map(({ headers }) => headers['webhook-id'])
  assert.deepEqual(ids, [first?.event, last?.event])
  // Also what was delivered, as often as somebody asks.
  assert.equal((await v1.post(`/webhooks/${id}/redeliver`, { event: first?.event })).status, 200)
  assert.equal((await down.many(before + 3)).at(-1)?.headers['webhook-id'], first?.event)
  const acts = (await v1.get('/audit')).body['acts'] as unknown as { action: string }[]
  assert.equal(acts.filter(({ action }) => action === 'webhook_redelivered').length, 3)
})

test('a server that stops in the middle sends the rest when it is opened again', async (t) => {
  let up = false
  const slow = await target(t, (_, response) => {
    if (up) response.end()
  })
  const first = await serveQuick(t)
  const { id, secret } = await hook(first, slow.url)
  for (let i = 0; i < 20; i += 1) await first.move('A', 'B', 1)
  await slow.many(1)
  await first.cashpoint.stop()
  up = true
  const before = slow.received.length
  const second = await serve(t, { path: first.cashpoint.path, webhooks: quick })
  await slow.many(before + 20)
  const again = slow.received.slice(before)
  assert.deepEqual(new Set(again.map(({ headers }) => headers['webhook-id'])).size, 20)
  for (const each of again) assertSigned(each, secret)
  const body = JSON.parse((await second.get(`/v1/webhooks/${id}/deliveries?state=delivered`)).body)
  // What our own end cut off was no try.
  assert.deepEqual(
    new Set(body.deliveries.map(({ attempts }: { attempts: number }) => attempts)),
    new Set([1]),
  )
})

test('beyond a thousand on their way they wait in the journal, and all come when the target is up', async (t) => {
  const v1 = await serveQuick(t, { webhooks: { tryMs: 10_000 } })
  let up = false
  const waiting: ServerResponse[] = []
  const down = await target(t, (_, response) => {
    if (up) response.end()
    else waiting.push(response)
  })
  const { id } = await hook(v1, down.url)
  const batches = times(3, 4)
  const operations = Array.from({ length: 500 }, () => ({
    type: 'deposit',
    account: 'A',
    amount: 1,
    currency: 'USD',
  }))
  for (let i = 0; i < batches; i += 1) await v1.post('/batches', { operations })
  await down.many(8)
  await pause(300)
  assert.equal(down.received.length, 8, 'no more than eight at once')
  const list = (await v1.get('/webhooks')).body['webhooks'] as unknown as { pending: number }[]
  assert.ok(
    (list[0]?.pending ?? 0) >= 1_000 && (list[0]?.pending ?? 0) < 1_300,
    `${list[0]?.pending} pending`,
  )
  up = true
  for (const response of waiting) response.end()
  await down.many(batches * 500, 30_000)
  await settled(v1, id)
  assert.equal(new Set(down.received.map(({ headers }) => headers['webhook-id'])).size, batches * 500)
})

test('a disabled webhook gets nothing more', async (t) => {
  const v1 = shared
  const any = await target(t)
  const { id } = await hook(v1, any.url)
  await v1.move('A', 'B', 1)
  await any.many(1)
  assert.equal((await v1.post(`/webhooks/${id}/disable`)).status, 200)
  await v1.move('A', 'B', 1)
  await pause(200)
  assert.equal(any.received.length, 1)
  assertRefused(await v1.post(`/webhooks/${id}/redeliver`), 409, 'webhook_disabled')
})

test('a repeat under one Idempotency-Key makes one webhook, and tells the same secret', async (t) => {
  const v1 = shared
  const { url } = await target(t)
  const ask = () => v1.post('/webhooks', { url }, { 'idempotency-key': 'k' })
  const [first, second] = [await ask(), await ask()]
  assert.deepEqual(second.body, first.body)
  const { secret: _, ...plain } = first.body as Record<string, unknown>
  const read = await v1.get(`/webhooks/${first.body['id']}`)
  assert.deepEqual(read.body, { ...plain, pending: 0, dead: 0 })
  assert.equal(second.headers.get('idempotency-replayed'), 'true')
  assert.match(String(first.body['secret']), /^whsec_[A-Za-z0-9+/]{43}=$/)
  const list = await v1.get('/webhooks')
  const made = (list.body['webhooks'] as unknown as { url: string }[]).filter((each) => each.url === url)
  assert.equal(made.length, 1)
  assert.ok(!list.text.includes('secret') && !list.text.includes('whsec'))
  const records = await v1.cashpoint.bank.records({ after: 0, last: await v1.cashpoint.bank.last() })
  assert.ok(
    !JSON.stringify(records).includes(String(first.body['secret']).slice(6)),
    'the journal has no secret',
  )
  await v1.post(`/webhooks/${first.body['id']}/disable`)
})

describe('targets that are not what they seem', async () => {
  const tryOnce = await serveQuick({ after }, { webhooks: { giveUpMs: 0 } })

  test('a redirect is not followed, wherever it leads', async (t) => {
    const v1 = tryOnce
    const inner = await target(t)
    const hooks = []
    for (const status of [301, 302, 303, 307, 308]) {
      const outer = await target(t, (_, response) => {
        response.writeHead(status, { location: inner.url }).end()
      })
      hooks.push({ status, outer, ...(await hookFor(t, v1, outer.url)) })
    }
    await v1.move('A', 'B', 1)
    for (const { status, outer, id } of hooks) {
      await outer.many(1)
      assert.equal((await settled(v1, id)).dead, 1)
      const [delivery] = await deliveriesOf(v1, id)
      assert.deepEqual(
        [delivery?.state, delivery?.error],
        ['dead', `answered ${status}: redirects are not followed`],
      )
    }
    assert.equal(inner.received.length, 0)
  })

  test('a name whose answer changes leads nowhere it may not: the address is judged when it is connected to', async (t) => {
    const outer = await target(t, (_, response) => {
      // No connection is used twice, so that each try looks the name up.
      response.writeHead(500, { connection: 'close' }).end()
    })
    const inner = await target(t, undefined, '127.0.0.2').catch(() => undefined)
    if (inner === undefined) return t.skip('this machine has no 127.0.0.2')
    const v1 = hasty
    const { id } = await hookFor(t, v1, `http://rebind.example:${outer.port}/`)
    await v1.move('A', 'B', 1)
    await outer.many(1)
    answers[0] = { address: '127.0.0.2', family: 4 }
    await settled(v1, id)
    const [delivery] = await deliveriesOf(v1, id)
    assert.equal(delivery?.state, 'dead')
    assert.match(delivery?.error ?? '', /not public/)
    assert.ok(asked >= 3, 'once when it was made, and once for each connection')
    assert.equal(inner.received.length, 0)
  })

  test('slow and endless answers hold up nobody', async (t) => {
    const v1 = tryOnce
    const timers: NodeJS.Timeout[] = []
    t.after(() => timers.forEach(clearInterval))
    const silent = await target(t, () => {})
    const trickling = await target(t, (_, response) => {
      response.socket?.write('HTTP/1.1 200 OK\r\n')
      timers.push(setInterval(() => response.socket?.write('x-pad: 1\r\n'), 20))
    })
    const endless = await target(t, (_, response) => {
      response.writeHead(200)
      timers.push(setInterval(() => response.write('x'.repeat(65_536)), 1))
    })
    const dripping = await target(t, (_, response) => {
      response.writeHead(200)
      timers.push(setInterval(() => response.write('x'), 20))
    })
    const broken = await target(t, (_, response) => void response.socket?.destroy())
    const states = new Map<string, unknown>()
    const hooks = []
    for (const each of [silent, trickling, endless, dripping, broken])
      hooks.push(await hookFor(t, v1, each.url))
    const good = await target(t)
    const { id } = await hookFor(t, v1, good.url)
    await v1.move('A', 'B', 1)
    await good.many(1)
    await settled(v1, id)
    for (const [i, each] of hooks.entries()) {
      await settled(v1, each.id)
      const [delivery] = await deliveriesOf(v1, each.id)
      states.set(String(i), [delivery?.state, delivery?.error])
    }
    assert.deepEqual([...states.values()].slice(0, 4), [
      ['dead', 'no answer within 400 ms'],
      ['dead', 'no answer within 400 ms'],
      ['delivered', null],
      ['delivered', null],
    ])
    assert.equal((states.get('4') as string[])[0], 'dead')
  })

  test('URLs that lead to what is not public are refused, and say why', async (t) => {
    const v1 = await serveV1(t, {
      webhooks: {
        networks: [],
        resolve: (name, _, callback) =>
          callback(null, [{ address: name === 'in.example' ? '10.1.2.3' : '1.1.1.1', family: 4 }]),
      },
    })
    const refused = [
      ...['https://127.0.0.1/', 'https://127.1/', 'https://2130706433/', 'https://0x7f.0.0.1/', 'https://0/'],
      ...[
        'https://10.0.0.1/',
        'https://172.31.0.1/',
        'https://192.168.1.1/',
        'https://169.254.169.254/latest/',
      ],
      ...[
        'https://100.64.0.1/',
        'https://[::1]/',
        'https://[::]/',
        'https://[fd00::1]/',
        'https://[fe80::1]/',
      ],
      ...['https://[::ffff:127.0.0.1]/', 'https://[::ffff:10.0.0.1]/', 'https://[64:ff9b::7f00:1]/'],
      ...[
        'https://[2002:7f00:1::]/',
        'https://224.0.0.1/',
        'https://255.255.255.255/',
        'https://in.example/',
      ],
      ...[
        'http://example.com/',
        'http://1.1.1.1/',
        'ftp://example.com/',
        'file:///etc/passwd',
        'https://',
        'nonsense',
      ],
      'https://user:secret@example.com/',
    ]
    for (const url of refused) {
      const said = await v1.post('/webhooks', { url })
      assertRefused(said, 422, 'target_refused')
      assert.match(String(said.body['detail']), /^url (leads|must)/, url)
    }
    for (const url of ['https://example.com/hook', 'https://1.1.1.1/', 'https://[2606:4700::1111]/'])
      assert.equal((await v1.post('/webhooks', { url })).status, 201, url)
    assertRefused(
      await v1.post('/webhooks', { url: 'https://example.com/', types: ['x'] }),
      400,
      'invalid_request',
    )
  })

  test('a network that is not named any more is not reached any more', async (t) => {
    const inner = await target(t)
    const first = await serveQuick(t)
    const { id } = await hook(first, inner.url)
    await first.cashpoint.stop()
    const options = { ...quick, networks: [], giveUpMs: 0 }
    const second = await serve(t, { path: first.cashpoint.path, webhooks: options })
    await second.post('/v1/deposits', '{"account": "A", "amount": 1, "currency": "USD"}')
    for (let i = 0; ; i += 1) {
      const { deliveries } = JSON.parse((await second.get(`/v1/webhooks/${id}/deliveries`)).body)
      if (deliveries[0]?.state === 'dead') {
        assert.match(deliveries[0].error, /^the target leads to an address that is not public/)
        break
      }
      assert.ok(i < 100, 'it is given up')
      await pause(50)
    }
    assert.equal(inner.received.length, 0)
  })

  test('networks that the operator names may be reached, those beside them not', () => {
    const targets = new Targets(['10.1.0.0/16', 'fd00:1::/32', '127.0.0.1'])
    for (const address of ['10.1.2.3', 'fd00:1::5', '127.0.0.1'])
      for (const isSecure of [true, false])
        assert.equal(targets.refuses(address, isSecure), undefined, address)
    for (const address of ['10.2.0.1', 'fd00:2::5', '127.0.0.2', '::1'])
      assert.ok(targets.refuses(address, true), address)
    assert.equal(targets.refuses('8.8.8.8', true), undefined)
    assert.ok(targets.refuses('8.8.8.8', false), 'http is for the networks alone')
  })
})

test('ids that are not there are not found, whatever else they are', async (t) => {
  const v1 = shared
  const { url } = await target(t)
  const { id } = await hookFor(t, v1, url)
  for (const name of ['1-999', 'x', '1-1'])
    for (const said of [
      await v1.get(`/webhooks/${name}`),
      await v1.get(`/webhooks/${name}/deliveries`),
      await v1.post(`/webhooks/${name}/redeliver`),
      await v1.post(`/webhooks/${name}/disable`),
    ])
      assertRefused(said, 404, 'webhook_not_found')
  for (const event of ['1-999', id, 'x', '2-1'])
    assertRefused(await v1.post(`/webhooks/${id}/redeliver`, { event }), 404, 'event_not_found')
})

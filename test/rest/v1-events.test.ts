// The journal as events, over real sockets: pages, streams that break and go on, readers that do not read.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { assertRefused, serveV1, type V1 } from './v1-support.ts'

const usd = { currency: 'USD' }

type Event = {
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly data: {
    readonly balances: readonly { account: string; ledger: number; held: number; version: number }[]
  } & Record<string, unknown>
}

/** Reads a stream until it has so many events, or it ends; gives what came. */
async function listen(v1: V1, { after, count, type }: { after?: string; count: number; type?: string }) {
  const hangUp = new AbortController()
  const response = await fetch(`${v1.cashpoint.listening.url}/v1/events${type ? `?type=${type}` : ''}`, {
    headers: { accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) },
    signal: hangUp.signal,
  })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
  const events: Event[] = []
  let text = ''
  try {
    for await (const piece of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      text += piece
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        if (block.startsWith(':')) continue
        const [, id, name, data = ''] = /^id: (.+)\nevent: (.+)\ndata: (.+)$/.exec(block) ?? []
        const event = JSON.parse(data) as Event
        assert.deepEqual([event.id, event.type], [id, name])
        events.push(event)
      }
      if (events.length >= count) break
    }
  } finally {
    hangUp.abort()
  }
  return events
}

async function pages(v1: V1, query = ''): Promise<Event[]> {
  const events: Event[] = []
  for (let after = ''; ; ) {
    const { body } = await v1.get(`/events?limit=7${query}${after}`)
    const page = body['events'] as unknown as Event[]
    events.push(...page)
    if (page.length === 0) return events
    after = `&after=${body['next_after']}`
  }
}

test('everything that happened is an event, in order, with the balances it left', async (t) => {
  const v1 = await serveV1(t)
  const { post, hold, move } = v1
  await move('A', 'B', 300)
  const kept = await hold('A', 50)
  const freed = await hold('A', 60)
  await post(`/holds/${kept}/capture`, { amount: 20 }, { 'idempotency-key': 'k' })
  await post(`/holds/${freed}/void`)
  await post('/accounts/B/state', { state: 'frozen', reason: 'lost' })
  await post('/withdrawals', { account: 'A', amount: 9_999, ...usd }, { 'idempotency-key': 'declined' })

  const events = await pages(v1)
  assert.deepEqual(
    events.map(({ type }) => type.replace('cashpoint.', '')),
    [
      'account.opened',
      'account.opened',
      'transfer.posted',
      'transfer.posted',
      'hold.placed',
      'hold.placed',
      'hold.posted',
      'transfer.posted',
      'hold.voided',
      'account.changed',
    ],
  )
  const [transfer, placed, posted, changed] = [events[3], events[4], events[6], events[9]]
  assert.deepEqual(
    [transfer?.subject, transfer?.data['amount'], transfer?.data['debit_account']],
    [`/v1/transfers/${transfer?.id}`, 300, 'A'],
  )
  assert.deepEqual([placed?.subject, placed?.data['amount']], [`/v1/holds/${kept}`, 50])
  assert.deepEqual([posted?.data['hold'], posted?.data['state']], [kept, 'posted'])
  assert.deepEqual([changed?.data['state'], changed?.data['reason']], ['frozen', 'lost'])

  // Each event's balances, the last winning, are what the accounts have.
  const replayed = new Map(events.flatMap(({ data }) => data.balances.map((left) => [left.account, left])))
  for (const number of ['A', 'B']) {
    const { body } = await v1.get(`/accounts/${number}`)
    const { ledger, held, version } = body as Record<string, unknown>
    assert.deepEqual(replayed.get(number), { account: number, ledger, held, version })
  }

  const only = await pages(v1, '&type=cashpoint.transfer.posted')
  assert.deepEqual(
    only.map(({ id }) => id),
    events.filter(({ type }) => type.endsWith('transfer.posted')).map(({ id }) => id),
  )
  assert.deepEqual((await v1.get('/events?after=latest')).body['events'], [])
})

test('a stream that breaks ten times and goes on where it was has each event once, in order', async (t) => {
  const v1 = await serveV1(t)
  let writing = true
  const writer = (async () => {
    while (writing) await Promise.all([v1.move('A', 'B', 1), v1.move('B', 'A', 1), v1.hold('A', 1)])
  })()
  const events: Event[] = []
  for (let i = 0; i < 11; i += 1) {
    const after = events.at(-1)?.id
    events.push(...(await listen(v1, { count: 40, ...(after !== undefined && { after }) })))
  }
  writing = false
  await writer
  const last = Number(events.at(-1)?.id.slice(2))
  const all = (await pages(v1)).filter(({ id }) => Number(id.slice(2)) <= last)
  assert(all.length >= 440)
  assert.deepEqual(events, all)
})

test('many streams are told of a commit at once, whatever page they were on, and of their type alone', async (t) => {
  const v1 = await serveV1(t)
  for (let i = 0; i < 30; i += 1) await Promise.all(Array.from({ length: 10 }, () => v1.move('A', 'B', 1)))
  const { body } = await v1.get('/events?after=latest')
  const starts = ['1-1', '1-100', '1-256', '1-257', String(body['next_after'])]
  const readers = starts.map((after) => listen(v1, { after, count: 304 - Number(after.slice(2)) }))
  const opened = listen(v1, { after: 'latest', count: 1, type: 'cashpoint.account.opened' })
  await new Promise((resolve) => setTimeout(resolve, 300))
  await v1.move('A', 'B', 1)
  await v1.post('/accounts', { number: 'C' })
  for (const [i, reader] of readers.entries()) {
    const ids = (await reader).map(({ id }) => Number(id.slice(2))).filter((id) => id <= 304)
    const first = Number(starts[i]?.slice(2)) + 1
    assert.deepEqual(
      ids,
      Array.from({ length: 305 - first }, (_, at) => first + at),
    )
  }
  assert.deepEqual(
    (await opened).map(({ subject }) => subject),
    ['/v1/accounts/C'],
  )
})

test('a server that stops ends its streams behind a whole event', async (t) => {
  const v1 = await serveV1(t)
  const reading = listen(v1, { count: Infinity })
  await new Promise((resolve) => setTimeout(resolve, 200))
  const startedMs = performance.now()
  // So that a server which waits for its streams fails here, and does not hang.
  const cut = setTimeout(() => v1.cashpoint.listening.cut(), 8_000)
  await v1.cashpoint.stop()
  clearTimeout(cut)
  assert.equal((await reading).length, 3)
  assert(performance.now() - startedMs < 5_000)
})

test('a reader that does not read holds up nobody, and nothing is piled up for it', async (t) => {
  const v1 = await serveV1(t)
  const pad = Array.from({ length: 8 }, (_, i) => [`pad-${i}`, 'x'.repeat(500)])
  const operations = Array.from({ length: 200 }, () => ({
    type: 'transfer',
    from: 'A',
    to: 'B',
    amount: 1,
    ...usd,
    metadata: Object.fromEntries(pad),
  }))
  await v1.post('/deposits', { account: 'A', amount: 1_000_000, ...usd })
  const sockets: Socket[] = []
  v1.cashpoint.app.server.on('connection', (socket: Socket) => sockets.push(socket))
  const deaf = connect(v1.cashpoint.port, '127.0.0.1')
  t.after(() => deaf.destroy())
  await once(deaf, 'connect')
  deaf.pause()
  deaf.write('GET /v1/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n')
  // Some 20 MB of events: more than any socket's buffers take.
  for (let i = 0; i < 25; i += 1) assert.equal((await v1.post('/batches', { operations })).status, 200)
  const piledUp = Math.max(...sockets.map(({ writableLength }) => writableLength))
  assert(piledUp > 0 && piledUp < 2_000_000, `${piledUp} bytes wait for a reader that does not read`)
  // Two accounts opened, two deposits, and the batches: another reader has all of them.
  assert.equal((await listen(v1, { count: 5_004 })).length, 5_004)
})

test('what is no position, type or limit is refused by name', async (t) => {
  const { get } = await serveV1(t)
  for (const after of ['', 'x', '1-0', '2-1', '1-99', '1-01', '-1', `1-${2 ** 53}`])
    assertRefused(await get(`/events?after=${after}`), 400, 'page_invalid')
  assertRefused(
    await get('/events', { accept: 'text/event-stream', 'last-event-id': '1-99' }),
    400,
    'page_invalid',
  )
  for (const query of [
    'type=x',
    'limit=0',
    'limit=1001',
    'type=cashpoint.hold.placed&type=cashpoint.hold.voided',
  ])
    assertRefused(await get(`/events?${query}`), 400, 'invalid_request')
})

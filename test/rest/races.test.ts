// Many clients at once, each with sockets of its own: money must come out right in every order.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { prng } from '../support/chance.ts'
import { type Answer, balanceOf, Connection, pause, requestBytes, serve } from './support.ts'

const cashpoint = await serve({ after }, { accounts: { 'last-unit': 1 } })
const { get, post } = cashpoint

/** Connections that are open already, so that what is sent at once arrives at once. */
async function connections(count: number): Promise<Connection[]> {
  const open = await Promise.all(Array.from({ length: count }, () => Connection.open(cashpoint.port)))
  after(() => {
    for (const connection of open) connection.close()
  })
  return open
}

/** One request from every connection, in the same instant. */
async function atOnce(from: readonly Connection[], path: string, body: string): Promise<Answer[]> {
  const request = requestBytes('POST', path, { body })
  for (const connection of from) connection.write(request)
  const answers = await Promise.all(from.map((connection) => connection.answer()))
  return answers.map((answer) => {
    assert.ok(answer, 'every request is answered')
    return answer
  })
}

function statuses(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

test('two withdrawals of 800 from 1,000: exactly one succeeds, fifty times over', async () => {
  const two = await connections(2)
  for (let round = 0; round < 50; round += 1) {
    await post(`/accounts/two-${round}/deposit`, '{"amount":1000}')
    const answers = await atOnce(two, `/accounts/two-${round}/withdraw`, '{"amount":800}')

    assert.deepEqual(statuses(answers), { 200: 1, 400: 1 }, `round ${round}`)
    const refused = answers.find(({ status }) => status === 400)
    assert.equal(JSON.parse(refused?.body ?? '').error, 'Insufficient balance')
    assert.equal(await balanceOf(cashpoint, `two-${round}`), '200.00')
  }
})

test('two hundred withdraw the last cent: one has it', async () => {
  const answers = await atOnce(await connections(200), '/accounts/last-unit/withdraw', '{"amount":0.01}')
  assert.deepEqual(statuses(answers), { 200: 1, 400: 199 })
  assert.equal(await balanceOf(cashpoint, 'last-unit'), '0.00')
})

test('fifty first deposits to one new account: one opens it, and none is lost', async () => {
  const fifty = await connections(50)
  for (let round = 0; round < 5; round += 1) {
    const answers = await atOnce(fifty, `/accounts/fifty-${round}/deposit`, '{"amount":1.11}')
    const bodies = answers.map(({ body }) => JSON.parse(body))

    assert.deepEqual(statuses(answers), { 200: 50 })
    assert.equal(bodies.filter(({ account_created }) => account_created).length, 1)
    const opener = bodies.find(({ account_created }) => account_created)
    assert.equal(opener.new_balance, 1.11, 'who opened it was the first')
    const left = bodies.map(({ new_balance }) => Math.round(new_balance * 100)).sort((a, b) => a - b)
    assert.deepEqual(
      left,
      Array.from({ length: 50 }, (_, i) => 111 * (i + 1)),
      'each saw all before it',
    )
    assert.equal(await balanceOf(cashpoint, `fifty-${round}`), '55.50')
  }
})

test('a storm over five accounts leaves the balances that the replies say', async (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
  t.diagnostic(`SEED=${seed}`)
  const numbers = [1, 2, 3, 4, 5].map((i) => `storm-${i}`)
  for (const number of numbers) await post(`/accounts/${number}/deposit`, '{"amount":20}')

  type Step = { readonly number: string; readonly from: number; readonly to: number }
  const steps: Step[] = []
  const seen = new Set<number>()
  const client = async (connection: Connection, random: (below: number) => number) => {
    for (let i = 0; i < 40; i += 1) {
      const number = numbers[random(numbers.length)] as string
      const cents = 1 + random(1_500)
      const type = random(2) === 0 ? 'deposit' : 'withdraw'
      const body = `{"amount":${(cents / 100).toFixed(2)}}`
      const answer = await connection.call('POST', `/accounts/${number}/${type}`, { body })
      seen.add(answer?.status ?? 0)
      if (answer?.status !== 200) continue
      const to = Math.round(JSON.parse(answer.body).new_balance * 100)
      steps.push({ number, from: to - (type === 'deposit' ? cents : -cents), to })
    }
  }
  const random = prng(seed)
  await Promise.all((await connections(20)).map((connection) => client(connection, prng(random(2 ** 31)))))

  assert.deepEqual([...seen].sort(), [200, 400])
  for (const number of numbers) {
    const own = steps.filter((step) => step.number === number)
    const balance = await balanceOf(cashpoint, number)
    const end = Number(balance.replace('.', ''))
    assert.equal(
      end,
      own.reduce((sum, { from, to }) => sum + to - from, 2_000),
      number,
    )
    // One after the other: what each began with is what another had left.
    assert.deepEqual(
      [...own.map(({ from }) => from), end].sort((a, b) => a - b),
      [2_000, ...own.map(({ to }) => to)].sort((a, b) => a - b),
    )
    assert.ok(own.every(({ from, to }) => from >= 0 && to >= 0))
  }
})

test('readers meanwhile see balances that were there, and never a sum that was not', async () => {
  await post('/accounts/read/deposit', '{"amount":100}')
  const writers = await connections(4)
  let writing = true
  const write = Promise.all(
    writers.map(async (connection) => {
      for (let i = 0; i < 25; i += 1)
        await connection.call('POST', '/accounts/read/withdraw', { body: '{"amount":1}' })
    }),
  ).finally(() => {
    writing = false
  })

  const balances: number[] = []
  while (writing) balances.push(Number(await balanceOf(cashpoint, 'read')))
  await write
  assert.deepEqual(
    balances,
    balances.toSorted((a, b) => b - a),
    'a balance once read is never taken back',
  )
  assert.equal(await balanceOf(cashpoint, 'read'), '0.00')
})

test('what a client was told it reads at once, on any connection', async () => {
  const [writer, reader] = (await connections(2)) as [Connection, Connection]
  for (let i = 1; i <= 40; i += 1) {
    const answer = await writer.call('POST', '/accounts/own/deposit', { body: '{"amount":1}' })
    assert.equal(JSON.parse(answer?.body ?? '').new_balance, i)
    const read = await reader.call('GET', '/accounts/own/balance?simple=true')
    assert.equal(read?.body, `${i}.00`)
  }
  const { body } = await get('/accounts')
  assert.match(body, /\{"account_number":"own","balance":40\.00\}/)
})

test('a client that sends its body slowly holds up nobody else', async () => {
  const [slow, quick] = (await connections(2)) as [Connection, Connection]
  await post('/accounts/shared/deposit', '{"amount":100}')
  const request = requestBytes('POST', '/accounts/shared/withdraw', { body: '{"amount":1}' })
  const bodyAt = request.length - 12
  slow.write(request.subarray(0, bodyAt))

  for (let at = bodyAt; at < request.length - 1; at += 1) {
    slow.write(request.subarray(at, at + 1))
    const startedMs = performance.now()
    const answer = await quick.call('POST', '/accounts/shared/withdraw', { body: '{"amount":1}' })
    assert.equal(answer?.status, 200)
    assert.ok(performance.now() - startedMs < 2_000)
    await pause(20)
  }
  assert.equal(await balanceOf(cashpoint, 'shared'), '89.00', 'what has not wholly come is not done')

  slow.write(request.subarray(-1))
  assert.match((await slow.answer())?.body ?? '', /"new_balance":88\.00/)
})

// Attacks on the real process, each beside a client that means well: it goes on being served, about as fast as in the
// quiet before, and what the server keeps for those who take nothing stays small.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Client, pause, place, serve } from '../process/support.ts'
import { times } from '../support/profile.ts'
import { makeAccounts } from '../support/stores.ts'

const { path } = place({ after })
const account = '123456789'
// In the long profile a list of 9 MB, more than the system keeps for a socket: what is kept of those that nobody reads
// shows in the server.
const accounts = times(100, 200_000)
await makeAccounts(path, [account, '987654321', ...Array.from({ length: accounts }, (_, i) => `other-${i}`)])
const entry = join(import.meta.dirname, 'small-server.ts')
const server = await serve({ after }, { path, entry, env: { CASHPOINT_MAX_CONNECTIONS: '1000' } })
const quietMs = times(400, 2_000)
let withdrawn = 0

type Told = { readonly opened: number; readonly closed: number; readonly statuses: Record<string, number> }
type Way = {
  readonly way: string
  readonly count: number
  readonly forMs: number
  /** What the attackers were told, which must be so. */
  readonly check: (told: Told) => void
}

const attacks: readonly Way[] = [
  {
    way: 'idle',
    count: 1_500,
    forMs: 1_200,
    check: ({ closed }) => assert.ok(closed > 200, 'the first give way'),
  },
  { way: 'slow headers', count: 200, forMs: 2_200, check: (told) => assertTold(told, '408', 150) },
  { way: 'slow bodies', count: 200, forMs: 2_900, check: (told) => assertTold(told, '408', 150) },
  { way: 'lists that nobody reads', count: 100, forMs: 900, check: ({ opened }) => assert.ok(opened >= 100) },
  {
    way: 'events that nobody reads',
    count: 40,
    forMs: 900,
    check: ({ opened }) => assert.ok(opened >= 40),
  },
  { way: 'resets', count: 20, forMs: 900, check: ({ closed }) => assert.ok(closed > 100) },
  { way: 'garbage', count: 50, forMs: 900, check: (told) => assertTold(told, '400', 100) },
  { way: 'deep bodies', count: 2, forMs: 900, check: (told) => assertTold(told, '400', 2) },
]

function assertTold({ statuses }: Told, status: string, least: number): void {
  assert.ok(
    (statuses[status] ?? 0) >= least,
    `${status} at least ${least} times: ${JSON.stringify(statuses)}`,
  )
}

/** How long withdrawals took, ten at least, each over a connection of its own every tenth time. Milliseconds, sorted. */
async function measure(forMs: number): Promise<number[]> {
  const tookMs: number[] = []
  let client = new Client(server)
  for (const endMs = performance.now() + forMs; performance.now() < endMs || tookMs.length < 10; ) {
    const startedMs = performance.now()
    // A connection that gave way: asking again under the key, as a client does.
    const key = `well-meant-${withdrawn}`
    const answer = (await client.withdraw(account, 1, key)) ?? (await client.withdraw(account, 1, key))
    assert.equal(answer?.status, 200, answer?.body ?? 'not answered')
    withdrawn += 1
    tookMs.push(performance.now() - startedMs)
    if (tookMs.length % 10 === 0) {
      client.close()
      client = new Client(server)
    }
  }
  client.close()
  return tookMs.sort((a, b) => a - b)
}

const p99 = (sorted: readonly number[]) => sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN

async function memoryMiB(): Promise<number> {
  const client = new Client(server)
  const { body } = await client.ask('/metrics')
  client.close()
  return Number(/^process_resident_memory_bytes ([0-9.e+]+)$/m.exec(body)?.[1]) / 2 ** 20
}

for (const { way, count, forMs, check } of attacks)
  test(`${way}: others are served meanwhile`, async (t) => {
    const quiet = await measure(quietMs)
    const memoryBefore = await memoryMiB()
    const attacker = fork(join(import.meta.dirname, 'attacker.ts'), [String(server.port), way, String(count)])
    t.after(() => attacker.kill('SIGKILL'))
    let told: Told = { opened: 0, closed: 0, statuses: {} }
    attacker.on('message', (message) => {
      told = message as Told
    })
    await once(attacker, 'message')
    const during = await measure(forMs * times(1, 4))
    const grown = (await memoryMiB()) - memoryBefore
    attacker.kill('SIGKILL')
    await once(attacker, 'close')

    const figures = `p99 ${p99(quiet).toFixed(1)} ms quiet, ${p99(during).toFixed(1)} ms of ${during.length} meanwhile`
    t.diagnostic(`${figures}; ${grown.toFixed(0)} MiB more; ${JSON.stringify(told)}`)
    check(told)
    assert.ok(p99(during) <= 10 * p99(quiet) + 1_000, figures)
    assert.ok(grown < times(250, 1_000), `${grown} MiB more`)
    await pause(100)
  })

test('after all of it the books have what was answered', async () => {
  const client = new Client(server)
  assert.equal(await client.balance(account), 100_000 - withdrawn)
  assert.equal(await client.balance('slow'), undefined)
  client.close()
  assert.deepEqual((await server.stop()).code, 0, server.log.join('\n'))
})

// What lies between nodes and their database fails, and nobody says so: packets are swallowed, or one in three is, and
// a node is stopped with locks in hand. Nobody waits past the deadline, others go on, and the books say what was told.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import pg from 'pg'
import { proveDatabase } from '../../src/stores/postgres/prove.ts'
import { prng, seed } from '../support/chance.ts'
import { type PostgresServer, postgres, postgresMissing, startPostgres } from '../support/postgres.ts'
import { times } from '../support/profile.ts'
import { Judge, send, startLoad } from './load.ts'
import { Client, codeOf, pause, type Scope, type Server, serve, until } from './support.ts'

const deadlineMs = 2_000
// The queue's grace for a database, and what a busy machine takes.
const slackMs = 2_500
// After which the database ends a transaction whose node is silent.
const silentMs = 3_000
const env = { CASHPOINT_LOCK_DEADLINE_MS: String(deadlineMs) }

/** Runs a command as root does; false where it fails. */
function can(...[program = '', ...args]: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

const name = `cashpoint${process.pid}`
// Its own /16 for each process of tests.
const network = (link: number) => `10.${64 + (process.pid % 64)}.${link}`
const links = [0, 1, 2]
const mayMakeNetworks =
  process.getuid?.() === 0 && can('setpriv', '--version') && can('ip', 'netns', 'add', name)
if (mayMakeNetworks) can('ip', 'netns', 'del', name)
const skip = postgresMissing || (!mayMakeNetworks && 'only root can make networks, with ip and setpriv')

let far: Promise<PostgresServer> | undefined
after(() => void can('ip', 'netns', 'del', name))

/** A database in a network of its own, with three cables to it. */
function farDatabase(): Promise<PostgresServer> {
  far ??= startFar()
  return far
}

async function startFar(): Promise<PostgresServer> {
  const must = (...command: string[]) => assert.ok(can(...command), command.join(' '))
  must('ip', 'netns', 'add', name)
  for (const link of links) {
    const [here, there] = [`cp${process.pid}h${link}`, `cp${process.pid}d${link}`]
    must('ip', 'link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name)
    must('ip', 'addr', 'add', `${network(link)}.1/24`, 'dev', here)
    must('ip', 'link', 'set', here, 'up')
    must('ip', '-n', name, 'addr', 'add', `${network(link)}.2/24`, 'dev', there)
    must('ip', '-n', name, 'link', 'set', there, 'up')
  }
  return startPostgres({
    files: { 'pg_hba.conf': 'host all all 10.0.0.0/8 trust\n' },
    network: { name, address: `${network(0)}.2` },
  })
}

/** Pulls the database's end of a cable, or puts it in again: what is sent meanwhile is lost without a word. */
function cable(link: number, state: 'up' | 'down'): void {
  assert.ok(can('ip', '-n', name, 'link', 'set', `cp${process.pid}d${link}`, state))
}

/** The first and the second by a cable each, the third by the first one's or by one of its own. */
async function threeNodes(scope: Scope, database: PostgresServer) {
  const { url } = await database.schema()
  const { host, port } = new URL(url)
  const by = (...links: number[]) =>
    url.replace(host, links.map((link) => `${network(link)}.2:${port}`).join(','))
  const start = (...links: number[]) => serve(scope, { path: by(...links), env })
  const nodes = await Promise.all([start(0), start(1), start(0, 2)])
  return { url, nodes: nodes as [Server, Server, Server] }
}

/** Load from all nodes while something happens, and what the books must say afterwards. */
async function under(
  { url, nodes }: { url: string; nodes: readonly Server[] },
  happens: (judge: Judge) => Promise<void>,
): Promise<Judge> {
  const chance = prng(seed)
  const judge = new Judge()
  const loads = nodes.map(({ port }, i) =>
    startLoad(judge, { port, chance, name: `node-${i}`, clients: 2, allKeyed: true }),
  )
  await pause(300)
  await happens(judge)
  for (const load of loads) await load.stop()
  for (const node of nodes) {
    const client = new Client(node)
    await until('commands are taken again', async () => (await client.withdraw('nobody', 1))?.status === 404)
    await judge.resolve(client)
    // Those that met with the evil; of the others only their sums.
    const keys = [...judge.keyed.keys()].filter((key) => key.startsWith('node-0-') || key.startsWith('cut-'))
    if (node === nodes[1]) await judge.checkReplays(client, keys)
    await judge.checkBalances(client, { every: true })
    client.close()
  }
  for (const node of nodes) assert.deepEqual(await node.stop(), { code: 0, signal: null })
  const found = await proveDatabase({ url }, {})
  assert.ok(!('what' in found), 'what' in found ? found.what : '')
  return judge
}

/** Withdrawals of accounts that all use, one after the other: how long the slowest took to be answered, and how. */
async function probe(judge: Judge, node: Server, key: string, ms: number) {
  const client = new Client(node)
  const said: Record<string, number> = {}
  let slowestMs = 0
  for (const startMs = performance.now(); performance.now() - startMs < ms; await pause(20)) {
    const askedMs = performance.now()
    const request = { type: 'deposit', account: '123456789', amount: 1, key: `${key}-${askedMs}` } as const
    const answer = await send(client, request)
    judge.take(request, answer)
    slowestMs = Math.max(slowestMs, performance.now() - askedMs)
    const code = answer?.status === 200 ? 'done' : (codeOf(answer) ?? 'unanswered')
    said[code] = (said[code] ?? 0) + 1
  }
  client.close()
  return { said, slowestMs }
}

test(`one of three nodes is cut off from the database, and comes back (SEED=${seed})`, {
  skip,
  timeout: 100_000,
}, async (t) => {
  const cluster = await threeNodes(t, await farDatabase())
  const [lonely, other, double] = cluster.nodes
  const judge = await under(cluster, async (judge) => {
    t.after(() => cable(0, 'up'))
    cable(0, 'down')
    const [cut, well] = await Promise.all([
      probe(judge, lonely, 'cut', 5_000),
      probe(judge, other, 'well', 5_000),
      probe(judge, double, 'double', 5_000),
    ])
    assert.ok(
      cut.slowestMs < deadlineMs + slackMs,
      `answered after ${cut.slowestMs} ms: ${JSON.stringify(cut)}`,
    )
    assert.equal(cut.said['done'], undefined, JSON.stringify(cut.said))
    assert.ok((well.said['done'] ?? 0) > 10, `the others go on: ${JSON.stringify(well)}`)
    assert.ok(
      well.slowestMs < silentMs + slackMs,
      `what the lonely one had locked is free: ${well.slowestMs} ms`,
    )
    const around = await probe(judge, double, 'around', 500)
    assert.deepEqual(Object.keys(around.said), ['done'], 'who has two ways goes by the other')
    const client = new Client(lonely)
    const read = await client.ask('/accounts/123456789/balance')
    assert.equal(codeOf(read), 'store_unavailable')
    const ready = await Promise.all(cluster.nodes.map(({ url }) => fetch(`${url}/readyz`)))
    assert.deepEqual(
      ready.map(({ status }) => status),
      [503, 200, 200],
      'who sends requests about is told',
    )
    assert.deepEqual(await ready[0]?.json(), { status: 'store_unavailable' })
    client.close()
    t.diagnostic(JSON.stringify({ cut, well }))
    cable(0, 'up')
    await pause(500)
  })
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}`)
})

test(`three packets of ten are lost (SEED=${seed})`, {
  skip: skip || (!can('iptables', '--version') && 'there are no iptables on this machine'),
  timeout: 100_000,
}, async (t) => {
  const cluster = await threeNodes(t, await farDatabase())
  const lose = ['-p', 'tcp', '-m', 'statistic', '--mode', 'random', '--probability', '0.3', '-j', 'DROP']
  const iptables = (does: string) => can('ip', 'netns', 'exec', name, 'iptables', does, 'INPUT', ...lose)
  if (!iptables('-A')) return t.skip('this kernel loses nothing on demand')
  iptables('-D')
  const judge = await under(cluster, async () => {
    assert.ok(iptables('-A'))
    await pause(times(3_000, 20_000))
    assert.ok(iptables('-D'))
    await pause(300)
  })
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}`)
})

test(`a node is stopped with locks in hand: they are free before the others' deadline (SEED=${seed})`, {
  skip: postgresMissing,
  timeout: 100_000,
}, async (t) => {
  const { url } = await (await postgres()).schema()
  const start = () => serve(t, { path: url })
  const nodes = (await Promise.all([start(), start(), start()])) as [Server, Server, Server]
  const [stopped, other] = nodes
  const judge = await under({ url, nodes }, async (judge) => {
    await stopHolding(stopped, url)
    const well = await probe(judge, other, 'well', 4_500)
    process.kill(stopped.pid, 'SIGCONT')
    assert.deepEqual(Object.keys(well.said), ['done'], JSON.stringify(well))
    assert.ok(
      well.slowestMs > 1_000 && well.slowestMs < silentMs + slackMs,
      `free after ${well.slowestMs} ms`,
    )
    t.diagnostic(JSON.stringify(well))
  })
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}`)
})

/** Stops a node's process at a moment when it has the account locked that all use. */
async function stopHolding({ pid }: Server, url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  const isLocked = async () => {
    const text = `select 1 from accounts where number = '123456789' for no key update nowait`
    return client.query(text).then(
      () => false,
      ({ code }) => code === '55P03',
    )
  }
  try {
    for (let tries = 0; tries < 500; tries += 1) {
      process.kill(pid, 'SIGSTOP')
      // What others have locked they let go meanwhile.
      let looks = 0
      while (looks < 6 && (await isLocked())) {
        looks += 1
        await pause(70)
      }
      if (looks === 6) return
      process.kill(pid, 'SIGCONT')
      await pause(1 + (tries % 7))
    }
    assert.fail('it is met with the account locked')
  } finally {
    await client.end()
  }
}

// A PostgreSQL that outlives its machine: a leader and a synchronous standby under Patroni and etcd, with load from
// three nodes. The leader is killed with all that runs beside it; the standby takes over. Nothing that was acknowledged
// is lost, nothing is done twice, what is unknown is said to be, and writing goes on by itself.
//
// Debian: apt-get install postgresql patroni etcd-server

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { proveDatabase } from '../../src/stores/postgres/prove.ts'
import { Judge, send, startLoad } from '../process/load.ts'
import { Client, codeOf, pause, type Server, serve, until } from '../process/support.ts'
import { prng, seed } from '../support/chance.ts'
import { binaries, freePort, postgresMissing, userOf } from '../support/postgres.ts'
import { long } from '../support/profile.ts'

const rounds = 3
// How long the dead leader's lease lasts: no less than twenty seconds, says Patroni.
const leaseS = 20
// Where all of its programs are, not only those that some put into the path.
const folder = binaries && dirname(realpathSync(join(binaries, 'postgres')))
const programs = ['patroni', 'etcd', join(folder ?? '', 'pg_rewind')]
const missing = long && programs.find((program) => spawnSync(program, ['--version']).status !== 0)

const user = userOf()
const directory = mkdtempSync(join(tmpdir(), 'cashpoint-failover-'))
if (user.uid !== undefined) chownSync(directory, user.uid, user.gid ?? user.uid)
const running = new Set<ChildProcess>()
const members: Member[] = []
after(() => {
  for (const child of running) killGroup(child)
  for (const member of members) member.killServer()
  rmSync(directory, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 })
})

/** In a group of its own, to be killed with all that it starts. */
function run(program: string, args: readonly string[]): ChildProcess {
  const log = join(directory, `${args.at(-1)?.split('/').at(-1)}.log`)
  const child = spawn('sh', ['-c', 'exec "$@" >>"$0" 2>&1', log, program, ...args], {
    ...user,
    cwd: directory,
    stdio: 'ignore',
    detached: true,
  })
  running.add(child)
  return child
}

function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid ?? 0), 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** A PostgreSQL with the Patroni that looks after it. */
class Member {
  readonly name: string
  readonly port: number
  readonly #rest: number
  readonly #config: string
  #process: ChildProcess | undefined

  private constructor(name: string, port: number, rest: number, etcd: number) {
    this.name = name
    this.port = port
    this.#rest = rest
    const data = join(directory, name)
    const hba = [
      'local all all trust',
      'host all all 127.0.0.1/32 trust',
      'host replication all 127.0.0.1/32 trust',
    ]
    const config = {
      scope: 'cashpoint',
      name,
      restapi: { listen: `127.0.0.1:${rest}`, connect_address: `127.0.0.1:${rest}` },
      etcd3: { host: `127.0.0.1:${etcd}` },
      bootstrap: {
        dcs: {
          ttl: leaseS,
          loop_wait: 2,
          retry_timeout: 3,
          synchronous_mode: true,
          postgresql: { use_pg_rewind: true },
        },
        initdb: [{ encoding: 'UTF8' }, { locale: 'C' }],
      },
      postgresql: {
        listen: `127.0.0.1:${port}`,
        connect_address: `127.0.0.1:${port}`,
        data_dir: data,
        bin_dir: folder,
        pgpass: join(directory, `${name}.pgpass`),
        authentication: {
          superuser: { username: 'postgres', password: 'x' },
          replication: { username: 'replicator', password: 'x' },
        },
        parameters: { unix_socket_directories: directory, max_connections: 200 },
        pg_hba: hba,
      },
    }
    // JSON is YAML.
    this.#config = join(directory, `${name}.yml`)
    writeFileSync(this.#config, JSON.stringify(config))
  }

  static async make(name: string, etcd: number): Promise<Member> {
    return new Member(name, await freePort(), await freePort(), etcd)
  }

  start(): void {
    this.#process = run('patroni', [this.#config])
  }

  /** As its machine does when the power goes: nobody is told, and its lease runs on. */
  async kill(): Promise<void> {
    const child = this.#process ?? assert.fail('it runs')
    const ended = once(child, 'exit')
    killGroup(child)
    this.killServer()
    await ended
    running.delete(child)
  }

  /** It is in a session of its own, and goes on without Patroni. */
  killServer(): void {
    try {
      const file = readFileSync(join(directory, this.name, 'postmaster.pid'), 'utf8')
      process.kill(Number(file.split('\n', 1)[0]), 'SIGKILL')
    } catch {
      // It has ended.
    }
  }

  /** Whether Patroni says that it is what the path names: `/leader`, `/synchronous`. */
  async is(path: string): Promise<boolean> {
    return fetch(`http://127.0.0.1:${this.#rest}${path}`).then(
      ({ status }) => status === 200,
      () => false,
    )
  }
}

test(`${rounds} times the leader's machine is lost, under load from three nodes (SEED=${seed})`, {
  skip:
    (!long && 'only in the long profile') ||
    postgresMissing ||
    (missing && `there is no ${missing} on this machine`),
  timeout: 900_000,
}, async (t) => {
  const etcd = await freePort()
  const peer = await freePort()
  mkdirSync(join(directory, 'etcd'), { mode: 0o700 })
  if (user.uid !== undefined) chownSync(join(directory, 'etcd'), user.uid, user.gid ?? user.uid)
  const at = (port: number) => `http://127.0.0.1:${port}`
  run('etcd', [
    ...['--listen-client-urls', at(etcd), '--advertise-client-urls', at(etcd)],
    ...['--listen-peer-urls', at(peer), '--initial-advertise-peer-urls', at(peer)],
    ...['--initial-cluster', `default=${at(peer)}`, '--data-dir', join(directory, 'etcd')],
  ])
  members.push(await Member.make('one', etcd), await Member.make('two', etcd))
  const startedMs = performance.now()
  for (const member of members) member.start()
  const leader = async (): Promise<Member> => {
    let found: Member | undefined
    await until(
      'there is a leader, and a standby in step',
      async () => {
        for (const member of members) if (await member.is('/leader')) found = member
        const inStep = await Promise.all(members.map((member) => member.is('/synchronous')))
        return found !== undefined && inStep.includes(true)
      },
      120_000,
    )
    return found ?? assert.fail('there is one')
  }
  await leader()
  t.diagnostic(`a leader and a standby in step within ${Math.round(performance.now() - startedMs)} ms`)

  const url = `postgres://postgres@${members.map(({ port }) => `127.0.0.1:${port}`).join(',')}/postgres`
  const nodes: Server[] = await Promise.all([0, 1, 2].map(() => serve(t, { path: url })))
  const chance = prng(seed)
  const judge = new Judge()
  for (let round = 0; round < rounds; round += 1) {
    const old = await leader()
    const loads = nodes.map(({ port }, i) =>
      startLoad(judge, { port, chance, name: `round-${round}-${i}`, clients: 4, allKeyed: true }),
    )
    await pause(3_000)
    const before = judge.tally['done'] ?? 0
    const killedMs = performance.now()
    await old.kill()
    const client = new Client(nodes[round % 3] as Server)
    await until(
      'writing goes on',
      async () => {
        const request = {
          type: 'deposit',
          account: '123456789',
          amount: 1,
          key: `gap-${performance.now()}`,
        } as const
        const answer = await send(client, request)
        judge.take(request, answer)
        const isDone = answer?.status === 200
        if (!isDone) assert.match(codeOf(answer) ?? '', /^(store_unavailable|outcome_unknown|account_busy)$/)
        return isDone
      },
      90_000,
    )
    const gapS = (performance.now() - killedMs) / 1000
    await pause(2_000)
    for (const load of loads) await load.stop()
    await judge.resolve(client)
    const { tally } = judge
    t.diagnostic(
      `round ${round + 1}: ${old.name} lost, writing again after ${gapS.toFixed(1)} s; ${JSON.stringify(tally)}`,
    )
    assert.ok((tally['done'] ?? 0) > before, 'the new leader takes writes')

    // The machine is there again, and follows.
    old.start()
    await leader()
    await judge.checkReplays(client)
    await judge.checkBalances(client, { every: true })
    client.close()
  }
  for (const node of nodes) assert.deepEqual(await node.stop(), { code: 0, signal: null })
  const found = await proveDatabase({ url }, {})
  assert.ok(!('what' in found), 'what' in found ? found.what : '')
  t.diagnostic(`SEED=${seed}: ${judge.keyed.size} keys, each once`)
})

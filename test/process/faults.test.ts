// The n-th write or sync of the journal fails, or is the last thing the process does. strace sees to that.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { Judge, openingBalances, startLoad } from './load.ts'
import { assertProvesHere, Client, codeOf, launch, pause, place, serve, until } from './support.ts'

const skip = spawnSync('strace', ['-V']).status === 0 ? false : 'strace is not installed'
const chance = prng(seed)

/** Runs a command so that a fault befalls what it does with some files. */
function injecting(fault: string, files: readonly string[]): string[] {
  const only = files.flatMap((file) => ['-P', file])
  const calls = fault.slice(0, fault.indexOf(':'))
  const quiet = ['-qq', '-e', 'signal=none', '-o', '/dev/null']
  // Not with --seccomp-bpf: the signals would not come.
  return ['strace', '-D', '-f', ...quiet, ...only, '-e', `trace=${calls}`, '-e', `inject=${fault}`]
}

test(`killed at some write while the store is made: the next start has it whole (SEED=${seed})`, {
  skip,
}, async (t) => {
  const { directory } = place(t)
  for (let round = 0; round < 3; round += 1) {
    const path = join(directory, `round-${round}`, 'cashpoint.db')
    const when = 1 + chance(24)
    const { child, exit } = launch(t, { path, under: injecting(`pwrite64:signal=KILL:when=${when}`, []) })
    child.stdout.resume()
    assert.equal((await exit).signal, 'SIGKILL', `killed at write ${when}`)

    const next = await serve(t, { path })
    assert.deepEqual(await new Client(next).balances(), openingBalances, `killed at write ${when}`)
    await next.kill()
    assertProvesHere(path)
    assert.ok(!existsSync(`${path}.new`), 'nothing is left of the first try')
  }
})

for (const { fault, what } of [
  { fault: 'fdatasync,fsync:error=EIO', what: 'a sync fails' },
  { fault: 'pwrite64:error=EIO', what: 'a write fails' },
  { fault: 'pwrite64:error=ENOSPC', what: 'a write finds no space' },
])
  test(`${what} under load: told as unknown or not done, and it goes on (SEED=${seed})`, { skip }, (t) =>
    checkFault(t, fault),
  )

/** Some of the journal's calls fail, one here and one there: the truth is told of every command, and it goes on. */
async function checkFault(t: TestContext, fault: string): Promise<void> {
  const path = await madeStore(t)
  const every = 20 + chance(20)
  const under = injecting(`${fault}:when=${every}+${every}`, [path, `${path}-wal`])
  const server = await serve(t, { path, under })
  const judge = new Judge()
  const load = startLoad(judge, { port: server.port, chance, name: 'load', allKeyed: true })
  const troubles = () => (judge.tally['outcome_unknown'] ?? 0) + (judge.tally['store_unavailable'] ?? 0)
  const client = new Client(server)
  await until('there was trouble', () => troubles() > 2)
  for (const number of openingBalances.keys()) assert.equal(typeof (await client.balance(number)), 'number')
  const before = judge.tally['done'] ?? 0
  await until('it goes on', () => (judge.tally['done'] ?? 0) > before + 100)
  await load.stop()
  await server.kill()

  const next = await serve(t, { path })
  const resolver = new Client(next)
  await judge.resolve(resolver)
  await judge.checkReplays(resolver)
  await judge.checkBalances(resolver)
  assertProvesHere(path)
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}, one of ${every}`)
}

test('every sync fails from some time on: writes are refused, reads go on, nothing is lost', {
  skip,
}, async (t) => {
  const path = await madeStore(t)
  const under = injecting('fdatasync,fsync:error=EIO:when=40+', [path, `${path}-wal`])
  const server = await serve(t, { path, under })
  const judge = new Judge()
  const load = startLoad(judge, { port: server.port, chance, name: 'load', allKeyed: true })
  const client = new Client(server)
  await until('writes are refused', async () => (await client.ask('/readyz')).status === 503)
  await pause(700)
  await load.stop()
  assert.ok((await client.balances()).size >= openingBalances.size)
  assert.equal(codeOf(await client.withdraw('123456789', 1)), 'store_unavailable')
  await server.kill()

  // What could not be synced may be in the WAL all the same: unknown was the truth, and the keys tell.
  const next = await serve(t, { path })
  const resolver = new Client(next)
  const done = await judge.resolve(resolver)
  await judge.checkReplays(resolver)
  await judge.checkBalances(resolver)
  assertProvesHere(path)
  t.diagnostic(`${JSON.stringify(judge.tally)}; ${done.length} of the unknown were done`)
})

test(`killed at some write or sync under load (SEED=${seed})`, { skip }, async (t) => {
  const path = await madeStore(t)
  const judge = new Judge()
  for (let round = 0; round < 3; round += 1) {
    const call = round % 2 === 0 ? 'pwrite64' : 'fdatasync,fsync'
    const when = 1 + chance(200)
    const files = [path, `${path}-wal`]
    const server = await serve(t, { path, under: injecting(`${call}:signal=KILL:when=${when}`, files) })
    const load = startLoad(judge, { port: server.port, chance, name: `round-${round}` })
    await server.exit
    await load.stop()

    const next = await serve(t, { path })
    const client = new Client(next)
    await judge.resolve(client)
    await judge.checkReplays(client)
    await judge.checkBalances(client)
    await next.kill()
    assertProvesHere(path)
  }
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}`)
})

/** A store with its opening balances: its files are there, so that faults can be tied to them. */
async function madeStore(t: TestContext): Promise<string> {
  const { path } = place(t)
  const server = await serve(t, { path })
  await server.stop()
  return path
}

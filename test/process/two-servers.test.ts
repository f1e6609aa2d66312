// One server per store: a second one says so and goes, whatever name it was given for the file.

import assert from 'node:assert/strict'
import { existsSync, linkSync, rmSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { after, test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { Judge, startLoad } from './load.ts'
import { assertOneLine, assertProves, assertProvesHere, Client, place, run, serve, until } from './support.ts'

const { directory, path } = place({ after })
const first = await serve({ after }, { path })
const client = new Client(first)
after(() => client.close())

const inUse = new RegExp(`^cashpoint: the store .* is in use by another server \\(pid ${first.pid}\\)\n$`)

function second(name: string) {
  return run(['serve', '--store', `sqlite:${name}`, '--port', '0'])
}

/** That nobody else gets in, and that the first server goes on. */
async function checkRefused(name: string): Promise<void> {
  assertOneLine(await second(name), 1, inUse)
  assert.equal((await client.deposit('123456789', 1))?.status, 200)
}

test(`verify and a second server beside a server under load (SEED=${seed})`, async () => {
  const judge = new Judge()
  const load = startLoad(judge, { port: first.port, chance: prng(seed), name: 'beside' })
  await until('there is load', () => (judge.tally['done'] ?? 0) > 20)

  const [ran] = await Promise.all([second(path), assertProves(path)])
  assertOneLine(ran, 1, inUse)
  await load.stop()

  assert.deepEqual(first.log, [], 'nothing happened to the first')
  assert.equal(judge.tally['unanswered'], undefined)
  await judge.checkReplays(client)
  await judge.checkBalances(client)
  assertProvesHere(path)
})

test('the second server names the first one and ends', async () => {
  await checkRefused(path)
})

test('so it does where the store is called otherwise', async () => {
  await checkRefused(relative(process.cwd(), path))
  const elsewhere = join(directory, 'elsewhere')
  symlinkSync(directory, elsewhere)
  await checkRefused(join(elsewhere, 'cashpoint.db'))
  const alias = join(directory, 'alias.db')
  symlinkSync(path, alias)
  await checkRefused(alias)
})

test('a second name of the file itself is refused, since SQLite would keep another WAL for it', async () => {
  const hard = join(directory, 'hard.db')
  linkSync(path, hard)
  assertOneLine(await second(hard), 1, /has a second name/)
  rmSync(hard)
  await checkRefused(path)
})

test('after the first was killed the next starts, has all of it, and ends in order: no pid, nothing to recover', async (t) => {
  const { body } = await client.ask('/accounts')
  await first.kill()
  const next = await serve(t, { path })
  const nextClient = new Client(next)
  assert.equal((await nextClient.ask('/accounts')).body, body)
  nextClient.close()

  assert.ok(existsSync(join(directory, 'cashpoint.pid')))
  await next.stop()
  for (const name of ['cashpoint.pid', 'cashpoint.db-wal', 'cashpoint.db-shm'])
    assert.ok(!existsSync(join(directory, name)), name)
})

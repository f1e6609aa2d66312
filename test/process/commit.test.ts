// COMMIT or its sync fails: the outcome is unknown until the store was reopened, nobody has seen what was not
// committed, and the sync is not tried again. And: a descriptor of the store that somebody closed by mistake.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { Judge, startLoad } from './load.ts'
import { type Action, type Note, type Plan, Shim, shimMissing } from './shim.ts'
import {
  assertOneLine,
  assertProvesHere,
  Client,
  codeOf,
  place,
  run,
  type Server,
  serve,
  until,
} from './support.ts'

const skip = shimMissing()
const account = '123456789'

type Stage = { readonly server: Server; readonly client: Client; readonly shim: Shim; readonly path: string }

async function stage(t: TestContext): Promise<Stage> {
  const { path } = place(t)
  const shim = new Shim(t, path, { traced: true })
  const server = await serve(t, { path, env: shim.env })
  const client = new Client(server)
  t.after(() => client.close())
  assert.equal((await client.withdraw(account, 100, 'before'))?.status, 200)
  return { server, client, shim, path }
}

function walSync(action: Action, more: Partial<Plan> = {}): Plan {
  return { files: ['wal'], calls: ['sync'], at: 1, action, ...more }
}

test('a commit of which the sync fails, is lost, or a write is torn: unknown, seen by nobody, not done; the retry does it once', {
  skip,
}, async (t) => {
  const { server, client, shim, path } = await stage(t)
  let balance = 99_900
  for (const plan of [walSync('eio'), walSync('lose'), walSync('torn', { calls: ['write'], at: 2 })]) {
    const key = `unknown-${plan.action}`
    const from = shim.trace().length
    shim.set(plan)
    const answer = await client.withdraw(account, 5_000, key)
    // Read at once, while the store is still broken, and by the list too.
    assert.equal(await client.balance(account), balance, 'nobody sees what was not committed')
    assert.equal((await client.balances()).get(account), balance)
    assert.equal(shim.hit, 1, plan.action)
    assert.equal(answer?.status, 503, answer?.body)
    assert.equal(codeOf(answer), 'outcome_unknown')
    assert.match(String(answer?.headers['retry-after']), /^[1-9][0-9]*$/)

    await until('commands are taken', async () => (await client.ask('/readyz')).status === 200)
    if (plan.calls.includes('sync')) checkReopened(shim.trace().slice(from))
    const retry = await client.withdraw(account, 5_000, key)
    assert.equal(retry?.status, 200, retry?.body)
    assert.equal(retry.headers['idempotency-replayed'], undefined, 'the batch did not count')
    const again = await client.withdraw(account, 5_000, key)
    assert.equal(again?.headers['idempotency-replayed'], 'true')
    balance -= 5_000
    assert.equal(await client.balance(account), balance)
  }
  await server.kill()
  assertProvesHere(path)
})

/** After the sync that failed: the WAL is opened anew before anything else, then folded in whole, and cut. */
function checkReopened(notes: readonly Note[]): void {
  const failed = notes.findIndex((note) => note.type === 'sync' && note.failed)
  const { fd } = notes[failed] as Note & { type: 'sync' }
  const then = notes
    .slice(failed + 1)
    .filter((note) => note.type !== 'sent' && (note.file === 'wal' || note.file === 'journal'))
    .map((note) => (note.type === 'sent' ? '' : `${note.type} ${note.file}`))
  const opened = then.indexOf('open wal')
  assert.ok(opened >= 0, then.join(', '))
  assert.ok(
    !then.slice(0, opened).some((what) => /^(sync|write)/.test(what)),
    `descriptor ${fd}: ${then.join(', ')}`,
  )
  const cut = then.indexOf('truncate wal')
  assert.ok(cut > opened && then.slice(opened, cut).includes('sync journal'), then.join(', '))
}

test('a commit whose sync fails, and then the power switch: the newest block says that it counts, and so does the retry', {
  skip,
}, async (t) => {
  const { server, client, shim, path } = await stage(t)
  // The next sync would be that of the store being folded in: by then the WAL still has all of it.
  shim.set(walSync('eio', { files: ['wal', 'journal'], thenKill: true }))
  const answer = await client.withdraw(account, 5_000, 'unknown')
  assert.ok(answer === undefined || codeOf(answer) === 'outcome_unknown', answer?.body)
  await server.exit
  const synced = shim.trace().filter((note) => note.type === 'sync' && note.failed)
  assert.equal(synced.length, 1, 'it was the sync that failed')

  const next = await serve(t, { path })
  const retry = await new Client(next).withdraw(account, 5_000, 'unknown')
  assert.equal(retry?.headers['idempotency-replayed'], 'true', 'it was done, and nobody had been told')
  assert.equal(await new Client(next).balance(account), 94_900)
  await next.kill()
  assertProvesHere(path)
})

test('the store cannot be reopened: writes stay refused, reads go on, and it goes on by itself when it can', {
  skip,
}, async (t) => {
  const { server, client, shim, path } = await stage(t)
  shim.set(walSync('eio', { files: ['wal', 'journal'], times: 1_000_000 }))
  assert.equal(codeOf(await client.withdraw(account, 5_000, 'unknown')), 'outcome_unknown')
  await until('it was tried again', () => shim.hit > 2)
  assert.equal((await client.ask('/readyz')).status, 503)
  assert.equal(codeOf(await client.withdraw(account, 1, 'refused')), 'store_unavailable')
  assert.equal(await client.balance(account), 99_900)
  assert.ok((await client.balances()).size >= 3)

  shim.clear()
  await until('commands are taken', async () => (await client.ask('/readyz')).status === 200)
  for (const [key, minor] of [
    ['unknown', 5_000],
    ['refused', 1],
  ] as const)
    assert.equal((await client.withdraw(account, minor, key))?.headers['idempotency-replayed'], undefined)
  assert.equal(await client.balance(account), 94_899)
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  assertProvesHere(path)
})

for (const file of ['wal', 'journal'] as const)
  test(`the ${file}'s descriptor is closed by mistake, under load: told, reopened, nothing lost (SEED=${seed})`, {
    skip,
  }, async (t) => {
    const { server, client, shim, path } = await stage(t)
    const judge = new Judge()
    judge.balances.set(account, 99_900)
    const load = startLoad(judge, {
      port: server.port,
      chance: prng(seed),
      name: 'load',
      allKeyed: true,
      clients: 4,
    })
    // The file itself is written when the WAL is folded in, as it is where a store was reopened.
    shim.set(walSync('closed', { files: [file], calls: ['write'], at: 4 }))
    let dead = false
    void server.exit.then(() => {
      dead = true
    })
    await until('a descriptor was closed', () => shim.hit > 0)
    const before = judge.tally['done'] ?? 0
    await until('it goes on, or ends', () => dead || (judge.tally['done'] ?? 0) > before + 20)
    await load.stop()
    // Its number may have become a connection's by the time that SQLite closes it, which libuv does not survive.
    if (dead) assert.notEqual((await server.exit).code, 0, server.log.join('\n'))
    client.close()
    const ended = dead ? `ended ${JSON.stringify(await server.exit)}` : 'it went on'
    const next = dead ? await serve(t, { path }) : server
    const resolver = new Client(next)
    await judge.resolve(resolver)
    await judge.checkReplays(resolver)
    await judge.checkBalances(resolver)
    resolver.close()
    await next.kill()
    assertProvesHere(path)
    t.diagnostic(`${ended}: ${JSON.stringify(judge.tally)}`)
  })

test('another descriptor of the store is opened and closed: its locks are gone, and no second server gets in', {
  skip,
}, async (t) => {
  const { server, client, shim, path } = await stage(t)
  shim.set({ files: ['journal', 'wal'], calls: ['write'], at: 1, action: 'locks dropped' })
  assert.equal((await client.withdraw(account, 1, 'locks'))?.status, 200)
  assert.equal(shim.hit, 1)
  assertOneLine(
    await run(['serve', '--store', `sqlite:${path}`, '--port', '0']),
    1,
    /is in use by another server/,
  )
  assert.equal((await client.withdraw(account, 1, 'after'))?.status, 200)
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  assertProvesHere(path)
})

test('no code opens a file of the store but through SQLite', () => {
  // Files of its own, which SQLite never opens: the head, the pid, what is read of the program itself.
  const harmless = /\((?:files\.(?:pid|head)|pid|path|head|new URL\(|directory\b|dirname\()/
  const opening =
    /(?<![.\w])(?:openSync|readFileSync|readFile|writeFileSync|writeFile|appendFileSync|copyFileSync|copyFile|cpSync|createReadStream|createWriteStream|truncateSync)\([^)]*/g
  const directory = join(import.meta.dirname, '..', '..', 'src', 'stores', 'sqlite')
  const found = readdirSync(directory)
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      [...readFileSync(join(directory, name), 'utf8').matchAll(opening)].map(([call]) => `${name}: ${call}`),
    )
  assert.ok(found.length > 3, 'the calls are found')
  assert.deepEqual(
    found.filter((call) => !harmless.test(call)),
    [],
  )
})

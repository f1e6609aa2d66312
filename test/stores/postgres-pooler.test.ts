/** Behind a pooler that gives each transaction whichever connection is free: PgBouncer, where it is installed. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Bank } from '../../src/bank/bank.ts'
import { systemClock } from '../../src/bank/clock.ts'
import { PostgresStore } from '../../src/stores/postgres/store.ts'
import { deposit, gist, withdraw } from '../support/commands.ts'
import { freePort, postgres, postgresMissing, runOnce, userOf } from '../support/postgres.ts'

const noPooler = spawnSync('pgbouncer', ['--version']).status !== 0 && 'there is no pgbouncer on this machine'

test('three nodes behind PgBouncer in transaction mode, with unnamed statements', {
  skip: postgresMissing || noPooler,
}, async (t) => {
  const server = new URL((await postgres()).url)
  // Of its own: a pooler does not pass on the setting that leads to a schema.
  const database = `pooled_${process.pid}`
  await runOnce(server.href, `create database ${database}`)
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-pooler-'))
  const port = await freePort()
  const config = join(directory, 'pgbouncer.ini')
  writeFileSync(
    config,
    `[databases]
${database} = host=127.0.0.1 port=${server.port} user=cashpoint
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
`,
  )
  const user = userOf()
  if (user.uid !== undefined) chownSync(directory, user.uid, user.gid ?? user.uid)
  const pooler = spawn('pgbouncer', [config], { ...user, cwd: directory, stdio: 'ignore' })
  t.after(() => {
    pooler.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  const url = `postgres://cashpoint@127.0.0.1:${port}/${database}`
  for (let tries = 0; ; tries += 1) {
    const error = await runOnce(url, 'select 1').catch((error) => error)
    if (error === undefined) break
    assert.ok(tries < 100, String(error))
    await sleep(50)
  }

  // Six connections of theirs share three.
  const stores = await Promise.all([1, 2, 3].map(() => PostgresStore.open({ url, named: false })))
  const banks = stores.map((store) => new Bank(store, systemClock, { graceMs: 1_000 }))
  const bank = (i: number) => banks[i % banks.length] as Bank
  const submit = (i: number, command: ReturnType<typeof deposit>, key?: string) =>
    bank(i).submit({ command, actor: '', ...(key && { key: { scope: '', key } }) })
  await submit(0, deposit('pooled', '1000'))
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, (_, i) => submit(i, withdraw('pooled', '30'))),
  )
  assert.equal(outcomes.filter(({ reply }) => reply.type === 'posted').length, 33)
  const keyed = await Promise.all([0, 1, 2].map((i) => submit(i, deposit('pooled', '1'), 'once')))
  assert.deepEqual(keyed.map(gist), [1_100, 1_100, 1_100])
  for (const each of banks) assert.equal((await each.account('pooled'))?.ledger, 1_100)
  const found = await (stores[0] as PostgresStore).prove({}, () => {})
  assert.ok(!('what' in found), 'what' in found ? found.what : '')
  for (const store of stores) await store.close()
})

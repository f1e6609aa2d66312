// More connections than the process may have files open: they are turned away, and the store does not suffer.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { Judge, startLoad } from './load.ts'
import { assertProvesHere, Client, pause, place, serve, until } from './support.ts'

const filesMax = 96
const connections = 200

test(`out of file descriptors: those inside are served, and so is everybody later (SEED=${seed})`, async (t) => {
  if (process.platform === 'win32') return t.skip('no ulimit here')
  const { path } = place(t)
  const under = ['/bin/sh', '-c', `ulimit -n ${filesMax} && exec "$@"`, 'sh']
  const server = await serve(t, { path, under })
  const judge = new Judge()
  const client = new Client(server)
  const load = startLoad(judge, {
    port: server.port,
    chance: prng(seed),
    name: 'inside',
    clients: 4,
    allKeyed: true,
  })
  await client.ask('/')
  await pause(200)

  const crowd = Array.from({ length: connections }, () =>
    connect(server.port, '127.0.0.1').on('error', () => {}),
  )
  await until('most are turned away', () => crowd.filter(isClosed).length > connections - filesMax)
  const before = judge.tally['done'] ?? 0
  await until('those inside are served', () => (judge.tally['done'] ?? 0) > before + 50)
  for (const socket of crowd) socket.destroy()
  await load.stop()

  const newcomer = new Client(server)
  await until('a newcomer is served', async () => (await newcomer.call('/healthz'))?.status === 200)
  assert.ok((await newcomer.balances()).size > 0)
  await judge.resolve(newcomer)
  await judge.checkReplays(newcomer)
  await judge.checkBalances(newcomer)
  for (const one of [client, newcomer]) one.close()
  assert.deepEqual(server.log.slice(1), [])
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  assertProvesHere(path)
})

function isClosed(socket: Socket): boolean {
  return socket.destroyed || socket.readableEnded
}

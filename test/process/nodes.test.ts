// Three nodes on one database, under load: nodes are killed, the database is restarted without a word to anybody, its
// connections are cut. What was acknowledged is there once, on every node, and writing goes on by itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proveDatabase } from '../../src/stores/postgres/prove.ts'
import { prng, seed } from '../support/chance.ts'
import { postgres, postgresMissing } from '../support/postgres.ts'
import { times } from '../support/profile.ts'
import { Judge, startLoad } from './load.ts'
import { Client, pause, type Server, serve, until } from './support.ts'

const rounds = times(4, 30)

test(`${rounds} rounds of three nodes on one database (SEED=${seed})`, {
  skip: postgresMissing,
  timeout: times(100_000, 900_000),
}, async (t) => {
  const database = await postgres()
  const { url } = await database.schema()
  const chance = prng(seed)
  const judge = new Judge()
  const start = () => serve(t, { path: url })
  const nodes: Server[] = await Promise.all([start(), start(), start()])
  const any = () => nodes[chance(nodes.length)] as Server

  const evils = {
    'a node is killed': async () => {
      const at = chance(nodes.length)
      await nodes[at]?.kill()
      nodes[at] = await start()
    },
    'the database restarts at once': () => database.restart(),
    'connections are cut': () => database.cut(),
    'all nodes are killed': async () => {
      await Promise.all(nodes.map((node) => node.kill()))
      for (const at of nodes.keys()) nodes[at] = await start()
    },
  }
  const names = Object.keys(evils) as (keyof typeof evils)[]
  for (let round = 0; round < rounds; round += 1) {
    const name = names[round % names.length] as keyof typeof evils
    await t.test(`round ${round + 1}: ${name}`, async () => {
      const prefix = `round-${round}-`
      const loads = nodes.map(({ port }, i) =>
        startLoad(judge, { port, chance, name: `${prefix}${i}`, clients: 4, allKeyed: true }),
      )
      await pause(200 + chance(200))
      await evils[name]()
      await pause(200 + chance(200))
      for (const load of loads) await load.stop()

      const client = new Client(any())
      await until('commands are taken', async () => (await client.withdraw('nobody', 1))?.status === 404)
      await judge.resolve(client)
      client.close()
      const other = new Client(any())
      await judge.checkReplays(
        other,
        [...judge.keyed.keys()].filter((key) => key.startsWith(prefix)),
      )
      await judge.checkBalances(other)
      other.close()
    })
  }
  const client = new Client(any())
  await judge.checkReplays(client)
  await judge.checkBalances(client, { every: true })
  client.close()
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}`)
  for (const node of nodes) assert.deepEqual(await node.stop(), { code: 0, signal: null })
  const found = await proveDatabase({ url }, {})
  assert.ok(!('what' in found), 'what' in found ? found.what : '')
})

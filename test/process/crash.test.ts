// kill -9 under load, again and again on one store: nothing that was acknowledged is lost, and nothing is done twice.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'
import { Judge, startLoad } from './load.ts'
import { assertProves, assertProvesHere, Client, launch, pause, place, type Scope, serve } from './support.ts'

const rounds = times(20, 120)

test(`${rounds} times killed under load (SEED=${seed})`, { timeout: times(80_000, 600_000) }, async (t) => {
  const chance = prng(seed)
  const { path } = place(t)
  const judge = new Judge()
  const readyMs: number[] = []

  await killWhileStarting(t, path, chance(500))
  let server = await serve(t, { path })
  for (let round = 1; round <= rounds; round += 1) {
    const aliveMs = 20 + chance(times(150, 300))
    await t.test(`round ${round}: alive for ${aliveMs} ms`, async () => {
      const load = startLoad(judge, { port: server.port, chance, name: `round-${round}` })
      await pause(aliveMs)
      await server.kill()
      await load.stop()

      if (chance(times(6, 4)) === 0) await killWhileStarting(t, path, chance(500))
      server = await serve(t, { path })
      readyMs.push(server.readyMs)

      const client = new Client(server)
      const proves = round % 5 === 0 ? assertProves(path) : assertProvesHere(path)
      await judge.resolve(client)
      await judge.checkReplays(client, keysOf(judge, `round-${round}-`))
      await judge.checkBalances(client)
      await proves
      client.close()
    })
  }

  // Every key of every round, over all the crashes since.
  const client = new Client(server)
  await judge.checkReplays(client)
  await judge.checkBalances(client, { every: true })
  client.close()

  const { done = 0, unanswered = 0 } = judge.tally
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(judge.tally)}; ready in ${spread(readyMs)} ms`)
  assert.ok(done > rounds * 20 && unanswered > rounds, 'the server was killed while it worked')
  // The median: one start in twenty may have had to wait for a machine that others use too.
  assert.ok(median(readyMs) < 2_000, `ready in ${spread(readyMs)} ms`)
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  await assertProves(path)
})

async function killWhileStarting(scope: Scope, path: string, afterMs: number): Promise<void> {
  const { child, exit } = launch(scope, { path })
  child.stdout.resume()
  await pause(afterMs)
  child.kill('SIGKILL')
  await exit
}

function keysOf(judge: Judge, prefix: string): string[] {
  return [...judge.keyed.keys()].filter((key) => key.startsWith(prefix))
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN
}

function spread(figures: readonly number[]): string {
  return `${Math.round(Math.min(...figures))} to ${Math.round(Math.max(...figures))}, in the middle ${Math.round(median(figures))},`
}

// The n-th write or sync of a store's files fails, is torn, or is the last thing the process does; for one n after
// the other, under load. Whatever was told stays true, and a server that lives goes on by itself.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { type Chance, prng, seed } from '../support/chance.ts'
import { long, times } from '../support/profile.ts'
import { Judge, openingBalances, startLoad } from './load.ts'
import { type Note, type Plan, Shim, shimMissing } from './shim.ts'
import { assertProvesHere, Client, launch, place, type Server, serve, serveHere, until } from './support.ts'

const skip = shimMissing()

type Fault = Omit<Plan, 'at'> & { readonly what: string }

const books = ['journal', 'wal'] as const
const faults: readonly Fault[] = [
  { what: 'a write fails', files: books, calls: ['write'], action: 'eio' },
  { what: 'a write is torn', files: books, calls: ['write'], action: 'torn' },
  { what: 'a write finds no space', files: books, calls: ['write'], action: 'enospc' },
  { what: 'a sync fails', files: books, calls: ['sync'], action: 'eio' },
  { what: 'a sync fails, and what it was for is gone', files: books, calls: ['sync'], action: 'lose' },
  { what: 'killed before a write', files: books, calls: ['write'], action: 'kill before' },
  { what: 'killed in the middle of a write', files: books, calls: ['write'], action: 'torn, kill' },
  { what: 'killed before a sync', files: books, calls: ['sync'], action: 'kill before' },
  { what: 'killed after a sync', files: books, calls: ['sync'], action: 'kill after' },
  {
    what: 'a sync fails, and the next call kills',
    files: books,
    calls: ['write', 'sync'],
    action: 'eio',
    thenKill: true,
  },
  // These come with a checkpoint: of a full WAL, and of a store that is reopened.
  { what: 'a write of the file itself fails', files: ['journal'], calls: ['write'], action: 'eio' },
  { what: 'a sync of the file itself fails', files: ['journal'], calls: ['sync'], action: 'eio' },
  { what: 'killed while it folds the WAL in', files: ['journal'], calls: ['write'], action: 'torn, kill' },
  {
    what: 'syncs fail, also those of reopening',
    files: books,
    calls: ['sync', 'truncate'],
    action: 'eio',
    times: 4,
  },
  // What is derived, and what is beside the books: no client is told anything of it.
  {
    what: 'the index cannot be written',
    files: ['index', 'indexWal'],
    calls: ['write'],
    action: 'eio',
    times: 3,
  },
  {
    what: 'killed while the index is written',
    files: ['index', 'indexWal'],
    calls: ['write'],
    action: 'torn, kill',
  },
  { what: 'the head is not written', files: ['head'], calls: ['write'], action: 'enospc', times: 5 },
  { what: 'killed while the head is written', files: ['head'], calls: ['write'], action: 'torn, kill' },
]

/** Which calls are hit: the first few of the books one after the other, and some later. */
function pointsOf({ files }: Fault, chance: Chance): number[] {
  const few = files !== books
  if (!long) return [1 + chance(few ? 3 : 20)]
  const first = Array.from({ length: few ? 4 : 8 }, (_, i) => i + 1)
  return few ? first : [...first, 9 + chance(20), 30 + chance(70), 100 + chance(200)]
}

// The fast profile has two thirds of the kinds; which, the seed says.
const chosen = faults.filter((_, i) => long || i % 3 !== seed % 3)

// In the long profile two stores at once: while one is started anew, the other is at work.
const stores = times(1, 2)
const shares = Array.from({ length: stores }, (_, share) => chosen.filter((_, i) => i % stores === share))
describe('faults of one call after the other, under load', { skip, concurrency: stores }, () => {
  for (const [share, of] of shares.entries())
    test(`share ${share + 1} of ${stores} (SEED=${seed})`, {
      timeout: times(120_000, 900_000),
    }, async (t) => {
      const store = await Store.start(t, prng(seed + share))
      for (const fault of of)
        for (const at of pointsOf(fault, store.chance))
          await t.test(`${fault.what}: call ${at}`, () => store.bear({ ...fault, at }))
      assert.deepEqual(retried(store.shim.trace()), [], 'syncs that failed and were tried again')
      const { rounds, kills, judge } = store
      t.diagnostic(`SEED=${seed}: ${rounds} faults, ${kills} kills; ${JSON.stringify(judge.tally)}`)
      await store.server.stop()
      assertProvesHere(store.path)
    })
})

/** A store that one fault after the other befalls, and what its clients were told over all of them. */
class Store {
  readonly judge = new Judge()
  rounds = 0
  kills = 0
  readonly #t: TestContext
  readonly chance: Chance
  readonly path: string
  readonly shim: Shim
  server: Server

  static async start(t: TestContext, chance: Chance): Promise<Store> {
    const { path } = place(t)
    const shim = new Shim(t, path, { traced: true })
    return new Store(t, chance, { path, shim, server: await serve(t, { path, env: shim.env }) })
  }

  private constructor(
    t: TestContext,
    chance: Chance,
    { path, shim, server }: { path: string; shim: Shim; server: Server },
  ) {
    this.#t = t
    this.chance = chance
    this.path = path
    this.shim = shim
    this.server = server
  }

  async bear(plan: Plan): Promise<void> {
    this.rounds += 1
    const name = `fault-${this.rounds}`
    const { judge, shim } = this
    const { port, exit } = this.server
    let dead = false
    void exit.then(() => {
      dead = true
    })
    shim.set(plan)
    // A checkpoint, or a turn of the index, comes after so many commits, however much is in each.
    const clients = plan.files === books ? 8 : 2
    const load = startLoad(judge, { port, chance: this.chance, name, allKeyed: true, clients })
    const kills = plan.action.includes('kill') || plan.thenKill === true
    const hit = () => dead || shim.hit >= (plan.times ?? 1)
    try {
      await until(`${plan.action} at call ${plan.at}`, hit)
      if (kills) assert.equal((await exit).signal, 'SIGKILL')
      const before = judge.tally['done'] ?? 0
      await until('it goes on', () => dead || (judge.tally['done'] ?? 0) > before + 10)
      assert.equal(dead, kills, this.server.log.join('\n'))
    } finally {
      shim.clear()
      await load.stop()
    }
    if (kills) {
      this.kills += 1
      this.server = await serve(this.#t, { path: this.path, env: shim.env })
    }
    await this.#check(`${name}-`)
  }

  async #check(prefix: string): Promise<void> {
    const client = new Client(this.server)
    await until('commands are taken', async () => (await client.ask('/readyz')).status === 200)
    await this.judge.resolve(client)
    await this.judge.checkReplays(
      client,
      [...this.judge.keyed.keys()].filter((key) => key.startsWith(prefix)),
    )
    await this.judge.checkBalances(client)
    client.close()
    assertProvesHere(this.path)
  }
}

/**
 * Syncs of the books that were tried again on a descriptor after one had failed there, while what that one was for
 * had not been written anew: they may say well what is not.
 */
function retried(notes: readonly Note[]): Note[] {
  const unsynced = new Map<string, Set<number>>()
  const suspect = new Map<string, Set<number>>()
  const at = (sets: Map<string, Set<number>>, key: string) => {
    const set = sets.get(key) ?? new Set()
    sets.set(key, set)
    return set
  }
  const found: Note[] = []
  for (const note of notes) {
    if (note.type === 'sent' || (note.file !== 'journal' && note.file !== 'wal')) continue
    const key = `${note.file} ${note.fd}`
    switch (note.type) {
      case 'open':
        // The number may be used again, and then it is another descriptor.
        if (note.file === 'wal') suspect.delete(key)
        break
      case 'write':
        at(unsynced, key).add(note.offset)
        suspect.get(key)?.delete(note.offset)
        break
      case 'truncate':
        for (const sets of [unsynced, suspect])
          for (const offset of at(sets, key)) if (offset >= note.length) at(sets, key).delete(offset)
        break
      case 'sync':
        if (at(suspect, key).size > 0) found.push(note)
        if (note.failed) for (const offset of at(unsynced, key)) at(suspect, key).add(offset)
        at(unsynced, key).clear()
    }
  }
  return found
}

const makingFiles = {
  'torn, kill': ['draft', 'draftWal', 'journal', 'wal', 'index', 'indexWal'],
  eio: [
    'draft',
    'draftWal',
    'journal',
    'wal',
    'index',
    'indexWal',
    'lock',
    'webhooks',
    'webhooksWal',
    'head',
  ],
} as const

describe('faults while a store is made', { skip, concurrency: 2 }, () => {
  const chance = prng(seed + 2)
  const making = long
    ? Array.from({ length: 40 }, (_, i) => i + 1)
    : [1 + chance(8), 9 + chance(12), 21 + chance(30)]
  for (const action of ['torn, kill', 'eio'] as const)
    for (const at of making)
      test(`${action} at write or sync ${at}: the next start has it whole (SEED=${seed})`, (t) =>
        checkMaking(t, action, at))
})

async function checkMaking(t: TestContext, action: 'torn, kill' | 'eio', at: number): Promise<void> {
  const { path } = place(t)
  const shim = new Shim(t, path)
  shim.set({ files: makingFiles[action], calls: ['write', 'sync'], at, action })
  const { child, exit, log } = launch(t, { path, env: shim.env })
  await Promise.race([exit, new Promise((ready) => child.stdout.once('data', ready))])
  child.stdout.resume()
  if (action === 'eio' && child.exitCode !== null) {
    assert.equal(child.exitCode, 1, log.join('\n'))
    assert.match(log.at(-1) ?? '', /^cashpoint: /, 'one line')
  }
  child.kill('SIGKILL')
  await exit

  const next = await serveHere(path)
  const client = new Client({ port: Number(new URL(next.url).port) })
  const balances = await client.balances()
  client.close()
  await next.stop()
  assert.deepEqual(balances, openingBalances)
  assertProvesHere(path)
  assert.ok(!existsSync(`${path}.new`), 'nothing is left of the first try')
}

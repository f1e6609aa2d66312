/**
 * One run: a seed becomes a history of clients, faults and crashes, and then everything is judged. The same options
 * give the same trace, to the byte.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../../src/bank/clock.ts'
import type { Store } from '../../src/bank/store.ts'
import { type Chance, prng } from '../support/chance.ts'
import { Disk } from './disk.ts'
import { type FaultKind, Faults, faultKinds } from './faults.ts'
import type { Front } from './front.ts'
import { Host } from './host.ts'
import { judge } from './judge.ts'
import { type Asked, accountNumbers, currencyOf, opening } from './requests.ts'
import { Traffic } from './traffic.ts'
import { Clocks, World } from './world.ts'

export type RunOptions = {
  readonly seed: number
  /** How many clients there are, and how many things they want altogether; by the seed, if left out. */
  readonly clients?: number | undefined
  readonly operations?: number | undefined
  /** What may go wrong; everything, if left out. */
  readonly faults?: readonly FaultKind[] | undefined
}

/** A part that is broken on purpose, to see that it is found. */
export type Sabotage = {
  /** What servers get in place of the disk; asked for at every start. */
  store?(): Store | Promise<Store>
  /** What the bank gets in place of its store. */
  outer?(store: Store): Store
  /** What is on the disk in the end. */
  disk?(): Disk
  clock?: Clock
}
export type Saboteur = (of: {
  readonly disk: Disk
  readonly clocks: Clocks
  readonly world: World
  readonly chance: Chance
  /** A disk with nothing on it. */
  empty(clock: Clock): Disk
}) => Sabotage

export type Result = {
  readonly options: RunOptions
  /** SHA-256 of the trace. */
  readonly hash: string
  readonly trace: readonly string[]
  /** What is wrong, in a paragraph; undefined where nothing is. */
  readonly violation: string | undefined
  readonly operations: number
  readonly attempts: number
  readonly commits: number
  readonly virtualMs: number
  readonly faults: ReadonlyMap<string, number>
  /** Histories that were too tangled to be judged. */
  readonly undecided: number
}

const dayMs = 24 * 3600 * 1000

export async function run(options: RunOptions, front: Front, saboteur?: Saboteur): Promise<Result> {
  const { seed, faults: kinds = faultKinds } = options
  // Chances of their own, so that one part can be changed and the others stay as they are.
  const chanceOf = (part: number) => prng(Math.imul(seed, 0x9e3779b1) + part)
  const [set, traffic, store, nemesis, faulty, other] = [1, 2, 3, 4, 5, 6].map(chanceOf) as [
    Chance,
    Chance,
    Chance,
    Chance,
    Chance,
    Chance,
  ]
  const { clients = 2 + set(14), operations = 20 + set(60) } = options
  const deadlineMs = [1_000, 3_000, 10_000][set(3)] ?? 0
  const sizes = { lengthMax: set(4) ? 20_000 : 2, batchMax: set(3) ? 1_000 : 3, startAt: 4 }
  const queue = { deadlineMs, graceMs: 300, ...sizes }
  // Where the wall clock jumps, a day's memory of keys would be over at any moment.
  const keyRetentionMs = kinds.includes('wall') ? 200 * 365 * dayMs : dayMs

  const world = new World()
  // Some runs begin shortly before a business day ends.
  const clocks = new Clocks(world, Date.UTC(2030, 0, 1 + set(300), set(2) ? 12 : 23, 59, set(60)))
  const empty = (clock: Clock) => new Disk(clock, keyRetentionMs)
  const disk = empty(clocks)
  const broken = saboteur?.({ disk, clocks, world, chance: other, empty }) ?? {}
  const faults = new Faults(kinds, faulty)
  const trace: string[] = []
  const hash = createHash('sha256')
  const note = (line: string) => {
    const text = `${world.nowMs} ${line}`
    trace.push(text)
    hash.update(`${text}\n`)
  }
  const clock = broken.clock ?? clocks
  const host = new Host({
    world,
    clock,
    front,
    faults,
    chance: store,
    queue,
    disk: broken.store ?? (() => disk),
    ...(broken.outer && { outer: broken.outer }),
    note,
  })

  faults.over = true
  await host.start()
  const accounts = Object.entries(opening).map(([number, ledger]) => ({
    number,
    currency: currencyOf(number),
    ledger,
  }))
  void front.bank.submit({ command: { type: 'open_books', accounts }, actor: '' })
  await world.run()
  faults.over = false

  const people = new Traffic({
    world,
    clock: clocks,
    server: host,
    faults,
    chance: traffic,
    clients,
    operations,
    note,
  })
  people.start()
  torment({ world, clocks, host, faults, chance: nemesis, people, note })
  await world.run()

  faults.over = true
  clocks.goOn()
  await host.start()
  await people.resolve()
  for (const asked of finalReads()) await people.ask(asked)

  const last = broken.disk?.() ?? disk
  for await (const { block } of last.journal()) note(`block ${block.sequence} ${block.hash}`)
  const counted = { undecided: 0 }
  const violation = world.isRestless
    ? 'The server never came to rest: something is called back for nothing, again and again.'
    : await judge({
        disk: last,
        wishes: people.wishes,
        waitMaxMs: deadlineMs + queue.graceMs,
        keyRetentionMs,
        onUndecided: () => {
          counted.undecided += 1
        },
      })
  note(violation ?? 'nothing is wrong')
  return {
    options: { seed, clients, operations, faults: kinds },
    hash: hash.digest('hex'),
    trace,
    violation,
    operations: people.wishes.length,
    attempts: people.attempts,
    commits: last.tape.length,
    virtualMs: world.nowMs,
    faults: faults.counts,
    ...counted,
  }
}

function finalReads(): Asked[] {
  const get = (path: string, account?: string): Asked => ({
    kind: 'read',
    method: 'GET',
    path,
    content: { type: 'read', ...(account !== undefined && { account }) },
  })
  return [
    ...accountNumbers.map((number) => get(`/v1/accounts/${number}/balance`, number)),
    get('/accounts'),
    get('/v1/accounts'),
  ]
}

type Torment = {
  readonly world: World
  readonly clocks: Clocks
  readonly host: Host
  readonly faults: Faults
  readonly chance: Chance
  readonly people: Traffic
  note(line: string): void
}

/** From time to time the server is killed, the store shut, the wall clock set. It ends with the traffic. */
function torment({ world, clocks, host, faults, chance, people, note }: Torment): void {
  const onTurn = async () => {
    if (people.isOver) return
    world.after(200 + chance(2_000), onTurn)
    if (host.store !== undefined && faults.happens('crash', 'crash', 12)) {
      await host.kill()
      world.after(20 + chance(3_000), () => host.start())
    }
    if (faults.happens('shut', 'shut', 12)) {
      const why = (['storage_low', 'overloaded', 'store_unavailable'] as const)[chance(3)] ?? 'overloaded'
      note(`the store shuts itself: ${why}`)
      host.store?.shutFor(100 + chance(5_000), why)
    }
    if (faults.happens('wall', 'wall clock', 10)) {
      note(`the wall clock ${setWall(clocks, chance, people.ends)}`)
    }
  }
  world.after(chance(1_000), onTurn)
}

function setWall(clocks: Clocks, chance: Chance, ends: readonly number[]): string {
  const [back, forth] = [dayMs * chance(3) + 3600_000 * (1 + chance(24)), dayMs * 365 * (1 + chance(10))]
  const end = ends[ends.length - 1 - chance(Math.min(4, Math.max(1, ends.length)))]
  switch (chance(7)) {
    case 5:
    case 6:
      // The very millisecond that a hold ends is the one that mistakes are made about.
      if (end === undefined) return 'stays as it is'
      clocks.jump(end - clocks.now())
      clocks.stop()
      return 'stops where a hold ends'
    case 0:
      clocks.jump(-back)
      return `goes back ${back} ms`
    case 1:
      clocks.jump(forth)
      return `goes forward ${forth} ms`
    case 2:
      clocks.jump(1_000 * chance(100))
      return 'goes forward a little'
    case 3:
      clocks.stop()
      return 'stops'
    default:
      clocks.goOn()
      return 'goes on'
  }
}

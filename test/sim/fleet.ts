/**
 * A fleet of cash machines in virtual time, on the whole server: requests and answers are lost, the server is killed,
 * its store fails, and the machines jam, die and mis-pick. In the end every machine is counted, and the books must say
 * to the note what is in it, and to the cent what each customer has in hand.
 */
import { createHash } from 'node:crypto'
import type { Entity } from '../../src/ledger/entity.ts'
import { accountsOfTerminal } from '../../src/ledger/terminal.ts'
import { type Chance, prng } from '../support/chance.ts'
import { prove } from '../support/journal.ts'
import { Disk } from './disk.ts'
import { type FaultKind, Faults, faultKinds } from './faults.ts'
import { type Customer, Machine, type MachineOptions, type Host as Way } from './fleet-machine.ts'
import type { Answer, Front } from './front.ts'
import { Host } from './host.ts'
import type { Attempt } from './traffic.ts'
import { Clocks, World } from './world.ts'

export type FleetOptions = {
  readonly seed: number
  readonly machines?: number
  readonly withdrawals?: number
  readonly faults?: readonly FaultKind[]
  /** Machines with no trouble of their own. */
  readonly sound?: boolean
  /** To see that it is found. */
  readonly reckless?: boolean
}

export type FleetResult = {
  readonly hash: string
  readonly trace: readonly string[]
  readonly violation: string | undefined
  readonly withdrawals: number
  readonly faults: ReadonlyMap<string, number>
  readonly suspects: number
}

const opening = 10_000_000
const customers: readonly Customer[] = [
  { account: '1001', pan: '4761739001010119' },
  { account: '1002', pan: '4761739001010127' },
  { account: '1003', pan: '4761739001010135' },
]

export async function runFleet(options: FleetOptions, front: Front): Promise<FleetResult> {
  const { seed, machines: count = 3, withdrawals = 8, sound = false, reckless = false } = options
  const { faults: kinds = faultKinds.filter((kind) => kind !== 'wall') } = options
  const [traffic, store, nemesis, faulty] = [1, 2, 3, 4].map((part) =>
    prng(Math.imul(seed, 0x9e3779b1) + part),
  ) as [Chance, Chance, Chance, Chance]
  const world = new World({ eventsMax: 1_000_000 })
  const clocks = new Clocks(world, Date.UTC(2030, 0, 1, 12))
  const disk = new Disk(clocks, 24 * 3600 * 1000)
  const faults = new Faults(kinds, faulty)
  const trace: string[] = []
  const hash = createHash('sha256')
  const note = (line: string) => {
    const text = `${world.nowMs} ${line}`
    trace.push(text)
    hash.update(`${text}\n`)
  }
  const host = new Host({
    world,
    clock: clocks,
    front,
    faults,
    chance: store,
    queue: { deadlineMs: 3_000, graceMs: 300 },
    disk: () => disk,
    watchesDue: true,
    note,
  })
  const way = wayTo(host, { world, faults, chance: traffic, note })
  const machines = Array.from({ length: count }, (_, i) => {
    const of: MachineOptions = {
      id: `FLT${i + 1}`,
      host: way,
      chance: traffic,
      troubled: !sound,
      reckless,
      note,
    }
    return new Machine(of)
  })

  faults.over = true
  await host.start()
  await world.runUntil(setUp(machines, way))
  faults.over = false

  const hands = new Map(customers.map(({ account }) => [account, 0]))
  const days = machines.map((machine) => day(machine, { withdrawals, chance: traffic, way, hands }))
  let isOver = false
  torment({ world, host, faults, chance: nemesis, isOver: () => isOver })
  await world.runUntil(Promise.all(days).then(() => {}))
  isOver = true

  faults.over = true
  await host.start()
  let suspects = 0
  const evening = async () => {
    for (const machine of machines) await machine.forward()
    // What nobody asks about any more ends by itself.
    await way.sleep(400_000)
    suspects = (await waiting(disk, 'withdrawal/')).length
    for (const machine of machines) await machine.exchange()
  }
  await world.runUntil(evening())
  await host.kill()

  for await (const { block } of disk.journal()) note(`block ${block.sequence} ${block.hash}`)
  const violation = world.isRestless ? 'It never came to rest.' : await judge(disk, machines, hands)
  note(violation ?? 'nothing is wrong')
  return {
    hash: hash.digest('hex'),
    trace,
    violation,
    withdrawals: count * withdrawals,
    faults: faults.counts,
    suspects,
  }
}

async function setUp(machines: readonly Machine[], way: Way): Promise<void> {
  const post = async (path: string, body: object, key: string) => {
    const answer = await way.ask('POST', path, body, key)
    if (answer === undefined || answer.status >= 300)
      throw new Error(`${path}: ${answer?.status} ${answer?.text}`)
  }
  for (const { account, pan } of customers) {
    await post('/v1/accounts', { number: account, currency: 'USD' }, `open-${account}`)
    await post('/v1/deposits', { account, amount: opening, currency: 'USD' }, `pay-${account}`)
    const card = {
      pan,
      expiry: '9912',
      accounts: [{ account, type: 'checking', default: true }],
      pin: '1234',
    }
    await post('/v1/cards', card, `card-${account}`)
  }
  const units = [
    { id: 'C1', type: 'cash_out', value: 5_000 },
    { id: 'C2', type: 'cash_out', value: 2_000 },
    { id: 'C3', type: 'cash_out', value: 1_000 },
    { id: 'R1', type: 'reject' },
    { id: 'T1', type: 'retract' },
  ]
  for (const machine of machines) {
    await post('/v1/terminals', { id: machine.id, name: machine.id, currency: 'USD', units }, machine.key())
    await machine.exchange()
    await post(`${machine.path}/state`, { state: 'in_service', reason: 'begins' }, machine.key())
  }
}

async function day(
  machine: Machine,
  of: { withdrawals: number; chance: Chance; way: Way; hands: Map<string, number> },
): Promise<void> {
  const { withdrawals, chance, way, hands } = of
  for (let i = 0; i < withdrawals; i += 1) {
    const customer = customers[chance(customers.length)] as Customer
    const cash = await machine.serve(customer)
    hands.set(customer.account, (hands.get(customer.account) ?? 0) + cash)
    await way.sleep(chance(20_000))
    if (chance(3)) await machine.forward()
    if (chance(8) === 0) await machine.exchange()
  }
}

/** A network that loses what goes either way, delays it, and brings it twice. */
function wayTo(
  host: Host,
  { world, faults, chance, note }: { world: World; faults: Faults; chance: Chance; note(line: string): void },
): Way {
  let count = 0
  const sleep = (ms: number) =>
    new Promise<void>((resolve) =>
      world.after(ms, () => {
        world.move()
        resolve()
      }),
    )
  const carry = (attempt: Attempt): Promise<Answer> | undefined => {
    world.move()
    note(`${attempt.id} ${attempt.asked.path} ${attempt.asked.body ?? ''}`)
    return host.ask(attempt)
  }
  return {
    sleep,
    async ask(method, path, body, key) {
      count += 1
      const asked = {
        kind: 'atm',
        content: { type: 'read' },
        method,
        path,
        ...(body && { body: JSON.stringify(body) }),
        ...(key !== undefined && { key }),
      } as const
      const attempt: Attempt = { id: `f${count}`, asked }
      if (faults.happens('network', 'request lost', 30)) {
        await sleep(5_000)
        return undefined
      }
      await sleep(chance(5))
      if (faults.happens('network', 'request sent twice', 15))
        void sleep(chance(30_000)).then(() => carry({ id: `${attempt.id}'`, asked }))
      const asking = carry(attempt)
      if (asking === undefined) {
        await sleep(100)
        return undefined
      }
      const answer = await Promise.race([asking, sleep(8_000)])
      world.move()
      note(`${attempt.id} ${answer?.status ?? 'silence'} ${answer?.text ?? ''}`)
      if (answer === undefined || faults.happens('network', 'answer lost', 20)) return undefined
      return answer
    },
  }
}

function torment(of: { world: World; host: Host; faults: Faults; chance: Chance; isOver(): boolean }): void {
  const { world, host, faults, chance, isOver } = of
  const onTurn = async () => {
    if (isOver()) return
    world.after(500 + chance(8_000), onTurn)
    if (host.store !== undefined && faults.happens('crash', 'crash', 10)) {
      await host.kill()
      world.after(20 + chance(3_000), () => host.start())
    }
    if (faults.happens('shut', 'shut', 15)) host.store?.shutFor(100 + chance(5_000), 'store_unavailable')
  }
  world.after(chance(1_000), onTurn)
}

async function waiting(disk: Disk, prefix: string): Promise<readonly Entity[]> {
  return (await disk.entities({ prefix, waiting: true, limit: 1_000 })).things
}

async function judge(
  disk: Disk,
  machines: readonly Machine[],
  hands: ReadonlyMap<string, number>,
): Promise<string | undefined> {
  for (const { id, mispicked } of machines) {
    const accounts = accountsOfTerminal(id)
    const cash = (await disk.account(accounts.cash))?.ledger
    const transit = (await disk.account(accounts.transit))?.ledger
    const over = (await disk.account(accounts.over_short))?.ledger
    if (transit !== 0) return `${id} has ${transit} in transit, and nothing is open.`
    if (over !== 0 - mispicked) return `${id} is over or short by ${over}, and mis-picked ${mispicked}.`
    if (cash !== -160_000) return `${id} has ${cash} in its books, and was filled with 160000.`
  }
  for (const [account, cash] of hands) {
    const ledger = (await disk.account(account))?.ledger
    if (ledger !== opening - cash)
      return `Account ${account} is at ${ledger}, and ${cash} of its cash is in hand.`
  }
  const [open] = await waiting(disk, '')
  if (open !== undefined) return `It still waits: ${JSON.stringify(open)}.`
  const entries = await Array.fromAsync(disk.journal())
  const proven = prove(entries)
  return 'what' in proven ? `The books do not prove: block ${proven.block} ${proven.what}.` : undefined
}

/**
 * Many machines on one host for a while: makes what they need by the host's own interface, lets customers come while
 * things go wrong, and then settles everything and judges. Knows the host by its answers alone.
 */
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Chance, prng } from '../outside/chance.ts'
import { Wire } from '../outside/wire.ts'
import { type Customer, Customers, type Figures } from './customers.ts'
import { emptyDevice, type UnitType } from './device.ts'
import type { Fault, Odds } from './faults.ts'
import { reach } from './iso8583/iso-host.ts'
import type { IsoAddress } from './iso8583/iso-wire.ts'
import { type AccountFacts, type Finding, judge, type SuspectNamed, suspectsOf } from './judge.ts'
import type { Line } from './line.ts'
import type { ByUnit } from './notes.ts'
import { HostError, Operator, type Terminal, unitsAsIn } from './operator.ts'
import { newPan } from './pan.ts'
import { enterClearPin, enterNoPin, enterPinBlock, newPinKey, type PinEntry, wordsOf } from './pin-entry.ts'
import { Site } from './site.ts'
import type { SiteFacts } from './site-facts.ts'

export type FleetOptions = {
  readonly url: URL
  /** Where every other machine speaks ISO 8583; without it all speak REST. */
  readonly iso8583?: IsoAddress | undefined
  /** An administrator's credential; none where the host is in demo mode. */
  readonly credential?: string | undefined
  readonly machines: number
  readonly cards: number
  readonly seconds: number
  /** Of each machine, at the most. */
  readonly operations?: number
  readonly seed: number
  readonly odds: Odds
  /** How long a machine waits for an answer. */
  readonly patienceMs?: number
  /** Between two customers of a machine, on average. */
  readonly thinkMs?: number
  /** How long a machine is without power, at the most. */
  readonly deadMaxMs?: number
  readonly confirmWithinS?: number
  /** What its terminals' ids begin with. */
  readonly prefix?: string
  readonly tell?: (terminal: string, words: string) => void
  /** Called when everything is set up, and when the last customer has gone. */
  readonly onPhase?: (phase: 'open' | 'closing') => void
  /** Ends it before its time, in order. */
  readonly signal?: AbortSignal
  /** For tests: makes a machine dishonest. */
  readonly meddle?: (site: Site) => void
}

export type Verdict = {
  readonly findings: readonly Finding[]
  readonly suspects: readonly SuspectNamed[]
  readonly sites: readonly SiteFacts[]
  readonly figures: Figures
  readonly line: Line['figures']
  readonly faults: ReadonlyMap<Fault, number>
  readonly powerCuts: number
  readonly records: number
  readonly ms: number
}

type Invited = Customer & { readonly money: number }

const currency = 'USD'
const units: readonly { id: string; type: UnitType; value?: number }[] = [
  { id: 'C1', type: 'cash_out', value: 5_000 },
  { id: 'C2', type: 'cash_out', value: 2_000 },
  { id: 'C3', type: 'cash_out', value: 1_000 },
  { id: 'D1', type: 'cash_in' },
  { id: 'R1', type: 'reject' },
  { id: 'T1', type: 'retract' },
]
const loaded: ByUnit = { C1: 400, C2: 400, C3: 400 }
const settleMaxMs = 60_000
// So that a few hundred machines do not all begin in the same millisecond.
const together = 16

export async function fleet(options: FleetOptions): Promise<Verdict> {
  const directory = await mkdtemp(join(tmpdir(), 'cashpoint-fleet-'))
  const run = new Run(options, directory)
  try {
    return await run.all()
  } finally {
    await run.end()
    await rm(directory, { recursive: true, force: true })
  }
}

class Run {
  readonly #options: FleetOptions
  readonly #directory: string
  readonly #chance: Chance
  readonly #numbers = prng(randomInt(2 ** 31))
  /** The seed makes the choices; names are new where a seed is run again. */
  readonly #run = `${Date.now().toString(36)}${randomInt(36 ** 2, 36 ** 3).toString(36)}`
  readonly #wires: Wire[] = []
  readonly #sites: Site[] = []
  #isOver = false
  readonly #operator: Operator

  constructor(options: FleetOptions, directory: string) {
    this.#options = options
    this.#directory = directory
    this.#chance = prng(options.seed)
    this.#operator = new Operator(this.#wire(options.credential), this.#run)
  }

  async all(): Promise<Verdict> {
    const startedMs = performance.now()
    const { machines, cards, seconds, operations, thinkMs = 500, onPhase, signal, meddle } = this.#options
    await this.#operator.reach()
    if (this.#options.iso8583 !== undefined) await reach(this.#options.iso8583)
    const customers = range(cards).map((i) => this.#customer(i))
    await some(customers, (customer) => this.#issue(customer))
    const before = new Map(
      await some(
        customers,
        async ({ account }) => [account, await this.#operator.ledgerOf(account)] as const,
      ),
    )
    const sites = await some(range(machines), (i) => this.#site(i))
    if (meddle !== undefined) sites.forEach(meddle)
    onPhase?.('open')
    const endMs = performance.now() + seconds * 1000
    const goesOn = (done: number) =>
      performance.now() < endMs &&
      done < (operations ?? Number.POSITIVE_INFINITY) &&
      signal?.aborted !== true &&
      !this.#isOver
    const visitors = sites.map((site, i) => this.#customersOf(site, i, customers))
    await Promise.all(visitors.map((those) => those.come(goesOn, thinkMs)))
    onPhase?.('closing')
    const facts = await some(sites, (site) => site.finish(settleMaxMs))
    const accounts: AccountFacts[] = await some(customers, async ({ account: number }) => {
      const after = await this.#operator.ledgerOf(number)
      return { number, before: before.get(number) ?? 0, after }
    })
    const proof = await this.#operator.prove()
    return {
      findings: judge({ sites: facts, accounts, proof }),
      suspects: facts.flatMap(suspectsOf),
      sites: facts,
      figures: sumOf(visitors.map(({ figures }) => figures)),
      line: sumOf(sites.map(({ line }) => line.figures)),
      faults: countsOf(sites),
      powerCuts: sites.reduce((sum, { powerCuts }) => sum + powerCuts, 0),
      records: proof.records ?? 0,
      ms: performance.now() - startedMs,
    }
  }

  /** Switches everything off, also where it was not done. */
  async end(): Promise<void> {
    this.#isOver = true
    this.#operator.hangUp()
    for (const wire of this.#wires) wire.close()
    await Promise.all(this.#sites.map((site) => site.close()))
  }

  #wire(credential: string | undefined): Wire {
    const wire = new Wire(this.#options.url, credential)
    this.#wires.push(wire)
    return wire
  }

  /** A card, an account of its own with some money, and a PIN. */
  #customer(i: number): Invited {
    const { credential, prefix = 'FLT' } = this.#options
    const account = `${prefix}-${this.#run}-${i + 1}`
    const pin = credential === undefined ? String(10_000 + this.#chance(10_000)).slice(1) : undefined
    return { account, pan: newPan(this.#numbers), pin, money: 1_000 * (20 + this.#chance(500)) }
  }

  async #issue({ account, pan, pin, money }: Invited): Promise<void> {
    await this.#operator.openAccount(account, currency)
    await this.#operator.payIn(account, money, currency)
    await this.#operator.issueCard({
      pan,
      expiry: '4912',
      accounts: [{ account, type: 'checking', default: true }],
      pin_policy: pin === undefined ? 'if_present' : 'always',
      ...(pin !== undefined && { pin }),
    })
  }

  async #site(i: number): Promise<Site> {
    const {
      credential,
      iso8583,
      odds,
      seed,
      patienceMs = 2_000,
      deadMaxMs = 8_000,
      prefix = 'FLT',
      tell,
    } = this.#options
    const at = i % 2 === 1 ? iso8583 : undefined
    const id = `${prefix}${String(i + 1).padStart(5, '0')}`
    const terminal = await this.#terminal(id)
    const key = credential === undefined ? undefined : await this.#operator.credential(id)
    const enterPin = credential === undefined ? await this.#pinEntry(id, i, at === undefined) : enterNoPin
    const site = new Site({
      id,
      currency,
      directory: this.#directory,
      wire: this.#wire(key),
      iso8583: at && { at, isSilent: i % 4 === 3 },
      operator: this.#operator,
      device: { ...emptyDevice(units), units: unitsAsIn(terminal) },
      odds,
      seed: seed * 1_000 + i * 10,
      patienceMs,
      deadMaxMs,
      enterPin,
      loaded,
      run: this.#run,
      tell: tell ?? (() => {}),
    })
    this.#sites.push(site)
    await site.open()
    return site
  }

  /** In clear, as a TDES block or as an AES block: machines are of different makes. A key in clear is for demos only. */
  async #pinEntry(id: string, i: number, mayBeClear: boolean): Promise<PinEntry> {
    const algorithm = ([mayBeClear ? undefined : 'tdes', 'tdes', 'aes'] as const)[i % 3]
    if (algorithm === undefined) return enterClearPin
    const key = newPinKey(algorithm)
    await this.#operator.setPinKey(id, wordsOf(key))
    return enterPinBlock(key)
  }

  #customersOf(site: Site, i: number, all: readonly Customer[]): Customers {
    const { seed, tell } = this.#options
    return new Customers(site, all, prng(seed * 1_000 + i * 10 + 5), (words) => tell?.(site.id, words))
  }

  /** A new one, or that of a run before. */
  async #terminal(id: string): Promise<Terminal> {
    const { confirmWithinS = 30 } = this.#options
    const within = { start_within_s: 5, confirm_within_s: confirmWithinS }
    try {
      return await this.#operator.createTerminal({
        id,
        name: 'A simulated machine',
        currency,
        units,
        ...within,
      })
    } catch (error) {
      if (!(error instanceof HostError) || error.code !== 'terminal_exists') throw error
      return this.#operator.terminal(id)
    }
  }
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i)
}

/** One result for each, in order, some of them under way at once. */
async function some<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length)
  const rest = items.entries()
  const worker = async () => {
    for (const [i, item] of rest) results[i] = await act(item)
  }
  await Promise.all(Array.from({ length: together }, worker))
  return results
}

function sumOf<Numbers extends Record<string, number>>(all: readonly Numbers[]): Numbers {
  const sum: Record<string, number> = {}
  for (const each of all)
    for (const [name, count] of Object.entries(each)) sum[name] = (sum[name] ?? 0) + count
  return sum as Numbers
}

function countsOf(sites: readonly Site[]): ReadonlyMap<Fault, number> {
  const sum = new Map<Fault, number>()
  for (const { faults } of sites)
    for (const [name, count] of faults.counts) sum.set(name, (sum.get(name) ?? 0) + count)
  return sum
}

/**
 * A machine where it stands: the power that it loses and gets again, and the operator who opens it. Knows in truth what
 * left it, since it has the metal; not who comes (`customers.ts`).
 */
import { type Chance, prng } from '../outside/chance.ts'
import { Device, type DeviceState, PowerCut } from './device.ts'
import { Dialect, type DialectOptions } from './dialect.ts'
import { Faults, type Odds } from './faults.ts'
import type { Batch, Host, Said } from './host.ts'
import { Line, pause } from './line.ts'
import { Machine } from './machine.ts'
import { type ByUnit, type ByValue, numberOf, plus } from './notes.ts'
import { HostError, type Operator } from './operator.ts'
import type { Doubts, Exchange, SiteFacts } from './site-facts.ts'

export type SiteOptions = DialectOptions & {
  readonly directory: string
  /** With a credential of their own. */
  readonly operator: Operator
  readonly device: DeviceState
  /** Where the metal's state is kept beyond this process, if anywhere. */
  readonly save?: (state: DeviceState) => void
  readonly odds: Odds
  readonly patienceMs: number
  /** How long it may be without power at the most. */
  readonly deadMaxMs: number
  /** What it is filled with. */
  readonly loaded: ByUnit
  readonly tell: (terminal: string, words: string) => void
}

export class Site {
  powerCuts = 0
  readonly faults: Faults
  readonly line: Line
  readonly device: Device
  readonly id: string
  readonly #options: SiteOptions
  readonly #chance: Chance
  /** Reports of batches that the machine closed. */
  readonly closes: Batch[] = []
  /** Withdrawals that an exchange has answered for. */
  readonly #settled = new Set<string>()
  readonly #refusals: string[] = []
  readonly #dialect: Dialect
  #machine: Machine | undefined
  #host: Host | undefined
  /** The batch that is open, as far as the machine knows. */
  batch = 0
  #mispickedBefore = 0
  #overShortBefore = 0

  constructor(options: SiteOptions) {
    const { id, seed, odds, patienceMs } = options
    this.id = id
    this.#options = options
    this.#chance = prng(seed)
    this.faults = new Faults(odds, prng(seed + 1))
    this.#dialect = new Dialect({ ...options, seed: seed + 4 })
    const onDown = () => this.#dialect.drop()
    this.line = new Line({ faults: this.faults, chance: prng(seed + 2), patienceMs, onDown })
    this.device = new Device(options.device, prng(seed + 3), options.save)
  }

  /** Loads it, by an exchange, and puts it into service. */
  async open(): Promise<void> {
    const { id, operator } = this.#options
    const { open, ended } = await this.exchange()
    this.#overShortBefore = ended.terminal.over_short
    this.batch = open.terminal.batch
    await operator.setState(id, 'in_service', 'loaded')
    await this.signOn()
  }

  /** Throws a HostError where the host will not have it. */
  async signOn(): Promise<void> {
    const said = await this.use((machine) => machine.signOn())
    if (said !== undefined && 'no' in said) throw new HostError(`${this.id} may not sign on: ${said.no}`)
  }

  get speaks(): 'rest' | 'iso8583' {
    return this.#dialect.speaks
  }

  /** What it asks of its host, since it was switched on last. */
  get host(): Host {
    if (this.#host === undefined) throw new Error('the machine is on')
    return this.#host
  }

  /**
   * Does something with the machine, which is switched on for it. Where it loses its power over that, it is dark for a
   * while, for as long as `goesOn`, and what came of it is unknown.
   */
  async use<Result>(
    act: (machine: Machine) => Promise<Result>,
    goesOn: () => boolean = () => true,
  ): Promise<Result | undefined> {
    try {
      this.#machine ??= await this.#boot()
      return await act(this.#machine)
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error
      await this.#dark(goesOn)
      return undefined
    }
  }

  /** Switches it off for good, in order. */
  async close(): Promise<void> {
    if (this.#machine !== undefined) await this.#switchOff(this.#machine)
    this.#machine = undefined
    this.#dialect.close()
  }

  /** Closes the batch; undefined where no answer came. */
  async closeBatch(machine: Machine): Promise<Said<Batch>> {
    const said = await machine.close(this.batch)
    if (said === undefined || 'no' in said) return said
    if (said.yes === undefined) await this.#readCloses()
    else this.#closed(said.yes)
    const report = this.closes.at(-1)
    return report && { yes: report }
  }

  /** Reports of what was closed, and the machine has none of: those whose answers were lost, too. */
  async #readCloses(): Promise<void> {
    const { id, operator } = this.#options
    const { batch } = await operator.terminal(id)
    while (this.batch < batch) this.#closed(await operator.close(id, this.batch))
  }

  #closed(report: Batch): void {
    this.closes.push(report)
    this.batch += 1
  }

  /** Opens it: counts what is there, answers for suspects, and loads it anew. */
  async exchange(loaded: ByUnit = this.#options.loaded): Promise<Exchange> {
    const { id, operator } = this.#options
    const named = await operator.startExchange(id)
    const real = this.device.worth
    const counted = await operator.count(id, named.exchange, this.device.count())
    const open = { ...named, suspects: named.suspects.map((each) => this.#withOwn(each)) }
    const answer = (own: string) => ({ dispensed: this.#toldOf(own) })
    const answers = Object.fromEntries(
      open.suspects.map(({ withdrawal }) => [withdrawal, answer(withdrawal)]),
    )
    const suspects = Object.fromEntries(
      named.suspects.map(({ withdrawal }) => [withdrawal, answer(this.#dialect.own(withdrawal))]),
    )
    const ended = await operator.endExchange(id, { exchange: named.exchange, loaded, suspects })
    this.device.load(loaded)
    for (const withdrawal of Object.keys(answers)) this.#settled.add(withdrawal)
    const mispicked = this.mispicked - this.#mispickedBefore
    this.#mispickedBefore = this.mispicked
    return { open, real, mispicked, answers, counted, ended, realAfter: this.device.worth }
  }

  /**
   * Whether the machine may be opened, after a while at most. Where the host takes silence for a word, it must know all
   * that the machine has to say before anybody counts.
   */
  async mayBeOpened(maxMs: number): Promise<boolean> {
    if (this.speaks === 'rest') return true
    const owed = await this.use(async (machine) => {
      await machine.settle(maxMs)
      return machine.owed
    })
    return owed === 0
  }

  #withOwn<Named extends { readonly withdrawal: string | null }>(named: Named): Named {
    return named.withdrawal === null ? named : { ...named, withdrawal: this.#dialect.own(named.withdrawal) }
  }

  /** What left beyond what was told. */
  get mispicked(): number {
    return Object.values(this.device.state.left).reduce((sum, { mispicked }) => sum + mispicked, 0)
  }

  /** Tells the host everything, closes the batch, is opened and counted, and closes again. */
  async finish(maxMs: number): Promise<SiteFacts> {
    const { id, operator } = this.#options
    this.#machine ??= await this.#boot()
    const machine = this.#machine
    await this.line.quiet()
    await machine.settle(maxMs)
    await this.line.quiet()
    const { owed } = machine
    await this.#readCloses()
    const { batch } = this
    const named = await operator.close(id, batch)
    const close = { ...named, open: named.open.map((each) => ({ ...each, id: this.#dialect.own(each.id) })) }
    const doubtful = this.#doubtsOf(machine)
    const namedAtClose = (await operator.openExceptions(id)).map((each) => this.#withOwn(each))
    const exchange = await this.exchange(this.#contentsOut())
    const exceptions = await this.#resolveAll(machine)
    const stillOpen = (await operator.openExceptions(id)).length
    const closeAfter = await operator.close(id, batch + 1)
    await this.#switchOff(machine)
    return {
      id,
      overShortBefore: this.#overShortBefore,
      device: this.device.state,
      doubtful,
      closes: [...this.closes, close, closeAfter],
      close,
      exchange,
      closeAfter,
      namedAtClose,
      exceptions,
      stillOpen,
      unsaid: [...machine.unsaid],
      assumed: await this.#assumed(machine),
      speaks: this.speaks,
      owed,
      refusals: this.#refusals,
    }
  }

  /** Withdrawals of the machine's of which the host took silence for a dispense. */
  async #assumed(machine: Machine): Promise<readonly string[]> {
    if (this.speaks === 'rest') return []
    const all = await this.#options.operator.withdrawals(this.id)
    const assumed = all.filter(({ mix_assumed }) => mix_assumed).map(({ id }) => this.#dialect.own(id))
    return assumed.filter((id) => machine.hasAsked(id))
  }

  /** What left of a withdrawal, but for what was mis-picked. */
  #toldOf(withdrawal: string): number {
    const { left = 0, mispicked = 0 } = this.device.state.left[withdrawal] ?? {}
    return left - mispicked
  }

  #doubtsOf({ told }: Machine): Doubts {
    const doubts: Record<string, 'retracted' | 'unknown'> = {}
    for (const [withdrawal, said] of told) {
      const why = said?.outcome ?? 'unknown'
      if (why !== 'dispensed' && !this.#settled.has(withdrawal)) doubts[withdrawal] = why
    }
    return doubts
  }

  #contentsOut(): ByUnit {
    const out = this.device.state.units.filter(({ type }) => type === 'cash_out')
    return Object.fromEntries(out.map(({ id, notes }) => [id, numberOf(notes)]))
  }

  /** Whoever looks at an exception knows from the machine's own notes what left. */
  async #resolveAll({ told }: Machine): Promise<SiteFacts['exceptions'][number][]> {
    const { id, operator } = this.#options
    const resolved: SiteFacts['exceptions'][number][] = []
    for (const named of await operator.openExceptions(id)) {
      const exception = this.#withOwn(named)
      const { withdrawal, type } = exception
      // The machine said that it does not know, of what an exchange had settled before: that is no news.
      const isKnown =
        withdrawal !== null &&
        this.#settled.has(withdrawal) &&
        told.get(withdrawal)?.outcome !== 'dispensed' &&
        ['reversal_mismatch', 'confirm_after_reversal'].includes(type)
      const word = { ...(isKnown && { dispensed: this.#toldOf(withdrawal) }), reason: 'counted at exchange' }
      if (isKnown) await operator.resolve(exception.id, word)
      resolved.push({ exception, isKnown })
    }
    return resolved
  }

  #boot(): Promise<Machine> {
    const { id, directory, tell } = this.#options
    const own = `${directory}/${id}`
    this.#host = this.#dialect.host(this.line, own)
    return Machine.boot({
      directory: own,
      device: this.device,
      host: this.#host,
      faults: this.faults,
      tell: (words) => tell(id, words),
    })
  }

  /** Without power for a while, and up again. */
  async #dark(goesOn: () => boolean): Promise<void> {
    const { deadMaxMs, tell, id } = this.#options
    this.powerCuts += 1
    if (this.#machine !== undefined) await this.#switchOff(this.#machine)
    this.#machine = undefined
    const ms =
      this.#chance(12) === 0 ? this.#chance(deadMaxMs) : 50 + this.#chance(Math.min(1_000, deadMaxMs))
    tell(id, `power lost, for ${(ms / 1000).toFixed(1)} s`)
    for (const endMs = performance.now() + ms; performance.now() < endMs && goesOn(); ) await pause(50)
  }

  async #switchOff(machine: Machine): Promise<void> {
    await machine.switchOff()
    this.#refusals.push(...machine.refusals.map(({ id, path, answer }) => `${id} ${path}: ${answer}`))
  }

  /** Notes by their value. */
  byValue(units: ByUnit): ByValue {
    const values = new Map(this.device.state.units.map(({ id, value }) => [id, value]))
    return Object.entries(units).reduce<ByValue>(
      (notes, [id, count]) => plus(notes, values.get(id) ?? 0, count),
      {},
    )
  }
}

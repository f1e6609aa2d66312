/**
 * A machine where it stands: the power that it loses and gets again, and the operator who opens it. Knows in truth what
 * left it, since it has the metal; not who comes (`customers.ts`).
 */
import { type Chance, prng } from '../outside/chance.ts'
import type { Wire } from '../outside/wire.ts'
import { Device, type DeviceState, PowerCut } from './device.ts'
import { Faults, type Odds } from './faults.ts'
import { Line, pause } from './line.ts'
import { type Batch, Machine, type PinEntry } from './machine.ts'
import { type ByUnit, type ByValue, numberOf, plus } from './notes.ts'
import type { Counted, Exception, Exchanged, ExchangeOpen, Operator } from './operator.ts'

export type SiteOptions = {
  readonly id: string
  readonly currency: string
  readonly directory: string
  /** Of the terminal's own credential; the operator has another. */
  readonly wire: Wire
  readonly operator: Operator
  readonly device: DeviceState
  /** Where the metal's state is kept beyond this process, if anywhere. */
  readonly save?: (state: DeviceState) => void
  readonly odds: Odds
  readonly seed: number
  readonly patienceMs: number
  /** How long it may be without power at the most. */
  readonly deadMaxMs: number
  readonly enterPin: PinEntry
  /** What it is filled with. */
  readonly loaded: ByUnit
  /** Begins the ids of its operations: no run ever had it. */
  readonly run: string
  readonly tell: (terminal: string, words: string) => void
}

/** An exchange as it went: what the books had, what was there, and what was said of suspects. */
export type Exchange = {
  readonly open: ExchangeOpen
  /** What all notes in the machine were worth when it was opened. */
  readonly real: number
  /** What left beyond what was told, since the exchange before. */
  readonly mispicked: number
  readonly answers: Readonly<Record<string, { readonly dispensed: number }>>
  readonly counted: Counted
  readonly ended: Exchanged
  readonly realAfter: number
}

/** By withdrawal, why nobody knows. */
export type Doubts = Readonly<Record<string, 'retracted' | 'unknown'>>

/** What is known of a machine at the end, from both sides. */
export type SiteFacts = {
  readonly id: string
  readonly overShortBefore: number
  readonly device: DeviceState
  /** Withdrawals of which the machine itself does not know what left, and that no exchange has settled before. */
  readonly doubtful: Doubts
  readonly closes: readonly Batch[]
  /** The last one but one, with everything told and the machine not opened yet. */
  readonly close: Batch
  readonly exchange: Exchange
  readonly closeAfter: Batch
  /** Those that were open when it was closed, and those that were after it had been counted. */
  readonly namedAtClose: readonly Exception[]
  readonly exceptions: readonly { readonly exception: Exception; readonly isKnown: boolean }[]
  readonly stillOpen: number
  readonly owed: number
  readonly refusals: readonly string[]
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
  #machine: Machine | undefined
  /** The batch that is open, as far as the machine knows. */
  batch = 0
  #operations = 0
  #mispickedBefore = 0
  #overShortBefore = 0

  constructor(options: SiteOptions) {
    const { id, seed, odds, wire, patienceMs } = options
    this.id = id
    this.#options = options
    this.#chance = prng(seed)
    this.faults = new Faults(odds, prng(seed + 1))
    this.line = new Line({ wire, faults: this.faults, chance: prng(seed + 2), patienceMs })
    this.device = new Device(options.device, prng(seed + 3), options.save)
  }

  /** Loads it, by an exchange, and puts it into service. */
  async open(): Promise<void> {
    const { id, operator } = this.#options
    const { open, ended } = await this.exchange()
    this.#overShortBefore = ended.terminal.over_short
    this.batch = open.terminal.batch
    await operator.setState(id, 'in_service', 'loaded')
    await this.use((machine) => machine.signOn())
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

  /** Switches it off, in order. */
  async close(): Promise<void> {
    if (this.#machine !== undefined) await this.#switchOff(this.#machine)
    this.#machine = undefined
  }

  /** Opens it: counts what is there, answers for suspects, and loads it anew. */
  async exchange(loaded: ByUnit = this.#options.loaded): Promise<Exchange> {
    const { id, operator } = this.#options
    const open = await operator.startExchange(id)
    const real = this.device.worth
    const counted = await operator.count(id, open.exchange, this.device.count())
    const answers = Object.fromEntries(
      open.suspects.map(({ withdrawal }) => [withdrawal, { dispensed: this.#toldOf(withdrawal) }]),
    )
    const ended = await operator.endExchange(id, { exchange: open.exchange, loaded, suspects: answers })
    this.device.load(loaded)
    for (const withdrawal of Object.keys(answers)) this.#settled.add(withdrawal)
    const mispicked = this.mispicked - this.#mispickedBefore
    this.#mispickedBefore = this.mispicked
    return { open, real, mispicked, answers, counted, ended, realAfter: this.device.worth }
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
    const { batch } = await operator.terminal(id)
    // Those whose answers were all lost.
    for (; this.batch < batch; this.batch += 1) this.closes.push(await operator.close(id, this.batch))
    const close = await operator.close(id, batch)
    const doubtful = this.#doubtsOf(machine)
    const namedAtClose = await operator.openExceptions(id)
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
      owed,
      refusals: this.#refusals,
    }
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
    for (const exception of await operator.openExceptions(id)) {
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
    const { id, currency, directory, enterPin, run, tell } = this.#options
    return Machine.boot({
      id,
      currency,
      directory: `${directory}/${id}`,
      device: this.device,
      line: this.line,
      faults: this.faults,
      enterPin,
      nextId: (kind) => {
        this.#operations += 1
        return `${kind}-${run}-${this.#operations}`
      },
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

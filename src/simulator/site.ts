/**
 * A machine where it stands: its customers, the power that it loses, and the operator who opens it. Knows in truth what
 * left it, since it has the metal.
 */
import { type Chance, prng } from '../outside/chance.ts'
import type { Wire } from '../outside/wire.ts'
import { Device, type DeviceState, PowerCut } from './device.ts'
import { Faults, type Odds } from './faults.ts'
import { Line, pause } from './line.ts'
import { type Batch, Machine, type PinEntry, type Withdrawn } from './machine.ts'
import { type ByUnit, type ByValue, money, notesInWords, numberOf, plus, worthOf } from './notes.ts'
import type { Counted, Exception, Exchanged, ExchangeOpen, Operator } from './operator.ts'

/** Somebody with a card, and how much cash they have in their pockets is in the devices' books. */
export type Customer = { readonly pan: string; readonly pin: string | undefined; readonly account: string }

export type SiteOptions = {
  readonly id: string
  readonly currency: string
  readonly directory: string
  /** Of the terminal's own credential; the operator has another. */
  readonly wire: Wire
  readonly operator: Operator
  readonly device: DeviceState
  readonly odds: Odds
  readonly seed: number
  readonly patienceMs: number
  /** How long it may be without power at the most. */
  readonly deadMaxMs: number
  readonly thinkMs: number
  readonly enterPin: PinEntry
  readonly customers: readonly Customer[]
  readonly loaded: ByUnit
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

export type Figures = {
  withdrawals: number
  paid: number
  declined: number
  givenUp: number
  inDoubt: number
  deposits: number
  inquiries: number
  closes: number
  exchanges: number
  powerCuts: number
}

/** What is known of a machine at the end, from both sides. */
export type SiteFacts = {
  readonly id: string
  readonly overShortBefore: number
  readonly device: DeviceState
  /** Withdrawals of which the machine itself does not know what left, and that no exchange has settled before. */
  readonly doubtful: readonly string[]
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
  readonly figures: Figures = {
    withdrawals: 0,
    paid: 0,
    declined: 0,
    givenUp: 0,
    inDoubt: 0,
    deposits: 0,
    inquiries: 0,
    closes: 0,
    exchanges: 0,
    powerCuts: 0,
  }
  readonly faults: Faults
  readonly line: Line
  readonly device: Device
  readonly #options: SiteOptions
  readonly #chance: Chance
  readonly #closes: Batch[] = []
  /** Withdrawals that an exchange has answered for. */
  readonly #settled = new Set<string>()
  readonly #refusals: string[] = []
  #machine: Machine | undefined
  #batch = 0
  #operations = 0
  #mispickedBefore = 0
  #overShortBefore = 0

  constructor(options: SiteOptions) {
    const { seed, odds, wire, patienceMs } = options
    this.#options = options
    this.#chance = prng(seed)
    this.faults = new Faults(odds, prng(seed + 1))
    this.line = new Line({ wire, faults: this.faults, chance: prng(seed + 2), patienceMs })
    this.device = new Device(options.device, prng(seed + 3))
  }

  /** Loads it, by an exchange, and puts it into service. */
  async open(): Promise<void> {
    const { id, operator, loaded } = this.#options
    const { open, ended } = await this.exchange(loaded)
    this.#overShortBefore = ended.over_short
    this.#batch = open.terminal.batch
    await operator.setState(id, 'in_service', 'loaded')
    this.#machine = await this.#boot()
    await this.#machine.signOn()
  }

  /** Customers come, one after the other, for as long as `goesOn`. */
  async run(goesOn: (operations: number) => boolean): Promise<void> {
    while (goesOn(this.#operations)) {
      try {
        this.#machine ??= await this.#boot()
        await this.#act(this.#machine)
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error
        await this.#dark(() => goesOn(this.#operations))
      }
      await pause(this.#chance(2 * this.#options.thinkMs + 1))
    }
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
    const close = await operator.close(id, batch)
    const doubtful = [...machine.told]
      .filter(([withdrawal, told]) => told?.outcome !== 'dispensed' && !this.#settled.has(withdrawal))
      .map(([withdrawal]) => withdrawal)
    const namedAtClose = await operator.openExceptions(id)
    const exchange = await this.exchange(this.#contentsOut())
    const exceptions = await this.#resolveAll()
    const stillOpen = (await operator.openExceptions(id)).length
    const closeAfter = await operator.close(id, batch + 1)
    await this.#switchOff(machine)
    return {
      id,
      overShortBefore: this.#overShortBefore,
      device: this.device.state,
      doubtful,
      closes: [...this.#closes, close, closeAfter],
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

  #contentsOut(): ByUnit {
    const out = this.device.state.units.filter(({ type }) => type === 'cash_out')
    return Object.fromEntries(out.map(({ id, notes }) => [id, numberOf(notes)]))
  }

  /** Whoever looks at an exception knows from the machine's own notes what left. */
  async #resolveAll(): Promise<SiteFacts['exceptions'][number][]> {
    const { id, operator } = this.#options
    const resolved: SiteFacts['exceptions'][number][] = []
    for (const exception of await operator.openExceptions(id)) {
      const { withdrawal, type } = exception
      // The machine said that it does not know, of what an exchange had settled before: that is no news.
      const isKnown =
        withdrawal !== null &&
        this.#settled.has(withdrawal) &&
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
    this.figures.powerCuts += 1
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

  async #act(machine: Machine): Promise<void> {
    const roll = this.#chance(100)
    if (roll < 6) await this.#inquire(machine)
    else if (roll < 18) await this.#deposit(machine)
    else if (roll < 21) await this.#close(machine)
    else if (roll < 22 || this.#isLow()) await this.#replenish()
    else await this.#withdraw(machine)
  }

  #customer(): Customer {
    const { customers } = this.#options
    const customer = customers[this.#chance(customers.length)]
    if (customer === undefined) throw new Error('a machine has customers')
    return customer
  }

  async #inquire(machine: Machine): Promise<void> {
    this.figures.inquiries += 1
    const said = await machine.balance(this.#customer())
    this.#tell(`balance: ${typeof said === 'string' ? said : money(said.available)}`)
  }

  async #withdraw(machine: Machine): Promise<void> {
    const amount = amounts[this.#chance(amounts.length)] ?? 2_000
    this.figures.withdrawals += 1
    const said = await machine.withdraw(this.#customer(), amount)
    if (said.outcome === 'declined') this.figures.declined += 1
    else if (said.outcome === 'given_up') this.figures.givenUp += 1
    else if (said.told.outcome === 'dispensed') this.figures.paid += 1
    else this.figures.inDoubt += 1
    this.#tell(`withdraw ${money(amount)}: ${this.inWords(said)}`)
  }

  async #deposit(machine: Machine): Promise<void> {
    const customer = this.#customer()
    const kinds = this.device.state.units.filter(({ type }) => type === 'cash_out').map(({ value }) => value)
    const values = Array.from({ length: 1 + this.#chance(6) }, () => kinds[this.#chance(kinds.length)] ?? 0)
    const notes = values.reduce<ByValue>((notes, value) => plus(notes, value, 1), {})
    this.figures.deposits += 1
    const said = await machine.deposit(customer, customer.account, notes)
    const came = said.outcome === 'declined' ? said.code : said.outcome
    this.#tell(`deposit ${money(worthOf(notes))}: ${came.replace('_', ' ')}`)
  }

  async #close(machine: Machine): Promise<void> {
    const report = await machine.close(this.#batch)
    if (report === undefined || typeof report === 'string')
      return this.#tell(`close: ${report ?? 'no answer'}`)
    this.figures.closes += 1
    this.#closes.push(report)
    this.#batch += 1
    this.#tell(`closed batch ${report.batch}: net ${money(report.net)}`)
  }

  async #replenish(): Promise<void> {
    this.figures.exchanges += 1
    const { counted, answers } = await this.exchange()
    const suspects = Object.keys(answers).length
    this.#tell(`exchange: variance ${money(counted.amount)}, ${suspects} suspects answered for`)
  }

  #isLow(): boolean {
    return this.device.state.units.some(({ type, notes }) => type === 'cash_out' && numberOf(notes) < 20)
  }

  /** What came of a withdrawal, as the customer saw it. */
  inWords(said: Withdrawn): string {
    if (said.outcome === 'declined') return `declined, ${said.code}`
    if (said.outcome === 'given_up') return `given up (${said.reason}), to be reversed`
    const { told } = said
    if (told.outcome === 'retracted') return 'nobody took the notes: retracted'
    if (told.outcome === 'unknown') return 'jammed: nobody knows what left'
    return notesInWords(this.#byValue(told.units))
  }

  #byValue(units: ByUnit): ByValue {
    const values = new Map(this.device.state.units.map(({ id, value }) => [id, value]))
    return Object.entries(units).reduce<ByValue>(
      (notes, [id, count]) => plus(notes, values.get(id) ?? 0, count),
      {},
    )
  }

  #tell(words: string): void {
    this.#options.tell(this.#options.id, words)
  }
}

/** What people ask for; the last one but one of them no machine has notes for. */
const amounts = [
  2_000, 3_000, 4_000, 5_000, 6_000, 6_000, 8_000, 10_000, 12_000, 15_000, 20_000, 1_500, 30_000,
]

/** Who comes to a machine, and what they want of it. Chance decides, by the seed. */
import type { Chance } from '../outside/chance.ts'
import type { Card } from './host.ts'
import { pause } from './line.ts'
import type { Machine, Withdrawn } from './machine.ts'
import { type ByValue, money, notesInWords, numberOf, plus, worthOf } from './notes.ts'
import type { Site } from './site.ts'

/** Somebody with a card. How much cash they got is in the books of the machines' metal. */
export type Customer = Card & { readonly account: string }

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
}

/** What people ask for; for 15.00 no machine has notes. */
const amounts = [
  2_000, 3_000, 4_000, 5_000, 6_000, 6_000, 8_000, 10_000, 12_000, 15_000, 20_000, 1_500, 30_000,
]
const lowAt = 20
const toldMaxMs = 10_000

export class Customers {
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
  }
  readonly #site: Site
  readonly #all: readonly Customer[]
  readonly #chance: Chance
  readonly #tell: (words: string) => void

  constructor(site: Site, all: readonly Customer[], chance: Chance, tell: (words: string) => void) {
    this.#site = site
    this.#all = all
    this.#chance = chance
    this.#tell = tell
  }

  /** They come one after the other, for as long as `goesOn` after so many of them. */
  async come(goesOn: (visits: number) => boolean, thinkMs: number): Promise<void> {
    for (let visits = 0; goesOn(visits); visits += 1) {
      if (this.#isLow()) await this.#replenish()
      await this.#site.use(
        (machine) => this.#visit(machine),
        () => goesOn(visits),
      )
      await pause(this.#chance(2 * thinkMs + 1))
    }
  }

  async #visit(machine: Machine): Promise<void> {
    const roll = this.#chance(100)
    if (roll < 6) await this.#inquire(machine)
    else if (roll < 18) await this.#deposit(machine)
    else if (roll < 21) await this.#closeBatch(machine)
    else if (roll < 22) await this.#replenish()
    else await this.#withdraw(machine)
  }

  #anybody(): Customer {
    const customer = this.#all[this.#chance(this.#all.length)]
    if (customer === undefined) throw new Error('a machine has customers')
    return customer
  }

  async #inquire(machine: Machine): Promise<void> {
    this.figures.inquiries += 1
    const said = await machine.balance(this.#anybody())
    this.#tell(`balance: ${typeof said === 'string' ? said : money(said.available)}`)
  }

  async #withdraw(machine: Machine): Promise<void> {
    const amount = amounts[this.#chance(amounts.length)] ?? 2_000
    this.figures.withdrawals += 1
    const said = await machine.withdraw(this.#anybody(), amount)
    this.#count(said)
    this.#tell(`withdraw ${money(amount)}: ${inWords(said, this.#site)}`)
  }

  #count(said: Withdrawn): void {
    if (said.outcome === 'declined') this.figures.declined += 1
    else if (said.outcome === 'given_up') this.figures.givenUp += 1
    else if (said.told.outcome === 'dispensed') this.figures.paid += 1
    else this.figures.inDoubt += 1
  }

  async #deposit(machine: Machine): Promise<void> {
    const customer = this.#anybody()
    const kinds = this.#site.device.state.units.filter(({ type }) => type === 'cash_out')
    const values = Array.from(
      { length: 1 + this.#chance(6) },
      () => kinds[this.#chance(kinds.length)]?.value ?? 0,
    )
    const notes = values.reduce<ByValue>((notes, value) => plus(notes, value, 1), {})
    this.figures.deposits += 1
    const said = await machine.deposit(customer, customer.account, notes)
    const came = said.outcome === 'declined' ? said.code : said.outcome
    this.#tell(`deposit ${money(worthOf(notes))}: ${came.replace('_', ' ')}`)
  }

  async #closeBatch(machine: Machine): Promise<void> {
    const site = this.#site
    const said = await site.closeBatch(machine)
    if (said === undefined || 'no' in said)
      return this.#tell(`close of batch ${site.batch}: ${said?.no ?? 'no answer'}`)
    this.figures.closes += 1
    const report = said.yes
    this.#tell(`closed batch ${report.batch}: net ${money(report.net)}`)
  }

  async #replenish(): Promise<void> {
    if (!(await this.#site.mayBeOpened(toldMaxMs)))
      return this.#tell('stays shut: it has not told its host everything')
    this.figures.exchanges += 1
    const { counted, answers } = await this.#site.exchange()
    const suspects = Object.keys(answers).length
    this.#tell(`exchange: variance ${money(counted.amount)}, ${suspects} suspects answered for`)
  }

  #isLow(): boolean {
    return this.#site.device.state.units.some(
      ({ type, notes }) => type === 'cash_out' && numberOf(notes) < lowAt,
    )
  }
}

/** What came of a withdrawal, as the customer saw it. */
export function inWords(said: Withdrawn, site: Site): string {
  if (said.outcome === 'declined') return `declined, ${said.code}`
  if (said.outcome === 'given_up') return `no answer, no cash: to be reversed (${said.reason})`
  const { told } = said
  if (told.outcome === 'retracted') return 'nobody took the notes: retracted'
  if (told.outcome === 'unknown') return 'jammed: nobody knows what left'
  return notesInWords(site.byValue(told.units))
}

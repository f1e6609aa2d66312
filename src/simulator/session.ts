/**
 * One machine by hand: what a person types at it, and what it prints. Its journal, its advices and its notes stay in a
 * directory, so that the next time it is the same machine.
 */
import { minorOf } from '../outside/money.ts'
import { Wire } from '../outside/wire.ts'
import { type Customer, inWords } from './customers.ts'
import { type DeviceState, emptyDevice } from './device.ts'
import { AskedWrongError, type Odds } from './faults.ts'
import { reach } from './iso8583/iso-host.ts'
import type { IsoAddress } from './iso8583/iso-wire.ts'
import type { Machine, Withdrawn } from './machine.ts'
import { type ByValue, money, notesInWords, numberOf, plus, worthOf } from './notes.ts'
import { Operator, unitsAsIn } from './operator.ts'
import type { PinEntry } from './pin-entry.ts'
import { Site } from './site.ts'
import { readWhole, writeWhole } from './whole-file.ts'

export type SessionOptions = {
  readonly terminal: string
  readonly directory: string
  readonly url: URL
  /** Where it speaks ISO 8583, if it does. */
  readonly iso8583: IsoAddress | undefined
  /** The terminal's own, and an operator's; none where the host is in demo mode. */
  readonly credential: string | undefined
  readonly operatorCredential: string | undefined
  readonly customer: Customer
  readonly enterPin: PinEntry
  readonly odds: Odds
  readonly seed: number
  readonly print: (line: string) => void
}

export const sessionHelp = `balance · withdraw 60 · deposit 2x50 1x20 · notes (what is in it) · close (its batch)
exchange (is opened, counted, answers for suspects, and filled again) · quit`

const patienceMs = 5_000
const deadMaxMs = 1_000

export class Session {
  readonly #options: SessionOptions
  readonly #site: Site
  readonly #currency: string
  readonly #hangUp: () => void

  private constructor(options: SessionOptions, site: Site, currency: string, hangUp: () => void) {
    this.#options = options
    this.#site = site
    this.#currency = currency
    this.#hangUp = hangUp
  }

  /** Switches the machine on: what it owes the host, it tells. The first time the host's counts are taken for its notes. */
  static async open(options: SessionOptions): Promise<Session> {
    const { terminal: id, directory, url, odds, seed, print } = options
    const wire = new Wire(url, options.credential)
    const operatorWire = new Wire(url, options.operatorCredential)
    const run = Date.now().toString(36)
    const operator = new Operator(operatorWire, run)
    const own = new Operator(wire, `${run}-t`)
    await own.reach()
    if (options.iso8583 !== undefined) await reach(options.iso8583)
    const terminal = await own.terminal(id)
    const path = `${directory}/${id}/notes.json`
    const kept = readWhole(path)
    const device: DeviceState =
      kept !== undefined ? JSON.parse(kept) : { ...emptyDevice([]), units: unitsAsIn(terminal) }
    const loaded = Object.fromEntries(
      device.units.filter(({ type }) => type === 'cash_out').map(({ id }) => [id, 100]),
    )
    const site = new Site({
      id,
      currency: terminal.currency,
      directory,
      wire,
      iso8583: options.iso8583 && { at: options.iso8583, isSilent: false },
      operator,
      device,
      save: (state) => writeWhole(path, JSON.stringify(state)),
      odds,
      seed,
      patienceMs,
      deadMaxMs,
      enterPin: options.enterPin,
      loaded,
      run,
      tell: (_, words) => print(`  ${words}`),
    })
    site.batch = terminal.batch
    const session = new Session(options, site, terminal.currency, () => {
      wire.close()
      operatorWire.close()
    })
    await site.signOn()
    return session
  }

  /** Does what one line asks for. Throws an AskedWrongError where it asks for nothing there is. */
  async do(line: string): Promise<void> {
    const [verb = '', ...words] = line.trim().split(/\s+/)
    switch (verb) {
      case '':
        return
      case 'help':
        return this.#print(sessionHelp)
      case 'balance':
        return this.#with((machine) => this.#balance(machine))
      case 'withdraw':
        return this.#with((machine) => this.#withdraw(machine, amountOf(words[0])))
      case 'deposit':
        return this.#with((machine) => this.#deposit(machine, notesOf(words)))
      case 'close':
        return this.#with((machine) => this.#close(machine))
      case 'notes':
        return this.#notes()
      case 'exchange':
        return this.#exchange()
      default:
        throw new AskedWrongError(`no machine can ${verb}; it can: ${sessionHelp}`)
    }
  }

  /** Switches it off, when it has told the host what it can. What it could not it tells the next time. */
  async close(): Promise<void> {
    const owed = await this.#site.use(async (machine) => {
      await machine.settle(patienceMs)
      return machine.owed
    })
    if (owed !== 0)
      this.#print(`  ${owed ?? 'some'} advices are still owed: they are sent when it is on again`)
    await this.#site.close()
    this.#hangUp()
  }

  /** Over a loss of power: when it is on again, it says what it found. */
  async #with(act: (machine: Machine) => Promise<void>): Promise<void> {
    const cuts = this.#site.powerCuts
    await this.#site.use(act)
    if (this.#site.powerCuts > cuts) await this.#site.use(async () => this.#print('  power is back'))
  }

  async #balance(machine: Machine): Promise<void> {
    const said = await machine.balance(this.#options.customer)
    if (typeof said === 'string') return this.#print(`  declined: ${said}`)
    this.#receipt('BALANCE', [
      ...rowOf('account', said.account),
      ['ledger', `${money(said.ledger)} ${said.currency}`],
      ['available', `${money(said.available)} ${said.currency}`],
    ])
  }

  async #withdraw(machine: Machine, amount: number): Promise<void> {
    const said = await machine.withdraw(this.#options.customer, amount)
    if (said.outcome !== 'told' || said.told.outcome !== 'dispensed')
      return this.#print(`  ${inWords(said, this.#site)}`)
    this.#receipt(
      'WITHDRAWAL',
      rowsOf(said, notesInWords(this.#site.byValue(said.told.units)), this.#currency),
    )
  }

  async #deposit(machine: Machine, notes: ByValue): Promise<void> {
    const { customer } = this.#options
    const said = await machine.deposit(customer, customer.account, notes)
    if (said.outcome === 'declined') return this.#print(`  declined: ${said.code}. Here are your notes`)
    if (said.outcome === 'given_up') return this.#print('  no answer from the host. Here are your notes')
    this.#receipt('DEPOSIT', [
      ['amount', `${money(said.amount)} ${this.#currency}`],
      ['notes', notesInWords(notes)],
    ])
  }

  async #close(machine: Machine): Promise<void> {
    await machine.settle(patienceMs)
    const said = await this.#site.closeBatch(machine)
    if (said === undefined || 'no' in said) return this.#print(`  ${said?.no ?? 'no answer'}`)
    const { batch, withdrawals, net, open, cash, transit, over_short } = said.yes
    this.#receipt(`BATCH ${batch} IS CLOSED`, [
      ['withdrawals', `${withdrawals.count}, ${money(withdrawals.amount)}`],
      ['net', money(net)],
      ['cash', money(cash)],
      ['transit', money(transit)],
      ['over/short', money(over_short)],
      ['carried over', open.map(({ id, state }) => `${id} ${state}`).join(', ') || 'nothing'],
    ])
  }

  #notes(): void {
    for (const { id, type, value, notes } of this.#site.device.state.units) {
      const what = type === 'cash_out' ? `${numberOf(notes)} × ${money(value)}` : notesInWords(notes)
      this.#print(`  ${id.padEnd(4)} ${type.padEnd(9)} ${what}`)
    }
    this.#print(`  ${money(this.#site.device.worth)} in all`)
  }

  async #exchange(): Promise<void> {
    await this.#site.use((machine) => machine.settle(patienceMs))
    if (!(await this.#site.mayBeOpened(patienceMs)))
      return this.#print(
        '  not yet: of what its host has not been told, silence would be taken for a dispense',
      )
    const { open, real, answers, counted, ended } = await this.#site.exchange()
    const suspects = Object.entries(answers).map(
      ([id, { dispensed }]) => `${id}: ${money(dispensed)} had left`,
    )
    this.#receipt('EXCHANGE', [
      ['the books had', money(open.terminal.cash)],
      ['counted', money(real)],
      ['variance', money(counted.amount)],
      ['suspects', suspects.join(', ') || 'none'],
      ['over/short', money(ended.terminal.over_short)],
      ['cash now', money(ended.terminal.cash)],
    ])
  }

  #receipt(title: string, rows: readonly (readonly [string, string])[]): void {
    const { terminal, customer } = this.#options
    this.#print(`  ${title.padEnd(24)} ${terminal} · card ••${customer.pan.slice(-4)}`)
    for (const [name, value] of rows) this.#print(`  ${name.padEnd(14)} ${value}`)
  }

  #print(line: string): void {
    this.#options.print(line)
  }
}

function rowsOf(said: Withdrawn & { outcome: 'told' }, notes: string, currency: string): [string, string][] {
  const { id, authorized } = said
  const { account, authorization_code: code, balance } = authorized
  return [
    ['notes', notes],
    ...rowOf('account', account),
    ...rowOf('available', balance && `${money(balance.available)} ${currency}`),
    ...rowOf('authorization', code),
    ['operation', id],
  ]
}

/** None of what nobody told. */
function rowOf(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]]
}

/** `60` or `60.00`. */
function amountOf(word: string | undefined): number {
  const amount = minorOf(word ?? '', 2)
  if (amount === undefined || amount <= 0) throw new AskedWrongError('how much? Such as: withdraw 60')
  return amount
}

/** `2x50 1x20`. */
function notesOf(words: readonly string[]): ByValue {
  const notes = words.reduce<ByValue>((notes, word) => {
    const [, count = '', value = ''] = /^([1-9][0-9]{0,2})x([0-9.]+)$/.exec(word) ?? []
    const minor = minorOf(value, 2)
    if (count === '' || minor === undefined)
      throw new AskedWrongError('which notes? Such as: deposit 2x50 1x20')
    return plus(notes, minor, Number(count))
  }, {})
  if (worthOf(notes) === 0) throw new AskedWrongError('which notes? Such as: deposit 2x50 1x20')
  return notes
}

/**
 * One cash machine: what it asks its host, when it moves notes, and what it does after a loss of power. Its rules:
 *
 * - Before it acts it writes down what it is about to do (`journal.ts`); after it has acted, what came of it.
 * - Notes are moved only after the host's yes to `start`, at most once for an id, and never once it has given up.
 * - What it must tell the host it tells until there is an answer (`advices.ts`).
 *
 * It does not know what really left: only what its dispenser says.
 */
import { type Advice, Advices } from './advices.ts'
import { type Device, type Mishaps, PowerCut, type Told } from './device.ts'
import { AskedWrongError, type Fault, type Faults } from './faults.ts'
import type { Authorized, Batch, Card, Host, Inquired, Refused, Said } from './host.ts'
import { Journal, type Kind } from './journal.ts'
import { pause } from './line.ts'
import { type ByUnit, type ByValue, numberOf, worthOf } from './notes.ts'

export type MachineOptions = {
  /** Where its journal and its advices are. */
  readonly directory: string
  readonly device: Device
  readonly host: Host
  readonly faults: Faults
  /** What happens, in words. */
  readonly tell: (words: string) => void
}

export type Declined = { readonly outcome: 'declined'; readonly id: string; readonly code: string }
export type GivenUp = { readonly outcome: 'given_up'; readonly id: string; readonly reason: string }
export type Withdrawn =
  | Declined
  | GivenUp
  | { readonly outcome: 'told'; readonly id: string; readonly told: Told; readonly authorized: Authorized }

export type Deposited =
  | Declined
  | GivenUp
  | { readonly outcome: 'taken'; readonly id: string; readonly amount: number }

/** An advice that was answered with a no, which no host may. */
export type Refusal = Refused & { readonly id: string }

const closeMaxMs = 3_000
const advicePauseMs = 200

export class Machine {
  /** Advices that the host refused. */
  readonly refusals: Refusal[] = []
  readonly #options: MachineOptions
  readonly #journal: Journal
  readonly #advices: Advices
  #isOn = true
  #sending: Promise<void> | undefined

  private constructor(options: MachineOptions, journal: Journal, advices: Advices) {
    this.#options = options
    this.#journal = journal
    this.#advices = advices
  }

  /** Has power again: reads what it was doing, asks its dispenser what came of it, and owes the host the rest. */
  static async boot(options: MachineOptions): Promise<Machine> {
    const journal = await Journal.open(`${options.directory}/journal`)
    const advices = await Advices.open(`${options.directory}/advices`)
    const strange = [...journal.unfinished, ...advices.owed].find(({ id }) => !options.host.knows(id))
    if (strange !== undefined)
      throw new AskedWrongError(
        `the host must still be told of ${strange.id}, which it knows by its other interface alone: switch the machine on once with that`,
      )
    const machine = new Machine(options, journal, advices)
    await machine.#recover()
    machine.#kick()
    return machine
  }

  /** What the host has not been told yet. */
  get owed(): number {
    return this.#advices.count
  }

  /** What its dispenser said of each withdrawal; undefined of one that it is at. */
  get told(): ReadonlyMap<string, Told | undefined> {
    return this.#journal.told
  }

  /** Withdrawals that left as they were asked for, of which it said nothing. */
  get unsaid(): ReadonlySet<string> {
    return this.#journal.unsaid
  }

  /** Whether it has asked for an operation of this name. */
  hasAsked(id: string): boolean {
    return this.#journal.last(id) !== undefined
  }

  signOn(): Promise<Said<unknown>> {
    return this.#options.host.signOn()
  }

  async balance(card: Card): Promise<Inquired | string> {
    const said = await this.#options.host.balance(card)
    if (said === undefined) return 'no answer'
    return 'no' in said ? said.no : said.yes
  }

  /** Pays out, or not. Throws PowerCut where that is what happens. Minor units. */
  async withdraw(card: Card, amount: number): Promise<Withdrawn> {
    const { device, host } = this.#options
    const id = host.newId('w')
    if (await this.#isClosing()) return this.#decline(id, 'closing')
    await this.#journal.write({ did: 'asked', id, amount })
    const asked = await host.authorize({ id, card, amount })
    if (asked === undefined) return this.#giveUp(id, 'withdrawal', 'timeout')
    if ('no' in asked) return this.#decline(id, asked.no)

    this.#mayDie('dies-before')
    const started = await host.start(id, asked.yes)
    if (started === undefined || 'no' in started) {
      const reason = started === undefined ? 'timeout' : 'cancelled'
      return this.#giveUp(id, 'withdrawal', reason)
    }
    this.#mayDie('dies-before')
    const authorized = started.yes
    const units = authorized.units ?? device.choose(amount)
    if (units === undefined) return this.#giveUp(id, 'withdrawal', 'no_dispense')
    const account = authorized.account ?? card.account ?? ''
    const told = await this.#dispenseOnce(id, { units, account })
    await this.#tell(told)
    return { outcome: 'told', id, told, authorized }
  }

  /** Takes notes that it counted, or gives them back. */
  async deposit(card: Card, account: string, notes: ByValue): Promise<Deposited> {
    const { device, host } = this.#options
    const id = host.newId('d')
    if (await this.#isClosing()) return this.#decline(id, 'closing')
    await this.#journal.write({ did: 'inserted', id, amount: worthOf(notes) })
    device.insert({ id, account, notes })
    this.#mayDie('dies-before')
    const said = await host.deposit({ id, card, notes })
    if (said === undefined) {
      const given = await this.#giveUp(id, 'deposit', 'timeout')
      device.giveBack(id)
      return given
    }
    if ('no' in said) {
      device.giveBack(id)
      return this.#decline(id, said.no)
    }
    await this.#journal.write({ did: 'accepted', id })
    this.#mayDie('dies-after')
    device.stack(id)
    return { outcome: 'taken', id, amount: said.yes.amount }
  }

  /** Closes a batch, however often that is asked. A yes without a report is one that somebody else must read. */
  async close(batch: number): Promise<Said<Batch | undefined>> {
    const { host } = this.#options
    if (host.close !== undefined) return host.close(batch)
    if (!this.#advices.has('closed')) await this.#owe({ id: host.newId('c'), says: 'closed' })
    return (await this.#isClosing()) ? undefined : { yes: undefined }
  }

  /**
   * Whether a close is still unanswered, after a while. What is asked for meanwhile would count into the batch that it
   * closes, and its end be taken from silence.
   */
  async #isClosing(): Promise<boolean> {
    if (this.#advices.has('closed')) await this.settle(closeMaxMs)
    return this.#advices.has('closed')
  }

  /** Waits until the host has been told everything, at most so long. */
  async settle(maxMs: number): Promise<void> {
    for (const endMs = performance.now() + maxMs; this.owed > 0 && performance.now() < endMs; await pause(20))
      this.#kick()
  }

  /** Loses its power, or is switched off: from here on it does nothing. */
  async switchOff(): Promise<void> {
    if (!this.#isOn) return
    this.#isOn = false
    this.#options.host.hangUp()
    await Promise.all([this.#journal.close(), this.#advices.close()])
  }

  async #dispenseOnce(id: string, { units, account }: { units: ByUnit; account: string }): Promise<Told> {
    const { device } = this.#options
    if (this.#journal.hasDispensed(id)) throw new Error(`notes are moved at most once for ${id}`)
    await this.#journal.write({ did: 'dispensing', id, units })
    const told = device.dispense({ id, units, account }, this.#mishaps())
    this.#mayDie('dies-after')
    await this.#journal.write({ did: 'dispensed', id, told })
    this.#mayDie('dies-after')
    return told
  }

  #mishaps(): Mishaps {
    const { faults } = this.#options
    const names = { partial: 'partial', jam: 'jam', retract: 'retract', 'dies-while': 'cut' } as const
    const mispick = faults.happens('mispick')
    const found = Object.entries(names).filter(([name]) => faults.happens(name as Fault))
    const end = found[0]?.[1]
    return { mispick, ...(end !== undefined && { end }) }
  }

  #mayDie(how: Fault): void {
    if (this.#options.faults.happens(how)) throw new PowerCut()
  }

  /** From here on no note leaves for it, whatever the host still answers. */
  async #giveUp(id: string, of: Kind, reason: string): Promise<GivenUp> {
    await this.#journal.write({ did: 'given_up', id, of, reason })
    await this.#oweReversal(id, of, reason)
    return { outcome: 'given_up', id, reason }
  }

  async #decline(id: string, code: string): Promise<Declined> {
    await this.#journal.write({ did: 'declined', id, code })
    return { outcome: 'declined', id, code }
  }

  /** What came of it: to the host, unless silence says the same. */
  async #tell(told: Told): Promise<void> {
    const { device, host } = this.#options
    const { id, outcome, units } = told
    const asked = this.#journal.amountOf(id)
    const left = device.worthOf(units)
    if (host.isSilent && outcome === 'dispensed' && left === asked)
      await this.#journal.write({ did: 'unsaid', id })
    else await this.#owe({ id, says: 'left', asked, left, told })
  }

  #oweReversal(id: string, of: Kind, reason: string): Promise<void> {
    return this.#owe({ id, says: 'nothing', of, asked: this.#journal.amountOf(id), reason })
  }

  async #owe(advice: Advice): Promise<void> {
    await this.#advices.add(advice)
    this.#kick()
  }

  async #recover(): Promise<void> {
    const { device } = this.#options
    const { inserted } = device
    if (inserted !== undefined) {
      if (this.#journal.last(inserted)?.did === 'accepted') device.stack(inserted)
      else device.giveBack(inserted)
    }
    for (const entry of this.#journal.unfinished) {
      const { id } = entry
      if (entry.did === 'asked') {
        await this.#giveUp(id, 'withdrawal', 'malfunction')
        this.#options.tell(`on again: no note had left for ${id}`)
      }
      if (entry.did === 'inserted') await this.#giveUp(id, 'deposit', 'malfunction')
      if (entry.did === 'given_up') await this.#oweReversal(id, entry.of, entry.reason)
      if (entry.did === 'dispensed') await this.#tell(entry.told)
      if (entry.did === 'dispensing') {
        const told = device.outcomeOf(id)
        await this.#journal.write({ did: 'dispensed', id, told })
        await this.#tell(told)
        this.#options.tell(`on again: ${foundInWords(told)} for ${id}`)
      }
    }
  }

  #kick(): void {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined
    })
  }

  /** One after the other, the oldest first, for as long as there are any. */
  async #send(): Promise<void> {
    for (let advice = this.#advices.first; advice !== undefined; advice = this.#advices.first) {
      const times = this.#advices.timesSaid(advice)
      const answer = await this.#options.host.advise(advice, times)
      if (!this.#isOn) return
      if (answer === undefined) {
        await pause(advicePauseMs)
        continue
      }
      const { id } = advice
      if (answer !== 'taken') this.refusals.push({ id, ...answer })
      if (advice.says !== 'closed') await this.#journal.write({ did: 'advised', id })
      if (this.#isOn) await this.#advices.done(advice)
    }
  }
}

function foundInWords({ outcome, units }: Told): string {
  if (outcome !== 'dispensed') return 'nobody knows what left'
  const count = numberOf(units)
  return `${count === 0 ? 'no note' : count === 1 ? '1 note' : `${count} notes`} had left`
}

/**
 * One cash machine: what it asks its host, when it moves notes, and what it does after a loss of power. Its rules:
 *
 * - Before it acts it writes down what it is about to do (`journal.ts`); after it has acted, what came of it.
 * - Notes are moved only after the host's yes to `start`, at most once for an id, and never once it has given up.
 * - What it must tell the host it tells until there is an answer (`advices.ts`).
 *
 * It does not know what really left: only what its dispenser says.
 */
import type { Answer } from '../outside/wire.ts'
import { type Advice, Advices } from './advices.ts'
import { type Device, type Mishaps, PowerCut, type Told } from './device.ts'
import type { Fault, Faults } from './faults.ts'
import { Journal, type Kind } from './journal.ts'
import { type Line, pause } from './line.ts'
import { type ByUnit, type ByValue, numberOf } from './notes.ts'

/** A card as it is put in, with the PIN that is typed. */
export type Card = { readonly pan: string; readonly pin: string | undefined }

/** How a PIN goes over the line: in clear, or as a block under the machine's key. */
export type PinEntry = (card: Card) => { readonly pin: string } | { readonly pin_block: string } | object

export type MachineOptions = {
  readonly id: string
  readonly currency: string
  /** Where its journal and its advices are. */
  readonly directory: string
  readonly device: Device
  readonly line: Line
  readonly faults: Faults
  readonly enterPin: PinEntry
  /** A name that no operation of this terminal ever had, such as `w-mwx1-17`. */
  readonly nextId: (kind: string) => string
  /** What happens, in words. */
  readonly tell: (words: string) => void
}

export type Declined = { readonly outcome: 'declined'; readonly id: string; readonly code: string }
export type GivenUp = { readonly outcome: 'given_up'; readonly id: string; readonly reason: string }
export type Withdrawn =
  | Declined
  | GivenUp
  | { readonly outcome: 'told'; readonly id: string; readonly told: Told; readonly authorized: Authorized }

export type Authorized = {
  readonly account: string
  readonly last4: string
  readonly units: ByUnit
  readonly authorization_code?: string
  readonly balance?: { readonly ledger: number; readonly available: number }
}

export type Deposited =
  | Declined
  | GivenUp
  | { readonly outcome: 'taken'; readonly id: string; readonly amount: number }
export type Inquired = {
  readonly account: string
  readonly currency: string
  readonly ledger: number
  readonly available: number
}

export type Batch = {
  readonly batch: number
  readonly open: readonly { readonly id: string; readonly state: string; readonly amount: number }[]
  readonly net: number
  readonly cash: number
  readonly transit: number
  readonly over_short: number
  readonly withdrawals: { readonly count: number; readonly amount: number }
}

/** An advice that was answered with a no, which no host may. */
export type Refusal = { readonly id: string; readonly path: string; readonly answer: string }

const triesMax = 3
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

  signOn(): Promise<Answer | undefined> {
    return this.#ask('/sign-on', {}, this.#options.nextId('s'))
  }

  async balance(card: Card): Promise<Inquired | string> {
    const body = { pan: card.pan, ...this.#options.enterPin(card), type: 'balance' }
    const answer = await this.#ask('/inquiries', body, this.#options.nextId('i'))
    if (answer === undefined) return 'no answer'
    return answer.status === 200 ? JSON.parse(answer.body) : codeOf(answer)
  }

  /** Pays out, or not. Throws PowerCut where that is what happens. Minor units. */
  async withdraw(card: Card, amount: number): Promise<Withdrawn> {
    const { currency, enterPin } = this.#options
    const id = this.#options.nextId('w')
    await this.#journal.write({ did: 'asked', id, amount })
    const asked = await this.#ask('/withdrawals', { id, pan: card.pan, ...enterPin(card), amount, currency })
    if (asked === undefined) return this.#giveUp(id, 'withdrawal', 'timeout')
    if (asked.status >= 300) return this.#decline(id, codeOf(asked))

    this.#mayDie('dies-before')
    const started = await this.#ask(`/withdrawals/${id}/start`, {})
    if (started?.status !== 200) {
      const reason = started === undefined ? 'timeout' : 'cancelled'
      return this.#giveUp(id, 'withdrawal', reason)
    }
    this.#mayDie('dies-before')
    const authorized: Authorized = JSON.parse(started.body)
    const told = await this.#dispenseOnce(id, authorized)
    await this.#owe(confirmOf(id, told))
    return { outcome: 'told', id, told, authorized }
  }

  /** Takes notes that it counted, or gives them back. */
  async deposit(card: Card, account: string, notes: ByValue): Promise<Deposited> {
    const { currency, device, enterPin } = this.#options
    const id = this.#options.nextId('d')
    await this.#journal.write({ did: 'inserted', id })
    device.insert({ id, account, notes })
    this.#mayDie('dies-before')
    const body = { id, pan: card.pan, ...enterPin(card), currency, notes }
    const answer = await this.#ask('/deposits', body, id)
    if (answer === undefined) {
      const given = await this.#giveUp(id, 'deposit', 'timeout')
      device.giveBack(id)
      return given
    }
    if (answer.status >= 300) {
      device.giveBack(id)
      return this.#decline(id, codeOf(answer))
    }
    await this.#journal.write({ did: 'accepted', id })
    this.#mayDie('dies-after')
    device.stack(id)
    return { outcome: 'taken', id, amount: JSON.parse(answer.body).amount }
  }

  /** Closes a batch, however often that is asked; undefined where no answer came. */
  async close(batch: number): Promise<Batch | string | undefined> {
    const answer = await this.#ask('/close', { batch }, `close-${batch}`)
    if (answer === undefined) return undefined
    return answer.status === 200 ? JSON.parse(answer.body) : codeOf(answer)
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
    await Promise.all([this.#journal.close(), this.#advices.close()])
  }

  async #dispenseOnce(id: string, { units, account }: Authorized): Promise<Told> {
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
    await this.#owe(reverseOf(id, of, reason))
    return { outcome: 'given_up', id, reason }
  }

  async #decline(id: string, code: string): Promise<Declined> {
    await this.#journal.write({ did: 'declined', id, code })
    return { outcome: 'declined', id, code }
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
      if (entry.did === 'given_up') await this.#owe(reverseOf(id, entry.of, entry.reason))
      if (entry.did === 'dispensed') await this.#owe(confirmOf(id, entry.told))
      if (entry.did === 'dispensing') {
        const told = device.outcomeOf(id)
        await this.#journal.write({ did: 'dispensed', id, told })
        await this.#owe(confirmOf(id, told))
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
      const { path, body, id } = advice
      const answer = await this.#ask(path, body, `${id}${path.slice(path.lastIndexOf('/'))}`, 1)
      if (!this.#isOn) return
      if (answer === undefined) {
        await pause(advicePauseMs)
        continue
      }
      if (answer.status !== 200)
        this.refusals.push({ id, path, answer: `${answer.status} ${codeOf(answer)}` })
      await this.#journal.write({ did: 'advised', id })
      if (this.#isOn) await this.#advices.done(advice)
    }
  }

  /** An answer that decides; undefined where none came in time. A withdrawal needs no key: its id is one. */
  #ask(path: string, body: object, key?: string, tries = triesMax): Promise<Answer | undefined> {
    const { id, line } = this.#options
    return line.ask(
      {
        method: 'POST',
        path: `/v1/terminals/${id}${path}`,
        body: JSON.stringify(body),
        ...(key !== undefined && { key: `${id}-${key}` }),
      },
      tries,
    )
  }
}

function foundInWords({ outcome, units }: Told): string {
  if (outcome !== 'dispensed') return 'nobody knows what left'
  const count = numberOf(units)
  return `${count === 0 ? 'no note' : count === 1 ? '1 note' : `${count} notes`} had left`
}

function confirmOf(id: string, { outcome, units, rejected }: Told): Advice {
  const body = { units, ...(numberOf(rejected) > 0 && { rejected }), outcome }
  return { id, path: `/withdrawals/${id}/confirm`, body }
}

function reverseOf(id: string, of: Kind, reason: string): Advice {
  return { id, path: `/${of}s/${id}/reverse`, body: { reason } }
}

/** The stable code of a no. */
export function codeOf({ status, body }: Answer): string {
  return /"code"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? String(status)
}

/**
 * A cash machine of the fleet in virtual time: its notes, its journal, what it owes the host, and the hands that its
 * cash ends in. It dispenses at most once for a withdrawal, and never without the yes to its start.
 */
import type { Chance } from '../support/chance.ts'
import type { Answer } from './front.ts'

export type Notes = Record<string, number>

/** What notes of each unit are worth. Minor units. */
export const values: Readonly<Record<string, number>> = { C1: 5_000, C2: 2_000, C3: 1_000 }

export function worth(notes: Notes): number {
  return Object.entries(notes).reduce((sum, [unit, count]) => sum + (values[unit] ?? 0) * count, 0)
}

/** The way to the host: undefined for silence, whatever the reason. */
export type Host = {
  ask(method: 'GET' | 'POST', path: string, body?: object, key?: string): Promise<Answer | undefined>
  sleep(ms: number): Promise<void>
}

export type Customer = { readonly account: string; readonly pan: string }

/** What the dispenser did, which is known here and, where it says so, to the machine. */
const troubles = [
  'partial',
  'jam',
  'retract',
  'mispick',
  'dies before',
  'dies while',
  'dies after',
  'forgets to confirm in time',
] as const

type Trouble = (typeof troubles)[number]

type Advice = { readonly id: string; readonly verb: 'confirm' | 'reverse'; readonly body: object }

export type MachineOptions = {
  readonly id: string
  readonly host: Host
  readonly chance: Chance
  /** Whether there is trouble at all. */
  readonly troubled: boolean
  /** Dispenses also where it was not told yes: to see that this is found. */
  readonly reckless?: boolean
  note(line: string): void
}

export class Machine {
  readonly id: string
  readonly #options: MachineOptions
  /** What is really in each unit that pays out, and in the retract unit by the unit it came from. */
  readonly notes: Notes = {}
  readonly retracted: Notes = {}
  /** What really left for each withdrawal, and what left beside it by mistake. */
  readonly left = new Map<string, number>()
  mispicked = 0
  readonly #owed: Advice[] = []
  #count = 0
  #keys = 0

  constructor(options: MachineOptions) {
    this.id = options.id
    this.#options = options
  }

  get path(): string {
    return `/v1/terminals/${this.id}`
  }

  key(): string {
    this.#keys += 1
    return `${this.id}-${this.#keys}`
  }

  /** One customer's withdrawal, from the card to the receipt; gives what the customer has in hand. */
  async serve({ pan }: Customer): Promise<number> {
    const { host, chance, note, reckless } = this.#options
    this.#count += 1
    const id = `w${this.#count}`
    const amount = 1_000 * (1 + chance(15))
    const asked = await this.#insist(`${this.path}/withdrawals`, {
      id,
      pan,
      pin: '1234',
      amount,
      currency: 'USD',
    })
    if (asked === undefined || (asked.status >= 500 && asked.status !== 201)) {
      // It gave up: whatever the host did, it is not to count.
      this.#owe(id, 'reverse', { reason: 'timeout' })
      return 0
    }
    if (asked.status !== 201) return 0
    if (chance(12) === 0) {
      note(`${this.id} ${id}: the customer walks away`)
      if (chance(2)) this.#owe(id, 'reverse', { reason: 'cancelled' })
      return 0
    }
    if (chance(15) === 0) await host.sleep(70_000)
    const units = (JSON.parse(asked.text) as { units: Notes }).units
    const started = await this.#insist(`${this.path}/withdrawals/${id}/start`, {})
    if (started?.status !== 200 && !reckless) {
      // Whether it was started is not known here, but that nothing was dispensed.
      if (started?.status !== 409) this.#owe(id, 'reverse', { reason: 'no_dispense' })
      return 0
    }
    return this.#dispense(id, units)
  }

  async #dispense(id: string, units: Notes): Promise<number> {
    const { host, chance, troubled, note } = this.#options
    const trouble: Trouble | undefined =
      troubled && chance(3) === 0 ? troubles[chance(troubles.length)] : undefined
    if (trouble !== undefined) note(`${this.id} ${id}: ${trouble}`)
    switch (trouble) {
      case 'partial': {
        const some = part(units, chance)
        this.#leave(id, some)
        this.#owe(id, 'confirm', { units: some })
        return worth(some)
      }
      case 'jam':
      case 'dies while': {
        const some = part(units, chance)
        this.#leave(id, some)
        if (trouble === 'dies while') await host.sleep(chance(400_000))
        this.#owe(id, 'confirm', { units: {}, outcome: 'unknown' })
        return worth(some)
      }
      case 'retract': {
        for (const [unit, count] of Object.entries(units)) {
          this.notes[unit] = (this.notes[unit] ?? 0) - count
          this.retracted[unit] = (this.retracted[unit] ?? 0) + count
        }
        this.left.set(id, 0)
        this.#owe(id, 'confirm', { units: {}, outcome: 'retracted' })
        return 0
      }
      case 'dies before':
        await host.sleep(chance(400_000))
        this.left.set(id, 0)
        this.#owe(id, 'reverse', { reason: 'no_dispense' })
        return 0
      default: {
        this.#leave(id, units)
        if (trouble === 'mispick') this.#mispick()
        if (trouble === 'dies after' || trouble === 'forgets to confirm in time')
          await host.sleep(chance(trouble === 'dies after' ? 30_000 : 500_000))
        this.#owe(id, 'confirm', { units })
        return worth(units)
      }
    }
  }

  #leave(id: string, units: Notes): void {
    for (const [unit, count] of Object.entries(units)) this.notes[unit] = (this.notes[unit] ?? 0) - count
    this.left.set(id, (this.left.get(id) ?? 0) + worth(units))
  }

  /** A note more than anybody knows of. */
  #mispick(): void {
    const unit = Object.keys(values).find((each) => (this.notes[each] ?? 0) > 0)
    if (unit === undefined) return
    this.notes[unit] = (this.notes[unit] ?? 0) - 1
    this.mispicked += values[unit] ?? 0
  }

  #owe(id: string, verb: Advice['verb'], body: object): void {
    this.#owed.push({ id, verb, body })
  }

  /** Sends what it owes, oldest first; what is not answered stays. */
  async forward(): Promise<void> {
    for (let advice = this.#owed[0]; advice !== undefined; advice = this.#owed[0]) {
      const { id, verb, body } = advice
      const answer = await this.#options.host.ask('POST', `${this.path}/withdrawals/${id}/${verb}`, body)
      if (answer?.status !== 200) return
      this.#owed.shift()
      // As a machine does that did not hear the answer.
      if (this.#options.chance(6) === 0) this.#owed.push(advice)
    }
  }

  /** The same request until it is answered, or the customer has waited long enough. */
  async #insist(path: string, body: object): Promise<Answer | undefined> {
    const { host, chance } = this.#options
    for (let tries = 0; tries < 4; tries += 1) {
      const answer = await host.ask('POST', path, body)
      if (answer !== undefined && answer.status < 500 && answer.status !== 423) return answer
      await host.sleep(200 + chance(2_000))
    }
    return undefined
  }

  /** Somebody opens it, counts, says what left where that is not known, and fills it up. */
  async exchange(): Promise<void> {
    const opened = await this.#persist(`${this.path}/exchange`, { action: 'start' })
    const { exchange, suspects } = opened as {
      exchange: string
      suspects: { withdrawal: string }[]
    }
    const bills = Object.entries(this.retracted).map(
      ([unit, count]) => [String(values[unit]), count] as const,
    )
    const units = {
      ...Object.fromEntries(Object.keys(values).map((unit) => [unit, this.notes[unit] ?? 0])),
      R1: {},
      T1: Object.fromEntries(bills),
    }
    await this.#persist(`${this.path}/counts`, { exchange, units })
    const loaded = { C1: 20, C2: 20, C3: 20 }
    await this.#persist(`${this.path}/exchange`, {
      action: 'end',
      exchange,
      mode: 'set',
      loaded,
      suspects: Object.fromEntries(
        suspects.map(({ withdrawal }) => [withdrawal, { dispensed: this.left.get(withdrawal) ?? 0 }]),
      ),
    })
    Object.assign(this.notes, loaded)
    for (const unit of Object.keys(this.retracted)) delete this.retracted[unit]
  }

  /** Under one key until it is done: whoever stands at the machine does not go away. */
  async #persist(path: string, body: object): Promise<object> {
    const key = this.key()
    for (;;) {
      const answer = await this.#options.host.ask('POST', path, body, key)
      if (answer !== undefined && answer.status < 300) return JSON.parse(answer.text) as object
      if (answer !== undefined && answer.status < 500 && answer.status !== 423 && answer.status !== 409)
        throw new Error(`${path} ${JSON.stringify(body)}: ${answer.status} ${answer.text}`)
      await this.#options.host.sleep(500)
    }
  }
}

function part(units: Notes, chance: Chance): Notes {
  return Object.fromEntries(Object.entries(units).map(([unit, count]) => [unit, chance(count + 1)]))
}

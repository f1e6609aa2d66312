/**
 * The metal of a machine: cassettes with real notes, the slot where customers take and give them, bins. It does what
 * it is told, also twice, and keeps over a loss of power what it believes to have done last. What really left is
 * written down beside it, as somebody who stood there would have seen it; the machine learns of that only when it is
 * opened and counted. Knows no host.
 */
import type { Chance } from '../outside/chance.ts'
import { mixOf } from './mix.ts'
import { type ByUnit, type ByValue, numberOf, plus, worthOf } from './notes.ts'

export type UnitType = 'cash_out' | 'cash_in' | 'reject' | 'retract'

/** A unit and what is in it: of one that pays out so many notes of its value, of the others notes by value. */
export type Unit = {
  readonly id: string
  readonly type: UnitType
  readonly value: number
  readonly notes: ByValue
}

/** What the dispenser says of an order. `units` are notes it knows to have been taken. */
export type Told = {
  readonly id: string
  readonly outcome: 'dispensed' | 'retracted' | 'unknown'
  readonly units: ByUnit
  readonly rejected: ByUnit
}

/** What came of a withdrawal in truth. `mispicked` of `left` is what nobody will have told the host. Minor units. */
export type Left = { readonly account: string; readonly left: number; readonly mispicked: number }

type Inserted = { readonly id: string; readonly account: string; readonly notes: ByValue }

export type DeviceState = {
  readonly units: readonly Unit[]
  readonly last: Told | null
  /** Notes that a customer put in, counted and not yet in a unit. */
  readonly escrow: Inserted | null
  /** By withdrawal. */
  readonly left: Readonly<Record<string, Left>>
  /** By deposit. */
  readonly paidIn: Readonly<Record<string, { readonly account: string; readonly amount: number }>>
}

export type Order = { readonly id: string; readonly units: ByUnit; readonly account: string }

/** What goes wrong with an order; `cut` is a loss of power. */
export type Mishaps = {
  readonly mispick?: boolean
  readonly end?: 'partial' | 'jam' | 'retract' | 'cut'
}

/** The machine has no power: nothing it was doing goes on. */
export class PowerCut extends Error {}

/** A note on its way: the unit that it is believed to be of, none where nobody knows of it. */
type Picked = { readonly unit: string | undefined; readonly value: number }

export class Device {
  #state: DeviceState
  readonly #chance: Chance
  readonly #save: (state: DeviceState) => void

  constructor(state: DeviceState, chance: Chance, save: (state: DeviceState) => void = () => {}) {
    this.#state = state
    this.#chance = chance
    this.#save = save
  }

  get state(): DeviceState {
    return this.#state
  }

  /** Moves notes to the slot, from where the customer takes them. Throws PowerCut where that is the mishap. */
  dispense(order: Order, { mispick = false, end }: Mishaps = {}): Told {
    const due = Object.entries(order.units).flatMap(([unit, count]) => Array<string>(count).fill(unit))
    const fails = end === 'partial' || end === 'jam'
    const picked = this.#pick(fails ? due.slice(0, this.#chance(due.length)) : due, mispick)
    if (end === 'retract') return this.#retract(order, picked)
    if (end === 'jam') return this.#jam(order, picked)
    if (end === 'cut') this.#cut(order, picked)
    return this.#hand(order, picked, { outcome: 'dispensed', units: unitsOf(picked), rejected: {} })
  }

  /** What it believes to have done of an order; of one that never reached it: nothing. */
  outcomeOf(id: string): Told {
    const { last } = this.#state
    return last?.id === id ? last : { id, outcome: 'dispensed', units: {}, rejected: {} }
  }

  /** Takes a customer's notes and counts them; they can still be given back. */
  insert(inserted: Inserted): void {
    this.#change({ escrow: inserted })
  }

  get inserted(): string | undefined {
    return this.#state.escrow?.id
  }

  /** From here on they are the bank's. */
  stack(id: string): void {
    const { escrow, paidIn } = this.#state
    if (escrow?.id !== id) return
    const { account, notes } = escrow
    for (const [value, count] of Object.entries(notes)) this.#put('cash_in', Number(value), count)
    this.#change({ escrow: null, paidIn: { ...paidIn, [id]: { account, amount: worthOf(notes) } } })
  }

  giveBack(id: string): void {
    if (this.#state.escrow?.id === id) this.#change({ escrow: null })
  }

  /** What is in each unit, as whoever opens the machine counts it. */
  count(): Record<string, number | ByValue> {
    return Object.fromEntries(
      this.#state.units.map(({ id, type, notes }) => [id, type === 'cash_out' ? numberOf(notes) : notes]),
    )
  }

  /** The notes that it would give for an amount, where that is left to it; undefined where it has none that make it. */
  choose(amount: number): ByUnit | undefined {
    return mixOf(this.#state.units, amount)
  }

  /** What notes of its units are worth. */
  worthOf(units: ByUnit): number {
    const values = new Map(this.#state.units.map(({ id, value }) => [id, value]))
    return Object.entries(units).reduce((sum, [id, count]) => sum + (values.get(id) ?? 0) * count, 0)
  }

  /** What all its notes are worth. */
  get worth(): number {
    return this.#state.units.reduce((sum, { notes }) => sum + worthOf(notes), 0)
  }

  /** Takes everything out, and puts so many notes into the units that pay out. */
  load(loaded: ByUnit): void {
    const units = this.#state.units.map((unit) => {
      const count = unit.type === 'cash_out' ? (loaded[unit.id] ?? 0) : 0
      return { ...unit, notes: count === 0 ? {} : { [unit.value]: count } }
    })
    this.#change({ units })
  }

  /** An empty cassette ends it early. */
  #pick(due: readonly string[], mispick: boolean): Picked[] {
    const wrongAt = mispick ? this.#chance(Math.max(1, due.length)) : -1
    const picked: Picked[] = []
    for (const [i, unit] of due.entries()) {
      const note = i === wrongAt ? this.#pickWrong(unit) : this.#take(unit)
      if (note === undefined) break
      picked.push({ unit, value: note })
      // Two notes that stuck together count as one.
      const second = i === wrongAt && this.#chance(2) === 0 ? this.#take(unit) : undefined
      if (second !== undefined) picked.push({ unit: undefined, value: second })
    }
    return picked
  }

  #pickWrong(unit: string): number | undefined {
    const others = this.#state.units.filter(
      ({ id, type, notes }) => type === 'cash_out' && id !== unit && numberOf(notes) > 0,
    )
    const other = others[this.#chance(Math.max(1, others.length))]
    return this.#take(other?.id ?? unit)
  }

  #take(id: string): number | undefined {
    const unit = this.#state.units.find((each) => each.id === id)
    if (unit === undefined || numberOf(unit.notes) === 0) return undefined
    this.#changeUnit(id, unit.value, -1)
    return unit.value
  }

  #put(type: UnitType, value: number, count = 1): void {
    const unit = this.#state.units.find((each) => each.type === type)
    if (unit === undefined) throw new Error(`the machine has a unit of type ${type}`)
    this.#changeUnit(unit.id, value, count)
  }

  #changeUnit(id: string, value: number, count: number): void {
    const units = this.#state.units.map((unit) =>
      unit.id === id ? { ...unit, notes: plus(unit.notes, value, count) } : unit,
    )
    this.#state = { ...this.#state, units }
  }

  /** The customer takes the notes. */
  #hand({ id, account }: Order, picked: readonly Picked[], told: Omit<Told, 'id'>): Told {
    const before = this.#state.left[id] ?? { left: 0, mispicked: 0 }
    const left = picked.reduce((sum, { value }) => sum + value, 0)
    const mispicked = left - this.#believed(picked)
    const sum = { account, left: before.left + left, mispicked: before.mispicked + mispicked }
    const last = { id, ...told }
    this.#change({ left: { ...this.#state.left, [id]: sum }, last })
    return last
  }

  #believed(picked: readonly Picked[]): number {
    const values = new Map(this.#state.units.map(({ id, value }) => [id, value]))
    return picked.reduce((sum, { unit = '' }) => sum + (values.get(unit) ?? 0), 0)
  }

  #retract(order: Order, picked: readonly Picked[]): Told {
    for (const { value } of picked) this.#put('retract', value)
    return this.#hand(order, [], { outcome: 'retracted', units: unitsOf(picked), rejected: {} })
  }

  /** The customer has some of the notes, the rest is in the reject unit, and nobody counted either. */
  #jam(order: Order, picked: readonly Picked[]): Told {
    const taken = this.#chance(picked.length + 1)
    for (const { value } of picked.slice(taken)) this.#put('reject', value)
    return this.#hand(order, picked.slice(0, taken), { outcome: 'unknown', units: {}, rejected: {} })
  }

  /** Before the slot opened, after the customer had taken the notes, or in between, when nobody can tell. */
  #cut(order: Order, picked: readonly Picked[]): never {
    const when = this.#chance(3)
    if (when === 0) {
      for (const { value } of picked) this.#put('reject', value)
      this.#hand(order, [], { outcome: 'dispensed', units: {}, rejected: unitsOf(picked) })
    } else if (when === 1) {
      this.#hand(order, picked, { outcome: 'dispensed', units: unitsOf(picked), rejected: {} })
    } else {
      this.#jam(order, picked)
    }
    throw new PowerCut()
  }

  #change(change: Partial<DeviceState>): void {
    this.#state = { ...this.#state, ...change }
    this.#save(this.#state)
  }
}

function unitsOf(picked: readonly Picked[]): ByUnit {
  return picked.reduce<ByUnit>((units, { unit }) => (unit === undefined ? units : plus(units, unit, 1)), {})
}

/** A machine that was never used, with nothing in it. */
export function emptyDevice(units: readonly { id: string; type: UnitType; value?: number }[]): DeviceState {
  return {
    units: units.map(({ id, type, value = 0 }) => ({ id, type, value, notes: {} })),
    last: null,
    escrow: null,
    left: {},
    paidIn: {},
  }
}

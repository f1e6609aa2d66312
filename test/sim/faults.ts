/** What goes wrong in a run, and how often: counted by kind, each kind with a switch, so that a run can be shrunk. */
import type { Chance } from '../support/chance.ts'

export const faultKinds = ['store', 'shut', 'lock', 'slow', 'crash', 'network', 'wall'] as const
export type FaultKind = (typeof faultKinds)[number]

export class Faults {
  readonly counts = new Map<string, number>()
  readonly #on: ReadonlySet<FaultKind>
  readonly #chance: Chance
  /** Nothing goes wrong any more: what is open is to be resolved. */
  over = false

  constructor(on: readonly FaultKind[], chance: Chance) {
    this.#on = new Set(on)
    this.#chance = chance
  }

  /** Whether a fault of this kind happens now, once in so many times; counted under its name where it does. */
  happens(kind: FaultKind, name: string, onceIn: number): boolean {
    // Drawn in any case: without one kind, the others happen where they did.
    const drawn = this.#chance(onceIn) === 0
    if (!drawn || this.over || !this.#on.has(kind)) return false
    this.count(name)
    return true
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }
}

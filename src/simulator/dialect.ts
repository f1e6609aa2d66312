/** How one machine speaks to its host, REST or ISO 8583: what there is of that also while it is switched off. */
import { prng } from '../outside/chance.ts'
import type { Wire } from '../outside/wire.ts'
import { AskedWrongError } from './faults.ts'
import type { Host } from './host.ts'
import { IsoHost } from './iso8583/iso-host.ts'
import { type IsoAddress, IsoWire } from './iso8583/iso-wire.ts'
import { ownIdIn } from './iso8583/stamp.ts'
import { Stans } from './iso8583/stans.ts'
import type { Line } from './line.ts'
import type { PinEntry } from './pin-entry.ts'
import { RestHost } from './rest-host.ts'

export type DialectOptions = {
  readonly id: string
  readonly currency: string
  /** Of the terminal's own credential. */
  readonly wire: Wire
  /** Where it speaks ISO 8583, and whether it says nothing of what left as it was asked for; else it speaks REST. */
  readonly iso8583?: { readonly at: IsoAddress; readonly isSilent: boolean } | undefined
  readonly enterPin: PinEntry
  readonly seed: number
  /** Begins the ids of its operations: no run ever had it. */
  readonly run: string
}

// Of field 41.
const idMax = 8

export class Dialect {
  readonly speaks: 'rest' | 'iso8583'
  readonly #options: DialectOptions
  readonly #isoWire: IsoWire | undefined
  #operations = 0

  constructor(options: DialectOptions) {
    const { id, iso8583 } = options
    if (iso8583 !== undefined && id.length > idMax)
      throw new AskedWrongError(
        `${id} has more than the ${idMax} characters that a message has for a terminal`,
      )
    this.speaks = iso8583 === undefined ? 'rest' : 'iso8583'
    this.#options = options
    this.#isoWire = iso8583 && new IsoWire(iso8583.at)
  }

  /** The host as the machine knows it from when it is switched on; `directory` is the machine's own. */
  host(line: Line, directory: string): Host {
    const { id: terminal, currency, wire, iso8583, enterPin, seed, run } = this.#options
    const common = { terminal, currency, line, enterPin }
    if (iso8583 === undefined || this.#isoWire === undefined) {
      const nextId = (kind: string) => {
        this.#operations += 1
        return `${kind}-${run}-${this.#operations}`
      }
      return new RestHost({ ...common, wire, nextId })
    }
    const stans = new Stans(`${directory}/stan`)
    const { isSilent } = iso8583
    return new IsoHost({ ...common, wire: this.#isoWire, stans, chance: prng(seed), isSilent })
  }

  /** The machine's name of what the host named so. */
  own(named: string): string {
    return this.speaks === 'rest' ? named : ownIdIn(named)
  }

  /** The line is down: what is on it is lost. */
  drop(): void {
    this.#isoWire?.drop()
  }

  close(): void {
    this.#isoWire?.close()
  }
}

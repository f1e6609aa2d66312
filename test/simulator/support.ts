/** A machine with a line that answers what a test says, and power that goes where a test says. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer, Lost, Sent } from '../../src/outside/wire.ts'
import { Device, emptyDevice, PowerCut } from '../../src/simulator/device.ts'
import { type Fault, Faults } from '../../src/simulator/faults.ts'
import type { Card, Host } from '../../src/simulator/host.ts'
import { Line } from '../../src/simulator/line.ts'
import { Machine } from '../../src/simulator/machine.ts'
import type { ByUnit } from '../../src/simulator/notes.ts'
import { enterClearPin } from '../../src/simulator/pin-entry.ts'
import { RestHost } from '../../src/simulator/rest-host.ts'
import { prng, seed } from '../support/chance.ts'

export const card: Card = { pan: '4761739001010119', pin: '1234' }

type Scope = { after(then: () => Promise<void>): void }

type Said = Answer | 'lost'

/** What the host answers: by the last word of the path, or `authorize`; `lost` for nothing at all. */
export type Say = (verb: string, body: Record<string, unknown>, time: number) => Said | Promise<Said>

export function answer(status: number, body: object = {}): Answer {
  return { status, body: JSON.stringify(body), retryAfterMs: 0 }
}

/** Says yes to everything: each withdrawal is one note of C1 and one of C3. */
export const yes: Say = (verb, { id }) => {
  if (verb === 'authorize') return answer(201, { id, state: 'authorized' })
  if (verb === 'start') return answer(200, { account: '1', last4: '0119', units: { C1: 1, C3: 1 } })
  if (verb === 'deposits') return answer(201, { amount: 12_000 })
  return answer(200)
}

/** A machine on a bench, with power that goes where a test says, and a host that its heirs know. */
export abstract class MachineBench {
  readonly directory: string
  readonly device: Device
  /** The faults that are to happen, each once, in this order where one is asked for. */
  happen: Fault[] = []
  readonly #machines: Machine[] = []

  readonly #patienceMs: number

  constructor(scope: Scope, { loaded, patienceMs }: { loaded: ByUnit; patienceMs: number }) {
    this.#patienceMs = patienceMs
    this.directory = mkdtempSync(join(tmpdir(), 'cashpoint-machine-'))
    scope.after(async () => {
      for (const machine of this.#machines) await machine.switchOff()
      rmSync(this.directory, { recursive: true, force: true })
    })
    const units = [
      { id: 'C1', type: 'cash_out', value: 5_000 },
      { id: 'C2', type: 'cash_out', value: 2_000 },
      { id: 'C3', type: 'cash_out', value: 1_000 },
      { id: 'D1', type: 'cash_in' },
      { id: 'R1', type: 'reject' },
      { id: 'T1', type: 'retract' },
    ] as const
    this.device = new Device(emptyDevice(units), prng(seed))
    this.device.load(loaded)
  }

  protected abstract host(line: Line): Host

  async boot(): Promise<Machine> {
    const faults = new Faults({}, prng(seed))
    faults.happens = (name) => {
      const at = this.happen.indexOf(name)
      if (at >= 0) this.happen.splice(at, 1)
      return at >= 0
    }
    const machine = await Machine.boot({
      directory: this.directory,
      device: this.device,
      host: this.host(new Line({ faults, chance: prng(seed), patienceMs: this.#patienceMs })),
      faults,
      tell: () => {},
    })
    this.#machines.push(machine)
    return machine
  }

  /** Does it and loses power over it; gives the machine when it is on again and has told all it owed. */
  async over(cut: Fault, act: (machine: Machine) => Promise<unknown>): Promise<Machine> {
    const machine = await this.boot()
    this.happen = [cut]
    await act(machine).then(
      () => Promise.reject(new Error(`${cut} happens`)),
      (error) => {
        if (!(error instanceof PowerCut)) throw error
      },
    )
    await machine.switchOff()
    const again = await this.boot()
    await again.settle(2_000)
    return again
  }

  /** What really left for a withdrawal. */
  left(id: string): number {
    return this.device.state.left[id]?.left ?? 0
  }
}

export class Bench extends MachineBench {
  /** What arrived at the host: `authorize w-1`, `confirm w-1 C1=1`. */
  readonly heard: string[] = []
  say: Say
  readonly #times = new Map<string, number>()
  #ids = 0

  constructor(scope: Scope, say: Say = yes) {
    super(scope, { loaded: { C1: 10, C3: 10 }, patienceMs: 40 })
    this.say = say
  }

  protected override host(line: Line): Host {
    return new RestHost({
      terminal: 'T',
      currency: 'USD',
      wire: { send: (sent) => this.#send(sent) },
      line,
      enterPin: enterClearPin,
      nextId: (kind) => {
        this.#ids += 1
        return `${kind}-${this.#ids}`
      },
    })
  }

  async #send({ path, body = '{}' }: Sent): Promise<Answer | Lost> {
    const content = JSON.parse(body)
    const [, , , of = '', id = content.id ?? '', verb = of === 'withdrawals' ? 'authorize' : of] = path
      .slice(1)
      .split('/')
    const units = Object.entries(content.units ?? {}).map(([unit, count]) => `${unit}=${count}`)
    const heard = [verb, id, ...units, ...(content.outcome === 'dispensed' ? [] : [content.outcome ?? ''])]
    this.heard.push(heard.filter((word) => word !== '').join(' '))
    const time = (this.#times.get(`${verb} ${id}`) ?? 0) + 1
    this.#times.set(`${verb} ${id}`, time)
    const said = await this.say(verb, content, time)
    return said === 'lost' ? { lost: 'cut off', sent: true } : said
  }
}

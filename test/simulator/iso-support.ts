/** A machine that speaks ISO 8583 with a real host: the listener over a real bank, whose messages are looked on at. */
import type { Host } from '../../src/simulator/host.ts'
import { IsoHost } from '../../src/simulator/iso8583/iso-host.ts'
import { IsoWire } from '../../src/simulator/iso8583/iso-wire.ts'
import { Stans } from '../../src/simulator/iso8583/stans.ts'
import type { Line } from '../../src/simulator/line.ts'
import { enterPinBlock, readPinKey } from '../../src/simulator/pin-entry.ts'
import { type Iso, pans, serveIso } from '../iso8583/support.ts'
import { prng, seed } from '../support/chance.ts'
import { MachineBench } from './support.ts'

type Scope = { after(then: () => Promise<void> | void): void }

export const card = { pan: pans.b, pin: '1234', account: 'A' }

/** The key that the terminal of `serveIso` has. */
const key = readPinKey('tdes:11111111111111112222222222222222')

/** What passed, the newest last: `0200 000001`, `0210 000001 39=00`. */
export type Heard = {
  readonly type: string
  readonly stan: string
  readonly fields: Readonly<Record<number, string>>
}

export class IsoBench extends MachineBench {
  readonly iso: Iso
  readonly wire: IsoWire
  readonly heard: Heard[] = []
  isSilent = false

  static async on(scope: Scope): Promise<IsoBench> {
    const iso = await serveIso(scope)
    const bench = new IsoBench(scope, iso)
    const following = bench.#follow()
    scope.after(async () => {
      bench.wire.close()
      iso.onlookers.close()
      await following
    })
    return bench
  }

  private constructor(scope: Scope, iso: Iso) {
    // Longer than a busy machine takes: what is lost here is lost on purpose.
    super(scope, { loaded: { C1: 100, C2: 100, C3: 100 }, patienceMs: 1_000 })
    this.iso = iso
    this.wire = new IsoWire({ host: '127.0.0.1', port: iso.listener.port })
  }

  protected override host(line: Line): Host {
    return new IsoHost({
      terminal: 'ATM00001',
      currency: 'USD',
      wire: this.wire,
      line,
      stans: new Stans(`${this.directory}/stan`),
      chance: prng(seed),
      isSilent: this.isSilent,
      enterPin: enterPinBlock(key),
    })
  }

  /** The types of what the machine said, in order. */
  get said(): string {
    return this.heard.map(({ type }) => type).join(' ')
  }

  /** What REST shows of a withdrawal, by the machine's own name of it. */
  read(id: string, batch = 1): Promise<Record<string, unknown>> {
    return this.iso.read(`iso-${batch}-${id}`)
  }

  async #follow(): Promise<void> {
    for await (const { passed } of this.iso.onlookers.follow(1_000))
      for (const { direction, type, fields } of passed)
        if (direction === 'received')
          this.heard.push({ type, stan: fields[11] ?? '', fields: fields as Heard['fields'] })
  }
}

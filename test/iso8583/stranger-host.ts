/** The host that the stranger is connected to: the real process, with a line for ISO 8583, and REST beside it. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { place, type Scope, type Server, serve } from '../process/support.ts'
import { checkOf, type Fields, type Key, pinBlock } from './stranger-client.ts'
import { type Card, Machine, newPan, Office } from './stranger-machine.ts'

export const pinKey: Key = { algorithm: 'tdes', key: 'FEDCBA98765432100123456789ABCDEF' }
export const yes = { 39: '00' }

export async function openHost(scope: Scope) {
  const { path } = place(scope)
  const port = await freePort()
  const start = () => serve(scope, { path, env: { CASHPOINT_ISO8583: `iso87a://127.0.0.1:${port}` } })
  const server: Server = await start()
  return new Host(scope, { path, port, server, start })
}

type Place = { path: string; port: number; server: Server; start: () => Promise<Server> }

class Host {
  readonly #scope: Scope
  readonly #place: Place
  readonly path: string
  office: Office

  constructor(scope: Scope, place: Place) {
    this.#scope = scope
    this.#place = place
    this.path = place.path
    this.office = new Office(place.server.url)
  }

  async connect(terminal: string): Promise<Machine> {
    const machine = await Machine.connect(this.#place.port, terminal)
    this.#scope.after(() => machine.line.cut())
    return machine
  }

  /** A machine on a terminal of its own, with a second line, and a card with 1,000.00. */
  async morning(terminal: string, more: object = {}) {
    await this.office.install(terminal, more)
    await this.givePinKey(terminal, pinKey)
    const [atm, other] = [await this.connect(terminal), await this.connect(terminal)]
    return { atm, other, card: await this.office.issue(newPan(), 100_000) }
  }

  async givePinKey(terminal: string, key: Key): Promise<void> {
    await this.office.ask('PUT', `/terminals/${terminal}/pin-key`, { ...key, kcv: checkOf(key) }, 204)
  }

  /** That the host's accounts are what the stranger's own books say. */
  async agrees(...cards: Card[]): Promise<void> {
    for (const { account, balance } of cards) assert.equal(await this.office.ledger(account), balance)
  }

  async kill(): Promise<void> {
    await this.#place.server.kill()
  }

  async stop(): Promise<void> {
    assert.deepEqual(await this.#place.server.stop(), { code: 0, signal: null })
  }

  async restart(): Promise<void> {
    this.#place.server = await this.#place.start()
    this.office = new Office(this.#place.server.url)
  }
}

export type { Host }

/** 52 of a card, under the key of every machine here. */
export function typed(pan: string, pin = '1234'): Fields {
  return { 52: pinBlock(pinKey, pan, pin) }
}

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const address = taken.address()
  await new Promise((resolve) => taken.close(resolve))
  return address !== null && typeof address === 'object' ? address.port : assert.fail('it listens')
}

/**
 * `npm run bench -- --atm`: cycles of a withdrawal at a thousand terminals (authorize, start, confirm, each durable),
 * beside the echo control in the same round; and withdrawals by ISO 8583 beside those by REST.
 */
import assert from 'node:assert'
import {
  enterClearPin,
  enterPinBlock,
  newPinKey,
  type PinEntry,
  wordsOf,
} from '../src/simulator/pin-entry.ts'
import { encodePinBlock } from '../src/vault/pin-block.ts'
import { type ServerProcess, startServer } from './children.ts'
import { type Ask, rate } from './client.ts'
import { spread, table, two, whole } from './figures.ts'
import { storePath } from './fill.ts'
import { type Fields, rateOfLines } from './lines.ts'

export type AtmOptions = { readonly rounds: number; readonly seconds: number; readonly terminals: number }
export type AtmFigures = Record<string, number[]>

const clients = 256
const lines = 8
const inFlight = 8
const pan = '4761739001010119'
const pin = '1234'
const pinKey = newPinKey('tdes')
const enterBlock = enterPinBlock(pinKey)
const notes = 100_000
const setUpAtOnce = 16

const echo = 'echo, requests/s'
const cycles = 'authorize + start + confirm, cycles/s'
const authorizations = 'authorize alone, requests/s'
const plain = 'withdrawals of /v1, requests/s'
const byRest = 'authorize with a PIN block, requests/s'
const byIso = '0200 with a PIN block, requests/s'

export async function measureAtm(directory: string, options: AtmOptions): Promise<AtmFigures> {
  const { rounds, seconds, terminals } = options
  const server = await startServer('server.ts', [storePath(directory)])
  await setUp(server, terminals)
  const figures: AtmFigures = {}
  for (let round = -1; round < rounds; round += 1) {
    const tell = (name: string, value: number) => {
      // The first round only warms up.
      if (round < 0) return
      figures[name] = [...(figures[name] ?? []), value]
      console.log(`${name.padEnd(48)} ${whole(value).padStart(9)}`)
    }
    tell(echo, await rate(server, clients, seconds, (ask) => echoed(ask)))
    tell(cycles, await rate(server, clients, seconds, withdrawals(terminals, cycle)))
    tell(plain, await rate(server, clients, seconds, withdrawn))
    tell(authorizations, await rate(server, clients, seconds, withdrawals(terminals, authorized)))
    const withBlock = withdrawals(terminals, authorized, enterBlock)
    const load = { lines, inFlight, seconds }
    const rest = async () => tell(byRest, await rate(server, lines * inFlight, seconds, withBlock))
    const iso = async () => tell(byIso, await rateOfLines(server, load, () => requested(terminals)))
    // Each leaves withdrawals open that the next meets: neither is always the first.
    for (const measureOne of round % 2 === 0 ? [rest, iso] : [iso, rest]) await measureOne()
  }
  await server.stop()
  return figures
}

export function atmReport(figures: AtmFigures, { terminals }: AtmOptions): string {
  const ratio = (of: string, to: string) =>
    (figures[of] ?? []).map((value, i) => value / (figures[to]?.[i] ?? 1))
  return `${whole(terminals)} terminals, ${clients} clients; with a PIN block ${lines * inFlight} clients by REST, and ${lines} sockets with ${inFlight} in flight by ISO 8583. Each ratio is taken within its round; medians (min–max).

${table(
  ['', 'target', 'ratio'],
  [
    ['cycles of three requests / echoes', '≥ 0.2', spread(ratio(cycles, echo), two)],
    ['authorize alone / withdrawals of /v1', '–', spread(ratio(authorizations, plain), two)],
    ['0200 / authorize, both with a PIN block', '≥ 1', spread(ratio(byIso, byRest), two)],
  ],
)}

${table(
  ['', 'figure'],
  Object.entries(figures).map(([name, values]) => [name, spread(values, whole)]),
)}
`
}

/** Terminals with notes for long, and one card whose account has money for longer. */
export async function setUp(server: ServerProcess, terminals: number): Promise<void> {
  const account = { account: 'B-1', type: 'checking', default: true }
  await once(server, async (ask) => {
    await ask('/v1/accounts', JSON.stringify({ number: 'B-1', currency: 'USD' }))
    await ask('/v1/deposits', JSON.stringify({ account: 'B-1', amount: 1e15, currency: 'USD' }))
    for (let i = 0; i < cards; i += 1) {
      const number = `B-${i + 2}`
      await ask('/v1/accounts', JSON.stringify({ number, currency: 'USD' }))
      await ask(
        '/v1/transfers',
        JSON.stringify({ from: account.account, to: number, amount: 1e11, currency: 'USD' }),
      )
      const card = { pan: panOf(i), expiry: '9912', accounts: [{ ...account, account: number }], pin }
      await ask('/v1/cards', JSON.stringify(card))
    }
  })
  for (let from = 0; from < terminals; from += setUpAtOnce) {
    const some = Array.from({ length: Math.min(setUpAtOnce, terminals - from) }, (_, i) =>
      terminalOf(from + i),
    )
    await Promise.all(some.map((id) => once(server, (ask) => makeTerminal(ask, id))))
  }
}

const cards = 1_000

/** Card numbers with a right check digit. */
function panOf(i: number): string {
  const body = pan.slice(0, 8) + String(i).padStart(7, '0')
  const sum = [...body].reverse().reduce((sum, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 2 : 1)
    return sum + (value > 9 ? value - 9 : value)
  }, 0)
  return body + String((10 - (sum % 10)) % 10)
}

function terminalOf(i: number): string {
  return `B${String(i).padStart(7, '0')}`
}

async function makeTerminal(ask: Ask, id: string): Promise<void> {
  const units = [
    { id: 'C1', type: 'cash_out', value: 10_000 },
    { id: 'C2', type: 'cash_out', value: 5_000 },
    { id: 'C3', type: 'cash_out', value: 2_000 },
    { id: 'C4', type: 'cash_out', value: 1_000 },
  ]
  await ask('/v1/terminals', JSON.stringify({ id, name: id, currency: 'USD', units }))
  const path = `/v1/terminals/${id}`
  const { exchange } = JSON.parse(await ask(`${path}/exchange`, JSON.stringify({ action: 'start' })))
  const loaded = Object.fromEntries(units.map((unit) => [unit.id, notes]))
  await ask(`${path}/exchange`, JSON.stringify({ action: 'end', exchange, mode: 'add', loaded }))
  await ask(`${path}/pin-key`, JSON.stringify(wordsOf(pinKey)), 'PUT')
  await ask(`${path}/state`, JSON.stringify({ state: 'in_service', reason: 'bench' }))
}

async function once(server: ServerProcess, run: (ask: Ask) => Promise<void>): Promise<void> {
  let done = false
  await rate(server, 1, 0.001, async (ask) => {
    if (!done) await run(ask)
    done = true
  })
  assert(done)
}

let count = 0
const started = Date.now().toString(36)

/** Withdrawals one after the other at any of the terminals, by any of the cards. */
export function withdrawals(
  terminals: number,
  run: (ask: Ask, path: string, body: object) => Promise<void>,
  enter: PinEntry = enterClearPin,
) {
  return (ask: Ask) => {
    const { id, terminal, card, amount } = next(terminals)
    const entered = enter({ pan: card, pin })
    const body = { id: `${started}-${id}`, pan: card, ...entered, amount, currency: 'USD' }
    return run(ask, `/v1/terminals/${terminal}/withdrawals`, body)
  }
}

function next(terminals: number) {
  count += 1
  return {
    id: count,
    terminal: terminalOf(Math.floor(Math.random() * terminals)),
    card: panOf(Math.floor(Math.random() * cards)),
    amount: 1_000 * (1 + Math.floor(Math.random() * 30)),
  }
}

/** The fields of such a withdrawal as a 0200. */
function requested(terminals: number): Fields {
  const { id, terminal, card, amount } = next(terminals)
  const time = new Date().toISOString().replace(/\D/g, '').slice(4, 14)
  return {
    2: card,
    3: '010000',
    4: String(amount).padStart(12, '0'),
    7: time,
    11: String(id % 1_000_000).padStart(6, '0'),
    12: time.slice(4),
    13: time.slice(0, 4),
    41: terminal,
    49: '840',
    52: encodePinBlock(card, pin, pinKey),
  }
}

export async function cycle(ask: Ask, path: string, body: object): Promise<void> {
  const { id, units } = JSON.parse(await ask(path, JSON.stringify(body)))
  await ask(`${path}/${id}/start`, '{}')
  await ask(`${path}/${id}/confirm`, JSON.stringify({ units }))
}

async function authorized(ask: Ask, path: string, body: object): Promise<void> {
  await ask(path, JSON.stringify(body))
}

/** What leaves an account without a machine: as durable, in one request. */
async function withdrawn(ask: Ask): Promise<void> {
  const account = `B-${2 + Math.floor(Math.random() * cards)}`
  await ask('/v1/withdrawals', JSON.stringify({ account, amount: 1, currency: 'USD' }))
}

async function echoed(ask: Ask): Promise<void> {
  await ask('/accounts/B-1/echo', '{"amount": 100.00}')
}

/** A server with a machine in service and a card, and short ways to ask for what a terminal does. */
import assert from 'node:assert/strict'
import type { Options } from './support.ts'
import { type Said, serveV1, type V1 } from './v1-support.ts'

type Scope = Parameters<typeof serveV1>[0]

/** Luhn-checked; of the cards of accounts A and B, and of none. */
export const pans = { a: '4761739001010119', b: '4761739001010127', none: '4761739001010135' }
export const pin = '1234'
const usd = { currency: 'USD' }

export const units = [
  { id: 'C1', type: 'cash_out', value: 5000, low: 20 },
  { id: 'C2', type: 'cash_out', value: 2000, low: 20 },
  { id: 'C3', type: 'cash_out', value: 1000, low: 20 },
  { id: 'D1', type: 'cash_in' },
  { id: 'R1', type: 'reject' },
  { id: 'T1', type: 'retract' },
]
const empty = { C1: 0, C2: 0, C3: 0, D1: {}, R1: {}, T1: {} }

export type Atm = Awaited<ReturnType<typeof serveAtm>>

/** Terminal ATM1 with 100 notes in each of C1 (50.00), C2 (20.00) and C3 (10.00), and card `a` of A, which has 1,000.00. */
export async function serveAtm(scope: Scope, options: Options = {}) {
  const v1 = await serveV1(scope, { adjustmentThreshold: 1_000_000, ...options })
  await v1.post('/deposits', { account: 'A', amount: 99_000, ...usd })
  await makeTerminal(v1, 'ATM1')
  const card = await issue(v1, { pan: pans.a, account: 'A' })
  return { v1, card, ...waysOf(v1, 'ATM1') }
}

/** Loaded through an exchange, and in service. */
export async function makeTerminal(v1: V1, id: string, more: object = {}): Promise<void> {
  const at = `/terminals/${id}`
  done(await v1.post('/terminals', { id, name: 'Lobby', ...usd, units, ...more }), 201)
  const { exchange } = done(await v1.post(`${at}/exchange`, { action: 'start' }), 200)
  done(await v1.post(`${at}/counts`, { exchange, units: empty }), 200)
  const loaded = { C1: 100, C2: 100, C3: 100 }
  done(await v1.post(`${at}/exchange`, { action: 'end', exchange, mode: 'set', loaded }), 200)
  done(await v1.post(`${at}/state`, { state: 'in_service', reason: 'loaded' }), 200)
}

export async function issue(
  v1: V1,
  { pan, account, ...more }: { pan: string; account: string } & Record<string, unknown>,
): Promise<string> {
  const accounts = [{ account, type: 'checking', default: true }]
  return String(done(await v1.post('/cards', { pan, expiry: '9912', accounts, pin, ...more }), 201)['id'])
}

/** The body of an answer that must have this status. */
export function done({ status, body, text }: Said, expected: number): Said['body'] {
  assert.equal(status, expected, text)
  return body
}

let keys = 0

export function waysOf(v1: V1, terminal: string) {
  const at = `/terminals/${terminal}`
  const ways = {
    at,
    /** As a terminal asks: under a key of its own. */
    act: (verb: string, body: object = {}, headers: Record<string, string> = {}) => {
      keys += 1
      return v1.post(`${at}/${verb}`, body, { 'idempotency-key': `key-${keys}`, ...headers })
    },
    authorize: (id: string, amount: number, more: object = {}) =>
      v1.post(`${at}/withdrawals`, { id, pan: pans.a, pin, amount, ...usd, ...more }),
    start: (id: string) => v1.post(`${at}/withdrawals/${id}/start`, {}),
    confirm: (id: string, units: object, more: object = {}) =>
      v1.post(`${at}/withdrawals/${id}/confirm`, { units, ...more }),
    reverse: (id: string, reason = 'cancelled') => v1.post(`${at}/withdrawals/${id}/reverse`, { reason }),
    read: async (id: string) => done(await v1.get(`${at}/withdrawals/${id}`), 200),
    terminal: async () => done(await v1.get(at), 200),
    /** Authorized and started. */
    async dispense(id: string, amount: number) {
      done(await ways.authorize(id, amount), 201)
      return done(await ways.start(id), 200)
    },
    /** Started, and nobody knows what left. */
    async suspect(id: string, amount: number) {
      await ways.dispense(id, amount)
      return done(await ways.confirm(id, {}, { outcome: 'unknown' }), 200)
    },
    async exceptions(query = 'state=open') {
      const { exceptions } = done(await v1.get(`/exceptions?${query}`), 200)
      return exceptions as unknown as Record<string, unknown>[]
    },
  }
  return ways
}

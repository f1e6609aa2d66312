/** The cells and what they are to reach, as data, and a second control, (g), that is harder to come near. */
import type { Requests } from './load.ts'

export type CellName = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h'

export type Cell = {
  readonly title: string
  readonly server: 'cashpoint' | 'naive'
  /** Whether each 200 takes 1.00 out of the books. */
  readonly pays: boolean
  readonly requests: Requests
}

export const accountCount = 10_000

const withdraw = { method: 'POST', action: 'withdraw', accounts: accountCount, keyed: 0 } as const

export const cells: Readonly<Record<CellName, Cell>> = {
  a: {
    title: 'control: the same server echoes the body',
    server: 'cashpoint',
    pays: false,
    requests: { ...withdraw, action: 'echo' },
  },
  b: {
    title: 'naive Fastify, a SQLite transaction per request',
    server: 'naive',
    pays: false,
    requests: withdraw,
  },
  c: { title: 'withdraw, 10,000 accounts', server: 'cashpoint', pays: true, requests: withdraw },
  d: {
    title: 'withdraw, all on one account',
    server: 'cashpoint',
    pays: true,
    requests: { ...withdraw, accounts: 1 },
  },
  e: {
    title: 'balance, 10,000 accounts',
    server: 'cashpoint',
    pays: false,
    requests: { ...withdraw, method: 'GET', action: 'balance' },
  },
  f: {
    title: 'withdraw, a fresh Idempotency-Key each',
    server: 'cashpoint',
    pays: true,
    requests: { ...withdraw, keyed: 1 },
  },
  g: {
    title: 'control whose replies leave together, as a batch’s do',
    server: 'cashpoint',
    pays: false,
    requests: { ...withdraw, action: 'echo-together' },
  },
  h: {
    title: '/v1 transfer, between two of 10,000 accounts at random',
    server: 'cashpoint',
    pays: false,
    requests: { ...withdraw, pairs: true },
  },
}

/** In which order a round measures; each round begins one further on. */
export const cellOrder: readonly CellName[] = ['a', 'g', 'c', 'd', 'e', 'f', 'h', 'b']

export type Target = {
  readonly of: CellName
  readonly to: CellName
  readonly figure: 'rate' | 'p99'
  /** At least this for a rate, at most this for a p99; by connections, or one for all. Without one it is only shown. */
  readonly limit?: number | Readonly<Record<number, number>>
}

export const targets: readonly Target[] = [
  { of: 'c', to: 'a', figure: 'rate', limit: { 64: 0.6, 256: 0.75 } },
  { of: 'f', to: 'a', figure: 'rate', limit: { 64: 0.5, 256: 0.65 } },
  { of: 'e', to: 'a', figure: 'rate', limit: 0.9 },
  { of: 'h', to: 'a', figure: 'rate', limit: { 64: 0.55, 256: 0.7 } },
  { of: 'd', to: 'c', figure: 'rate', limit: 0.95 },
  { of: 'c', to: 'b', figure: 'rate', limit: 5 },
  { of: 'c', to: 'g', figure: 'rate' },
  { of: 'f', to: 'g', figure: 'rate' },
  { of: 'e', to: 'g', figure: 'rate' },
  { of: 'c', to: 'a', figure: 'p99', limit: 3 },
  { of: 'd', to: 'a', figure: 'p99', limit: 3 },
  { of: 'e', to: 'a', figure: 'p99', limit: 3 },
  { of: 'f', to: 'a', figure: 'p99', limit: 3 },
]

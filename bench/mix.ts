/**
 * `--mix`: how long the search for notes holds up the ledger's one thread, on machines as there are and on machines
 * made to be hard. No server and no store: the functions alone, in this process.
 */
import assert from 'node:assert'
import { judgeMix, nearestAmounts, type Payer, planMix } from '../src/ledger/dispense-plan.ts'
import { type Chance, prng } from '../src/outside/chance.ts'
import { median, table, two, whole } from './figures.ts'

type Case = { readonly payers: readonly Payer[]; readonly amount: number }

type Machines = (typeof kinds)[number]

export type MixRow = {
  readonly asked: string
  readonly machines: Machines
  /** How many of the amounts could be paid, or had a nearest one below. */
  readonly answered: number
  /** Of each case's quickest call. Microseconds. */
  readonly median: number
  readonly p99: number
  readonly worst: number
  /** Of all calls: with the garbage collector, and with whoever else had the core. */
  readonly worstCall: number
}

const seed = 20261126
const casesOfEach = 5_000
const calls = 5
const notesMax = 40
const target = { medianUs: 20, worstUs: 1_000 }
const kinds = ['four units', '5 to 12 units'] as const

const sets = [
  [10, 20, 50, 100],
  [20, 50, 50, 100],
  [5, 10, 20, 50],
  [20, 20, 50, 50],
  [10, 20, 50, 500],
  [1_000, 2_000, 5_000, 10_000],
]
const odd = [3, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97]
const decades = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]

const make: Readonly<Record<Machines, (chance: Chance) => Case>> = {
  'four units'(chance) {
    const isFull = chance(4) === 0
    const unit = (value: number) => ({ value, free: isFull ? 2_500 : chance(2_500), initial: 2_500 })
    return asked(chance, oneOf(chance, sets).map(unit), 8)
  },
  '5 to 12 units'(chance) {
    const size = 5 + chance(8)
    const values = oneOf(chance, [odd, odd.slice(0, 3), odd.slice(-12), decades])
    const freeMax = oneOf(chance, [2, 4, 12, 3_001])
    const initial = () => oneOf(chance, [3_000, 1_000 + chance(2_000), freeMax])
    const units = Array.from({ length: size }, () => ({
      value: oneOf(chance, values),
      free: chance(freeMax),
      initial: initial(),
    }))
    return asked(chance, units, 2)
  },
}

/** An amount that so many notes by chance come to; one of so many is any amount instead. */
function asked(chance: Chance, units: readonly Omit<Payer, 'id' | 'count'>[], anyOf: number): Case {
  const payers = units.map((unit, i) => ({
    ...unit,
    id: `unit${i}`,
    value: unit.value * 100,
    count: unit.free,
  }))
  const largest = Math.max(...payers.map(({ value }) => value))
  if (chance(anyOf) === 0) return { payers, amount: 100 * (1 + chance((notesMax * largest) / 100)) }
  const taken = payers.map(() => 0)
  let amount = 0
  for (let notes = 1 + chance(notesMax); notes > 0; notes -= 1) {
    const i = chance(payers.length)
    const { free, value } = payers[i] as Payer
    if (taken[i] === free) continue
    taken[i] = (taken[i] ?? 0) + 1
    amount += value
  }
  return { payers, amount: amount || largest }
}

function oneOf<Each>(chance: Chance, list: readonly Each[]): Each {
  return list[chance(list.length)] as Each
}

const asks: Readonly<Record<string, (of: Case) => boolean>> = {
  minimumBills: (of) => isPaid(of, 'minimumBills'),
  equalEmptying: (of) => isPaid(of, 'equalEmptying'),
  'nearest amounts': ({ payers, amount }) => nearestAmounts(payers, amount, { notesMax }).below !== null,
}

function isPaid({ payers, amount }: Case, rule: 'minimumBills' | 'equalEmptying'): boolean {
  return planMix(payers, amount, { rule, notesMax }) !== undefined
}

export function measureMix(): MixRow[] {
  return kinds.flatMap((machines) => {
    const chance = prng(seed)
    const cases = Array.from({ length: casesOfEach }, () => make[machines](chance))
    for (const { payers, amount } of cases) {
      const mix = planMix(payers, amount, { rule: 'equalEmptying', notesMax })
      assert(mix === undefined || judgeMix(payers, amount, mix, { notesMax }) === 'ok', 'a plan can be paid')
    }
    return Object.entries(asks).map(([asked, ask]) => measureRow({ asked, machines, cases, ask }))
  })
}

type Measured = {
  readonly asked: string
  readonly machines: Machines
  readonly cases: readonly Case[]
  readonly ask: (of: Case) => boolean
}

function measureRow({ asked, machines, cases, ask }: Measured): MixRow {
  const answered = cases.filter(ask).length
  const quickest = cases.map(() => Number.POSITIVE_INFINITY)
  let worstCall = 0
  for (let call = 0; call < calls; call += 1)
    for (const [i, each] of cases.entries()) {
      const startedMs = performance.now()
      ask(each)
      const us = (performance.now() - startedMs) * 1000
      quickest[i] = Math.min(quickest[i] ?? us, us)
      worstCall = Math.max(worstCall, us)
    }
  const p99 = quickest.toSorted((a, b) => a - b)[Math.floor(cases.length * 0.99)] ?? 0
  const row = {
    asked,
    machines,
    answered,
    median: median(quickest),
    p99,
    worst: Math.max(...quickest),
    worstCall,
  }
  console.log(`${titleOf(row).padEnd(40)} ${two(row.median).padStart(8)} µs  worst ${whole(row.worst)} µs`)
  return row
}

export function mixReport(rows: readonly MixRow[]): string {
  const verdict = ({ median, worst }: MixRow) =>
    median <= target.medianUs && worst <= target.worstUs ? 'met' : '**missed**'
  return `Mix search: ${whole(casesOfEach)} machines of each kind by seed ${seed}, at most ${notesMax} notes. Microseconds; each machine is asked ${calls} times after a first and counts by its quickest, so that the garbage collector and other processes show in the last column alone. Target: a median of at most ${target.medianUs}, the worst at most ${whole(target.worstUs)}.

- four units: values as they are loaded, up to 2,500 notes each, a quarter of the machines full; an eighth of the amounts are any, most of which cannot be paid
- 5 to 12 units: values with nothing in common (3, 7, 11 … 97) or from 1 to 5,000, several of one value, nearly empty to 3,000 notes; half of the amounts are any

${table(
  ['mix search', 'answered', 'median', 'p99', 'worst', '', 'worst single call'],
  rows.map((row) => [
    titleOf(row),
    whole(row.answered),
    two(row.median),
    two(row.p99),
    whole(row.worst),
    verdict(row),
    whole(row.worstCall),
  ]),
)}
`
}

function titleOf({ asked, machines }: MixRow): string {
  return `${asked}, ${machines}`
}

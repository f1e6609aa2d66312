/**
 * Which notes to pay an amount with, searched exactly: largest first fails on real machines, where 60.00 of fifties
 * and twenties is three twenties. Knows no terminal and no withdrawal, only what notes there are.
 *
 * Of two mixes this one is better, and no two are equal:
 * 1. by `equalEmptying` alone: after which `count / initial` of the fullest payer and of the emptiest differ less, those
 *    that give nothing included; compared only among mixes of at most `evenNotesMore` notes more than the fewest,
 * 2. that of fewer notes,
 * 3. that with more notes of the largest value; of the second largest; and so on,
 * 4. that which takes from the fuller of the units of one value, note by note: that leaves the smaller sum of squares
 *    of their free notes,
 * 5. that with more notes from the unit whose id comes first, by its UTF-16 codes.
 *
 * So the order in which payers are given changes nothing but the order in which the mix names them.
 */
import type { Minor } from './money.ts'

/**
 * A unit that may pay: its notes' value in minor units, how many may be taken, how many there are, and how many it
 * began with; where that is 0, it counts as 1. No two have one id, values are above zero, the others whole numbers from
 * 0, and values times counts safe integers.
 */
export type Payer = {
  readonly id: string
  readonly value: Minor
  readonly free: number
  readonly count: number
  readonly initial: number
}

/** Notes by unit. Units that give none are left out; in the order of the payers. */
export type Mix = Readonly<Record<string, number>>
export type MixRule = 'minimumBills' | 'equalEmptying'

/**
 * So many notes more than the fewest may even emptying cost a customer. A machine of 10, 20, 50 and 100 pays up to
 * 540.00 with as many of each, which is 12 notes instead of 7.
 */
export const evenNotesMore = 5

/**
 * As many notes as may be of every value that there is, in units of what the values have in common, are at most this:
 * so large are the tables of a search, 4 MB. Banknotes are far below: 40 each of 12 values from 1 to 5,000 are 355,520.
 * Units that pass it, such as those beside one of 4,999.99, do not pay: the ledger has one thread, and no machine may keep it.
 */
const entriesMax = 2 ** 20

/** The notes to pay an amount with; undefined where it cannot be paid with so many notes. */
export function planMix(
  payers: readonly Payer[],
  amount: Minor,
  { rule, notesMax }: { readonly rule: MixRule; readonly notesMax: number },
): Mix | undefined {
  const till = tillOf(payers, notesMax)
  if (till === undefined) return undefined
  const fewest = pay(till, amount, anyNotes(till, notesMax))
  if (fewest === undefined) return undefined

  const taken = rule === 'minimumBills' ? fewest : evenest(till, amount, { fewest, notesMax })
  const byId = new Map(till.units.map(({ id }, i) => [id, at(taken, i)]))
  return Object.fromEntries(
    payers.map(({ id }) => [id, byId.get(id) ?? 0] as const).filter(([, notes]) => notes > 0),
  )
}

/** The nearest amounts that can be paid, below and above; null where there is none. Above is at most `amountMax`. */
export function nearestAmounts(
  payers: readonly Payer[],
  amount: Minor,
  { notesMax, amountMax }: { readonly notesMax: number; readonly amountMax?: Minor },
): { readonly below: Minor | null; readonly above: Minor | null } {
  const till = tillOf(payers, notesMax)
  if (till === undefined) return { below: null, above: null }
  const { common } = till
  const worthMax = worthOfMost(till, notesMax)
  const aboveMax = Math.min(amountMax ?? worthMax, worthMax)
  // One search for all amounts: what one of them leaves, others leave as well.
  const kinds = till.kinds.map((kind) => ({ ...kind, step: 1 }))
  const first = searchOf({ ...till, kinds }, worthMax, anyNotes(till, notesMax))?.first
  const isPayable = (tried: Minor) => fewestNotes(first, tried / common, notesMax) <= notesMax

  // Whoever takes notes off a mix passes no stretch as long as the largest value without a stop, so these end soon.
  let below = Math.min((Math.ceil(amount / common) - 1) * common, worthMax)
  while (below > 0 && !isPayable(below)) below -= common
  let above = (Math.floor(amount / common) + 1) * common
  while (above <= aboveMax && !isPayable(above)) above += common
  return { below: below > 0 ? below : null, above: above <= aboveMax ? above : null }
}

/**
 * Whether a mix that the terminal chose itself can be paid, or the first that is wrong with it, in this order: it names
 * a unit that is none of the payers; a unit cannot give so many notes, as none gives half a note or less than none;
 * these are more notes than `notesMax`; they are worth another amount.
 */
export function judgeMix(
  payers: readonly Payer[],
  amount: Minor,
  mix: Mix,
  { notesMax }: { readonly notesMax: number },
): 'ok' | 'unknown_unit' | 'not_enough' | 'too_many' | 'wrong_sum' {
  const parts = Object.entries(mix).map(([id, notes]) => ({
    notes,
    payer: payers.find((each) => each.id === id),
  }))
  if (parts.some(({ payer }) => payer === undefined)) return 'unknown_unit'
  const canGive = (notes: number, free = 0) => Number.isInteger(notes) && notes >= 0 && notes <= free
  if (!parts.every(({ notes, payer }) => canGive(notes, payer?.free))) return 'not_enough'
  if (parts.reduce((sum, { notes }) => sum + notes, 0) > notesMax) return 'too_many'
  if (parts.reduce((sum, { notes, payer }) => sum + notes * (payer?.value ?? 0), 0) !== amount)
    return 'wrong_sum'
  return 'ok'
}

/** Whether notes of such values have enough in common to be paid together: those that have not never pay. */
export function canPayTogether(values: readonly Minor[], notesMax: number): boolean {
  const units = values.map((value, i) => ({ id: String(i), value, free: 1, count: 1, initial: 1 }))
  return values.length === 0 || tillOf(units, notesMax) !== undefined
}

/** The units of one value stand together, from one index up to another. `value` in units of what all have in common. */
type Kind = {
  readonly value: number
  readonly from: number
  readonly to: number
  /** What can be left when the larger values have paid differs by multiples of this, where there are any. */
  readonly step: number
}

type Till = {
  /** Larger values first, then by id. */
  readonly units: readonly Payer[]
  /** Those that have notes to give. */
  readonly kinds: readonly Kind[]
  /** The greatest common divisor of their values. Minor units. */
  readonly common: Minor
}

/** How many notes of each unit of a till. */
type Notes = readonly number[]

type Bounds = { readonly least: Notes; readonly most: Notes; readonly notesMax: number }

/** Undefined where there is nothing to give, or the values have too little in common. */
function tillOf(payers: readonly Payer[], notesMax: number): Till | undefined {
  const units = payers.toSorted((a, b) => b.value - a.value || (a.id < b.id ? -1 : 1))
  const common = units.reduce((divisor, { value, free }) => (free > 0 ? gcd(value, divisor) : divisor), 0)
  const kinds: Kind[] = []
  let divisor = 0
  let entries = 0
  for (let from = 0, to = 0; from < units.length; from = to) {
    const { value: minor } = unitAt(units, from)
    let free = 0
    for (; to < units.length && unitAt(units, to).value === minor; to += 1) free += unitAt(units, to).free
    if (free === 0) continue
    const value = minor / common
    kinds.push({ value, from, to, step: divisor || Number.MAX_SAFE_INTEGER })
    entries += notesMax * value
    divisor = gcd(value, divisor)
  }
  return kinds.length === 0 || entries > entriesMax ? undefined : { units, kinds, common }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

function anyNotes({ units }: Till, notesMax: number): Bounds {
  return { least: units.map(() => 0), most: units.map(({ free }) => Math.min(free, notesMax)), notesMax }
}

/** What as many notes as may be are worth, the largest first. */
function worthOfMost({ units }: Till, notesMax: number): Minor {
  let notes = notesMax
  let worth = 0
  for (const { value, free } of units) {
    const taken = Math.min(free, notes)
    notes -= taken
    worth += taken * value
  }
  return worth
}

/** The best mix within bounds, by the rules from 2 on. */
function pay(till: Till, amount: Minor, bounds: Bounds): Notes | undefined {
  const search = searchOf(till, amount, bounds)
  if (search === undefined) return undefined
  let fewest = fewestNotes(search.first, search.left, search.notesMax)
  if (fewest > search.notesMax) return undefined

  const taken = bounds.least.slice()
  let { first: level, left } = search
  for (; level !== undefined; level = level.next) {
    const notes = notesOfBest(level, left, fewest)
    fewest -= notes
    left -= notes * level.kind.value
    takeFromFuller(till, taken, { kind: level.kind, notes, most: bounds.most })
  }
  return taken
}

/**
 * One value in a search, and through `next` all smaller ones. What is left for them is searched once: there are far
 * fewer amounts than ways to leave them.
 */
type Level = {
  readonly kind: Kind
  readonly count: number
  /** What the notes from here on can pay at most. */
  readonly worth: number
  readonly next: Level | undefined
  /**
   * By how many steps are left: one more than the fewest notes for it; below zero, as many as it takes at least; 0 where
   * nobody asked.
   */
  known: Int32Array | undefined
}

/** More notes than there are: so many does it take to pay what cannot be paid. */
const none = Number.MAX_SAFE_INTEGER

type Search = { readonly first: Level | undefined; readonly left: number; readonly notesMax: number }

/** What is still to be paid, and with what, when every unit has given its least. */
function searchOf({ units, kinds, common }: Till, amount: Minor, bounds: Bounds): Search | undefined {
  let left = amount / common
  let notesMax = bounds.notesMax
  for (let i = 0; i < units.length; i += 1) {
    const least = at(bounds.least, i)
    if (at(bounds.most, i) < least) return undefined
    notesMax -= least
    left -= least * (unitAt(units, i).value / common)
  }
  if (left < 0 || notesMax < 0 || !Number.isInteger(left)) return undefined

  let first: Level | undefined
  let worth = 0
  for (const kind of kinds.toReversed()) {
    const { value, from, to } = kind
    let count = 0
    for (let i = from; i < to; i += 1) count += at(bounds.most, i) - at(bounds.least, i)
    if (count === 0) continue
    worth += count * value
    const reach = Math.min(worth, notesMax * value, left)
    first = { kind, count, worth: reach, next: first, known: undefined }
  }
  return { first, left, notesMax }
}

/** The fewest notes from this value on that pay what is left; `none` where it takes more than are allowed. */
function fewestNotes(level: Level | undefined, left: number, allowed: number): number {
  if (level === undefined || left === 0) return left === 0 ? 0 : none
  const { worth, next } = level
  const { value, step } = level.kind
  if (left > worth) return none
  if (next === undefined) return left % value === 0 ? left / value : none

  level.known ??= new Int32Array(Math.floor(worth / step) + 1)
  const entry = Math.floor(left / step)
  const known = level.known[entry] ?? 0
  if (known > 0) return known - 1
  if (known < 0 && allowed < -known) return none
  let best = allowed + 1
  for (let notes = notesFrom(level, left); notes >= 0; notes -= 1) {
    const rest = left - notes * value
    // Both only grow as this value pays less.
    if (rest > next.worth || notes + Math.ceil(rest / next.kind.value) >= best) break
    best = Math.min(best, notes + fewestNotes(next, rest, best - 1 - notes))
  }
  level.known[entry] = best > allowed ? -best : best + 1
  return best > allowed ? none : best
}

/** How many notes of this value the best mix has: the most with which it is one of the fewest. */
function notesOfBest(level: Level, left: number, fewest: number): number {
  let notes = notesFrom(level, left)
  while (notes + fewestNotes(level.next, left - notes * level.kind.value, fewest - notes) !== fewest)
    notes -= 1
  return notes
}

function notesFrom({ kind, count }: Level, left: number): number {
  return Math.min(count, Math.floor(left / kind.value))
}

/** Takes notes of one value, each from the unit that has the most free ones then, or the first of those. */
function takeFromFuller(
  { units }: Till,
  taken: number[],
  { kind, notes, most }: { readonly kind: Kind; readonly notes: number; readonly most: Notes },
): void {
  for (let left = notes; left > 0; left -= 1) {
    let fuller = -1
    let free = Number.NEGATIVE_INFINITY
    for (let i = kind.from; i < kind.to; i += 1) {
      const now = unitAt(units, i).free - at(taken, i)
      if (at(taken, i) === at(most, i) || now <= free) continue
      fuller = i
      free = now
    }
    taken[fuller] = at(taken, fuller) + 1
  }
}

/**
 * The best mix by all rules. How full the fullest unit may be says how many notes each must give at least, and by how
 * much the emptiest may differ from it, how many at most: within these bounds it is a search for the fewest again. The
 * fullest takes a note more for each step down, so there are about as many steps to try as there may be notes.
 */
function evenest(
  till: Till,
  amount: Minor,
  { fewest, notesMax: allowed }: { readonly fewest: Notes; readonly notesMax: number },
): Notes {
  const notesMax = Math.min(allowed, sumOf(fewest) + evenNotesMore)
  const bottom = Math.min(...till.units.map((unit) => ratioOf(unit, 0)))
  const tops = topsOf(till, amount, notesMax)
  let best = fewest
  let spread = spreadOf(till, fewest)
  // First how little they can differ. No unit becomes fuller, so it is never less than from the top to the bottom.
  for (const { top, least } of tops)
    while (top - bottom < spread) {
      const most = mostOf(till, { top, spread, notesMax }, (difference) => difference < spread)
      const more = pay(till, amount, { least, most, notesMax })
      if (more === undefined) break
      best = more
      spread = spreadOf(till, more)
    }
  // Then the best of those that differ so little.
  for (const { top, least } of tops) {
    if (top - bottom > spread) continue
    const most = mostOf(till, { top, spread, notesMax }, (difference) => difference <= spread)
    const other = pay(till, amount, { least, most, notesMax: sumOf(best) })
    if (other !== undefined && isBetter(till, other, best)) best = other
  }
  return best
}

/** How full the fullest unit can be afterwards, lowest first, and what each must give for it at least. */
function topsOf({ units }: Till, amount: Minor, notesMax: number) {
  const tops: { readonly top: number; readonly least: Notes }[] = []
  const least = units.map(() => 0)
  let notes = 0
  let worth = 0
  while (notes <= notesMax && worth <= amount) {
    const ratios = units.map((unit, i) => ratioOf(unit, at(least, i)))
    const top = Math.max(...ratios)
    tops.push({ top, least: least.slice() })
    for (let i = 0; i < units.length; i += 1) {
      if (ratios[i] !== top) continue
      const { free, value } = unitAt(units, i)
      if (least[i] === free) return tops.reverse()
      least[i] = at(least, i) + 1
      notes += 1
      worth += value
    }
  }
  return tops.reverse()
}

/** How many notes each unit can give so that it does not differ too much from the fullest. */
function mostOf(
  { units }: Till,
  { top, spread, notesMax }: { readonly top: number; readonly spread: number; readonly notesMax: number },
  isWithin: (difference: number) => boolean,
): Notes {
  return units.map((unit) => {
    const max = Math.min(unit.free, notesMax)
    const within = (notes: number) => isWithin(top - ratioOf(unit, notes))
    // That is it but for rounding, and for where it is exactly at the edge.
    let notes = Math.max(0, Math.min(max, Math.floor(unit.count - (top - spread) * (unit.initial || 1))))
    while (notes < max && within(notes + 1)) notes += 1
    while (notes >= 0 && !within(notes)) notes -= 1
    return notes
  })
}

/** How full a unit is after so many notes. */
function ratioOf({ count, initial }: Payer, notes: number): number {
  return (count - notes) / (initial || 1)
}

function spreadOf({ units }: Till, taken: Notes): number {
  const ratios = units.map((unit, i) => ratioOf(unit, at(taken, i)))
  return Math.max(...ratios) - Math.min(...ratios)
}

/** By the rules from 2 on, of two mixes of one amount. */
function isBetter({ units, kinds }: Till, mix: Notes, than: Notes): boolean {
  const fewer = sumOf(than) - sumOf(mix)
  if (fewer !== 0) return fewer > 0
  for (const { from, to } of kinds) {
    const more = sumOf(mix.slice(from, to)) - sumOf(than.slice(from, to))
    if (more !== 0) return more > 0
  }
  // The sum of squares, without that of all free notes, which both have: (free - taken)^2 - free^2.
  const squares = (taken: Notes) =>
    sumOf(units.map(({ free }, i) => at(taken, i) * (at(taken, i) - 2 * free)))
  const evener = squares(than) - squares(mix)
  if (evener !== 0) return evener > 0
  const first = mix.findIndex((notes, i) => notes !== than[i])
  return first >= 0 && at(mix, first) > at(than, first)
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function at(notes: Notes, i: number): number {
  return notes[i] ?? 0
}

function unitAt(units: readonly Payer[], i: number): Payer {
  return units[i] as Payer
}

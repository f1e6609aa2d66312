/** Which notes to pay an amount with. */
import type { Minor } from './money.ts'

export type Payer = {
  readonly id: string
  readonly value: Minor
  readonly free: number
  readonly count: number
  readonly initial: number
}

export type Mix = Readonly<Record<string, number>>
export type MixRule = 'minimumBills' | 'equalEmptying'

export function planMix(
  payers: readonly Payer[],
  amount: Minor,
  { notesMax }: { readonly rule: MixRule; readonly notesMax: number },
): Mix | undefined {
  const sorted = payers.toSorted((a, b) => b.value - a.value || b.free - a.free || (a.id < b.id ? -1 : 1))
  let best: number[] | undefined
  let fewest = notesMax + 1
  const search = (at: number, left: Minor, taken: number[], notes: number) => {
    if (notes >= fewest) return
    if (left === 0) {
      best = taken
      fewest = notes
      return
    }
    const payer = sorted[at]
    if (payer === undefined) return
    for (let n = Math.min(payer.free, Math.floor(left / payer.value)); n >= 0; n -= 1)
      search(at + 1, left - n * payer.value, [...taken, n], notes + n)
  }
  search(0, amount, [], 0)
  if (best === undefined) return undefined
  const found = best as number[]
  return Object.fromEntries(
    payers.flatMap(({ id }) => {
      const n = found[sorted.findIndex((each) => each.id === id)] ?? 0
      return n > 0 ? [[id, n]] : []
    }),
  )
}

export function nearestAmounts(
  payers: readonly Payer[],
  amount: Minor,
  { notesMax, amountMax = amount * 2 }: { readonly notesMax: number; readonly amountMax?: Minor },
): { readonly below: Minor | null; readonly above: Minor | null } {
  const can = (value: Minor) => planMix(payers, value, { rule: 'minimumBills', notesMax }) !== undefined
  let below = amount - 1
  while (below > 0 && !can(below)) below -= 1
  let above = amount + 1
  while (above <= amountMax && !can(above)) above += 1
  return { below: below > 0 ? below : null, above: above <= amountMax ? above : null }
}

export function judgeMix(
  payers: readonly Payer[],
  amount: Minor,
  mix: Mix,
  { notesMax }: { readonly notesMax: number },
): 'ok' | 'unknown_unit' | 'not_enough' | 'too_many' | 'wrong_sum' {
  let sum = 0
  let notes = 0
  for (const [id, count] of Object.entries(mix)) {
    const payer = payers.find((each) => each.id === id)
    if (payer === undefined) return 'unknown_unit'
    if (count > payer.free) return 'not_enough'
    sum += payer.value * count
    notes += count
  }
  if (notes > notesMax) return 'too_many'
  return sum === amount ? 'ok' : 'wrong_sum'
}

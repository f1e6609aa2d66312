/** Which notes a machine gives for an amount where its host leaves that to it. */
import type { Unit } from './device.ts'
import { type ByUnit, numberOf } from './notes.ts'

/** From the fullest cassettes first, so that they empty alike; undefined where no notes make the amount. */
export function mixOf(units: readonly Unit[], amount: number): ByUnit | undefined {
  const cassettes = units
    .filter(({ type }) => type === 'cash_out')
    .map(({ id, value, notes }) => ({ id, value, count: numberOf(notes) }))
    .sort((a, b) => b.count - a.count || b.value - a.value)
  return fill(cassettes, amount)
}

type Cassette = { readonly id: string; readonly value: number; readonly count: number }

function fill([first, ...others]: readonly Cassette[], amount: number): ByUnit | undefined {
  if (amount === 0) return {}
  if (first === undefined) return undefined
  const most = Math.min(first.count, Math.floor(amount / first.value))
  for (let count = most; count >= 0; count -= 1) {
    const rest = fill(others, amount - count * first.value)
    if (rest !== undefined) return count === 0 ? rest : { [first.id]: count, ...rest }
  }
  return undefined
}

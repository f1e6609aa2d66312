/** Notes: how many from which unit, how many of which value, and what they are worth. Minor units throughout. */
import { decimalOf } from '../outside/money.ts'

/** Notes by the unit that pays them out. */
export type ByUnit = Readonly<Record<string, number>>

/** Notes by their value. */
export type ByValue = Readonly<Record<string, number>>

export function worthOf(notes: ByValue): number {
  return Object.entries(notes).reduce((sum, [value, count]) => sum + Number(value) * count, 0)
}

export function numberOf(notes: ByUnit | ByValue): number {
  return Object.values(notes).reduce((sum, count) => sum + count, 0)
}

/** With so many more of one kind; what there is none of is left out. */
export function plus<Notes extends ByUnit | ByValue>(
  notes: Notes,
  kind: string | number,
  count: number,
): Notes {
  const { [kind]: before = 0, ...rest } = notes
  return (before + count === 0 ? rest : { ...rest, [kind]: before + count }) as Notes
}

/** Money as a person reads it: `60.00`. */
export function money(minor: number): string {
  return decimalOf(minor, 2)
}

/** `1 × 50 + 2 × 20`, largest first. */
export function notesInWords(notes: ByValue): string {
  const kinds = Object.entries(notes).sort(([a], [b]) => Number(b) - Number(a))
  if (kinds.length === 0) return 'nothing'
  return kinds.map(([value, count]) => `${count} × ${money(Number(value)).replace(/\.00$/, '')}`).join(' + ')
}

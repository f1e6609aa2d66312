/** The accounts of every bench store, counted from 0. Nine digits, as the first ones of a new store have. */
export const firstNumber = 400_000_000

export function accountNumber(i: number): string {
  return String(firstNumber + i)
}

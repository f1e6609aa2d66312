/** Sums of money, each of its own currency. */
import type { Currency, Minor } from '../ledger/money.ts'

export type Sums = ReadonlyMap<Currency, Minor>

export function addTo(sums: Map<Currency, Minor>, currency: Currency, amount: Minor): void {
  sums.set(currency, (sums.get(currency) ?? 0) + amount)
}

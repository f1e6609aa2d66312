/** Proves what records say of limits: that what left was counted, within them, and given back to its day alone. */
import type { Day, Limits, Used } from './limits.ts'
import { type Minor, minorMax } from './money.ts'

type Counted = { readonly limits?: Limits; readonly used?: Used }

type Charged = {
  readonly charged?: Day
  readonly amount: Minor
  readonly forced?: true
  readonly adjustment?: string
}

/** What a debit or a hold must leave as used; or what is wrong with the day it is charged to. */
export function dueOfCharge(
  { limits, used }: Counted,
  { charged, amount, forced, adjustment }: Charged,
): { used?: Used } | { what: string } {
  if (limits === undefined)
    return charged === undefined ? {} : { what: 'counts against limits that there are not' }
  if (charged === undefined) return { what: 'is not counted against the limits' }
  if (used !== undefined && charged < used.day)
    return { what: `is counted on ${charged}, which is before ${used.day}` }
  const [sum, count] = used?.day === charged ? [used.amount, used.count] : [0, 0]
  const due = { day: charged, amount: Math.min(sum + amount, minorMax), count: count + 1 }
  const { transaction_amount = Infinity, daily_amount = Infinity, daily_count = Infinity } = limits
  const isOver = amount > transaction_amount || due.amount > daily_amount || due.count > daily_count
  const isCountedOnly = forced === true || adjustment !== undefined
  return isOver && !isCountedOnly ? { what: 'passes the limits' } : { used: due }
}

/** What must be left as used where an amount, and a transaction or none, is given back to the day it was charged to. */
export function dueOfBack({ used }: Counted, { charged, amount }: Charged, count: 0 | 1): { used?: Used } {
  if (charged === undefined || used?.day !== charged || (amount === 0 && count === 0)) return {}
  return { used: { day: charged, amount: Math.max(0, used.amount - amount), count: used.count - count } }
}

export function isSameUsed(a: Used | undefined, b: Used | undefined): boolean {
  return a?.day === b?.day && a?.amount === b?.amount && a?.count === b?.count
}

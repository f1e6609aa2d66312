/**
 * Limits on what may leave an account: in one transaction, and in amount and number on a business day. Only the
 * latest day an account was used on is kept: nothing is ever asked of those before, which the journal has.
 */
import assert from 'node:assert'
import { type Minor, minorMax } from './money.ts'

/** What is missing is not limited. Amounts in minor units. */
export type Limits = {
  readonly transaction_amount?: Minor
  readonly daily_amount?: Minor
  readonly daily_count?: number
}

/** A business day in the bank's zone, such as `2026-11-24`: as text, days stand in their order. */
export type Day = string

/** What left an account on a day, and what holds keep for it. */
export type Used = { readonly day: Day; readonly amount: Minor; readonly count: number }

/** The limit in the way. `remaining` is what could still leave. */
export type Exceeded = {
  readonly name: keyof Limits
  readonly limit: number
  readonly used: number
  readonly remaining: number
}

/** The latest of the account's day and this one: a clock that is set back brings no limit back. */
export function usedOn(used: Used | undefined, day: Day): Used {
  return used === undefined || used.day < day ? { day, amount: 0, count: 0 } : used
}

/** The first limit that so much more would pass. */
export function exceeded(
  limits: Limits,
  { used, day, amount }: { readonly used: Used | undefined; readonly day: Day; readonly amount: Minor },
): Exceeded | undefined {
  const now = usedOn(used, day)
  const { transaction_amount, daily_amount, daily_count } = limits
  const told = (name: keyof Limits, limit: number, used: number) => ({
    name,
    limit,
    used,
    remaining: Math.max(0, limit - used),
  })
  if (transaction_amount !== undefined && amount > transaction_amount)
    return told('transaction_amount', transaction_amount, 0)
  if (daily_amount !== undefined && amount > daily_amount - now.amount)
    return told('daily_amount', daily_amount, now.amount)
  if (daily_count !== undefined && now.count >= daily_count)
    return told('daily_count', daily_count, now.count)
  return undefined
}

/** One more transaction on a day. What is forced may pass every limit, and ends at the largest number there is. */
export function charge(before: Used | undefined, day: Day, amount: Minor): Used {
  const used = usedOn(before, day)
  return { day: used.day, amount: Math.min(used.amount + amount, minorMax), count: used.count + 1 }
}

/** Gives back to the day that was charged; undefined where that day is over, or there is nothing to give. */
export function giveBack(
  used: Used | undefined,
  charged: Day | undefined,
  back: { readonly amount: Minor; readonly count: number },
): Used | undefined {
  if (charged === undefined || used?.day !== charged) return undefined
  if (back.amount === 0 && back.count === 0) return undefined
  assert(used.count >= back.count, 'what is given back was charged')
  return { day: charged, amount: Math.max(0, used.amount - back.amount), count: used.count - back.count }
}

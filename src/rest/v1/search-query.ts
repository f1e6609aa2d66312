/**
 * What an operator types into the one search box, read as all that it can be: six digits are a STAN, an authorization
 * code, an account number and a machine's own id of a withdrawal. What is there of it is for others to say.
 */
import { beginningOf } from '../../bank/business-day.ts'
import { isAccountNumber } from '../../ledger/account.ts'
import { isRecordId, type RecordId } from '../../ledger/command.ts'
import { isExceptionId } from '../../ledger/exception.ts'
import type { Day } from '../../ledger/limits.ts'
import { type Currency, type Decimal, decimalsOf, type Instant, parseDecimal } from '../../ledger/money.ts'
import { isTerminalId } from '../../ledger/terminal.ts'
import { isOperationId } from '../../ledger/withdrawal.ts'
import { hasCheckDigit, isPan } from '../../vault/pan.ts'

export type Reading =
  | { readonly is: 'terminal'; readonly id: string }
  /** What a terminal did, by its own id of it; of any terminal where none is given. */
  | { readonly is: 'operation'; readonly id: string; readonly terminal?: string }
  | { readonly is: 'account'; readonly number: string }
  /** A whole card number. Nobody should type one, and nobody is told it back. */
  | { readonly is: 'card'; readonly pan: string }
  | { readonly is: 'last4'; readonly last4: string }
  | { readonly is: 'exception'; readonly id: string }
  | { readonly is: 'transfer'; readonly id: RecordId }
  | { readonly is: 'stan'; readonly stan: string }
  | { readonly is: 'rrn'; readonly rrn: string }
  | { readonly is: 'authorization_code'; readonly code: string }
  /** In major units, of one currency if one is named, and the day it was on. */
  | {
      readonly is: 'amount'
      readonly decimal: Decimal
      readonly currency?: Currency
      readonly from: Instant
      readonly to: Instant
    }

export type Today = { readonly now: Instant; dayOf(instant: Instant): Day }

/** All readings, what is known by name before what is known by a number; none of what nothing here is called. */
export function readQuery(text: string, today: Today): readonly Reading[] {
  const q = text.trim().replace(/\s+/g, ' ')
  const amount = amountIn(q, today)
  if (amount !== undefined) return [amount]
  // As the end of a card number is printed.
  const [, last4] = /^[•*·…]+ ?([0-9]{4})$/.exec(q) ?? []
  if (last4 !== undefined) return [{ is: 'last4', last4 }]
  const card = cardIn(q)
  return q.includes(' ') ? card : [...namesIn(q), ...card, ...numbersIn(q)]
}

function namesIn(q: string): readonly Reading[] {
  const upper = q.toUpperCase()
  const [terminal = '', id, ...more] = q.split('/')
  if (id !== undefined) {
    const isOne = more.length === 0 && isTerminalId(terminal.toUpperCase()) && isOperationId(id)
    return isOne ? [{ is: 'operation', terminal: terminal.toUpperCase(), id }] : []
  }
  return [
    ...(isTerminalId(upper) ? [{ is: 'terminal', id: upper } as const] : []),
    ...(isAccountNumber(q) ? [{ is: 'account', number: q } as const] : []),
    ...(isExceptionId(q) ? [{ is: 'exception', id: q } as const] : []),
    ...(isRecordId(q) ? [{ is: 'transfer', id: q } as const] : []),
    ...(isOperationId(q) ? [{ is: 'operation', id: q } as const] : []),
  ]
}

function numbersIn(q: string): readonly Reading[] {
  return [
    ...(/^[0-9]{4}$/.test(q) ? [{ is: 'last4', last4: q } as const] : []),
    ...(/^[0-9]{1,6}$/.test(q) ? [{ is: 'stan', stan: q.padStart(6, '0') } as const] : []),
    ...(/^[0-9]{6}$/.test(q) ? [{ is: 'authorization_code', code: q } as const] : []),
    ...(/^[A-Za-z0-9]{12}$/.test(q) ? [{ is: 'rrn', rrn: q } as const] : []),
  ]
}

/** Also in groups, as it is printed on the card. */
function cardIn(q: string): readonly Reading[] {
  const pan = /^[0-9 -]+$/.test(q) ? q.replace(/[ -]/g, '') : ''
  return isPan(pan) && hasCheckDigit(pan) ? [{ is: 'card', pan }] : []
}

/** Such as `60.00 2026-11-26`, `60 today`, `60 USD 26.11.` */
function amountIn(q: string, today: Today): Reading | undefined {
  const [, whole, fraction = '0', code, when = ''] =
    /^([0-9]{1,13})(?:[.,]([0-9]{1,4}))? ?([A-Za-z]{3})? (\S+)$/.exec(q) ?? []
  if (whole === undefined) return undefined
  const currency = code?.toUpperCase()
  const parsed = parseDecimal(`${BigInt(whole)}.${fraction}`)
  const day = dayIn(when.toLowerCase(), today)
  const period = day === undefined ? undefined : periodOf(day, today)
  if ('problem' in parsed || period === undefined) return undefined
  if (currency !== undefined && decimalsOf(currency) === undefined) return undefined
  return { is: 'amount', decimal: parsed.decimal, ...(currency !== undefined && { currency }), ...period }
}

/** A day that is named: without a year the last one that was so. */
function dayIn(when: string, { now, dayOf }: Today): Day | undefined {
  const today = dayOf(now)
  if (when === 'today') return today
  if (when === 'yesterday') return dayOf(beginningOf(dayOf, now) - 1)
  if (/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(when)) return when
  const [, day, month, year] = /^([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})?$/.exec(when) ?? []
  if (day === undefined || month === undefined) return undefined
  const inYear = (of: number) => `${of}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  if (year !== undefined) return inYear(Number(year))
  const thisYear = Number(today.slice(0, 4))
  return inYear(thisYear) <= today ? inYear(thisYear) : inYear(thisYear - 1)
}

const hourMs = 3_600_000

/** When a day began and ended; undefined where there was no such day. */
function periodOf(day: Day, { dayOf }: Today): { from: Instant; to: Instant } | undefined {
  const noon = Date.parse(`${day}T12:00:00Z`)
  // Where clocks are more than twelve hours ahead it is the next day by then.
  const within = [noon, noon - 12 * hourMs].find(
    (instant) => !Number.isNaN(instant) && dayOf(instant) === day,
  )
  if (within === undefined) return undefined
  const from = beginningOf(dayOf, within)
  // The longest day has 26 hours, and the shortest 22.
  return { from, to: beginningOf(dayOf, from + 26.5 * hourMs) }
}

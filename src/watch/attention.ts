/**
 * What needs a person, worst first: machines that give no money, then money that nobody is sure of, then what will
 * soon be empty. Pure: machines, open exceptions and the time are all it looks at.
 */
import type { Exception, ExceptionType } from '../ledger/exception.ts'
import type { Currency, Instant, Minor } from '../ledger/money.ts'
import { countOf, type Terminal, type TerminalId, type Unit } from '../ledger/terminal.ts'
import { hourMs, type Used } from './usage.ts'

export type AttentionKind =
  | 'out_of_service'
  | 'silent'
  | 'no_cash_out'
  | 'unit_empty'
  | 'unit_low'
  | 'suspect'
  | 'out_of_balance'
  | 'exception'

/** One thing that needs a person. A member stands where it is known. */
export type Attention = {
  readonly kind: AttentionKind
  readonly terminal: TerminalId
  /** Of a unit that is empty or low; without one all that pay out are empty. */
  readonly unit?: string
  readonly withdrawal?: string
  readonly exception?: string
  readonly exception_type?: ExceptionType
  readonly account?: string
  readonly last4?: string
  readonly amount?: Minor
  readonly currency?: Currency
  readonly since?: Instant
  /** Notes that are left, or how many units are empty. */
  readonly count?: number
  /** How long the notes last as they left in the last seven days; null where that is not known. */
  readonly hours_left?: number | null
  /** The pause between payments that is usual at this hour. */
  readonly usual_ms?: number
}

/** A machine with what the last seven days say of it; undefined while they have not been read. */
export type Watched = { readonly terminal: Terminal; readonly used?: Used | undefined }

export type Thresholds = {
  /** A machine that was not heard of for so long is silent. Milliseconds. */
  readonly silentMs: number
}

// Units are counted and exchanged in less.
const exchangeMs = 2 * hourMs
// A pause is unusual when it is twice the usual one; below half an hour none is.
const pauseFactor = 2
const pauseLeastMs = hourMs / 2
// Of a unit without a mark of its own.
const lowHours = 24

/** Worst first; of the same kind the oldest first, then by name. */
const order = [
  'out_of_service',
  'all_empty',
  'no_cash_out',
  'silent',
  'suspect',
  'out_of_balance',
  'exception',
  'unit_empty',
  'unit_low',
] as const

export function attentionOf(
  watched: readonly Watched[],
  exceptions: readonly Exception[],
  now: Instant,
  thresholds: Thresholds,
): Attention[] {
  const rows = [
    ...watched.flatMap((machine) => ofMachine(machine, now, thresholds)),
    ...exceptions.map(ofException),
  ]
  return rows
    .map((row) => ({ row, rank: order.indexOf(rankOf(row)), weight: weightOf(row), name: nameOf(row) }))
    .sort((a, b) => a.rank - b.rank || a.weight - b.weight || (a.name < b.name ? -1 : 1))
    .map(({ row }) => row)
}

function rankOf({ kind, unit }: Attention): (typeof order)[number] {
  return kind === 'unit_empty' && unit === undefined ? 'all_empty' : kind
}

/** What is older, or empty sooner, comes first; what began nobody knows when is the oldest. */
function weightOf({ kind, since = 0, hours_left }: Attention): number {
  return kind === 'unit_low' ? (hours_left ?? Number.MAX_VALUE) : since
}

function nameOf({ terminal, unit = '', exception = '' }: Attention): string {
  return `${terminal} ${unit} ${exception}`
}

function ofException({
  id,
  type,
  opened_at: since,
  terminal,
  amount,
  currency,
  ...more
}: Exception): Attention {
  const { withdrawal, account, last4 } = more
  const kind = type === 'suspect' || type === 'out_of_balance' ? type : 'exception'
  return {
    kind,
    terminal,
    ...(withdrawal !== undefined && { withdrawal }),
    exception: id,
    exception_type: type,
    ...(account !== undefined && { account }),
    ...(last4 !== undefined && { last4 }),
    amount,
    currency,
    since,
  }
}

/** Of a machine that gives no money at all the one reason, and of one that does each unit that will not for long. */
function ofMachine({ terminal, used }: Watched, now: Instant, { silentMs }: Thresholds): Attention[] {
  if (terminal.state !== 'in_service') return outOfService(terminal, used, now)
  const units = terminal.units.filter(({ type }) => type === 'cash_out')
  const empty = units.filter((unit) => leftIn(unit) === 0)
  const { id } = terminal
  if (empty.length > 0 && empty.length === units.length)
    return [{ kind: 'unit_empty', terminal: id, count: empty.length }]
  return [
    ...(silent(terminal, used, now, silentMs) ?? noCashOut(terminal, used, now) ?? []),
    ...empty.map(({ id: unit }) => ({ kind: 'unit_empty', terminal: id, unit, count: 0 }) as const),
    ...units.flatMap((unit) => low(id, unit, used)),
  ]
}

function outOfService(terminal: Terminal, used: Used | undefined, now: Instant): Attention[] {
  const { id, state } = terminal
  if (isNew(terminal)) return []
  const since = used?.stateSince
  if (state === 'exchange' && (used === undefined || now - (since ?? 0) <= exchangeMs)) return []
  return [{ kind: 'out_of_service', terminal: id, ...(since !== undefined && { since }) }]
}

/** It has never had a note and was never heard of: it is not there yet. */
function isNew({ last_seen, counted, units }: Terminal): boolean {
  return last_seen === undefined && counted === 0 && units.every(({ initial }) => initial === 0)
}

function silent(
  terminal: Terminal,
  used: Used | undefined,
  now: Instant,
  silentMs: number,
): Attention[] | undefined {
  const { id, last_seen, require_sign_on, signed_on, at } = terminal
  const isOff = require_sign_on && !signed_on
  const since = last_seen ?? used?.stateSince ?? at
  return isOff || now - since > silentMs ? [{ kind: 'silent', terminal: id, since }] : undefined
}

/** From when it could pay out: what was while it was out of service says nothing. */
function noCashOut(terminal: Terminal, used: Used | undefined, now: Instant): Attention[] | undefined {
  const usual_ms = used?.usualPauseMs
  if (usual_ms === undefined) return undefined
  const { lastCashOut = 0, stateSince = 0 } = used ?? {}
  const since = Math.max(lastCashOut, terminal.last_cash_out ?? 0, stateSince)
  const most = Math.max(pauseLeastMs, pauseFactor * usual_ms)
  return now - since > most ? [{ kind: 'no_cash_out', terminal: terminal.id, since, usual_ms }] : undefined
}

function low(terminal: TerminalId, unit: Unit, used: Used | undefined): Attention[] {
  const count = leftIn(unit)
  const rate = used?.notesPerHour[unit.id]
  const hours_left = rate === undefined ? null : Math.round((count / rate) * 10) / 10
  const isLow = unit.low > 0 ? count <= unit.low : hours_left !== null && hours_left < lowHours
  return count > 0 && isLow ? [{ kind: 'unit_low', terminal, unit: unit.id, count, hours_left }] : []
}

/** Notes that no withdrawal has been promised. */
function leftIn(unit: Unit): number {
  return countOf(unit) - unit.reserved
}

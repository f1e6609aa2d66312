/**
 * What machines did in the last seven days, of the records that say so: notes that left each unit and the longest
 * pauses between two payments, by the hour. What is kept grows with machines and hours, not with what they pay out.
 */
import type { AtmContent, WithdrawalSettled } from '../ledger/atm-records.ts'
import type { Instant } from '../ledger/money.ts'
import type { JournalRecord } from '../ledger/record.ts'
import type { Terminal, TerminalId } from '../ledger/terminal.ts'

export const hourMs = 3_600_000
const hoursPerDay = 24
const days = 7
const hours = days * hoursPerDay
export const weekMs = hours * hourMs

// With fewer nothing is usual yet.
const paymentsLeast = 20
const daysLeast = 3

/** What the last seven days say of a machine, as far as they are known. */
export type Used = {
  /** Since when it is in the state it is in; undefined where that is longer ago. */
  readonly stateSince?: Instant
  readonly lastCashOut?: Instant
  /**
   * The pause between payments that is usual for this machine at this time of day: the longest that reached into this
   * hour on each of the last seven days, the longest of these left out, since one day may have been a bad one.
   * Milliseconds; undefined with fewer than 20 payments or three such days.
   */
  readonly usualPauseMs?: number
  /** Notes that leave a unit in an hour, on the average; of units that notes left. */
  readonly notesPerHour: Readonly<Record<string, number>>
}

type Hour = {
  payments: number
  /** The longest pause that reached into it. */
  pauseMs?: number
  readonly notes: Record<string, number>
}

type Machine = {
  readonly hours: Map<number, Hour>
  stateSince?: Instant
  lastCashOut?: Instant
}

export class Usage {
  readonly #machines = new Map<TerminalId, Machine>()

  /** Takes in a record; they come in the order of the journal. */
  absorb({ at, content }: Pick<JournalRecord, 'at' | 'content'>): void {
    switch (content.kind) {
      case 'terminal_changed':
        if (content.state !== undefined) this.#machine(content).stateSince = at
        return
      case 'exchange_started':
      case 'exchange_ended':
        this.#machine(content).stateSince = at
        return
      case 'withdrawal_authorized':
        // Nobody says more of it until its batch is closed, and most such have left.
        if (content.confirmation === 'implicit') paid(this.#machine(content), at)
        return
      case 'withdrawal_settled': {
        const machine = this.#machine(content)
        if (content.by === 'confirm' && content.out !== undefined) paid(machine, at)
        left(machine, at, content)
        return
      }
    }
  }

  /** What is known of a machine. */
  of({ id, at }: Pick<Terminal, 'id' | 'at'>, now: Instant): Used {
    const machine = this.#machines.get(id)
    if (machine === undefined) return { notesPerHour: {} }
    const { stateSince, lastCashOut } = machine
    forget(machine, now)
    const usualPauseMs = usualPauseOf(machine, now)
    return {
      ...(stateSince !== undefined && { stateSince }),
      ...(lastCashOut !== undefined && { lastCashOut }),
      ...(usualPauseMs !== undefined && { usualPauseMs }),
      notesPerHour: notesPerHour(machine, at, now),
    }
  }

  #machine({ terminal }: Extract<AtmContent, { terminal: TerminalId }>): Machine {
    const found = this.#machines.get(terminal)
    if (found !== undefined) return found
    const machine: Machine = { hours: new Map() }
    this.#machines.set(terminal, machine)
    return machine
  }
}

function paid(machine: Machine, at: Instant): void {
  hourOf(machine, at).payments += 1
  const { lastCashOut: before } = machine
  machine.lastCashOut = Math.max(at, before ?? at)
  // For how long the first one was waited for nobody knows.
  if (before === undefined) return
  const first = Math.max(numberOf(before), numberOf(at) - hours)
  for (let number = first; number <= numberOf(at); number += 1) {
    const hour = hourAt(machine, number)
    hour.pauseMs = Math.max(hour.pauseMs ?? 0, at - before)
  }
}

/** As units count it: those that went into the reject unit left as well, those that came back did not. */
function left(
  machine: Machine,
  at: Instant,
  { out = {}, rejected = {}, back = {} }: WithdrawalSettled,
): void {
  const { notes } = hourOf(machine, at)
  const add = (moved: Readonly<Record<string, number>>, sign: 1 | -1) => {
    for (const [unit, count] of Object.entries(moved)) notes[unit] = (notes[unit] ?? 0) + sign * count
  }
  add(out, 1)
  add(rejected, 1)
  add(back, -1)
}

function usualPauseOf(machine: Machine, now: Instant): number | undefined {
  const payments = [...machine.hours.values()].reduce((sum, hour) => sum + hour.payments, 0)
  if (payments < paymentsLeast) return undefined
  const pauses: number[] = []
  for (let day = 1; day <= days; day += 1) {
    const pauseMs = machine.hours.get(numberOf(now) - day * hoursPerDay)?.pauseMs
    if (pauseMs !== undefined) pauses.push(pauseMs)
  }
  return pauses.length < daysLeast ? undefined : pauses.sort((a, b) => b - a)[1]
}

/** Over seven days, or as long as the machine is there; at least an hour. */
function notesPerHour(machine: Machine, madeAt: Instant, now: Instant): Record<string, number> {
  const from = (numberOf(now) - hours) * hourMs
  const over = Math.max(1, (now - Math.max(from, madeAt)) / hourMs)
  const sums: Record<string, number> = {}
  for (const { notes } of machine.hours.values())
    for (const [unit, count] of Object.entries(notes)) sums[unit] = (sums[unit] ?? 0) + count
  return Object.fromEntries(
    Object.entries(sums).flatMap(([unit, sum]) => (sum > 0 ? [[unit, sum / over]] : [])),
  )
}

function hourOf(machine: Machine, at: Instant): Hour {
  return hourAt(machine, numberOf(at))
}

function hourAt(machine: Machine, number: number): Hour {
  const found = machine.hours.get(number)
  if (found !== undefined) return found
  const hour: Hour = { payments: 0, notes: {} }
  machine.hours.set(number, hour)
  if (machine.hours.size > hours + 1) forget(machine, number * hourMs)
  return hour
}

/** Beside this hour the 168 before it, of which the first is the same hour a week ago. */
function forget(machine: Machine, now: Instant): void {
  for (const number of machine.hours.keys()) if (number < numberOf(now) - hours) machine.hours.delete(number)
}

function numberOf(at: Instant): number {
  return Math.floor(at / hourMs)
}

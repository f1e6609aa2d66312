/** Proves what is in machines: terminals as they are made, exchanges, and the reports of batches. */
import type { BatchClosed, ExchangeCounted, ExchangeEnded, TerminalCreated } from './atm-records.ts'
import type { Minor } from './money.ts'
import type { Transfer } from './record.ts'
import { accountsOfTerminal, type OpenBatch, type UnitPlan } from './terminal.ts'
import {
  type Around,
  changeOf,
  isCount,
  type KnownTerminal,
  type KnownUnit,
  notesAfter,
  type Units,
  worthOfContents,
  worthOfOut,
  worthOfUnit,
} from './verify-atm-known.ts'
import { judgeDay } from './verify-atm-withdrawal.ts'

const mixes = ['minimumBills', 'equalEmptying']
const unitTypes = ['cash_out', 'cash_in', 'reject', 'retract']

export function judgeCreated(content: TerminalCreated): string | undefined {
  const { terminal: id, units, max_notes, max_withdrawal = 1, start_within_s, confirm_within_s } = content
  if (!/^[A-Z0-9]{1,16}$/.test(id)) return `creates terminal ${JSON.stringify(id)}, which is no id`
  const ids = new Set(units.map((unit) => unit.id))
  const wrong = units.find((unit) => !isUnit(unit))
  if (!mixes.includes(content.mix) || typeof content.name !== 'string')
    return `creates terminal ${id} with no name or mix`
  if (![undefined, true].includes(content.require_sign_on))
    return `creates terminal ${id} with no word on sign-on`
  if (ids.size < units.length || wrong !== undefined) return `creates terminal ${id} with units of no kind`
  const figures = [max_notes, max_withdrawal, start_within_s, confirm_within_s]
  return figures.every((figure) => isCount(figure) && figure > 0)
    ? undefined
    : `creates terminal ${id} with figures that are none`
}

function isUnit({ id, type, value = 0, low = 0 }: UnitPlan): boolean {
  if (typeof id !== 'string' || id === '') return false
  if (!unitTypes.includes(type) || !isCount(value) || !isCount(low)) return false
  return (type === 'cash_out') === value > 0
}

export function terminalCreated(content: TerminalCreated, at: number): KnownTerminal {
  const { terminal: id, currency, units, max_notes, start_within_s, confirm_within_s } = content
  const empty = ({ type, value = 0 }: UnitPlan) => ({ type, value, count: 0, reserved: 0, notes: {} })
  return {
    id,
    currency,
    state: 'out_of_service',
    signed_on: false,
    must_sign_on: content.require_sign_on === true,
    units: new Map(units.map((unit) => [unit.id, empty(unit)])),
    max_notes,
    max_withdrawal: content.max_withdrawal ?? Number.POSITIVE_INFINITY,
    start_within_s,
    confirm_within_s,
    batch: emptyBatch(1, at),
    counted: 0,
    pin_keys: [],
    mac_keys: [],
    bad_blocks: [],
    open: new Map(),
  }
}

function emptyBatch(batch: number, opened_at: number): OpenBatch {
  const none = { count: 0, amount: 0 }
  const sums = { withdrawals: none, withdrawal_reversals: none, deposits: none, deposit_reversals: none }
  return { batch, business_date: null, opened_at, ...sums }
}

export function judgeCounted(
  { exchange: id, counts }: ExchangeCounted,
  { exchange, units }: KnownTerminal,
): string | undefined {
  if (exchange?.id !== id) return `counts in exchange ${id}, which is not open`
  for (const [name, contents] of Object.entries(counts)) {
    const unit = units.get(name)
    if (unit === undefined || worthOfContents(unit, contents) === undefined)
      return `counts unit ${name} as what it is not`
  }
  const left = [...units].find(([name, unit]) => counts[name] === undefined && worthOfUnit(unit) !== 0)
  return left && `does not count unit ${left[0]}, which holds notes`
}

/** What the transfers of an exchange must be: what counting found, what is taken out, what is put in; none of nothing. */
export function judgeEnded(
  content: ExchangeEnded,
  terminal: KnownTerminal,
  moved: readonly Transfer[],
): string | undefined {
  const { exchange: id, mode, loaded } = content
  const { exchange, units } = terminal
  if (exchange?.id !== id) return `ends exchange ${id}, which is not open`
  if (!['set', 'add'].includes(mode)) return `ends exchange ${id} in no way: ${mode}`
  const load = worthOfOut(units, loaded)
  if (load === undefined) return 'loads notes into units that do not pay out, or no number of them'
  if (mode === 'set' && exchange.counts === undefined) return `ends exchange ${id} without a count`
  const [open] = mode === 'set' ? terminal.open.keys() : []
  if (open !== undefined) return `ends exchange ${id}, where ${open} is open`
  const counted = mode === 'set' ? worthCounted(units, exchange.counts ?? {}) : 0
  const had = mode === 'set' ? worthOf(units) : 0
  const due = { variance: counted - had, unload: counted, load }
  const { cash, over_short } = accountsOfTerminal(terminal.id)
  for (const [type, amount] of Object.entries(due)) {
    const own = moved.filter((transfer) => transfer.type === type)
    const change = changeOf(own, type === 'variance' ? over_short : cash)
    const changed = type === 'load' ? -change : change
    if (changed !== amount || own.length > 1)
      return `ends exchange ${id} with a ${type} of ${changed}; it must be ${amount}`
  }
  const other = moved.find(({ type }) => !Object.hasOwn(due, type))
  return other && `ends exchange ${id} with a ${other.type}`
}

export function worthOf(units: Units): Minor {
  return [...units.values()].reduce((sum, unit) => sum + worthOfUnit(unit), 0)
}

function worthCounted(units: Units, counts: ExchangeCounted['counts']): Minor {
  const worthIn = ([id, unit]: readonly [string, KnownUnit]) => {
    const contents = counts[id]
    return contents === undefined ? 0 : (worthOfContents(unit, contents) ?? 0)
  }
  return [...units].reduce((sum, unit) => sum + worthIn(unit), 0)
}

export function exchangeEnded(
  { exchange, ...terminal }: KnownTerminal,
  { mode, loaded }: ExchangeEnded,
): KnownTerminal {
  const filled = (id: string, unit: KnownUnit) => {
    const more = loaded[id] ?? 0
    return mode === 'set' ? { ...unit, count: more, notes: {} } : { ...unit, count: unit.count + more }
  }
  return {
    ...terminal,
    state: exchange?.afterwards ?? 'out_of_service',
    units: new Map([...terminal.units].map(([id, unit]) => [id, filled(id, unit)])),
    counted: terminal.counted + (mode === 'set' ? 1 : 0),
  }
}

/** Notes put into a unit that keeps them by value, or taken out. */
export function unitsWith(units: Units, id: string | undefined, notes: object, sign: 1 | -1): Units {
  return new Map(
    [...units].map(([name, unit]) => [
      name,
      name === id ? { ...unit, notes: notesAfter(unit.notes, { ...notes }, sign) } : unit,
    ]),
  )
}

/** The report of a batch is what the records since the last one make. */
export function judgeClosed(
  { report, told_in }: BatchClosed,
  terminal: KnownTerminal,
  around: Around,
): string | undefined {
  const { id, batch, open } = terminal
  const { cash, transit, over_short } = accountsOfTerminal(id)
  const ledger = (account: string) => around.account(account)?.ledger ?? 0
  const { withdrawals, withdrawal_reversals, deposits, deposit_reversals } = batch
  for (const each of open.values()) {
    if (each.state === 'authorized' && each.confirmation === 'implicit')
      return `closes batch ${report.batch}, where silence has not confirmed ${each.id}`
    if (each.expires_at !== null && around.at >= each.expires_at)
      return `closes batch ${report.batch}, where the time of ${each.id} is up`
  }
  const carried = [...open.values()]
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    .map(({ id, state, amount }) => ({ id, state, amount }))
  const due = {
    kind: 'batch',
    terminal: id,
    ...batch,
    business_date: batch.business_date ?? report.business_date,
    closed_at: around.at,
    net: deposits.amount - deposit_reversals.amount - withdrawals.amount + withdrawal_reversals.amount,
    open: carried,
    cash: 0 - ledger(cash),
    transit: ledger(transit),
    over_short: ledger(over_short),
  }
  const { head, ...told } = report
  for (const [name, figure] of Object.entries(due)) {
    const given = JSON.stringify(told[name as keyof typeof told])
    if (given !== JSON.stringify(figure))
      return `closes batch ${report.batch} with ${name} ${given}; it must be ${JSON.stringify(figure)}`
  }
  if (Object.keys(told).length !== Object.keys(due).length) return `closes batch ${report.batch} with more`
  if (told_in !== undefined && (typeof told_in !== 'string' || told_in === terminal.currency))
    return `closes batch ${report.batch}, counted in ${told_in}, which is no other currency`
  return judgeDay(terminal, report.business_date) ?? judgeHead(head, around)
}

/** The largest difference between what a machine counted and what is so; undefined where there is none, and no other currency. */
export function offBalance({ told, told_in, report }: BatchClosed): Minor | undefined {
  if (told === undefined) return told_in === undefined ? undefined : 0
  const names = ['withdrawals', 'withdrawal_reversals', 'deposits', 'deposit_reversals'] as const
  const amounts = names.map((name) => [told[name]?.amount, report[name].amount] as const)
  const counts = names.map((name) => [told[name]?.count, report[name].count] as const)
  const sums = [...amounts, [told.net, report.net] as const]
  const isOff =
    told_in !== undefined || [...sums, ...counts].some(([said, is]) => said !== undefined && said !== is)
  const off = sums.map(([said, is]) => (said === undefined ? 0 : Math.abs(said - is)))
  return isOff ? Math.min(Math.max(...off), Number.MAX_SAFE_INTEGER) : undefined
}

/** The block before this one, of its writer. */
function judgeHead(
  { writer, block, hash }: BatchClosed['report']['head'],
  { head }: Around,
): string | undefined {
  const isFirst = head.sequence === 0 && hash === ''
  return writer === head.writer && block === head.sequence && (hash === head.hash || isFirst)
    ? undefined
    : `closes its batch on block ${writer}-${block}, which is not the one before`
}

export function batchClosed(terminal: KnownTerminal, at: number): KnownTerminal {
  return { ...terminal, batch: emptyBatch(terminal.batch.batch + 1, at) }
}

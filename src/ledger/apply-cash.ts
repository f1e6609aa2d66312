/** The rules of a machine's cash: exchanged, counted, and its batch closed. */

import { correct } from './apply-exceptions.ts'
import { assume, doubt, expire, giveAllBack } from './apply-withdrawals.ts'
import type { CloseBatch, CountUnits, EndExchange, Stamped, StartExchange } from './atm-commands.ts'
import {
  decided,
  entityReply,
  ofKind,
  operationOf,
  overShortOf,
  raise,
  repeated,
  saidBy,
  terminalIn,
  terminalThere,
  unknownTerminal,
  usesIn,
  withdrawalThere,
} from './atm-rules.ts'
import type { Books } from './books.ts'
import { type Outcome, type RecordId, type Reply, refuse, type Submission } from './command.ts'
import { nameOf } from './entity.ts'
import type { Instant, Minor } from './money.ts'
import { accountThere, markOf, post } from './posting.ts'
import type { Rules } from './rules.ts'
import {
  accountsOfTerminal,
  type Contents,
  cashIn,
  countOf,
  type Notes,
  type NotesOut,
  netOf,
  offBalance,
  type Terminal,
  type TerminalId,
  type Unit,
  valueOfNotes,
} from './terminal.ts'
import { numberOfClose, useOf } from './trace.ts'
import type { Withdrawal } from './withdrawal.ts'

/** What is under way at a terminal or in doubt, oldest first. */
function openAt(books: Books, id: TerminalId): Withdrawal[] {
  return books
    .waiting(nameOf.withdrawal(id, ''))
    .flatMap((entity) => ofKind(entity, 'withdrawal') ?? [])
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
}

/** What time alone decides is decided first: expired ones end, and silence is taken for a dispense. */
function settleSilent(books: Books, by: Submission, id: TerminalId, now: Instant): void {
  for (const withdrawal of openAt(books, id)) {
    const { state, confirmation } = expire(books, by, withdrawal, now)
    if (state === 'authorized' && confirmation === 'implicit') assume(books, by, withdrawal, now)
  }
}

/** Ends a batch with its report, which is for ever. What is under way is carried over into the next. */
export function closeBatch(
  books: Books,
  by: Submission,
  command: CloseBatch,
  now: Instant,
  rules: Rules,
): Outcome {
  const { terminal: id, batch: named, totals, currency } = command
  const found = terminalIn(books, id)
  if (found === undefined) return unknownTerminal()
  const used = closedBy(books, found, command, now, rules)
  const number = used ?? named
  const name = nameOf.batch(id, number)
  if (books.entity(name) !== undefined) return repeated(entityReply(books, name, false))
  if (number !== found.batch.batch)
    return decided(refuse('batch_not_open', undefined, { batch: found.batch.batch }))

  settleSilent(books, by, id, now)
  const { batch, ...terminal } = terminalThere(books, id)
  const { cash, transit, over_short } = accountsOfTerminal(id)
  const { writer, sequence: block, hash } = books.head
  const report = {
    kind: 'batch',
    terminal: terminal.id,
    ...batch,
    business_date: batch.business_date ?? rules.dayOf(now),
    closed_at: now,
    net: netOf(batch),
    open: openAt(books, id).map(({ id, state, amount }) => ({ id, state, amount })),
    cash: 0 - accountThere(books, cash).ledger,
    transit: accountThere(books, transit).ledger,
    over_short: accountThere(books, over_short).ledger,
    head: { writer, block, hash },
  } as const
  const isOther = currency !== undefined && currency !== terminal.currency
  const told = { ...(totals && { told: totals }), ...(isOther && { told_in: currency }) }
  books.append({ kind: 'batch_closed', report, ...told, ...saidBy(command) }, markOf(by, now))
  const off = (totals && offBalance(totals, report)) ?? (isOther ? 0 : undefined)
  if (off !== undefined)
    raise(books, by, terminalThere(books, id), { type: 'out_of_balance', amount: off }, now)
  return decided(entityReply(books, name, true))
}

/** The batch that a message closed before; what is closed is the last by then. */
function closedBy(
  books: Books,
  { id, batch: { batch: open } }: Terminal,
  { stamp, again = false }: Stamped,
  now: Instant,
  { dayOf }: Rules,
): number | undefined {
  if (stamp === undefined) return undefined
  const found = useOf(usesIn(books, id, numberOfClose(stamp)), stamp, { again, now, open: open - 1, dayOf })
  return found && Number(found.id)
}

/** Opens the machine. Whatever has not begun to dispense never will; what has begun is in doubt until it is counted. */
export function startExchange(
  books: Books,
  by: Submission,
  { terminal: id }: StartExchange,
  now: Instant,
  _rules: Rules,
): Outcome {
  const found = terminalIn(books, id)
  if (found === undefined) return unknownTerminal()
  if (found.exchange !== undefined) return repeated(exchangeOpen(books, found))

  settleSilent(books, by, id, now)
  for (const withdrawal of openAt(books, id)) {
    if (withdrawal.state === 'authorized') giveAllBack(books, by, withdrawal, { by: 'exchange', now })
    if (withdrawal.state === 'dispensing') doubt(books, by, withdrawal, 'exchange', withdrawal.amount, now)
  }
  const exchange = `x_${books.nextId}`
  books.append({ kind: 'exchange_started', terminal: id, exchange }, markOf(by, now))
  return decided(exchangeOpen(books, terminalThere(books, id)))
}

function exchangeOpen(books: Books, terminal: Terminal): Reply {
  const suspects = openAt(books, terminal.id).map(({ id, amount, units }) => ({
    withdrawal: id,
    amount,
    units,
  }))
  const exchange = terminal.exchange?.id ?? ''
  return { type: 'exchange_open', exchange, terminal, ...overShortOf(books, terminal.id), suspects }
}

/** Says what is in the units, as somebody counted it, and what that says of the suspects. Posts nothing. */
export function countUnits(books: Books, by: Submission, command: CountUnits, now: Instant): Reply {
  const { terminal: id, exchange, units: counts } = command
  const terminal = terminalIn(books, id)
  if (terminal === undefined) return refuse('terminal_not_found')
  if (terminal.exchange?.id !== exchange) return refuse('no_exchange')
  const wrong = wrongUnits(terminal, counts)
  if (wrong.length > 0) return refuse('units_invalid', undefined, { units: wrong })

  books.append({ kind: 'exchange_counted', terminal: id, exchange, counts }, markOf(by, now))
  const units = terminal.units.map((unit) => [unit.id, varianceOf(unit, counts[unit.id])] as const)
  const amount = units.reduce((sum, [, variance]) => sum + variance.amount, 0)
  const suspects = openAt(books, id)
  const proposals = propose(suspects, -amount)
  return {
    type: 'counted',
    units: Object.fromEntries(units),
    amount,
    suspects: suspects.map(({ id, amount }) => {
      const dispensed = proposals.get(id)
      return { withdrawal: id, amount, proposal: dispensed === undefined ? null : { dispensed } }
    }),
  }
}

/** Units that there are not, that were counted otherwise than they are kept, or that hold something and were not counted. */
function wrongUnits({ units }: Terminal, counts: Readonly<Record<string, Contents>>): string[] {
  const unknown = Object.keys(counts).filter((id) => units.every((unit) => unit.id !== id))
  const wrong = units.filter((unit) => {
    const counted = counts[unit.id]
    if (counted === undefined) return countOf(unit) > 0
    return (typeof counted === 'number') !== (unit.type === 'cash_out')
  })
  return [...unknown, ...wrong.map(({ id }) => id)]
}

function expectedIn(unit: Unit): Contents {
  return unit.type === 'cash_out' ? countOf(unit) : unit.notes
}

function worthIn({ value }: Unit, contents: Contents): Minor {
  return typeof contents === 'number' ? contents * value : valueOfNotes(contents)
}

function numberIn(contents: Contents): number {
  return typeof contents === 'number'
    ? contents
    : Object.values(contents).reduce((sum, count) => sum + count, 0)
}

function nothingIn({ type }: Unit): Contents {
  return type === 'cash_out' ? 0 : ({} as Notes)
}

function varianceOf(unit: Unit, given: Contents | undefined) {
  const expected = expectedIn(unit)
  const counted = given ?? nothingIn(unit)
  const variance = numberIn(counted) - numberIn(expected)
  return { expected, counted, variance, amount: worthIn(unit, counted) - worthIn(unit, expected) }
}

// Each more doubles the ways in which suspects can be told apart.
const suspectsMax = 12

/**
 * What the missing cash says of suspects: which of them left, where that can be in one way alone. Of a single one also
 * how much, where it was some of it.
 */
function propose(suspects: readonly Withdrawal[], missing: Minor): ReadonlyMap<string, Minor> {
  const [only] = suspects
  if (only !== undefined && suspects.length === 1 && missing >= 0 && missing <= only.amount)
    return new Map([[only.id, missing]])
  if (suspects.length === 0 || suspects.length > suspectsMax) return new Map()
  const ways: number[] = []
  for (let way = 0; way < 2 ** suspects.length && ways.length < 2; way += 1) {
    const sum = suspects.reduce((sum, { amount }, i) => sum + ((way >> i) & 1) * amount, 0)
    if (sum === missing) ways.push(way)
  }
  const [way] = ways
  if (way === undefined || ways.length > 1) return new Map()
  return new Map(suspects.map(({ id, amount }, i) => [id, ((way >> i) & 1) * amount]))
}

/** Closes the machine again: suspects first, since after the notes are exchanged they prove nothing any more. */
export function endExchange(
  books: Books,
  by: Submission,
  command: EndExchange,
  now: Instant,
  rules: Rules,
): Reply {
  const { terminal: id, exchange, mode, loaded, suspects = {} } = command
  const found = terminalIn(books, id)
  if (found === undefined) return refuse('terminal_not_found')
  if (found.exchange?.id !== exchange) return refuse('no_exchange')
  const { counts } = found.exchange
  const wrong = Object.keys(loaded).filter(
    (name) => !found.units.some((unit) => unit.id === name && unit.type === 'cash_out'),
  )
  if (wrong.length > 0) return refuse('units_invalid', undefined, { units: wrong })
  const open = mode === 'set' ? openAt(books, id) : []
  if (mode === 'set' && counts === undefined) return refuse('not_counted')
  const unanswered = open.filter((withdrawal) => suspects[withdrawal.id] === undefined)
  if (unanswered.length > 0)
    return refuse('suspects_open', undefined, { suspects: unanswered.map((withdrawal) => withdrawal.id) })
  if (open.some((withdrawal) => !isAnswer(books, withdrawal, suspects[withdrawal.id]?.dispensed ?? 0)))
    return refuse('dispensed_invalid')

  for (const withdrawal of open) {
    const dispensed = suspects[withdrawal.id]?.dispensed ?? 0
    const word = { dispensed, reason: `counted in exchange ${exchange}`, by: by.actor, person: '' }
    correct(books, by, withdrawalThere(books, id, withdrawal.id), { word, how: 'exchange', now, rules })
  }
  const before = terminalThere(books, id)
  const moves = movesOf(books, by, before, { exchange, now })
  const removed = mode === 'set' ? contentsOf(before, counts ?? {}) : {}
  const had = cashIn(before)
  const counted = before.units.reduce(
    (sum, unit) => sum + worthIn(unit, removed[unit.id] ?? nothingIn(unit)),
    0,
  )
  const variance = mode === 'set' ? counted - had : 0
  const worthLoaded = before.units.reduce((sum, unit) => sum + unit.value * (loaded[unit.id] ?? 0), 0)
  const transfers = [
    ...moves.variance(variance),
    ...(mode === 'set' ? moves.unload(counted) : []),
    ...moves.load(worthLoaded),
  ]
  books.append(
    { kind: 'exchange_ended', terminal: id, exchange, mode, loaded: someOf(loaded), transfers },
    markOf(by, now),
  )
  const terminal = terminalThere(books, id)
  return { type: 'exchanged', removed, loaded: someOf(loaded), variance, terminal, ...overShortOf(books, id) }
}

/** What left can be no more than was asked for, where nobody said that it was. */
export function isAnswer(books: Books, { exception: id, amount }: Withdrawal, dispensed: Minor): boolean {
  const exception = id === null ? undefined : ofKind(books.entity(nameOf.exception(id)), 'exception')
  return dispensed >= 0 && (dispensed <= amount || exception?.type === 'over_dispensed')
}

function contentsOf(
  { units }: Terminal,
  counts: Readonly<Record<string, Contents>>,
): Record<string, Contents> {
  return Object.fromEntries(units.map((unit) => [unit.id, counts[unit.id] ?? nothingIn(unit)]))
}

function someOf(notes: NotesOut): NotesOut {
  return Object.fromEntries(Object.entries(notes).filter(([, count]) => count > 0))
}

/** The movements of an exchange: what counting found, what is taken out, what is put in. None of nothing. */
function movesOf(
  books: Books,
  by: Submission,
  { id, currency: _ }: Terminal,
  { exchange, now }: { exchange: string; now: Instant },
) {
  const { cash, over_short } = accountsOfTerminal(id)
  const move = (
    type: 'variance' | 'load' | 'unload',
    sides: { debit?: string; credit?: string },
    amount: Minor,
  ): RecordId[] => {
    if (amount === 0) return []
    const account = accountThere(books, cash)
    return [post(books, by, { type, ...sides, amount, account, now, more: operationOf(id, exchange) }).id]
  }
  return {
    variance: (amount: Minor) =>
      amount < 0
        ? move('variance', { debit: over_short, credit: cash }, -amount)
        : move('variance', { debit: cash, credit: over_short }, amount),
    load: (amount: Minor) => move('load', { debit: cash }, amount),
    unload: (amount: Minor) => move('unload', { credit: cash }, amount),
  }
}

/** What each record of the ATM side leaves of the entities it names. The only way they change. */
import type {
  AtmContent,
  OperationDone,
  OperationReversed,
  TerminalCreated,
  WithdrawalAuthorized,
  WithdrawalSettled,
} from './atm-records.ts'
import { type Card, type CardId, triesMax } from './card.ts'
import { type Entity, type EntityName, nameOf } from './entity.ts'
import type { Exception } from './exception.ts'
import type { Day } from './limits.ts'
import type { Instant, Minor } from './money.ts'
import {
  type Notes,
  type NotesOut,
  newBatch,
  type OpenBatch,
  type Terminal,
  type TerminalId,
  type Unit,
} from './terminal.ts'
import { numberOfClose, numbersOf, type Said, type Trace, traceWith, type Use } from './trace.ts'
import { isOpen, type Operation, type Withdrawal } from './withdrawal.ts'

type Find = (name: EntityName) => Entity | undefined

/** The entities that a record leaves, of those that `find` knows, which are all that it changes. */
export function entitiesAfter(content: AtmContent, at: Instant, find: Find): readonly Entity[] {
  return [...leftBy(content, at, find), ...tracesAfter(content, at, find)]
}

function leftBy(content: AtmContent, at: Instant, find: Find): readonly Entity[] {
  const terminal = (id: TerminalId) => there(find(nameOf.terminal(id)), 'terminal')
  const card = (id: CardId) => there(find(nameOf.card(id)), 'card')
  const exception = (id: string) => there(find(nameOf.exception(id)), 'exception')
  const withdrawal = (of: { readonly terminal: TerminalId; readonly withdrawal: string }) =>
    there(find(nameOf.withdrawal(of.terminal, of.withdrawal)), 'withdrawal')

  switch (content.kind) {
    case 'terminal_created':
      return [created(content, at)]
    case 'terminal_changed': {
      const { kind: _, terminal: id, reason: __, ...change } = content
      const found = terminal(id)
      const seen = content.signed_on !== undefined && { last_seen: at }
      if (change.state === undefined || found.exchange === undefined)
        return [{ ...found, ...change, ...seen }]
      // It is open: what it is to be, it is afterwards.
      const exchange = { ...found.exchange, afterwards: change.state }
      return [{ ...found, ...change, state: 'exchange', exchange, ...seen }]
    }
    case 'card_issued': {
      const { kind: _, card: id, ...issued } = content
      return [{ kind: 'card', id, ...issued, status: 'active', tries_left: triesMax, at }]
    }
    case 'card_changed': {
      const { kind: _, card: id, reason: __, ...change } = content
      return [{ ...card(id), ...change }]
    }
    case 'withdrawal_authorized':
      return authorized(content, at, terminal(content.terminal), card(content.card))
    case 'withdrawal_declined': {
      const { kind: _, withdrawal: id, ...declined } = content
      const none = { units: {}, mix_assumed: false, dispensed: null, debited: 0, expires_at: null }
      const state = { state: 'declined', transfers: [], exception: null } as const
      return [
        { kind: 'withdrawal', id, ...declined, ...none, ...state, at },
        { ...terminal(content.terminal), last_seen: at },
      ]
    }
    case 'withdrawal_started': {
      const { expires_at } = content
      const started = { state: 'dispensing', expires_at, confirm_by: expires_at } as const
      return [
        { ...withdrawal(content), ...started },
        { ...terminal(content.terminal), last_seen: at },
      ]
    }
    case 'withdrawal_settled': {
      const found = withdrawal(content)
      const of = terminal(content.terminal)
      const { card_used } = content
      const used = card_used !== undefined && found.card !== undefined
      return [
        settled(content, of, found),
        terminalAfter(content, at, of, found),
        ...(used ? [{ ...card(found.card), used: card_used }] : []),
      ]
    }
    case 'withdrawal_forestalled': {
      const { kind: _, terminal: id, withdrawal, amount, batch, advice, ...told } = content
      const found = terminal(id)
      return [
        {
          ...told,
          kind: 'withdrawal',
          terminal: id,
          id: withdrawal,
          state: 'reversed',
          tombstone: true,
          confirmation: 'explicit',
          amount,
          currency: found.currency,
          units: {},
          mix_assumed: false,
          dispensed: null,
          debited: 0,
          batch,
          expires_at: null,
          transfers: [],
          exception: null,
          fingerprint: '',
          marks: '',
          advice,
          at,
          ...(told.account !== undefined && { counted: found.counted }),
        },
        { ...found, last_seen: at },
      ]
    }
    case 'withdrawal_advised':
      return [
        { ...withdrawal(content), advice: content.advice },
        { ...terminal(content.terminal), last_seen: at },
      ]
    case 'operation_done':
      return done(content, at, terminal(content.terminal))
    case 'operation_declined': {
      const { kind: _, operation: id, ...declined } = content
      return [
        { kind: 'operation', id, ...declined, state: 'declined', transfers: [], at },
        { ...terminal(content.terminal), last_seen: at },
      ]
    }
    case 'operation_reversed': {
      const { terminal: id, operation: name, transfer, counted } = content
      const of = terminal(id)
      const found = find(nameOf.operation(id, name))
      if (transfer === undefined) return [forestalled(content, at, of), { ...of, last_seen: at }]
      const operation = there(found, 'operation')
      const transfers = [...operation.transfers, transfer]
      const { type, unit, notes = {}, amount = 0 } = operation
      const isIn = (each: Unit) => each.id === unit && counted !== true
      return [
        { ...operation, state: 'reversed', transfers },
        {
          ...of,
          units: of.units.map((each) =>
            isIn(each) ? { ...each, notes: notesAfter(each.notes, notes, -1) } : each,
          ),
          batch: type === 'deposit' ? count(of.batch, 'deposit_reversals', amount) : of.batch,
          last_seen: at,
        },
      ]
    }
    case 'exception_opened': {
      const { kind: _, exception: id, ...opened } = content
      const made: Exception = { kind: 'exception', id, ...opened, state: 'open', opened_at: at }
      const { withdrawal: of, terminal: owner } = content
      return of === undefined
        ? [made]
        : [made, { ...withdrawal({ terminal: owner, withdrawal: of }), exception: id }]
    }
    case 'exception_waits':
      return [{ ...exception(content.exception), waits: content.word }]
    case 'exception_resolved': {
      const { waits: _, ...found } = exception(content.exception)
      const { word, transfers } = content
      return [{ ...found, state: 'resolved', resolution: { ...word, at, transfers } }]
    }
    case 'exchange_started': {
      const found = terminal(content.terminal)
      const afterwards = found.state === 'in_service' ? found.state : 'out_of_service'
      return [{ ...found, state: 'exchange', exchange: { id: content.exchange, afterwards } }]
    }
    case 'exchange_counted': {
      const found = terminal(content.terminal)
      const { counts } = content
      return [{ ...found, ...(found.exchange && { exchange: { ...found.exchange, counts } }) }]
    }
    case 'exchange_ended': {
      const { exchange, ...found } = terminal(content.terminal)
      const { mode, loaded } = content
      const state = exchange?.afterwards ?? 'out_of_service'
      const units = found.units.map((unit) => unitLoaded(unit, mode, loaded[unit.id] ?? 0))
      return [{ ...found, state, units, counted: found.counted + (mode === 'set' ? 1 : 0) }]
    }
    case 'batch_closed': {
      const { report } = content
      return [report, { ...terminal(report.terminal), batch: newBatch(report.batch + 1, at) }]
    }
    case 'demo_opened':
      return [{ kind: 'demo', terminal: content.terminal, cards: content.cards }]
    case 'demo_ended':
      return [{ ...there(find(nameOf.demo), 'demo'), ended: true }]
    case 'keys_known':
      return [{ kind: 'keys', values: content.values }]
  }
}

/** The names of the traces in which a record is found again. */
export function tracesOf(content: AtmContent): readonly EntityName[] {
  const stamp = stampIn(content)
  if (stamp === undefined) return []
  if (content.kind === 'batch_closed') return [nameOf.trace(content.report.terminal, numberOfClose(stamp))]
  const terminal = 'terminal' in content ? content.terminal : ''
  const isByReference = content.kind === 'withdrawal_forestalled' && content.by_reference !== undefined
  const numbers = isByReference ? [stamp.stan, stamp.rrn ?? stamp.stan] : numbersOf(stamp)
  return [...new Set(numbers)].map((number) => nameOf.trace(terminal, number))
}

function stampIn(content: AtmContent): Said | undefined {
  if (!('stan' in content) || content.stan === undefined) return undefined
  const { stan, rrn, local, sent } = content
  const again = 'again' in content && content.again
  return {
    stan,
    ...(rrn !== undefined && { rrn }),
    ...(local !== undefined && { local }),
    ...(sent !== undefined && { sent }),
    ...(again && { again }),
  }
}

/** Its uses before are those of the same number at the same terminal. */
function tracesAfter(content: AtmContent, now: Instant, find: Find): readonly Trace[] {
  const stamp = stampIn(content)
  const made = stamp && usedBy(content)
  if (stamp === undefined || made === undefined) return []
  const { terminal, batch: open } = made
  const use = { ...made.use, ...stamp, batch: open, at: now }
  const spent = 'forestalled_by' in content ? content.forestalled_by : undefined
  return tracesOf(content).map((name) => {
    const number = name.slice(nameOf.trace(terminal, '').length)
    const before = find(name)
    const trace: Trace = before?.kind === 'trace' ? before : { kind: 'trace', terminal, number, uses: [] }
    return traceWith(trace, use, { now, open, spent })
  })
}

function usedBy(
  content: AtmContent,
): { terminal: TerminalId; batch: number; use: Pick<Use, 'of' | 'id' | 'tombstone'> } | undefined {
  switch (content.kind) {
    case 'withdrawal_authorized':
    case 'withdrawal_declined': {
      const { terminal, batch, withdrawal: id } = content
      return { terminal, batch, use: { of: 'withdrawal', id } }
    }
    case 'withdrawal_forestalled': {
      const { terminal, batch, withdrawal: id } = content
      return { terminal, batch, use: { of: 'withdrawal', id, tombstone: true } }
    }
    case 'operation_done':
    case 'operation_declined': {
      const { terminal, batch, operation: id } = content
      return { terminal, batch, use: { of: 'operation', id } }
    }
    case 'batch_closed': {
      const { terminal, batch } = content.report
      return { terminal, batch, use: { of: 'batch', id: String(batch) } }
    }
    default:
      return undefined
  }
}

function there<Kind extends Entity['kind']>(
  entity: Entity | undefined,
  kind: Kind,
): Extract<Entity, { kind: Kind }> {
  if (entity?.kind !== kind) throw new Error(`a record names a ${kind} that is there`)
  return entity as Extract<Entity, { kind: Kind }>
}

function created(
  { kind: _, terminal: id, units, require_sign_on, ...plan }: TerminalCreated,
  at: Instant,
): Terminal {
  const none = { initial: 0, in: 0, out: 0, reserved: 0, rejected: 0, notes: {}, retract_operations: 0 }
  return {
    kind: 'terminal',
    id,
    ...plan,
    state: 'out_of_service',
    signed_on: false,
    require_sign_on: require_sign_on === true,
    units: units.map(({ id, type, value = 0, low = 0 }) => ({ id, type, value, low, ...none })),
    batch: newBatch(1, at),
    uncertain: 0,
    unconfirmed: 0,
    counted: 0,
    pin_keys: [],
    bad_blocks: [],
    at,
  }
}

function authorized(content: WithdrawalAuthorized, at: Instant, of: Terminal, card: Card): Entity[] {
  const { kind: _, withdrawal: id, business_date, transfer, card_used, ...told } = content
  const { amount, units, confirmation, expires_at } = content
  const withdrawal: Withdrawal = {
    kind: 'withdrawal',
    id,
    ...told,
    state: 'authorized',
    mix_assumed: false,
    dispensed: null,
    debited: amount,
    ...(expires_at !== null && { start_by: expires_at }),
    ...(card_used && { card_charged: card_used.day }),
    transfers: [transfer],
    exception: null,
    at,
  }
  const bucket = confirmation === 'implicit' ? 'unconfirmed' : 'uncertain'
  const terminal = {
    ...of,
    units: of.units.map((unit) => {
      const more = units[unit.id]
      return more === undefined ? unit : { ...unit, reserved: unit.reserved + more }
    }),
    [bucket]: of[bucket] + amount,
    batch: count(dated(of.batch, business_date), 'withdrawals', amount),
    last_seen: at,
  }
  return [withdrawal, terminal, ...(card_used ? [{ ...card, used: card_used }] : [])]
}

function settled(
  content: WithdrawalSettled,
  { counted }: Terminal,
  { tombstone: _, ...before }: Withdrawal,
): Withdrawal {
  const { state, dispensed, debited, rejected, mix_assumed = false, transfers, advice } = content
  return {
    ...before,
    state,
    dispensed,
    debited,
    ...unitsAfterwards(content, before),
    ...(rejected && { rejected }),
    mix_assumed,
    expires_at: null,
    transfers: [...before.transfers, ...transfers],
    ...(advice !== undefined && { advice }),
    counted,
  }
}

/** The notes that left, all in all; where none did, those that were to. */
function unitsAfterwards(
  { out = {}, back = {} }: WithdrawalSettled,
  { units, planned = units, ...before }: Withdrawal,
): Pick<Withdrawal, 'units' | 'planned'> {
  const gone = isOpen(before) || before.dispensed === 0 ? {} : units
  const left = notesAfter(notesAfter(gone, out, 1), back, -1)
  return Object.keys(left).length > 0 ? { units: left, planned } : { units }
}

/** Reserved notes are free again or have left; what was given back is counted in the batch that is open. */
function terminalAfter(content: WithdrawalSettled, at: Instant, of: Terminal, before: Withdrawal): Terminal {
  const { state, by, debited, out = {}, back = {}, rejected = {}, retracted } = content
  const wasOpen = isOpen(before)
  const isStill = state === 'suspect'
  const freed = wasOpen && !isStill ? before.units : {}
  const wasSilent = before.state === 'authorized' && before.confirmation === 'implicit'
  const left = {
    uncertain: of.uncertain - (wasOpen && !wasSilent ? before.amount : 0) + (isStill ? before.amount : 0),
    unconfirmed: of.unconfirmed - (wasSilent ? before.amount : 0),
  }
  const given = before.debited - debited
  const isTerminals = by === 'confirm' || by === 'reverse'
  return {
    ...of,
    ...left,
    units: unitsAfter(of.units, { freed, out, back, rejected, retracted: retracted === true }),
    batch:
      given > 0 ? count(of.batch, 'withdrawal_reversals', given) : count(of.batch, 'withdrawals', -given),
    ...(isTerminals && { last_seen: at }),
    ...(by === 'confirm' && Object.keys(out).length > 0 && { last_cash_out: at }),
  }
}

type Moved = {
  readonly freed: NotesOut
  readonly out: NotesOut
  readonly back: NotesOut
  readonly rejected: NotesOut
  readonly retracted: boolean
}

function unitsAfter(units: readonly Unit[], { freed, out, back, rejected, retracted }: Moved): Unit[] {
  const intoReject: Record<string, number> = {}
  for (const { id, value } of units)
    if (rejected[id]) intoReject[value] = (intoReject[value] ?? 0) + rejected[id]
  const rejectUnit = units.find(({ type }) => type === 'reject')
  const retractUnit = units.find(({ type }) => type === 'retract')
  return units.map((unit) => {
    const { id, type } = unit
    const isMoved = id in freed || id in out || id in back || id in rejected
    if (!isMoved && type !== 'reject' && type !== 'retract') return unit
    const bad = rejected[id] ?? 0
    return {
      ...unit,
      reserved: unit.reserved - (freed[id] ?? 0),
      out: unit.out + (out[id] ?? 0) + bad - (back[id] ?? 0),
      rejected: unit.rejected + bad,
      notes: unit === rejectUnit ? notesAfter(unit.notes, intoReject, 1) : unit.notes,
      retract_operations: unit.retract_operations + (unit === retractUnit && retracted ? 1 : 0),
    }
  })
}

function done(content: OperationDone, at: Instant, of: Terminal): Entity[] {
  const { kind: _, operation: id, transfer, business_date, ...told } = content
  const { type, unit, notes = {}, amount = 0 } = content
  const transfers = transfer === undefined ? [] : [transfer]
  const batch = dated(of.batch, business_date)
  return [
    { kind: 'operation', id, ...told, state: 'completed', transfers, at, counted: of.counted },
    {
      ...of,
      units: of.units.map((each) =>
        each.id === unit ? { ...each, notes: notesAfter(each.notes, notes, 1) } : each,
      ),
      batch: type === 'deposit' ? count(batch, 'deposits', amount) : batch,
      last_seen: at,
    },
  ]
}

/** A deposit that is reversed before it was made. */
function forestalled({ terminal, operation: id }: OperationReversed, at: Instant, of: Terminal): Operation {
  return {
    kind: 'operation',
    type: 'deposit',
    terminal,
    id,
    state: 'reversed',
    tombstone: true,
    batch: of.batch.batch,
    transfers: [],
    fingerprint: '',
    marks: '',
    at,
  }
}

function unitLoaded(unit: Unit, mode: 'set' | 'add', loaded: number): Unit {
  if (mode === 'add') return { ...unit, initial: unit.initial + loaded }
  return { ...unit, initial: loaded, in: 0, out: 0, rejected: 0, notes: {}, retract_operations: 0 }
}

/** Notes by value with others put to them, or taken away; a value of which there are none is left out. */
function notesAfter(notes: Notes, change: Notes, sign: 1 | -1): Notes {
  const after = new Map(Object.entries(notes))
  for (const [value, count] of Object.entries(change))
    after.set(value, (after.get(value) ?? 0) + sign * count)
  return Object.fromEntries([...after].filter(([, count]) => count !== 0))
}

type Totals = 'withdrawals' | 'withdrawal_reversals' | 'deposits' | 'deposit_reversals'

function count(batch: OpenBatch, total: Totals, amount: Minor): OpenBatch {
  if (amount === 0) return batch
  const { count, amount: sum } = batch[total]
  return { ...batch, [total]: { count: count + 1, amount: sum + amount } }
}

function dated(batch: OpenBatch, day: Day): OpenBatch {
  return batch.business_date === null ? { ...batch, business_date: day } : batch
}

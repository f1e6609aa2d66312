/** What the ATM side keeps, and answers, as bodies of /v1. Neither a card number nor anything of a PIN is in any. */
import type { Counted, EntityReply, Exchanged, ExchangeOpen, Inquired } from '../../ledger/atm-commands.ts'
import { type Card, statusOn } from '../../ledger/card.ts'
import type { Entity } from '../../ledger/entity.ts'
import type { Exception } from '../../ledger/exception.ts'
import type { Day, Limits } from '../../ledger/limits.ts'
import type { Currency, Instant, Minor } from '../../ledger/money.ts'
import {
  type Batch,
  cashIn,
  countOf,
  type OpenBatch,
  type Terminal,
  type Unit,
} from '../../ledger/terminal.ts'
import type { Operation, Withdrawal } from '../../ledger/withdrawal.ts'
import type { Rendered } from './render.ts'
import { timeOf, timeOrNull } from './time.ts'

/** An entity as a command left it. What is judged by the time is judged by `now`, or where that is not known not at all. */
export function renderEntity({ entity, made, over_short = 0 }: EntityReply, now?: Instant): Rendered {
  const body = entityBody(entity, { over_short, ...(now !== undefined && { now }) })
  if (!made || !isMade(entity)) return { status: 200, body }
  const location = locationOf(entity)
  return { status: 201, body, ...(location !== undefined && { location }) }
}

/** A PIN that was changed, or a deposit taken back, is nothing that was made. */
function isMade(entity: Entity): boolean {
  if (entity.kind !== 'operation') return true
  return entity.type !== 'pin_change' && entity.state === 'completed'
}

function entityBody(
  entity: Entity,
  { over_short, now }: { readonly over_short: Minor; readonly now?: Instant },
): object {
  switch (entity.kind) {
    case 'terminal':
      return terminalBody(entity, over_short)
    case 'withdrawal':
      return withdrawalBody(entity)
    case 'operation':
      return operationBody(entity)
    case 'batch':
      return batchBody(entity)
    case 'exception':
      return exceptionBody(entity, now ?? entity.opened_at)
    case 'card':
      return cardBody(entity)
    case 'trace':
    case 'demo':
    case 'keys':
      return {}
  }
}

/** Where it can be read. */
function locationOf(entity: Entity): string | undefined {
  switch (entity.kind) {
    case 'terminal':
      return `/v1/terminals/${entity.id}`
    case 'withdrawal':
      return `/v1/terminals/${entity.terminal}/withdrawals/${entity.id}`
    case 'batch':
      return `/v1/terminals/${entity.terminal}/batches/${entity.batch}`
    case 'exception':
      return `/v1/exceptions/${entity.id}`
    case 'card':
      return `/v1/cards/${entity.id}`
    default:
      return undefined
  }
}

/** `over_short` is the balance of the account of that name. */
export function terminalBody(terminal: Terminal, over_short: Minor): object {
  const { id, name, currency, state, signed_on, batch, units, uncertain, unconfirmed, exchange } = terminal
  return {
    id,
    name,
    currency,
    state,
    signed_on,
    batch: batch.batch,
    business_date: batch.business_date,
    last_seen: timeOrNull(terminal.last_seen),
    last_cash_out: timeOrNull(terminal.last_cash_out),
    cash: cashIn(terminal),
    transit: { uncertain, unconfirmed },
    over_short,
    units: units.map(unitBody),
    ...(exchange && { exchange }),
  }
}

function unitBody(unit: Unit): object {
  const { id, type, value, initial, in: put, out, reserved, rejected, low, notes } = unit
  const count = countOf(unit)
  if (type === 'cash_out') {
    const status = count === 0 ? 'empty' : count <= low ? 'low' : 'ok'
    return { id, type, value, initial, in: put, out, count, reserved, rejected, low, status }
  }
  const { retract_operations } = unit
  return { id, type, count, notes, ...(type === 'retract' && { retract_operations }), status: 'ok' }
}

export function withdrawalBody(withdrawal: Withdrawal): object {
  const { id, terminal, state, confirmation, amount, currency, units, batch, stan, rrn } = withdrawal
  if (withdrawal.tombstone) {
    const { exception } = withdrawal
    return { id, state, tombstone: true, ...(exception !== null && { exception }) }
  }
  return {
    id,
    terminal,
    state,
    confirmation,
    amount,
    currency,
    account: withdrawal.account ?? null,
    card: withdrawal.card ?? null,
    last4: withdrawal.last4 ?? null,
    units,
    mix_assumed: withdrawal.mix_assumed,
    dispensed: withdrawal.dispensed,
    authorization_code: withdrawal.authorization_code ?? null,
    batch,
    expires_at: timeOrNull(withdrawal.expires_at),
    balance: withdrawal.balance ?? null,
    transfers: withdrawal.transfers,
    exception: withdrawal.exception,
    code: withdrawal.code ?? null,
    ...(stan !== undefined && { stan }),
    ...(rrn !== undefined && { rrn }),
    created_at: timeOf(withdrawal.at),
  }
}

/** A withdrawal where it was not asked for by its name: of a tombstone, too, whose it is and what it was about. */
export function withdrawalFoundBody(withdrawal: Withdrawal): object {
  if (!withdrawal.tombstone) return withdrawalBody(withdrawal)
  const { id, terminal, state, amount, currency, account, last4, exception, stan, rrn, at } = withdrawal
  return {
    id,
    terminal,
    state,
    tombstone: true,
    amount,
    currency,
    account: account ?? null,
    last4: last4 ?? null,
    exception,
    ...(stan !== undefined && { stan }),
    ...(rrn !== undefined && { rrn }),
    created_at: timeOf(at),
  }
}

/** A withdrawal as its authorization was answered, whatever has become of it. */
export function asAuthorized(withdrawal: Withdrawal): Withdrawal {
  const { start_by = null, transfers, planned, units } = withdrawal
  return {
    ...withdrawal,
    units: planned ?? units,
    state: 'authorized',
    dispensed: null,
    expires_at: start_by,
    transfers: transfers.slice(0, 1),
    mix_assumed: false,
    exception: null,
  }
}

/** A withdrawal as its start was answered, whatever has become of it. */
export function asStarted(withdrawal: Withdrawal): Withdrawal {
  return { ...asAuthorized(withdrawal), state: 'dispensing', expires_at: withdrawal.confirm_by ?? null }
}

/** A deposit, transfer or change of PIN, each as its own route answers it. */
export function operationBody(operation: Operation): object {
  const { id, state, amount, account, unit, notes = {}, balance, transfers } = operation
  if (operation.tombstone) return { id, state, tombstone: true }
  switch (operation.type) {
    case 'deposit': {
      const units = unit === undefined ? {} : { [unit]: notes }
      return { id, state, amount, account, units, ...(balance && { balance }), transfers }
    }
    case 'transfer':
      return { id, transfer: transfers[0], balance: balance ?? null }
    case 'pin_change':
      return { id, changed: true }
  }
}

/** What a batch has in it until now. */
export function openBatchBody({ opened_at, ...batch }: OpenBatch): object {
  return { ...batch, opened_at: timeOf(opened_at) }
}

/** A deposit where it was not asked for by its name. */
export function depositFoundBody(
  { terminal, id, account, amount, state, at }: Operation,
  currency: Currency,
): object {
  return { terminal, id, account: account ?? null, amount, currency, state, created_at: timeOf(at) }
}

/** The report of a batch that was closed. */
export function batchBody(report: Batch): object {
  const { terminal, batch, business_date, opened_at, closed_at, net, open, cash, transit, over_short } =
    report
  const { withdrawals, withdrawal_reversals, deposits, deposit_reversals, head } = report
  return {
    terminal,
    batch,
    business_date,
    opened_at: timeOf(opened_at),
    closed_at: timeOf(closed_at),
    withdrawals,
    withdrawal_reversals,
    deposits,
    deposit_reversals,
    net,
    open: open.map(({ id, state, amount }) => ({ id, state, amount })),
    cash,
    transit,
    over_short,
    head,
  }
}

/** What is resolved grows no older. */
export function exceptionBody(exception: Exception, now: Instant): object {
  const { id, type, state, terminal, amount, currency, opened_at, proposal = null, resolution } = exception
  const { waits } = exception
  return {
    id,
    type,
    state,
    terminal,
    withdrawal: exception.withdrawal ?? null,
    account: exception.account ?? null,
    last4: exception.last4 ?? null,
    amount,
    currency,
    opened_at: timeOf(opened_at),
    age_s: Math.max(0, Math.floor(((resolution?.at ?? now) - opened_at) / 1000)),
    proposal,
    ...(waits && { waits: { dispensed: waits.dispensed ?? null, reason: waits.reason, by: waits.person } }),
    resolution: resolution
      ? {
          dispensed: resolution.dispensed ?? null,
          reason: resolution.reason,
          by: resolution.person,
          at: timeOf(resolution.at),
          transfers: resolution.transfers,
        }
      : null,
  }
}

/** A card, never its number. With a day, one that is good no longer is `expired`. */
export function cardBody(card: Card, day?: Day): object {
  const { id, last4, expiry, accounts, pin, pin_policy, tries_left, limits = {} } = card
  return {
    id,
    last4,
    expiry,
    status: day === undefined ? card.status : statusOn(card, day),
    accounts,
    pin_set: pin !== undefined,
    pin_policy,
    tries_left,
    limits: cardLimitsBody(limits),
  }
}

function cardLimitsBody({ transaction_amount, daily_amount, daily_count }: Limits): object {
  return {
    ...(transaction_amount !== undefined && { per_withdrawal: transaction_amount }),
    ...(daily_amount !== undefined && { daily_amount }),
    ...(daily_count !== undefined && { daily_count }),
  }
}

/** The entries of a statement are read beside it, and stand behind. */
export function inquiryBody({ account, currency, ledger, available }: Inquired): object {
  return { account, currency, ledger, available }
}

export function exchangeOpenBody({ exchange, terminal, over_short, suspects }: ExchangeOpen): object {
  return { exchange, terminal: terminalBody(terminal, over_short), suspects }
}

export function countedBody({ units, amount, suspects }: Counted): object {
  return { units, amount, suspects }
}

/** `over_short` is what this exchange found; the terminal has what all of them did. */
export function exchangedBody({ removed, loaded, variance, terminal, over_short }: Exchanged): object {
  return { removed, loaded, over_short: variance, terminal: terminalBody(terminal, over_short) }
}

/**
 * What records of the ATM side tell those outside. The money that moved is told by transfers of their own, so that the
 * balances of these are none.
 */
import type { AtmContent, TerminalChanged } from '../../ledger/atm-records.ts'
import type { Told } from './event.ts'
import { batchBody } from './render-atm.ts'
import { timeOrNull } from './time.ts'

const balances: readonly object[] = []

export function tellAtm(content: AtmContent): Told | undefined {
  switch (content.kind) {
    case 'withdrawal_authorized': {
      const { terminal, withdrawal, confirmation, amount, currency, account, card, last4, units } = content
      const { authorization_code, batch, business_date, expires_at, balance, transfer } = content
      const of = { terminal, withdrawal, confirmation, amount, currency, account, card, last4, units }
      const when = { batch, business_date, expires_at: timeOrNull(expires_at) }
      const data = { ...of, ...numbersOf(content), authorization_code, ...when, balance, transfer, balances }
      return { type: 'cashpoint.withdrawal.authorized', subject: withdrawalAt(content), data }
    }
    case 'withdrawal_declined': {
      const { terminal, withdrawal, confirmation, amount, currency, batch, code } = content
      const { account = null, card = null, last4 = null } = content
      const of = { terminal, withdrawal, confirmation, amount, currency, account, card, last4 }
      const data = { ...of, ...numbersOf(content), batch, code, balances }
      return { type: 'cashpoint.withdrawal.declined', subject: withdrawalAt(content), data }
    }
    case 'withdrawal_started': {
      const { terminal, withdrawal, expires_at } = content
      const data = { terminal, withdrawal, expires_at: timeOrNull(expires_at), balances }
      return { type: 'cashpoint.withdrawal.started', subject: withdrawalAt(content), data }
    }
    case 'withdrawal_settled': {
      const { terminal, withdrawal, state, by, dispensed, debited, out, rejected } = content
      const { mix_assumed = false, transfers } = content
      const notes = { units: out ?? {}, rejected: rejected ?? {}, mix_assumed }
      const data = { terminal, withdrawal, state, by, dispensed, debited, ...notes, transfers, balances }
      return { type: 'cashpoint.withdrawal.settled', subject: withdrawalAt(content), data }
    }
    case 'terminal_created': {
      const { terminal, name, currency } = content
      return terminalChanged(terminal, { change: 'created', name, currency, state: 'out_of_service' })
    }
    case 'terminal_changed': {
      const change = changeOf(content)
      return change && terminalChanged(content.terminal, change)
    }
    case 'exchange_started': {
      const { terminal, exchange } = content
      return terminalChanged(terminal, { change: 'exchange_started', state: 'exchange', exchange })
    }
    case 'exchange_ended': {
      const { terminal, exchange, mode, loaded } = content
      const ended = { change: 'exchange_ended', state: 'out_of_service', exchange, mode, loaded }
      return terminalChanged(terminal, ended)
    }
    case 'batch_closed': {
      const { report } = content
      const subject = `/v1/terminals/${report.terminal}/batches/${report.batch}`
      return { type: 'cashpoint.batch.closed', subject, data: { ...batchBody(report), balances } }
    }
    case 'exception_opened': {
      const { exception, type, terminal, amount, currency, proposal = null } = content
      const { withdrawal = null, account = null, last4 = null } = content
      const of = { terminal, withdrawal, account, last4, amount, currency }
      const data = { exception, exception_type: type, ...of, proposal, balances }
      return { type: 'cashpoint.exception.opened', subject: `/v1/exceptions/${exception}`, data }
    }
    case 'exception_resolved': {
      const { exception, word, transfers } = content
      const { dispensed = null, reason, person } = word
      const data = { exception, dispensed, reason, by: person, transfers, balances }
      return { type: 'cashpoint.exception.resolved', subject: `/v1/exceptions/${exception}`, data }
    }
    case 'card_issued': {
      const { card, last4, expiry, accounts } = content
      const data = { card, change: 'issued', last4, expiry, accounts, status: 'active', balances }
      return { type: 'cashpoint.card.changed', subject: `/v1/cards/${card}`, data }
    }
    case 'card_changed': {
      const { card, status, tries_left, pin, reason } = content
      const change = {
        ...(status !== undefined && { status }),
        ...(tries_left !== undefined && { tries_left }),
        ...(reason !== undefined && { reason }),
      }
      const data = { card, change: pin === undefined ? 'changed' : 'pin_set', ...change, balances }
      return { type: 'cashpoint.card.changed', subject: `/v1/cards/${card}`, data }
    }
    default:
      return undefined
  }
}

/** The numbers of its message, where it came by one. */
function numbersOf({ stan, rrn }: { readonly stan?: string; readonly rrn?: string }): object {
  return { ...(stan !== undefined && { stan }), ...(rrn !== undefined && { rrn }) }
}

/** What is the server's own affair, such as how many blocks could not be read, is no event. */
function changeOf({ state, signed_on, pin_keys, mac_keys, reason }: TerminalChanged): object | undefined {
  const why = reason !== undefined && { reason }
  if (state !== undefined) return { change: 'state', state, ...why }
  if (signed_on !== undefined) return { change: signed_on ? 'signed_on' : 'signed_off' }
  if (pin_keys !== undefined) return { change: 'pin_key', kcv: pin_keys[0]?.kcv }
  return mac_keys && { change: 'mac_key', kcv: mac_keys[0]?.kcv ?? null }
}

function terminalChanged(terminal: string, change: object): Told {
  const subject = `/v1/terminals/${terminal}`
  return { type: 'cashpoint.terminal.changed', subject, data: { terminal, ...change, balances } }
}

function withdrawalAt(of: { readonly terminal: string; readonly withdrawal: string }): string {
  return `/v1/terminals/${of.terminal}/withdrawals/${of.withdrawal}`
}

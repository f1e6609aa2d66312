/** Field 39: what a message answers for each no of the ledger. The compiler names the one that is missing. */
import type { Refusal } from '../ledger/refusal.ts'

/** What has no refusal behind it. */
export const approved = '00'
export const invalidTransaction = '12'
export const invalidAmount = '13'
export const invalidCard = '14'
export const formatError = '30'
export const notSupported = '40'
export const wrongTerminal = '58'
export const malfunction = '96'

/** Never 10, 25 or 32; 91 says that nothing was posted and that the same may be sent again. */
export const answerCodes: Readonly<Record<Refusal, string>> = {
  account_not_found: '14',
  insufficient_funds: '51',
  balance_too_large: '13',
  limit_exceeded: '61',
  account_exists: '12',
  account_debit_blocked: '57',
  account_credit_blocked: '57',
  account_frozen: '57',
  account_closed: '45',
  account_not_empty: '12',
  same_account: '12',
  currency_mismatch: '12',
  version_mismatch: '12',
  transfer_not_found: '12',
  not_reversible: '12',
  reversal_too_large: '12',
  hold_not_found: '12',
  hold_resolved: '12',
  capture_too_large: '12',
  too_many_holds: '12',
  credential_not_found: '12',
  webhook_not_found: '12',
  webhook_disabled: '12',
  adjustment_not_found: '12',
  adjustment_resolved: '12',
  second_person_needed: '12',
  belongs_to_withdrawal: '12',
  withdrawals_open: '12',
  terminal_exists: '12',
  terminal_not_found: '58',
  terminal_not_allowed: '58',
  withdrawal_not_found: '12',
  withdrawal_state: '94',
  already_reversed: '94',
  deposit_not_found: '12',
  card_exists: '12',
  card_not_found: '14',
  card_status: '62',
  card_expired: '54',
  card_lost: '41',
  card_stolen: '43',
  card_blocked: '62',
  pin_required: '55',
  pin_incorrect: '55',
  pin_locked: '75',
  pin_invalid: '55',
  account_not_allowed: '57',
  limit_amount: '61',
  limit_count: '65',
  amount_not_dispensable: '13',
  notes_not_accepted: '13',
  batch_not_open: '95',
  exchange_open: '58',
  no_exchange: '12',
  not_counted: '12',
  suspects_open: '12',
  units_invalid: '12',
  exception_not_found: '12',
  exception_resolved: '12',
  dispensed_invalid: '13',
  key_repeated: '94',
  amount_invalid: '13',
  amount_not_positive: '13',
  amount_too_large: '13',
  idempotency_conflict: '94',
  account_busy: '91',
  in_progress: '91',
  overloaded: '91',
  storage_low: '91',
  store_unavailable: '91',
  outcome_unknown: '96',
}

/** No of the moment: the same message may be sent again, an advice too. */
export function isPassing(code: string): boolean {
  return code === '91' || code === '96'
}

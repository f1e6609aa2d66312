/** The business no: every reason the ledger gives for not doing what a command asks. */

/**
 * Each refusal, and whether an idempotency key remembers it. What is remembered is answered again word for word;
 * what is not (the request was malformed, or nothing was decided) may be sent again under the same key.
 */
export const refusals = {
  account_not_found: { remembered: true },
  insufficient_funds: { remembered: true },
  balance_too_large: { remembered: true },
  limit_exceeded: { remembered: true },
  account_exists: { remembered: true },
  account_debit_blocked: { remembered: true },
  account_credit_blocked: { remembered: true },
  account_frozen: { remembered: true },
  account_closed: { remembered: true },
  account_not_empty: { remembered: true },
  same_account: { remembered: true },
  currency_mismatch: { remembered: true },
  version_mismatch: { remembered: true },
  transfer_not_found: { remembered: true },
  not_reversible: { remembered: true },
  reversal_too_large: { remembered: true },
  hold_not_found: { remembered: true },
  hold_resolved: { remembered: true },
  capture_too_large: { remembered: true },
  too_many_holds: { remembered: true },
  credential_not_found: { remembered: true },
  webhook_not_found: { remembered: true },
  webhook_disabled: { remembered: true },
  adjustment_not_found: { remembered: true },
  adjustment_resolved: { remembered: true },
  second_person_needed: { remembered: true },
  key_repeated: { remembered: false },
  amount_invalid: { remembered: false },
  amount_not_positive: { remembered: false },
  amount_too_large: { remembered: false },
  idempotency_conflict: { remembered: false },
  account_busy: { remembered: false },
  in_progress: { remembered: false },
  overloaded: { remembered: false },
  storage_low: { remembered: false },
  store_unavailable: { remembered: false },
  outcome_unknown: { remembered: false },
} as const satisfies Record<string, { remembered: boolean }>

export type Refusal = keyof typeof refusals

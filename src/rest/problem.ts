/** Every no of this interface as `application/problem+json` (RFC 9457), in one table: code, status, text. */
import type { FastifyReply } from 'fastify'
import type { Refused } from '../ledger/command.ts'
import type { Refusal } from '../ledger/refusal.ts'

/** The reasons that only HTTP has; the ledger has its own, the refusals. */
export type HttpProblem =
  | 'malformed_request'
  | 'malformed_body'
  | 'account_number_invalid'
  | 'amount_missing'
  | 'amount_repeated'
  | 'idempotency_key_invalid'
  | 'page_invalid'
  | 'invalid_request'
  | 'batch_refused'
  | 'operation_not_found'
  | 'statement_too_long'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'body_too_large'
  | 'media_type_unsupported'
  | 'headers_too_large'
  | 'internal'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_local'
  | 'rate_limited'
  | 'issuer_unavailable'
  | 'target_refused'
  | 'event_not_found'
  | 'idempotency_key_missing'
  | 'clear_pin_disabled'
  | 'card_keys_missing'
  | 'pan_check_digit'
  | 'kcv_mismatch'
  | 'batch_not_found'

export type ProblemCode = Refusal | HttpProblem

type Entry = {
  readonly status: number
  /** Where /v1 gives another status than the original routes, whose statuses never change. */
  readonly v1?: number
  readonly error: string
  readonly retryAfterS?: number
}

/** The texts are what the old clients match on: they never change. */
const problems: Record<ProblemCode, Entry> = {
  account_not_found: { status: 404, error: 'Account not found' },
  insufficient_funds: { status: 400, v1: 422, error: 'Insufficient balance' },
  balance_too_large: { status: 400, v1: 422, error: 'Balance would be too large' },
  limit_exceeded: { status: 400, v1: 422, error: 'Limit exceeded' },
  account_debit_blocked: { status: 400, v1: 409, error: 'Account is blocked for debits' },
  account_credit_blocked: { status: 400, v1: 409, error: 'Account is blocked for credits' },
  account_frozen: { status: 400, v1: 409, error: 'Account is frozen' },
  account_closed: { status: 400, v1: 409, error: 'Account is closed' },
  account_exists: { status: 409, error: 'Account number is taken' },
  account_not_empty: { status: 409, error: 'Account must have a balance of zero and no holds to be closed' },
  same_account: { status: 422, error: 'Money cannot move from an account to itself' },
  currency_mismatch: { status: 422, error: 'Account is in another currency' },
  version_mismatch: { status: 412, error: 'Account has changed since: If-Match names another version' },
  transfer_not_found: { status: 404, error: 'Transfer not found' },
  not_reversible: { status: 422, error: 'This kind of transfer cannot be reversed' },
  reversal_too_large: { status: 422, error: 'Reversal is larger than what is left of the transfer' },
  hold_not_found: { status: 404, error: 'Hold not found' },
  hold_resolved: { status: 409, error: 'Hold is resolved already' },
  capture_too_large: { status: 422, error: 'Capture is larger than the hold' },
  too_many_holds: { status: 422, error: 'Account has too many pending holds' },
  credential_not_found: { status: 404, error: 'Credential not found' },
  webhook_not_found: { status: 404, error: 'Webhook not found' },
  webhook_disabled: { status: 409, error: 'Webhook is disabled' },
  target_refused: { status: 422, error: 'Nothing may be sent to this target' },
  event_not_found: { status: 404, error: 'Event not found' },
  adjustment_not_found: { status: 404, error: 'Adjustment not found' },
  adjustment_resolved: { status: 409, error: 'Adjustment is decided already' },
  second_person_needed: { status: 403, error: 'Whoever asked for an adjustment cannot approve it' },
  belongs_to_withdrawal: {
    status: 409,
    error: 'This transfer is of a terminal, and is taken back there alone',
  },
  withdrawals_open: { status: 409, error: 'Account has withdrawals under way at a terminal' },
  terminal_exists: { status: 409, error: 'Terminal id is taken' },
  terminal_not_found: { status: 404, error: 'Terminal not found' },
  terminal_not_allowed: { status: 403, error: 'Terminal may not do this now' },
  withdrawal_not_found: { status: 404, error: 'Withdrawal not found' },
  withdrawal_state: { status: 409, error: 'Withdrawal is in another state: do not dispense' },
  already_reversed: { status: 409, error: 'Withdrawal was reversed before it was asked for' },
  deposit_not_found: { status: 404, error: 'Deposit not found' },
  card_exists: { status: 409, error: 'There is a card of this number' },
  card_not_found: { status: 404, error: 'Card not found' },
  card_status: { status: 409, error: 'A lost or stolen card stays so' },
  card_expired: { status: 403, error: 'Card is expired' },
  card_lost: { status: 403, error: 'Card is reported as lost' },
  card_stolen: { status: 403, error: 'Card is reported as stolen' },
  card_blocked: { status: 403, error: 'Card is blocked' },
  pin_required: { status: 403, error: 'PIN is required' },
  pin_incorrect: { status: 403, error: 'PIN is not right' },
  pin_locked: { status: 403, error: 'PIN is locked after too many wrong ones' },
  pin_invalid: { status: 422, error: 'The new PIN cannot be used' },
  account_not_allowed: { status: 403, error: 'Card does not allow this account, or the account is blocked' },
  limit_amount: { status: 422, error: 'Amount is beyond a limit' },
  limit_count: { status: 422, error: 'Number of withdrawals is beyond a limit' },
  amount_not_dispensable: { status: 422, error: 'Terminal has no notes for this amount' },
  notes_not_accepted: { status: 422, error: 'Terminal does not take these notes' },
  batch_not_open: { status: 409, error: 'Another batch is open' },
  batch_not_found: { status: 404, error: 'No batch of this number was closed' },
  exchange_open: { status: 409, error: 'An exchange is under way' },
  no_exchange: { status: 409, error: 'No such exchange is under way' },
  not_counted: { status: 409, error: 'Units must be counted before they are set anew' },
  suspects_open: { status: 409, error: 'Suspects must be settled before the notes that prove them are gone' },
  units_invalid: { status: 422, error: 'Units are not those of the terminal, or cannot be together' },
  exception_not_found: { status: 404, error: 'Exception not found' },
  exception_resolved: { status: 409, error: 'Exception was resolved otherwise' },
  dispensed_invalid: { status: 400, error: 'Not an amount that can have been dispensed' },
  clear_pin_disabled: { status: 403, error: 'PINs and keys in clear are for the demo mode alone' },
  card_keys_missing: { status: 503, error: 'Server has no keys for card numbers and PINs: CASHPOINT_KEYS' },
  pan_check_digit: { status: 422, error: 'Card number has a wrong check digit' },
  kcv_mismatch: { status: 422, error: 'Key has another check value' },
  unauthenticated: { status: 401, error: 'Credential is missing or not valid' },
  forbidden: { status: 403, error: 'Credential does not allow this' },
  not_local: { status: 403, error: 'Demo mode serves this machine only' },
  rate_limited: { status: 429, error: 'Too many requests, please slow down', retryAfterS: 1 },
  issuer_unavailable: { status: 503, error: 'Tokens cannot be checked now', retryAfterS: 5 },
  key_repeated: { status: 422, error: 'The same key is given more than once' },
  amount_missing: { status: 400, error: 'Amount is required' },
  amount_invalid: { status: 400, error: 'Invalid amount format' },
  amount_repeated: { status: 400, error: 'Amount is given more than once' },
  amount_not_positive: { status: 400, error: 'Amount must be positive' },
  amount_too_large: { status: 400, error: 'Amount is too large' },
  account_number_invalid: { status: 400, error: 'Invalid account number' },
  idempotency_key_invalid: { status: 400, error: 'Invalid Idempotency-Key' },
  idempotency_key_missing: { status: 400, error: 'Idempotency-Key is required' },
  idempotency_conflict: { status: 422, error: 'Idempotency-Key was used for another request' },
  page_invalid: { status: 400, error: 'Invalid limit or cursor' },
  malformed_request: { status: 400, error: 'Malformed request' },
  malformed_body: { status: 400, error: 'Malformed JSON body' },
  invalid_request: { status: 400, error: 'Invalid request' },
  batch_refused: { status: 422, error: 'An operation of the atomic batch was refused, nothing was done' },
  operation_not_found: { status: 404, error: 'Nothing is known under this key' },
  statement_too_long: { status: 422, error: 'Period has too many entries for one statement' },
  not_found: { status: 404, error: 'Not found' },
  method_not_allowed: { status: 405, error: 'Method not allowed' },
  request_timeout: { status: 408, error: 'Request took too long to arrive' },
  in_progress: { status: 409, error: 'A request with this Idempotency-Key is still running', retryAfterS: 1 },
  body_too_large: { status: 413, error: 'Request body is too large' },
  media_type_unsupported: {
    status: 415,
    error: 'Content-Type must be application/json, in UTF-8 and not compressed',
  },
  account_busy: { status: 423, error: 'Account is busy, please try again later', retryAfterS: 1 },
  headers_too_large: { status: 431, error: 'Request headers are too large' },
  internal: { status: 500, error: 'Internal server error' },
  overloaded: { status: 503, error: 'Server is overloaded, please try again later', retryAfterS: 1 },
  storage_low: { status: 503, error: 'Storage is almost full, only reads are served', retryAfterS: 30 },
  store_unavailable: { status: 503, error: 'Storage is unavailable, nothing was done', retryAfterS: 5 },
  outcome_unknown: {
    status: 503,
    error: 'Outcome is unknown, please retry with the same Idempotency-Key or check the balance',
    retryAfterS: 1,
  },
}

/** A no as an exception, for where a handler cannot simply answer. */
export class ProblemError extends Error {
  readonly code: ProblemCode
  readonly detail: string | undefined

  constructor(code: ProblemCode, detail?: string) {
    super(detail ?? code)
    this.code = code
    this.detail = detail
  }
}

/** The original routes keep their statuses; /v1 tells declines and states apart. */
export type Interface = 'original' | 'v1'

/** `detail` says what was wrong with this very request; never more than the client knows. */
export function sendProblem(reply: FastifyReply, code: ProblemCode, detail?: string): FastifyReply {
  const { retryAfterS } = problems[code]
  const of = reply.request.url.startsWith('/v1/') ? 'v1' : 'original'
  if (retryAfterS !== undefined && !reply.hasHeader('retry-after'))
    reply.header('retry-after', String(retryAfterS))
  const body = JSON.stringify(problemOf(code, of, { ...(detail !== undefined && { detail }) }))
  return reply.code(statusOf(code, of)).type('application/problem+json').send(body)
}

/** Members of commands that clients know under another name. */
const namesOfMembers: Readonly<Record<string, string>> = {
  type: 'the kind of request',
  from: 'account or from',
  to: 'account or to',
  open: 'currency',
  expires_in_s: 'expires_in',
  if_version: 'If-Match',
  from_block: 'from',
  to_block: 'to',
  items: 'operations',
  last4: 'pan',
  of: 'type',
}

/** What a refusal says beyond its code; never a value. */
export function detailOf({ members = [], limit }: Refused): string | undefined {
  if (limit !== undefined) {
    const { name, used, remaining } = limit
    return `${name} is ${limit.limit}, of which ${used} are used and ${remaining} remain`
  }
  const names = [...new Set(members.map((member) => namesOfMembers[member] ?? member))]
  return names.length > 0 ? `What differs from the first request: ${names.join(', ')}` : undefined
}

export function problemOf(code: ProblemCode, of: Interface = 'original', more: object = {}): object {
  const { error } = problems[code]
  const status = statusOf(code, of)
  return { type: `urn:cashpoint:problem:${code}`, title: error, status, code, ...more, error }
}

export function statusOf(code: ProblemCode, of: Interface = 'original'): number {
  const { status, v1 = status } = problems[code]
  return of === 'v1' ? v1 : status
}

export function titleOf(code: ProblemCode): string {
  return problems[code].error
}

export function retryAfterOf(code: ProblemCode): number | undefined {
  return problems[code].retryAfterS
}

/** The shapes of the ATM side as JSON Schema: terminals, withdrawals, exchanges, exceptions, cards. */
import Type from 'typebox'
import {
  amount,
  balance,
  closed,
  count,
  currency,
  entry,
  id,
  instant,
  limit,
  number,
  orNull,
  reason,
  side,
} from './shapes.ts'

// Bounds that keep every sum of notes a safe integer: 32 kinds × 10^6 notes × 10^8 minor units < 2^53.
const notesMax = 1_000_000
const valueMax = 99_999_999
const unitsMax = 32

export const terminalName = Type.String({
  pattern: '^[A-Z0-9]{1,16}$',
  description: '1 to 16 of A–Z and 0–9',
})
const ownId = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,36}$',
  description: 'The terminal’s own, never used twice: 1 to 36 of A–Z, a–z, 0–9, `.`, `_` and -',
})
const pan = Type.String({ pattern: '^[0-9]{12,19}$', description: 'The card number; kept as a digest only' })
const clearPin = Type.String({ pattern: '^[0-9]{4,12}$', description: 'In demo mode only' })
const block = Type.String({
  pattern: '^([0-9A-Fa-f]{16}|[0-9A-Fa-f]{32})$',
  description: '16 hexadecimal digits of ISO 9564 format 0, or 32 of format 4, under the terminal’s key',
})
const entered = { pin: Type.Optional(clearPin), pin_block: Type.Optional(block) }
const notesCount = Type.Integer({ minimum: 0, maximum: notesMax })

/** Notes by the unit they leave. What a machine says of its units is taken as it comes: `Terminal` has their names. */
const notesOut = Type.Record(Type.String(), notesCount, {
  maxProperties: unitsMax,
  propertyNames: { pattern: '^[A-Za-z0-9]{1,8}$' },
  description: 'Notes by unit',
})
const notes = Type.Record(Type.String(), notesCount, {
  maxProperties: unitsMax,
  propertyNames: { pattern: '^[1-9][0-9]{0,7}$' },
  description: 'Notes by their value in minor units',
})
const contents = Type.Record(Type.String(), Type.Union([notesCount, notes]), {
  maxProperties: unitsMax,
  propertyNames: { pattern: '^[A-Za-z0-9]{1,8}$' },
  description: 'By unit: notes of one that pays out, or notes by value of another',
})
const mixRule = Type.Enum(['minimumBills', 'equalEmptying'])
const unitType = Type.Enum(['cash_out', 'cash_in', 'reject', 'retract'])

export const createTerminal = closed({
  id: terminalName,
  name: Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f]{1,64}$' }),
  currency,
  units: Type.Array(
    closed({
      id: Type.String({ pattern: '^[A-Z0-9]{1,4}$' }),
      type: unitType,
      value: Type.Optional(
        Type.Integer({ minimum: 1, maximum: valueMax, description: 'Of one note; of cash_out' }),
      ),
      low: Type.Optional(Type.Integer({ minimum: 0, maximum: notesMax })),
    }),
    { minItems: 1, maxItems: unitsMax },
  ),
  mix: Type.Optional(mixRule),
  max_notes: Type.Optional(Type.Integer({ minimum: 1, maximum: 40 })),
  max_withdrawal: Type.Optional(amount),
  start_within_s: Type.Optional(Type.Integer({ minimum: 5, maximum: 600 })),
  confirm_within_s: Type.Optional(Type.Integer({ minimum: 30, maximum: 3_600 })),
  require_sign_on: Type.Optional(Type.Boolean()),
})
const unitReply = closed({
  id: Type.String(),
  type: unitType,
  value: Type.Optional(amount),
  initial: Type.Optional(count),
  in: Type.Optional(count),
  out: Type.Optional(count),
  count,
  reserved: Type.Optional(count),
  rejected: Type.Optional(count),
  low: Type.Optional(count),
  notes: Type.Optional(notes),
  retract_operations: Type.Optional(count),
  status: Type.Enum(['ok', 'low', 'empty', 'inoperative']),
})
const serving = Type.Enum(['in_service', 'out_of_service'])
const terminalState = Type.Enum([...serving.enum, 'exchange'])
export const terminalReply = closed({
  id: terminalName,
  name: Type.String(),
  currency,
  state: terminalState,
  signed_on: Type.Boolean(),
  batch: Type.Integer(),
  business_date: orNull(Type.String({ format: 'date' })),
  last_seen: orNull(instant),
  last_cash_out: orNull(instant),
  cash: limit,
  transit: closed({ uncertain: limit, unconfirmed: limit }),
  over_short: Type.Integer({ description: 'Below zero where notes were missing' }),
  units: Type.Array(unitReply),
  exchange: Type.Optional(
    closed(
      { id: Type.String(), afterwards: serving, counts: Type.Optional(contents) },
      { description: 'While one is under way; counts as they were said last' },
    ),
  ),
})
const next = orNull(Type.String())
export const terminalsReply = closed({ terminals: Type.Array(terminalReply), next })
export const setTerminalState = closed({ state: serving, reason })
export const terminalKey = closed({
  algorithm: Type.Enum(['tdes', 'aes']),
  key: Type.String({ pattern: '^([0-9A-Fa-f]{2}){16,32}$', description: 'In demo mode only' }),
  kcv: Type.String({ pattern: '^[0-9A-Fa-f]{6,10}$', description: 'The key’s check value' }),
})
export const noKey = closed({ algorithm: Type.Literal('none') })
/** A key is checked against the schema of one, so that an error names the member. */
export const setMacKey = Type.Object({ algorithm: Type.Enum(['tdes', 'aes', 'none']) })
export const macKeyDocumented = Type.Union([terminalKey, noKey])

export const authorize = closed({
  id: ownId,
  pan,
  ...entered,
  amount,
  currency,
  account: Type.Optional(number),
  mix: Type.Optional(Type.Union([mixRule, notesOut])),
})
export const confirm = closed({
  units: notesOut,
  rejected: Type.Optional(notesOut),
  outcome: Type.Optional(Type.Enum(['dispensed', 'retracted', 'unknown'])),
})
export const reverseWithdrawal = closed({
  reason: Type.Enum(['cancelled', 'timeout', 'malfunction', 'no_dispense']),
})
export const withdrawalState = Type.Enum([
  'declined',
  'authorized',
  'dispensing',
  'completed',
  'partially_completed',
  'reversed',
  'suspect',
])
const balances = closed({ ledger: balance, available: balance })
const exceptionId = Type.String({ description: 'Such as exc_0mfxk1c2a-1-42' })
const cardId = Type.String({ pattern: '^card_[0-9a-f]{32}$' })
export const last4 = Type.String({ pattern: '^[0-9]{4}$' })
export const withdrawalReply = closed({
  id: ownId,
  terminal: terminalName,
  state: withdrawalState,
  confirmation: Type.Enum(['explicit', 'implicit']),
  amount: limit,
  currency,
  account: orNull(number),
  card: orNull(cardId),
  last4: orNull(last4),
  units: notesOut,
  mix_assumed: Type.Boolean(),
  dispensed: orNull(limit),
  authorization_code: orNull(Type.String()),
  batch: Type.Integer(),
  expires_at: orNull(instant),
  balance: orNull(balances),
  transfers: Type.Array(id),
  exception: orNull(exceptionId),
  code: orNull(Type.String({ description: 'Why it was declined' })),
  stan: Type.Optional(Type.String()),
  rrn: Type.Optional(Type.String()),
  created_at: instant,
})
/** Said of a withdrawal that nobody has asked for. */
export const tombstoneReply = closed({
  id: ownId,
  state: Type.Literal('reversed'),
  tombstone: Type.Literal(true),
  exception: Type.Optional(exceptionId),
})
export const withdrawalRead = Type.Union([withdrawalReply, tombstoneReply])
export const withdrawalsReply = closed({ withdrawals: Type.Array(withdrawalRead), next })
const stan = Type.String({ pattern: '^[0-9]{1,6}$', description: 'Of the message that asked: 1 to 6 digits' })
const rrn = Type.String({ pattern: '^[ -~]{1,12}$', description: 'Of the message that asked' })
const authorizationCode = Type.String({ pattern: '^[0-9]{6}$' })
/** What a withdrawal may be found by. */
export const withdrawalQuery = {
  terminal: terminalName,
  account: number,
  last4,
  stan,
  rrn,
  authorization_code: authorizationCode,
  amount,
  currency,
  state: withdrawalState,
}
/** The same where it was not asked for by its name. */
export const tombstoneFound = closed({
  id: ownId,
  terminal: terminalName,
  state: Type.Literal('reversed'),
  tombstone: Type.Literal(true),
  amount: limit,
  currency,
  account: orNull(number),
  last4: orNull(last4),
  exception: orNull(exceptionId),
  stan: Type.Optional(stan),
  rrn: Type.Optional(rrn),
  created_at: instant,
})
export const withdrawalFound = Type.Union([withdrawalReply, tombstoneFound])
export const withdrawalsFoundReply = closed({ withdrawals: Type.Array(withdrawalFound), next })
export const historyKind = Type.Enum([
  'withdrawal_authorized',
  'withdrawal_declined',
  'withdrawal_started',
  'withdrawal_settled',
  'withdrawal_forestalled',
  'withdrawal_advised',
  'exception_opened',
  'exception_waits',
  'exception_resolved',
])
export const historyReply = closed({
  history: Type.Array(
    closed({
      at: instant,
      kind: historyKind,
      record: id,
      by: closed({
        actor: Type.String({ description: 'The credential; iso8583; empty where the server itself did it' }),
        name: orNull(Type.String({ description: 'Whose credential it is' })),
      }),
      detail: Type.Object({}, { description: 'What the record says, by its kind' }),
      transfers: Type.Array(closed({ id, debit: side, credit: side, amount, currency })),
    }),
  ),
  more: Type.Boolean({ description: 'Whether there are later ones, of very many' }),
})

export const inquire = closed({
  pan,
  ...entered,
  type: Type.Enum(['balance', 'statement']),
  account: Type.Optional(number),
})
export const inquiryReply = closed({
  account: number,
  currency,
  ledger: balance,
  available: balance,
  entries: Type.Optional(Type.Array(entry)),
})
export const terminalDeposit = closed({
  id: ownId,
  account: Type.Optional(number),
  pan: Type.Optional(pan),
  ...entered,
  currency,
  notes,
})
export const depositReply = closed({
  id: ownId,
  state: Type.Enum(['completed', 'reversed']),
  amount,
  account: number,
  units: Type.Record(Type.String(), notes),
  balance: Type.Optional(balances),
  transfers: Type.Array(id),
})
export const depositReversed = Type.Union([depositReply, tombstoneReply])
export const because = closed({ reason })
export const terminalTransfer = closed({
  id: ownId,
  pan,
  ...entered,
  from: Type.Optional(number),
  to: number,
  amount,
  currency,
})
export const terminalTransferReply = closed({ id: ownId, transfer: id, balance: orNull(balances) })
export const changePin = closed({
  id: ownId,
  pan,
  ...entered,
  new_pin: Type.Optional(clearPin),
  new_pin_block: Type.Optional(block),
})
export const pinChangeReply = closed({ id: ownId, changed: Type.Literal(true) })

export const closeBatch = closed({ batch: Type.Integer({ minimum: 1, maximum: 999_999_999 }) })
const sum = closed({ count, amount: limit })
export const closedBatchReply = closed({
  terminal: terminalName,
  batch: Type.Integer(),
  business_date: Type.String({ format: 'date' }),
  opened_at: instant,
  closed_at: instant,
  withdrawals: sum,
  withdrawal_reversals: sum,
  deposits: sum,
  deposit_reversals: sum,
  net: Type.Integer({ description: 'Above zero: into the machine' }),
  open: Type.Array(closed({ id: ownId, state: withdrawalState, amount: limit })),
  cash: limit,
  transit: limit,
  over_short: Type.Integer(),
  head: closed({ writer: Type.Integer(), block: Type.Integer(), hash: Type.String() }),
})
export const batchesReply = closed({
  open: closed({
    batch: Type.Integer(),
    business_date: orNull(Type.String({ format: 'date' })),
    opened_at: instant,
    withdrawals: sum,
    withdrawal_reversals: sum,
    deposits: sum,
    deposit_reversals: sum,
  }),
  batches: Type.Array(closedBatchReply),
  next,
})
const exchangeId = Type.String({ minLength: 1, maxLength: 64 })
/** More than any machine holds, and far from where sums of it are no safe integers. */
const dispensedMax = 1_000_000_000_000
const dispensed = Type.Integer({
  minimum: 0,
  maximum: dispensedMax,
  description: 'The cash that really left, in minor units',
})
const sure = closed({ dispensed })
export const startExchange = closed({ action: Type.Literal('start') })
export const endExchange = closed({
  action: Type.Literal('end'),
  exchange: exchangeId,
  mode: Type.Enum(['set', 'add']),
  loaded: notesOut,
  suspects: Type.Optional(
    Type.Record(Type.String(), sure, {
      maxProperties: 1_000,
      propertyNames: { pattern: '^[A-Za-z0-9._-]{1,36}$' },
      description: 'What left, by withdrawal',
    }),
  ),
})
/** Each is checked against the schema of its action, so that an error names the member of that one. */
export const exchange = Type.Object({ action: Type.Enum(['start', 'end']) })
export const exchangeDocumented = Type.Union([startExchange, endExchange])
export const exchangeOpenReply = closed({
  exchange: exchangeId,
  terminal: terminalReply,
  suspects: Type.Array(closed({ withdrawal: ownId, amount: limit, units: notesOut })),
})
export const exchangedReply = closed({
  removed: contents,
  loaded: notesOut,
  over_short: Type.Integer({ description: 'Of this exchange' }),
  terminal: terminalReply,
})
export const exchangeReply = Type.Union([exchangeOpenReply, exchangedReply])
export const countUnits = closed({ exchange: exchangeId, units: contents })
export const countedReply = closed({
  units: Type.Record(
    Type.String(),
    closed({
      expected: Type.Union([notesCount, notes]),
      counted: Type.Union([notesCount, notes]),
      variance: Type.Integer(),
      amount: Type.Integer(),
    }),
  ),
  amount: Type.Integer(),
  suspects: Type.Array(closed({ withdrawal: ownId, amount: limit, proposal: orNull(sure) })),
})

export const exceptionType = Type.Enum([
  'suspect',
  'confirm_after_reversal',
  'reverse_after_confirm',
  'late_reversal',
  'over_dispensed',
  'reversal_mismatch',
  'unknown_advice',
  'out_of_balance',
  'pin_key',
])
export const exceptionState = Type.Enum(['open', 'resolved'])
export const exceptionReply = closed({
  id: exceptionId,
  type: exceptionType,
  state: exceptionState,
  terminal: terminalName,
  withdrawal: orNull(ownId),
  account: orNull(number),
  last4: orNull(last4),
  amount: Type.Integer(),
  currency,
  opened_at: instant,
  age_s: Type.Integer({ minimum: 0, description: 'How long it was open' }),
  proposal: orNull(sure),
  waits: Type.Optional(
    closed(
      { dispensed: orNull(dispensed), reason, by: Type.String() },
      { description: 'What somebody has said, until a second person says the same' },
    ),
  ),
  resolution: orNull(
    closed({
      dispensed: orNull(dispensed),
      reason,
      by: Type.String({ description: 'Who, by name; empty in demo mode' }),
      at: instant,
      transfers: Type.Array(id),
    }),
  ),
})
export const exceptionsReply = closed({ exceptions: Type.Array(exceptionReply), next })
export const resolveException = closed({ dispensed: Type.Optional(dispensed), reason })

const expiry = Type.String({ pattern: '^[0-9]{2}(0[1-9]|1[0-2])$', description: 'YYMM' })
const cardAccountType = Type.Enum(['checking', 'savings', 'credit'])
const cardAccount = closed({
  account: number,
  type: cardAccountType,
  default: Type.Boolean(),
})
const pinPolicy = Type.Enum(['always', 'if_present'])
const cardLimits = closed({
  per_withdrawal: Type.Optional(limit),
  daily_amount: Type.Optional(limit),
  daily_count: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
})
/** A PIN in clear, or what another system keeps of one. */
const setting = {
  pin: Type.Optional(clearPin),
  pvv: Type.Optional(Type.String({ pattern: '^[0-9]{4}$', description: 'A PIN verification value' })),
  pvki: Type.Optional(Type.Integer({ minimum: 0, maximum: 9, description: 'Which key made it' })),
}
export const cardStatus = Type.Enum(['active', 'blocked', 'lost', 'stolen', 'expired'])
/** Of those that are left out, `checking`; and the first is the usual one where none is said to be. */
const cardAccountGiven = closed({
  account: number,
  type: Type.Optional(cardAccountType),
  default: Type.Optional(Type.Boolean()),
})
export const issueCard = closed({
  pan,
  expiry,
  accounts: Type.Array(cardAccountGiven, { minItems: 1, maxItems: 16 }),
  ...setting,
  pin_policy: Type.Optional(pinPolicy),
  limits: Type.Optional(cardLimits),
})
export const cardReply = closed({
  id: cardId,
  last4,
  expiry,
  status: cardStatus,
  accounts: Type.Array(cardAccount),
  pin_set: Type.Boolean(),
  pin_policy: pinPolicy,
  tries_left: count,
  limits: cardLimits,
})
export const cardsReply = closed({ cards: Type.Array(cardReply), next })
export const depositFound = closed({
  terminal: terminalName,
  id: ownId,
  account: orNull(number),
  amount,
  currency,
  state: Type.Enum(['completed', 'reversed', 'declined']),
  created_at: instant,
})
export const terminalFound = closed({ id: terminalName, name: Type.String(), state: terminalState })

export const blockCard = closed({ status: Type.Enum(['blocked', 'lost', 'stolen']), reason })
export const setPin = closed({ ...setting, reason })

/** What refusals of the ATM side say beside their code. */
export const aboutRefusals = {
  tries_left: Type.Optional(count),
  scope: Type.Optional(Type.Enum(['withdrawal', 'card_day', 'account_day', 'terminal'])),
  used: Type.Optional(Type.Integer()),
  remaining: Type.Optional(Type.Integer()),
  nearest: Type.Optional(closed({ below: orNull(amount), above: orNull(amount) })),
  batch: Type.Optional(Type.Integer()),
  suspects: Type.Optional(Type.Array(ownId)),
  units: Type.Optional(Type.Array(Type.String())),
  card_status: Type.Optional(cardStatus),
}

/** What an Idempotency-Key may be answered with. */
export const keptReplies = [
  terminalReply,
  inquiryReply,
  depositReversed,
  terminalTransferReply,
  pinChangeReply,
  closedBatchReply,
  exchangeOpenReply,
  exchangedReply,
  countedReply,
  exceptionReply,
  cardReply,
]

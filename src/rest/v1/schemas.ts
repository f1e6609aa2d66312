/** The shapes of /v1 as JSON Schema: what bodies are checked against, and what the OpenAPI document says. */
import Type, { type TProperties } from 'typebox'
import { minorMax } from '../../ledger/money.ts'
import * as atm from './atm-schemas.ts'
import { eventTypes } from './event-types.ts'
import {
  amount,
  balance,
  closed,
  count,
  currency,
  entry,
  house,
  id,
  instant,
  kind,
  limit,
  number,
  orNull,
  owned,
  reason,
  reference,
  side,
} from './shapes.ts'

export * from './atm-schemas.ts'
export * from './overview-schemas.ts'
export {
  amount,
  closed,
  currency,
  entry,
  id,
  number,
  owned,
  reference,
  referenceMax,
  side,
} from './shapes.ts'

const dailyCountMax = 1_000_000_000
export const limits = Type.Object(
  {
    transaction_amount: Type.Optional(limit),
    daily_amount: Type.Optional(limit),
    daily_count: Type.Optional(Type.Integer({ minimum: 0, maximum: dailyCountMax })),
  },
  { additionalProperties: false, description: 'On what leaves the account; what is left out is not limited' },
)
export const metadata = Type.Record(Type.String(), Type.String({ maxLength: 512 }), {
  maxProperties: 16,
  propertyNames: { pattern: '^(?!__proto__$)[^\\u0000-\\u001f]{1,64}$' },
  description: 'At most 16 texts of the client’s own, which no rule reads',
})
export const state = Type.Enum(['active', 'debit_blocked', 'credit_blocked', 'frozen', 'closed'])
export const holdState = Type.Enum(['pending', 'posted', 'voided', 'expired'])
export const key = Type.String({ minLength: 1, maxLength: 255, pattern: '^[ -~]{1,255}$' })
export const version = Type.Integer({ minimum: 0, maximum: minorMax - 1 })
export const block = Type.Integer({ minimum: 1, maximum: minorMax })
export const lastBlock = Type.Integer({
  minimum: 1,
  maximum: minorMax - 1,
  description: 'No block beyond this number',
})
export const moment = Type.Union([instant, Type.String({ format: 'date' })])
export const period = {
  from: Type.Union(moment.anyOf, { description: 'From this instant or day on' }),
  to: Type.Union(moment.anyOf, { description: 'Before this instant or day' }),
}
const words = { reference: Type.Optional(reference), metadata: Type.Optional(metadata) }

export const openAccount = closed({
  number: Type.Optional(number),
  currency: Type.Optional(currency),
  overdraft_limit: Type.Optional(limit),
  minimum_balance: Type.Optional(limit),
  limits: Type.Optional(limits),
  metadata: Type.Optional(metadata),
})
export const setState = closed({ state, reason })
export const deposit = closed({ account: number, amount, currency, ...words })
export const withdrawal = closed({
  account: number,
  amount,
  currency,
  up_to: Type.Optional(Type.Boolean()),
  ...words,
})
export const transfer = closed({
  from: number,
  to: number,
  amount,
  currency,
  up_to: Type.Optional(Type.Boolean()),
  ...words,
})
export const reversal = closed({
  amount: Type.Optional(amount),
  force: Type.Optional(Type.Boolean()),
  ...words,
})
export const hold = closed({
  account: number,
  amount,
  currency,
  expires_in: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 2_592_000, description: 'Seconds; 900 if left out' }),
  ),
  ...words,
})
export const capture = closed({
  amount: Type.Optional(amount),
  advice: Type.Optional(Type.Boolean()),
  ...words,
})
export const nothing = closed({})
/** Each operation is checked against the schema of its type, so that an error names the member of that one. */
export const batch = closed({
  atomic: Type.Optional(Type.Boolean()),
  dry_run: Type.Optional(Type.Boolean()),
  operations: Type.Array(Type.Object({ type: Type.String() }), { minItems: 1, maxItems: 1_000 }),
})

function operation(type: string, { properties }: { properties: TProperties }, named: TProperties = {}) {
  return closed({ type: Type.Literal(type), key: Type.Optional(key), ...named, ...properties })
}
/** The same with what each operation is, for readers. */
export const batchDocumented = closed({
  ...batch.properties,
  operations: Type.Array(
    Type.Union([
      operation('deposit', deposit),
      operation('withdrawal', withdrawal),
      operation('transfer', transfer),
      operation('hold', hold),
      operation('capture', capture, { hold: id }),
      operation('void', nothing, { hold: id }),
      operation('reversal', reversal, { transfer: id }),
    ]),
    { minItems: 1, maxItems: 1_000 },
  ),
})

export const accountReply = closed({
  number: owned,
  currency,
  state,
  ledger: balance,
  held: balance,
  available: balance,
  overdraft_limit: limit,
  minimum_balance: limit,
  limits,
  version: Type.Integer(),
  metadata,
})
export const limitsReply = closed({
  account: owned,
  currency,
  limits,
  day: Type.String({ format: 'date', description: 'The business day' }),
  used: closed({ amount: balance, count }),
})
/** A sum of many amounts, which may be too large for a number. */
const digits = Type.String({ pattern: '^-?[0-9]+$' })
/** Its figure is a sum of many and may pass 2^53, so it is written as digits. */
export const houseReply = closed({
  number: house,
  currency,
  ledger: digits,
  version: Type.Null(),
})
export const balanceReply = closed({
  account: owned,
  currency,
  ledger: balance,
  held: Type.Optional(balance),
  available: Type.Optional(balance),
  version: Type.Integer(),
})
const balanceAfter = closed({
  account: owned,
  ledger: balance,
  held: balance,
  version: Type.Integer(),
})
export const transferReply = closed({
  id,
  kind,
  debit_account: side,
  credit_account: side,
  amount,
  currency,
  balances: Type.Array(balanceAfter),
  created_at: instant,
  key: orNull(Type.String()),
  reference: orNull(reference),
  metadata,
  reverses: orNull(id),
  hold: orNull(id),
  adjustment: orNull(id),
  operation: orNull(Type.String({ description: 'What it is of at a terminal, such as ATM00001/w1' })),
  forced: Type.Boolean(),
  reversed_amount: Type.Optional(balance),
  reversed_by: Type.Optional(orNull(id)),
})
export const holdReply = closed({
  id,
  account: number,
  amount,
  currency,
  state: holdState,
  created_at: instant,
  expires_at: instant,
  captured_amount: orNull(amount),
  transfer: orNull(id),
  forced: Type.Boolean(),
  reference: orNull(reference),
  metadata,
})
export const transfersReply = closed({
  transfers: Type.Array(transferReply),
  next_cursor: orNull(Type.String()),
})
const found = <Kind extends string, Body extends TProperties>(kind: Kind, body: Body) =>
  closed({ kind: Type.Literal(kind), ...body })
export const searchReply = closed({
  q: Type.String({ description: 'As it was typed; of a card number the last four digits' }),
  found: Type.Array(
    Type.Union([
      found('terminal', { terminal: atm.terminalFound }),
      found('withdrawal', { withdrawal: atm.withdrawalFound }),
      found('account', {
        account: closed({ number, currency, ledger: balance, available: balance, state }),
      }),
      found('card', { card: atm.cardReply }),
      found('exception', { exception: atm.exceptionReply }),
      found('transfer', { transfer: transferReply }),
      found('deposit', { deposit: atm.depositFound }),
    ]),
  ),
  more: Type.Boolean({ description: 'Whether there is more than is told' }),
})
export const holdsReply = closed({ holds: Type.Array(holdReply), next_cursor: orNull(Type.String()) })
export const entriesReply = closed({
  account: side,
  currency,
  entries: Type.Array(entry),
  next_cursor: orNull(Type.String()),
})
export const statementReply = closed({
  account: owned,
  currency,
  from: instant,
  to: instant,
  opening: balance,
  entries: Type.Array(entry),
  closing: balance,
})
export const accountsReply = closed({
  accounts: Type.Array(Type.Union([accountReply, houseReply])),
  total_accounts: Type.Integer(),
  next_cursor: orNull(Type.String()),
})
export const problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.Optional(Type.String()),
  error: Type.String(),
  state: Type.Optional(Type.Enum([...new Set([...holdState.enum, 'rejected', ...atm.withdrawalState.enum])])),
  limit: Type.Optional(
    Type.Union([
      closed({
        name: Type.Enum(['transaction_amount', 'daily_amount', 'daily_count']),
        limit: Type.Integer(),
        used: Type.Integer(),
        remaining: Type.Integer(),
      }),
      Type.Integer(),
    ]),
  ),
  ...atm.aboutRefusals,
})
/** What an operation of the original routes did, for whoever asks by its key. */
const original = closed({
  transfer: id,
  account: number,
  amount,
  currency,
  ledger: balance,
  version: Type.Integer(),
  created_at: instant,
  account_created: Type.Boolean(),
})
export const result = closed({
  status: Type.Integer(),
  replayed: Type.Boolean(),
  // An item's key may be one that another route was answered under.
  body: Type.Union([transferReply, holdReply, accountReply, original, problem]),
})
const batchMembers = {
  atomic: Type.Boolean(),
  dry_run: Type.Boolean(),
  failed: orNull(Type.Integer()),
  results: Type.Array(result),
}
export const batchReply = closed(batchMembers)
export const batchRefused = Type.Object({
  ...problem.properties,
  code: Type.Literal('batch_refused'),
  ...batchMembers,
})
const name = Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f]{1,64}$' })
export const role = Type.Enum(['terminal', 'teller', 'operator', 'auditor', 'admin'], {
  description: 'A terminal’s credential has the id of the terminal as its name',
})
export const createCredential = closed({ role, name })
export const credentialReply = closed({
  id,
  role,
  name,
  fingerprint: Type.String({ description: 'The first 16 hexadecimal digits of the key’s SHA-256' }),
  created_at: instant,
  created_by: Type.String(),
  revoked_at: orNull(instant),
})
/** The key is told once: a repeat under the same Idempotency-Key has null. */
export const credentialMade = closed({ ...credentialReply.properties, key: orNull(Type.String()) })
export const credentialsReply = closed({
  credentials: Type.Array(credentialReply),
  next_cursor: orNull(Type.String()),
})
export const openSession = closed({
  key: Type.String({
    minLength: 1,
    maxLength: 8_192,
    description: 'An API key, or a token of the configured issuer',
  }),
})
export const sessionReply = closed({
  role,
  name: Type.String({ description: 'Whose credential it is; empty in demo mode' }),
  demo: Type.Boolean({ description: 'Whether whoever is on this machine may do anything' }),
  currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'Of accounts that a deposit opens' }),
  permissions: Type.Array(Type.String(), { description: 'What the role may; a route says what it needs' }),
  expires_at: orNull(
    Type.String({
      format: 'date-time',
      description: 'When the session ends if nobody uses it; null where there is none',
    }),
  ),
})
const direction = Type.Enum(['credit', 'debit'], { description: 'Whether the account gains or loses' })
export const adjust = closed({ account: number, amount, currency, direction, reason })
export const adjustmentReply = closed({
  id,
  state: Type.Enum(['pending', 'posted', 'rejected']),
  account: number,
  currency,
  amount,
  direction,
  reason,
  second_person: Type.Boolean({ description: 'Whether somebody else must approve it' }),
  requested_by: Type.String(),
  requested_by_name: Type.String(),
  created_at: instant,
  decided_by: orNull(Type.String()),
  decided_at: orNull(instant),
  transfer: orNull(id),
})
export const adjustmentsReply = closed({
  adjustments: Type.Array(adjustmentReply),
  next_cursor: orNull(Type.String()),
})
const url = Type.String({
  minLength: 8,
  maxLength: 2_048,
  description: 'https, to a public address; what else is allowed is a setting',
})
const eventType = Type.Enum(eventTypes)
export const createWebhook = closed({
  url,
  types: Type.Optional(
    Type.Array(eventType, { uniqueItems: true, maxItems: 32, description: 'All types where there are none' }),
  ),
})
export const webhookReply = closed({
  id,
  url,
  types: Type.Array(eventType),
  created_at: instant,
  created_by: Type.String(),
  disabled_at: orNull(instant),
})
export const webhookMade = closed({
  ...webhookReply.properties,
  secret: Type.String({ description: 'Of Standard Webhooks: whsec_ and base64' }),
})
export const webhookCounted = closed({ ...webhookReply.properties, pending: count, dead: count })
export const webhooksReply = closed({
  webhooks: Type.Array(webhookCounted),
  next_cursor: orNull(Type.String()),
})
export const redeliver = closed({ event: Type.Optional(id) })
export const deliveryState = Type.Enum(['pending', 'delivered', 'dead'])
export const deliveriesReply = closed({
  deliveries: Type.Array(
    closed({
      event: id,
      state: deliveryState,
      attempts: count,
      created_at: instant,
      last_attempt_at: orNull(instant),
      next_attempt_at: orNull(instant),
      status: orNull(Type.Integer()),
      error: orNull(Type.String()),
    }),
  ),
  next_cursor: orNull(Type.String()),
})
export const actReply = closed({
  id,
  at: instant,
  actor: Type.String({ description: 'The credential; empty in demo mode' }),
  actor_name: orNull(Type.String()),
  action: Type.String(),
  details: Type.Object({}),
})
export const auditReply = closed({ acts: Type.Array(actReply), next_cursor: orNull(Type.String()) })
const range = { from: orNull(Type.Integer()), to: orNull(Type.Integer()) }
export const proofRequested = closed({ requested_at: instant, ...range })
export const operationReply = closed({
  status: Type.Integer(),
  recorded_at: instant,
  body: Type.Union([
    transferReply,
    holdReply,
    accountReply,
    original,
    batchReply,
    ...atm.keptReplies,
    proofRequested,
    credentialReply,
    adjustmentReply,
    webhookReply,
    batchRefused,
    problem,
  ]),
})
export const eventReply = Type.Object({
  specversion: Type.Literal('1.0'),
  id,
  source: Type.Literal('cashpoint'),
  type: Type.String(),
  time: instant,
  subject: Type.String(),
  datacontenttype: Type.Literal('application/json'),
  data: Type.Object({
    balances: Type.Array(balanceAfter),
  }),
})
export const eventsReply = closed({ events: Type.Array(eventReply), next_after: orNull(id) })
const askedBy = Type.String({ description: 'Who asked for it, by name; empty in demo mode' })
const pass = closed({
  started_at: instant,
  by: askedBy,
  ...range,
  block: Type.Integer(),
  of: Type.Integer(),
})
const verdict = closed({
  started_at: instant,
  finished_at: instant,
  by: askedBy,
  ...range,
  proven: Type.Boolean(),
  blocks: Type.Optional(Type.Integer()),
  records: Type.Optional(Type.Integer()),
  accounts: Type.Optional(Type.Integer()),
  head: Type.Optional(Type.String()),
  sums: Type.Optional(Type.Array(closed({ currency, customers: digits, terminals: digits, house: digits }))),
  block: Type.Optional(Type.Integer()),
  record: Type.Optional(Type.Integer()),
  what: Type.Optional(Type.String()),
})
export const verificationReply = closed({ running: orNull(pass), last: orNull(verdict) })
const hash = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, in hexadecimal digits' })
export const blockReply = closed({
  number: Type.Integer({
    minimum: 1,
    description: 'Its place in the one order of all writers’ blocks, as POST /v1/verify names it',
  }),
  writer: Type.Integer({ minimum: 1 }),
  sequence: Type.Integer({ minimum: 1, description: 'In the chain of its writer' }),
  at: instant,
  records: Type.Integer({ minimum: 1 }),
  first_record: id,
  last_record: id,
  hash,
  previous_hash: hash,
  previous_number: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
    description:
      'Of the block before it in its writer’s chain; null of the first, whose previous_hash is zeros',
  }),
})
export const blocksReply = closed({ blocks: Type.Array(blockReply), next_cursor: orNull(Type.String()) })
export const headsReply = closed({ heads: Type.Array(blockReply) })

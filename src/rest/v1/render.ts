/** Replies of the ledger as bodies of /v1. What is stored under a key is rendered from the same values, to the same bytes. */
import { type Account, available, currencyOf, type HouseAccount, heldAt } from '../../ledger/account.ts'
import { leftOn, type TransferPage } from '../../ledger/books.ts'
import type { Hold, Posted, PostedTransfer, Reply } from '../../ledger/command.ts'
import type { Instant } from '../../ledger/money.ts'
import type { After } from '../../ledger/record.ts'
import type { Adjustment, Credential, Thing, Webhook } from '../../ledger/registry.ts'
import { detailOf, problemOf, statusOf } from '../problem.ts'
import { countedBody, exchangedBody, exchangeOpenBody, inquiryBody, renderEntity } from './render-atm.ts'
import { timeOf } from './time.ts'

/** A reply as HTTP: `location` for what was made, `version` for what can be guarded by it. */
export type Rendered = {
  readonly status: number
  readonly body: object
  readonly location?: string
  readonly version?: number
}

/** `now` is when it is answered, or was; it is needed for what has an age. */
export function render(reply: Reply, now?: Instant): Rendered {
  switch (reply.type) {
    case 'transferred': {
      const { transfer, made } = reply
      const location = `/v1/transfers/${transfer.id}`
      return { status: made ? 201 : 200, body: transferBody(transfer), ...(made && { location }) }
    }
    case 'hold': {
      const location = `/v1/holds/${reply.hold.id}`
      return { status: reply.made ? 201 : 200, body: holdBody(reply.hold), ...(reply.made && { location }) }
    }
    case 'account': {
      const { account, made } = reply
      const { number, version, at } = account
      const location = `/v1/accounts/${number}`
      return { status: made ? 201 : 200, body: accountBody(account, at), version, ...(made && { location }) }
    }
    case 'refused': {
      const { refusal, state, limit, about } = reply
      const detail = detailOf(reply)
      const more = { ...(detail && { detail }), ...(state && { state }), ...(limit && { limit }), ...about }
      return { status: statusOf(refusal, 'v1'), body: problemOf(refusal, 'v1', more) }
    }
    case 'batch': {
      const { failed, dry_run, atomic, results } = reply
      const rendered = results.map(({ reply, replayed }) => {
        const { status, body } = render(reply, now)
        return { status, replayed, body }
      })
      const body = { atomic, dry_run, failed: failed ?? null, results: rendered }
      if (failed === undefined) return { status: 200, body }
      const status = statusOf('batch_refused', 'v1')
      return { status, body: { ...problemOf('batch_refused', 'v1'), ...body } }
    }
    case 'registered': {
      const { thing, made } = reply
      const location = `${pathOf[thing.kind]}/${thing.id}`
      return { status: made ? 201 : 200, body: thingBody(thing), ...(made && { location }) }
    }
    case 'posted':
      return { status: 200, body: originalBody(reply) }
    case 'books_opened':
      return { status: 200, body: { accounts: reply.accounts.length } }
    case 'proof_requested': {
      const { at, from_block: from = null, to_block: to = null } = reply
      return { status: 202, body: { requested_at: timeOf(at), from, to }, location: '/v1/verify' }
    }
    case 'entity':
      return renderEntity(reply, now)
    case 'inquired':
      return { status: 200, body: inquiryBody(reply) }
    case 'exchange_open':
      return { status: 200, body: exchangeOpenBody(reply) }
    case 'counted':
      return { status: 200, body: countedBody(reply) }
    case 'exchanged':
      return { status: 200, body: exchangedBody(reply) }
  }
}

/** What one of the original routes did, for whoever asks by its key. */
function originalBody({ transfer, account, amount, currency, ledger, version, at, opened }: Posted): object {
  return {
    transfer,
    account,
    amount,
    currency,
    ledger,
    version,
    created_at: timeOf(at),
    account_created: opened,
  }
}

/** Sums of many safe integers are none themselves, so a house account's figure is written as digits. */
export function houseBody(name: HouseAccount, total: bigint): object {
  return { number: name, currency: currencyOf(name), ledger: String(total), version: null }
}

/** What is held and available as of an instant: of a reply its own, so that a replay says the same. */
export function accountBody(account: Account, now: Instant): object {
  const { number, currency, state, ledger, overdraft_limit, minimum_balance, version, metadata } = account
  const { limits = {} } = account
  const figures = { ledger, held: heldAt(account, now), available: available(account, now) }
  return { number, currency, state, ...figures, overdraft_limit, minimum_balance, limits, version, metadata }
}

export function transferBody(transfer: PostedTransfer): object {
  const { id, type, debit, credit, amount, currency, debit_after, credit_after, key } = transfer
  return {
    id,
    kind: type,
    debit_account: debit,
    credit_account: credit,
    amount,
    currency,
    balances: [...balanceAfter(debit, debit_after), ...balanceAfter(credit, credit_after)],
    created_at: timeOf(transfer.at),
    key,
    reference: transfer.reference ?? null,
    metadata: transfer.metadata ?? {},
    reverses: transfer.reverses ?? null,
    hold: transfer.hold ?? null,
    adjustment: transfer.adjustment ?? null,
    operation: transfer.operation ?? null,
    forced: transfer.forced ?? false,
  }
}

/** What a record left on an account; nothing of a house account. */
export function balanceAfter(account: string, after: After | null): readonly object[] {
  if (after === null) return []
  const { ledger, held, version } = after
  return [{ account, ledger, held, version }]
}

export function transferPageBody({ transfer, reversed, last }: TransferPage): object {
  return { ...transferBody(transfer), reversed_amount: reversed, reversed_by: last?.id ?? null }
}

export function holdBody(hold: Hold): object {
  const { id, account, amount, currency, state, at, expires_at, captured, transfer } = hold
  return {
    id,
    account,
    amount,
    currency,
    state,
    created_at: timeOf(at),
    expires_at: timeOf(expires_at),
    captured_amount: captured ?? null,
    transfer: transfer ?? null,
    forced: hold.forced ?? false,
    reference: hold.reference ?? null,
    metadata: hold.metadata ?? {},
  }
}

export type EntryBody = ReturnType<typeof entryBody>

/** One side of a transfer. A house account has no balance after it, and no version. */
export function entryBody(account: string, transfer: PostedTransfer) {
  const { id, type, debit, amount, reference, at } = transfer
  const after = leftOn(transfer, account)
  return {
    version: after?.version ?? null,
    direction: debit === account ? 'debit' : 'credit',
    amount,
    balance_after: after?.ledger ?? null,
    transfer: id,
    kind: type,
    reference: reference ?? null,
    created_at: timeOf(at),
  }
}

const pathOf = {
  credential: '/v1/credentials',
  webhook: '/v1/webhooks',
  adjustment: '/v1/adjustments',
} as const

export function thingBody(thing: Thing): object {
  if (thing.kind === 'credential') return credentialBody(thing)
  return thing.kind === 'webhook' ? webhookBody(thing) : adjustmentBody(thing)
}

/** Never the key; `fingerprint` is the beginning of its SHA-256, to tell which key somebody holds. */
export function credentialBody({ id, role, name, hash, at, actor, revoked_at }: Credential): object {
  return {
    id,
    role,
    name,
    fingerprint: hash.slice(0, 16),
    created_at: timeOf(at),
    created_by: actor,
    revoked_at: revoked_at === undefined ? null : timeOf(revoked_at),
  }
}

export function webhookBody({ id, url, types, at, actor, disabled_at }: Webhook): object {
  return {
    id,
    url,
    types,
    created_at: timeOf(at),
    created_by: actor,
    disabled_at: disabled_at === undefined ? null : timeOf(disabled_at),
  }
}

export function adjustmentBody(adjustment: Adjustment): object {
  const { id, state, account, currency, amount, direction, reason, actor, person, at } = adjustment
  const { decided_by, decided_at, transfer } = adjustment
  return {
    id,
    state,
    account,
    currency,
    amount,
    direction,
    reason,
    second_person: adjustment.second_person ?? false,
    requested_by: actor,
    requested_by_name: person,
    created_at: timeOf(at),
    decided_by: decided_by ?? null,
    decided_at: decided_at === undefined ? null : timeOf(decided_at),
    transfer: transfer ?? null,
  }
}

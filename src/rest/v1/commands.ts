/** Bodies of /v1 as commands: what a route and an operation of a batch have in common. */
import type { Static, TSchema } from 'typebox'
import type { Batch, Command, Item } from '../../ledger/command.ts'
import { decimalsOf } from '../../ledger/money.ts'
import { isIdempotencyKey } from '../idempotency-key.ts'
import { ProblemError } from '../problem.ts'
import * as schemas from './schemas.ts'

type Body<Schema extends keyof typeof schemas> = Static<(typeof schemas)[Schema] & TSchema>

const holdSeconds = 900

export function openAccount(body: Body<'openAccount'>, fallback: string): Command {
  const { number, currency = fallback, overdraft_limit = 0, minimum_balance = 0, metadata = {} } = body
  const { limits } = body
  return {
    type: 'open_account',
    ...(number !== undefined && { number }),
    currency: currencyKnown(currency),
    overdraft_limit,
    minimum_balance,
    ...(limits && { limits }),
    metadata,
  }
}

export function deposit({ account, ...rest }: Body<'deposit'>): Item['command'] {
  return { type: 'move', from: null, to: account, ...rest, currency: currencyKnown(rest.currency) }
}

export function withdrawal({ account, up_to, ...rest }: Body<'withdrawal'>): Item['command'] {
  return {
    type: 'move',
    from: account,
    to: null,
    ...upTo(up_to),
    ...rest,
    currency: currencyKnown(rest.currency),
  }
}

export function transfer({ up_to, ...rest }: Body<'transfer'>): Item['command'] {
  return { type: 'move', ...upTo(up_to), ...rest, currency: currencyKnown(rest.currency) }
}

export function reversal(transfer: string, { force, ...rest }: Body<'reversal'>): Item['command'] {
  return { type: 'reverse', transfer, ...(force && { force }), ...rest }
}

export function hold({ expires_in = holdSeconds, ...rest }: Body<'hold'>): Item['command'] {
  return { type: 'hold', ...rest, currency: currencyKnown(rest.currency), expires_in_s: expires_in }
}

export function capture(hold: string, { advice, ...rest }: Body<'capture'>): Item['command'] {
  return { type: 'capture', hold, ...(advice && { advice }), ...rest }
}

/** `check` judges an operation against the schema of its type, and says what is wrong with it. */
export function batch({ atomic = false, dry_run = false, operations }: Body<'batch'>, check: Check): Batch {
  const items = operations.map((operation, i) => {
    try {
      return itemOf(operation as Operation, check)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      throw new ProblemError(error.code, `operations.${i}: ${error.detail ?? error.code}`)
    }
  })
  return { type: 'batch', atomic, dry_run, items }
}

type Check = (schema: TSchema, body: object) => string | undefined

type Operation = { readonly type: string; readonly key?: unknown } & Record<string, unknown>

function itemOf({ type, key, ...body }: Operation, check: Check): Item {
  if (key !== undefined && (typeof key !== 'string' || !isIdempotencyKey(key)))
    throw new ProblemError('invalid_request', 'key must be 1 to 255 printable ASCII characters')
  const command = commandOf(type, body, check)
  return { command, ...(key !== undefined && { key }) }
}

function commandOf(type: string, body: Record<string, unknown>, check: Check): Item['command'] {
  const checked = (schema: TSchema, rest: object) => {
    const what = check(schema, rest)
    if (what !== undefined) throw new ProblemError('invalid_request', what)
    return rest as never
  }
  const named = (name: 'transfer' | 'hold'): [string, object] => {
    const { [name]: id, ...rest } = body
    if (typeof id !== 'string')
      throw new ProblemError('invalid_request', `${name} must be the id of a ${name}`)
    return [id, rest]
  }
  switch (type) {
    case 'deposit':
      return deposit(checked(schemas.deposit, body))
    case 'withdrawal':
      return withdrawal(checked(schemas.withdrawal, body))
    case 'transfer':
      return transfer(checked(schemas.transfer, body))
    case 'hold':
      return hold(checked(schemas.hold, body))
    case 'reversal': {
      const [id, rest] = named('transfer')
      return reversal(id, checked(schemas.reversal, rest))
    }
    case 'capture': {
      const [id, rest] = named('hold')
      return capture(id, checked(schemas.capture, rest))
    }
    case 'void': {
      const [id, rest] = named('hold')
      checked(schemas.nothing, rest)
      return { type: 'void', hold: id }
    }
    default:
      throw new ProblemError(
        'invalid_request',
        'type must be one of deposit, withdrawal, transfer, hold, capture, void, reversal',
      )
  }
}

function upTo(given: boolean | undefined): { up_to?: true } {
  return given === true ? { up_to: true } : {}
}

export function currencyKnown(currency: string): string {
  if (decimalsOf(currency) === undefined)
    throw new ProblemError('invalid_request', 'currency must be an ISO 4217 code such as USD')
  return currency
}

/** A route of /v1 as data: the same table makes the routes and the OpenAPI document. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import {
  type Account,
  type AccountNumber,
  type HouseAccount,
  isAccountNumber,
  isHouseName,
} from '../../ledger/account.ts'
import type { Command, Outcome, Refused, Reply } from '../../ledger/command.ts'
import type { Instant } from '../../ledger/money.ts'
import { sendJson } from '../accounts.ts'
import type { Needs } from '../gate.ts'
import { type ProblemCode, ProblemError, retryAfterOf } from '../problem.ts'
import type { Route } from '../routes.ts'
import { type Beside, outcomeOf } from '../submit.ts'
import { type Rendered, render } from './render.ts'

export type V1Route = {
  readonly method: Route['method']
  readonly url: string
  readonly may: Exclude<Needs, 'page'>
  /** Whether a terminal may ask it of itself alone, as the path names it. */
  readonly own?: true
  /**
   * Whether there must be an `Idempotency-Key`, of what a terminal does: only with one can it ask again. Or `never`:
   * the command is known by an id in the path or body, and a key is not looked at.
   */
  readonly keyed?: 'always' | 'never'
  /** Whether it is no command: nothing of it comes to the books, so that there is nothing to repeat. */
  readonly apart?: true
  readonly summary: string
  readonly body?: TSchema
  /** The body for readers, where it says more than what the body is checked against. */
  readonly documented?: TSchema
  /** Members of the query, and what each is. */
  readonly query?: Readonly<Record<string, TSchema>>
  /** Those of them that there must be. */
  readonly needed?: readonly string[]
  /** Whether `If-Match` guards the account's version. Where it does not, it is refused rather than ignored. */
  readonly guarded?: true
  /** Success by status. */
  readonly replies: Readonly<Record<number, TSchema>>
  /** What success may be instead of JSON, where that is asked for. */
  readonly also?: 'text/csv' | 'text/event-stream'
  /** What it can be refused with, beside what every route can. */
  readonly problems: readonly ProblemCode[]
  handler(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>
}

/** Submits a command under the request's key and sends what came of it. */
export async function submit(
  bank: Bank,
  request: FastifyRequest,
  reply: FastifyReply,
  command: Command,
  more: Beside = {},
): Promise<FastifyReply> {
  return answer(reply, await outcomeOf(bank, request, command, more), bank.now)
}

export function answer(reply: FastifyReply, outcome: Outcome, now?: Instant): FastifyReply {
  return answerWith(reply, outcome, (kept) => render(kept, now))
}

/** Sends what came of a command as its route writes that; a refusal as all are. */
export function answerWith(
  reply: FastifyReply,
  outcome: Outcome,
  write: (kept: Exclude<Reply, Refused>) => Rendered,
): FastifyReply {
  if (outcome.replayed) reply.header('idempotency-replayed', 'true')
  if (outcome.reply.type !== 'refused') return send(reply, write(outcome.reply))
  const retryAfterS = retryAfterOf(outcome.reply.refusal)
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS))
  return send(reply, render(outcome.reply))
}

export function send(reply: FastifyReply, { status, body, location, version }: Rendered): FastifyReply {
  if (location !== undefined) reply.header('location', location)
  if (version !== undefined) reply.header('etag', `"${version}"`)
  const text = JSON.stringify(body)
  if (status < 400) return sendJson(reply.code(status), text)
  return reply.code(status).type('application/problem+json').send(text)
}

/** The version that `If-Match` names: `"7"`, or 7 as people type it. */
export function ifVersion(request: FastifyRequest): { if_version?: number } {
  const header = request.headers['if-match']
  if (header === undefined || header === '*') return {}
  const version = /^("?)([0-9]{1,15})\1$/.exec(header)?.[2]
  if (version === undefined)
    throw new ProblemError('invalid_request', 'If-Match must be an ETag that a reply gave, such as "7"')
  return { if_version: Number(version) }
}

/** A precondition that nobody looks at is worse than none. */
export function refuseIfMatch({ headers }: FastifyRequest): void {
  if (headers['if-match'] !== undefined)
    throw new ProblemError('invalid_request', 'If-Match guards nothing on this route')
}

export function paramOf(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? ''
}

/** The number of a customer's account that a path names. */
export function numberIn(request: FastifyRequest): AccountNumber {
  const number = paramOf(request, 'number')
  if (!isAccountNumber(number)) throw new ProblemError('account_number_invalid')
  return number
}

/** Whether a text names an account of a terminal's, such as `ATM00001.cash`. */
export function isOfTerminal(text: string): boolean {
  return /^[A-Z0-9]{1,16}\.(cash|transit|over_short)$/.test(text)
}

/** The account that a path names, to be read: a customer's, or one of a terminal's. */
export async function accountIn(bank: Bank, request: FastifyRequest): Promise<Account> {
  const number = paramOf(request, 'number')
  const account = await bank.account(isOfTerminal(number) ? number : numberIn(request))
  if (account === undefined) throw new ProblemError('account_not_found')
  return account
}

/** A house account that a path names, such as `cash:USD`, with its total; undefined where it names none. */
export async function houseIn(
  bank: Bank,
  request: FastifyRequest,
): Promise<{ name: HouseAccount; total: bigint } | undefined> {
  const name = paramOf(request, 'number')
  if (!isHouseName(name)) return undefined
  const total = (await bank.totals()).get(name)
  if (total === undefined) throw new ProblemError('account_not_found')
  return { name, total }
}

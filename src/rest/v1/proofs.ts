/** What became of a request, and whether the books prove. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../../bank/bank.ts'
import type { BlockRange } from '../../bank/store.ts'
import type { Pass, Verdict } from '../../bank/verification.ts'
import { isIdempotencyKey, readIdempotencyKey } from '../idempotency-key.ts'
import { ProblemError } from '../problem.ts'
import { outcomeOf } from '../submit.ts'
import { render } from './render.ts'
import { answer, send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { timeOf } from './time.ts'
import { type Query, queryOf, wholeIn } from './validation.ts'

export function proofRoutes(bank: Bank): V1Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/operations',
      may: 'read',
      summary: 'What became of the request with this Idempotency-Key',
      query: { key: schemas.key },
      needed: ['key'],
      replies: { 200: schemas.operationReply },
      problems: ['operation_not_found', 'idempotency_key_invalid'],
      handler: operation,
    },
    {
      method: 'POST',
      url: '/v1/verify',
      may: 'prove',
      summary: 'Start to prove the books, or the chain of a range of blocks',
      query: { from: schemas.block, to: schemas.block },
      body: schemas.nothing,
      replies: { 202: schemas.proofRequested },
      problems: [],
      handler: start,
    },
    {
      method: 'GET',
      url: '/v1/verify',
      may: 'prove',
      summary: 'The last pass that ended, and how far the running one has come',
      replies: { 200: schemas.verificationReply },
      problems: [],
      handler: async (_, reply) => send(reply, { status: 200, body: verificationBody(bank) }),
    },
  ]

  async function operation(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { key } = queryOf(request)
    if (typeof key !== 'string' || !isIdempotencyKey(key)) throw new ProblemError('idempotency_key_invalid')
    const stored = await bank.reply({ scope: request.caller.actor, key })
    if (stored === undefined) throw new ProblemError('operation_not_found')
    const { status, body } = render(stored.reply, stored.at)
    return send(reply, { status: 200, body: { status, recorded_at: timeOf(stored.at), body } })
  }

  /** With a key, a repeat starts no second pass. Without one a store that takes no commands can be proven, too. */
  async function start(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const range = rangeIn(queryOf(request))
    const { person } = request.caller
    const { from, to } = range
    const blocks = {
      ...(from !== undefined && { from_block: from }),
      ...(to !== undefined && { to_block: to }),
    }
    const command = { type: 'request_proof', ...blocks } as const
    if (readIdempotencyKey(request) === undefined) {
      bank.verification.start(range, person)
      return send(reply, render({ ...command, type: 'proof_requested', at: bank.now }))
    }
    const outcome = await outcomeOf(bank, request, command)
    if (outcome.reply.type === 'proof_requested' && !outcome.replayed) bank.verification.start(range, person)
    return answer(reply, outcome)
  }
}

function rangeIn(query: Query): BlockRange {
  const bounds = { min: 1, max: Number.MAX_SAFE_INTEGER }
  const from = wholeIn(query, 'from', bounds)
  const to = wholeIn(query, 'to', bounds)
  if (from !== undefined && to !== undefined && from > to)
    throw new ProblemError('invalid_request', 'from must not be beyond to')
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
}

function verificationBody({ verification: { running, last } }: Bank): object {
  return { running: running ? passBody(running) : null, last: last ? verdictBody(last) : null }
}

function passBody({ started_at, range, by, block, of }: Pass): object {
  return { started_at: timeOf(started_at), by, from: range.from ?? null, to: range.to ?? null, block, of }
}

function verdictBody(verdict: Verdict): object {
  const { started_at, finished_at, range, by } = verdict
  const times = { started_at: timeOf(started_at), finished_at: timeOf(finished_at) }
  const pass = { ...times, by, from: range.from ?? null, to: range.to ?? null }
  if ('error' in verdict) return { ...pass, proven: false, what: verdict.error }
  const { found } = verdict
  if ('what' in found) return { ...pass, proven: false, ...found }
  if (!('blocks' in found)) return { ...pass, proven: true, records: found.records, head: found.head }
  const { blocks, records, accounts, head, sums } = found
  const digits = sums.map(({ currency, customers, terminals, house }) => ({
    currency,
    customers: String(customers),
    terminals: String(terminals),
    house: String(house),
  }))
  return { ...pass, proven: true, blocks, records, accounts, head, sums: digits }
}

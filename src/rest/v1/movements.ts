/** Money that moves or is set aside: deposits, withdrawals, transfers, reversals, holds, and several at once. */
import type { FastifyRequest } from 'fastify'
import type { Bank } from '../../bank/bank.ts'
import type { Command } from '../../ledger/command.ts'
import { type ProblemCode, ProblemError } from '../problem.ts'
import * as commands from './commands.ts'
import { holdBody, transferPageBody } from './render.ts'
import { ifVersion, paramOf, send, submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { whatDiffers } from './validation.ts'

const blocked: readonly ProblemCode[] = [
  'account_not_found',
  'account_debit_blocked',
  'account_credit_blocked',
  'account_frozen',
  'account_closed',
]
const moving: readonly ProblemCode[] = [
  ...blocked,
  'currency_mismatch',
  'version_mismatch',
  'insufficient_funds',
  'limit_exceeded',
  'balance_too_large',
]

export function movementRoutes(bank: Bank): V1Route[] {
  const made = { 201: schemas.transferReply }
  const post = (url: string, summary: string, of: Posting): V1Route => ({
    method: 'POST',
    url,
    may: 'move_money',
    summary,
    handler: (request, reply) =>
      submit(bank, request, reply, { ...of.read(request), ...(of.guarded && ifVersion(request)) }),
    ...of,
  })
  return [
    post('/v1/deposits', 'Pay in', {
      body: schemas.deposit,
      guarded: true,
      replies: made,
      problems: moving,
      read: (request) => commands.deposit(request.body as never),
    }),
    post('/v1/withdrawals', 'Pay out, of what is available', {
      body: schemas.withdrawal,
      guarded: true,
      replies: made,
      problems: moving,
      read: (request) => commands.withdrawal(request.body as never),
    }),
    post('/v1/transfers', 'Move money between two accounts of one currency', {
      body: schemas.transfer,
      guarded: true,
      replies: made,
      problems: [...moving, 'same_account'],
      read: (request) => commands.transfer(request.body as never),
    }),
    post('/v1/transfers/:id/reversals', 'Take a transfer back, whole or in part', {
      body: schemas.reversal,
      guarded: true,
      replies: { ...made, 200: schemas.transferReply },
      problems: [
        ...blocked,
        'transfer_not_found',
        'version_mismatch',
        'not_reversible',
        'belongs_to_withdrawal',
        'reversal_too_large',
        'insufficient_funds',
        'balance_too_large',
      ],
      read: (request) => commands.reversal(paramOf(request, 'id'), request.body as never),
    }),
    post('/v1/holds', 'Set money aside for a time', {
      body: schemas.hold,
      guarded: true,
      replies: { 201: schemas.holdReply },
      problems: [...moving, 'too_many_holds'],
      read: (request) => commands.hold(request.body as never),
    }),
    post('/v1/holds/:id/capture', 'Pay a hold out, whole or in part; the rest is free again', {
      body: schemas.capture,
      guarded: true,
      replies: { 200: schemas.holdReply },
      problems: [
        'hold_not_found',
        'hold_resolved',
        'version_mismatch',
        'capture_too_large',
        'account_frozen',
        'account_closed',
        'insufficient_funds',
      ],
      read: (request) => commands.capture(paramOf(request, 'id'), request.body as never),
    }),
    post('/v1/holds/:id/void', 'Free what a hold has set aside', {
      body: schemas.nothing,
      guarded: true,
      replies: { 200: schemas.holdReply },
      problems: ['hold_not_found', 'hold_resolved', 'version_mismatch'],
      read: (request) => ({ type: 'void', hold: paramOf(request, 'id') }),
    }),
    post('/v1/batches', 'Several operations: all or none, or each by itself, or only what would be', {
      body: schemas.batch,
      replies: { 200: schemas.batchReply },
      problems: ['batch_refused', 'key_repeated'],
      documented: schemas.batchDocumented,
      read: (request) =>
        commands.batch(request.body as never, (schema, body) => whatDiffers(request, schema, body)),
    }),
    {
      method: 'GET',
      url: '/v1/transfers/:id',
      may: 'read',
      summary: 'Read a transfer, and what was reversed of it',
      replies: { 200: schemas.transferReply },
      problems: ['transfer_not_found'],
      handler: async (request, reply) => {
        const page = await bank.transfer(paramOf(request, 'id'))
        if (page === undefined) throw new ProblemError('transfer_not_found')
        return send(reply, { status: 200, body: transferPageBody(page) })
      },
    },
    {
      method: 'GET',
      url: '/v1/holds/:id',
      may: 'read',
      summary: 'Read a hold, and what became of it',
      replies: { 200: schemas.holdReply },
      problems: ['hold_not_found'],
      handler: async (request, reply) => {
        const hold = await bank.hold(paramOf(request, 'id'))
        if (hold === undefined) throw new ProblemError('hold_not_found')
        return send(reply, { status: 200, body: holdBody(hold) })
      },
    },
  ]
}

type Posting = Pick<V1Route, 'body' | 'documented' | 'guarded' | 'replies' | 'problems'> & {
  read(request: FastifyRequest): Command
}

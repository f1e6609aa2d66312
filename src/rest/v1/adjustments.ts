/** Adjustments: corrections by hand, above a threshold by two people. */
import type { Bank } from '../../bank/bank.ts'
import type { Adjust } from '../../ledger/command.ts'
import { type ProblemCode, ProblemError } from '../problem.ts'
import { currencyKnown } from './commands.ts'
import { paging, sendThings } from './pages.ts'
import { adjustmentBody } from './render.ts'
import { paramOf, send, submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'

const posting: readonly ProblemCode[] = ['account_closed', 'insufficient_funds', 'balance_too_large']

export function adjustmentRoutes(bank: Bank): V1Route[] {
  const decide = (approve: boolean, summary: string, problems: readonly ProblemCode[]): V1Route => ({
    method: 'POST',
    url: `/v1/adjustments/:id/${approve ? 'approve' : 'reject'}`,
    may: 'adjust',
    summary,
    body: schemas.nothing,
    replies: { 200: schemas.adjustmentReply },
    problems: ['adjustment_not_found', 'adjustment_resolved', ...problems],
    handler: (request, reply) => {
      const { person } = request.caller
      const adjustment = paramOf(request, 'id')
      return submit(bank, request, reply, { type: 'decide_adjustment', adjustment, approve, person })
    },
  })
  return [
    {
      method: 'POST',
      url: '/v1/adjustments',
      may: 'adjust',
      summary: 'Correct a balance by hand; above the threshold a second person must approve',
      body: schemas.adjust,
      replies: { 201: schemas.adjustmentReply },
      problems: ['account_not_found', 'currency_mismatch', ...posting],
      handler: (request, reply) => {
        const body = request.body as Omit<Adjust, 'type' | 'person'>
        const { person } = request.caller
        const currency = currencyKnown(body.currency)
        return submit(bank, request, reply, { type: 'adjust', ...body, currency, person })
      },
    },
    {
      method: 'GET',
      url: '/v1/adjustments',
      may: 'read_adjustments',
      summary: 'List the adjustments that wait for a second person, oldest first',
      query: paging,
      replies: { 200: schemas.adjustmentsReply },
      problems: ['page_invalid'],
      handler: async (request, reply) => {
        const waiting = bank.things.filter((thing) => thing.kind === 'adjustment')
        return sendThings(request, reply, { name: 'adjustments', things: waiting, body: adjustmentBody })
      },
    },
    {
      method: 'GET',
      url: '/v1/adjustments/:id',
      may: 'read_adjustments',
      summary: 'Read an adjustment, and what became of it',
      replies: { 200: schemas.adjustmentReply },
      problems: ['adjustment_not_found'],
      handler: async (request, reply) => {
        const thing = await bank.thing(paramOf(request, 'id'))
        if (thing?.kind !== 'adjustment') throw new ProblemError('adjustment_not_found')
        return send(reply, { status: 200, body: adjustmentBody(thing) })
      },
    },
    decide(true, 'Carry an adjustment out, as another person than who asked for it', [
      'second_person_needed',
      ...posting,
    ]),
    decide(false, 'Drop an adjustment that waits', []),
  ]
}

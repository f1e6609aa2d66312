/** Batches of a terminal: closing the one that is open, and the reports of those that were closed. */
import type { Static } from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import { nameOf } from '../../ledger/entity.ts'
import { ProblemError } from '../problem.ts'
import { outcomeOf } from '../submit.ts'
import { readTerminal, terminalIn } from './entities.ts'
import { batchBody } from './render-atm.ts'
import { answerWith, paramOf, send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'

export function batchRoutes(bank: Bank): V1Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/terminals/:terminal/close',
      may: 'close_batches',
      own: true,
      summary: 'Close the batch that is open, by its number; again, the same report',
      body: schemas.closeBatch,
      replies: { 200: schemas.closedBatchReply },
      problems: ['terminal_not_found', 'batch_not_open'],
      handler: async (request, reply) => {
        const { batch } = request.body as Static<typeof schemas.closeBatch>
        const command = { type: 'close_batch', terminal: terminalIn(request), batch } as const
        return answerWith(reply, await outcomeOf(bank, request, command), (kept) => {
          if (kept.type !== 'entity' || kept.entity.kind !== 'batch')
            throw new Error(`a batch was answered with ${kept.type}`)
          return { status: 200, body: batchBody(kept.entity) }
        })
      },
    },
    {
      method: 'GET',
      url: '/v1/terminals/:terminal/batches/:batch',
      may: 'read_terminals',
      own: true,
      summary: 'The report of a batch that was closed',
      replies: { 200: schemas.closedBatchReply },
      problems: ['terminal_not_found', 'batch_not_found'],
      handler: async (request, reply) => {
        const { id } = await readTerminal(bank, terminalIn(request))
        const number = paramOf(request, 'batch')
        if (!/^[1-9][0-9]{0,8}$/.test(number)) throw new ProblemError('batch_not_found')
        const batch = await bank.entity(nameOf.batch(id, Number(number)))
        if (batch?.kind !== 'batch') throw new ProblemError('batch_not_found')
        return send(reply, { status: 200, body: batchBody(batch) })
      },
    },
  ]
}

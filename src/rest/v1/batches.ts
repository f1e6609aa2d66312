/** Batches of a terminal: closing the one that is open, and the reports of those that were closed. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import { nameOf } from '../../ledger/entity.ts'
import type { Batch } from '../../ledger/terminal.ts'
import { ProblemError } from '../problem.ts'
import { outcomeOf } from '../submit.ts'
import { pagingOfEntities, readTerminal, terminalIn } from './entities.ts'
import { nextCursor, pageIn } from './pages.ts'
import { batchBody, openBatchBody } from './render-atm.ts'
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
      url: '/v1/terminals/:terminal/batches',
      may: 'read_terminals',
      own: true,
      summary:
        'What the open batch has in it until now, and the reports of those that were closed, newest first',
      query: pagingOfEntities,
      replies: { 200: schemas.batchesReply },
      problems: ['terminal_not_found', 'page_invalid'],
      handler: list,
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
        const batch = isBatch(number) ? await closed(id, Number(number)) : undefined
        if (batch === undefined) throw new ProblemError('batch_not_found')
        return send(reply, { status: 200, body: batchBody(batch) })
      },
    },
  ]

  async function list(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { id, batch: open } = await readTerminal(bank, terminalIn(request))
    const { limit, after } = pageIn(request, isBatch)
    const before = after === undefined ? open.batch : Number(after)
    const first = Math.max(before - limit, 1)
    const numbers = Array.from({ length: Math.max(before - first, 0) }, (_, i) => before - 1 - i)
    const found = await Promise.all(numbers.map((number) => closed(id, number)))
    const batches = found.flatMap((batch) => (batch === undefined ? [] : [batchBody(batch)]))
    const next = nextCursor(request, reply, { limit, last: first > 1 ? first : undefined })
    return send(reply, { status: 200, body: { open: openBatchBody(open), batches, next } })
  }

  async function closed(terminal: string, number: number): Promise<Batch | undefined> {
    const batch = await bank.entity(nameOf.batch(terminal, number))
    return batch?.kind === 'batch' ? batch : undefined
  }
}

function isBatch(text: string): boolean {
  return /^[1-9][0-9]{0,8}$/.test(text)
}

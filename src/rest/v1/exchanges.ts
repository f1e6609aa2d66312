/** Exchanges of a terminal's notes: start, count, end. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import { terminalIn } from './entities.ts'
import { submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { demandBody } from './validation.ts'

export function exchangeRoutes(bank: Bank): V1Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/terminals/:terminal/exchange',
      may: 'serve_terminals',
      summary: 'Start to exchange the notes of a terminal, or end it with what is in there now',
      body: schemas.exchange,
      documented: schemas.exchangeDocumented,
      replies: { 200: schemas.exchangeReply },
      problems: [
        'terminal_not_found',
        'no_exchange',
        'not_counted',
        'suspects_open',
        'units_invalid',
        'dispensed_invalid',
      ],
      handler: exchange,
    },
    {
      method: 'POST',
      url: '/v1/terminals/:terminal/counts',
      may: 'serve_terminals',
      summary: 'Say what was counted in the units; posts nothing and may be said again',
      body: schemas.countUnits,
      replies: { 200: schemas.countedReply },
      problems: ['terminal_not_found', 'no_exchange', 'units_invalid'],
      handler: (request, reply) => {
        const body = request.body as Static<typeof schemas.countUnits>
        return submit(bank, request, reply, { type: 'count_units', terminal: terminalIn(request), ...body })
      },
    },
  ]

  async function exchange(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const terminal = terminalIn(request)
    const { action } = request.body as Static<typeof schemas.exchange>
    if (action === 'start') {
      demandBody(request, schemas.startExchange)
      return submit(bank, request, reply, { type: 'start_exchange', terminal })
    }
    demandBody(request, schemas.endExchange)
    const { action: _, suspects, ...body } = request.body as Static<typeof schemas.endExchange>
    return submit(bank, request, reply, {
      type: 'end_exchange',
      terminal,
      ...body,
      ...(suspects && { suspects }),
    })
  }
}

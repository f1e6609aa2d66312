/** Exceptions: what happened at terminals and could not be booked, or not for certain; and what somebody says of it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import { nameOf } from '../../ledger/entity.ts'
import { type Exception, exceptionTypes } from '../../ledger/exception.ts'
import { isTerminalId } from '../../ledger/terminal.ts'
import { ProblemError } from '../problem.ts'
import { pagingOfEntities, sendEntities } from './entities.ts'
import { exceptionBody } from './render-atm.ts'
import { paramOf, send, submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { oneIn, type Query, queryOf } from './validation.ts'

export function exceptionRoutes(bank: Bank): V1Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/exceptions',
      may: 'read_terminals',
      summary: 'List exceptions, oldest first; a terminal gets its own',
      query: {
        state: schemas.exceptionState,
        terminal: schemas.terminalName,
        type: schemas.exceptionType,
        ...pagingOfEntities,
      },
      replies: { 200: schemas.exceptionsReply },
      problems: ['page_invalid'],
      handler: list,
    },
    {
      method: 'GET',
      url: '/v1/exceptions/:id',
      may: 'read_terminals',
      summary: 'Read an exception, and how it was resolved; to a terminal only its own are there',
      replies: { 200: schemas.exceptionReply },
      problems: ['exception_not_found'],
      handler: async (request, reply) => {
        const { role, person } = request.caller
        const exception = await bank.entity(nameOf.exception(paramOf(request, 'id')))
        if (exception?.kind !== 'exception' || (role === 'terminal' && exception.terminal !== person))
          throw new ProblemError('exception_not_found')
        return send(reply, { status: 200, body: exceptionBody(exception, bank.now) })
      },
    },
    {
      method: 'POST',
      url: '/v1/exceptions/:id/resolve',
      may: 'resolve_exceptions',
      summary:
        'Say how much cash really left, and why; above the threshold a second person must say the same',
      body: schemas.resolveException,
      replies: { 200: schemas.exceptionReply },
      problems: ['exception_not_found', 'exception_resolved', 'dispensed_invalid', 'second_person_needed'],
      handler: (request, reply) => {
        const body = request.body as Static<typeof schemas.resolveException>
        const exception = paramOf(request, 'id')
        const { person } = request.caller
        return submit(bank, request, reply, { type: 'resolve_exception', exception, ...body, person })
      },
    },
  ]

  function list(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const query = queryOf(request)
    const { role, person } = request.caller
    const state = oneIn(query, 'state', schemas.exceptionState.enum)
    const type = oneIn(query, 'type', exceptionTypes)
    const terminal = ownerIn(query)
    const owner = role === 'terminal' ? person : terminal
    const isWanted = (exception: Exception) =>
      (state === undefined || exception.state === state) &&
      (type === undefined || exception.type === type) &&
      (terminal === undefined || exception.terminal === terminal)
    return sendEntities(bank, request, reply, {
      plural: 'exceptions',
      prefix: nameOf.exception(''),
      owner,
      waiting: state === 'open',
      wanted: (entity) => isWanted(entity as Exception),
      body: (entity) => exceptionBody(entity as Exception, bank.now),
    })
  }
}

function ownerIn({ terminal }: Query): string | undefined {
  if (terminal === undefined) return undefined
  if (typeof terminal !== 'string' || !isTerminalId(terminal))
    throw new ProblemError('invalid_request', 'terminal must be 1 to 16 of A–Z and 0–9')
  return terminal
}

/** Credentials: who may ask for what. Keys are told once and kept as hashes. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hashOfKey, makeKey } from '../../access/key.ts'
import type { Bank } from '../../bank/bank.ts'
import type { Role } from '../../ledger/registry.ts'
import { isTerminalId } from '../../ledger/terminal.ts'
import { ProblemError } from '../problem.ts'
import { outcomeOf } from '../submit.ts'
import { paging, sendThings } from './pages.ts'
import { credentialBody } from './render.ts'
import { answer, paramOf, send, submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'

export function credentialRoutes(bank: Bank): V1Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/credentials',
      may: 'manage_credentials',
      summary: 'Make a credential; its key is told once. The first one ends the demo mode',
      body: schemas.createCredential,
      replies: { 201: schemas.credentialMade },
      problems: [],
      handler: create,
    },
    {
      method: 'GET',
      url: '/v1/credentials',
      may: 'read_credentials',
      summary: 'List credentials, oldest first, also those that are revoked',
      query: paging,
      replies: { 200: schemas.credentialsReply },
      problems: ['page_invalid'],
      handler: async (request, reply) => {
        const credentials = bank.things.filter((thing) => thing.kind === 'credential')
        return sendThings(request, reply, { name: 'credentials', things: credentials, body: credentialBody })
      },
    },
    {
      method: 'GET',
      url: '/v1/credentials/:id',
      may: 'read_credentials',
      summary: 'Read a credential; never its key',
      replies: { 200: schemas.credentialReply },
      problems: ['credential_not_found'],
      handler: async (request, reply) => {
        const thing = await bank.thing(paramOf(request, 'id'))
        if (thing?.kind !== 'credential') throw new ProblemError('credential_not_found')
        return send(reply, { status: 200, body: credentialBody(thing) })
      },
    },
    {
      method: 'POST',
      url: '/v1/credentials/:id/revoke',
      may: 'manage_credentials',
      summary: 'Revoke a credential, for good: from the reply on it lets nobody in',
      body: schemas.nothing,
      replies: { 200: schemas.credentialReply },
      problems: ['credential_not_found'],
      handler: (request, reply) =>
        submit(bank, request, reply, { type: 'revoke_credential', credential: paramOf(request, 'id') }),
    },
  ]

  async function create(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { role, name } = request.body as { role: Role; name: string }
    if (role === 'terminal' && !isTerminalId(name))
      throw new ProblemError(
        'invalid_request',
        'name of a terminal’s credential must be the id of the terminal',
      )
    const key = makeKey()
    const command = { type: 'create_credential', role, name } as const
    const outcome = await outcomeOf(bank, request, command, { fresh: hashOfKey(key) })
    if (outcome.reply.type !== 'registered' || outcome.reply.thing.kind !== 'credential')
      return answer(reply, outcome)
    const { thing } = outcome.reply
    if (outcome.replayed) reply.header('idempotency-replayed', 'true')
    const body = { ...credentialBody(thing), key: outcome.replayed ? null : key }
    return send(reply.header('cache-control', 'no-store'), {
      status: 201,
      body,
      location: `/v1/credentials/${thing.id}`,
    })
  }
}

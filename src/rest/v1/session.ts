/** Sessions of browsers: a key is shown once, and a cookie that no script reads stands for it from then on. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Access, Caller } from '../../access/access.ts'
import { permissionsOf } from '../../access/permissions.ts'
import type { Currency } from '../../ledger/money.ts'
import { askedBy, deny } from '../gate.ts'
import { cookieGone, cookieOf } from '../session-cookie.ts'
import { send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { timeOrNull } from './time.ts'

const url = '/v1/session'

export function sessionRoutes(access: Access, currency: Currency): V1Route[] {
  return [
    {
      method: 'POST',
      url,
      may: 'public',
      apart: true,
      summary:
        'Open a session, for browsers: a cookie in place of the key, until nobody has used it for 15 minutes',
      body: schemas.openSession,
      replies: { 200: schemas.sessionReply },
      problems: ['unauthenticated', 'forbidden', 'issuer_unavailable'],
      handler: open,
    },
    {
      method: 'GET',
      url,
      may: 'own_session',
      summary: 'Who is asking, and what they may do',
      replies: { 200: schemas.sessionReply },
      problems: [],
      handler: async (request, reply) => sendSession(reply, request.caller),
    },
    {
      method: 'DELETE',
      url,
      may: 'own_session',
      apart: true,
      summary: 'End the session, and the streams that go on in it',
      replies: { 204: schemas.nothing },
      problems: [],
      handler: async (request, reply) => {
        access.endSession(request.caller)
        return reply.code(204).header('set-cookie', cookieGone(request)).send()
      },
    },
  ]

  async function open(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const asked = askedBy(request)
    const { key } = request.body as Static<typeof schemas.openSession>
    const opened = await access.openSession(asked, key)
    if ('denial' in opened) return deny(reply, opened.denial)
    const { caller, token } = opened
    // For the log, which says who has come in.
    request.caller = caller
    return sendSession(reply.header('set-cookie', cookieOf(token, request)), caller)
  }

  function sendSession(reply: FastifyReply, caller: Caller): FastifyReply {
    const { role, person } = caller
    const body = {
      role,
      name: person,
      demo: access.demo,
      currency,
      permissions: permissionsOf(role),
      expires_at: timeOrNull(access.sessionUntil(caller)),
    }
    return send(reply.header('cache-control', 'no-store'), { status: 200, body })
  }
}

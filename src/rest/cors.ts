/**
 * CORS: pages of any origin may call what is open to them. There is one answer for all of them, without credentials, so
 * it is a few headers that never change.
 */
import type { FastifyRequest, onRequestHookHandler } from 'fastify'

const exposed = 'idempotency-replayed, link, retry-after'
const methods = 'GET, HEAD, POST'

/** Marks answers to what is open, and answers a preflight itself. */
export function openTo(isOpen: (request: FastifyRequest) => boolean): onRequestHookHandler {
  return (request, reply, done) => {
    reply.header('vary', 'Origin')
    if (!isOpen(request)) return done()
    reply.header('access-control-allow-origin', '*').header('access-control-expose-headers', exposed)
    if (request.method !== 'OPTIONS') return done()

    const wanted = request.headers['access-control-request-headers']
    if (wanted !== undefined) reply.header('access-control-allow-headers', wanted)
    reply.header('vary', 'Origin, Access-Control-Request-Headers')
    reply.code(204).header('access-control-allow-methods', methods).header('content-length', '0').send()
  }
}

/** Server-sent events over a reply that has no end of its own. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Sends events as they come. Nothing is asked for ahead of what the client takes but the piece in hand, and nothing
 * at all by a HEAD, whose reply Fastify would read to an end that never comes.
 */
export function sendEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  write: () => AsyncGenerator<string | Buffer>,
): FastifyReply {
  reply
    .type('text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
  if (request.method === 'HEAD') return reply.send()
  return reply.send(Readable.from(write(), { objectMode: true, highWaterMark: 1 }))
}

/** What machines and the host say to each other, as a stream of server-sent events, for as long as somebody looks on. */
import type { Access } from '../access/access.ts'
import { sendEvents } from './event-stream.ts'
import type { Route } from './routes.ts'

/** Where messages are seen, masked: some at a time, or none after so long; and how many the reader was too slow for. */
export type MessageSource = {
  follow(idleMs: number): AsyncIterable<{ readonly passed: readonly object[]; readonly missed: number }>
}

const heartbeatMs = 15_000

export function messageRoutes(source: MessageSource, access: Pick<Access, 'isLive'>): Route[] {
  return [
    {
      method: 'GET',
      url: '/iso8583/messages',
      may: 'follow',
      handler: (request, reply) =>
        sendEvents(request, reply, () => write(() => access.isLive(request.caller))),
    },
  ]

  async function* write(isLive: () => boolean): AsyncGenerator<string> {
    for await (const { passed, missed } of source.follow(heartbeatMs)) {
      // A credential may be revoked while its stream goes on.
      if (!isLive()) return
      const told = passed.map((message) => `data: ${JSON.stringify(message)}\n\n`).join('')
      const lost = missed > 0 ? `event: missed\ndata: ${missed}\n\n` : ''
      yield told + lost || ': nothing new\n\n'
    }
  }
}

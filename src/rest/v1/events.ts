/** What happened, in order, for whoever must not miss it: as pages, or as a stream of server-sent events. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Access } from '../../access/access.ts'
import type { Bank } from '../../bank/bank.ts'
import type { RecordId } from '../../ledger/command.ts'
import { sendJson } from '../accounts.ts'
import { sendEvents } from '../event-stream.ts'
import { ProblemError } from '../problem.ts'
import { writeEvent } from './event.ts'
import { type EventType, eventTypes } from './event-types.ts'
import { type EventPage, Feed } from './feed.ts'
import { limitIn, paging } from './pages.ts'
import type { V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { oneIn, queryOf } from './validation.ts'

/** A place in the journal, and the record there; none at the beginning. */
type Position = { readonly place: number; readonly id?: RecordId | undefined }

export type EventOptions = {
  readonly access: Access
  /** Ends all streams, each behind a whole event. */
  readonly ending: AbortSignal
  /** How often a stream with nothing to tell says that it is there. Milliseconds. */
  readonly heartbeatMs?: number
}

// Proxies give up on what is silent for a minute or so; the server itself within a minute on what takes nothing: a
// socket of 30 s without progress, looked at twice.
const usualHeartbeatMs = 15_000
// A filter may leave little of what is read: a page ends after so many records, and says where to go on.
const recordsPerRequest = 20_000

export function eventRoutes(
  bank: Bank,
  { access, ending, heartbeatMs = usualHeartbeatMs }: EventOptions,
): V1Route[] {
  const feed = new Feed(bank)
  return [
    {
      method: 'GET',
      url: '/v1/events',
      may: 'follow',
      summary: 'What happened, oldest first: pages, or with Accept: text/event-stream a stream',
      query: {
        after: Type.String({
          description: 'The id of the last event you have, or latest; left out, all events',
        }),
        type: Type.Enum(eventTypes),
        limit: paging.limit,
      },
      replies: { 200: schemas.eventsReply },
      also: 'text/event-stream',
      problems: ['page_invalid'],
      handler: async (request, reply) => {
        const query = queryOf(request)
        const type = oneIn(query, 'type', eventTypes)
        const limit = limitIn(query)
        if (request.headers.accept?.includes('text/event-stream'))
          return stream(request, reply, {
            type,
            from: await positionIn(request.headers['last-event-id'] ?? query['after']),
          })
        return page(reply, { type, limit, from: await positionIn(query['after']) })
      },
    },
  ]

  /** The position of an event's id. Clients know it as a name: of several writers there is no number to it. */
  async function positionIn(after: unknown): Promise<Position> {
    if (after === undefined) return { place: 0 }
    if (after === 'latest') {
      const place = await bank.last()
      const [last] = place === 0 ? [] : await bank.records({ after: place - 1, last: place })
      return { place, id: last?.id }
    }
    const place = typeof after === 'string' ? await bank.placeOf(after) : undefined
    if (place === undefined)
      throw new ProblemError('page_invalid', 'after must be the id of an event, or latest')
    return { place, id: String(after) }
  }

  async function page(
    reply: FastifyReply,
    { type, limit, from }: { type: EventType | undefined; limit: number; from: Position },
  ): Promise<FastifyReply> {
    const texts: string[] = []
    let last = from
    while (texts.length < limit && last.place - from.place < recordsPerRequest) {
      const next = await feed.next(last.place)
      if (next.last === last.place) break
      const wanted = wantedIn(next, type).slice(0, limit - texts.length)
      texts.push(...wanted.map(({ text }) => text))
      last = texts.length === limit ? (wanted.at(-1) ?? last) : { place: next.last, id: next.lastId }
    }
    const nextAfter = last.id === undefined ? 'null' : `"${last.id}"`
    return sendJson(reply, `{"events":[${texts.join(',')}],"next_after":${nextAfter}}`)
  }

  function stream(
    request: FastifyRequest,
    reply: FastifyReply,
    { type, from }: { readonly type: EventType | undefined; readonly from: Position },
  ): FastifyReply {
    return sendEvents(request, reply, write)

    async function* write(): AsyncGenerator<string | Buffer> {
      // So that the client knows that it is connected.
      yield ': events\n\n'
      for await (const page of feed.follow(from.place, { idleMs: heartbeatMs, signal: ending })) {
        // A credential may be revoked while its stream goes on.
        if (!access.isLive(request.caller)) return
        if (page.events.length === 0) yield ': nothing new\n\n'
        else if (type === undefined) yield page.bytes
        else yield wantedIn(page, type).map(writeEvent).join('') || ': nothing wanted\n\n'
      }
    }
  }
}

function wantedIn({ events }: EventPage, type: EventType | undefined): EventPage['events'] {
  return type === undefined ? events : events.filter((event) => event.type === type)
}

/** Pages of /v1 lists: how they are asked for, and where the next one is. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { readCursor, writeCursor } from '../cursor.ts'
import { type Query, queryOf, wholeIn } from './validation.ts'

const limitMax = 1_000
const limitDefault = 100

/** The query's members, for the document. */
export const paging = {
  limit: Type.Integer({ minimum: 1, maximum: limitMax, default: limitDefault }),
  cursor: Type.String({
    description: 'next_cursor of the page before; a page may be short, or empty, and still have a next one',
  }),
}

/** A position that is a number: a version, or a record. */
export function isPosition(text: string): boolean {
  return /^[1-9][0-9]{0,14}$/.test(text)
}

/** `isOurs` judges what the list's own cursors hold. */
export function pageIn(
  request: FastifyRequest,
  isOurs: (position: string) => boolean,
): { limit: number; after: string | undefined } {
  const query = queryOf(request)
  return { limit: limitIn(query), after: readCursor(query['cursor'], isOurs, 'a reply') }
}

export function limitIn(query: Query): number {
  return wholeIn(query, 'limit', { min: 1, max: limitMax }) ?? limitDefault
}

/** The cursor behind a page's last position, also in `Link` with the rest of the query as it was; null at the end. */
export function nextCursor(
  request: FastifyRequest,
  reply: FastifyReply,
  { limit, last }: { limit: number; last: string | number | undefined },
): string | null {
  if (last === undefined) return null
  const cursor = writeCursor(String(last))
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  searchParams.set('limit', String(limit))
  searchParams.set('cursor', cursor)
  reply.header('link', `<${pathname}?${searchParams}>; rel="next"`)
  return cursor
}

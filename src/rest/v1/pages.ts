/** Pages of /v1 lists: how they are asked for, and where the next one is. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from '../problem.ts'
import { type Query, queryOf, wholeIn } from './validation.ts'

const limitMax = 1_000
const limitDefault = 100

/** The query's members, for the document. */
export const paging = {
  limit: `1 to ${limitMax}, ${limitDefault} if left out`,
  cursor: 'next_cursor of the page before; a page may be short, or empty, and still have a next one',
}

/** A position that is a number: a version, or a record. */
export const numbered = /^[1-9][0-9]{0,14}$/

/** `form` is what the list's own cursors hold. */
export function pageIn(request: FastifyRequest, form: RegExp): { limit: number; after: string | undefined } {
  const query = queryOf(request)
  const limit = wholeIn(query, 'limit', { min: 1, max: limitMax }) ?? limitDefault
  return { limit, after: readCursor(query, form) }
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

/** A cursor says nothing to clients: it is only ever one that a reply gave. */
function writeCursor(position: string): string {
  return Buffer.from(position).toString('base64url')
}

function readCursor(query: Query, form: RegExp): string | undefined {
  const { cursor } = query
  if (cursor === undefined) return undefined
  const position = typeof cursor === 'string' ? Buffer.from(cursor, 'base64url').toString('latin1') : ''
  if (!form.test(position) || writeCursor(position) !== cursor)
    throw new ProblemError('page_invalid', 'cursor must be one that a reply gave')
  return position
}

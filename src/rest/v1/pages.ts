/** Pages of /v1 lists: how they are asked for, and where the next one is. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { isRecordId, type RecordId } from '../../ledger/command.ts'
import type { Instant } from '../../ledger/money.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { send } from './route.ts'
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

/** A position that is a number: of an account's version, of a block. */
export function isNumber(text: string): boolean {
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

/** The record that a page of records begins before, of a cursor that is the id of the last one told. */
export function pageBefore(request: FastifyRequest): { limit: number; before?: RecordId } {
  const { limit, after } = pageIn(request, isRecordId)
  return { limit, ...(after !== undefined && { before: after }) }
}

/** A page of what is registered, all of which is in memory; oldest first. */
export async function sendThings<Thing extends { readonly id: RecordId; readonly at: Instant }>(
  request: FastifyRequest,
  reply: FastifyReply,
  list: {
    readonly name: string
    readonly things: readonly Thing[]
    body(thing: Thing): object | Promise<object>
  },
): Promise<FastifyReply> {
  const { limit, after } = pageIn(request, isPlace)
  const things = list.things.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
  const beyond = after === undefined ? things : things.filter((thing) => placeOf(thing) > after)
  const page = beyond.slice(0, limit)
  const last = page.at(-1)
  const more = beyond.length > limit && last !== undefined
  const next_cursor = nextCursor(request, reply, { limit, last: more ? placeOf(last) : undefined })
  const bodies = await Promise.all(page.map(list.body))
  return send(reply, { status: 200, body: { [list.name]: bodies, next_cursor } })
}

/** Where a thing stands in its list, also when it has left it: texts that sort as the instants they begin with. */
function placeOf({ at, id }: { readonly at: Instant; readonly id: RecordId }): string {
  const [writer = '', sequence = ''] = id.split('-')
  return `${String(at).padStart(16, '0')} ${writer.padStart(9, '0')}-${sequence.padStart(15, '0')}`
}

function isPlace(text: string): boolean {
  return /^\d{16} \d{9}-\d{15}$/.test(text)
}

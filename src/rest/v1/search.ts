/**
 * One search for whatever somebody knows of something: what is called so comes first, then what is numbered so, newest
 * first. Each caller is shown what its role may read.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import type { Day } from '../../ledger/limits.ts'
import type { Instant } from '../../ledger/money.ts'
import { lastFour } from '../../vault/pan.ts'
import type { Vault } from '../../vault/vault.ts'
import { ProblemError } from '../problem.ts'
import { send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { type Hits, Seeker } from './search-hits.ts'
import { type Reading, readQuery } from './search-query.ts'
import { queryOf } from './validation.ts'

const foundMax = 50
const queryMax = 140

type Of = { readonly vault: Vault | undefined; dayOf(now: Instant): Day }

export function searchRoute(bank: Bank, { vault, dayOf }: Of): V1Route {
  return {
    method: 'GET',
    url: '/v1/search',
    may: 'search',
    summary: 'Whatever is called or numbered so, at most 50; what is called so first, then the newest',
    query: {
      q: Type.String({
        minLength: 1,
        maxLength: queryMax,
        description:
          'A terminal, a withdrawal (`w1`, or `ATM00001/w1`), an account, a card’s last four digits, a STAN, an RRN, an authorization code, an exception, a transfer; or an amount and a day: `60.00 2026-11-26`, `60 today`, `60 yesterday`, `60 26.11.`',
      }),
    },
    needed: ['q'],
    replies: { 200: schemas.searchReply },
    problems: [],
    handler: search,
  }

  async function search(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const q = textIn(request)
    const readings = readQuery(q, { now: bank.now, dayOf })
    const seeker = new Seeker(bank, {
      role: request.caller.role,
      vault,
      today: dayOf(bank.now),
      max: foundMax,
    })
    const called = await Promise.all(readings.map((reading) => seeker.called(reading)))
    const numbered = await Promise.all(readings.map((reading) => seeker.numbered(reading)))
    const newest = numbered.flatMap(({ hits }) => hits).sort((a, b) => b.at - a.at)
    const hits = new Map([...called.flatMap(({ hits }) => hits), ...newest].map((hit) => [hit.key, hit]))
    const found = [...hits.values()].slice(0, foundMax).map(({ body }) => body)
    const more = hits.size > foundMax || [...called, ...numbered].some((each) => each.more)
    return send(reply, { status: 200, body: { q: toldBack(q, readings, called, numbered), found, more } })
  }
}

function textIn(request: FastifyRequest): string {
  const { q } = queryOf(request)
  if (typeof q !== 'string' || q.trim() === '' || q.length > queryMax)
    throw new ProblemError('invalid_request', `q must be one text of 1 to ${queryMax} characters`)
  return q
}

/** What was typed; of a card number, where nothing else is called or numbered so, the last four digits. */
function toldBack(q: string, readings: readonly Reading[], ...found: readonly (readonly Hits[])[]): string {
  const at = readings.findIndex(({ is }) => is === 'card')
  const card = readings[at]
  if (card?.is !== 'card') return q
  const isOther = found.some((hits) => hits.some((each, i) => i !== at && each.hits.length > 0))
  return isOther ? q : lastFour(card.pan)
}

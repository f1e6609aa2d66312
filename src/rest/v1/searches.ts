/** Lists of transfers and holds by what is known of them. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../../bank/bank.ts'
import { isAccountNumber, isHouseName } from '../../ledger/account.ts'
import { ProblemError } from '../problem.ts'
import { nextCursor, pageBefore, paging } from './pages.ts'
import { holdBody, transferBody } from './render.ts'
import { accountIn, isOfTerminal, send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { oneIn, periodIn, queryOf } from './validation.ts'

const states = schemas.holdState.enum

export function searchRoutes(bank: Bank): V1Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/transfers',
      may: 'read',
      summary: 'Transfers by reference, account (also a house account) and time, newest first',
      query: {
        reference: schemas.reference,
        account: schemas.side,
        ...schemas.period,
        ...paging,
      },
      replies: { 200: schemas.transfersReply },
      problems: ['page_invalid'],
      handler: transfers,
    },
    {
      method: 'GET',
      url: '/v1/holds',
      may: 'read',
      summary: 'Holds, newest first',
      query: { state: schemas.holdState, ...paging },
      replies: { 200: schemas.holdsReply },
      problems: ['page_invalid'],
      handler: (request, reply) => holds(request, reply, {}),
    },
    {
      method: 'GET',
      url: '/v1/accounts/:number/holds',
      may: 'read',
      summary: 'Holds of an account, newest first',
      query: { state: schemas.holdState, ...paging },
      replies: { 200: schemas.holdsReply },
      problems: ['account_number_invalid', 'account_not_found', 'page_invalid'],
      handler: async (request, reply) => {
        const { number } = await accountIn(bank, request)
        return holds(request, reply, { account: number })
      },
    },
  ]

  async function transfers(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const query = queryOf(request)
    const { reference, account } = query
    if (reference !== undefined && !isReference(reference))
      throw new ProblemError('invalid_request', 'reference must be one text of 1 to 140 characters')
    if (account !== undefined && !(typeof account === 'string' && isSide(account)))
      throw new ProblemError('invalid_request', 'account must be an account number, or such as cash:USD')
    const page = pageBefore(request)
    const { things, next } = await bank.transfers({
      ...page,
      ...periodIn(query),
      ...(reference !== undefined && { reference }),
      ...(account !== undefined && { account }),
    })
    const next_cursor = nextCursor(request, reply, { limit: page.limit, last: next })
    return send(reply, { status: 200, body: { transfers: things.map(transferBody), next_cursor } })
  }

  async function holds(
    request: FastifyRequest,
    reply: FastifyReply,
    of: { readonly account?: string },
  ): Promise<FastifyReply> {
    const state = oneIn(queryOf(request), 'state', states)
    const page = pageBefore(request)
    const { things, next } = await bank.holds({ ...page, ...of, ...(state && { state }) })
    const next_cursor = nextCursor(request, reply, { limit: page.limit, last: next })
    return send(reply, { status: 200, body: { holds: things.map(holdBody), next_cursor } })
  }
}

function isReference(text: unknown): text is string {
  return typeof text === 'string' && text.length > 0 && [...text].length <= schemas.referenceMax
}

function isSide(account: string): boolean {
  return isAccountNumber(account) || isHouseName(account) || isOfTerminal(account)
}

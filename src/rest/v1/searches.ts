/** Lists of transfers, holds and withdrawals by what is known of them. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../../bank/bank.ts'
import { isAccountNumber, isHouseName } from '../../ledger/account.ts'
import { decimalsOf, minorMax } from '../../ledger/money.ts'
import { isTerminalId } from '../../ledger/terminal.ts'
import type { Sought } from '../../ledger/terms.ts'
import type { Withdrawal } from '../../ledger/withdrawal.ts'
import { ProblemError } from '../problem.ts'
import { pagingOfEntities } from './entities.ts'
import { nextCursor, pageBefore, paging } from './pages.ts'
import { holdBody, transferBody } from './render.ts'
import { withdrawalFoundBody } from './render-atm.ts'
import { accountIn, isOfTerminal, send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { isLast4, oneIn, periodIn, type Query, queryOf, textIn, wholeIn } from './validation.ts'

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
      url: '/v1/withdrawals',
      may: 'read_terminals',
      summary: 'Withdrawals at terminals by how they were numbered, newest first; a terminal gets its own',
      query: { ...schemas.withdrawalQuery, ...schemas.period, ...pagingOfEntities },
      replies: { 200: schemas.withdrawalsFoundReply },
      problems: ['page_invalid'],
      handler: withdrawals,
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

  async function withdrawals(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { role, person } = request.caller
    const sought = soughtIn(queryOf(request))
    const page = pageBefore(request)
    const isOthers = role === 'terminal' && (sought.terminal ?? person) !== person
    const own = role === 'terminal' && { terminal: person }
    const { things, next: last } = isOthers ? { things: [] } : await bank.find({ ...sought, ...own, ...page })
    const next = nextCursor(request, reply, { limit: page.limit, last })
    const bodies = things.map(({ entity }) => withdrawalFoundBody(entity as Withdrawal))
    return send(reply, { status: 200, body: { withdrawals: bodies, next } })
  }

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

/** Each filter as what it must be; throws a ProblemError that names the first that is not. */
function soughtIn(query: Query): Sought {
  const told = (name: string, isOne: (text: string) => boolean, what: string) => {
    const text = textIn(query, name, isOne, what)
    return text === undefined ? {} : { [name]: text }
  }
  const stan = textIn(query, 'stan', (text) => /^[0-9]{1,6}$/.test(text), '1 to 6 digits')
  const amount = wholeIn(query, 'amount', { min: 1, max: minorMax })
  const state = oneIn(query, 'state', schemas.withdrawalState.enum)
  return {
    kind: 'withdrawal',
    ...told('terminal', isTerminalId, '1 to 16 of A–Z and 0–9'),
    ...told('account', isAccountNumber, 'an account number'),
    ...told('last4', isLast4, '4 digits'),
    ...(stan !== undefined && { stan: stan.padStart(6, '0') }),
    ...told('rrn', (text) => /^[ -~]{1,12}$/.test(text), '1 to 12 characters'),
    ...told('authorization_code', (text) => /^[0-9]{6}$/.test(text), '6 digits'),
    ...(amount !== undefined && { amount }),
    ...told('currency', (text) => decimalsOf(text) !== undefined, 'a code of ISO 4217'),
    ...(state && { state }),
    ...periodIn(query),
  }
}

function isReference(text: unknown): text is string {
  return typeof text === 'string' && text.length > 0 && [...text].length <= schemas.referenceMax
}

function isSide(account: string): boolean {
  return isAccountNumber(account) || isHouseName(account) || isOfTerminal(account)
}

/** Accounts: open, read, list, block, close. */
import { randomInt } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import {
  type AccountState,
  available,
  currencyOf,
  heldAt,
  isAccountNumber,
  isHouseName,
} from '../../ledger/account.ts'
import { leftOn } from '../../ledger/books.ts'
import { type Day, type Limits, usedOn } from '../../ledger/limits.ts'
import { type Currency, decimalsOf, type Instant } from '../../ledger/money.ts'
import { ProblemError } from '../problem.ts'
import * as commands from './commands.ts'
import { nextCursor, pageIn, paging } from './pages.ts'
import { accountBody, houseBody } from './render.ts'
import { accountIn, houseIn, ifVersion, numberIn, send, submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { instantIn, oneIn, type Query, queryOf, wholeIn } from './validation.ts'

const states: readonly AccountState[] = schemas.state.enum

/** `fallback` is the currency of an account that is opened without one. */
type Of = { readonly fallback: Currency; dayOf(now: Instant): Day }

export function accountRoutes(bank: Bank, { fallback, dayOf }: Of): V1Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/accounts',
      may: 'open_accounts',
      summary: 'Open an account; without a number the server makes one',
      body: schemas.openAccount,
      replies: { 201: schemas.accountReply },
      problems: ['account_exists'],
      handler: (request, reply) => {
        const command = commands.openAccount(request.body as never, fallback)
        return submit(bank, request, reply, command, { fresh: freshNumber() })
      },
    },
    {
      method: 'GET',
      url: '/v1/accounts',
      may: 'read',
      summary: 'List accounts, or with kind=house the house’s own',
      query: {
        ...paging,
        state: schemas.state,
        currency: schemas.currency,
        kind: Type.Enum(['customer', 'house']),
      },
      replies: { 200: schemas.accountsReply },
      problems: ['page_invalid'],
      handler: list,
    },
    {
      method: 'GET',
      url: '/v1/accounts/:number',
      may: 'read',
      summary: 'Read an account; its version is the ETag',
      replies: { 200: Type.Union([schemas.accountReply, schemas.houseReply]) },
      problems: ['account_number_invalid', 'account_not_found'],
      handler: async (request, reply) => {
        const house = await houseIn(bank, request)
        if (house !== undefined) return send(reply, { status: 200, body: houseBody(house.name, house.total) })
        const account = await accountIn(bank, request)
        return send(reply, {
          status: 200,
          body: accountBody(account, bank.now),
          version: account.version,
        })
      },
    },
    {
      method: 'GET',
      url: '/v1/accounts/:number/balance',
      may: 'read',
      summary: 'Read the balance, now or as of an instant or a version',
      query: {
        as_of: Type.Union([schemas.moment, schemas.version], {
          description: 'An instant, a day or a version: then ledger and version only',
        }),
      },
      replies: { 200: schemas.balanceReply },
      problems: ['account_number_invalid', 'account_not_found'],
      handler: balance,
    },
    {
      method: 'POST',
      url: '/v1/accounts/:number/state',
      may: 'block_accounts',
      summary: 'Block, freeze, free or close an account',
      body: schemas.setState,
      guarded: true,
      replies: { 200: schemas.accountReply },
      problems: [
        'account_number_invalid',
        'account_not_found',
        'account_closed',
        'account_not_empty',
        'withdrawals_open',
        'version_mismatch',
      ],
      handler: (request, reply) => {
        const account = numberIn(request)
        const { state, reason } = request.body as { state: AccountState; reason: string }
        return submit(bank, request, reply, {
          type: 'set_state',
          account,
          state,
          reason,
          ...ifVersion(request),
        })
      },
    },
    {
      method: 'GET',
      url: '/v1/accounts/:number/limits',
      may: 'read',
      summary: 'Read the limits, and what of them is used on this business day',
      replies: { 200: schemas.limitsReply },
      problems: ['account_number_invalid', 'account_not_found'],
      handler: async (request, reply) => {
        const { number, currency, limits = {}, used } = await accountIn(bank, request)
        const { day, amount, count } = usedOn(used, dayOf(bank.now))
        const body = { account: number, currency, limits, day, used: { amount, count } }
        return send(reply, { status: 200, body })
      },
    },
    {
      method: 'PUT',
      url: '/v1/accounts/:number/limits',
      may: 'set_limits',
      summary: 'Set what may leave an account in one transaction and on a business day',
      body: schemas.limits,
      guarded: true,
      replies: { 200: schemas.accountReply },
      problems: ['account_number_invalid', 'account_not_found', 'account_closed', 'version_mismatch'],
      handler: (request, reply) => {
        const account = numberIn(request)
        const limits = request.body as Limits
        return submit(bank, request, reply, { type: 'set_limits', account, limits, ...ifVersion(request) })
      },
    },
  ]

  async function list(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const query = queryOf(request)
    const kind = oneIn(query, 'kind', ['customer', 'house'])
    const state = oneIn(query, 'state', states)
    const currency = currencyIn(query)
    if (kind === 'house') return listHouse(request, reply, { state, currency })
    const { limit, after } = pageIn(request, isAccountNumber)
    const filters = { ...(state && { state }), ...(currency && { currency }) }
    const page = await bank.accounts({ limit, ...(after !== undefined && { after }), ...filters })
    const accounts = (await Array.fromAsync(page.pieces)).flat()
    const next_cursor = nextCursor(request, reply, {
      limit,
      last: page.more ? accounts.at(-1)?.number : undefined,
    })
    const body = {
      accounts: accounts.map((account) => accountBody(account, bank.now)),
      total_accounts: page.total,
      next_cursor,
    }
    return send(reply, { status: 200, body })
  }

  async function listHouse(
    request: FastifyRequest,
    reply: FastifyReply,
    { state, currency }: { state: AccountState | undefined; currency: Currency | undefined },
  ): Promise<FastifyReply> {
    if (state !== undefined) throw new ProblemError('invalid_request', 'house accounts have no state')
    const { limit, after = '' } = pageIn(request, isHouseName)
    const totals = [...(await bank.totals())].sort(([a], [b]) => (a < b ? -1 : 1))
    const beyond = totals.filter(
      ([name]) => name > after && currencyOf(name) === (currency ?? currencyOf(name)),
    )
    const page = beyond.slice(0, limit)
    const next_cursor = nextCursor(request, reply, {
      limit,
      last: beyond.length > limit ? page.at(-1)?.[0] : undefined,
    })
    const accounts = page.map(([name, total]) => houseBody(name, total))
    return send(reply, { status: 200, body: { accounts, total_accounts: totals.length, next_cursor } })
  }

  async function balance(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const account = await accountIn(bank, request)
    const { number, currency, ledger, version } = account
    const query = queryOf(request)
    if (query['as_of'] === undefined) {
      const now = bank.now
      const figures = { ledger, held: heldAt(account, now), available: available(account, now), version }
      return send(reply, { status: 200, body: { account: number, currency, ...figures }, version })
    }
    const [entry] = await bank.entries({ account: number, limit: 1, ...asOf(query) })
    const after = entry && leftOn(entry.transfer, number)
    const body = { account: number, currency, ledger: after?.ledger ?? 0, version: after?.version ?? 0 }
    return send(reply, { status: 200, body })
  }
}

/** The entry that an `as_of` asks for is the last one up to it. */
function asOf(query: Query): { before: number } | { to: number } {
  if (/^[0-9]+$/.test(String(query['as_of'])))
    return { before: (wholeIn(query, 'as_of', { min: 0, max: Number.MAX_SAFE_INTEGER - 1 }) ?? 0) + 1 }
  return { to: (instantIn(query, 'as_of') ?? 0) + 1 }
}

function currencyIn(query: Query): Currency | undefined {
  const { currency } = query
  if (currency === undefined) return undefined
  if (typeof currency !== 'string' || decimalsOf(currency) === undefined)
    throw new ProblemError('invalid_request', 'currency must be an ISO 4217 code such as USD')
  return currency
}

/** Sixteen digits, the first not 0: nobody is likely to have them, and where somebody has, that is refused. */
function freshNumber(): string {
  const eight = () => String(randomInt(10_000_000, 100_000_000))
  return eight() + eight()
}

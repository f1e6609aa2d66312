/** What happened on an account: entries newest first, and statements that add up. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import { type Account, currencyOf } from '../../ledger/account.ts'
import { leftOn } from '../../ledger/books.ts'
import type { PostedTransfer } from '../../ledger/command.ts'
import type { Currency } from '../../ledger/money.ts'
import { ProblemError } from '../problem.ts'
import { isNumber, nextCursor, pageBefore, pageIn, paging } from './pages.ts'
import { type EntryBody, entryBody } from './render.ts'
import { accountIn, houseIn, send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { timeOf } from './time.ts'
import { oneIn, periodIn, queryOf } from './validation.ts'

// One reply, built in memory: some 2 MB.
const statementMax = 10_000

export function historyRoutes(bank: Bank): V1Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/accounts/:number/entries',
      may: 'read',
      summary: 'The account’s side of its transfers, newest first; also of a house account, such as cash:USD',
      query: { ...paging, ...schemas.period },
      replies: { 200: schemas.entriesReply },
      problems: ['account_number_invalid', 'account_not_found', 'page_invalid'],
      handler: entries,
    },
    {
      method: 'GET',
      url: '/v1/accounts/:number/statement',
      may: 'read',
      summary: 'A period whose opening balance and entries make its closing balance, as JSON or CSV',
      query: { ...schemas.period, format: Type.Enum(['json', 'csv']) },
      replies: { 200: schemas.statementReply },
      also: 'text/csv',
      problems: ['account_number_invalid', 'account_not_found', 'statement_too_long'],
      handler: statement,
    },
  ]

  async function entries(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const within = periodIn(queryOf(request))
    const house = await houseIn(bank, request)
    if (house !== undefined) {
      const page = pageBefore(request)
      const { things, next } = await bank.transfers({ account: house.name, ...within, ...page })
      return sendEntries(house.name, currencyOf(house.name), things, { limit: page.limit, last: next })
    }
    const { limit, after } = pageIn(request, isNumber)
    const before = after === undefined ? {} : { before: Number(after) }
    const { number, currency } = await accountIn(bank, request)
    // One more than is asked for tells whether there are more.
    const found = await bank.entries({ account: number, ...within, ...before, limit: limit + 1 })
    const given = found.slice(0, limit)
    const last = found.length > limit ? given.at(-1)?.version : undefined
    const transfers = given.map(({ transfer }) => transfer)
    return sendEntries(number, currency, transfers, { limit, last })

    function sendEntries(
      account: string,
      currency: Currency,
      transfers: readonly PostedTransfer[],
      page: Parameters<typeof nextCursor>[2],
    ): FastifyReply {
      const next_cursor = nextCursor(request, reply, page)
      const entries = transfers.map((transfer) => entryBody(account, transfer))
      return send(reply, { status: 200, body: { account, currency, entries, next_cursor } })
    }
  }

  async function statement(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const query = queryOf(request)
    const accepts = request.headers.accept ?? ''
    const format = oneIn(query, 'format', ['json', 'csv']) ?? (accepts.includes('text/csv') ? 'csv' : 'json')
    const account = await accountIn(bank, request)
    const { from = 0, to = Math.max(from, bank.now + 1) } = periodIn(query)
    if (from > to) throw new ProblemError('invalid_request', 'from must not be after to')
    const found = await bank.entries({ account: account.number, from, to, limit: statementMax + 1 })
    if (found.length > statementMax)
      throw new ProblemError('statement_too_long', `ask for a period of at most ${statementMax} entries`)
    const lines = found.map(({ transfer }) => entryBody(account.number, transfer)).reverse()
    const opening = await openingOf(account, lines[0], from)
    const closing = lines.at(-1)?.balance_after ?? opening
    if (format === 'csv') {
      reply.header('content-disposition', `attachment; filename="statement-${account.number}.csv"`)
      return reply.type('text/csv; charset=utf-8').send(csvOf(lines, opening, closing))
    }
    const { number, currency } = account
    const body = {
      account: number,
      currency,
      from: timeOf(from),
      to: timeOf(to),
      opening,
      entries: lines,
      closing,
    }
    return send(reply, { status: 200, body })
  }

  /** The balance before the first entry of a period; where there is none, that of the last one before it. */
  async function openingOf({ number }: Account, first: EntryBody | undefined, from: number): Promise<number> {
    if (first !== undefined) {
      const { direction, amount, balance_after } = first
      return (balance_after ?? 0) + (direction === 'debit' ? amount : -amount)
    }
    const [before] = await bank.entries({ account: number, to: from, limit: 1 })
    return (before && leftOn(before.transfer, number)?.ledger) ?? 0
  }
}

function csvOf(lines: readonly EntryBody[], opening: number, closing: number): string {
  const rows = [
    ['created_at', 'transfer', 'kind', 'direction', 'amount', 'balance_after', 'reference'],
    ['', '', 'opening', '', '', opening, ''],
    ...lines.map(({ created_at, transfer, kind, direction, amount, balance_after, reference }) => [
      created_at,
      transfer,
      kind,
      direction,
      amount,
      balance_after ?? '',
      reference ?? '',
    ]),
    ['', '', 'closing', '', '', closing, ''],
  ]
  return `${rows.map((row) => row.map(cellOf).join(',')).join('\r\n')}\r\n`
}

/** RFC 4180; and text that a spreadsheet would run as a formula is put behind a quote mark (OWASP, CSV injection). */
function cellOf(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

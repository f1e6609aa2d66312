/**
 * The original routes: what clients called before there was a ledger, and go on calling unchanged. Balances are
 * major units, written from the integer's own digits; members come in the order the old server gave them.
 */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../bank/bank.ts'
import { type Account, type AccountNumber, isAccountNumber } from '../ledger/account.ts'
import type { Command, Posted } from '../ledger/command.ts'
import { type Currency, type Decimal, formatMinor, parseDecimal } from '../ledger/money.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { type Members, noMembers } from './members.ts'
import { detailOf, ProblemError, sendProblem } from './problem.ts'
import type { Route } from './routes.ts'
import { outcomeOf } from './submit.ts'

/** The original routes over a bank; accounts that a deposit opens are in `currency`. */
export function accountRoutes(
  bank: Bank,
  currency: Currency,
  startPage: () => string | undefined = () => undefined,
): Route[] {
  return [
    { method: 'GET', url: '/', may: 'public', handler: greet },
    { method: 'GET', url: '/accounts', may: 'read', handler: listAccounts },
    { method: 'GET', url: '/accounts/:number/balance', may: 'read', handler: balance },
    { method: 'POST', url: '/accounts/:number/withdraw', may: 'move_money', handler: withdraw },
    { method: 'POST', url: '/accounts/:number/deposit', may: 'move_money', handler: deposit },
  ]

  /** Browsers name text/html in what they accept; everybody else has the JSON that there always was. */
  function greet({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
    const page = namesHtml(headers.accept) ? startPage() : undefined
    if (page === undefined) return sendJson(reply, greeting)
    const vary = [reply.getHeader('vary'), 'Accept'].filter((name) => name !== undefined)
    return reply.header('vary', vary.join(', ')).redirect(page)
  }

  async function balance(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const number = numberIn(request)
    const account = await bank.account(number)
    if (account === undefined) return sendProblem(reply, 'account_not_found')
    const figure = formatMinor(account.ledger, account.currency)
    if ((request.query as { simple?: string }).simple === 'true') return sendJson(reply, figure)
    const text = `{"account_number":"${number}","balance":${figure},"message":"Balance retrieved successfully"}`
    return sendJson(reply, text)
  }

  function withdraw(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const account = numberIn(request)
    return submit(request, reply, { type: 'withdraw', account, amount: amountIn(request) }, withdrawn)
  }

  function deposit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const account = numberIn(request)
    return submit(
      request,
      reply,
      { type: 'deposit', account, amount: amountIn(request), open: currency },
      deposited,
    )
  }

  /** Submits a command and answers what came of it. */
  async function submit(
    request: FastifyRequest,
    reply: FastifyReply,
    command: Command,
    write: (posted: Posted) => string,
  ): Promise<void> {
    const outcome = await outcomeOf(bank, request, command)
    if (outcome.replayed) reply.header('idempotency-replayed', 'true')
    switch (outcome.reply.type) {
      case 'posted':
        sendJson(reply, write(outcome.reply))
        break
      case 'refused':
        sendProblem(reply, outcome.reply.refusal, detailOf(outcome.reply))
        break
      default:
        throw new Error(`a ${command.type} was answered without a posting`)
    }
  }

  async function listAccounts(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const page = pageIn(request)
    const { total, more, pieces } = await bank.accounts(page)
    if (page.limit === undefined) {
      const text = Readable.from(writeList(pieces, total))
      // A generator that never began, its client being gone, never comes to tell the store that the list can go.
      text.once('close', () => void pieces.return?.())
      return sendJson(reply, text)
    }

    const accounts: Account[] = []
    for await (const piece of pieces) accounts.push(...piece)
    const last = accounts.at(-1)
    if (more && last !== undefined)
      reply.header('link', `</accounts?limit=${page.limit}&cursor=${writeCursor(last.number)}>; rel="next"`)
    return sendJson(reply, `{"accounts":[${accounts.map(writeAccount).join(',')}],"total_accounts":${total}}`)
  }
}

function namesHtml(accept = ''): boolean {
  return accept.split(',').some((range) => /^\s*text\/html\s*(;(?!\s*q=0(\.0*)?\s*$)|$)/i.test(range))
}

const greeting = JSON.stringify({
  message: 'Cashpoint ATM API',
  status: 'running',
  endpoints: {
    get_balance: 'GET /accounts/{account_number}/balance',
    withdraw: 'POST /accounts/{account_number}/withdraw',
    deposit: 'POST /accounts/{account_number}/deposit',
    list_accounts: 'GET /accounts',
  },
})

function withdrawn({ account, amount, currency, ledger }: Posted): string {
  return `{"account_number":"${account}","withdrawn_amount":${formatMinor(amount, currency)},"new_balance":${formatMinor(ledger, currency)},"message":"Withdrawal successful"}`
}

function deposited({ account, amount, currency, ledger, opened }: Posted): string {
  return `{"account_number":"${account}","deposited_amount":${formatMinor(amount, currency)},"new_balance":${formatMinor(ledger, currency)},"message":"Deposit successful","account_created":${opened}}`
}

function writeAccount({ number, ledger, currency }: Account): string {
  return `{"account_number":"${number}","balance":${formatMinor(ledger, currency)}}`
}

async function* writeList(pieces: AsyncIterable<readonly Account[]>, total: number): AsyncGenerator<string> {
  let before = '{"accounts":['
  for await (const piece of pieces) {
    yield before + piece.map(writeAccount).join(',')
    before = ','
  }
  yield `${before === ',' ? '' : before}],"total_accounts":${total}}`
}

/** Sends JSON that is already text, or a stream of it. */
export function sendJson(reply: FastifyReply, text: string | Readable): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text)
}

function numberIn(request: FastifyRequest): AccountNumber {
  const { number } = request.params as { number: string }
  if (!isAccountNumber(number))
    throw new ProblemError('account_number_invalid', 'An account number is 1 to 34 of A–Z, a–z, 0–9 and -')
  return number
}

/** The body's amount as a decimal: a JSON number, or a string that would be one; above zero. */
function amountIn(request: FastifyRequest): Decimal {
  const { sources, repeated } = (request.body as Members | undefined) ?? noMembers
  if (repeated.has('amount')) throw new ProblemError('amount_repeated')
  const source = sources.get('amount')
  if (source === undefined || source === 'null') throw new ProblemError('amount_missing')
  const read = parseDecimal(source.startsWith('"') ? JSON.parse(source) : source)
  if ('problem' in read) throw new ProblemError(read.problem)
  return read.decimal
}

const limitMax = 10_000

function pageIn(request: FastifyRequest): { after?: AccountNumber; limit?: number } {
  const { limit, cursor } = request.query as { limit?: unknown; cursor?: unknown }
  const page: { after?: AccountNumber; limit?: number } = {}
  if (limit !== undefined) {
    if (typeof limit !== 'string' || !/^[1-9][0-9]{0,4}$/.test(limit) || Number(limit) > limitMax)
      throw new ProblemError('page_invalid', `limit must be a whole number from 1 to ${limitMax}`)
    page.limit = Number(limit)
  }
  const after = readCursor(cursor, isAccountNumber, 'a Link header')
  return after === undefined ? page : { ...page, after }
}

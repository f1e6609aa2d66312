/**
 * Withdrawals at a terminal: authorize, start, confirm, reverse. Each is known by the terminal's own id of it, under
 * which it is answered again: a repeat of an authorization, or of a start, as that was answered; one of a confirmation
 * or reversal, which says what happened, as the withdrawal is now.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import { type Command, type Outcome, refuse } from '../../ledger/command.ts'
import { nameOf } from '../../ledger/entity.ts'
import { isOperationId, type Withdrawal } from '../../ledger/withdrawal.ts'
import { type ProblemCode, ProblemError } from '../problem.ts'
import { outcomeById } from '../submit.ts'
import { currencyKnown } from './commands.ts'
import { pagingOfEntities, readTerminal, sendEntities, terminalIn } from './entities.ts'
import { asAuthorized, asStarted, withdrawalBody } from './render-atm.ts'
import { answerWith, paramOf, send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import type { Secrets } from './secrets.ts'
import { oneIn, queryOf } from './validation.ts'

/** What stands in the way of whatever is done with a card and a PIN. */
export const ofCards: readonly ProblemCode[] = [
  'terminal_not_found',
  'terminal_not_allowed',
  'card_not_found',
  'card_expired',
  'card_lost',
  'card_stolen',
  'card_blocked',
  'pin_required',
  'pin_incorrect',
  'pin_locked',
  'clear_pin_disabled',
  'card_keys_missing',
]

export function withdrawalRoutes(bank: Bank, secrets: Secrets): V1Route[] {
  const act = (
    verb: string,
    of: Pick<V1Route, 'summary' | 'body' | 'replies' | 'problems' | 'handler'>,
  ): V1Route => ({
    method: 'POST',
    url: `/v1/terminals/:terminal/withdrawals${verb}`,
    may: 'operate_terminal',
    own: true,
    keyed: 'never',
    ...of,
  })
  return [
    act('', {
      summary: 'Authorize a withdrawal: the money is in transit and the notes are reserved',
      body: schemas.authorize,
      replies: { 201: schemas.withdrawalReply },
      problems: [
        ...ofCards,
        'account_not_allowed',
        'account_closed',
        'already_reversed',
        'insufficient_funds',
        'limit_amount',
        'limit_count',
        'amount_not_dispensable',
        'currency_mismatch',
      ],
      handler: authorize,
    }),
    act('/:withdrawal/start', {
      summary: 'Say that notes are about to leave: without a 200 to this none may',
      body: schemas.nothing,
      replies: { 200: schemas.withdrawalReply },
      problems: ['terminal_not_found', 'withdrawal_not_found', 'withdrawal_state'],
      handler: start,
    }),
    act('/:withdrawal/confirm', {
      summary: 'Say which notes left. Never refused: what cannot be booked is an exception',
      body: schemas.confirm,
      replies: { 200: schemas.withdrawalRead },
      problems: ['terminal_not_found'],
      handler: (request, reply) => {
        const body = request.body as Static<typeof schemas.confirm>
        return advise(request, reply, { type: 'confirm', ...advisedIn(request), ...body })
      },
    }),
    act('/:withdrawal/reverse', {
      summary: 'Say that no note left. Never refused, also before it was asked for',
      body: schemas.reverseWithdrawal,
      replies: { 200: schemas.withdrawalRead },
      problems: ['terminal_not_found'],
      handler: (request, reply) => {
        const body = request.body as Static<typeof schemas.reverseWithdrawal>
        return advise(request, reply, { type: 'reverse_withdrawal', ...advisedIn(request), ...body })
      },
    }),
    {
      method: 'GET',
      url: '/v1/terminals/:terminal/withdrawals',
      may: 'read_terminals',
      own: true,
      summary: 'List withdrawals by id, or with state=open those under way and in doubt',
      query: { state: Type.Enum(['open']), ...pagingOfEntities },
      replies: { 200: schemas.withdrawalsReply },
      problems: ['terminal_not_found', 'page_invalid'],
      handler: async (request, reply) => {
        const { id } = await readTerminal(bank, terminalIn(request))
        return sendEntities(bank, request, reply, {
          plural: 'withdrawals',
          prefix: nameOf.withdrawal(id, ''),
          waiting: oneIn(queryOf(request), 'state', ['open']) === 'open',
          body: (entity) => withdrawalBody(entity as Withdrawal),
        })
      },
    },
    {
      method: 'GET',
      url: '/v1/terminals/:terminal/withdrawals/:withdrawal',
      may: 'read_terminals',
      own: true,
      summary: 'Read a withdrawal, and what became of it',
      replies: { 200: schemas.withdrawalRead },
      problems: ['terminal_not_found', 'withdrawal_not_found'],
      handler: read,
    },
  ]

  async function authorize(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const terminal = terminalIn(request)
    const body = request.body as Static<typeof schemas.authorize>
    const { id, pan, amount, account, mix } = body
    const command: Command = {
      type: 'authorize',
      terminal,
      id,
      ...secrets.cardOf(pan, id),
      amount,
      currency: currencyKnown(body.currency),
      ...(account !== undefined && { account }),
      ...(mix !== undefined && { mix }),
      confirmation: 'explicit',
    }
    const outcome = await outcomeById(bank, request, command, await secrets.tryOf(terminal, body))
    return answerWith(reply, withDecline(outcome), (kept) => ({
      status: 201,
      body: withdrawalBody(asAuthorized(withdrawalOf(kept))),
      location: `/v1/terminals/${terminal}/withdrawals/${id}`,
    }))
  }

  async function start(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const id = paramOf(request, 'withdrawal')
    if (!isOperationId(id)) throw new ProblemError('withdrawal_not_found')
    const command = { type: 'start_dispense', terminal: terminalIn(request), id } as const
    return answerWith(reply, await outcomeById(bank, request, command), (kept) => ({
      status: 200,
      body: withdrawalBody(asStarted(withdrawalOf(kept))),
    }))
  }

  async function advise(
    request: FastifyRequest,
    reply: FastifyReply,
    command: Command,
  ): Promise<FastifyReply> {
    return answerWith(reply, await outcomeById(bank, request, command), (kept) => ({
      status: 200,
      body: withdrawalBody(withdrawalOf(kept)),
    }))
  }

  async function read(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { id } = await readTerminal(bank, terminalIn(request))
    const withdrawal = await bank.entity(nameOf.withdrawal(id, paramOf(request, 'withdrawal')))
    if (withdrawal?.kind !== 'withdrawal') throw new ProblemError('withdrawal_not_found')
    return send(reply, { status: 200, body: withdrawalBody(withdrawal) })
  }
}

/** What an advice is about. Its shape is all that may be wrong with it. */
function advisedIn(request: FastifyRequest): { readonly terminal: string; readonly id: string } {
  const id = paramOf(request, 'withdrawal')
  if (!isOperationId(id))
    throw new ProblemError('invalid_request', 'A withdrawal’s id is 1 to 36 of A–Z, a–z, 0–9, ., _ and -')
  return { terminal: terminalIn(request), id }
}

function withdrawalOf(kept: Outcome['reply']): Withdrawal {
  if (kept.type !== 'entity' || kept.entity.kind !== 'withdrawal')
    throw new Error(`a withdrawal was answered with ${kept.type}`)
  return kept.entity
}

/** A withdrawal that was declined is a refusal, also where it is told as it is kept. */
function withDecline({ reply, replayed }: Outcome): Outcome {
  if (reply.type !== 'entity' || reply.entity.kind !== 'withdrawal') return { reply, replayed }
  const { code, about } = reply.entity
  return code === undefined ? { reply, replayed } : { reply: refuse(code, undefined, about), replayed }
}

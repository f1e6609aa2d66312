/** What a terminal does for a customer at once, and that it is there: each under an Idempotency-Key. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import type { Inquired } from '../../ledger/atm-commands.ts'
import type { Command } from '../../ledger/command.ts'
import { isOperationId } from '../../ledger/withdrawal.ts'
import { ProblemError } from '../problem.ts'
import { type Beside, outcomeOf } from '../submit.ts'
import { currencyKnown } from './commands.ts'
import { terminalIn } from './entities.ts'
import { entryBody } from './render.ts'
import { inquiryBody, operationBody } from './render-atm.ts'
import { answer, answerWith, paramOf, submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import type { Secrets } from './secrets.ts'
import { ofCards } from './withdrawals.ts'

export function terminalOperationRoutes(bank: Bank, secrets: Secrets): V1Route[] {
  const act = (
    verb: string,
    of: Pick<V1Route, 'summary' | 'body' | 'replies' | 'problems' | 'handler'>,
  ): V1Route => ({
    method: 'POST',
    url: `/v1/terminals/:terminal/${verb}`,
    may: 'operate_terminal',
    own: true,
    keyed: 'always',
    ...of,
  })
  const sign = (on: boolean, summary: string): V1Route =>
    act(on ? 'sign-on' : 'sign-off', {
      summary,
      body: schemas.nothing,
      replies: { 200: schemas.terminalReply },
      problems: ['terminal_not_found'],
      handler: (request, reply) =>
        submit(bank, request, reply, { type: 'sign', terminal: terminalIn(request), on }),
    })
  return [
    sign(true, 'Say that the machine is there'),
    sign(false, 'Say that the machine goes'),
    act('inquiries', {
      summary: 'The balance of a card’s account, or its last ten entries as well',
      body: schemas.inquire,
      replies: { 200: schemas.inquiryReply },
      problems: [...ofCards, 'account_not_allowed', 'account_closed', 'currency_mismatch'],
      handler: inquire,
    }),
    act('deposits', {
      summary: 'Pay in notes that the machine has counted, to any account or to a card’s',
      body: schemas.terminalDeposit,
      replies: { 201: schemas.depositReply },
      problems: [
        ...ofCards,
        'account_not_found',
        'account_not_allowed',
        'account_closed',
        'already_reversed',
        'balance_too_large',
        'notes_not_accepted',
        'currency_mismatch',
      ],
      handler: deposit,
    }),
    act('deposits/:deposit/reverse', {
      summary: 'Say that the notes of a deposit were given back; takes the money back, below zero if need be',
      body: schemas.because,
      replies: { 200: schemas.depositReversed },
      problems: ['terminal_not_found', 'deposit_not_found'],
      handler: (request, reply) => {
        const { reason } = request.body as Static<typeof schemas.because>
        const id = paramOf(request, 'deposit')
        if (!isOperationId(id)) throw new ProblemError('deposit_not_found')
        const terminal = terminalIn(request)
        return done(request, reply, { type: 'reverse_deposit', terminal, id, reason }, { status: 200 })
      },
    }),
    act('transfers', {
      summary: 'Move money from a card’s account to another account',
      body: schemas.terminalTransfer,
      replies: { 201: schemas.terminalTransferReply },
      problems: [
        ...ofCards,
        'account_not_found',
        'account_not_allowed',
        'account_closed',
        'already_reversed',
        'same_account',
        'insufficient_funds',
        'limit_amount',
        'limit_count',
        'balance_too_large',
        'currency_mismatch',
      ],
      handler: transfer,
    }),
    act('pin-changes', {
      summary: 'Change a card’s PIN, by the one that it has',
      body: schemas.changePin,
      replies: { 200: schemas.pinChangeReply },
      problems: [...ofCards, 'pin_invalid', 'already_reversed'],
      handler: changePin,
    }),
  ]

  async function inquire(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const terminal = terminalIn(request)
    const body = request.body as Static<typeof schemas.inquire>
    const { type: of, account } = body
    const { pan } = secrets.cardOf(body.pan)
    const command = { type: 'inquire', terminal, pan, of, ...(account !== undefined && { account }) } as const
    const outcome = await outcomeOf(bank, request, command, await secrets.tryOf(terminal, body))
    if (outcome.reply.type !== 'inquired') return answer(reply, outcome)
    const entries = of === 'statement' ? { entries: await entriesOf(outcome.reply) } : {}
    if (outcome.replayed) reply.header('idempotency-replayed', 'true')
    return reply.send({ ...inquiryBody(outcome.reply), ...entries })
  }

  /** The last entries up to the version that the inquiry found: a repeat tells the same ones. */
  async function entriesOf({ account, version }: Inquired): Promise<object[]> {
    const found = await bank.statement(account, version)
    return found.map(({ transfer }) => entryBody(account, transfer))
  }

  async function deposit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const terminal = terminalIn(request)
    const body = request.body as Static<typeof schemas.terminalDeposit>
    const { id, account, pan, notes } = body
    if (account === undefined && pan === undefined)
      throw new ProblemError('invalid_request', 'There must be account or pan')
    const command = {
      type: 'terminal_deposit',
      terminal,
      id,
      ...(account !== undefined && { account }),
      ...(pan !== undefined && { pan: secrets.cardOf(pan, id).pan }),
      currency: currencyKnown(body.currency),
      notes,
    } as const
    return done(request, reply, command, { status: 201, ...(await secrets.tryOf(terminal, body)) })
  }

  async function transfer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const terminal = terminalIn(request)
    const body = request.body as Static<typeof schemas.terminalTransfer>
    const { id, from, to, amount } = body
    const command = {
      type: 'terminal_transfer',
      terminal,
      id,
      pan: secrets.cardOf(body.pan, id).pan,
      ...(from !== undefined && { from }),
      to,
      amount,
      currency: currencyKnown(body.currency),
    } as const
    return done(request, reply, command, { status: 201, ...(await secrets.tryOf(terminal, body)) })
  }

  async function changePin(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const terminal = terminalIn(request)
    const body = request.body as Static<typeof schemas.changePin>
    const command = {
      type: 'change_pin',
      terminal,
      id: body.id,
      pan: secrets.cardOf(body.pan, body.id).pan,
    } as const
    const beside = { ...(await secrets.tryOf(terminal, body)), ...(await secrets.newPinOf(terminal, body)) }
    return done(request, reply, command, { status: 200, ...beside })
  }

  /** Of an operation the status is the same whenever it is told: a repeat under its id, too, says what was done. */
  async function done(
    request: FastifyRequest,
    reply: FastifyReply,
    command: Command,
    { status, ...beside }: Beside & { readonly status: 200 | 201 },
  ): Promise<FastifyReply> {
    return answerWith(reply, await outcomeOf(bank, request, command, beside), (kept) => {
      if (kept.type !== 'entity' || kept.entity.kind !== 'operation')
        throw new Error(`an operation was answered with ${kept.type}`)
      return { status, body: operationBody(kept.entity) }
    })
  }
}

/** Cards: issue, read, block and unblock, and set a PIN. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import { type Card, type CardAccount, statusOn } from '../../ledger/card.ts'
import { nameOf } from '../../ledger/entity.ts'
import type { Day, Limits } from '../../ledger/limits.ts'
import type { Instant } from '../../ledger/money.ts'
import { ProblemError } from '../problem.ts'
import { pagingOfEntities, sendEntities } from './entities.ts'
import { nextCursor, pageBefore } from './pages.ts'
import { cardBody } from './render-atm.ts'
import { paramOf, send, submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import type { Secrets } from './secrets.ts'
import { isLast4, oneIn, queryOf, textIn } from './validation.ts'

type Of = { readonly secrets: Secrets; dayOf(now: Instant): Day }

export function cardRoutes(bank: Bank, { secrets, dayOf }: Of): V1Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/cards',
      may: 'issue_cards',
      summary: 'Issue a card for accounts; of its number a digest and the last four digits are kept',
      body: schemas.issueCard,
      replies: { 201: schemas.cardReply },
      problems: [
        'card_exists',
        'account_not_found',
        'pan_check_digit',
        'clear_pin_disabled',
        'card_keys_missing',
      ],
      handler: issue,
    },
    {
      method: 'GET',
      url: '/v1/cards',
      may: 'read_cards',
      summary: 'List cards by id, or those that end in four digits, newest first; never their numbers',
      query: { status: schemas.cardStatus, last4: schemas.last4, ...pagingOfEntities },
      replies: { 200: schemas.cardsReply },
      problems: ['page_invalid'],
      handler: list,
    },
    {
      method: 'GET',
      url: '/v1/cards/:id',
      may: 'read_cards',
      summary: 'Read a card; never its number',
      replies: { 200: schemas.cardReply },
      problems: ['card_not_found'],
      handler: async (request, reply) => {
        const card = await bank.entity(nameOf.card(paramOf(request, 'id')))
        if (card?.kind !== 'card') throw new ProblemError('card_not_found')
        return send(reply, { status: 200, body: cardBody(card, dayOf(bank.now)) })
      },
    },
    {
      method: 'POST',
      url: '/v1/cards/:id/block',
      may: 'block_cards',
      summary: 'Block a card, or say that it is lost or stolen, which is for ever',
      body: schemas.blockCard,
      replies: { 200: schemas.cardReply },
      problems: ['card_not_found', 'card_status'],
      handler: (request, reply) => {
        const body = request.body as Static<typeof schemas.blockCard>
        return submit(bank, request, reply, { type: 'block_card', card: paramOf(request, 'id'), ...body })
      },
    },
    {
      method: 'POST',
      url: '/v1/cards/:id/unblock',
      may: 'unblock_cards',
      summary: 'Make a blocked card active again, and give its tries back',
      body: schemas.because,
      replies: { 200: schemas.cardReply },
      problems: ['card_not_found', 'card_status'],
      handler: (request, reply) => {
        const body = request.body as Static<typeof schemas.because>
        return submit(bank, request, reply, { type: 'unblock_card', card: paramOf(request, 'id'), ...body })
      },
    },
    {
      method: 'POST',
      url: '/v1/cards/:id/pin',
      may: 'unblock_cards',
      summary: 'Set a card’s PIN, and give its tries back',
      body: schemas.setPin,
      replies: { 200: schemas.cardReply },
      problems: ['card_not_found', 'clear_pin_disabled', 'card_keys_missing', 'pin_invalid'],
      handler: setPin,
    },
  ]

  async function list(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const query = queryOf(request)
    const status = oneIn(query, 'status', schemas.cardStatus.enum)
    const last4 = textIn(query, 'last4', isLast4, '4 digits')
    const day = dayOf(bank.now)
    const isWanted = (card: Card) => status === undefined || statusOn(card, day) === status
    if (last4 === undefined)
      return sendEntities(bank, request, reply, {
        plural: 'cards',
        prefix: nameOf.card(''),
        wanted: (card) => isWanted(card as Card),
        body: (card) => cardBody(card as Card, day),
      })
    const page = pageBefore(request)
    const { things, next: last } = await bank.find({ kind: 'card', last4, ...page })
    const next = nextCursor(request, reply, { limit: page.limit, last })
    const cards = things.map(({ entity }) => entity as Card).filter(isWanted)
    return send(reply, { status: 200, body: { cards: cards.map((card) => cardBody(card, day)), next } })
  }

  function issue(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const body = request.body as Static<typeof schemas.issueCard>
    const { expiry, pin_policy = 'always' } = body
    const accounts = accountsOf(body.accounts)
    const card = secrets.newCardOf(body.pan)
    const limits = body.limits && limitsOf(body.limits)
    return submit(
      bank,
      request,
      reply,
      { type: 'issue_card', ...card, expiry, accounts, pin_policy, ...(limits && { limits }) },
      secrets.pinOf(card.pan[0] ?? '', body),
    )
  }

  function setPin(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const body = request.body as Static<typeof schemas.setPin>
    const card = paramOf(request, 'id')
    const pin = secrets.pinOf(card, body)
    if (pin.new_pin === undefined)
      throw new ProblemError('invalid_request', 'There must be pin, or pvv and pvki')
    return submit(bank, request, reply, { type: 'set_pin', card, reason: body.reason }, pin)
  }
}

/** One of them is the usual one, and each is another. */
function accountsOf(given: Static<typeof schemas.issueCard>['accounts']): readonly CardAccount[] {
  const numbers = given.map(({ account }) => account)
  const twice = numbers.findIndex((number, i) => numbers.indexOf(number) < i)
  if (twice >= 0) throw new ProblemError('invalid_request', `accounts.${twice}.account is given before`)
  const usual = given.flatMap((each, i) => (each.default ? i : []))
  if (usual.length > 1)
    throw new ProblemError('invalid_request', `accounts.${usual[1]}.default is true of another as well`)
  const [first = 0] = usual
  return given.map(({ account, type = 'checking' }, i) => ({ account, type, default: i === first }))
}

function limitsOf({ per_withdrawal, ...daily }: Static<typeof schemas.issueCard>['limits'] & object): Limits {
  return { ...(per_withdrawal !== undefined && { transaction_amount: per_withdrawal }), ...daily }
}

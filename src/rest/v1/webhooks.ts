/** Webhooks: events sent to whoever is to know, signed; what became of each, and sending again. */
import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../../bank/bank.ts'
import type { Delivery, DeliveryState, Webhooks } from '../../bank/webhooks.ts'
import type { RecordId } from '../../ledger/command.ts'
import type { Webhook } from '../../ledger/registry.ts'
import { ProblemError } from '../problem.ts'
import { outcomeOf } from '../submit.ts'
import { eventOf } from './event.ts'
import { nextCursor, pageBefore, paging, sendThings } from './pages.ts'
import { webhookBody } from './render.ts'
import { answer, paramOf, send, submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { timeOf } from './time.ts'
import { oneIn, queryOf } from './validation.ts'

const states: readonly DeliveryState[] = schemas.deliveryState.enum

export function webhookRoutes(bank: Bank, webhooks: Webhooks): V1Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/webhooks',
      may: 'manage_webhooks',
      summary: 'Send events to a URL from now on, signed with a secret of its own',
      body: schemas.createWebhook,
      replies: { 201: schemas.webhookMade },
      problems: ['target_refused'],
      handler: create,
    },
    {
      method: 'GET',
      url: '/v1/webhooks',
      may: 'read_webhooks',
      summary: 'List webhooks, oldest first, with how many events are on their way or were given up',
      query: paging,
      replies: { 200: schemas.webhooksReply },
      problems: ['page_invalid'],
      handler: async (request, reply) => {
        const things = bank.things.filter((thing): thing is Webhook => thing.kind === 'webhook')
        return sendThings(request, reply, { name: 'webhooks', things, body: countedBody })
      },
    },
    {
      method: 'GET',
      url: '/v1/webhooks/:id',
      may: 'read_webhooks',
      summary: 'Read a webhook, with how many events are on their way or were given up',
      replies: { 200: schemas.webhookCounted },
      problems: ['webhook_not_found'],
      handler: async (request, reply) =>
        send(reply, { status: 200, body: await countedBody(webhookIn(request)) }),
    },
    {
      method: 'GET',
      url: '/v1/webhooks/:id/deliveries',
      may: 'read_webhooks',
      summary: 'What became of events, newest first: on their way, delivered, or given up as dead',
      query: { state: schemas.deliveryState, ...paging },
      replies: { 200: schemas.deliveriesReply },
      problems: ['webhook_not_found', 'page_invalid'],
      handler: async (request, reply) => {
        const webhook = webhookIn(request).id
        const state = oneIn(queryOf(request), 'state', states)
        const page = pageBefore(request)
        const { things, next } = await webhooks.deliveries({ webhook, ...page, ...(state && { state }) })
        const next_cursor = nextCursor(request, reply, { limit: page.limit, last: next })
        return send(reply, { status: 200, body: { deliveries: things.map(deliveryBody), next_cursor } })
      },
    },
    {
      method: 'POST',
      url: '/v1/webhooks/:id/redeliver',
      may: 'redeliver',
      summary: 'Send an event once more, or without one all that were given up',
      body: schemas.redeliver,
      replies: { 200: schemas.webhookReply },
      problems: ['webhook_not_found', 'webhook_disabled', 'event_not_found'],
      handler: async (request, reply) => {
        const { event } = request.body as { event?: RecordId }
        if (event !== undefined && !(await isEvent(event))) throw new ProblemError('event_not_found')
        const webhook = paramOf(request, 'id')
        return submit(bank, request, reply, { type: 'redeliver', webhook, ...(event && { event }) })
      },
    },
    {
      method: 'POST',
      url: '/v1/webhooks/:id/disable',
      may: 'manage_webhooks',
      summary: 'Send nothing more to a webhook, for good',
      body: schemas.nothing,
      replies: { 200: schemas.webhookReply },
      problems: ['webhook_not_found'],
      handler: (request, reply) =>
        submit(bank, request, reply, { type: 'disable_webhook', webhook: paramOf(request, 'id') }),
    },
  ]

  async function create(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { url, types = [] } = request.body as { url: string; types?: readonly string[] }
    const why = await webhooks.refuses(url)
    if (why !== undefined) throw new ProblemError('target_refused', `url ${why}`)
    const { sealedWith: sealed_with } = webhooks
    const command = { type: 'create_webhook', url, types, sealed_with } as const
    const outcome = await outcomeOf(bank, request, command, { fresh: randomBytes(16).toString('hex') })
    if (outcome.reply.type !== 'registered' || outcome.reply.thing.kind !== 'webhook')
      return answer(reply, outcome)
    const { thing } = outcome.reply
    if (outcome.replayed) reply.header('idempotency-replayed', 'true')
    // Made from the salt each time, so that a repeat is answered alike.
    const body = { ...webhookBody(thing), secret: webhooks.secretOf(thing.salt) }
    const location = `/v1/webhooks/${thing.id}`
    return send(reply.header('cache-control', 'no-store'), { status: 201, body, location })
  }

  async function countedBody(webhook: Webhook): Promise<object> {
    return { ...webhookBody(webhook), ...(await webhooks.counts(webhook.id)) }
  }

  function webhookIn(request: FastifyRequest): Webhook {
    const id = paramOf(request, 'id')
    const webhook = bank.things.find((thing) => thing.kind === 'webhook' && thing.id === id)
    if (webhook?.kind !== 'webhook') throw new ProblemError('webhook_not_found')
    return webhook
  }

  async function isEvent(id: RecordId): Promise<boolean> {
    const place = await bank.placeOf(id)
    if (place === undefined) return false
    const [record] = await bank.records({ after: place - 1, last: place })
    return record !== undefined && eventOf(record) !== undefined
  }
}

function deliveryBody({ id, state, attempts, first_at, last_at, next_at, status, error }: Delivery): object {
  return {
    event: id,
    state,
    attempts,
    created_at: timeOf(first_at),
    last_attempt_at: last_at === null ? null : timeOf(last_at),
    next_attempt_at: next_at === null ? null : timeOf(next_at),
    status,
    error,
  }
}

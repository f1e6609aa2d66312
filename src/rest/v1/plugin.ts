/** The routes of /v1 with a body parser and a size of their own, and the documents made from the same table. */
import type { FastifyInstance } from 'fastify'
import type { Access } from '../../access/access.ts'
import type { Bank } from '../../bank/bank.ts'
import type { Webhooks } from '../../bank/webhooks.ts'
import type { Currency } from '../../ledger/money.ts'
import { sendJson } from '../accounts.ts'
import { jsonBody } from '../body.ts'
import type { Gate } from '../gate.ts'
import { addRoutes, type Route } from '../routes.ts'
import { accountRoutes } from './accounts.ts'
import { adjustmentRoutes } from './adjustments.ts'
import { auditRoutes } from './audit.ts'
import { credentialRoutes } from './credentials.ts'
import { docsPage, docsPolicy } from './docs.ts'
import { eventRoutes } from './events.ts'
import { readExactly } from './exact.ts'
import { historyRoutes } from './history.ts'
import { movementRoutes } from './movements.ts'
import { openApi } from './openapi.ts'
import { proofRoutes } from './proofs.ts'
import { refuseIfMatch, type V1Route } from './route.ts'
import { searchRoutes } from './searches.ts'
import { webhookRoutes } from './webhooks.ts'

const bodyMax = 2 ** 20

export type V1Options = {
  readonly bank: Bank
  readonly access: Access
  readonly gate: Gate
  readonly currency: Currency
  readonly webhooks: Webhooks
}

export async function v1(
  app: FastifyInstance,
  { bank, access, gate, currency, webhooks }: V1Options,
): Promise<void> {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: bodyMax },
    jsonBody(readExactly),
  )
  // Where nothing is asked for, nothing need be sent; where something is, its absence is told by name.
  app.addHook('preValidation', (request, _, done) => {
    if (request.method !== 'GET' && request.body === undefined) request.body = {}
    done()
  })

  // Streams have no end of their own, and a server that stops waits for what it accepted.
  const ending = new AbortController()
  app.addHook('preClose', (done) => {
    ending.abort()
    done()
  })

  const table = [
    ...v1Routes({ bank, currency, webhooks }),
    ...eventRoutes(bank, { access, ending: ending.signal }),
  ]
  // Made when it is first asked for: it takes some 25 ms, which a start need not wait for.
  let document: string | undefined
  const documents: Route[] = [
    {
      method: 'GET',
      url: '/openapi.json',
      may: 'public',
      handler: (_, reply) => {
        document ??= JSON.stringify(openApi(table))
        return sendJson(reply, document)
      },
    },
    {
      method: 'GET',
      url: '/docs',
      may: 'public',
      handler: (_, reply) =>
        reply.type('text/html; charset=utf-8').header('content-security-policy', docsPolicy).send(docsPage),
    },
  ]
  const routes = table.map((route) => (route.method !== 'GET' && !route.guarded ? unguarded(route) : route))
  addRoutes(app, [...routes, ...documents], { gate })
}

function unguarded(route: V1Route): V1Route {
  return {
    ...route,
    handler: async (request, reply) => {
      refuseIfMatch(request)
      return route.handler(request, reply)
    },
  }
}

export function v1Routes({
  bank,
  currency,
  webhooks,
}: Pick<V1Options, 'bank' | 'currency' | 'webhooks'>): V1Route[] {
  return [
    ...accountRoutes(bank, currency),
    ...movementRoutes(bank),
    ...historyRoutes(bank),
    ...searchRoutes(bank),
    ...proofRoutes(bank),
    ...adjustmentRoutes(bank),
    ...credentialRoutes(bank),
    ...auditRoutes(bank),
    ...webhookRoutes(bank, webhooks),
  ]
}

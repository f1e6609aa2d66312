/** The routes of /v1 with a body parser and a size of their own, and the documents made from the same table. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Access } from '../../access/access.ts'
import type { Bank } from '../../bank/bank.ts'
import { businessDays } from '../../bank/business-day.ts'
import type { Webhooks } from '../../bank/webhooks.ts'
import type { Currency } from '../../ledger/money.ts'
import type { Hour } from '../../telemetry/hour.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Watch } from '../../watch/watch.ts'
import { sendJson } from '../accounts.ts'
import { jsonBody } from '../body.ts'
import type { Gate } from '../gate.ts'
import { ProblemError } from '../problem.ts'
import { addRoutes, type Paths, type Route } from '../routes.ts'
import { accountRoutes } from './accounts.ts'
import { adjustmentRoutes } from './adjustments.ts'
import { auditRoutes } from './audit.ts'
import { batchRoutes } from './batches.ts'
import { cardRoutes } from './cards.ts'
import { credentialRoutes } from './credentials.ts'
import { docsPage, docsPolicy } from './docs.ts'
import { eventRoutes } from './events.ts'
import { readExactly } from './exact.ts'
import { exceptionRoutes } from './exceptions.ts'
import { exchangeRoutes } from './exchanges.ts'
import { historyRoutes } from './history.ts'
import { journalRoutes } from './journal.ts'
import { movementRoutes } from './movements.ts'
import { openApi } from './openapi.ts'
import { overviewRoutes } from './overview.ts'
import { proofRoutes } from './proofs.ts'
import { refuseIfMatch, type V1Route } from './route.ts'
import { searchRoute } from './search.ts'
import { searchRoutes } from './searches.ts'
import { Secrets } from './secrets.ts'
import { sessionRoutes } from './session.ts'
import { terminalOperationRoutes } from './terminal-operations.ts'
import { terminalRoutes } from './terminals.ts'
import { webhookRoutes } from './webhooks.ts'
import { withdrawalHistoryRoute } from './withdrawal-history.ts'
import { withdrawalRoutes } from './withdrawals.ts'

const bodyMax = 2 ** 20

export type V1Options = {
  readonly bank: Bank
  readonly access: Access
  readonly gate: Gate
  readonly paths: Paths
  readonly currency: Currency
  readonly webhooks: Webhooks
  readonly watch: Watch
  readonly hour: Hour
  /** What card numbers and PINs become; undefined where the server has no keys. */
  readonly vault: Vault | undefined
  /** Where business days begin at midnight: an IANA name. */
  readonly timeZone: string
}

export async function v1(app: FastifyInstance, options: V1Options): Promise<void> {
  const { bank, access, gate, paths } = options
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', jsonBody(bodyMax, readExactly))
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

  const table = [...v1Routes(options), ...eventRoutes(bank, { access, ending: ending.signal })]
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
  const routes = table.map((route) => (route.method === 'GET' ? route : checked(route)))
  addRoutes(app, [...routes, ...documents], { gate, paths })
}

/** A command whose headers are looked at first: what guards nothing, and the key that there must be. */
function checked(route: V1Route): V1Route {
  const { guarded, keyed, handler } = route
  if (guarded) return route
  return {
    ...route,
    handler: async (request, reply) => {
      refuseIfMatch(request)
      if (keyed === 'always') refuseWithoutKey(request)
      return handler(request, reply)
    },
  }
}

function refuseWithoutKey(request: FastifyRequest): void {
  if (request.headers['idempotency-key'] === undefined)
    throw new ProblemError('idempotency_key_missing', 'A terminal must be able to ask again')
}

export function v1Routes({
  bank,
  access,
  currency,
  webhooks,
  watch,
  hour,
  vault,
  timeZone,
}: Omit<V1Options, 'gate' | 'paths'>): V1Route[] {
  const secrets = new Secrets({ bank, vault, isDemo: () => access.demo })
  const dayOf = businessDays(timeZone)
  return [
    ...accountRoutes(bank, { fallback: currency, dayOf }),
    ...movementRoutes(bank),
    ...historyRoutes(bank),
    ...searchRoutes(bank),
    searchRoute(bank, { vault, dayOf: businessDays(timeZone) }),
    ...proofRoutes(bank),
    ...journalRoutes(bank),
    ...adjustmentRoutes(bank),
    ...sessionRoutes(access, currency),
    ...credentialRoutes(bank),
    ...auditRoutes(bank),
    ...webhookRoutes(bank, webhooks),
    ...terminalRoutes(bank, secrets),
    ...withdrawalRoutes(bank, secrets),
    withdrawalHistoryRoute(bank),
    ...terminalOperationRoutes(bank, secrets),
    ...exchangeRoutes(bank),
    ...batchRoutes(bank),
    ...exceptionRoutes(bank),
    ...overviewRoutes(watch, hour),
    ...cardRoutes(bank, { secrets, dayOf }),
  ]
}

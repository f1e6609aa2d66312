/** What operators and their machines ask: is it alive, may it get traffic, how is it doing. */
import type { Bank } from '../bank/bank.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Route } from './routes.ts'

export function healthRoutes(of: { bank: Bank; metrics: Metrics; draining(): boolean }): Route[] {
  return [
    {
      method: 'GET',
      url: '/healthz',
      may: 'health',
      handler: (_, reply) => reply.send({ status: 'ok' }),
    },
    {
      method: 'GET',
      url: '/readyz',
      may: 'health',
      handler: (_, reply) => {
        const { isAway, writable } = of.bank
        const status = of.draining()
          ? 'draining'
          : isAway
            ? 'store_unavailable'
            : writable
              ? 'ready'
              : 'read_only'
        return reply.code(status === 'ready' ? 200 : 503).send({ status })
      },
    },
    {
      method: 'GET',
      url: '/metrics',
      may: 'measure',
      handler: async (_, reply) => reply.type(of.metrics.contentType).send(await of.metrics.read()),
    },
  ]
}

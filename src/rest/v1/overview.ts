/** All machines at a glance: what needs a person, and how it goes. */
import { type Hour, type Step, stepMs } from '../../telemetry/hour.ts'
import type { Attention } from '../../watch/attention.ts'
import type { CashDay } from '../../watch/cash-days.ts'
import type { Overview, Watch } from '../../watch/watch.ts'
import { send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { timeOf } from './time.ts'

export function overviewRoutes(watch: Watch, hour: Hour): V1Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/overview',
      may: 'oversee',
      summary: 'What needs a person, worst first, with the figures of all machines',
      replies: { 200: schemas.overviewReply },
      problems: [],
      handler: async (_, reply) => {
        // A server that nobody looks at has nothing to read for it.
        watch.start()
        return send(reply, { status: 200, body: overviewBody(await watch.overview()) })
      },
    },
    {
      method: 'GET',
      url: '/v1/overview/hour',
      may: 'oversee',
      summary: 'Operations committed in the last hour, and how long commits took; of this server alone',
      replies: { 200: schemas.overviewHourReply },
      problems: [],
      handler: async (_, reply) => {
        const points = hour.steps().map(pointBody)
        return send(reply, { status: 200, body: { step_s: stepMs / 1000, points } })
      },
    },
    {
      method: 'GET',
      url: '/v1/overview/cash',
      may: 'oversee',
      summary: 'What was in machines at the end of each of the last 14 business days; the last one is today',
      replies: { 200: schemas.overviewCashReply },
      problems: [],
      handler: async (_, reply) => {
        const days = (await watch.cashDays()).map(dayBody)
        return send(reply, { status: 200, body: { days } })
      },
    },
  ]
}

function overviewBody({ at, attention, more, ...figures }: Overview): object {
  return {
    at: timeOf(at),
    ...figures,
    attention: attention.map((each) => attentionBody(each, at)),
    more,
  }
}

function attentionBody({ since, usual_ms, ...attention }: Attention, now: number): object {
  return {
    ...attention,
    ...(since !== undefined && { since: timeOf(since), age_s: secondsOf(now - since) }),
    ...(usual_ms !== undefined && { usual_s: secondsOf(usual_ms) }),
  }
}

function secondsOf(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000))
}

function pointBody({ at, operations, p50Ms: p50_ms, p99Ms: p99_ms }: Step): object {
  return { at: timeOf(at), operations, p50_ms, p99_ms }
}

function dayBody({ day, cash }: CashDay): object {
  const sorted = [...cash].sort(([a], [b]) => (a < b ? -1 : 1))
  return { day, cash: sorted.map(([currency, amount]) => ({ currency, amount })) }
}

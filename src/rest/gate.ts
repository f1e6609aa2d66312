/** The gate of this interface: each route says what it needs, and nothing of a request is read before it may come in. */
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import {
  type Access,
  type Admission,
  type Asked,
  type Caller,
  type Denial,
  denyOther,
  denyRole,
} from '../access/access.ts'
import type { Permission } from '../access/permissions.ts'
import { ProblemError, sendProblem } from './problem.ts'
import { isOwnPage, sessionIn } from './session-cookie.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set by the gate before anything else looks at the request. */
    caller: Caller
  }
}

/**
 * What a route needs: a permission; `public`, open to everybody; `page`, open and not counted, as a page is dozens of
 * files that are in memory; `health`, open wherever it is asked from, and not counted.
 */
export type Needs = Permission | 'public' | 'page' | 'health'

export type Gate = (needs: Needs) => onRequestHookHandler

export function gateOf(access: Access): Gate {
  // As the IETF's draft on RateLimit header fields writes it.
  const policies = Object.fromEntries(
    access.limits.map(({ of, quota, windowMs }) => [of, `"${of}";q=${quota};w=${windowMs / 1000}`]),
  )
  return (needs) => (request, reply, done) => {
    if (needs === 'health') return done()
    const asked = askedBy(request)
    const finish = (admission: Admission) => {
      const { rate } = admission
      if (rate !== undefined) {
        reply.header('ratelimit-policy', policies[rate.of])
        reply.header('ratelimit', `"${rate.of}";r=${rate.left};t=${rate.resetS}`)
      }
      if (isDenied(admission)) return void deny(reply, admission.denial)
      request.caller = admission.caller
      done()
    }
    const admission =
      needs === 'public' || needs === 'page'
        ? access.admitAnybody(asked, { counted: needs === 'public' })
        : access.admit(asked, needs)
    if (admission instanceof Promise) admission.then(finish, done)
    else finish(admission)
  }
}

/** Refuses what a caller's role does not allow, where only the body says what is asked. */
export function demand({ caller }: FastifyRequest, permission: Permission): void {
  const denial = denyRole(caller, permission)
  if (denial !== undefined) throw new ProblemError(denial.code, denial.detail)
}

/** Refuses a terminal what its path names of another one, before anything is said of that. */
export const ownTerminal: onRequestHookHandler = (request, reply, done) => {
  const { terminal = '' } = request.params as { terminal?: string }
  const denial = denyOther(request.caller, terminal)
  if (denial === undefined) done()
  else deny(reply, denial)
}

function isDenied(admission: Admission): admission is Extract<Admission, { denial: Denial }> {
  return 'denial' in admission
}

/** A request as the gate judges it. The original routes know neither pages nor their sessions. */
export function askedBy(request: FastifyRequest): Asked {
  const { headers, raw, method } = request
  const url = raw.url ?? ''
  const isOriginal = !url.startsWith('/v1')
  return {
    authorization: headers.authorization,
    url,
    host: headers.host,
    forwarded: () =>
      Object.keys(headers).some((name) => name === 'forwarded' || name.startsWith('x-forwarded-')),
    origin: isOriginal ? undefined : headers.origin,
    session: isOriginal ? undefined : sessionIn(headers.cookie),
    changes: method !== 'GET' && method !== 'HEAD',
    isOwnPage: () => isOwnPage(request),
    address: () => request.ip,
  }
}

export function deny(reply: FastifyReply, { code, detail, retryAfterS }: Denial): FastifyReply {
  if (code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="cashpoint"')
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS))
  return sendProblem(reply, code, detail)
}

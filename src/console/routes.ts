/**
 * The pages for people, as routes: `/atm`, and what it loads. While demo mode is off they are not there, since a
 * browser is no device to type a PIN into.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Access } from '../access/access.ts'
import { sendProblem } from '../rest/problem.ts'
import type { Route } from '../rest/routes.ts'
import { type Asset, type Assets, loadAssets } from './assets.ts'

/** Everything comes from this server, nothing inline, and nobody may put the page into a frame. */
export const pagePolicy = [
  "default-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const headers = {
  'content-security-policy': pagePolicy,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Kept, and asked for each time: a new version of the server is a new page.
  'cache-control': 'no-cache',
  vary: 'Accept-Encoding',
}

export const atmPath = '/atm'
const atmPage = '/web/console/web/atm/atm.html'

export function consoleRoutes(access: Pick<Access, 'demo'>): Route[] {
  // When a page is first asked for: a server that shows none needs none of it.
  let assets: Promise<Assets> | undefined
  const serve = (pathOf: (request: FastifyRequest) => string) => {
    return async (request: FastifyRequest, reply: FastifyReply) => {
      if (!access.demo) return sendProblem(reply, 'not_found')
      assets ??= loadAssets().catch((error) => {
        assets = undefined
        throw error
      })
      const asset = (await assets).get(pathOf(request))
      return asset === undefined ? sendProblem(reply, 'not_found') : send(request, reply, asset)
    }
  }
  const below = (folder: string): Route => ({
    method: 'GET',
    url: `/${folder}/*`,
    may: 'public',
    handler: serve((request) => `/${folder}/${(request.params as { '*': string })['*']}`),
  })
  return [
    { method: 'GET', url: atmPath, may: 'public', handler: serve(() => atmPage) },
    below('web'),
    below('vendor'),
  ]
}

function send(request: FastifyRequest, reply: FastifyReply, asset: Asset): FastifyReply {
  const { type, bytes, gzipped, etag } = asset
  reply.headers({ ...headers, etag })
  if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send()
  reply.type(type)
  if (!/\bgzip\b(?!\s*;\s*q=0(\.0+)?\b)/.test(request.headers['accept-encoding'] ?? ''))
    return reply.send(bytes)
  return reply.header('content-encoding', 'gzip').send(gzipped)
}

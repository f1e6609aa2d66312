/**
 * The pages for people, as routes: `/console` with everything below it, `/atm`, and what they load. While demo mode is
 * off `/atm` is not there, nor are its modules, since a browser is no device to type a PIN into.
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
  vary: 'Accept-Encoding',
}

/** A page is asked for each time, and names its files by their version: those are had once. */
const askedAnew = 'no-cache'
const forGood = 'public, max-age=31536000, immutable'

export const atmPath = '/atm'
const atmFolder = '/web/console/web/atm/'
const atmPage = `${atmFolder}atm.html`

export type Pages = {
  readonly routes: readonly Route[]
  /** Has the files ready before anybody asks for them, who would wait a fifth of a second longer. */
  prepare(): void
}

export function consolePages(access: Pick<Access, 'demo'>): Pages {
  let loading: Promise<Assets> | undefined
  const load = () => {
    loading ??= loadAssets().catch((error) => {
      loading = undefined
      throw error
    })
    return loading
  }
  const file = (url: string, pathOf: (request: FastifyRequest) => string): Route =>
    page(url, async (request, reply) => {
      const asked = pathOf(request)
      const path = asked.replace(/(?<=^\/(web|vendor)\/)@[^/]*\//, '')
      if (path.startsWith(atmFolder) && !access.demo) return sendProblem(reply, 'not_found')
      const { files, version } = await load()
      const asset = files.get(path)
      if (asset === undefined) return sendProblem(reply, 'not_found')
      return send(request, reply, asset, asked.includes(`/${version}/`) ? forGood : askedAnew)
    })
  const below = (folder: string) =>
    file(`/${folder}/*`, (request) => `/${folder}/${(request.params as { '*': string })['*']}`)
  // One document for every address: which of its parts is meant, its router sees.
  const shown = (url: string) =>
    page(url, async (request, reply) => {
      const [path = ''] = request.url.split('?', 1)
      return send(request, reply, (await load()).consoleAt(path), askedAnew)
    })
  const routes = [
    file(atmPath, () => atmPage),
    shown('/console'),
    shown('/console/*'),
    below('web'),
    below('vendor'),
  ]
  return {
    routes,
    // What stands in the way is told to whoever asks for a page.
    prepare: () => void load().catch(() => {}),
  }
}

function page(url: string, handler: Route['handler']): Route {
  return { method: 'GET', url, may: 'page', handler }
}

function send(request: FastifyRequest, reply: FastifyReply, asset: Asset, cached: string): FastifyReply {
  const { type, bytes, gzipped, etag } = asset
  reply.headers({ ...headers, etag, 'cache-control': cached })
  if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send()
  reply.type(type)
  if (!/\bgzip\b(?!\s*;\s*q=0(\.0+)?\b)/.test(request.headers['accept-encoding'] ?? ''))
    return reply.send(bytes)
  return reply.header('content-encoding', 'gzip').send(gzipped)
}

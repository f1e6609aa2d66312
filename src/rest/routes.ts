/** Routes as data, so that what a path does not allow is known from the same table: 405 with `Allow`. */
import { METHODS } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import FindMyWay from 'find-my-way'
import { type Gate, type Needs, ownTerminal } from './gate.ts'
import { sendProblem } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The path that was asked for, whether it allows the method or not; not set before the hooks of its routes. */
    knownPath?: KnownPath
  }
}

export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly may: Needs
  /** Whether the path names a terminal that, where one asks, must be itself. */
  readonly own?: true
  /** JSON Schema of the body, where Fastify is to check it. */
  readonly body?: object | undefined
  /** Gives the reply that it has sent; or nothing, where that is asked for often and a promise of a reply costs more. */
  handler(request: FastifyRequest, reply: FastifyReply): FastifyReply | Promise<FastifyReply> | Promise<void>
}

/** Longer than any path that headers have room for: what a parameter may be, its route says. */
export const maxParamLength = 16_384

/** All that can arrive: Node itself ends a CONNECT. */
const methods = METHODS.filter((method) => method !== 'CONNECT')

/** Makes the methods known that Fastify would call malformed. Once, before routes are added. */
export function knowMethods(app: FastifyInstance): void {
  for (const method of methods) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
}

/** A path as its routes write it, and the methods that it allows. */
export type KnownPath = { readonly url: string; readonly allowed: readonly string[] }

/**
 * The paths there are, whatever is asked of them: Fastify's own router, asked without the method. A route of Fastify's
 * for each method that a path does not allow would be three thousand of them.
 */
export class Paths {
  readonly #router = FindMyWay({ maxParamLength })

  add(path: KnownPath): void {
    this.#router.on('GET', path.url, () => {}, path)
  }

  /** The path of a request's target; undefined where there is none. */
  find(target: string): KnownPath | undefined {
    return this.#router.find('GET', target)?.store
  }
}

/** Adds the routes, and their paths to those that are known. */
export function addRoutes(
  app: FastifyInstance,
  routes: readonly Route[],
  { gate, paths }: { readonly gate: Gate; readonly paths: Paths },
): void {
  for (const [url, of] of Map.groupBy(routes, (route) => route.url)) {
    const allowed: string[] = of.map(({ method }) => method)
    // Fastify answers HEAD wherever there is a GET.
    if (allowed.includes('GET')) allowed.push('HEAD')
    const path = { url: app.prefix + url, allowed }
    paths.add(path)

    // Fastify knows the route as well, and makes an object of all that it knows of it for whoever asks.
    const know: onRequestHookHandler = (request, _, done) => {
      request.knownPath = path
      done()
    }
    for (const { method, may, own, body, handler } of of) {
      const onRequest = own ? [know, gate(may), ownTerminal] : [know, gate(may)]
      app.route({ method, url, handler, onRequest, ...(body && { schema: { body } }) })
    }
  }
}

/** Refuses a method that the path does not allow: before the body is looked at, since what is wrong is the method. */
export function refuseMethods(
  paths: Paths,
  isOpen: (request: FastifyRequest) => boolean,
): onRequestHookHandler {
  return (request, reply, done) => {
    const path = request.is404 ? paths.find(request.raw.url ?? '') : undefined
    if (path === undefined) return done()
    request.knownPath = path
    // `openTo` answers OPTIONS where it is open.
    const allowed = isOpen(request) ? [...path.allowed, 'OPTIONS'] : path.allowed
    sendProblem(reply.header('allow', allowed.join(', ')), 'method_not_allowed')
  }
}

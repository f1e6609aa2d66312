/** Routes as data, so that what a path does not allow is known from the same table: 405 with `Allow`. */
import { METHODS } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { type Gate, type Needs, ownTerminal } from './gate.ts'
import { sendProblem } from './problem.ts'

export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly may: Needs
  /** Whether the path names a terminal that, where one asks, must be itself. */
  readonly own?: true
  /** JSON Schema of the body, where Fastify is to check it. */
  readonly body?: object | undefined
  handler(request: FastifyRequest, reply: FastifyReply): FastifyReply | Promise<FastifyReply>
}

/** All that can arrive: Node itself ends a CONNECT. */
const methods = METHODS.filter((method) => method !== 'CONNECT')

/** Makes the methods known that Fastify would call malformed. Once, before routes are added. */
export function knowMethods(app: FastifyInstance): void {
  for (const method of methods) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
}

/** Adds the routes, and for each of their paths the answer to every other method. */
export function addRoutes(
  app: FastifyInstance,
  routes: readonly Route[],
  { gate, cors = () => false }: { readonly gate: Gate; cors?(): boolean },
): void {
  for (const { method, url, may, own, body, handler } of routes) {
    const onRequest = own ? [gate(may), ownTerminal] : gate(may)
    app.route({ method, url, handler, onRequest, ...(body && { schema: { body } }) })
  }

  for (const url of new Set(routes.map((route) => route.url))) {
    const allowed: string[] = routes.filter((route) => route.url === url).map(({ method }) => method)
    // Fastify answers HEAD wherever there is a GET, and `openTo` answers OPTIONS where it is open.
    if (allowed.includes('GET')) allowed.push('HEAD')
    app.route({
      method: methods.filter((method) => !allowed.includes(method)) as HTTPMethods[],
      url,
      // Before the body is looked at: what is wrong is the method.
      onRequest: (_, reply, __) => {
        const now = cors() ? [...allowed, 'OPTIONS'] : allowed
        sendProblem(reply.header('allow', now.join(', ')), 'method_not_allowed')
      },
      handler: () => {},
    })
  }
}

/** The HTTP interface: requests to commands, replies to responses. It knows no rule and no SQL. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { Logger } from 'pino'
import type { Access } from '../access/access.ts'
import { hasKey, withoutKeys } from '../access/key.ts'
import type { Bank } from '../bank/bank.ts'
import { StoreError } from '../bank/store.ts'
import type { Webhooks } from '../bank/webhooks.ts'
import type { Currency } from '../ledger/money.ts'
import { requestLog } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Vault } from '../vault/vault.ts'
import type { Watch } from '../watch/watch.ts'
import { accountRoutes } from './accounts.ts'
import { jsonBody } from './body.ts'
import { openTo } from './cors.ts'
import { gateOf } from './gate.ts'
import { healthRoutes } from './health.ts'
import { readMembers } from './members.ts'
import { type ProblemCode, ProblemError, problemOf, retryAfterOf, sendProblem, statusOf } from './problem.ts'
import { addRoutes, knowMethods, maxParamLength, Paths, type Route, refuseMethods } from './routes.ts'
import { v1 } from './v1/plugin.ts'
import { schemaController, whatIsInvalid } from './v1/validation.ts'

export type ServerOptions = {
  readonly bank: Bank
  readonly access: Access
  readonly webhooks: Webhooks
  readonly log: Logger
  readonly metrics: Metrics
  /** What needs a person at machines. */
  readonly watch: Watch
  /** Of accounts that a deposit opens. */
  readonly currency: Currency
  /** What card numbers and PINs become; without one nothing is done with a card. */
  readonly vault?: Vault | undefined
  /** Where business days begin at midnight: an IANA name; UTC if left out. */
  readonly timeZone?: string
  /** Proxies whose word is taken for where a request came from: addresses and networks. */
  readonly trustedProxies?: readonly string[]
  /** Whether the server is going down, for `/readyz`. */
  draining(): boolean
  /** Where people who ask for `/` with a browser are led, if anywhere. */
  startPage?(): string | undefined
  /** Routes beside the usual ones: the pages, and the control of the bench. */
  readonly moreRoutes?: readonly Route[]
}

const bodyMax = 64 * 1024

/**
 * A body that never ends would hold its socket for ever under Node's defaults. The headers' limit must be the
 * smaller one, or the body's is never looked at.
 */
export const httpLimits = {
  requestTimeout: 10_000,
  headersTimeout: 8_000,
  connectionsCheckingInterval: 1_000,
}

/** A missing Host is refused here, too: Node would answer it, and then do what follows on the connection. */
export function httpOptions() {
  return { ...httpLimits, requireHostHeader: false }
}

/** Longer than the lock deadline, so that it only cuts clients that stopped reading. Milliseconds. */
export const stalledSocketMs = 30_000

export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { bank, access, log, metrics, currency, trustedProxies = [], draining, moreRoutes = [] } = options
  const app = Fastify({
    requestTimeout: httpLimits.requestTimeout,
    connectionTimeout: stalledSocketMs,
    http: httpOptions(),
    rewriteUrl: (request) => pathOf(request),
    routerOptions: { maxParamLength },
    forceCloseConnections: 'idle',
    // What comes while the server stops is answered like the rest, and `/readyz` says draining.
    return503OnClosing: false,
    genReqId: requestId,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    schemaController,
    frameworkErrors: (_error, request, reply) => {
      onError(new ProblemError('malformed_request'), request, reply)
    },
    clientErrorHandler: onClientError,
  })
  // Pages of other origins may call the original routes, as they always could, while nobody but this machine can.
  const isOpen = ({ raw }: FastifyRequest) =>
    access.demo && /^\/(accounts[/?]|accounts$|$|\?)/.test(raw.url ?? '')
  app.addHook('onRequest', openTo(isOpen))
  app.decorateRequest('caller')
  app.decorateRequest('knownPath')
  const gate = gateOf(access)

  knowMethods(app)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', jsonBody(bodyMax, readMembers))
  app.setErrorHandler(onError)
  app.setNotFoundHandler((_, reply) => sendProblem(reply, 'not_found'))

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    const { socket } = request.raw
    const ambiguity = whatIsAmbiguous(request.raw)
    if (ambiguity !== undefined) distrusted.add(socket)
    if (!distrusted.has(socket)) return done()
    reply.header('connection', 'close')
    done(new ProblemError('malformed_request', ambiguity))
  })
  const paths = new Paths()
  const logRequest = requestLog(log)
  app.addHook('onRequest', refuseMethods(paths, isOpen))
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, id } = request
    const ms = reply.elapsedTime
    const route = request.knownPath?.url ?? request.routeOptions.url ?? 'none'
    metrics.onResponse(method, route, reply.statusCode, ms)
    logRequest({
      id,
      method,
      path: withoutKeys(withoutQuery(url)),
      actor: request.caller?.actor ?? '',
      status: reply.statusCode,
      ms,
    })
    done()
  })

  addRoutes(
    app,
    [
      ...accountRoutes(bank, currency, options.startPage),
      ...healthRoutes({ bank, metrics, draining }),
      ...moreRoutes,
    ],
    { gate, paths },
  )
  const { webhooks, watch, vault, timeZone = 'UTC' } = options
  const { hour } = metrics
  await app.register(v1, { bank, access, gate, paths, currency, webhooks, watch, hour, vault, timeZone })
  return app

  function onError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void {
    if (error instanceof ProblemError) sendProblem(reply, error.code, error.detail)
    else if ('validation' in error && error.validation)
      sendProblem(reply, 'invalid_request', whatIsInvalid(error))
    else if ('statusCode' in error && error.statusCode !== undefined && error.statusCode < 500)
      sendProblem(reply, codeByStatus[error.statusCode] ?? 'malformed_request')
    else if (error instanceof StoreError && error.code === 'unavailable') {
      log.warn({ id: request.id, err: error }, 'the store is unavailable')
      sendProblem(reply, 'store_unavailable')
    } else {
      log.error({ id: request.id, err: error }, 'request failed')
      sendProblem(reply, 'internal')
    }
  }
}

const codeByStatus: Record<number, ProblemCode> = {
  404: 'not_found',
  408: 'request_timeout',
  413: 'body_too_large',
  415: 'media_type_unsupported',
  431: 'headers_too_large',
}

function withoutQuery(url: string): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

// The start's time and a count: unique over restarts, and cheap.
const idPrefix = `${Date.now().toString(36)}-`
let idCount = 0

/** The client's own `X-Request-Id` where it is fit for a log line, else one of ours. */
function requestId(request: { headers: Record<string, unknown> }): string {
  const given = request.headers['x-request-id']
  if (typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) && !hasKey(given)) return given
  idCount += 1
  return idPrefix + idCount.toString(36)
}

// Connections on which something ambiguous came: what follows on them may be anybody's, and is not done.
const distrusted = new WeakSet<Socket>()

/**
 * What a proxy before us may have read otherwise than Node does, and taken for another request or for one to another
 * host: RFC 9112, sections 3.2 and 6.1, wants 400, and the connection closed.
 */
function whatIsAmbiguous({
  httpVersion,
  headers,
  rawHeaders,
  url = '',
}: IncomingMessage): string | undefined {
  if (httpVersion === '0.9') return 'The version of HTTP must be given'
  const hosts = countHosts(rawHeaders)
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0')) return 'There must be one Host header'
  const encoding = headers['transfer-encoding']
  if (encoding !== undefined && (httpVersion === '1.0' || encoding.toLowerCase() !== 'chunked'))
    return 'Transfer-Encoding must be chunked, and nothing else'
  if (!url.startsWith('/') && url !== '*') return 'The target must be a path, or of the host that Host names'
  return undefined
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}

/** The target as a path, also where it came as a whole URL of this host, as proxies are asked. */
function pathOf({ url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>): string {
  if (url.startsWith('/')) return url
  const [, host, path = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? []
  if (host === undefined || host.toLowerCase() !== headers.host?.toLowerCase()) return url
  return path.startsWith('/') ? path : `/${path}`
}

/** The response that a connection waits for, if any. Node knows it under this name, and tells it in no other way. */
export function responseOn(socket: Socket): ServerResponse | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined
}

/** What is not even HTTP: answered by hand, since there is no request yet. */
export function onClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  // It has its no, and is closed behind it.
  if (distrusted.has(socket)) return
  // Requests that came whole before the bad one have their answers first: what was done must not be called malformed.
  const response = responseOn(socket)
  if (response?.req.complete) {
    response.once('finish', () => onClientError(error, socket))
    return
  }
  refuseByHand(socket, codesByError[error.code ?? ''] ?? 'malformed_request')
}

const codesByError: Record<string, ProblemCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
}

/** Writes a problem to a connection without a request, and closes it. */
export function refuseByHand(socket: Socket, code: ProblemCode): void {
  const body = JSON.stringify(problemOf(code))
  const status = statusOf(code)
  const retryAfterS = retryAfterOf(code)
  const retryAfter = retryAfterS === undefined ? '' : `retry-after: ${retryAfterS}\r\n`
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\n${retryAfter}` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
  // A client that never closes its side would keep the socket; one that is still sending reads the answer meanwhile.
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

const lingerMs = 1_000

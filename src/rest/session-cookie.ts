/** The cookie that a browser keeps a session in, and what a browser says of the page that asks. */
import type { FastifyRequest } from 'fastify'

export const sessionCookieName = 'cashpoint_session'

/**
 * The token in a request's cookies. Undefined also where there are several of the name: one of them was set by
 * somebody else, for a path or a domain of their own, and which one cannot be told.
 */
export function sessionIn(cookies: string | undefined): string | undefined {
  if (cookies === undefined || !cookies.includes(sessionCookieName)) return undefined
  const tokens = cookies.split(';').flatMap((cookie) => {
    const [key = '', value = ''] = cookie.split('=')
    return key.trim() === sessionCookieName ? [value.trim()] : []
  })
  return tokens.length === 1 ? tokens[0] : undefined
}

/** `Set-Cookie` of a session; it ends with the browser. Under TLS it goes nowhere without. */
export function cookieOf(token: string, request: FastifyRequest): string {
  return `${sessionCookieName}=${token}; HttpOnly; SameSite=Strict; Path=/${isByTls(request) ? '; Secure' : ''}`
}

/** `Set-Cookie` that takes it away. */
export function cookieGone(request: FastifyRequest): string {
  return `${cookieOf('', request)}; Max-Age=0`
}

/**
 * Whether the page that asks is of this server: its `Origin` has the host that was asked for, and TLS if the request
 * came by it. A proxy that does TLS need not say so, but must pass `Host` on as it came. Where a browser names no
 * origin, `Sec-Fetch-Site` tells the same; without either nobody knows.
 */
export function isOwnPage(request: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin === undefined || origin === 'null') return site === 'same-origin'
  const scheme = isPageOfTls(request) ? 'https' : 'http'
  if (scheme === 'http' && request.protocol === 'https') return false
  return URL.parse(`${scheme}://${request.host}`)?.origin === origin
}

/** Of the connection, of a trusted proxy's word, or of the page's own origin. */
function isByTls(request: FastifyRequest): boolean {
  return request.protocol === 'https' || isPageOfTls(request)
}

function isPageOfTls({ headers }: FastifyRequest): boolean {
  return headers.origin?.startsWith('https://') ?? false
}

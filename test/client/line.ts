/** A line between a client and a server that does what a test says: passes on, loses answers, answers itself, cuts. */
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Does =
  /** Hands on, and hands back. */
  | 'pass'
  /** Hands on, and hangs up before the answer. */
  | 'lose'
  /** Hangs up at once. */
  | 'drop'
  /** Hands back until so many bytes have come, then hangs up. */
  | { readonly cutAfter: number }
  /** Answers in the server's place. */
  | { readonly status: number; readonly code?: string; readonly retryAfter?: string; readonly text?: string }

export type Asked = { readonly method: string; readonly path: string; readonly headers: IncomingHttpHeaders }

/** Does the things of `plan` in turn, and then passes. Gives where it is and what was asked so far. */
export async function badLine(
  scope: { after(then: () => Promise<void>): void },
  { to, plan }: { to: string; plan: Does[] },
): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    asked.push({ method, path: url, headers })
    const does = plan.shift() ?? 'pass'
    if (does === 'drop') {
      incoming.socket.destroy()
      return
    }
    if (typeof does === 'object' && 'status' in does) {
      const { status, code = 'none', retryAfter, text } = does
      outgoing.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter })
      outgoing.end(text ?? JSON.stringify({ type: '', title: 'From the line', status, code, error: '' }))
      return
    }
    const onwards = request(to + url, { method, headers }, (response) => {
      if (does === 'lose') {
        response.resume().on('end', () => incoming.socket.destroy())
        return
      }
      outgoing.writeHead(response.statusCode ?? 0, response.headers)
      let left = typeof does === 'object' ? does.cutAfter : Infinity
      response.on('data', (piece: Buffer) => {
        // What had come already when it was cut.
        if (left <= 0) return
        outgoing.write(piece.subarray(0, Math.min(left, piece.length)))
        left -= piece.length
        if (left <= 0) {
          response.destroy()
          outgoing.end()
          setTimeout(() => incoming.socket.destroy(), 5)
        }
      })
      response.on('end', () => outgoing.end())
    })
    onwards.on('error', () => incoming.socket.destroy())
    outgoing.on('close', () => onwards.destroy())
    incoming.pipe(onwards)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

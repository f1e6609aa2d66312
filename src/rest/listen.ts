/** Listening: on an address, or on both loopbacks where the host is `localhost`, since clients try either first. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { httpLimits, onClientError, stalledSocketMs } from './server.ts'

/** The address cannot be listened on; the message is one line for the operator. */
export class ListenError extends Error {}

export type Listening = {
  readonly url: string
  /** Stops accepting, and resolves when what was accepted has been answered. */
  close(): Promise<void>
  /** Ends every connection, answered or not. */
  cut(): void
}

export async function listen(app: FastifyInstance, at: { host: string; port: number }): Promise<Listening> {
  const local = at.host === 'localhost'
  try {
    await app.listen({ host: local ? '127.0.0.1' : at.host, port: at.port })
  } catch (error) {
    throw asPortTaken(error, at.port)
  }
  const { port } = app.server.address() as AddressInfo
  const second = local ? await listenToo(app, port) : undefined
  return {
    url: `http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${port}`,
    async close() {
      const closed = second && new Promise((resolve) => second.close(resolve))
      second?.closeIdleConnections()
      await app.close()
      await closed
    },
    cut() {
      app.server.closeAllConnections()
      second?.closeAllConnections()
    },
  }
}

/** The same server on the IPv6 loopback, or nothing where the machine has none. */
function listenToo(app: FastifyInstance, port: number): Promise<Server | undefined> {
  const server = createServer(httpLimits, (request, response) => app.routing(request, response))
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve(undefined)
      else app.close().then(() => reject(asPortTaken(error, port)), reject)
    })
    server.on('clientError', onClientError)
    server.setTimeout(stalledSocketMs)
    server.listen({ host: '::1', port, ipv6Only: true }, () => resolve(server))
  })
}

function asPortTaken(error: unknown, port: number): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error
  const airPlay = port === 5000 ? ' (on macOS it is often AirPlay Receiver, which can be switched off)' : ''
  return new ListenError(
    `port ${port} is taken by another program${airPlay}; choose another, such as PORT=5050`,
  )
}

/** Listening: on an address, or on both loopbacks where the host is `localhost`, since clients try either first. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Crowd } from './crowd.ts'
import { ListenError } from './listen-error.ts'
import { httpOptions, onClientError, stalledSocketMs } from './server.ts'

export type Listening = {
  readonly url: string
  /** Stops accepting, and resolves when what was accepted has been answered. */
  close(): Promise<void>
  /** Ends every connection, answered or not. */
  cut(): void
}

/** Connections that may wait to be accepted, as many as Linux usually allows: beyond them one waits a second. */
const backlog = 4_096

/** How often a server that stops looks for connections that have been answered. Milliseconds. */
const restingEveryMs = 20

type At = {
  readonly host: string
  readonly port: number
  /** Each that asks nothing takes some 15 KB. */
  readonly connectionsMax?: number
}

export async function listen(app: FastifyInstance, at: At): Promise<Listening> {
  const local = at.host === 'localhost'
  const crowd = new Crowd(at.connectionsMax ?? Infinity)
  crowd.watch(app.server)
  try {
    await app.listen({ host: local ? '127.0.0.1' : at.host, port: at.port, backlog })
  } catch (error) {
    throw asListenError(error, at.port)
  }
  const { port } = app.server.address() as AddressInfo
  const second = local ? await listenToo(app, port) : undefined
  if (second) crowd.watch(second)
  return {
    url: `http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${port}`,
    async close() {
      // Node looks for idle connections once, and not at those that never asked anything: close would wait for them.
      const timer = setInterval(() => crowd.endResting(), restingEveryMs)
      const closed = second && new Promise((resolve) => second.close(resolve))
      await app.close()
      await closed
      clearInterval(timer)
    },
    cut: () => crowd.cut(),
  }
}

/** The same server on the IPv6 loopback, or nothing where the machine has none. */
function listenToo(app: FastifyInstance, port: number): Promise<Server | undefined> {
  const server = createServer(httpOptions(), (request, response) => app.routing(request, response))
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve(undefined)
      else app.close().then(() => reject(asListenError(error, port)), reject)
    })
    server.on('clientError', onClientError)
    server.setTimeout(stalledSocketMs)
    server.keepAliveTimeout = app.server.keepAliveTimeout
    server.listen({ host: '::1', port, ipv6Only: true, backlog }, () => resolve(server))
  })
}

function asListenError(error: unknown, port: number): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE': {
      const airPlay =
        port === 5000 ? ' (on macOS it is often AirPlay Receiver, which can be switched off)' : ''
      return new ListenError(
        `port ${port} is taken by another program${airPlay}; choose another, such as PORT=5050`,
      )
    }
    case 'EACCES':
      return new ListenError(`port ${port} needs rights that this user does not have; choose one above 1023`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ListenError('HOST is not an address of this machine')
    default:
      return error
  }
}

/** Listens for machines and switches at one address: in clear, or by TLS to those whose certificate says who they are. */
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { type Address, matchesAny, type Patterns } from './address.ts'
import { Connection, type LineOptions, type Log, lineDefaults } from './connection.ts'
import type { Desk } from './desk.ts'
import { answer, type From } from './host.ts'
import type { Onlookers } from './onlookers.ts'

/** One more is not let in: who is connected is a machine that works, and goes first. */
const connectionsMax = 4_096
const handshakeMs = 10_000

export type ListenerParts = {
  readonly desk: Desk
  readonly log: Log
  now(): number
  onAnswer(type: string, code: string): void
  readonly onlookers: Onlookers
}

export class Listener {
  readonly #address: Address
  readonly #parts: ListenerParts
  readonly #line: LineOptions
  readonly #servers: Server[] = []
  readonly #connections = new Set<Connection>()
  readonly #onIdle: (() => void)[] = []

  constructor(address: Address, parts: ListenerParts, line: Partial<LineOptions> = {}) {
    this.#address = address
    this.#parts = parts
    const { spec, framing } = address
    this.#line = { ...lineDefaults, spec, framing, ...line }
  }

  get port(): number {
    return (this.#servers[0]?.address() as AddressInfo | undefined)?.port ?? 0
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Rejects with the error of the system, such as EADDRINUSE. A host of `localhost` is both loopbacks. */
  async start(): Promise<void> {
    const { host, port } = this.#address
    const isLocal = host === 'localhost'
    await this.#listen(isLocal ? '127.0.0.1' : host, port)
    if (isLocal) await this.#listen('::1', this.port).catch((error) => this.#onSecond(error))
  }

  /** A machine without IPv6 has one loopback. */
  #onSecond(error: NodeJS.ErrnoException): void {
    if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') return
    for (const server of this.#servers) server.close()
    throw error
  }

  /** Lets nobody in any more, and resolves when what was asked has been answered. */
  async close(): Promise<void> {
    for (const server of this.#servers) server.close()
    for (const connection of this.#connections) connection.end()
    if (this.#connections.size === 0) return
    await new Promise<void>((resolve) => this.#onIdle.push(resolve))
  }

  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  #listen(host: string, port: number): Promise<void> {
    const server = this.#server()
    server.maxConnections = connectionsMax
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, ...(host === '::1' && { ipv6Only: true }) }, () => {
        server.off('error', reject)
        server.on('error', (error) => this.#parts.log.warn({ err: error }, 'ISO 8583 cannot accept'))
        this.#servers.push(server)
        resolve()
      })
    })
  }

  #server(): Server {
    // Half a connection that is closed is a machine that waits for its last answers.
    const options = { allowHalfOpen: true, keepAlive: true, noDelay: true }
    const { tls, terminals } = this.#address
    if (tls === undefined) return createServer(options, (socket) => this.#onConnection(socket, terminals))
    const [cert, key, ca] = [tls.cert, tls.key, tls.ca].map((path) => readFileSync(path))
    const certificates = { cert, key, ca, requestCert: true, rejectUnauthorized: true } as const
    const server = createTlsServer({
      ...options,
      ...certificates,
      handshakeTimeout: handshakeMs,
      minVersion: 'TLSv1.2',
    })
    server.on('tlsClientError', (error, socket) => {
      this.#parts.log.warn({ peer: socket.remoteAddress, err: error.message }, 'a TLS client is not let in')
    })
    return server.on('secureConnection', (socket: TLSSocket) => {
      const name = socket.getPeerCertificate().subject?.CN
      this.#onConnection(socket, this.#address.clients.get(String(name)) ?? terminals)
    })
  }

  #onConnection(socket: Socket, patterns: Patterns): void {
    const { desk, log, now, onAnswer, onlookers } = this.#parts
    const { spec, strict } = this.#address
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    const from: From = {
      isOurs: (terminal) => matchesAny(patterns, terminal),
      strict,
      spec,
      onWrongMac: (type, terminal) => log.warn({ peer, type, terminal }, 'a message has no right MAC'),
    }
    const connection = new Connection(socket, this.#line, {
      from,
      log,
      onAnswer,
      onPassed: (passed) => onlookers.pass({ at: now(), ...passed }, spec),
      answer: (received, from) => answer(desk, received, from, now()),
    })
    this.#connections.add(connection)
    socket.once('close', () => {
      this.#connections.delete(connection)
      if (this.#connections.size === 0) for (const then of this.#onIdle.splice(0)) then()
    })
  }
}

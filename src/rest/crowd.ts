/**
 * The connections of a server, of which there are at most so many. Where one more comes, the one that has gone
 * longest without a whole request gives way: whoever connects and asks nothing keeps out nobody but their like.
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { refuseByHand, responseOn } from './server.ts'

export class Crowd {
  readonly #max: number
  /** Who asked last stands last. */
  readonly #sockets = new Set<Socket>()

  constructor(connectionsMax: number) {
    this.#max = connectionsMax
  }

  /** Takes in what connects to a server from now on. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#onConnection(socket))
    server.on('request', ({ socket }) => this.#onRequest(socket))
  }

  /** Ends the connections that nothing is being answered on. */
  endResting(): void {
    for (const socket of this.#sockets) if (responseOn(socket) === undefined) socket.destroy()
  }

  /** Ends every connection, answered or not. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #onConnection(socket: Socket): void {
    const hasRoom = this.#sockets.size < this.#max || this.#makeRoom()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (!hasRoom) refuseByHand(socket, 'overloaded')
  }

  #onRequest(socket: Socket): void {
    if (this.#sockets.delete(socket)) this.#sockets.add(socket)
  }

  /** What has not wholly come was not done: a connection of which that is so can go without a word. */
  #makeRoom(): boolean {
    for (const socket of this.#sockets) {
      if (responseOn(socket)?.req.complete) continue
      this.#sockets.delete(socket)
      socket.destroy()
      return true
    }
    return false
  }
}

/**
 * One message by ISO 8583, once: the answer to it, or that there was none. One connection carries all that a machine
 * says; it is made when something is to be said and there is none, and one that dies takes with it what has not been
 * answered. Answers come in any order and are matched by type, STAN and terminal. Tries nothing again.
 */
import { connect, type Socket } from 'node:net'
import { type Draft, isMalformed, iso87a, type Message, pack, parse } from '../../iso8583/message/index.ts'
import type { Lost } from '../../outside/wire.ts'

export type IsoAddress = { readonly host: string; readonly port: number }

type Said = Message | Lost
type Waiting = (said: Said) => void

// Longer than the 10 s after which a host answers that it could not.
const answerMaxMs = 15_000
const lengthDigits = 4

export class IsoWire {
  readonly #at: IsoAddress
  #connection: Connection | undefined
  #isClosed = false

  constructor(at: IsoAddress) {
    this.#at = at
  }

  async send(message: Draft): Promise<Said> {
    if (this.#isClosed) return { lost: 'hung up', sent: false }
    if (this.#connection === undefined || this.#connection.isOver) this.#connection = new Connection(this.#at)
    return this.#connection.ask(message)
  }

  /** Drops the connection, if there is one; the next message makes another. */
  drop(why = 'cut off'): void {
    this.#connection?.end(why)
  }

  /** For good. */
  close(): void {
    this.#isClosed = true
    this.drop('hung up')
  }
}

class Connection {
  readonly #socket: Socket
  /** Those who wait for an answer, by what it is matched by; the oldest first. */
  readonly #waiting = new Map<string, Waiting[]>()
  #rest = Buffer.alloc(0)
  isOver = false

  constructor({ host, port }: IsoAddress) {
    this.#socket = connect({ host, port, noDelay: true, keepAlive: true })
    this.#socket.on('data', (bytes) => this.#onBytes(bytes))
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.end(error.code ?? error.message))
    this.#socket.on('close', () => this.end('cut off'))
  }

  ask(message: Draft): Promise<Said> {
    const bytes = framed(message)
    return new Promise((resolve) => {
      const key = keyOf(answerTypeOf(message.mti), message.fields)
      const timer = setTimeout(
        () => then({ lost: `no answer in ${answerMaxMs / 1000} s`, sent: true }),
        answerMaxMs,
      )
      const then = (said: Said) => {
        clearTimeout(timer)
        this.#forget(key, then)
        resolve(said)
      }
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), then])
      this.#socket.write(bytes)
    })
  }

  end(why: string): void {
    if (this.isOver) return
    this.isOver = true
    this.#socket.destroy()
    for (const all of [...this.#waiting.values()])
      for (const then of all) then({ lost: why, sent: !neverSent.includes(why) })
  }

  #forget(key: string, then: Waiting): void {
    const rest = (this.#waiting.get(key) ?? []).filter((each) => each !== then)
    if (rest.length > 0) this.#waiting.set(key, rest)
    else this.#waiting.delete(key)
  }

  #onBytes(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) this.#onFrame(frame)
  }

  /** The next whole frame; undefined where there is none yet. */
  #take(): Buffer | undefined {
    const length = this.#rest.toString('latin1', 0, lengthDigits)
    if (!/^[0-9]*$/.test(length)) this.end('what answers there does not speak ISO 8583')
    const end = lengthDigits + Number(length)
    if (this.isOver || length.length < lengthDigits || this.#rest.length < end) return undefined
    const frame = this.#rest.subarray(lengthDigits, end)
    this.#rest = this.#rest.subarray(end)
    return frame
  }

  #onFrame(bytes: Buffer): void {
    const read = parse(bytes, iso87a)
    if (isMalformed(read)) this.end(`an answer cannot be read: ${read.text}`)
    // What nobody waits for any more is let go.
    else this.#waiting.get(keyOf(read.mti, read.fields))?.[0]?.(read)
  }
}

const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']

function keyOf(mti: string, { 11: stan, 41: terminal = '' }: Draft['fields']): string {
  return `${mti} ${stan} ${terminal.trim()}`
}

/** `0210` for 0200 and 0201. */
function answerTypeOf(mti: string): string {
  return `${mti.slice(0, 2)}${Number(mti.charAt(2)) + 1}0`
}

function framed(message: Draft): Buffer {
  const packed = pack(message, iso87a)
  if (isMalformed(packed)) throw new Error(`a machine can say this: ${packed.text}`)
  return Buffer.concat([Buffer.from(String(packed.length).padStart(lengthDigits, '0'), 'latin1'), packed])
}

/**
 * One socket of a machine or a switch. Many messages may be under way on it, and answers leave in any order.
 *
 *   reading ⇄ full          so many are unanswered, or answered and not yet taken: nothing more is read meanwhile
 *   reading, full ─▶ ending     the other side has said all that it will, or the server stops; the rest is answered
 *   ending ─▶ closed            nothing is left to answer
 *   any ─▶ closed               a length that is none, half a frame for too long, an answer that nobody takes, another
 *                               version of the standard, or too many messages in a row that cannot be read
 *
 * A socket that dies undoes nothing: what was asked is done, and the answer is kept for whoever asks again.
 */
import type { Socket } from 'node:net'
import type { Received } from './authentication.ts'
import { Frames, type Framing, frame } from './framing.ts'
import { answerUnreadable, type From, fateOf } from './host.ts'
import { isMalformed, type Malformed, type Message, pack, parse, type Spec } from './message/index.ts'
import type { Passing } from './onlookers.ts'

export type Log = {
  info(of: object, text: string): void
  warn(of: object, text: string): void
}

export type LineOptions = {
  readonly spec: Spec
  readonly framing: Framing
  /** Of a message. Bytes. */
  readonly lengthMax: number
  /** Messages that may be unanswered, or answered and not taken. */
  readonly underWayMax: number
  /** Messages in a row that cannot be read. */
  readonly unreadableMax: number
  /** How long a frame may take to become whole, and an answer to be taken. Milliseconds. */
  readonly patienceMs: number
}

export const lineDefaults = {
  framing: 'digits4',
  lengthMax: 4_096,
  underWayMax: 64,
  unreadableMax: 10,
  patienceMs: 30_000,
} as const satisfies Omit<LineOptions, 'spec'>

export type Parts = {
  readonly from: From
  readonly log: Log
  answer(received: Received, from: From): Promise<Message>
  /** Told of each message that came, and the code that it was answered. */
  onAnswer(type: string, code: string): void
  /** Told of each message that came, as far as it could be read, and of each answer that is sent. */
  onPassed(passed: Omit<Passing, 'at'>): void
}

type State = 'reading' | 'full' | 'ending' | 'closed'

const lingerMs = 1_000

export class Connection {
  readonly #socket: Socket
  readonly #options: LineOptions
  readonly #parts: Parts
  readonly #frames: Frames
  readonly #peer: string
  #state: State = 'reading'
  /** Unanswered, or answered and not taken. */
  #underWay = 0
  #unreadable = 0
  #saidAll = false
  #halfSince: NodeJS.Timeout | undefined
  #untakenSince: NodeJS.Timeout | undefined

  constructor(socket: Socket, options: LineOptions, parts: Parts) {
    this.#socket = socket
    this.#options = options
    this.#parts = parts
    this.#frames = new Frames(options.framing, options.lengthMax)
    this.#peer = `${socket.remoteAddress}:${socket.remotePort}`
    socket.on('data', (chunk: Buffer) => this.#onBytes(chunk))
    socket.on('end', () => this.#onSaidAll())
    socket.on('close', () => this.#onClosed())
    // What went wrong is told by 'close', and there is nobody to tell it to.
    socket.on('error', () => undefined)
  }

  /** Reads no more; answers what was asked, and closes. */
  end(): void {
    if (this.#state === 'closed') return
    this.#state = 'ending'
    this.#socket.pause()
    this.#watchHalf()
    this.#endIfDone()
  }

  cut(): void {
    this.#socket.destroy()
  }

  /** Also while it is full, and has not looked at all that was said. */
  #onSaidAll(): void {
    this.#saidAll = true
    if (this.#state === 'reading') this.end()
  }

  #onBytes(chunk: Buffer): void {
    if (this.#state === 'ending' || this.#state === 'closed') return
    this.#frames.put(chunk)
    this.#readOn()
  }

  #readOn(): void {
    while (this.#state === 'reading') {
      const taken = this.#frames.take()
      if (taken === undefined) break
      if (taken === 'bad') this.#close('a length that is none, or too large')
      // An empty one only says that somebody is there. Answered, both sides would do so for ever.
      else if (taken.length > 0) this.#onFrame(taken)
    }
    this.#watchHalf()
    if (this.#saidAll && this.#state === 'reading') this.end()
  }

  #onFrame(bytes: Buffer): void {
    const read = parse(bytes, this.#options.spec)
    this.#parts.onPassed({ peer: this.#peer, direction: 'received', message: read })
    if (isMalformed(read)) {
      this.#onUnreadable(read)
      return
    }
    this.#unreadable = 0
    const fate = fateOf(read)
    if (fate === 'close') this.#close(`version ${read.mti.charAt(0)}, of which nothing can be read`)
    else if (fate === 'ignore') this.#parts.onAnswer(read.mti, 'ignored')
    // Whoever asked could not tell which of its messages was answered.
    else if (read.fields[11] === undefined) this.#close(`a ${read.mti} without field 11`)
    else this.#onMessage({ message: read, bytes })
  }

  #onMessage(received: Received): void {
    this.#begin()
    this.#parts.answer(received, this.#parts.from).then(
      (answer) => this.#send(received.message.mti, answer),
      () => this.#onDone(),
    )
  }

  #onUnreadable({ read, text }: Malformed): void {
    this.#parts.log.warn({ peer: this.#peer, type: read.mti }, `a message cannot be read: ${text}`)
    this.#unreadable += 1
    const answer = answerUnreadable(read)
    if (answer === undefined) {
      this.#close('a message that nobody can match an answer to')
      return
    }
    this.#begin()
    this.#send(read.mti, answer)
    if (this.#unreadable >= this.#options.unreadableMax) this.end()
  }

  #begin(): void {
    this.#underWay += 1
    if (this.#state !== 'reading' || this.#underWay < this.#options.underWayMax) return
    this.#state = 'full'
    this.#socket.pause()
  }

  #send(type: string, answer: Message): void {
    this.#parts.onAnswer(type, answer.fields[39] ?? '')
    const packed = pack(answer, this.#options.spec)
    const framed = isMalformed(packed) ? undefined : frame(packed, this.#options.framing)
    if (framed === undefined || this.#socket.destroyed) {
      const why = isMalformed(packed) ? packed.text : framed === undefined ? 'too long' : 'nobody is there'
      this.#parts.log.info({ peer: this.#peer, type }, `an answer cannot be sent: ${why}`)
      this.#onDone()
      return
    }
    this.#parts.onPassed({ peer: this.#peer, direction: 'sent', message: answer })
    this.#untakenSince ??= this.#after('an answer that nobody takes')
    this.#gather()
    this.#socket.write(framed, () => this.#onTaken())
  }

  /** One commit answers many at once: they leave as one piece. */
  #gather(): void {
    if (this.#socket.writableCorked > 0) return
    this.#socket.cork()
    process.nextTick(() => this.#socket.uncork())
  }

  #onTaken(): void {
    clearTimeout(this.#untakenSince)
    this.#untakenSince = undefined
    this.#onDone()
    if (this.#socket.writableLength > 0 && this.#state !== 'closed')
      this.#untakenSince = this.#after('an answer that nobody takes')
  }

  #onDone(): void {
    this.#underWay -= 1
    if (this.#state === 'full') {
      this.#state = 'reading'
      this.#readOn()
      if (this.#state === 'reading') this.#socket.resume()
    }
    this.#endIfDone()
  }

  #endIfDone(): void {
    if (this.#state !== 'ending' || this.#underWay > 0 || this.#socket.writableEnded) return
    this.#socket.end()
    // What comes still is read and dropped: closed over it, the socket could lose the last answers on their way.
    this.#socket.resume()
    setTimeout(() => this.#socket.destroy(), lingerMs).unref()
  }

  /** Counts the time of half a frame, of the one that is at the front and only while it is read. */
  #watchHalf(): void {
    const isHalf = this.#state === 'reading' && this.#frames.isBegun
    if (isHalf && this.#halfSince === undefined) this.#halfSince = this.#after('half a message')
    if (isHalf) return
    clearTimeout(this.#halfSince)
    this.#halfSince = undefined
  }

  #after(why: string): NodeJS.Timeout {
    return setTimeout(
      () => this.#close(`${why} for ${this.#options.patienceMs} ms`),
      this.#options.patienceMs,
    ).unref()
  }

  #close(why: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#parts.log.warn({ peer: this.#peer }, `a connection is closed: ${why}`)
    this.#socket.destroy()
  }

  #onClosed(): void {
    this.#state = 'closed'
    clearTimeout(this.#halfSince)
    clearTimeout(this.#untakenSince)
  }
}

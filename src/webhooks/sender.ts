/** One try to hand an event over: a signed POST that follows nothing, waits for nobody long and reads next to nothing. */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { hostOf, type Targets } from './targets.ts'

export type Answer = { readonly status: number | null; readonly error: string | null }

export type SenderOptions = {
  readonly targets: Targets
  /** From looking up the name to the answer's head. Milliseconds. */
  readonly tryMs: number
}

// Of the answer's body, which nobody looks at: enough to let the connection be used again.
const bodyMax = 16_384
const socketsPerTarget = 8

export class Sender {
  readonly #options: SenderOptions
  readonly #http: HttpAgent
  readonly #https: HttpsAgent
  readonly #underWay = new Set<ClientRequest>()

  constructor(options: SenderOptions) {
    this.#options = options
    const { targets } = options
    const usual = { keepAlive: true, maxSockets: socketsPerTarget }
    this.#http = new HttpAgent({ ...usual, lookup: targets.lookup(false) })
    this.#https = new HttpsAgent({ ...usual, lookup: targets.lookup(true) })
  }

  /** What the target answered; `error` says why that is no delivery, in words for its owner. */
  send(text: string, headers: Record<string, string>, body: string): Promise<Answer> {
    const url = new URL(text)
    const isSecure = url.protocol === 'https:'
    const host = hostOf(url)
    // A connection to an address is made without a look-up.
    const refused = isIP(host) === 0 ? undefined : this.#options.targets.refuses(host, isSecure)
    if (refused !== undefined) return Promise.resolve({ status: null, error: `the target ${refused}` })

    const { tryMs } = this.#options
    return new Promise((resolve) => {
      const options = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } }
      const onAnswer = (answer: IncomingMessage) => {
        readLittle(answer)
        resolve(judge(answer.statusCode ?? 0))
      }
      const sent = isSecure
        ? httpsRequest(url, { ...options, agent: this.#https }, onAnswer)
        : httpRequest(url, { ...options, agent: this.#http }, onAnswer)
      this.#underWay.add(sent)
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${tryMs} ms`)), tryMs)
      sent.on('error', ({ message }) => resolve({ status: null, error: message }))
      sent.on('close', () => {
        clearTimeout(timer)
        this.#underWay.delete(sent)
      })
      sent.end(body)
    })
  }

  /** Ends what is under way. */
  close(): void {
    for (const sent of this.#underWay) sent.destroy(new Error('the server stopped'))
    this.#http.destroy()
    this.#https.destroy()
  }
}

function judge(status: number): Answer {
  if (status >= 200 && status < 300) return { status, error: null }
  const isRedirect = status >= 300 && status < 400
  return { status, error: `answered ${status}${isRedirect ? ': redirects are not followed' : ''}` }
}

/** Reads what little there is to read; the time for the try goes on, and ends what trickles. */
function readLittle(answer: IncomingMessage): void {
  let read = 0
  answer.on('error', () => {})
  answer.on('data', (piece: Buffer) => {
    read += piece.length
    if (read > bodyMax) answer.destroy()
  })
}

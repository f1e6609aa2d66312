/** One request over HTTP, once: the whole answer, or that there was none. Knows no money and tries nothing again. */
import * as http from 'node:http'
import * as https from 'node:https'

export type Answer = {
  readonly status: number
  readonly body: string
  /** What `Retry-After` asks for; 0 where it is not there. */
  readonly retryAfterMs: number
}

/** No answer. `sent` is false where the connection was refused, so that nothing can have been done. */
export type Lost = { readonly lost: string; readonly sent: boolean }

export type Sent = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: string
  readonly key?: string
  /** Throws the connection away after so long, whether or not there is an answer by then. */
  readonly dropAfterMs?: number
}

// Longer than the 10 s after which a deployment answers that the account is busy.
const answerMaxMs = 15_000

export class Wire {
  readonly #url: URL
  readonly #credential: string | undefined
  readonly #http: typeof http | typeof https
  readonly #agent: http.Agent

  constructor(url: URL, credential: string | undefined) {
    this.#url = url
    this.#credential = credential
    this.#http = url.protocol === 'https:' ? https : http
    this.#agent = new this.#http.Agent({ keepAlive: true })
  }

  send({ method, path, body, key, dropAfterMs }: Sent): Promise<Answer | Lost> {
    const headers = {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(this.#credential !== undefined && { authorization: `Bearer ${this.#credential}` }),
    }
    const target = new URL(this.#url.pathname.replace(/\/$/, '') + path, this.#url)
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined
      const request = this.#http.request(target, { method, headers, agent: this.#agent })
      const lose = (lost: string, sent = true) => {
        clearTimeout(timer)
        resolve({ lost, sent })
        request.destroy()
      }
      request.on('error', (error: NodeJS.ErrnoException) =>
        lose(error.code ?? error.message, !notSent.includes(error.code ?? '')),
      )
      request.on('response', (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', () => lose('cut off'))
        response.on('close', () => {
          if (!response.complete) return lose('cut off')
          clearTimeout(timer)
          const retryAfterMs = 1000 * (Number(response.headers['retry-after'] ?? 0) || 0)
          const text = Buffer.concat(parts).toString('utf8')
          resolve({ status: response.statusCode ?? 0, body: text, retryAfterMs })
        })
      })
      const why = dropAfterMs === undefined ? `no answer in ${answerMaxMs / 1000} s` : 'hung up'
      timer = setTimeout(() => lose(why), dropAfterMs ?? answerMaxMs)
      request.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

const notSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']

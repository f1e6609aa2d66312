/** A machine's host over REST: each want of it as a request of `/v1/terminals/{id}`. */
import type { Answer, Sent, Wire } from '../outside/wire.ts'
import type { Advice } from './advices.ts'
import type {
  Authorized,
  Batch,
  Card,
  CashAsked,
  Host,
  Inquired,
  NotesInserted,
  Refused,
  Said,
} from './host.ts'
import { isStamp } from './iso8583/stamp.ts'
import type { Line } from './line.ts'
import { numberOf } from './notes.ts'
import type { PinEntry } from './pin-entry.ts'

export type RestHostOptions = {
  readonly terminal: string
  readonly currency: string
  readonly wire: Pick<Wire, 'send'>
  readonly line: Line
  readonly enterPin: PinEntry
  /** A name that no operation of this terminal ever had, such as `w-mwx1-17`. */
  readonly nextId: (kind: string) => string
}

const triesMax = 3

export class RestHost implements Host {
  readonly isSilent = false
  readonly #options: RestHostOptions

  constructor(options: RestHostOptions) {
    this.#options = options
  }

  newId(kind: string): string {
    return this.#options.nextId(kind)
  }

  knows(id: string): boolean {
    return !isStamp(id)
  }

  async signOn(): Promise<Said<unknown>> {
    return saidIn(await this.#ask('/sign-on', {}, this.newId('s')))
  }

  async balance(card: Card): Promise<Said<Inquired>> {
    const body = { pan: card.pan, ...this.#options.enterPin(card), type: 'balance' }
    return saidIn(await this.#ask('/inquiries', body, this.newId('i')))
  }

  /** Needs no key: its id is one. */
  async authorize({ id, card, amount }: CashAsked): Promise<Said<Authorized>> {
    const { currency, enterPin } = this.#options
    return saidIn(await this.#ask('/withdrawals', { id, pan: card.pan, ...enterPin(card), amount, currency }))
  }

  async start(id: string): Promise<Said<Authorized>> {
    return saidIn(await this.#ask(`/withdrawals/${id}/start`, {}))
  }

  async deposit({ id, card, notes }: NotesInserted): Promise<Said<{ amount: number }>> {
    const { currency, enterPin } = this.#options
    const body = { id, pan: card.pan, ...enterPin(card), currency, notes }
    return saidIn(await this.#ask('/deposits', body, id))
  }

  async advise(advice: Advice): Promise<'taken' | Refused | undefined> {
    const { path, body } = requestOf(advice)
    const key = `${advice.id}${path.slice(path.lastIndexOf('/'))}`
    const answer = await this.#ask(path, body, key, 1)
    if (answer === undefined) return undefined
    return answer.status === 200 ? 'taken' : { path, answer: `${answer.status} ${codeOf(answer)}` }
  }

  async close(batch: number): Promise<Said<Batch>> {
    return saidIn(await this.#ask('/close', { batch }, `close-${batch}`))
  }

  hangUp(): void {}

  #ask(path: string, body: object, key?: string, tries = triesMax): Promise<Answer | undefined> {
    const { terminal, line, wire } = this.#options
    const sent: Sent = {
      method: 'POST',
      path: `/v1/terminals/${terminal}${path}`,
      body: JSON.stringify(body),
      ...(key !== undefined && { key: `${terminal}-${key}` }),
    }
    return line.ask(async () => {
      const answer = await wire.send(sent)
      if ('lost' in answer) return undefined
      return { ...answer, ...(isForNow(answer) && { againAfterMs: answer.retryAfterMs }) }
    }, tries)
  }
}

function requestOf(advice: Advice): { readonly path: string; readonly body: object } {
  switch (advice.says) {
    case 'left': {
      const { units, rejected, outcome } = advice.told
      const body = { units, ...(numberOf(rejected) > 0 && { rejected }), outcome }
      return { path: `/withdrawals/${advice.id}/confirm`, body }
    }
    case 'nothing':
      return { path: `/${advice.of}s/${advice.id}/reverse`, body: { reason: advice.reason } }
    case 'closed':
      throw new Error('a close names its batch here, and is asked for')
  }
}

function saidIn<What>(answer: Answer | undefined): Said<What> {
  if (answer === undefined) return undefined
  return answer.status < 300 ? { yes: JSON.parse(answer.body) } : { no: codeOf(answer) }
}

/** Nothing was done, or it is not known: the same again will tell. */
export function isForNow({ status, body }: Answer): boolean {
  if (status === 423 || status === 429 || status >= 500) return true
  return status === 409 && body.includes('"in_progress"')
}

/** The stable code of a no. */
export function codeOf({ status, body }: Answer): string {
  return /"code"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? String(status)
}

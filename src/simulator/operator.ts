/**
 * The people beside the machines: who sets a terminal up, opens it and counts its notes, looks at exceptions and has
 * the books proven. They do not give up: what was not answered is asked again under its key.
 */
import type { Wire } from '../outside/wire.ts'
import type { Unit, UnitType } from './device.ts'
import type { Batch } from './host.ts'
import { pause } from './line.ts'
import type { ByUnit, ByValue } from './notes.ts'
import { codeOf, isForNow } from './rest-host.ts'

/** The host said no, or nothing for so long that there is no point in going on. */
export class HostError extends Error {
  readonly code: string

  constructor(message: string, code = '') {
    super(message)
    this.code = code
  }
}

export type TerminalPlan = {
  readonly id: string
  readonly name: string
  readonly currency: string
  readonly units: readonly { readonly id: string; readonly type: UnitType; readonly value?: number }[]
  readonly start_within_s?: number
  readonly confirm_within_s?: number
}

export type TerminalUnit = {
  readonly id: string
  readonly type: UnitType
  readonly value?: number
  readonly count?: number
  readonly notes?: ByValue
}

export type Terminal = {
  readonly id: string
  readonly currency: string
  readonly state: 'in_service' | 'out_of_service' | 'exchange'
  readonly batch: number
  readonly cash: number
  readonly transit: { readonly uncertain: number; readonly unconfirmed: number }
  readonly over_short: number
  readonly units: readonly TerminalUnit[]
}

export type Suspect = { readonly withdrawal: string; readonly amount: number; readonly units: ByUnit }

export type ExchangeOpen = {
  readonly exchange: string
  readonly terminal: Terminal
  readonly suspects: readonly Suspect[]
}

export type Counted = {
  readonly amount: number
  readonly units: Readonly<Record<string, { readonly variance: number; readonly amount: number }>>
}

/** `over_short` is what this exchange found; the terminal has what all of them did. */
export type Exchanged = { readonly over_short: number; readonly terminal: Terminal }

export type Exception = {
  readonly id: string
  readonly type: string
  readonly state: 'open' | 'resolved'
  readonly terminal: string
  readonly withdrawal: string | null
  readonly amount: number
}

/** `mix_assumed`: silence was taken for a dispense. */
export type Withdrawal = { readonly id: string; readonly state: string; readonly mix_assumed: boolean }

export type Proof = { readonly proven: boolean; readonly what?: string; readonly records?: number }

const outageMaxMs = 60_000

export class Operator {
  readonly #wire: Wire
  readonly #run: string
  #count = 0
  #isOff = false

  /** `run` begins its idempotency keys, so that no two runs share one. */
  constructor(wire: Wire, run: string) {
    this.#wire = wire
    this.#run = run
  }

  /** Throws a HostError at once where nothing answers. */
  async reach(): Promise<void> {
    const answer = await this.#wire.send({ method: 'GET', path: '/' })
    if ('lost' in answer) throw new HostError(`nothing answers there: ${answer.lost}`)
  }

  terminal(id: string): Promise<Terminal> {
    return this.#get(`/v1/terminals/${id}`)
  }

  createTerminal(plan: TerminalPlan): Promise<Terminal> {
    return this.#post('/v1/terminals', plan)
  }

  setState(id: string, state: 'in_service' | 'out_of_service', reason: string): Promise<Terminal> {
    return this.#post(`/v1/terminals/${id}/state`, { state, reason })
  }

  openAccount(number: string, currency: string): Promise<unknown> {
    return this.#post('/v1/accounts', { number, currency })
  }

  payIn(account: string, amount: number, currency: string): Promise<unknown> {
    return this.#post('/v1/deposits', { account, amount, currency })
  }

  async ledgerOf(account: string): Promise<number> {
    return (await this.#get<{ ledger: number }>(`/v1/accounts/${account}`)).ledger
  }

  issueCard(card: object): Promise<unknown> {
    return this.#post('/v1/cards', card)
  }

  /** A key for a machine. It is told once: where that answer was lost, another one is made. */
  async credential(name: string): Promise<string> {
    for (;;) {
      const made = await this.#post<{ key: string | null }>('/v1/credentials', { role: 'terminal', name })
      if (made.key !== null) return made.key
    }
  }

  setPinKey(id: string, key: { algorithm: string; key: string; kcv: string }): Promise<unknown> {
    return this.#ask('PUT', `/v1/terminals/${id}/pin-key`, key)
  }

  startExchange(id: string): Promise<ExchangeOpen> {
    return this.#post(`/v1/terminals/${id}/exchange`, { action: 'start' })
  }

  count(id: string, exchange: string, units: Record<string, number | ByValue>): Promise<Counted> {
    return this.#post(`/v1/terminals/${id}/counts`, { exchange, units })
  }

  endExchange(
    id: string,
    end: { exchange: string; loaded: ByUnit; suspects: Record<string, { dispensed: number }> },
  ): Promise<Exchanged> {
    return this.#post(`/v1/terminals/${id}/exchange`, { action: 'end', mode: 'set', ...end })
  }

  close(id: string, batch: number): Promise<Batch> {
    return this.#post(`/v1/terminals/${id}/close`, { batch })
  }

  openExceptions(terminal: string): Promise<readonly Exception[]> {
    return this.#list('exceptions', `/v1/exceptions?state=open&terminal=${terminal}`)
  }

  withdrawals(terminal: string): Promise<readonly Withdrawal[]> {
    return this.#list('withdrawals', `/v1/terminals/${terminal}/withdrawals?limit=200`)
  }

  resolve(exception: string, word: { dispensed?: number; reason: string }): Promise<Exception> {
    return this.#post(`/v1/exceptions/${exception}/resolve`, word)
  }

  /** Has the books proven, from the beginning, and waits for the verdict. */
  async prove(): Promise<Proof> {
    type Status = { running: object | null; last: (Proof & { started_at: string }) | null }
    for (;;) {
      const { requested_at } = await this.#post<{ requested_at: string }>('/v1/verify', {})
      let status = await this.#get<Status>('/v1/verify')
      for (; status.running !== null; status = await this.#get('/v1/verify')) await pause(50)
      const { last } = status
      // One that ran already began too early, and a server that was killed has forgotten it.
      if (last !== null && Date.parse(last.started_at) >= Date.parse(requested_at)) return last
    }
  }

  /** Gives up whatever is still being asked. */
  hangUp(): void {
    this.#isOff = true
    this.#wire.close()
  }

  /** All pages of a list. */
  async #list<Item>(plural: string, path: string): Promise<readonly Item[]> {
    type Page = { readonly next: string | null } & Readonly<Record<string, readonly Item[]>>
    const found: Item[] = []
    for (let cursor = ''; ; ) {
      const page: Page = await this.#get(`${path}${cursor}`)
      found.push(...(page[plural] ?? []))
      if (page.next == null) return found
      cursor = `&cursor=${encodeURIComponent(page.next)}`
    }
  }

  #get<Body>(path: string): Promise<Body> {
    return this.#ask('GET', path)
  }

  #post<Body>(path: string, body: object): Promise<Body> {
    return this.#ask('POST', path, body)
  }

  async #ask<Body>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Body> {
    this.#count += 1
    const key = `${this.#run}-${this.#count}`
    const sent = { method, path, key, ...(body !== undefined && { body: JSON.stringify(body) }) }
    let last = 'nothing'
    for (const endMs = performance.now() + outageMaxMs; performance.now() < endMs && !this.#isOff; ) {
      const answer = await this.#wire.send(sent)
      if ('status' in answer && answer.status < 300)
        return (answer.body === '' ? {} : JSON.parse(answer.body)) as Body
      if ('status' in answer && !isForNow(answer))
        throw new HostError(
          `${method} ${path} was answered ${answer.status} ${answer.body.slice(0, 200)}`,
          codeOf(answer),
        )
      last = 'status' in answer ? `${answer.status}` : answer.lost
      await pause('status' in answer ? Math.max(50, Math.min(1_000, answer.retryAfterMs)) : 100)
    }
    throw new HostError(`${method} ${path} had no answer in ${outageMaxMs / 1000} s: ${last}`)
  }
}

/** What the books say is in a terminal, as metal. */
export function unitsAsIn({ units }: Terminal): Unit[] {
  return units.map(({ id, type, value = 0, count = 0, notes = {} }) => ({
    id,
    type,
    value,
    notes: type !== 'cash_out' ? notes : count === 0 ? {} : ({ [value]: count } as ByValue),
  }))
}

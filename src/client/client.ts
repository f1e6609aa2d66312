/**
 * A client of /v1 for Node and browsers, without dependencies. Each command has one `Idempotency-Key`, kept over its
 * retries, so a call that ends well has done its work once, whatever was lost on the way.
 */

import { AtTerminal } from './at-terminal.ts'
import { CashpointError, NoAnswerError } from './errors.ts'
import { mayTryAgain, pause, pauseMs } from './retry.ts'
import { eventsIn } from './stream.ts'
import type * as types from './types.ts'

export type { AtTerminal } from './at-terminal.ts'
export { CashpointError, NoAnswerError } from './errors.ts'
export type * from './types.ts'

export type Options = {
  /** Where the server is, such as `http://localhost:5000`. */
  readonly url: string | URL
  /** An API key or a token of the server's issuer; a function is asked for it before each try. */
  readonly credential?: string | (() => string | Promise<string>)
  /** Sent with every request, such as what a proxy asks for. */
  readonly headers?: Readonly<Record<string, string>>
  /** How long one try may take; longer than the server's own deadline of 10 s. Milliseconds. */
  readonly tryMs?: number
  /** From the first try on, how long tries go on. Milliseconds. */
  readonly retryMs?: number
  /** In place of the platform's own. */
  readonly fetch?: typeof fetch
}

export type Ask = {
  /** Gives up waiting. What was sent may be done all the same. */
  readonly signal?: AbortSignal
}

export type Command = Ask & {
  /** In place of a random one: yours, if you keep it over restarts of your own. */
  readonly key?: string
  /** The version that the account must be at, or the call is refused 412 `version_mismatch`. */
  readonly ifVersion?: number
}

export type Follow = Ask & {
  /** The id of the last event you have, or `latest`; left out, all there are. */
  readonly after?: string
  readonly type?: string
}

type Sent = Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> }

export class Cashpoint {
  readonly #url: URL
  readonly #credential: Options['credential']
  readonly #headers: Readonly<Record<string, string>>
  readonly #tryMs: number
  readonly #retryMs: number
  readonly #fetch: typeof fetch

  /** Throws a TypeError where `url` is none. */
  constructor({ url, credential, headers = {}, tryMs = 15_000, retryMs = 60_000, fetch: own }: Options) {
    this.#url = new URL(url)
    this.#credential = credential
    this.#headers = headers
    this.#tryMs = tryMs
    this.#retryMs = retryMs
    this.#fetch = own ?? ((...args) => fetch(...args))
  }

  openAccount(body: types.OpenAccount = {}, how?: Command): Promise<types.Account> {
    return this.#command('POST', '/accounts', body, how)
  }

  account(number: string, ask?: Ask): Promise<types.Account> {
    return this.#read(`/accounts/${name(number)}`, {}, ask)
  }

  accounts(
    query: types.Paging & { state?: string; currency?: string } = {},
    ask?: Ask,
  ): Promise<types.Accounts> {
    return this.#read('/accounts', query, ask)
  }

  /** Ledger, held and available; with `as_of` (an instant, a day or a version) the ledger balance of then. */
  balance(number: string, query: { as_of?: string | number } = {}, ask?: Ask): Promise<types.Balance> {
    return this.#read(`/accounts/${name(number)}/balance`, query, ask)
  }

  entries(number: string, query: types.Paging & types.Period = {}, ask?: Ask): Promise<types.Entries> {
    return this.#read(`/accounts/${name(number)}/entries`, query, ask)
  }

  statement(number: string, query: types.Period = {}, ask?: Ask): Promise<types.Statement> {
    return this.#read(`/accounts/${name(number)}/statement`, query, ask)
  }

  setState(number: string, body: types.SetState, how?: Command): Promise<types.Account> {
    return this.#command('POST', `/accounts/${name(number)}/state`, body, how)
  }

  /** The limits, and what of them is used on this business day. */
  limitsOf(number: string, ask?: Ask): Promise<types.LimitsUsed> {
    return this.#read(`/accounts/${name(number)}/limits`, {}, ask)
  }

  /** All limits together: what is left out is not limited. */
  setLimits(number: string, body: types.Limits, how?: Command): Promise<types.Account> {
    return this.#command('PUT', `/accounts/${name(number)}/limits`, body, how)
  }

  deposit(body: types.Deposit, how?: Command): Promise<types.Transfer> {
    return this.#command('POST', '/deposits', body, how)
  }

  withdraw(body: types.Withdrawal, how?: Command): Promise<types.Transfer> {
    return this.#command('POST', '/withdrawals', body, how)
  }

  transfer(body: types.TransferBetween, how?: Command): Promise<types.Transfer> {
    return this.#command('POST', '/transfers', body, how)
  }

  transferOf(id: string, ask?: Ask): Promise<types.Transfer> {
    return this.#read(`/transfers/${name(id)}`, {}, ask)
  }

  transfers(
    query: types.Paging & types.Period & { reference?: string; account?: string } = {},
    ask?: Ask,
  ): Promise<types.Transfers> {
    return this.#read('/transfers', query, ask)
  }

  /** Takes a transfer back: as much as is said, or all that is left. */
  reverse(id: string, body: types.Reversal = {}, how?: Command): Promise<types.Transfer> {
    return this.#command('POST', `/transfers/${name(id)}/reversals`, body, how)
  }

  hold(body: types.PlaceHold, how?: Command): Promise<types.Hold> {
    return this.#command('POST', '/holds', body, how)
  }

  holdOf(id: string, ask?: Ask): Promise<types.Hold> {
    return this.#read(`/holds/${name(id)}`, {}, ask)
  }

  holds(query: types.Paging & { state?: types.Hold['state'] } = {}, ask?: Ask): Promise<types.Holds> {
    return this.#read('/holds', query, ask)
  }

  capture(id: string, body: types.Capture = {}, how?: Command): Promise<types.Hold> {
    return this.#command('POST', `/holds/${name(id)}/capture`, body, how)
  }

  void(id: string, how?: Command): Promise<types.Hold> {
    return this.#command('POST', `/holds/${name(id)}/void`, {}, how)
  }

  batch(body: types.Batch, how?: Command): Promise<types.BatchResults> {
    return this.#command('POST', '/batches', body, how)
  }

  /** Corrects a balance by hand; above the server's threshold it is `pending` until another person approves. */
  adjust(body: types.Adjust, how?: Command): Promise<types.Adjustment> {
    return this.#command('POST', '/adjustments', body, how)
  }

  adjustment(id: string, ask?: Ask): Promise<types.Adjustment> {
    return this.#read(`/adjustments/${name(id)}`, {}, ask)
  }

  /** Those that wait for a second person. */
  adjustments(query: types.Paging = {}, ask?: Ask): Promise<types.Adjustments> {
    return this.#read('/adjustments', query, ask)
  }

  approveAdjustment(id: string, how?: Command): Promise<types.Adjustment> {
    return this.#command('POST', `/adjustments/${name(id)}/approve`, {}, how)
  }

  rejectAdjustment(id: string, how?: Command): Promise<types.Adjustment> {
    return this.#command('POST', `/adjustments/${name(id)}/reject`, {}, how)
  }

  /** The key is in the reply to the first try that was answered, and nowhere else: null says that it was lost. */
  createCredential(body: types.CreateCredential, how?: Command): Promise<types.CredentialMade> {
    return this.#command('POST', '/credentials', body, how)
  }

  credentials(query: types.Paging = {}, ask?: Ask): Promise<types.Credentials> {
    return this.#read('/credentials', query, ask)
  }

  revokeCredential(id: string, how?: Command): Promise<types.Credential> {
    return this.#command('POST', `/credentials/${name(id)}/revoke`, {}, how)
  }

  createWebhook(body: types.CreateWebhook, how?: Command): Promise<types.WebhookMade> {
    return this.#command('POST', '/webhooks', body, how)
  }

  webhooks(query: types.Paging = {}, ask?: Ask): Promise<types.Webhooks> {
    return this.#read('/webhooks', query, ask)
  }

  deliveries(
    id: string,
    query: types.Paging & { state?: 'pending' | 'delivered' | 'dead' } = {},
    ask?: Ask,
  ): Promise<types.Deliveries> {
    return this.#read(`/webhooks/${name(id)}/deliveries`, query, ask)
  }

  /** Sends an event once more, or without one all that were given up. */
  redeliver(id: string, body: { readonly event?: string } = {}, how?: Command): Promise<types.Webhook> {
    return this.#command('POST', `/webhooks/${name(id)}/redeliver`, body, how)
  }

  disableWebhook(id: string, how?: Command): Promise<types.Webhook> {
    return this.#command('POST', `/webhooks/${name(id)}/disable`, {}, how)
  }

  createTerminal(body: types.CreateTerminal, how?: Command): Promise<types.Terminal> {
    return this.#command('POST', '/terminals', body, how)
  }

  terminals(query: types.Paging = {}, ask?: Ask): Promise<types.Terminals> {
    return this.#read('/terminals', query, ask)
  }

  /** What is asked of one terminal; nothing is asked by this itself. */
  terminal(id: string): AtTerminal {
    const at = `/terminals/${name(id)}`
    return new AtTerminal({
      read: (path, query, ask) => this.#read(at + path, query, ask),
      command: (method, path, body, how) => this.#command(method, at + path, body, how),
    })
  }

  /** Withdrawals at all terminals, newest first. A page may be short, or empty, and still have a `next`. */
  withdrawals(
    query: types.Paging & types.WithdrawalsSought = {},
    ask?: Ask,
  ): Promise<types.WithdrawalsFound> {
    return this.#read('/withdrawals', query, ask)
  }

  /** Whatever is called or numbered so: what is called so first, then the newest. */
  search(q: string, ask?: Ask): Promise<types.Search> {
    return this.#read('/search', { q }, ask)
  }

  exceptions(
    query: types.Paging & { state?: types.Exception['state']; terminal?: string; type?: string } = {},
    ask?: Ask,
  ): Promise<types.Exceptions> {
    return this.#read('/exceptions', query, ask)
  }

  exceptionOf(id: string, ask?: Ask): Promise<types.Exception> {
    return this.#read(`/exceptions/${name(id)}`, {}, ask)
  }

  /** Says how much cash really left, and why; above the server's threshold it stays `open` until another person says the same. */
  resolveException(id: string, body: types.ResolveException, how?: Command): Promise<types.Exception> {
    return this.#command('POST', `/exceptions/${name(id)}/resolve`, body, how)
  }

  /** What needs a person, worst first, with the figures of all machines. */
  overview(ask?: Ask): Promise<types.Overview> {
    return this.#read('/overview', {}, ask)
  }

  /** What the server that answers committed in the last hour. */
  overviewHour(ask?: Ask): Promise<types.OverviewHour> {
    return this.#read('/overview/hour', {}, ask)
  }

  /** What was in machines at the end of each of the last 14 business days. */
  overviewCash(ask?: Ask): Promise<types.OverviewCash> {
    return this.#read('/overview/cash', {}, ask)
  }

  issueCard(body: types.IssueCard, how?: Command): Promise<types.Card> {
    return this.#command('POST', '/cards', body, how)
  }

  cards(
    query: types.Paging & { status?: types.Card['status']; last4?: string } = {},
    ask?: Ask,
  ): Promise<types.Cards> {
    return this.#read('/cards', query, ask)
  }

  cardOf(id: string, ask?: Ask): Promise<types.Card> {
    return this.#read(`/cards/${name(id)}`, {}, ask)
  }

  blockCard(id: string, body: types.BlockCard, how?: Command): Promise<types.Card> {
    return this.#command('POST', `/cards/${name(id)}/block`, body, how)
  }

  unblockCard(id: string, reason: string, how?: Command): Promise<types.Card> {
    return this.#command('POST', `/cards/${name(id)}/unblock`, { reason }, how)
  }

  setPin(id: string, body: types.SetPin, how?: Command): Promise<types.Card> {
    return this.#command('POST', `/cards/${name(id)}/pin`, body, how)
  }

  /** Privileged acts, newest first. */
  audit(query: types.Paging = {}, ask?: Ask): Promise<types.Audit> {
    return this.#read('/audit', query, ask)
  }

  /** What became of the command with this key: refused 404 `operation_not_found` where it was never seen. */
  operation(key: string, ask?: Ask): Promise<types.Operation> {
    return this.#read('/operations', { key }, ask)
  }

  /** Starts to prove the books; `verification` tells what was found. */
  verify(range: { from?: number; to?: number } = {}, how?: Command): Promise<types.ProofRequested> {
    return this.#command('POST', `/verify${queryText(range)}`, {}, how)
  }

  verification(ask?: Ask): Promise<types.Verification> {
    return this.#read('/verify', {}, ask)
  }

  /** Blocks of the journal, newest first; with `to` none beyond that number. */
  blocks(query: types.Paging & { to?: number } = {}, ask?: Ask): Promise<types.Blocks> {
    return this.#read('/journal/blocks', query, ask)
  }

  /** The newest block of each writer. */
  heads(ask?: Ask): Promise<types.Heads> {
    return this.#read('/journal/heads', {}, ask)
  }

  /**
   * What happened, oldest first, and then as it happens, for ever: a stream that breaks is resumed behind the last
   * event that was given. Keep that event's `id`, and a program that was killed goes on with `after`.
   */
  async *events({ after, type, signal }: Follow = {}): AsyncGenerator<types.CashpointEvent> {
    // As an id from the start: a stream that breaks before its first event must not begin later than it was asked for.
    let last = after === 'latest' ? await this.#latest({ ...(signal && { signal }) }) : after
    for (let tries = 0; ; tries += 1) {
      signal?.throwIfAborted()
      const query = queryText({ after: last, type })
      let broken: unknown
      try {
        const headers = { ...this.#headers, accept: 'text/event-stream' }
        const sent = { headers, ...(signal && { signal }) }
        for await (const event of eventsIn(
          (hangUp) => this.#open(`/events${query}`, { ...sent, signal: hangUp }),
          signal,
        )) {
          tries = 0
          last = event.id
          yield event
        }
      } catch (error) {
        signal?.throwIfAborted()
        if (!mayTryAgain(error)) throw error
        broken = error
      }
      await pause(pauseMs(tries, broken), signal)
    }
  }

  async #latest(ask: Ask): Promise<string | undefined> {
    const page = await this.#read<types.Events>('/events', { after: 'latest', limit: 1 }, ask)
    return page.next_after ?? undefined
  }

  /** A response that is a success; its problem as an exception otherwise. */
  async #open(path: string, sent: Sent): Promise<Response> {
    const { headers, ...rest } = sent
    const authorization = await this.#authorization()
    const response = await this.#fetch(this.#target(path), {
      ...rest,
      headers: { ...headers, ...authorization },
    })
    if (!response.ok) throw new CashpointError(await problemIn(response), response.headers.get('retry-after'))
    return response
  }

  #read<Body>(path: string, query: types.Query, { signal }: Ask = {}): Promise<Body> {
    return this.#ask(path + queryText(query), { method: 'GET', headers: this.#headers }, { signal })
  }

  #command<Body>(method: string, path: string, body: object, how: Command = {}): Promise<Body> {
    const { key = newKey(), ifVersion, signal } = how
    const headers = {
      ...this.#headers,
      'content-type': 'application/json',
      'idempotency-key': key,
      ...(ifVersion !== undefined && { 'if-match': `"${ifVersion}"` }),
    }
    return this.#ask(path, { method, headers, body: JSON.stringify(body) }, { signal, key })
  }

  async #ask<Body>(
    path: string,
    sent: Sent,
    { signal, key }: { signal: AbortSignal | undefined; key?: string },
  ): Promise<Body> {
    const untilMs = Date.now() + this.#retryMs
    for (let tries = 0; ; tries += 1) {
      let failed: unknown
      try {
        const late = AbortSignal.timeout(this.#tryMs)
        const either = signal === undefined ? late : AbortSignal.any([signal, late])
        const response = await this.#open(path, { ...sent, signal: either })
        return (await response.json()) as Body
      } catch (error) {
        signal?.throwIfAborted()
        if (!mayTryAgain(error)) throw error
        failed = error instanceof CashpointError ? error : new NoAnswerError(key, error)
      }
      const ms = pauseMs(tries, failed)
      if (Date.now() + ms > untilMs) throw failed
      await pause(ms, signal)
    }
  }

  async #authorization(): Promise<{ authorization?: string }> {
    const given = this.#credential
    const credential = typeof given === 'function' ? await given() : given
    return credential === undefined ? {} : { authorization: `Bearer ${credential}` }
  }

  #target(path: string): string {
    return `${this.#url.origin}${this.#url.pathname.replace(/\/$/, '')}/v1${path}`
  }
}

/** Of a proxy in between an answer may be anything. */
async function problemIn(response: Response): Promise<types.Problem> {
  const { status } = response
  const text = await response.text()
  try {
    const problem = JSON.parse(text)
    if (typeof problem.code === 'string') return problem
  } catch {
    // Then it is no problem of the server's own.
  }
  const title = `Answered ${status}, not by Cashpoint`
  return { type: 'about:blank', title, status, code: 'not_cashpoint', error: title }
}

function name(text: string): string {
  return encodeURIComponent(text)
}

function queryText(query: types.Query): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value))
  return given.size > 0 ? `?${given}` : ''
}

/** Not `randomUUID`, which browsers have on secure pages only. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

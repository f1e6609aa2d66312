/** What is asked of one terminal: by the machine itself, or by those who look after it. */
import type { Ask, Command } from './client.ts'
import type * as types from './types.ts'

/** How the client asks; each path is behind the terminal's own. */
export type Asks = {
  read<Body>(path: string, query: types.Query, ask?: Ask): Promise<Body>
  command<Body>(method: 'POST' | 'PUT', path: string, body: object, how?: Command): Promise<Body>
}

export class AtTerminal {
  readonly #asks: Asks

  constructor(asks: Asks) {
    this.#asks = asks
  }

  read(ask?: Ask): Promise<types.Terminal> {
    return this.#asks.read('', {}, ask)
  }

  setState(body: types.SetTerminalState, how?: Command): Promise<types.Terminal> {
    return this.#post('/state', body, how)
  }

  signOn(how?: Command): Promise<types.Terminal> {
    return this.#post('/sign-on', {}, how)
  }

  signOff(how?: Command): Promise<types.Terminal> {
    return this.#post('/sign-off', {}, how)
  }

  /** Known by `id`: the same call again, from another life of the program, too, has the same answer. */
  authorize(body: types.Authorize, how?: Command): Promise<types.TerminalWithdrawal> {
    return this.#post('/withdrawals', body, how)
  }

  /** Only where this resolves may notes leave: refused 409 `withdrawal_state`, none may. */
  start(id: string, how?: Command): Promise<types.TerminalWithdrawal> {
    return this.#post(`/withdrawals/${name(id)}/start`, {}, how)
  }

  /** Says which notes left. Never refused. */
  confirm(id: string, body: types.Confirm, how?: Command): Promise<types.TerminalWithdrawal> {
    return this.#post(`/withdrawals/${name(id)}/confirm`, body, how)
  }

  /** Says that no note left. Never refused, also of what the server has not seen: then a tombstone is left. */
  reverse(
    id: string,
    body: types.ReverseWithdrawal,
    how?: Command,
  ): Promise<types.TerminalWithdrawal | types.Tombstone> {
    return this.#post(`/withdrawals/${name(id)}/reverse`, body, how)
  }

  withdrawalOf(id: string, ask?: Ask): Promise<types.TerminalWithdrawal | types.Tombstone> {
    return this.#asks.read(`/withdrawals/${name(id)}`, {}, ask)
  }

  /** What happened to it, oldest first. */
  historyOf(id: string, ask?: Ask): Promise<types.WithdrawalHistory> {
    return this.#asks.read(`/withdrawals/${name(id)}/history`, {}, ask)
  }

  withdrawals(query: types.Paging & { state?: 'open' } = {}, ask?: Ask): Promise<types.TerminalWithdrawals> {
    return this.#asks.read('/withdrawals', query, ask)
  }

  inquire(body: types.Inquire, how?: Command): Promise<types.Inquiry> {
    return this.#post('/inquiries', body, how)
  }

  deposit(body: types.TerminalDeposit, how?: Command): Promise<types.NotesDeposited> {
    return this.#post('/deposits', body, how)
  }

  reverseDeposit(id: string, reason: string, how?: Command): Promise<types.NotesDeposited | types.Tombstone> {
    return this.#post(`/deposits/${name(id)}/reverse`, { reason }, how)
  }

  transfer(body: types.TerminalTransfer, how?: Command): Promise<types.TerminalTransferred> {
    return this.#post('/transfers', body, how)
  }

  changePin(body: types.ChangePin, how?: Command): Promise<{ readonly id: string; readonly changed: true }> {
    return this.#post('/pin-changes', body, how)
  }

  startExchange(how?: Command): Promise<types.ExchangeOpen> {
    return this.#post('/exchange', { action: 'start' }, how)
  }

  /** Posts nothing, and may be said again. */
  count(body: types.CountUnits, how?: Command): Promise<types.Counted> {
    return this.#post('/counts', body, how)
  }

  endExchange(body: Omit<types.EndExchange, 'action'>, how?: Command): Promise<types.Exchanged> {
    return this.#post('/exchange', { action: 'end', ...body }, how)
  }

  /** Ends the batch of this number; where it has ended, gives its report again. */
  close(batch: number, how?: Command): Promise<types.ClosedBatch> {
    return this.#post('/close', { batch }, how)
  }

  batchOf(batch: number, ask?: Ask): Promise<types.ClosedBatch> {
    return this.#asks.read(`/batches/${batch}`, {}, ask)
  }

  /** What the open batch has in it, and those that were closed, newest first. */
  batches(query: types.Paging = {}, ask?: Ask): Promise<types.Batches> {
    return this.#asks.read('/batches', query, ask)
  }

  #post<Body>(path: string, body: object, how?: Command): Promise<Body> {
    return this.#asks.command('POST', path, body, how)
  }
}

function name(text: string): string {
  return encodeURIComponent(text)
}

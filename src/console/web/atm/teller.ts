/**
 * The machine's side towards the host: does what was wished by the requests that any machine would send, and has one
 * of three faults where it is told to. It pays only after a start that was answered 200, and once.
 */
import type { Cashpoint } from '../../../client/client.ts'
import type { Messages } from '../messages/messages.ts'
import type { Money } from '../money.ts'
import { type Answer, ask, NoAnswer, newKey, type Request } from '../wire.ts'
import { answered, type Books, blank, booked, lost, type Story, sent, told, type Verb } from './books.ts'
import { type Card, terminalId } from './cards.ts'
import type { Phase, Result, Wish } from './machine.ts'
import type { Deposit, Exception, Inquiry, Problem, TerminalTransfer, Withdrawal } from './shapes.ts'

export type Fault = 'cut' | 'jam' | 'twice'

export type Session = {
  readonly card: Card
  readonly pin: string
  readonly currency: string
  readonly fault: Fault | undefined
}

type Tools = {
  readonly client: Cashpoint
  readonly messages: Messages
  readonly money: Money
  /** Waits as long as something takes to be seen. */
  pause(ms: number): Promise<void>
  onBooks(books: Books): void
  onPhase(phase: Phase): void
}

const base = `/v1/terminals/${terminalId}`

/** Does one thing and gives what the customer is shown of it. */
export async function perform(wish: Wish, session: Session, tools: Tools): Promise<Result> {
  const run = new Run(tools)
  const result = await run.perform(wish, session)
  if (result.type === 'refused')
    run.tell({ ...refusalStory(result.problem, tools), ...(await run.lockedCard(result.problem)) })
  return result
}

/** Settles what nobody could be sure of, by what somebody found in the machine. */
export async function settle(
  books: Books,
  { exception, dispensed, holder }: { exception: string; dispensed: number; holder: string },
  tools: Tools,
): Promise<void> {
  const run = new Run(tools, books)
  const { messages, money } = tools
  const request: Request = {
    method: 'POST',
    path: `/v1/exceptions/${exception}/resolve`,
    body: {
      dispensed,
      reason: dispensed === 0 ? 'the notes were found in the machine' : 'the notes were gone',
    },
    key: newKey(),
  }
  const answer = await run.insist('resolve', request)
  if (answer.status >= 300) return run.tell(refusalStory(answer.body as Problem, tools))
  await run.book((answer.body as Exception).resolution?.transfers ?? [])
  const amount = money.full(books.story?.exception?.amount ?? 0)
  run.tell({
    text:
      dispensed === 0
        ? messages.story.settledBack({ amount, holder })
        : messages.story.settledPaid({ amount, holder }),
    mood: 'good',
    ...(books.story?.withdrawal !== undefined && { withdrawal: books.story.withdrawal }),
  })
}

/** What an administrator does for whoever typed a wrong PIN three times. */
export async function unlock(books: Books, card: string, tools: Tools): Promise<void> {
  const run = new Run(tools, books)
  const path = `/v1/cards/${card}/unblock`
  const request: Request = {
    method: 'POST',
    path,
    body: { reason: 'asked for at the machine' },
    key: newKey(),
  }
  const answer = await run.insist('unblock', request)
  if (answer.status >= 300) return run.tell(refusalStory(answer.body as Problem, tools))
  run.tell({ text: tools.messages.story.unlocked, mood: 'good' })
}

/** One operation, with what is told of it on the way. */
class Run {
  readonly #tools: Tools
  #books: Books

  constructor(tools: Tools, books = blank) {
    this.#tools = tools
    this.#books = books
    tools.onBooks(books)
  }

  perform(wish: Wish, session: Session): Promise<Result> {
    switch (wish.type) {
      case 'withdraw':
        return this.#withdraw(wish.amount, session)
      case 'balance':
      case 'statement':
        return this.#inquire(wish.type, session)
      case 'deposit':
        return this.#deposit(wish.notes, session)
      case 'transfer':
        return this.#transfer(wish, session)
      case 'change_pin':
        return this.#changePin(wish.pin, session)
    }
  }

  async #withdraw(amount: number, session: Session): Promise<Result> {
    const { card, pin, currency, fault } = session
    const { messages, money, onPhase } = this.#tools
    const { story } = messages
    const id = `w-${Date.now().toString(36)}-${newKey().slice(0, 4)}`
    const path = `${base}/withdrawals/${id}`
    const times = fault === 'twice' ? 2 : 1
    const of = { amount: money.full(amount), holder: card.holder }
    const authorize = { id, pan: card.pan, pin, amount, currency }

    const authorized = await this.#heard(
      'authorize',
      { method: 'POST', path: `${base}/withdrawals`, body: authorize },
      times,
    )
    if (authorized !== undefined && authorized.status >= 300) return refused(authorized)
    if (authorized !== undefined) await this.book((authorized.body as Withdrawal).transfers)
    if (authorized === undefined || fault === 'cut') {
      // It may have been approved or not: whichever it was, this takes it back.
      this.#change(lost(this.#books))
      onPhase('silent')
      await this.#tools.pause(1_800)
      const reversed = await this.insist('reverse', {
        method: 'POST',
        path: `${path}/reverse`,
        body: { reason: 'timeout' },
      })
      await this.book((reversed.body as Withdrawal).transfers ?? [])
      this.tell({
        text: authorized === undefined ? story.unheard(of) : story.cut(of),
        mood: 'calm',
        withdrawal: id,
      })
      return { type: 'unheard' }
    }

    const started = await this.insist('start', { method: 'POST', path: `${path}/start`, body: {} }, times)
    if (started.status !== 200) return refused(started)
    const { units } = started.body as Withdrawal
    onPhase('paying')
    await this.#tools.pause(fault === 'jam' ? 900 : 1_500)

    if (fault === 'jam') {
      onPhase('jammed')
      await this.#tools.pause(1_400)
      const body = { units: {}, outcome: 'unknown' }
      const { body: left } = await this.insist('confirm', { method: 'POST', path: `${path}/confirm`, body })
      const withdrawal = left as Withdrawal
      await this.book(withdrawal.transfers)
      const { exception } = withdrawal
      this.tell({
        text: story.jam(of),
        mood: 'open',
        withdrawal: id,
        ...(exception !== null && { exception: { id: exception, amount } }),
      })
      return { type: 'stuck', withdrawal: { ...withdrawal, units } }
    }

    onPhase('reporting')
    const confirmed = await this.insist(
      'confirm',
      { method: 'POST', path: `${path}/confirm`, body: { units } },
      times,
    )
    const withdrawal = confirmed.body as Withdrawal
    await this.book(withdrawal.transfers)
    const same = this.#books.exchanges.every(
      ({ answers }) => new Set(answers.map(({ text }) => text)).size === 1,
    )
    const text = fault !== 'twice' ? story.paid(of) : same ? story.twice(of) : story.twiceOtherwise(of)
    this.tell({ text, mood: 'good', withdrawal: id })
    return { type: 'paid', withdrawal }
  }

  async #inquire(type: 'balance' | 'statement', { card, pin }: Session): Promise<Result> {
    const body = { pan: card.pan, pin, type }
    const request: Request = { method: 'POST', path: `${base}/inquiries`, body, key: newKey() }
    const answer = await this.#heard('inquiry', request)
    if (answer === undefined) return { type: 'refused', problem: { code: 'no_answer', title: '' } }
    if (answer.status !== 200) return refused(answer)
    const { ledger, available, entries = [] } = answer.body as Inquiry
    this.tell({ text: this.#tools.messages.story.asked, mood: 'calm' })
    const balance = { ledger, available }
    return type === 'balance' ? { type: 'told', balance } : { type: 'listed', balance, entries }
  }

  async #deposit(notes: Readonly<Record<number, number>>, { card, pin, currency }: Session): Promise<Result> {
    const body = { id: `d-${newKey()}`, pan: card.pan, pin, currency, notes }
    const answer = await this.insist('deposit', {
      method: 'POST',
      path: `${base}/deposits`,
      body,
      key: newKey(),
    })
    if (answer.status >= 300) return refused(answer)
    const { amount, balance, transfers } = answer.body as Deposit
    await this.book(transfers)
    const { messages, money } = this.#tools
    this.tell({
      text: messages.story.deposited({ amount: money.full(amount), holder: card.holder }),
      mood: 'good',
    })
    return { type: 'deposited', amount, balance }
  }

  async #transfer({ to, amount }: { to: string; amount: number }, session: Session): Promise<Result> {
    const { card, pin, currency } = session
    const body = { id: `t-${newKey()}`, pan: card.pan, pin, to, amount, currency }
    const answer = await this.insist('transfer', {
      method: 'POST',
      path: `${base}/transfers`,
      body,
      key: newKey(),
    })
    if (answer.status >= 300) return refused(answer)
    const { transfer, balance } = answer.body as TerminalTransfer
    await this.book([transfer])
    const { messages, money } = this.#tools
    const of = { amount: money.full(amount), holder: card.holder, to }
    this.tell({ text: messages.story.transferred(of), mood: 'good' })
    return { type: 'transferred', amount, to, balance: balance ?? undefined }
  }

  async #changePin(new_pin: string, { card, pin }: Session): Promise<Result> {
    const body = { id: `p-${newKey()}`, pan: card.pan, pin, new_pin }
    const answer = await this.insist('pin_change', {
      method: 'POST',
      path: `${base}/pin-changes`,
      body,
      key: newKey(),
    })
    if (answer.status >= 300) return refused(answer)
    this.tell({ text: this.#tools.messages.story.pinChanged, mood: 'good' })
    return { type: 'pin_changed', pin: new_pin }
  }

  async send(verb: Verb, request: Request, times = 1): Promise<Answer> {
    this.#change(sent(this.#books, verb, request))
    let answer = await ask(request)
    this.#change(answered(this.#books, answer))
    for (let i = 1; i < times; i += 1) {
      await this.#tools.pause(500)
      answer = await ask(request)
      this.#change(answered(this.#books, answer))
    }
    return answer
  }

  /** Asks once; undefined where no answer came, or none that says whether it was done. */
  async #heard(verb: Verb, request: Request, times = 1): Promise<Answer | undefined> {
    try {
      const answer = await this.send(verb, request, times)
      return answer.status >= 500 ? undefined : answer
    } catch (error) {
      if (error instanceof NoAnswer) return undefined
      throw error
    }
  }

  /** Asks until it is answered: the server knows the request again, and does it once. */
  async insist(verb: Verb, request: Request, times = 1): Promise<Answer> {
    for (let tries = 0; ; tries += 1) {
      try {
        const answer = tries === 0 ? await this.send(verb, request, times) : await ask(request)
        if (tries > 0) this.#change(answered(this.#books, answer))
        if (answer.status < 500 && answer.status !== 423) return answer
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
      }
      this.#tools.onPhase('silent')
      await this.#tools.pause(Math.min(5_000, 500 * 2 ** tries))
    }
  }

  /** Shows the entries behind an answer. What they were is read from the books, not taken from the answer. */
  async book(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (this.#books.transfers.some((transfer) => transfer.id === id)) continue
      try {
        this.#change(booked(this.#books, await this.#tools.client.transferOf(id)))
      } catch {
        // It is booked, whether or not it can be shown.
      }
    }
  }

  /** Which card it is that was locked: of a withdrawal that was declined the host knows. */
  async lockedCard({ code }: Problem): Promise<{ readonly card?: string }> {
    const asked = this.#books.exchanges.find(({ verb }) => verb === 'authorize')?.request
    if (code !== 'pin_locked' || asked === undefined) return {}
    const { id } = asked.body as { readonly id: string }
    const { body } = await ask({ method: 'GET', path: `${base}/withdrawals/${id}` })
    const { card } = body as Withdrawal
    return card === null ? {} : { card }
  }

  tell(story: Story): void {
    this.#change(told(this.#books, story))
  }

  #change(books: Books): void {
    this.#books = books
    this.#tools.onBooks(books)
  }
}

function refused({ body, status }: Answer): Result {
  const problem = (body ?? {}) as Partial<Problem>
  return {
    type: 'refused',
    problem: { ...problem, code: problem.code ?? String(status), title: problem.title ?? '' },
  }
}

function refusalStory({ code, title }: Problem, { messages }: Tools): Story {
  return { text: messages.story.refused({ why: messages.refusals[code] ?? title }), mood: 'calm' }
}

/** What lies before the machine: the cards, and what comes out of it, notes and receipt. */
import { html, type View } from '../html.ts'
import { type Card, cards, lastFour, terminalId } from './cards.ts'
import type { Result, Wish } from './machine.ts'
import type { Seen } from './page.ts'
import type { Terminal } from './shapes.ts'

export function counter(seen: Seen): View {
  const { screen } = seen.app.atm
  const notes = notesOut(seen)
  const printed = screen.at === 'done' ? receipt(seen, screen.wish, screen.result) : undefined
  const shows = notes !== undefined || printed !== undefined
  return html`<div class="counter">${shows ? html`<div class="out">${notes}${printed}</div>` : cardRow(seen)}</div>`
}

function cardRow(seen: Seen): View {
  return html`<div class="cards" data-away=${String(seen.app.atm.card !== undefined)} role="group" aria-label=${seen.messages.cards}>${cards.map((card, i) => cardView(seen, card, i === 0))}</div>`
}

function cardView({ app, money, messages, actions }: Seen, card: Card, isFirst: boolean): View {
  const { atm, balances, terminal } = app
  const ledger = balances[card.account]
  const balance = ledger === undefined ? '…' : money.full(ledger)
  const last4 = lastFour(card)
  const { holder, look } = card
  return html`
    <button type="button" class="card ${look}" key=${card.pan} data-in=${String(atm.card === card)}
      disabled=${atm.screen.at !== 'idle' || terminal?.state !== 'in_service'}
      data-focus=${isFirst && atm.screen.at === 'idle'}
      onClick=${() => actions.send({ type: 'insert', card })}>
      <i class="chip" aria-hidden="true"></i>
      <span class="unseen">${messages.insert}</span>
      <span class="digits"><span aria-hidden="true">••••</span> ${last4}</span>
      <span class="holder">${holder}</span>
      <span class="balance">${balance}</span>
    </button>
  `
}

/** The real mix, from when the notes begin to move; more than three of a kind show as a thick stack. */
function notesOut({ app, money }: Seen): View | undefined {
  const { screen } = app.atm
  const mix = mixIn(app.books.exchanges.findLast(({ verb }) => verb === 'start')?.answers[0]?.body)
  const phase = screen.at === 'working' ? screen.phase : screen.at === 'done' ? screen.result.type : ''
  if (app.terminal === undefined || !['paying', 'jammed', 'reporting', 'paid', 'stuck'].includes(phase))
    return undefined
  const state = phase === 'jammed' || phase === 'stuck' ? 'stuck' : 'out'
  return html`
    <div class="notes" data-state=${state}>
      ${stacksOf(mix, app.terminal).map(
        ({ value, count }) => html`
          <div class="stack" key=${value}>
            ${Array.from({ length: Math.min(count, 3) }, (_, i) => html`<${note} value=${money.note(value)} key=${i} />`)}
            ${count > 1 && html`<b class="times">× ${count}</b>`}
          </div>
        `,
      )}
    </div>
  `
}

function note({ value }: { readonly value: string }): View {
  return html`
    <div class="note" data-value=${value} aria-hidden="true">
      <span class="face"></span><b>${value}</b><small>CASHPOINT</small><em>${value}</em>
    </div>
  `
}

function mixIn(body: unknown): Readonly<Record<string, number>> {
  return (body as { units?: Record<string, number> } | undefined)?.units ?? {}
}

function stacksOf(mix: Readonly<Record<string, number>>, { units }: Terminal) {
  return units
    .flatMap(({ id, value }) =>
      value !== undefined && (mix[id] ?? 0) > 0 ? [{ value, count: mix[id] ?? 0 }] : [],
    )
    .toSorted((a, b) => b.value - a.value)
}

function receipt(seen: Seen, wish: Wish, result: Result): View | undefined {
  const { app, messages } = seen
  const { card } = app.atm
  const lines = linesOf(seen, wish, result)
  if (card === undefined || lines === undefined) return undefined
  const say = messages.receipt
  return html`
    <article class="receipt" aria-label=${say.title}>
      <h2>Cashpoint</h2>
      <p>${terminalId} ${new Date().toISOString().slice(0, 16).replace('T', ' ')}</p>
      <dl>
        <dt>${say.card}</dt><dd dir="ltr">•••• ${lastFour(card)}</dd>
        ${lines.map(([name, value, strong]) => html`<dt class=${strong && 'sum'}>${name}</dt><dd dir="ltr" class=${strong && 'sum'}>${value}</dd>`)}
      </dl>
      <button type="button" class="print" onClick=${() => print()}>${say.print}</button>
    </article>
  `
}

type Line = readonly [name: string, value: string, strong?: true]

function linesOf({ app, money, messages }: Seen, wish: Wish, result: Result): Line[] | undefined {
  const say = messages.receipt
  const balance = (of: { available: number } | null | undefined): Line[] =>
    of ? [[say.balance, money.full(of.available)]] : []
  switch (result.type) {
    case 'paid': {
      const { id, authorization_code, amount, dispensed, units, balance: after } = result.withdrawal
      const notes = app.terminal
        ? stacksOf(units, app.terminal).map(({ value, count }) => `${count}×${money.note(value)}`)
        : []
      return [
        [say.number, id],
        [say.code, authorization_code ?? '—'],
        ['', notes.join(' + ')],
        [say.withdrawal, money.full(dispensed ?? amount), true],
        ...balance(after),
      ]
    }
    case 'unheard':
      return wish.type === 'withdraw'
        ? [
            [say.withdrawal, money.full(wish.amount)],
            [say.notPaid, money.full(0), true],
          ]
        : undefined
    case 'stuck': {
      const { id, amount } = result.withdrawal
      return [
        [say.number, id],
        [say.withdrawal, money.full(amount)],
        [say.inDoubt, money.full(amount), true],
      ]
    }
    case 'told':
      return [...balance(result.balance)]
    case 'listed':
      return [
        ...result.entries
          .slice(0, 6)
          .map(
            ({ created_at, direction, amount }): Line => [
              created_at.slice(5, 16).replace('T', ' '),
              `${direction === 'debit' ? '−' : '+'}${money.full(amount)}`,
            ],
          ),
        ...balance(result.balance),
      ]
    case 'deposited':
      return [[say.deposit, money.full(result.amount), true], ...balance(result.balance)]
    case 'transferred':
      return [
        [say.to, result.to],
        [say.transfer, money.full(result.amount), true],
        ...balance(result.balance),
      ]
    case 'pin_changed':
    case 'refused':
      return undefined
  }
}

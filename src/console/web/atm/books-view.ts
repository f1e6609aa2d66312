/** "The books": where the money stands, each request with its `curl` line, each entry, and what happened in the end. */
import { html, type View } from '../html.ts'
import type { Messages } from '../messages/messages.ts'
import type { Answer } from '../wire.ts'
import type { Exchange, Story } from './books.ts'
import { cards, terminalId } from './cards.ts'
import { curlOf } from './curl.ts'
import type { Seen } from './page.ts'
import type { Transfer } from './shapes.ts'

export function booksPanel(seen: Seen): View {
  const { app, messages } = seen
  const { exchanges, transfers, story } = app.books
  return html`
    <section class="books" aria-labelledby="books">
      <h2 id="books">${messages.books} <small>${messages.booksHint}</small></h2>
      ${flow(seen)}
      <div class="scroll" tabindex="0" role="group" aria-label=${messages.requests}>
        <h3>${messages.requests}</h3>
        ${exchanges.length === 0 ? plan(seen) : html`<ol class="exchanges">${exchanges.map((exchange) => exchangeView(seen, exchange))}</ol>`}
        <h3>${messages.entries}</h3>
        ${transfers.length === 0 ? html`<p class="none">${messages.noEntries}</p>` : entries(seen, transfers)}
      </div>
      <div class="story" role="status" aria-label=${messages.whatHappened}>${
        story
          ? storyView(seen, story)
          : exchanges.length === 0 &&
            html`<div class="told"><p>${messages.promise}</p><p>${messages.dare}</p></div>`
      }</div>
    </section>
  `
}

/** The three places money can be at, and the way that the last entry took. */
function flow({ app, money, messages }: Seen): View {
  const { holder, terminal, balances, books } = app
  const ledger = holder && balances[holder.account]
  const notes = terminal?.units.reduce((sum, { type, count }) => sum + (type === 'cash_out' ? count : 0), 0)
  const transit = terminal && terminal.transit.uncertain + terminal.transit.unconfirmed
  const figure = (minor: number | undefined) => (minor === undefined ? '—' : money.full(minor))
  const last = books.transfers.at(-1)
  const way = last && wayOf(last)
  const chip = last && html`<b key=${last.id}>${money.full(last.amount)}</b>`
  return html`
    <div class="flow">
      <div class="place"><span>${holder?.holder ?? messages.customer}</span><strong>${figure(ledger)}</strong><small>${holder?.account ?? messages.anyCustomer}</small></div>
      <div class="way" data-way=${way?.[0] ?? ''} aria-hidden="true">${way?.[0] && chip}</div>
      <div class="place transit" data-full=${String((transit ?? 0) > 0)}><span>${messages.transit}</span><strong>${figure(transit)}</strong><small>${messages.transitHint}</small></div>
      <div class="way" data-way=${way?.[1] ?? ''} aria-hidden="true">${way?.[1] && chip}</div>
      <div class="place"><span>${messages.cash}</span><strong>${figure(terminal?.cash)}</strong><small>${notes === undefined ? '—' : messages.noteCount(notes)}</small></div>
    </div>
  `
}

/** Along which of the two arrows, and which way. */
function wayOf({ debit_account, credit_account }: Transfer): readonly [string, string] {
  const places = [debit_account, credit_account].map((account) => {
    if (account === `${terminalId}.cash`) return 2
    return account === `${terminalId}.transit` ? 1 : 0
  })
  const [from = 0, to = 0] = places
  const direction = to > from ? 'on' : 'back'
  const [low, high] = [Math.min(from, to), Math.max(from, to)]
  return [low === 0 && high > 0 ? direction : '', high === 2 && low < 2 ? direction : '']
}

function plan({ messages }: Seen): View {
  const steps = ['authorize', 'start', 'confirm'] as const
  return html`
    <ol class="plan">
      ${steps.map((verb) => html`<li><b>${messages.verbs[verb]}</b><span>${messages.plan[verb]}</span></li>`)}
    </ol>
    <p class="none">${messages.noRequests}</p>
  `
}

function exchangeView(seen: Seen, { verb, request, answers, lost }: Exchange): View {
  const { app, messages, actions } = seen
  const line = curlOf(request, location.protocol === 'https:' ? location.origin : location.host)
  const name = messages.verbs[verb]
  const copied = app.copied === line
  return html`
    <li class="exchange" data-verb=${verb} key=${request.path + verb}>
      <details>
        <summary class="head" title=${messages.details}>
          <b>${name}</b><code class="path">${request.method} ${request.path}</code>
          ${answers.length === 0 && html`<span class="status" data-kind="none">${lost ? messages.lost : messages.waiting}</span>`}
          ${answers.map((answer, i) => statusView(seen, answer, { lost, again: i > 0 }))}
        </summary>
        <pre dir="ltr">${pretty(request.body)}</pre>
        ${answers.map(({ status, body }) => html`<pre dir="ltr">${status} ${pretty(body)}</pre>`)}
      </details>
      <div class="line">
        <code dir="ltr">${line}</code>
        <button type="button" aria-label=${messages.copyLine(name)} data-done=${String(copied)} onClick=${() => actions.copy(line)}
          >${copied ? messages.copied : messages.copy}</button>
      </div>
    </li>
  `
}

function statusView(
  { messages }: Seen,
  { status, ms, replayed }: Answer,
  { lost, again }: { lost: boolean; again: boolean },
): View {
  const kind = lost ? 'lost' : status < 300 ? 'yes' : 'no'
  const note = lost
    ? messages.lost
    : again && replayed
      ? messages.replayed
      : `${Math.max(1, Math.round(ms))} ms`
  return html`<span class="status" dir="ltr" data-kind=${kind}><b>${status}</b> ${note}</span>`
}

function pretty(body: unknown): string {
  return JSON.stringify(body, null, 1)
}

function entries(seen: Seen, transfers: readonly Transfer[]): View {
  const { messages } = seen
  return html`
    <table>
      <thead><tr><th>${messages.from}</th><th>${messages.to}</th><th class="sum">${messages.amount}</th><th class="sum">${messages.after}</th></tr></thead>
      <tbody>${transfers.map((transfer) => entry(seen, transfer))}</tbody>
    </table>
    <p class="none">${messages.signs}</p>
  `
}

function entry(
  { money, messages }: Seen,
  { id, debit_account, credit_account, amount, balances }: Transfer,
): View {
  const after = (account: string) => {
    const ledger = balances.find((each) => each.account === account)?.ledger
    return ledger === undefined ? '—' : money.full(ledger)
  }
  const name = (account: string) => {
    const [owner, part] = account.split('.')
    return part === undefined
      ? (cards.find((card) => card.account === owner)?.holder ?? account)
      : (messages.account[part] ?? part)
  }
  return html`
    <tr key=${id} title=${id}>
      <td>${name(debit_account)}</td>
      <td>${name(credit_account)}</td>
      <td class="sum">${money.full(amount)}</td>
      <td class="sum"><span>${after(debit_account)}</span> <i aria-hidden="true">→</i> <span>${after(credit_account)}</span></td>
    </tr>
  `
}

/** Its page in the operator's console, in the language that is spoken here. */
function inConsole(withdrawal: string, { language }: Messages): string {
  return `/console/terminals/${terminalId}/withdrawals/${withdrawal}?lang=${language}`
}

function storyView({ messages, actions }: Seen, { text, mood, withdrawal, exception, card }: Story): View {
  return html`
    <div class="told" data-mood=${mood}>
      <p>${text}</p>
      <p class="then">
        ${
          exception &&
          html`
            <span>${messages.settleAsk}</span>
            <button type="button" onClick=${() => actions.settle(0)}>${messages.settleFound}</button>
            <button type="button" onClick=${() => actions.settle(exception.amount)}>${messages.settleGone}</button>
          `
        }
        ${card && html`<button type="button" onClick=${actions.unlock}>${messages.unlock}</button>`}
        ${withdrawal && html`<a href=${inConsole(withdrawal, messages)} target="_blank" rel="noreferrer">${messages.showWithdrawal}</a>`}
      </p>
    </div>
  `
}

/** What the machine's own screen shows, one function for each place a customer can be at. */
import { html, type View } from '../html.ts'
import { cards } from './cards.ts'
import { countOf, type Result, type Screen, worthOf } from './machine.ts'
import type { Seen } from './page.ts'

const quick = ['20', '40', '60', '100']

type Lines = { readonly title: string; readonly hint?: string | undefined; readonly body?: View }

export function screenView(seen: Seen): View {
  const { title, hint, body } = linesOf(seen)
  const { screen } = seen.app.atm
  return html`
    <div class="screen" data-at=${screen.at}>
      <div role="status"><h1>${title}</h1>${hint && html`<p>${hint}</p>`}</div>
      ${body}
    </div>
  `
}

function linesOf(seen: Seen): Lines {
  const { app, messages, money } = seen
  const { screen, card } = app.atm
  const say = messages.screen
  switch (screen.at) {
    case 'idle':
      if (app.trouble !== undefined || (app.terminal && app.terminal.state !== 'in_service'))
        return {
          title: say.closed,
          hint: say.closedHint,
          body: html`<i class="mark" aria-hidden="true" data-kind="no"></i>`,
        }
      return {
        title: say.pickCard,
        hint: say.pickCardHint,
        body: html`<div class="art"><ol>${say.steps.map((step) => html`<li>${step}</li>`)}</ol><i aria-hidden="true"></i></div>`,
      }
    case 'pin': {
      const wrong = screen.triesLeft
      const hint = wrong === undefined ? say.pinHint : say.triesLeft(wrong)
      return { title: screen.wish ? say.wrongPin : say.enterPin, hint, body: dots(screen.digits, say) }
    }
    case 'new_pin': {
      const title = screen.first === undefined ? say.newPin : say.newPinAgain
      return {
        title,
        hint: screen.differed ? say.newPinDiffered : say.newPinHint,
        body: dots(screen.digits, say),
      }
    }
    case 'menu':
      return { title: say.hello(card?.holder ?? ''), hint: say.howMuch, body: menu(seen) }
    case 'amount': {
      const title = screen.to === undefined ? say.enterAmount : say.transferAmount(nameOf(screen.to))
      const hint = screen.to === undefined ? say.amountHint : say.transferHint
      const figure = money.short(money.ofWhole(screen.digits || '0'))
      return { title, hint, body: html`<output class="figure">${figure}</output>` }
    }
    case 'notes':
      return { title: say.putNotes, hint: say.putNotesHint, body: notesForm(seen, screen) }
    case 'payee':
      return { title: say.payee, body: payees(seen) }
    case 'working':
      return working(seen, screen)
    case 'done':
      return {
        ...doneLines(seen, screen.result),
        body: html`${doneBody(seen, screen.result)}${farewell(seen)}`,
      }
  }
}

function dots(digits: string, say: Seen['messages']['screen']): View {
  return html`
    <div class="dots" role="img" aria-label=${say.digits(digits.length)}>
      ${[0, 1, 2, 3].map((i) => html`<i data-on=${String(i < digits.length)}></i>`)}
    </div>
  `
}

function menu({ messages, money, actions }: Seen): View {
  const say = messages.screen
  return html`
    <div class="quick">
      ${quick.map((digits, i) => {
        const amount = money.ofWhole(digits)
        return html`<button type="button" data-amount=${digits} data-focus=${i === 0} onClick=${() =>
          actions.send({ type: 'wish', wish: { type: 'withdraw', amount } })}>${money.short(amount)}</button>`
      })}
    </div>
    <div class="more">
      <button type="button" onClick=${() => actions.send({ type: 'open', screen: 'amount' })}>${say.otherAmount}</button>
      <button type="button" onClick=${() => actions.send({ type: 'wish', wish: { type: 'balance' } })}>${say.balance}</button>
      <button type="button" onClick=${() => actions.send({ type: 'open', screen: 'notes' })}>${say.deposit}</button>
      <button type="button" onClick=${() => actions.send({ type: 'open', screen: 'payee' })}>${say.transfer}</button>
      <button type="button" onClick=${() => actions.send({ type: 'wish', wish: { type: 'statement' } })}>${say.statement}</button>
      <button type="button" onClick=${() => actions.send({ type: 'open', screen: 'new_pin' })}>${say.changePin}</button>
    </div>
  `
}

function notesForm(
  { app, messages, money, actions }: Seen,
  { notes }: Extract<Screen, { at: 'notes' }>,
): View {
  const say = messages.screen
  const values = [...new Set(app.terminal?.units.flatMap(({ value }) => value ?? []))].sort((a, b) => b - a)
  return html`
    <div class="feed">
      ${values.map(
        (value, i) => html`
          <div>
            <span class="paper" data-value=${money.note(value)}>${money.note(value)}</span>
            <button type="button" aria-label=${say.noteLess(money.short(value))} onClick=${() =>
              actions.send({ type: 'note', value, by: -1 })}>−</button>
            <output>${notes[value] ?? 0}</output>
            <button type="button" data-focus=${i === 0} aria-label=${say.noteMore(money.short(value))} onClick=${() =>
              actions.send({ type: 'note', value, by: 1 })}>+</button>
          </div>
        `,
      )}
    </div>
    <button type="button" class="primary" disabled=${countOf(notes) === 0} onClick=${() =>
      actions.send({ type: 'enter' })}>${say.deposit} · ${money.short(worthOf(notes))}</button>
  `
}

function payees({ app, actions }: Seen): View {
  return html`
    <div class="list">
      ${cards
        .filter((card) => card !== app.atm.card)
        .map(
          ({ account, holder }, i) => html`
            <button type="button" data-focus=${i === 0} onClick=${() => actions.send({ type: 'payee', account })}>
              <b>${holder}</b><span>${account}</span>
            </button>
          `,
        )}
    </div>
  `
}

function working({ messages }: Seen, { phase }: Extract<Screen, { at: 'working' }>): Lines {
  const say = messages.screen
  const body = html`<div class="busy" data-phase=${phase} aria-hidden="true"><i></i><i></i><i></i></div>`
  switch (phase) {
    case 'asking':
      return { title: say.asking, hint: say.askingHint, body }
    case 'silent':
      return { title: say.silent, hint: say.silentHint, body }
    case 'paying':
      return { title: say.paying, hint: say.payingHint, body }
    case 'jammed':
      return { title: say.jammed, hint: say.jammedHint, body }
    case 'reporting':
      return { title: say.reporting, body }
  }
}

function doneLines({ messages, money }: Seen, result: Result): Lines {
  const say = messages.screen
  const balanceNow = (balance: { readonly available: number } | undefined | null) =>
    balance ? say.newBalance(money.full(balance.available)) : undefined
  switch (result.type) {
    case 'paid': {
      const { amount, dispensed, balance } = result.withdrawal
      return { title: say.paid(money.short(dispensed ?? amount)), hint: balanceNow(balance) }
    }
    case 'unheard':
      return { title: say.unheard, hint: say.unheardHint }
    case 'stuck':
      return { title: say.stuck, hint: say.stuckHint(money.full(result.withdrawal.amount)) }
    case 'told':
      return { title: say.told }
    case 'listed':
      return { title: say.listed, hint: result.entries.length === 0 ? say.noEntries : undefined }
    case 'deposited':
      return { title: say.deposited(money.short(result.amount)), hint: balanceNow(result.balance) }
    case 'transferred':
      return {
        title: say.transferred(money.short(result.amount)),
        hint: say.transferredHint(nameOf(result.to)),
      }
    case 'pin_changed':
      return { title: say.pinChanged, hint: say.pinChangedHint }
    case 'refused':
      return { title: say.refused, hint: messages.refusals[result.problem.code] ?? result.problem.title }
  }
}

function doneBody({ messages, money, actions }: Seen, result: Result): View | undefined {
  const say = messages.screen
  if (result.type === 'told')
    return html`
      <dl class="figures">
        <dt>${say.ledger}</dt><dd>${money.full(result.balance.ledger)}</dd>
        <dt>${say.availableNow}</dt><dd>${money.full(result.balance.available)}</dd>
      </dl>
    `
  if (result.type === 'listed')
    return html`
      <ol class="entries">
        ${result.entries.slice(0, 5).map(
          ({ direction, amount, created_at, kind }) => html`
            <li><time>${created_at.slice(5, 16).replace('T', ' ')}</time><span>${kind}</span
              ><b>${direction === 'debit' ? '−' : '+'}${money.full(amount)}</b></li>
          `,
        )}
      </ol>
    `
  if (result.type !== 'refused' || !result.problem.nearest)
    return html`<i class="mark" aria-hidden="true" data-kind=${markOf[result.type]}></i>`
  const { below, above } = result.problem.nearest
  return html`
    <p class="nearest">${say.nearest}</p>
    <div class="quick">
      ${[below, above].map(
        (amount) =>
          amount !== null &&
          html`<button type="button" onClick=${() =>
            actions.send({
              type: 'wish',
              wish: { type: 'withdraw', amount },
            })}>${money.short(amount)}</button>`,
      )}
    </div>
  `
}

const markOf: Readonly<Partial<Record<Result['type'], string>>> = {
  refused: 'no',
  unheard: 'no',
  stuck: 'open',
}

function farewell({ messages, actions }: Seen): View {
  return html`
    <div class="farewell">
      <button type="button" class="primary" data-focus onClick=${() => actions.send({ type: 'take' })}>${messages.screen.takeCard}</button>
      <button type="button" onClick=${() => actions.send({ type: 'again' })}>${messages.screen.again}</button>
    </div>
  `
}

function nameOf(account: string): string {
  return cards.find((card) => card.account === account)?.holder ?? account
}

/** The machine: its screen, the reader with the sticky note, the keypad, and the slots. */
import { html, type View } from '../html.ts'
import { pinOf } from './app.ts'
import { lastFour } from './cards.ts'
import type { Seen } from './page.ts'
import { screenView } from './screen-view.ts'

export function machine(seen: Seen): View {
  const { app, messages } = seen
  const { atm, terminal, trouble } = app
  const state = trouble === 'missing' ? 'missing' : (trouble ?? terminal?.state ?? 'waiting')
  return html`
    <section class="machine" aria-label=${messages.machine} data-state=${state}>
      <div class="fascia">
        <span class="sign"><i aria-hidden="true"></i>${signOf(seen)}</span>
        <span class="id">ATM00001</span>
      </div>
      <div class="front">
        ${screenView(seen)}
        <div class="side">
          <div class="reader" data-busy=${String(atm.card !== undefined)}>
            <span class="label">${messages.cardSlot}</span>
            <div class="mouth">
              ${
                atm.card &&
                html`<div class="swallowed ${atm.card.look}" key=${atm.card.pan} aria-hidden="true">${lastFour(atm.card)}</div>`
              }
            </div>
            <p class="sticky"><span>${messages.stickyTitle}</span> <b>${pinOf(app)}</b></p>
          </div>
          ${keypad(seen)}
        </div>
      </div>
      <div class="slots" aria-hidden="true">
        <div class="slot cash"><span class="label">${messages.cashSlot}</span></div>
        <div class="slot paper"><span class="label">${messages.receiptSlot}</span></div>
      </div>
    </section>
  `
}

function signOf({ app: { terminal, trouble }, messages }: Seen): string {
  if (trouble === 'missing') return messages.noTerminal
  if (trouble === 'unreachable') return messages.unreachable
  switch (terminal?.state) {
    case undefined:
      return '…'
    case 'in_service':
      return messages.inService
    case 'out_of_service':
      return messages.outOfService
    case 'exchange':
      return messages.exchange
  }
}

const rows = ['1', '2', '3', 'cancel', '4', '5', '6', 'clear', '7', '8', '9', 'enter', '0'] as const

function keypad({ app, messages, actions }: Seen): View {
  const { at } = app.atm.screen
  const types = at === 'pin' || at === 'amount' || at === 'new_pin'
  // A pointer leaves the focus where it is, so that Enter still means the machine's own.
  const stay = (event: Event) => event.preventDefault()
  return html`
    <div class="keypad" role="group" aria-label=${messages.keypad} tabindex="-1" data-focus=${types}>
      ${rows.map((key) =>
        key === 'cancel' || key === 'clear' || key === 'enter'
          ? html`<button type="button" class=${key} onMouseDown=${stay} onClick=${() => actions.send({ type: key })}>${messages[key]}</button>`
          : html`<button type="button" class="digit" data-key=${key} onMouseDown=${stay} onClick=${() => actions.send({ type: 'digit', digit: key })}>${key}</button>`,
      )}
    </div>
  `
}

/** The whole page: the machine with what lies before it, and the books beside it. */
import { html, type View } from '../html.ts'
import type { Messages } from '../messages/messages.ts'
import type { Money } from '../money.ts'
import type { Actions, App } from './app.ts'
import { booksPanel } from './books-view.ts'
import { counter } from './counter-view.ts'
import { machine } from './machine-view.ts'
import type { Fault } from './teller.ts'

export type Seen = {
  readonly app: App
  readonly money: Money
  readonly messages: Messages
  readonly actions: Actions
}

export function page(seen: Seen): View {
  const { messages } = seen
  const other = messages.language === 'he' ? 'en' : 'he'
  return html`
    <header class="bar">
      <span class="logo"><i aria-hidden="true"></i>Cashpoint</span>
      <span class="demo"><b>${messages.demo}</b> <span>${messages.demoHint}</span></span>
      <nav><a href="?lang=${other}" hreflang=${other} lang=${other}>${messages.otherLanguage}</a><a href="/docs">${messages.api}</a></nav>
    </header>
    <main>
      <div class="stand">${machine(seen)} ${counter(seen)} ${faults(seen)}</div>
      ${booksPanel(seen)}
    </main>
  `
}

const all: readonly Fault[] = ['cut', 'jam', 'twice']

function faults({ app, messages, actions }: Seen): View {
  return html`
    <section class="faults" aria-labelledby="faults">
      <h2 id="faults">${messages.next} <small>${messages.faultHint}</small></h2>
      <div>
        ${all.map(
          (fault) => html`
            <button type="button" role="switch" aria-checked=${String(app.fault === fault)} data-fault=${fault}
              onClick=${() => actions.toggle(fault)}>
              <i aria-hidden="true"></i><span>${messages.faults[fault]}</span>
            </button>
          `,
        )}
      </div>
    </section>
  `
}

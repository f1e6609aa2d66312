/** How many notes are put into each unit, and the end of the exchange, as soon as nothing stands in its way. */
import { useState } from 'preact/hooks'
import type { Terminal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/terminal-exchange.en.ts'
import { unitText } from '../parts/bars.ts'
import { money } from '../parts/figures.ts'
import { numberInput, payers } from './terminal-count.ts'
import { worthOf } from './terminal-exchange.ts'

export type LoadFormProps = {
  readonly terminal: Terminal
  /** Why it cannot end yet; undefined where it can. */
  readonly why: string | undefined
  /** What is loaded is all there is then: each unit must be said. */
  readonly isAll: boolean
  readonly words: Words
  onEnd(loaded: Readonly<Record<string, number>>): void
}

export function LoadForm({ terminal, why, isAll, words, onEnd }: LoadFormProps): View {
  const [loaded, setLoaded] = useState<Readonly<Record<string, number>>>({})
  const { currency } = terminal
  const units = payers(terminal)
  const onInput = (event: InputEvent) => {
    const form = new FormData(event.currentTarget as HTMLFormElement)
    setLoaded(Object.fromEntries(units.map(({ id }) => [id, Number(form.get(id)) || 0])))
  }
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault()
    onEnd(loaded)
  }
  return html`
    <form class="load" onInput=${onInput} onSubmit=${onSubmit}>
      <p class="soft">${words.loadText}</p>
      <div class="inputs">
        ${units.map((unit) =>
          numberInput({
            label: html`${unitText(unit, currency)} <code>${unit.id}</code>`,
            heard: words.loadedIn(`${unitText(unit, currency)} ${unit.id}`),
            name: unit.id,
            required: isAll,
          }),
        )}
        <p class="sum">${words.sum} <b>${money(worthOf(loaded, terminal), currency)}</b></p>
      </div>
      <div class="actions">
        <button type="submit" class="button main" disabled=${why !== undefined}>${words.endMore}</button>
        ${why !== undefined && html`<span class="soft">${why}</span>`}
      </div>
    </form>
  `
}

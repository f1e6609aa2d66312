/** One of a few answers, all of which are seen. */
import type { VNode } from 'preact'
import { html, type View } from '../../html.ts'
import { styled } from '../styles.ts'

styled('parts/choices')

export type Choice = {
  readonly value: string
  readonly label: string | View
  /** Beside the answer, as what belongs to it: shown whether it is the chosen one or not. */
  readonly beside?: View | VNode | false | undefined
}

export type Choices = {
  /** What is asked. */
  readonly legend: string | View
  /** The name of the answer in the form. */
  readonly name: string
  readonly options: readonly Choice[]
  readonly chosen: string | undefined
  onChoose(value: string): void
}

/** Where a dialog begins with it, the answer that is chosen has the focus. */
export function choices({ legend, name, options, chosen, onChoose }: Choices): View {
  return html`
    <fieldset class="choices">
      <legend>${legend}</legend>
      ${options.map(
        ({ value, label, beside }) => html`
          <div class="choice ${value === chosen ? 'chosen' : ''}" key=${value}>
            <label>
              <input type="radio" name=${name} value=${value} required checked=${value === chosen}
                autofocus=${value === chosen} onChange=${() => onChoose(value)} />
              <span>${label}</span>
            </label>
            ${beside}
          </div>
        `,
      )}
    </fieldset>
  `
}

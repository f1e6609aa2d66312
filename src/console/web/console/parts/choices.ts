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
  /** A dialog begins with it: the answer that is chosen has the focus. */
  readonly isFirst?: boolean
  onChoose(value: string): void
}

export function choices({ legend, name, options, chosen, isFirst = false, onChoose }: Choices): View {
  return html`
    <fieldset class="choices">
      <legend>${legend}</legend>
      ${options.map(
        ({ value, label, beside }) => html`
          <div class="choice ${value === chosen ? 'chosen' : ''}" key=${value}>
            <label>
              <input type="radio" name=${name} value=${value} required checked=${value === chosen}
                autofocus=${isFirst && value === chosen} onChange=${() => onChoose(value)} />
              <span>${label}</span>
            </label>
            ${beside}
          </div>
        `,
      )}
    </fieldset>
  `
}

/** Figures that are looked at first: few, large, each with its name. */
import type { VNode } from 'preact'
import { html, type View } from '../../html.ts'
import { styled } from '../styles.ts'

styled('parts/tiles')

export type Tile = {
  readonly name: string
  readonly figure: View | VNode | string
  /** A few words under it. */
  readonly text?: View | VNode | string | false | undefined
  /** `warn` for what somebody should look at, `quiet` where there is nothing of it. */
  readonly tone?: 'warn' | 'bad' | 'good' | 'quiet' | undefined
}

export function tiles(list: readonly Tile[]): View {
  return html`
    <dl class="tiles">
      ${list.map(
        ({ name, figure, text, tone = '' }) => html`
          <div class=${tone}><dt>${name}</dt><dd><b>${figure}</b>${text && html`<small>${text}</small>`}</dd></div>
        `,
      )}
    </dl>
  `
}

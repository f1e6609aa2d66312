/** A machine's units as bars, each with what is in it, what of that is promised, and how long it will last. */
import type { Attention, Terminal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/terminal.en.ts'
import { unitBar } from '../parts/bars.ts'
import { count, spanText } from '../parts/figures.ts'
import { panel } from '../parts/page.ts'

/** `attention`: of this machine, which knows at what rate units empty. */
export function units(
  { units, currency }: Terminal,
  { attention, words }: { attention: readonly Attention[]; words: Words },
): View {
  return panel(
    { title: words.units },
    html`
      <div class="units">
        ${units.map((unit) => {
          const found = attention.find((one) => one.unit === unit.id && one.hours_left != null)
          const left = found?.hours_left
          const lines = [
            ...(left == null
              ? []
              : [html`<span class="urgent">${words.hoursLeft(spanText(left * 3_600))}</span>`]),
            ...(unit.low === undefined || unit.low === 0
              ? []
              : [html`<span>${words.low(count(unit.low))}</span>`]),
          ]
          return html`
            <div key=${unit.id}>
              ${unitBar(unit, currency)}
              ${lines.length > 0 && html`<p class="soft beneath">${lines}</p>`}
            </div>
          `
        })}
      </div>
    `,
  )
}

/** A machine's units: those that pay out as bars, with how long they will last; of the others, which notes are in them. */
import type { Attention, Terminal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/terminal.en.ts'
import { type Unit, unitBar, unitText } from '../parts/bars.ts'
import { count, moneyText, notesText, spanText } from '../parts/figures.ts'
import { facts, panel } from '../parts/page.ts'

type Beside = { readonly attention: readonly Attention[]; readonly currency: string; readonly words: Words }

/** `attention`: of this machine, which knows at what rate units empty. */
export function units({ units }: Terminal, beside: Beside): View {
  const pays = units.filter(({ type }) => type === 'cash_out')
  const others = units.filter(({ type }) => type !== 'cash_out')
  return panel(
    { title: beside.words.units },
    html`
      <div class="units">${pays.map((unit) => payer(unit, beside))}</div>
      ${others.length > 0 && facts(others.map((unit) => [unitText(unit, beside.currency), held(unit, beside)]))}
    `,
  )
}

function payer(unit: Unit, { attention, currency, words }: Beside): View {
  const { id, low = 0 } = unit
  const left = attention.find((one) => one.unit === id)?.hours_left ?? undefined
  return html`
    <div key=${id}>
      ${unitBar(unit, currency)}
      <p class="beneath soft">
        ${low > 0 && html`<span>${words.low(count(low))}</span>`}
        ${left !== undefined && html`<b>${words.hoursLeft(spanText(left * 3_600))}</b>`}
      </p>
    </div>
  `
}

/** Such as `3 notes: 2 × $50.00, 1 × $20.00`. */
function held({ id, count: notes, notes: byValue = {}, retract_operations = 0 }: Unit, beside: Beside): View {
  const { currency, words } = beside
  const kinds = Object.entries(byValue)
    .sort(([a], [b]) => Number(b) - Number(a))
    .map(([value, number]) => words.kind(count(number), moneyText(Number(value), currency)))
  return html`
    ${notesText(notes)} <code class="soft">${id}</code>
    ${kinds.length > 0 && html`<br /><small>${kinds.join(', ')}</small>`}
    ${retract_operations > 0 && html`<br /><small>${words.retracted(count(retract_operations))}</small>`}
  `
}

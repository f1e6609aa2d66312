/** A machine's units as bars: how full each is, what of it is promised, and where it begins to be low. */
import type { Terminal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { styled } from '../styles.ts'
import { wordsOf } from '../words.ts'
import { badge, stateText } from './badge.ts'
import { count, moneyText, notesText } from './figures.ts'

styled('parts/bars')
const texts = await wordsOf({
  en: () => import('../messages/units.en.ts'),
  he: () => import('../messages/units.he.ts'),
})

export type Unit = Terminal['units'][number]

/** All of a machine's cash units, small: for rows of a list. */
export function unitBars({ units, currency }: Pick<Terminal, 'units' | 'currency'>): View {
  return html`
    <span class="bars">
      ${units
        .filter(({ type }) => type === 'cash_out')
        .map((unit) => {
          const label = `${unitText(unit, currency)}: ${notesText(unit.count)}, ${stateText('unit', unit.status)}`
          return html`
            <span class="bar-up ${unit.status}" role="img" aria-label=${label} title=${label}>
              <i style=${{ height: `${share(unit.count, fullOf(unit))}%` }}></i>
            </span>
          `
        })}
    </span>
  `
}

/** One unit, with its figures. */
export function unitBar(unit: Unit, currency: string): View {
  const { id, count: notes, reserved = 0, rejected = 0, low, status } = unit
  const full = fullOf(unit)
  return html`
    <div class="unit">
      <div><b>${unitText(unit, currency)}</b> <code>${id}</code> ${status !== 'ok' && badge('unit', status)}</div>
      <div class="bar-along ${status}" aria-hidden="true">
        <i style=${{ width: `${share(notes, full)}%` }}></i>
        ${reserved > 0 && html`<i class="reserved" style=${{ width: `${share(reserved, full)}%` }}></i>`}
        ${low !== undefined && low < full && html`<s style=${{ insetInlineStart: `${share(low, full)}%` }}></s>`}
      </div>
      <div class="figure">
        ${notesText(notes)}
        ${unit.value !== undefined && html` <span class="soft">${moneyText(notes * unit.value, currency)}</span>`}
        ${reserved > 0 && html` <span class="soft">${texts.reserved(count(reserved))}</span>`}
        ${rejected > 0 && html` <span class="soft">${texts.rejected(count(rejected))}</span>`}
      </div>
    </div>
  `
}

/** What a unit holds: notes of a value, or what its type is for. */
export function unitText({ type, value }: Pick<Unit, 'type' | 'value'>, currency: string): string {
  return value === undefined ? texts.types[type] : moneyText(value, currency)
}

/** Nothing says how many notes fit: what was loaded last is as full as it is known to be. */
function fullOf({ count: now, initial = 0 }: Unit): number {
  return Math.max(now, initial, 1)
}

function share(part: number, whole: number): number {
  return Math.round((part / whole) * 1_000) / 10
}

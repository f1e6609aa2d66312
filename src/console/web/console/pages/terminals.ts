/** All cash machines: whether each serves, what is in it, and when it was last heard of. */
import type { Terminal, Terminals } from '../../../../client/types.ts'
import { html } from '../../html.ts'
import { withParams } from '../api.ts'
import type { LiveEvent } from '../live.ts'
import type { Words } from '../messages/terminals.en.ts'
import type { Page } from '../pages.ts'
import { badge } from '../parts/badge.ts'
import { unitBars } from '../parts/bars.ts'
import { loaded, useData } from '../parts/data.ts'
import { ago, money } from '../parts/figures.ts'
import { terminalLink } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { pageHead, panel } from '../parts/page.ts'
import { type Column, pager, table } from '../parts/table.ts'

const perPage = 50

export const page: Page<Words> = ({ place, words }) => {
  const path = withParams('/v1/terminals', { limit: perPage, cursor: place.query.get('cursor') })
  const data = useData<Terminals>(path, touchesTerminals)
  return html`
    ${pageHead({ title: words.title })}
    ${loaded(data, ({ terminals, next }) =>
      terminals.length === 0
        ? note({ title: words.none, text: words.noneText })
        : panel({ tight: true }, [
            table({
              caption: words.title,
              columns: columnsOf(words),
              rows: terminals,
              keyOf: ({ id }) => id,
            }),
            pager(place, next),
          ]),
    )}
  `
}

function touchesTerminals({ type }: LiveEvent): boolean {
  return /\.(terminal|withdrawal|exception|batch)\./.test(type)
}

function columnsOf(words: Words): readonly Column<Terminal>[] {
  return [
    {
      head: words.terminal,
      cell: ({ id, name }) => html`<b>${terminalLink(id)}</b> <small><bdi>${name}</bdi></small>`,
    },
    { head: words.state, cell: ({ state }) => badge('terminal', state) },
    { head: words.units, cell: unitBars },
    { head: words.cash, align: 'end', cell: ({ cash, currency }) => money(cash, currency) },
    {
      head: words.uncertain,
      align: 'end',
      cell: ({ transit: { uncertain }, currency }) => uncertain !== 0 && money(uncertain, currency),
    },
    { head: words.lastCashOut, align: 'end', cell: ({ last_cash_out }) => ago(last_cash_out) },
    { head: words.lastSeen, align: 'end', cell: ({ last_seen }) => ago(last_seen) },
  ]
}

/** The report of a batch that was closed: what was posted in it, what was carried over, and up to which block. */
import type { ClosedBatch, Terminal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment } from '../api.ts'
import type { Words } from '../messages/terminal.en.ts'
import type { Page } from '../pages.ts'
import { badge } from '../parts/badge.ts'
import { copyable } from '../parts/copy.ts'
import { loaded, useData } from '../parts/data.ts'
import { count, day, money, moneyText, stamp } from '../parts/figures.ts'
import { hrefs, withdrawalLink } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { facts, pageHead, panel } from '../parts/page.ts'
import { table } from '../parts/table.ts'
import { tiles } from '../parts/tiles.ts'
import { sumText } from './terminal-lists.ts'

export const page: Page<Words> = ({ place, words }) => {
  const { terminal: id = '', batch = '' } = place.params
  const path = `/v1/terminals/${segment(id)}`
  const terminal = useData<Terminal>(path)
  const isOpen = terminal.body !== undefined && String(terminal.body.batch) === batch
  const report = useData<ClosedBatch>(isOpen ? undefined : `${path}/batches/${segment(batch)}`)
  return html`
    ${pageHead({
      title: words.closedBatch(batch),
      above: [
        { label: words.all, href: '/console/terminals' },
        { label: id, href: hrefs.terminal(id) },
        { label: words.batches, href: hrefs.batches(id) },
      ],
    })}
    ${loaded(terminal, ({ currency }) =>
      isOpen
        ? note({ text: words.stillOpen })
        : loaded(report, (closed) => reportOf(closed, currency, words)),
    )}
  `
}

function reportOf(closed: ClosedBatch, currency: string, words: Words): View {
  const text = (minor: number) => moneyText(minor, currency)
  const sum = (of: ClosedBatch['withdrawals']) => sumText(of, currency, words)
  const { net, cash, transit, over_short, head } = closed
  return html`
    ${tiles([
      { name: words.net, figure: text(net), text: words.netText },
      { name: words.cash, figure: text(cash) },
      { name: words.transit, figure: text(transit), tone: transit === 0 ? 'quiet' : 'warn' },
      { name: words.overShort, figure: text(over_short), tone: over_short === 0 ? 'quiet' : 'warn' },
    ])}
    ${panel(
      {},
      facts([
        [words.businessDate, day(closed.business_date)],
        [words.openedAt, stamp(closed.opened_at)],
        [words.closedAt, stamp(closed.closed_at)],
        [words.withdrawals, sum(closed.withdrawals)],
        [words.withdrawalReversals, sum(closed.withdrawal_reversals)],
        [words.deposits, sum(closed.deposits)],
        [words.depositReversals, sum(closed.deposit_reversals)],
        [
          words.head,
          html`${words.headText(count(head.block))} ${copyable(head.hash, `${head.hash.slice(0, 12)}…`)}`,
        ],
      ]),
    )}
    ${carried(closed, currency, words)}
  `
}

/** What was under way or in doubt when it was closed, as it stood then. */
function carried({ terminal, open }: ClosedBatch, currency: string, words: Words): View {
  if (open.length === 0) return note({ tone: 'good', text: words.carriedNone })
  return panel(
    { title: words.carried, tight: true },
    table({
      caption: words.carried,
      columns: [
        { head: words.withdrawal, cell: ({ id }) => html`<b>${withdrawalLink(terminal, id)}</b>` },
        { head: words.state, cell: ({ state }) => badge('withdrawal', state) },
        { head: words.amount, align: 'end', cell: ({ amount }) => money(amount, currency) },
      ],
      rows: open,
      keyOf: ({ id }) => id,
    }),
  )
}

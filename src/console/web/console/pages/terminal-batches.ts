/** The batches of a machine that were closed, newest first. */
import type { Batches, Terminal } from '../../../../client/types.ts'
import { html } from '../../html.ts'
import { segment, withParams } from '../api.ts'
import type { Words } from '../messages/terminal.en.ts'
import type { Page } from '../pages.ts'
import { loaded, useData } from '../parts/data.ts'
import { hrefs } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { pageHead, panel } from '../parts/page.ts'
import { pager } from '../parts/table.ts'
import { batchesTable } from './terminal-lists.ts'

const perPage = 30

export const page: Page<Words> = ({ place, words }) => {
  const id = place.params['terminal'] ?? ''
  const path = `/v1/terminals/${segment(id)}`
  const terminal = useData<Terminal>(path)
  const batches = useData<Batches>(
    withParams(`${path}/batches`, { limit: perPage, cursor: place.query.get('cursor') }),
    ({ type, data }) => type === 'cashpoint.batch.closed' && data['terminal'] === id,
  )
  return html`
    ${pageHead({
      title: words.batches,
      above: [
        { label: words.all, href: '/console/terminals' },
        { label: id, href: hrefs.terminal(id) },
      ],
    })}
    ${loaded(terminal, ({ currency }) =>
      loaded(batches, (found) =>
        found.batches.length === 0
          ? note({ text: words.noBatches })
          : panel(
              { tight: true },
              html`${batchesTable(id, found, { currency, words })}${pager(place, found.next)}`,
            ),
      ),
    )}
  `
}

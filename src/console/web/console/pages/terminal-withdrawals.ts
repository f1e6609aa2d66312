/** All withdrawals of a machine, newest first. */
import type { TerminalWithdrawal, WithdrawalsFound } from '../../../../client/types.ts'
import { html } from '../../html.ts'
import { withParams } from '../api.ts'
import type { Words } from '../messages/terminal.en.ts'
import type { Page } from '../pages.ts'
import { stateText } from '../parts/badge.ts'
import { loaded, useData } from '../parts/data.ts'
import { hrefs } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { pageHead, panel } from '../parts/page.ts'
import { pager } from '../parts/table.ts'
import { withQuery } from '../place.ts'
import { navigate } from '../router.ts'
import { withdrawalsTable } from './terminal-lists.ts'

const perPage = 50
const states = [
  'suspect',
  'dispensing',
  'authorized',
  'completed',
  'partially_completed',
  'reversed',
  'declined',
] as const satisfies readonly TerminalWithdrawal['state'][]

export const page: Page<Words> = ({ place, words }) => {
  const id = place.params['terminal'] ?? ''
  const state = place.query.get('state') ?? ''
  const path = withParams('/v1/withdrawals', {
    terminal: id,
    limit: perPage,
    state,
    cursor: place.query.get('cursor'),
  })
  const data = useData<WithdrawalsFound>(path, ({ data }) => data['terminal'] === id)
  const onChange = (event: Event) => {
    const chosen = (event.target as HTMLSelectElement).value
    navigate(withQuery(place, { state: chosen, cursor: undefined }), { replace: true })
  }
  return html`
    ${pageHead({
      title: words.listTitle(id),
      above: [
        { label: words.all, href: '/console/terminals' },
        { label: id, href: hrefs.terminal(id) },
      ],
    })}
    <div class="filters">
      <label>${words.state}
        <select onChange=${onChange}>
          <option value="" selected=${state === ''}>${words.anyState}</option>
          ${states.map(
            (name) =>
              html`<option value=${name} selected=${name === state}>${stateText('withdrawal', name)}</option>`,
          )}
        </select>
      </label>
    </div>
    ${loaded(data, ({ withdrawals, next }) =>
      withdrawals.length === 0 && next === null
        ? note({ text: words.noWithdrawals })
        : panel({ tight: true }, html`${withdrawalsTable(id, withdrawals, words)}${pager(place, next)}`),
    )}
  `
}

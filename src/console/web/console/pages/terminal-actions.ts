/** What can be done at a machine by whoever may: in and out of service, an exchange of its notes, the end of its batch. */
import type { ClosedBatch, Terminal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { post, segment } from '../api.ts'
import type { Words } from '../messages/terminal.en.ts'
import { button } from '../parts/button.ts'
import { openDialog, typed } from '../parts/dialog.ts'
import { count } from '../parts/figures.ts'
import { hrefs } from '../parts/links.ts'
import { navigate } from '../router.ts'
import { may } from '../session.ts'
import { openStart } from './terminal-exchange.ts'

export function actions(terminal: Terminal, words: Words, onDone: () => void): View {
  const { state, batch } = terminal
  const isServed = may('serve_terminals') && state !== 'exchange'
  return html`
    ${
      isServed &&
      (state === 'in_service'
        ? button({ label: words.outOfService, onClick: () => openState(terminal, words, onDone) })
        : button({ label: words.inService, tone: 'main', onClick: () => openState(terminal, words, onDone) }))
    }
    ${isServed && button({ label: words.exchange.start, onClick: () => openStart(terminal, words.exchange, onDone) })}
    ${may('close_batches') && button({ label: words.close(count(batch)), onClick: () => openClose(terminal, words) })}
  `
}

function openState({ id, state }: Terminal, words: Words, onDone: () => void): void {
  const goesOut = state === 'in_service'
  const label = goesOut ? words.outOfService : words.inService
  openDialog({
    title: label,
    text: goesOut ? words.outOfServiceText : words.inServiceText,
    action: label,
    tone: goesOut ? 'bad' : 'main',
    done: goesOut ? words.outOfServiceDone : words.inServiceDone,
    async submit(form, key) {
      const body = { state: goesOut ? 'out_of_service' : 'in_service', reason: typed(form, 'reason') }
      await post<Terminal>(`/v1/terminals/${segment(id)}/state`, body, key)
      onDone()
    },
  })
}

/** Its report is shown afterwards, with what is carried over. */
function openClose({ id, batch }: Terminal, words: Words): void {
  openDialog({
    title: words.close(count(batch)),
    text: words.closeText,
    action: words.close(count(batch)),
    reason: false,
    done: words.closed(count(batch)),
    async submit(_form, key) {
      await post<ClosedBatch>(`/v1/terminals/${segment(id)}/close`, { batch }, key)
      navigate(hrefs.batch(id, batch))
    },
  })
}

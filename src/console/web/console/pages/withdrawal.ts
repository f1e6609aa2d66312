/** A withdrawal: what happened to the money, at a glance and then step by step; and what is open about it, to be settled. */
import { h } from 'preact'
import type { Exception, Terminal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment } from '../api.ts'
import type { LiveEvent } from '../live.ts'
import type { Words } from '../messages/withdrawal.en.ts'
import type { Page } from '../pages.ts'
import { badge, exceptionText } from '../parts/badge.ts'
import { loaded, useData } from '../parts/data.ts'
import { hrefs } from '../parts/links.ts'
import { pageHead, panel } from '../parts/page.ts'
import { exceptionPanel } from './exception-panel.ts'
import { claimOf, isTombstone, type Withdrawal } from './withdrawal-claim.ts'
import { Customer, Machine, notes, references } from './withdrawal-facts.ts'
import { type History, notesIn, timeline } from './withdrawal-history.ts'
import { tellsException, verdict, whereTheMoneyIs } from './withdrawal-verdict.ts'

export const page: Page<Words> = ({ place, words }) => {
  const { terminal: at = '', withdrawal: id = '' } = place.params
  const path = `/v1/terminals/${segment(at)}/withdrawals/${segment(id)}`
  const isOurs = ({ data }: LiveEvent) => data['terminal'] === at && data['withdrawal'] === id
  const withdrawal = useData<Withdrawal>(path, isOurs)
  const open = withdrawal.body?.exception ?? undefined
  const isOfOpen = ({ data }: LiveEvent) => open !== undefined && data['exception'] === open
  const exception = useData<Exception>(open && `/v1/exceptions/${segment(open)}`, isOfOpen)
  const terminal = useData<Terminal>(`/v1/terminals/${segment(at)}`, ({ data }) => data['terminal'] === at)
  const history = useData<History>(`${path}/history`, (event) => isOurs(event) || isOfOpen(event))
  const onDone = () => {
    for (const each of [withdrawal, exception, history]) each.reload()
  }
  return html`
    ${pageHead({
      title: words.title(id),
      above: [
        { label: words.terminals, href: '/console/terminals' },
        { label: at, href: hrefs.terminal(at) },
        { label: words.all, href: hrefs.withdrawals(at) },
      ],
      beside: withdrawal.body && badge('withdrawal', withdrawal.body.state),
    })}
    ${loaded(withdrawal, (body) => {
      const { body: about } = exception
      return html`
        ${verdict(body, { exception: about, words })}
        ${!isTombstone(body) && whereTheMoneyIs(body, words)}
        <div class="split">
          <div>
            ${
              about?.state === 'open' &&
              exceptionPanel(about, {
                title: exceptionText(about.type),
                words: words.settle,
                claim: claimOf(about, body),
                isTold: tellsException(body, about),
                onDone,
              })
            }
            ${panel(
              { title: words.history },
              loaded(history, (told) => story(told, terminal.body, words)),
            )}
          </div>
          <div>${!isTombstone(body) && terminal.body && beside(body, terminal.body, history.body, words)}</div>
        </div>
      `
    })}
  `
}

function story({ history, more }: History, terminal: Terminal | undefined, words: Words): View {
  if (history.length === 0) return html`<p class="soft">${words.historyNone}</p>`
  return html`
    ${terminal && timeline(history, { terminal, words })}
    ${more && html`<p class="soft">${words.historyMore}</p>`}
  `
}

function beside(
  withdrawal: Exclude<Withdrawal, { tombstone: true }>,
  terminal: Terminal,
  told: History | undefined,
  words: Words,
): View {
  return html`
    ${h(Customer, { withdrawal, words })}
    ${h(Machine, { id: terminal.id, batch: withdrawal.batch, words })}
    ${notes(withdrawal, terminal, { ...notesIn(told?.history ?? []), words })}
    ${references(withdrawal, words)}
  `
}

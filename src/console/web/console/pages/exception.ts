/** An exception: what happened, to whose money, at which machine; and the way to settle it. */
import { h } from 'preact'
import type { Exception } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment } from '../api.ts'
import type { Words } from '../messages/exception.en.ts'
import type { Page } from '../pages.ts'
import { exceptionText } from '../parts/badge.ts'
import { linkButton } from '../parts/button.ts'
import { copyable } from '../parts/copy.ts'
import { loaded, useData } from '../parts/data.ts'
import { accountLink, hrefs, masked, terminalLink, withdrawalLink } from '../parts/links.ts'
import { facts, pageHead, panel } from '../parts/page.ts'
import { exceptionPanel } from './exception-panel.ts'
import { claimOf, isTombstone, type Withdrawal } from './withdrawal-claim.ts'
import { Customer, Machine } from './withdrawal-facts.ts'
import { tellsException, verdict } from './withdrawal-verdict.ts'

export const page: Page<Words> = ({ place, words }) => {
  const id = place.params['exception'] ?? ''
  const exception = useData<Exception>(
    `/v1/exceptions/${segment(id)}`,
    ({ data }) => data['exception'] === id,
  )
  const { terminal, withdrawal: of } = exception.body ?? { terminal: '', withdrawal: null }
  const withdrawal = useData<Withdrawal>(
    of === null ? undefined : `/v1/terminals/${segment(terminal)}/withdrawals/${segment(of)}`,
    ({ data }) => data['terminal'] === terminal && data['withdrawal'] === of,
  )
  const onDone = () => {
    exception.reload()
    withdrawal.reload()
  }
  return html`
    ${pageHead({
      title: exception.body === undefined ? words.id : exceptionText(exception.body.type),
      above: [{ label: words.all, href: '/console/exceptions' }],
      actions: exception.body && wayOn(exception.body, words),
    })}
    ${loaded(exception, (body) => {
      const about = withdrawal.body
      // Without its withdrawal nobody could tell what a word on it would post.
      const isWhole = body.withdrawal === null || about !== undefined
      return html`
        ${about && verdict(about, { exception: body, words: words.withdrawal })}
        <div class="split">
          <div>
            ${
              isWhole &&
              exceptionPanel(body, {
                title: words.details,
                words: words.settle,
                claim: claimOf(body, about),
                isTold: about !== undefined && tellsException(about, body),
                onDone,
              })
            }
            ${whatItIsOf(body, words)}
          </div>
          <div>
            ${about && !isTombstone(about) && h(Customer, { withdrawal: about, words: words.withdrawal })}
            ${h(Machine, { id: body.terminal, batch: undefined, words: words.withdrawal })}
          </div>
        </div>
      `
    })}
  `
}

function wayOn({ terminal, withdrawal }: Exception, words: Words): View {
  if (withdrawal === null) return linkButton({ label: words.toTerminal, href: hrefs.terminal(terminal) })
  return linkButton({ label: words.toWithdrawal, href: hrefs.withdrawal(terminal, withdrawal) })
}

function whatItIsOf({ id, terminal, withdrawal, account, last4 }: Exception, words: Words): View {
  return panel(
    { title: words.what },
    facts([
      [words.terminal, terminalLink(terminal)],
      ...(withdrawal === null ? [] : [[words.ofWithdrawal, withdrawalLink(terminal, withdrawal)] as const]),
      ...(account === null ? [] : [[words.account, accountLink(account)] as const]),
      ...(last4 === null ? [] : [[words.card, masked(last4)] as const]),
      [words.id, copyable(id)],
    ]),
  )
}

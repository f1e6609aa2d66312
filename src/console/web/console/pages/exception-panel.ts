/** An exception as it stands: what happened, what was said of it, and the way to settle it. */
import { h } from 'preact'
import type { Exception, Transfer } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment } from '../api.ts'
import type { Words } from '../messages/exception-settle.en.ts'
import { badge } from '../parts/badge.ts'
import { button } from '../parts/button.ts'
import { useData } from '../parts/data.ts'
import { ago, money, moneyText, stamp } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { accountLink } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { facts, panel } from '../parts/page.ts'
import { may, session } from '../session.ts'
import { openResolve } from './exception-resolve.ts'
import type { Claim } from './withdrawal-claim.ts'

type Panel = {
  readonly title: string
  readonly words: Words
  readonly claim: Claim | undefined
  /** What it is about is said elsewhere on the page already. */
  readonly isTold?: boolean
  /** Somebody's word was taken. */
  onDone(): void
}

export function exceptionPanel(
  exception: Exception,
  { title, words, claim, isTold = false, onDone }: Panel,
): View {
  const { type, state, amount, currency, opened_at, proposal, resolution, waits } = exception
  const resolve = () => openResolve(exception, claim, { words, onDone })
  const label = waits && !isMine(waits) ? words.saySame : words.resolve
  return panel(
    { title, beside: badgesOf(exception, words) },
    html`
      ${!isTold && html`<p class="about">${words.about[type]}</p>`}
      ${waits && waitsNote(exception, waits, words)}
      ${facts([
        [words.amount, money(amount, currency)],
        [words.opened, ago(opened_at)],
        ...(proposal === null ? [] : [[words.proposal, money(proposal.dispensed, currency)] as const]),
      ])}
      ${resolution && resolved(resolution, currency, words)}
      ${
        state === 'open' &&
        may('resolve_exceptions') &&
        html`<div class="actions">${button({ label, tone: 'main', onClick: resolve })}</div>`
      }
    `,
  )
}

/** Its state, and whether it waits for a second person. */
export function badgesOf({ state, waits }: Exception, words: Words): View {
  return html`<span class="badges">${badge('exception', state)}${waits && html`<span class="badge warn">${words.waitsBadge}</span>`}</span>`
}

type Waits = NonNullable<Exception['waits']>

function isMine({ by }: Waits): boolean {
  return by === session.get()?.name
}

function waitsNote({ currency }: Exception, waits: Waits, words: Words): View {
  const { dispensed, reason, by } = waits
  const left = dispensed ?? 0
  const said = { by: isolated(by), amount: moneyText(left, currency) }
  const title = left === 0 ? words.waitsNothing(said) : words.waits(said)
  return note({
    tone: 'warn',
    title,
    text: isMine(waits) ? words.waitsMine : words.waitsText(isolated(reason)),
  })
}

function resolved(
  { dispensed, reason, by, at, transfers }: NonNullable<Exception['resolution']>,
  currency: string,
  words: Words,
): View {
  return html`
    ${facts([
      [words.resolvedBy, by === '' ? words.nobody : html`<bdi>${by}</bdi>`],
      [words.resolvedAt, stamp(at)],
      ...(dispensed === null ? [] : [[words.dispensed, money(dispensed, currency)] as const]),
      [words.reason, html`<bdi>${reason}</bdi>`],
      [
        words.transfers,
        transfers.length === 0
          ? words.noTransfers
          : html`<ul>${transfers.map((id) => html`${h(Posted, { id, key: id })}`)}</ul>`,
      ],
    ])}
  `
}

/** A transfer: from where, to where, how much. */
function Posted({ id }: { readonly id: string }): View {
  const { body } = useData<Transfer>(may('read') ? `/v1/transfers/${segment(id)}` : undefined)
  if (body === undefined) return html`<li><code>${id}</code></li>`
  return html`<li>${entry({ ...body, debit: body.debit_account, credit: body.credit_account })}</li>`
}

type Entry = {
  readonly debit: string
  readonly credit: string
  readonly amount: number
  readonly currency: string
}

/** Such as `123456789 → ATM00001.transit $60.00`: both are accounts that can be read. */
export function entry({ debit, credit, amount, currency }: Entry): View {
  return html`
    <span class="entry">${accountLink(debit)} <i aria-hidden="true">→</i> ${accountLink(credit)} ${money(amount, currency)}</span>
  `
}

/** One account: what is on it and what of that may leave, its state, and what happened on it. */
import { h } from 'preact'
import type { Account, Accounts, Holds } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment, withParams } from '../api.ts'
import type { LiveEvent } from '../live.ts'
import type { Words } from '../messages/account.en.ts'
import type { Page } from '../pages.ts'
import { badge } from '../parts/badge.ts'
import { linkButton } from '../parts/button.ts'
import { loaded, useData } from '../parts/data.ts'
import { money } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { hrefs, terminalLink } from '../parts/links.ts'
import { pageHead, panel } from '../parts/page.ts'
import { tabs, viewIn } from '../parts/tabs.ts'
import { tiles } from '../parts/tiles.ts'
import type { Place } from '../place.ts'
import { may } from '../session.ts'
import { Entries } from './account-entries.ts'
import { figures, Limits } from './account-figures.ts'
import { HoldsOf, pendingTable } from './account-holds.ts'
import { stateActions } from './account-state.ts'
import { openTable, useOpen, Withdrawals } from './account-withdrawals.ts'

/** A customer's or a terminal's, or one of the house, which has a figure and no more. */
type Any = Accounts['accounts'][number]

export const page: Page<Words> = ({ place, words }) => {
  const number = place.params['account'] ?? ''
  const data = useData<Any>(`/v1/accounts/${segment(number)}`, (event) => touches(event, number))
  const { body, reload } = data
  const account = body !== undefined && 'state' in body && !isTerminals(number) ? body : undefined
  return html`
    ${pageHead({
      title: words.title(isolated(number)),
      above: [{ label: words.accounts, href: '/console/accounts' }],
      beside: account && badge('account', account.state),
      text: account ? wordsAbout(account) : body && ofWhom(number, words),
      actions:
        account &&
        html`
          ${linkButton({ label: words.statement, href: `${hrefs.account(number)}/statement` })}
          ${stateActions({ account, words, reload })}
        `,
    })}
    ${loaded(data, (any) => html`${account ? h(Customers, { account, place, words }) : others(any, place, words)}`)}
  `
}

type Shown = { readonly account: Account; readonly place: Place; readonly words: Words }

function Customers({ account, place, words }: Shown): View {
  const { number } = account
  const isTouched = (event: LiveEvent) => touches(event, number)
  const maySee = may('read_terminals')
  const pending =
    useData<Holds>(
      withParams(`/v1/accounts/${segment(number)}/holds`, { state: 'pending', limit: 100 }),
      isTouched,
    ).body?.holds ?? []
  const open = useOpen(maySee ? number : undefined, isTouched)
  const views = [
    { view: 'entries', label: words.entries },
    ...(maySee ? [{ view: 'withdrawals', label: words.withdrawals } as const] : []),
    { view: 'holds', label: words.holds },
  ] as const
  const view = viewIn(place, views)
  return html`
    ${figures({ account, pending: pending.length, open, words })}
    ${h(Limits, { account, isTouched, words })}
    ${open.length > 0 && panel({ title: words.open, tight: true }, openTable(open, words))}
    ${pending.length > 0 && panel({ title: words.pending, tight: true }, pendingTable(pending, words))}
    ${tabs(place, words.views, views)}
    ${view === 'withdrawals' && h(Withdrawals, { of: { account: number }, place, words })}
    ${view === 'holds' && h(HoldsOf, { number, place, words })}
    ${view === 'entries' && h(Entries, { number, place, words })}
  `
}

/** Of what nobody freezes or puts money into: its figure, and its side of what customers did. */
function others(account: Any, place: Place, words: Words): View {
  const { number, ledger, currency } = account
  return html`
    ${tiles([{ name: words.ledger, figure: money(BigInt(ledger), currency) }])}
    ${h(Entries, { number, place, words })}
  `
}

/** What clients wrote about an account: text, whatever is in it. */
function wordsAbout({ metadata }: Account): View | undefined {
  const entries = Object.entries(metadata)
  if (entries.length === 0) return undefined
  return html`<span class="about">${entries.map(([name, text]) => html`<span><bdi>${name}</bdi>: <bdi>${text}</bdi></span>`)}</span>`
}

function ofWhom(number: string, words: Words): View | string | undefined {
  const [owner = ''] = number.split(/[.:]/)
  return isTerminals(number) ? html`${words.terminalText} ${terminalLink(owner)}` : words.houses[owner]
}

function isTerminals(number: string): boolean {
  return number.includes('.')
}

function touches({ data }: LiveEvent, number: string): boolean {
  return [data['account'], data['debit_account'], data['credit_account']].includes(number)
}

/** One card: whose accounts it is for and whether it may be used; never its number. */
import { h } from 'preact'
import { useState } from 'preact/hooks'
import type { Account, Card } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { post, segment } from '../api.ts'
import type { Words } from '../messages/card.en.ts'
import type { Page } from '../pages.ts'
import { badge } from '../parts/badge.ts'
import { button } from '../parts/button.ts'
import { choices } from '../parts/choices.ts'
import { copyable } from '../parts/copy.ts'
import { loaded, useData } from '../parts/data.ts'
import { openDialog, typed } from '../parts/dialog.ts'
import { count, money } from '../parts/figures.ts'
import { icon } from '../parts/icon.ts'
import { isolated } from '../parts/isolated.ts'
import { accountLink, masked } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { facts, pageHead, panel } from '../parts/page.ts'
import { table } from '../parts/table.ts'
import type { Place } from '../place.ts'
import { may } from '../session.ts'
import { Withdrawals } from './account-withdrawals.ts'
import { expiryText } from './card-expiry.ts'

type Of = { readonly card: Card; readonly words: Words; reload(): void }

export const page: Page<Words> = ({ place, words }) => {
  const id = place.params['card'] ?? ''
  const data = useData<Card>(
    `/v1/cards/${segment(id)}`,
    ({ type, data }) => data['card'] === id && /\.(card|withdrawal)\./.test(type),
  )
  const { body: card, reload } = data
  return html`
    ${pageHead({
      title: words.title(card ? isolated(masked(card.last4)) : ''),
      above: [{ label: words.cards, href: '/console/cards' }],
      beside: card && badge('card', card.status),
      actions: card && actions({ card, words, reload }),
    })}
    ${loaded(data, (card) => html`${h(About, { card, place, words })}`)}
  `
}

type Shown = Pick<Of, 'card' | 'words'> & { readonly place: Place }

function About({ card, place, words }: Shown): View {
  const { id, last4, accounts, tries_left } = card
  return html`
    ${tries_left === 0 && note({ tone: 'warn', title: words.locked, text: words.lockedText })}
    ${h(Facts, { card, words })}
    ${panel(
      { title: words.accounts, tight: true },
      table({
        caption: words.accounts,
        columns: [
          { head: words.account, cell: ({ account }) => html`<b>${accountLink(account)}</b>` },
          { head: words.kind, cell: ({ type }) => words.kinds[type] ?? type },
          { head: words.usual, cell: (account) => account.default && icon('check') },
        ],
        rows: accounts,
        keyOf: ({ account }) => account,
      }),
    )}
    ${may('read_terminals') && html`<h2 class="over">${words.withdrawals}</h2>${h(Withdrawals, { of: { last4 }, card: id, place, words })}`}
  `
}

function Facts({ card, words }: Pick<Of, 'card' | 'words'>): View {
  const { id, expiry, pin_set, pin_policy, tries_left, limits, accounts } = card
  // Limits are counted in what the card's accounts are in: one is asked for theirs.
  const usual = accounts.find((account) => account.default)?.account
  const isLimited = limits.per_withdrawal !== undefined || limits.daily_amount !== undefined
  const path = isLimited && usual !== undefined ? `/v1/accounts/${segment(usual)}` : undefined
  const currency = useData<Account>(path).body?.currency
  const amount = (minor: number | undefined) =>
    minor === undefined ? words.unlimited : currency !== undefined && money(minor, currency)
  return panel(
    {},
    facts([
      [words.expiry, html`<bdi class="figure">${expiryText(expiry)}</bdi>`],
      [words.pin, pin_set ? words.pinSet(words.policies[pin_policy] ?? pin_policy) : words.pinNotSet],
      [words.tries, words.triesOf(count(tries_left))],
      [words.perWithdrawal, amount(limits.per_withdrawal)],
      [words.perDay, amount(limits.daily_amount)],
      [words.countPerDay, limits.daily_count === undefined ? words.unlimited : count(limits.daily_count)],
      [words.id, copyable(id, `${id.slice(0, 13)}…`)],
    ]),
  )
}

/** What is lost or stolen is so for ever; what is blocked may still turn out to be either. */
function actions({ card, words, reload }: Of): View {
  const { id, last4, status, tries_left } = card
  const name = isolated(masked(last4))
  const isOver = status === 'lost' || status === 'stolen'
  const command = (verb: 'block' | 'unblock', form: FormData, key: string) => {
    const reason = typed(form, 'reason')
    const body = verb === 'block' ? { status: typed(form, 'status'), reason } : { reason }
    return post(`/v1/cards/${segment(id)}/${verb}`, body, key).then(reload)
  }
  const block = () =>
    openDialog({
      title: words.blockTitle(name),
      text: words.blockText,
      action: words.block,
      tone: 'bad',
      done: words.blocked,
      fields: html`${h(Why, { status, words })}`,
      submit: (form, key) => command('block', form, key),
    })
  const unblock = () =>
    openDialog({
      title: words.unblockTitle(name),
      text: words.unblockText,
      action: words.unblock,
      done: words.unblocked,
      submit: (form, key) => command('unblock', form, key),
    })
  const isStopped = status === 'blocked' || tries_left === 0
  const label = status === 'blocked' ? words.unblock : words.giveBack
  return html`
    ${may('block_cards') && !isOver && button({ label: words.block, onClick: block })}
    ${may('unblock_cards') && !isOver && isStopped && button({ label, tone: 'main', onClick: unblock })}
  `
}

function Why({ status, words }: Pick<Card, 'status'> & { words: Words }): View {
  const whys = (['blocked', 'lost', 'stolen'] as const).filter((why) => why !== status)
  const [chosen, setChosen] = useState<string | undefined>(whys[0])
  const options = whys.map((why) => ({ value: why, label: words.blockFor[why] }))
  return choices({
    legend: words.blockWhat,
    name: 'status',
    options,
    chosen,
    isFirst: true,
    onChoose: setChosen,
  })
}

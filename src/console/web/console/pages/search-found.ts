/** A hit of a search as a row: what it is, where it leads, and what it is known by. */
import type { Search } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/search.en.ts'
import { badge, exceptionText } from '../parts/badge.ts'
import { ago, money } from '../parts/figures.ts'
import {
  accountLink,
  cardLink,
  exceptionLink,
  hrefs,
  masked,
  terminalLink,
  withdrawalLink,
} from '../parts/links.ts'
import type { Column } from '../parts/table.ts'

export type Found = Search['found'][number]

type Told = {
  readonly name: string
  /** Where its page is, of those that have one. */
  readonly href?: string
  readonly link: View
  readonly state?: View
  readonly about?: View
  readonly amount?: readonly [minor: number, currency: string]
  readonly at?: string
}

export function hrefOf(found: Found): string | undefined {
  return tell(found).href
}

/** Of no other hit. */
export function nameOf(found: Found): string {
  return `${found.kind} ${tell(found).name}`
}

export function columnsOf(words: Words): readonly Column<Found>[] {
  return [
    {
      head: words.found,
      cell: (found) => html`<b>${tell(found).link}</b> <small>${words.kinds[found.kind]}</small>`,
    },
    { head: words.state, cell: (found) => tell(found).state },
    { head: words.about, cell: (found) => tell(found).about },
    {
      head: words.amount,
      align: 'end',
      cell: (found) => {
        const { amount } = tell(found)
        return amount && money(...amount)
      },
    },
    { head: words.at, align: 'end', cell: (found) => at(tell(found)) },
  ]
}

function at(told: Told): View | undefined {
  return told.at === undefined ? undefined : ago(told.at)
}

function tell(found: Found): Told {
  switch (found.kind) {
    case 'terminal': {
      const { id, name, state } = found.terminal
      const about = html`<bdi>${name}</bdi>`
      return {
        name: id,
        href: hrefs.terminal(id),
        link: terminalLink(id),
        state: badge('terminal', state),
        about,
      }
    }
    case 'withdrawal': {
      const { id, terminal, state, amount, currency, account, last4, created_at } = found.withdrawal
      return {
        name: `${terminal}/${id}`,
        href: hrefs.withdrawal(terminal, id),
        link: withdrawalLink(terminal, id),
        state: badge('withdrawal', state),
        about: html`${terminalLink(terminal)} ${account !== null && accountLink(account)} ${last4 !== null && masked(last4)}`,
        amount: [amount, currency],
        at: created_at,
      }
    }
    case 'account': {
      const { number, state, ledger, currency } = found.account
      const link = accountLink(number)
      const href = hrefs.account(number)
      return { name: number, href, link, state: badge('account', state), amount: [ledger, currency] }
    }
    case 'card': {
      const { id, last4, status, accounts } = found.card
      const about = html`${accounts.map(({ account }) => html`${accountLink(account)} `)}`
      const href = hrefs.card(id)
      return { name: id, href, link: cardLink(id, last4), state: badge('card', status), about }
    }
    case 'exception': {
      const { id, type, state, terminal, amount, currency, opened_at } = found.exception
      return {
        name: id,
        href: hrefs.exception(id),
        link: exceptionLink(id, exceptionText(type)),
        state: badge('exception', state),
        about: terminalLink(terminal),
        amount: [amount, currency],
        at: opened_at,
      }
    }
    case 'transfer': {
      const { id, debit_account, credit_account, amount, currency, created_at } = found.transfer
      const about = html`<span dir="ltr">${accountLink(debit_account)} → ${accountLink(credit_account)}</span>`
      return { name: id, link: html`<code>${id}</code>`, about, amount: [amount, currency], at: created_at }
    }
    case 'deposit': {
      const { id, terminal, account, amount, currency, state, created_at } = found.deposit
      return {
        name: `${terminal}/${id}`,
        link: html`<code>${id}</code>`,
        state: badge('deposit', state),
        about: html`${terminalLink(terminal)} ${account !== null && accountLink(account)}`,
        amount: [amount, currency],
        at: created_at,
      }
    }
  }
}

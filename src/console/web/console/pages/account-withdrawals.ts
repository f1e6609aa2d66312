/** What was withdrawn at cash machines, of an account or with a card, the newest first; and what of it is open. */
import type { WithdrawalFound, WithdrawalsFound } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { withParams } from '../api.ts'
import type { LiveEvent, Wanted } from '../live.ts'
import { badge } from '../parts/badge.ts'
import { loaded, useData } from '../parts/data.ts'
import { ago, money } from '../parts/figures.ts'
import { accountLink, cardLink, terminalLink, withdrawalLink } from '../parts/links.ts'
import { listOf } from '../parts/list.ts'
import { type Column, type Table, table } from '../parts/table.ts'
import type { Place } from '../place.ts'

type Words = {
  readonly withdrawals: string
  readonly noWithdrawals: string
  readonly withdrawal: string
  readonly terminal: string
  readonly state: string
  readonly at: string
  readonly amount: string
  readonly paid?: string | undefined
  /** What it is seen beside: the card of an account's, the account of a card's. */
  readonly card?: string
  readonly account?: string
}

type Of = {
  /** What it is asked for by. */
  readonly of: { readonly account: string } | { readonly last4: string }
  /** Of all with the same last four digits, this card's. */
  readonly card?: string
  readonly place: Place
  readonly words: Words
}

const path = '/v1/withdrawals'
const perPage = 30

export function Withdrawals({ of, card, place, words }: Of): View {
  const cursor = place.query.get('cursor')
  const data = useData<WithdrawalsFound>(withParams(path, { ...of, limit: perPage, cursor }), isWithdrawal)
  return html`${loaded(data, ({ withdrawals, next }) => {
    const own = withdrawals.filter((withdrawal) => card === undefined || cardOf(withdrawal) === card)
    return listOf({ ...tableOf(own, words), place, next, empty: { title: words.noWithdrawals } })
  })}`
}

/** Those of an account that nobody has settled yet, whose money is in transit; none where the account is undefined. */
export function useOpen(account: string | undefined, isTouched: Wanted): readonly WithdrawalFound[] {
  const pathOf = (state: string) =>
    account === undefined ? undefined : withParams(path, { account, state, limit: 100 })
  const wanted = (event: LiveEvent) => isTouched(event) || event.type === 'cashpoint.withdrawal.settled'
  const suspect = useData<WithdrawalsFound>(pathOf('suspect'), wanted).body
  const dispensing = useData<WithdrawalsFound>(pathOf('dispensing'), wanted).body
  const authorized = useData<WithdrawalsFound>(pathOf('authorized'), wanted).body
  return [suspect, dispensing, authorized].flatMap((found) => found?.withdrawals ?? [])
}

/** Of those that are open nothing is known to be paid. */
export function openTable(withdrawals: readonly WithdrawalFound[], words: Words): View {
  return table(tableOf(withdrawals, { ...words, paid: undefined }))
}

function tableOf(withdrawals: readonly WithdrawalFound[], words: Words): Table<WithdrawalFound> {
  return {
    caption: words.withdrawals,
    columns: columnsOf(words),
    rows: withdrawals,
    keyOf: ({ terminal, id }) => `${terminal}/${id}`,
  }
}

function columnsOf(words: Words): readonly Column<WithdrawalFound>[] {
  const { card, account, paid } = words
  const columns: (Column<WithdrawalFound> | false)[] = [
    { head: words.withdrawal, cell: ({ terminal, id }) => html`<b>${withdrawalLink(terminal, id)}</b>` },
    { head: words.terminal, cell: ({ terminal }) => terminalLink(terminal) },
    { head: words.state, cell: ({ state }) => badge('withdrawal', state) },
    card !== undefined && { head: card, cell: cardCell },
    account !== undefined && {
      head: account,
      cell: (row) => row.account !== null && accountLink(row.account),
    },
    { head: words.at, align: 'end', cell: ({ created_at }) => ago(created_at) },
    { head: words.amount, align: 'end', cell: ({ amount, currency }) => money(amount, currency) },
    paid !== undefined && { head: paid, align: 'end', cell: paidCell },
  ]
  return columns.filter((column) => column !== false)
}

/** Of one that was reversed before it came neither its card nor what was paid is known. */
function cardOf(withdrawal: WithdrawalFound): string | null {
  return 'card' in withdrawal ? withdrawal.card : null
}

function cardCell(withdrawal: WithdrawalFound): View | false {
  const card = cardOf(withdrawal)
  return card !== null && cardLink(card, withdrawal.last4)
}

function paidCell(withdrawal: WithdrawalFound): View | false {
  const paid = 'dispensed' in withdrawal ? withdrawal.dispensed : null
  return paid !== null && money(paid, withdrawal.currency)
}

function isWithdrawal({ type }: LiveEvent): boolean {
  return type.startsWith('cashpoint.withdrawal.')
}

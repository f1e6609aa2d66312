/** What was posted on an account, the newest first: each entry in words, and where it leads. */
import type { Transfer, Transfers } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { withParams } from '../api.ts'
import type { Words } from '../messages/account.en.ts'
import { loaded, useData } from '../parts/data.ts'
import { money, signedMoney, stamp } from '../parts/figures.ts'
import { accountLink, terminalLink, withdrawalLink } from '../parts/links.ts'
import { listOf } from '../parts/list.ts'
import type { Column } from '../parts/table.ts'
import type { Place } from '../place.ts'
import { dayAfter, periodForm, periodIn } from './account-period.ts'

type Of = { readonly number: string; readonly place: Place; readonly words: Words }

const perPage = 30

export function Entries({ number, place, words }: Of): View {
  const { from, to } = periodIn(place)
  const path = withParams('/v1/transfers', {
    account: number,
    from,
    to: dayAfter(to),
    limit: perPage,
    cursor: place.query.get('cursor'),
  })
  const data = useData<Transfers>(path, ({ data }) =>
    [data['debit_account'], data['credit_account']].includes(number),
  )
  const isAnyTime = from === undefined && to === undefined
  return html`
    ${periodForm(place, words)}
    ${loaded(data, ({ transfers, next_cursor }) =>
      listOf({
        caption: words.entries,
        columns: columnsOf(number, words),
        rows: transfers,
        keyOf: ({ id }) => id,
        place,
        next: next_cursor,
        empty: { title: isAnyTime ? words.noEntries : words.noEntriesThen },
      }),
    )}
  `
}

function columnsOf(number: string, words: Words): readonly Column<Transfer>[] {
  const balance: Column<Transfer> = {
    head: words.balance,
    align: 'end',
    cell: (transfer) => balanceCell(transfer, number),
  }
  return [
    { head: words.what, cell: (transfer) => whatCell(transfer, words) },
    { head: words.at, cell: ({ created_at }) => stamp(created_at) },
    { head: words.otherSide, cell: (transfer) => accountLink(otherSide(transfer, number)) },
    {
      head: words.reference,
      cell: ({ reference }) => reference !== null && html`<bdi class="cut">${reference}</bdi>`,
    },
    {
      head: words.amount,
      align: 'end',
      cell: ({ debit_account, amount, currency }) =>
        signedMoney(debit_account === number ? -amount : amount, currency),
    },
    // Of a house account nobody knows what it had after each.
    ...(number.includes(':') ? [] : [balance]),
  ]
}

function whatCell(transfer: Transfer, words: Words): View {
  const { id, kind, forced, reverses } = transfer
  const [terminal, operation] = transfer.operation?.split('/') ?? []
  return html`
    <b>${words.kinds[kind] ?? kind}</b>
    ${reverses !== null && html` <small>${words.reverses(reverses)}</small>`}
    ${forced && html` <span class="badge warn">${words.forced}</span>`}
    <small class="under">
      ${terminal !== undefined && operation !== undefined ? html`${terminalLink(terminal)} ${isOfWithdrawal(transfer) ? withdrawalLink(terminal, operation) : html`<bdi>${operation}</bdi>`}` : html`<code>${id}</code>`}
    </small>
  `
}

/** At a machine everything else is of a deposit or a transfer, which have no page of their own. */
function isOfWithdrawal({ kind, debit_account }: Transfer): boolean {
  if (kind === 'deposit' || kind === 'transfer') return false
  return kind !== 'return' || debit_account.endsWith('.transit')
}

function otherSide({ debit_account, credit_account }: Transfer, number: string): string {
  return debit_account === number ? credit_account : debit_account
}

function balanceCell({ balances, currency }: Transfer, number: string): View | undefined {
  const after = balances.find(({ account }) => account === number)
  return after && money(after.ledger, currency)
}

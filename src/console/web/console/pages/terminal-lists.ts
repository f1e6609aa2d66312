/** A machine's withdrawals, batches and open exceptions, as rows. */
import type { Batches, ClosedBatch, Exception, WithdrawalsFound } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/terminal.en.ts'
import { badge, exceptionText } from '../parts/badge.ts'
import { ago, count, day, money, moneyText } from '../parts/figures.ts'
import { accountLink, batchLink, exceptionLink, masked, withdrawalLink } from '../parts/links.ts'
import { type Column, table } from '../parts/table.ts'
import { isOpen } from './withdrawal-claim.ts'

type Found = WithdrawalsFound['withdrawals'][number]

export function withdrawalsTable(terminal: string, withdrawals: readonly Found[], words: Words): View {
  return table({
    caption: words.withdrawals,
    columns: withdrawalColumns(terminal, words),
    rows: withdrawals,
    keyOf: ({ id }) => id,
  })
}

function withdrawalColumns(terminal: string, words: Words): readonly Column<Found>[] {
  return [
    { head: words.withdrawal, cell: ({ id }) => html`<b>${withdrawalLink(terminal, id)}</b>` },
    { head: words.state, cell: ({ state }) => badge('withdrawal', state) },
    {
      head: words.customer,
      cell: ({ account, last4 }) =>
        account !== null &&
        html`${accountLink(account)} ${last4 !== null && html`<small>${masked(last4)}</small>`}`,
    },
    {
      head: words.amount,
      align: 'end',
      cell: ({ amount, currency }) => amount !== 0 && money(amount, currency),
    },
    { head: words.left, align: 'end', cell: leftOf },
    { head: words.at, align: 'end', cell: ({ created_at }) => ago(created_at) },
  ]
}

/** Of what was declined, or never asked for, nothing could leave. */
function leftOf(withdrawal: Found): View | string {
  if ('tombstone' in withdrawal || withdrawal.state === 'declined') return ''
  return isOpen(withdrawal) ? '?' : money(withdrawal.dispensed ?? 0, withdrawal.currency)
}

export function batchesTable(
  terminal: string,
  { batches }: Pick<Batches, 'batches'>,
  { currency, words }: { currency: string; words: Words },
): View {
  const columns: readonly Column<ClosedBatch>[] = [
    { head: words.batch, cell: ({ batch }) => html`<b>${batchLink(terminal, batch)}</b>` },
    { head: words.businessDate, cell: ({ business_date }) => day(business_date) },
    {
      head: words.withdrawals,
      align: 'end',
      cell: ({ withdrawals }) => sumText(withdrawals, currency, words),
    },
    { head: words.deposits, align: 'end', cell: ({ deposits }) => sumText(deposits, currency, words) },
    {
      head: words.net,
      align: 'end',
      cell: ({ net }) => html`<bdi class="figure">${moneyText(net, currency)}</bdi>`,
    },
    { head: words.carried, align: 'end', cell: ({ open }) => open.length > 0 && count(open.length) },
    { head: words.closedAt, align: 'end', cell: ({ closed_at }) => ago(closed_at) },
  ]
  return table({ caption: words.batches, columns, rows: batches, keyOf: ({ batch }) => String(batch) })
}

type Sum = ClosedBatch['withdrawals']

/** Such as `$140.00 (3)`; nothing of none. */
export function sumText({ count: number, amount }: Sum, currency: string, words: Words): string {
  return number === 0 ? '–' : words.of(moneyText(amount, currency), count(number))
}

export function exceptionsTable(exceptions: readonly Exception[], words: Words): View {
  const columns: readonly Column<Exception>[] = [
    { head: words.what, cell: ({ id, type }) => html`<b>${exceptionLink(id, exceptionText(type))}</b>` },
    {
      head: words.withdrawal,
      cell: ({ terminal, withdrawal }) => withdrawal !== null && withdrawalLink(terminal, withdrawal),
    },
    { head: words.amount, align: 'end', cell: ({ amount, currency }) => money(amount, currency) },
    { head: words.opened, align: 'end', cell: ({ opened_at }) => ago(opened_at) },
  ]
  return table({ caption: words.exceptions, columns, rows: exceptions, keyOf: ({ id }) => id })
}

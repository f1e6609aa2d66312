/** A machine: whether it serves, what is in it and what is uncertain, what it did lately, and what can be done about it. */
import { h } from 'preact'
import type { Batches, Exceptions, Overview, Terminal, WithdrawalsFound } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment, withParams } from '../api.ts'
import type { LiveEvent } from '../live.ts'
import type { Words } from '../messages/terminal.en.ts'
import type { Page } from '../pages.ts'
import { badge } from '../parts/badge.ts'
import { loaded, useData } from '../parts/data.ts'
import { ago, count, day, moneyText, spanText, stamp } from '../parts/figures.ts'
import { hrefs } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { facts, pageHead, panel } from '../parts/page.ts'
import { tiles } from '../parts/tiles.ts'
import { may } from '../session.ts'
import { actions } from './terminal-actions.ts'
import { ExchangePanel } from './terminal-exchange.ts'
import { batchesTable, exceptionsTable, sumText, withdrawalsTable } from './terminal-lists.ts'
import { units } from './terminal-units.ts'

/** So many of each list; the rest is on pages of its own. */
const latest = 8
/** How long units last is reckoned anew so often. */
const lookMs = 60_000

export const page: Page<Words> = ({ place, words }) => {
  const id = place.params['terminal'] ?? ''
  const path = `/v1/terminals/${segment(id)}`
  const isOurs = ({ data }: LiveEvent) => data['terminal'] === id
  const terminal = useData<Terminal>(path, isOurs)
  const overview = useData<Overview>(may('oversee') ? '/v1/overview' : undefined, undefined, lookMs)
  const exceptions = useData<Exceptions>(
    withParams('/v1/exceptions', { state: 'open', terminal: id }),
    ({ type }) => type.startsWith('cashpoint.exception.'),
  )
  const withdrawals = useData<WithdrawalsFound>(
    withParams('/v1/withdrawals', { terminal: id, limit: latest }),
    isOurs,
  )
  const batches = useData<Batches>(withParams(`${path}/batches`, { limit: latest }), isOurs)
  const attention = (overview.body?.attention ?? []).filter((one) => one.terminal === id)
  const onDone = () => {
    for (const each of [terminal, exceptions, withdrawals, batches]) each.reload()
  }
  const { body } = terminal
  return html`
    ${pageHead({
      title: id,
      above: [{ label: words.all, href: '/console/terminals' }],
      beside: body && badge('terminal', body.state),
      text: body && seen(body, words),
      actions: body && actions(body, words, onDone),
    })}
    ${loaded(terminal, (now) => {
      const { exchange } = now
      const open = exceptions.body?.exceptions ?? []
      return html`
        ${attention.map((one) => silence(one, words))}
        ${figures(now, words)}
        ${
          exchange &&
          may('serve_terminals') &&
          h(ExchangePanel, {
            key: exchange.id,
            terminal: now,
            exchange,
            exceptions: open,
            words: words.exchange,
            onDone,
          })
        }
        ${units(now, { attention, currency: now.currency, words })}
        ${open.length > 0 && openExceptions(id, exceptions.body, words)}
        ${loaded(withdrawals, (found) => latestOf(id, found, words))}
        ${loaded(batches, (found) => batchesOf(now, found, words))}
      `
    })}
  `
}

/** What units do not say: that nothing is heard of it, or nothing is taken. */
function silence({ kind, usual_s }: NonNullable<Overview['attention'][number]>, words: Words): View | false {
  if (kind !== 'silent' && kind !== 'no_cash_out') return false
  const usual = usual_s === undefined ? '' : words.usual(spanText(usual_s))
  return note({ tone: 'warn', title: words.attention[kind], ...(usual !== '' && { text: usual }) })
}

/** Its name, and when it last gave a sign of itself. */
function seen({ name, last_seen, last_cash_out, signed_on }: Terminal, words: Words): View {
  return html`
    <span class="seen">
      <bdi>${name}</bdi>
      <span>${signed_on ? words.signedOn : words.signedOff}</span>
      <span>${words.lastSeen} ${last_seen === null ? words.never : ago(last_seen)}</span>
      <span>${words.lastCashOut} ${last_cash_out === null ? words.never : ago(last_cash_out)}</span>
    </span>
  `
}

function figures(terminal: Terminal, words: Words): View {
  const { cash, transit, over_short, currency } = terminal
  const text = (minor: number) => moneyText(minor, currency)
  const { uncertain, unconfirmed } = transit
  return html`
    ${tiles([
      { name: words.cash, figure: text(cash) },
      {
        name: words.uncertain,
        figure: text(uncertain),
        text: words.uncertainText,
        tone: uncertain === 0 ? 'quiet' : 'warn',
      },
      {
        name: words.unconfirmed,
        figure: text(unconfirmed),
        text: words.unconfirmedText,
        tone: unconfirmed === 0 ? 'quiet' : undefined,
      },
      {
        name: words.overShort,
        figure: text(over_short),
        text: words.overShortText,
        tone: over_short === 0 ? 'quiet' : 'warn',
      },
    ])}
  `
}

function openExceptions(id: string, found: Exceptions | undefined, words: Words): View {
  const all = html`<a href=${`/console/exceptions?state=all&terminal=${segment(id)}`}>${words.allExceptions}</a>`
  return panel(
    { title: words.exceptions, beside: all, tight: true },
    exceptionsTable(found?.exceptions ?? [], words),
  )
}

function latestOf(id: string, { withdrawals, next }: WithdrawalsFound, words: Words): View {
  const all = next !== null && html`<a href=${hrefs.withdrawals(id)}>${words.allWithdrawals}</a>`
  return panel(
    { title: words.latest, beside: all, tight: true },
    withdrawals.length === 0 ? note({ text: words.noWithdrawals }) : withdrawalsTable(id, withdrawals, words),
  )
}

function batchesOf({ id, currency }: Terminal, found: Batches, words: Words): View {
  const { open, batches, next } = found
  const sum = (of: Batches['open']['withdrawals']) => sumText(of, currency, words)
  const all = next !== null && html`<a href=${hrefs.batches(id)}>${words.allBatches}</a>`
  return html`
    ${panel(
      { title: words.openBatch(count(open.batch)) },
      facts([
        [words.openedAt, stamp(open.opened_at)],
        [words.businessDate, open.business_date === null ? words.noneYet : day(open.business_date)],
        [words.withdrawals, sum(open.withdrawals)],
        [words.withdrawalReversals, sum(open.withdrawal_reversals)],
        [words.deposits, sum(open.deposits)],
        [words.depositReversals, sum(open.deposit_reversals)],
      ]),
    )}
    ${panel(
      { title: words.batches, beside: all, tight: true },
      batches.length === 0 ? note({ text: words.noBatches }) : batchesTable(id, found, { currency, words }),
    )}
  `
}

/** What is on an account and what may leave it; and how much of its limits the business day has used. */
import type { Account, LimitsUsed, WithdrawalFound } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment } from '../api.ts'
import type { Wanted } from '../live.ts'
import type { Words } from '../messages/account.en.ts'
import { useData } from '../parts/data.ts'
import { count, money, moneyText } from '../parts/figures.ts'
import { type Tile, tiles } from '../parts/tiles.ts'

type Of = {
  readonly account: Account
  /** How many holds set something aside. */
  readonly pending: number
  readonly open: readonly WithdrawalFound[]
  readonly words: Words
}

export function figures({ account, pending, open, words }: Of): View {
  const { available, ledger, held, overdraft_limit, minimum_balance, currency } = account
  const transit = open.reduce((sum, { amount }) => sum + amount, 0)
  const figure = (minor: number) => money(minor, currency)
  const list: (Tile | false)[] = [
    { name: words.available, figure: figure(available), text: words.availableText },
    { name: words.ledger, figure: figure(ledger) },
    held !== 0 && { name: words.held, figure: figure(held), text: words.heldText(pending) },
    transit !== 0 && { name: words.transit, figure: figure(transit), text: words.transitText, tone: 'warn' },
    overdraft_limit !== 0 && { name: words.overdraft, figure: figure(overdraft_limit) },
    minimum_balance !== 0 && { name: words.minimum, figure: figure(minimum_balance) },
  ]
  return tiles(list.filter((tile) => tile !== false))
}

type LimitsOf = Pick<Of, 'account' | 'words'> & { readonly isTouched: Wanted }

export function Limits({ account, isTouched, words }: LimitsOf): View | undefined {
  const { number, limits, currency } = account
  const isLimited = Object.keys(limits).length > 0
  const path = `/v1/accounts/${segment(number)}/limits`
  const { body } = useData<LimitsUsed>(isLimited ? path : undefined, isTouched)
  if (!isLimited || body === undefined) return undefined
  const { transaction_amount, daily_amount, daily_count } = limits
  const { amount, count: times } = body.used
  const text = (minor: number) => moneyText(minor, currency)
  return html`
    <section class="panel limits" aria-label=${words.limits} title=${body.day}>
      ${transaction_amount !== undefined && html`<div><span>${words.perTransaction}</span> <b class="figure">${text(transaction_amount)}</b></div>`}
      ${daily_amount !== undefined && used({ name: words.perDay, part: amount, whole: daily_amount, text: words.usedOf(text(amount), text(daily_amount)) })}
      ${daily_count !== undefined && used({ name: words.countPerDay, part: times, whole: daily_count, text: words.usedOf(count(times), count(daily_count)) })}
    </section>
  `
}

type Used = { readonly name: string; readonly part: number; readonly whole: number; readonly text: string }

/** Also where more than all of it is used: what is forced may pass every limit. */
function used({ name, part, whole, text }: Used): View {
  const share = whole === 0 ? 1 : Math.min(part / whole, 1)
  const tone = share >= 1 ? 'bad' : share >= 0.8 ? 'warn' : ''
  return html`
    <div>
      <span>${name}</span> <b class="figure">${text}</b>
      <div class="use ${tone}" role="meter" aria-label=${name} aria-valuemin="0" aria-valuemax=${whole}
        aria-valuenow=${Math.min(part, whole)} aria-valuetext=${text}><i style=${{ width: `${share * 100}%` }}></i></div>
    </div>
  `
}

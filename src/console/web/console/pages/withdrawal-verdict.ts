/** The answer to "I got no money": what happened to a withdrawal's money, in one sentence. */
import type { Exception, TerminalWithdrawal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/withdrawal.en.ts'
import { clockText, instantText, moneyText } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { type Tile, tiles } from '../parts/tiles.ts'
import { debitedOf, isOpen, isTombstone, type Withdrawal } from './withdrawal-claim.ts'

type Tone = 'quiet' | 'good' | 'warn' | 'bad'

const tones: Readonly<Record<TerminalWithdrawal['state'], Tone>> = {
  declined: 'quiet',
  authorized: 'warn',
  dispensing: 'warn',
  completed: 'good',
  partially_completed: 'good',
  reversed: 'quiet',
  suspect: 'bad',
}

/** `since`: when it became uncertain, where it is. */
export function verdict(
  withdrawal: Withdrawal,
  { exception, words }: { exception: Exception | undefined; words: Words },
): View {
  const isOpenToo = tellsException(withdrawal, exception)
  const tone = isOpenToo ? 'warn' : tones[withdrawal.state]
  return html`
    <div class="note verdict ${tone}">
      <div>
        <strong>${sentenceOf(withdrawal, exception, words)}</strong>
        ${isOpenToo && html`<p>${words.andThen} ${words.settle.about[exception?.type ?? '']}</p>`}
      </div>
    </div>
  `
}

/** It has ended, and then something was said that does not fit. */
export function tellsException(withdrawal: Withdrawal, exception: Exception | undefined): boolean {
  return exception?.state === 'open' && !isOpen(withdrawal)
}

function sentenceOf(withdrawal: Withdrawal, exception: Exception | undefined, words: Words): string {
  const say = words.verdict
  if (isTombstone(withdrawal)) return exception === undefined ? say.tombstone() : say.reported()
  const { state, amount, dispensed, currency, account, expires_at, code, created_at, confirmation } =
    withdrawal
  const text = (minor: number) => moneyText(minor, currency)
  const said = {
    amount: text(amount),
    dispensed: text(dispensed ?? 0),
    rest: text(amount - (dispensed ?? 0)),
    account: isolated(account ?? ''),
    at: momentText(state === 'suspect' ? (exception?.opened_at ?? created_at) : expires_at),
    said: text(exception?.proposal?.dispensed ?? 0),
    why: code === null ? '' : (words.refusals[code] ?? words.refusedFor(code)),
  }
  if (state === 'authorized' && confirmation === 'implicit') return say.unconfirmed(said)
  if (state === 'suspect' && exception?.type === 'over_dispensed') return say.over(said)
  return say[state](said)
}

/** Of today the time alone. */
function momentText(instant: string | null): string {
  if (instant === null) return ''
  const moment = new Date(instant)
  const isToday = moment.toDateString() === new Date().toDateString()
  return isolated(isToday ? clockText(moment) : instantText(instant))
}

/** Where the money is: with the customer, in between, or out of the machine. */
export function whereTheMoneyIs(withdrawal: TerminalWithdrawal, words: Words): View {
  const { amount, currency, dispensed } = withdrawal
  const text = (minor: number) => moneyText(minor, currency)
  const waiting = isOpen(withdrawal)
  const some = (minor: number): Pick<Tile, 'figure' | 'tone'> => ({
    figure: text(minor),
    ...(minor === 0 && { tone: 'quiet' }),
  })
  const gone = waiting ? ({ figure: words.notKnown, tone: 'warn' } as const) : some(dispensed ?? 0)
  const between = some(waiting ? amount : 0)
  return tiles([
    { name: words.asked, figure: text(amount) },
    { name: words.debited, ...some(debitedOf(withdrawal)) },
    { name: words.transit, ...between, ...(waiting && { tone: 'warn' as const }) },
    { name: words.left, ...gone },
  ])
}

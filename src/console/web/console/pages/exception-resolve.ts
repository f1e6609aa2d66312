/** Settles an exception: somebody says how much cash really left, and sees before they say it what that will post. */
import { h } from 'preact'
import { useState } from 'preact/hooks'
import type { Exception, ResolveException } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { post, segment } from '../api.ts'
import type { Words } from '../messages/exception-settle.en.ts'
import { minorIn } from '../parts/amount.ts'
import { type Choice, choices } from '../parts/choices.ts'
import { openDialog, typed } from '../parts/dialog.ts'
import { moneyText, plainMoney } from '../parts/figures.ts'
import { toast } from '../parts/toast.ts'
import { styled } from '../styles.ts'
import { type Claim, consequencesOf } from './withdrawal-claim.ts'

styled('pages/exception-resolve')

/** `claim`: whose money it is about, where that is known. `onDone`: somebody's word was taken. */
export function openResolve(
  exception: Exception,
  claim: Claim | undefined,
  { words, onDone }: { words: Words; onDone(): void },
): void {
  const isMoney = claim !== undefined
  const likely = likelyOf(exception)
  let dispensed = likely
  const onAnswer = (minor: number | undefined) => {
    dispensed = minor
  }
  openDialog({
    title: isMoney ? words.resolveTitle : words.resolveNoMoneyTitle,
    text: isMoney ? words.twoPeople : words.resolveNoMoney,
    action: words.resolve,
    ...(isMoney && {
      fields: html`${h(Left, { claim, likely, name: 'left', words, isFirst: true, onAnswer })}`,
    }),
    async submit(form, key) {
      const body: ResolveException = {
        ...(isMoney && dispensed !== undefined && { dispensed }),
        reason: typed(form, 'reason'),
      }
      const said = await post<Exception>(`/v1/exceptions/${segment(exception.id)}/resolve`, body, key)
      toast(said.state === 'resolved' ? words.resolved : words.noted)
      onDone()
    },
  })
}

/** What somebody has said already comes before what the machine says. */
function likelyOf({ waits, proposal }: Exception): number | undefined {
  return waits?.dispensed ?? proposal?.dispensed
}

const other = 'other'

export type LeftProps = {
  readonly claim: Claim
  /** What most likely left, which is chosen at first. Minor units. */
  readonly likely: number | undefined
  /** Of the inputs: of several questions each has its own. */
  readonly name: string
  readonly words: Words
  readonly isFirst?: boolean
  /** Told of every change; undefined while there is no answer, or one that is no amount. */
  onAnswer(dispensed: number | undefined): void
}

/** The answers there are, and what each of them would post. */
export function Left({ claim, likely, name, words, isFirst = false, onAnswer }: LeftProps): View {
  const { currency } = claim
  const [said, setSaid] = useState({ answer: likely === undefined ? undefined : String(likely), text: '' })
  const { answer, text } = said
  const dispensed = dispensedOf(said, currency)
  const say = (now: Said) => {
    setSaid(now)
    onAnswer(dispensedOf(now, currency))
  }
  const options: Choice[] = answersOf(claim, likely).map((minor) => ({
    value: String(minor),
    label: html`${labelOf(minor, claim, words)}${minor === likely && html` <small>${words.proposed}</small>`}`,
  }))
  const beside = amountField({
    claim,
    text,
    name,
    words,
    isAsked: answer === other,
    onType: (text) => say({ answer: other, text }),
  })
  return html`
    ${choices({
      legend: words.left,
      name,
      options: [...options, { value: other, label: words.other, beside }],
      chosen: answer,
      isFirst,
      onChoose: (answer) => say({ answer, text }),
    })}
    <div class="posts ${dispensed === undefined ? 'none' : ''}" role="status">
      <h3>${words.willPost}</h3>
      ${
        dispensed === undefined
          ? html`<p class="soft">${words.choose}</p>`
          : html`<ul>${consequencesOf(claim, dispensed, words).map((one) => html`<li>${one}</li>`)}</ul>`
      }
    </div>
  `
}

type Said = { readonly answer: string | undefined; readonly text: string }

function dispensedOf({ answer, text }: Said, currency: string): number | undefined {
  if (answer === undefined) return undefined
  return answer === other ? minorIn(text, currency) : Number(answer)
}

/** Nothing, all of it, and what somebody or the machine has said, where that is another amount. */
function answersOf({ amount }: Claim, likely: number | undefined): number[] {
  return [...new Set([0, amount, likely ?? 0])].sort((a, b) => a - b)
}

function labelOf(minor: number, { amount, currency }: Claim, words: Words): string {
  if (minor === 0) return words.nothing
  return (minor === amount ? words.all : words.some)(moneyText(minor, currency))
}

type AmountField = {
  readonly claim: Claim
  readonly text: string
  readonly name: string
  readonly isAsked: boolean
  readonly words: Words
  onType(text: string): void
}

function amountField({ claim, text, name, isAsked, words, onType }: AmountField): View {
  const { currency, amount, mayExceed } = claim
  const minor = minorIn(text, currency)
  const isTooMuch = minor !== undefined && minor > amount && !mayExceed
  const wrong = !isAsked
    ? ''
    : minor === undefined
      ? words.otherWrong
      : isTooMuch
        ? words.otherTooMuch(moneyText(amount, currency))
        : ''
  return html`
    <input class="amount" name=${`${name}-amount`} inputmode="decimal" autocomplete="off" size="9" value=${text}
      aria-label=${words.otherLabel(currency)} placeholder=${plainMoney(amount, currency)}
      onInput=${(event: InputEvent) => onType((event.target as HTMLInputElement).value)}
      ref=${(input: HTMLInputElement | null) => input?.setCustomValidity(wrong)} />
  `
}

/** What happened to a withdrawal, oldest first: each message, decision, movement and word, and by whom. */

import type { Terminal, WithdrawalHistory } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/withdrawal.en.ts'
import { exceptionText } from '../parts/badge.ts'
import { unitText } from '../parts/bars.ts'
import { clockText, count, instantText, moneyText } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { exceptionLink } from '../parts/links.ts'
import { entry } from './exception-panel.ts'

export type Told = Omit<WithdrawalHistory['history'][number], 'detail'> & {
  readonly detail: Readonly<Record<string, unknown>>
}

export type History = { readonly history: readonly Told[]; readonly more: boolean }

type Notes = Readonly<Record<string, number>>

/** Of all that happened: which notes were to leave, and which were rejected on the way. */
export function notesIn(history: readonly Told[]): { planned: Notes; rejected: Notes } {
  const approved = history.find(({ kind }) => kind === 'withdrawal_authorized')
  const settled = history.findLast(({ kind, detail }) => kind === 'withdrawal_settled' && detail['rejected'])
  return { planned: notesOf(approved?.detail['units']), rejected: notesOf(settled?.detail['rejected']) }
}

type Seen = { readonly terminal: Terminal; readonly words: Words }

export function timeline(history: readonly Told[], seen: Seen): View {
  return html`<ol class="timeline">${history.map((told, i) => moment(told, history[i - 1], seen))}</ol>`
}

function moment(told: Told, before: Told | undefined, seen: Seen): View {
  const { at, kind, record, transfers } = told
  const isNewDay = before === undefined || dayOf(before.at) !== dayOf(at)
  return html`
    <li key=${record} class=${toneOf(told)}>
      <time datetime=${at} title=${instantText(at)}>${isNewDay ? instantText(at) : clockText(new Date(at))}</time>
      <div>
        <p><b>${titleOf(told, seen.words)}</b> <small>${byText(told, seen.words)}</small></p>
        ${linesOf(told, seen).map((line) => html`<p>${line}</p>`)}
        ${transfers.map((transfer) => html`<p key=${transfer.id}>${entry(transfer)}</p>`)}
        ${kind.startsWith('exception_') && exceptionOf(told)}
      </div>
    </li>
  `
}

function dayOf(instant: string): string {
  return new Date(instant).toDateString()
}

function toneOf({ kind, detail }: Told): string {
  if (kind === 'exception_opened' || detail['state'] === 'suspect') return 'bad'
  if (kind === 'exception_waits') return 'warn'
  if (kind === 'exception_resolved' || kind === 'withdrawal_settled') return 'good'
  return ''
}

function titleOf({ kind, detail }: Told, words: Words): string {
  const text = (name: string) => String(detail[name])
  switch (kind) {
    case 'withdrawal_settled':
      if (detail['state'] === 'suspect' && detail['by'] === 'confirm') return words.settledInDoubt
      return words.settledBy[text('by')] ?? text('by')
    case 'withdrawal_forestalled':
      return words.forestalled[text('advice')] ?? text('advice')
    case 'withdrawal_advised':
      return words.advised[text('advice')] ?? text('advice')
    case 'exception_opened':
      return `${words.events[kind]}: ${exceptionText(text('exception_type'))}`
    default:
      return words.events[kind] ?? kind
  }
}

/** By whom; where the server itself did it, by nobody. */
function byText({ by }: Told, words: Words): string {
  const name = by.name ?? by.actor
  return name === '' ? '' : words.by(isolated(name))
}

function linesOf({ kind, detail }: Told, { terminal, words }: Seen): (View | string)[] {
  const text = (minor: unknown) => moneyText(Number(minor), terminal.currency)
  const notes = (of: unknown) => notesText(notesOf(of), terminal, words)
  switch (kind) {
    case 'withdrawal_authorized':
      return [words.toldApproved({ amount: text(detail['amount']), notes: notes(detail['units']) })]
    case 'withdrawal_declined': {
      const code = String(detail['code'])
      return [text(detail['amount']), words.refusals[code] ?? words.refusedFor(code)]
    }
    case 'withdrawal_started':
      return typeof detail['expires_at'] === 'string'
        ? [words.toldUntil(isolated(clockText(new Date(detail['expires_at']))))]
        : []
    case 'withdrawal_settled':
    case 'exception_waits':
    case 'exception_resolved': {
      const { dispensed, reason } = detail
      const said = leftText(dispensed, { text, notes: notes(detail['units']), words })
      return [
        ...(dispensed === undefined ? [] : [said]),
        ...(typeof reason === 'string' ? [html`<q><bdi>${reason}</bdi></q>`] : []),
      ]
    }
    case 'withdrawal_forestalled':
    case 'exception_opened':
      return detail['amount'] === 0 ? [] : [text(detail['amount'])]
    default:
      return []
  }
}

function leftText(
  dispensed: unknown,
  { text, notes, words }: { text: (minor: unknown) => string; notes: string; words: Words },
): string {
  if (dispensed === null) return words.toldUnknown
  return dispensed === 0 ? words.toldNothing : words.toldLeft({ amount: text(dispensed), notes })
}

function exceptionOf({ detail }: Told): View | undefined {
  const { exception } = detail
  return typeof exception === 'string' ? html`<p><small>${exceptionLink(exception)}</small></p>` : undefined
}

function notesOf(value: unknown): Notes {
  return typeof value === 'object' && value !== null ? (value as Notes) : {}
}

/** Such as `1 × $50.00, 1 × $10.00`. */
function notesText(notes: Notes, { units, currency }: Terminal, words: Words): string {
  return Object.entries(notes)
    .map(([id, number]) => {
      const unit = units.find((each) => each.id === id)
      return words.noteCount({ count: count(number), value: unit ? unitText(unit, currency) : id })
    })
    .join(', ')
}

/** An event in words: what happened, to whom, and how much it was about. */
import { html, type View } from '../../html.ts'
import type { LiveEvent } from '../live.ts'
import type { Words } from '../messages/live.en.ts'
import { exceptionText, stateText } from '../parts/badge.ts'
import { accountLink, cardLink, exceptionLink, masked, terminalLink, withdrawalLink } from '../parts/links.ts'

export const kinds = [
  'withdrawal',
  'terminal',
  'batch',
  'exception',
  'card',
  'account',
  'transfer',
  'hold',
] as const

export type Kind = (typeof kinds)[number]

export type Told = {
  readonly kind: Kind
  readonly tone: 'good' | 'warn' | 'bad' | 'busy' | 'quiet'
  readonly text: string
  readonly where: readonly View[]
  readonly amount?: readonly [minor: number, currency: string] | undefined
}

type Data = LiveEvent['data']

export function fits(event: LiveEvent, { terminal, kind }: { terminal: string; kind: string }): boolean {
  return (kind === '' || kindOf(event) === kind) && (terminal === '' || terminalOf(event.data) === terminal)
}

/** `currencies` are those of terminals: events that follow another do not say theirs again. */
export function tellingOf(event: LiveEvent, words: Words, currencies: ReadonlyMap<string, string>): Told {
  const { data } = event
  const type = event.type.replace('cashpoint.', '')
  const currency = textOf(data, 'currency') ?? currencies.get(terminalOf(data) ?? '')
  const minor = minorOf(data)
  return {
    kind: kindOf(event),
    where: whereOf(event),
    ...(minor !== undefined && currency !== undefined && { amount: [minor, currency] as const }),
    ...said(type, data, words),
  }
}

function kindOf({ type }: LiveEvent): Kind {
  const [, kind] = type.split('.')
  return (kind ?? 'account') as Kind
}

function said(type: string, data: Data, words: Words): Pick<Told, 'tone' | 'text'> {
  const { texts } = words
  const state = textOf(data, 'state') ?? ''
  switch (type) {
    case 'withdrawal.settled':
      return { tone: settledTones[state] ?? 'quiet', text: stateText('withdrawal', state) }
    case 'withdrawal.declined':
      return {
        tone: 'warn',
        text: texts.declined(words.codes[textOf(data, 'code') ?? ''] ?? textOf(data, 'code') ?? ''),
      }
    case 'terminal.changed':
      return terminalSaid(data, words)
    case 'exception.opened':
      return { tone: 'bad', text: exceptionText(textOf(data, 'exception_type') ?? '') }
    case 'card.changed': {
      const status = textOf(data, 'status')
      const change = words.cardChanges[textOf(data, 'change') ?? ''] ?? ''
      return {
        tone: status === undefined || status === 'active' ? 'quiet' : 'warn',
        text: status === undefined ? change : stateText('card', status),
      }
    }
    case 'account.changed':
      return { tone: state === 'active' ? 'good' : 'warn', text: stateText('account', state) }
    case 'transfer.posted': {
      const kind = textOf(data, 'kind') ?? ''
      return { tone: 'quiet', text: words.transferKinds[kind] ?? kind }
    }
    default:
      return plainly[type] === undefined
        ? { tone: 'quiet', text: type }
        : { tone: plainly[type].tone, text: texts[plainly[type].text] }
  }
}

function terminalSaid(data: Data, words: Words): Pick<Told, 'tone' | 'text'> {
  const change = textOf(data, 'change') ?? ''
  const state = textOf(data, 'state') ?? ''
  if (change === 'state')
    return { tone: state === 'in_service' ? 'good' : 'bad', text: stateText('terminal', state) }
  return { tone: 'busy', text: words.terminalChanges[change] ?? change }
}

const settledTones: Readonly<Record<string, Told['tone']>> = {
  completed: 'good',
  partially_completed: 'warn',
  reversed: 'quiet',
  suspect: 'bad',
}

type Plain =
  | 'authorized'
  | 'started'
  | 'closed'
  | 'resolved'
  | 'opened'
  | 'limits'
  | 'placed'
  | 'posted'
  | 'voided'
  | 'expired'

const plainly: Readonly<Record<string, { tone: Told['tone']; text: Plain } | undefined>> = {
  'withdrawal.authorized': { tone: 'busy', text: 'authorized' },
  'withdrawal.started': { tone: 'busy', text: 'started' },
  'batch.closed': { tone: 'quiet', text: 'closed' },
  'exception.resolved': { tone: 'good', text: 'resolved' },
  'account.opened': { tone: 'quiet', text: 'opened' },
  'account.limits_set': { tone: 'quiet', text: 'limits' },
  'hold.placed': { tone: 'busy', text: 'placed' },
  'hold.posted': { tone: 'good', text: 'posted' },
  'hold.voided': { tone: 'quiet', text: 'voided' },
  'hold.expired': { tone: 'quiet', text: 'expired' },
}

function whereOf({ data, subject }: LiveEvent): View[] {
  const terminal = terminalOf(data)
  const withdrawal = textOf(data, 'withdrawal')
  const account = textOf(data, 'account')
  const exception = textOf(data, 'exception')
  const card = textOf(data, 'card')
  const last4 = textOf(data, 'last4')
  const [debit, credit] = [textOf(data, 'debit_account'), textOf(data, 'credit_account')]
  return [
    terminal !== undefined && terminalLink(terminal),
    terminal !== undefined && withdrawal !== undefined && withdrawalLink(terminal, withdrawal),
    exception !== undefined && exceptionLink(exception),
    account !== undefined && accountLink(account),
    debit !== undefined &&
      credit !== undefined &&
      html`<span dir="ltr">${accountLink(debit)} → ${accountLink(credit)}</span>`,
    card !== undefined && subject.includes('/cards/')
      ? cardLink(card, last4 ?? null)
      : last4 !== undefined && html`<span class="soft">${masked(last4)}</span>`,
  ].filter((one): one is View => one !== false)
}

/** Of transfers, too: their `operation` says at which terminal they are of something. */
function terminalOf(data: Data): string | undefined {
  return textOf(data, 'terminal') ?? textOf(data, 'operation')?.split('/')[0]
}

function minorOf(data: Data): number | undefined {
  const [amount, dispensed] = [data['amount'], data['dispensed']]
  if (typeof amount === 'number') return amount
  return typeof dispensed === 'number' ? dispensed : undefined
}

function textOf(data: Data, name: string): string | undefined {
  const text = data[name]
  return typeof text === 'string' ? text : undefined
}

/** A message as it is read once, before anything is asked of it: who, which card, when, and under which numbers. */
import type { Confirm } from '../ledger/atm-commands.ts'
import type { AccountType } from '../ledger/card.ts'
import type { Instant, Minor } from '../ledger/money.ts'
import type { NotesOut } from '../ledger/terminal.ts'
import type { Stamp } from '../ledger/trace.ts'
import type { Message } from './message/index.ts'

export type Request = {
  readonly message: Message
  readonly fields: Message['fields']
  readonly terminal: string
  readonly stamp: Stamp
  /** MMDDhhmmss in UTC, when it came: in place of a clock that says nothing. */
  readonly received: string
  /** Whether it says that it was sent before. */
  readonly again: boolean
}

export function requestOf(message: Message, now: Instant): Request {
  const { mti, fields } = message
  return {
    message,
    fields,
    terminal: terminalIn(message),
    stamp: stampOf(message, now),
    received: timeOf(now),
    again: mti.endsWith('1'),
  }
}

/** MMDDhhmmss of an instant, in UTC. */
export function timeOf(at: Instant): string {
  return new Date(at).toISOString().replace(/\D/g, '').slice(4, 14)
}

/** Field 41 without the spaces that fill it. */
export function terminalIn({ fields }: Message): string {
  return (fields[41] ?? '').trim()
}

/** `0210` for 0200 and 0201, `0430` for 0420 and 0421. */
export function answerType(mti: string): string {
  const origin = mti.charAt(3)
  return `${mti.slice(0, 2)}${Number(mti.charAt(2)) + 1}${origin === '1' ? '0' : origin}`
}

function stampOf({ fields }: Message, now: Instant): Stamp {
  const { 7: sent, 11: stan = '', 12: time, 13: date } = fields
  return {
    stan,
    rrn: referenceIn(fields) ?? `${hourOf(now)}${stan}`,
    ...(time !== undefined && date !== undefined && { local: `${date}${time}` }),
    ...(sent !== undefined && { sent }),
  }
}

/** Field 37, if there is anything in it. */
export function referenceIn(fields: Message['fields']): string | undefined {
  return (fields[37] ?? '').trim() || undefined
}

/** `YDDDHH` in UTC: the last digit of the year, the day of it, the hour. */
function hourOf(now: Instant): string {
  const date = new Date(now)
  const year = date.getUTCFullYear()
  const day = Math.floor((now - Date.UTC(year, 0, 1)) / 86_400_000) + 1
  return `${year % 10}${String(day).padStart(3, '0')}${String(date.getUTCHours()).padStart(2, '0')}`
}

/** The card number of 2, or of 35 up to its separator; `contradicting` where both are there and differ. */
export function panIn({ 2: pan, 35: track }: Message['fields']): string | 'contradicting' | undefined {
  const ofTrack = track === undefined ? undefined : (/^[0-9]*(?==|D|d|$)/.exec(track)?.[0] ?? '')
  if (pan !== undefined && ofTrack !== undefined && pan !== ofTrack) return 'contradicting'
  return pan ?? ofTrack
}

/** Digits as an amount. Minor units. */
export function amountIn(text: string | undefined): Minor | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}

const types: Readonly<Record<string, AccountType>> = { 10: 'savings', 20: 'checking', 30: 'credit' }

/** The kinds of account that a processing code names, `aa` from which and `bb` to which; none for the usual one. */
export function accountTypesIn(code = ''): {
  readonly from: AccountType | undefined
  readonly to: AccountType | undefined
} {
  return { from: types[code.slice(2, 4)], to: types[code.slice(4, 6)] }
}

/** The first of them, of what has but one. */
export function accountTypeIn(code: string | undefined): { readonly account_type?: AccountType } {
  const { from } = accountTypesIn(code)
  return from === undefined ? {} : { account_type: from }
}

/** Whether a processing code asks for a balance or a statement: nothing is done. */
export function isInquiry(code = ''): boolean {
  return /^3[018]/.test(code)
}

/** A number in 102 or 103, without the spaces that fill it. */
export function accountIn(text: string | undefined): { readonly account?: string } {
  const account = (text ?? '').trim()
  return account === '' ? {} : { account }
}

/** What a machine says of the notes; an outcome where it does not know which left. */
export type NotesSaid = Pick<Confirm, 'units' | 'rejected' | 'outcome'>

/**
 * `C1=2,C3=1;R:C1=1;O:unknown`: notes that left, and that were rejected, by unit, and that nobody knows. Undefined where
 * it is something else.
 */
export function notesIn(text: string | undefined): NotesSaid | undefined {
  const match = /^([^;]*)(?:;R:([^;]*))?(?:;O:(unknown|retracted))?$/.exec((text ?? '').trim())
  const units = match && countsIn(match[1] ?? '')
  const rejected = match?.[2] === undefined ? {} : countsIn(match[2])
  if (!units || rejected === undefined) return undefined
  const outcome = match[3] as NotesSaid['outcome']
  return {
    units,
    ...(Object.keys(rejected).length > 0 && { rejected }),
    ...(outcome !== undefined && { outcome }),
  }
}

/** `5000=2,2000=1`: so many of each. */
export function countsIn(text: string): NotesOut | undefined {
  if (text === '') return {}
  const words = text.split(',').map((word) => /^([A-Z0-9]{1,16})=([0-9]{1,6})$/.exec(word))
  if (words.some((word) => word === null)) return undefined
  return Object.fromEntries(words.map((word) => [word?.[1] ?? '', Number(word?.[2])]))
}

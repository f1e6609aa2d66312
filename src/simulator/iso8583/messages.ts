/** What a machine says by ISO 8583, as fields, and what it reads in the answers. Knows no line. */
import type { Draft, Message } from '../../iso8583/message/index.ts'
import type { Advice } from '../advices.ts'
import type { Told } from '../device.ts'
import type { Balance } from '../host.ts'
import { type ByUnit, type ByValue, numberOf, worthOf } from '../notes.ts'
import type { Stamp } from './stamp.ts'

export type Fields = Draft['fields']

/** What every message of a transaction has, however often it is said. */
export function common({ stan, local }: Stamp, terminal: string): Fields {
  return { 7: local, 11: stan, 12: local.slice(4), 13: local.slice(0, 4), 41: terminal }
}

/** A card and the PIN that was entered with it: format 0 is in 52, format 4 in 123. */
export function cardFields(pan: string, block = ''): Fields {
  return { 2: pan, ...(block.length === 16 && { 52: block }), ...(block.length === 32 && { 123: block }) }
}

export const inquiry: Fields = { 3: '310000' }

export function withdrawal(amount: number): Fields {
  return { 3: codes.withdrawal, 4: twelve(amount) }
}

export function deposit(notes: ByValue): Fields {
  return { 3: codes.deposit, 4: twelve(worthOf(notes)), 48: countsIn(notes) }
}

const codes = { withdrawal: '010000', deposit: '210000' } as const

/**
 * How an advice is said. Where some of the notes left, or nobody knows, it can be said in two ways, as a completion of
 * less and as a reversal with what stands of it: machines do either, and here every second number decides.
 */
export function adviceOf(advice: Advice, { stan, local }: Stamp, currency: string | undefined): Draft {
  const original = { 49: currency, 90: `0200${stan}${local}${'0'.repeat(22)}` }
  switch (advice.says) {
    case 'closed':
      return { mti: '0520', fields: { 50: currency } }
    case 'nothing': {
      const fields = { 3: codes[advice.of], 4: twelve(advice.asked), ...original }
      return { mti: '0420', fields }
    }
    case 'left': {
      const { asked, left, told } = advice
      const isKnown = told.outcome === 'dispensed'
      const notes = notesIn(told)
      const said = { 3: codes.withdrawal, ...(notes !== '' && { 48: notes }), ...original }
      if (isKnown && left === 0) return { mti: '0420', fields: { ...said, 4: twelve(asked), 48: undefined } }
      const isWhole = isKnown && left === asked
      if (isWhole || Number(stan) % 2 === 0) return { mti: '0220', fields: { ...said, 4: twelve(left) } }
      return { mti: '0420', fields: { ...said, 4: twelve(asked), 95: standing(left) } }
    }
  }
}

/** 95: what was dispensed, and nothing of the other three amounts in it. */
function standing(left: number): string {
  return `${twelve(left)}${twelve(0)}C00000000C00000000`
}

/** `C1=2,C3=1;R:C1=1;O:unknown` */
function notesIn({ units, rejected, outcome }: Told): string {
  return [
    countsIn(units),
    ...(numberOf(rejected) > 0 ? [`R:${countsIn(rejected)}`] : []),
    ...(outcome === 'dispensed' ? [] : [`O:${outcome}`]),
  ].join(';')
}

function countsIn(notes: ByUnit | ByValue): string {
  return Object.entries(notes)
    .map(([kind, count]) => `${kind}=${count}`)
    .join(',')
}

function twelve(amount: number): string {
  return String(amount).padStart(12, '0')
}

/** 54: what is on the account (01) and what is available (02). Undefined where it is not told. */
export function balanceIn({ 54: text = '' }: Message['fields']): Balance | undefined {
  const amounts = new Map(
    [...text.matchAll(/\d{2}(\d{2})\d{3}([CD])(\d{12})/g)].map(([, type, sign, amount]) => [
      type,
      (sign === 'D' ? -1 : 1) * Number(amount),
    ]),
  )
  const [ledger, available] = [amounts.get('01'), amounts.get('02')]
  return ledger === undefined || available === undefined ? undefined : { ledger, available }
}

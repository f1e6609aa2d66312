/**
 * What a message is answered: which family it is of, what it must have, and which terminal may say it here. It knows
 * no socket; the families know no framing.
 */
import { StoreError } from '../bank/store.ts'
import { nameOf } from '../ledger/entity.ts'
import type { Instant } from '../ledger/money.ts'
import { isTerminalId } from '../ledger/terminal.ts'
import {
  answerCodes,
  formatError,
  invalidTransaction,
  malfunction,
  notSupported,
  wrongTerminal,
} from './answer-codes.ts'
import type { Answered, Ask, Desk } from './desk.ts'
import { complete, reverse } from './families/advices.ts'
import { deposit } from './families/deposit.ts'
import { inquire } from './families/inquiry.ts'
import { answerOfLine, sign } from './families/network.ts'
import { changePin } from './families/pin-change.ts'
import { reconcile, tell } from './families/reconciliation.ts'
import { transfer } from './families/transfer.ts'
import { withdraw } from './families/withdrawal.ts'
import type { Message } from './message/index.ts'
import { echoed, echoOfError, missingIn, type Presence, presence } from './presence.ts'
import { answerType, requestOf, terminalIn } from './request.ts'

/** Where a message came from: which terminals may say something there, and how much they must say. */
export type From = { isOurs(terminal: string): boolean; readonly strict: boolean }

type Family = { readonly presence: Presence; answer(desk: Desk, ask: Ask): Promise<Answered> }

const families = {
  network: { presence: presence.network, answer: sign },
  inquiry: { presence: presence.inquiry, answer: inquire },
  withdrawal: { presence: presence.withdrawal, answer: withdraw },
  deposit: { presence: presence.deposit, answer: deposit },
  transfer: { presence: presence.transfer, answer: transfer },
  pinChange: { presence: presence.pinChange, answer: changePin },
  completion: { presence: presence.completion, answer: complete },
  reversal: { presence: presence.reversal, answer: reverse },
  totals: { presence: presence.totals, answer: tell },
  reconciliation: { presence: presence.reconciliation, answer: reconcile },
} as const satisfies Record<string, Family>

/** What the line must do: `ignore` what is an answer itself, `close` where fields are of another width. */
export type Fate = 'ignore' | 'close' | 'answer'

export function fateOf({ mti }: Pick<Message, 'mti'>): Fate {
  if (!/^[0-9]{4}$/.test(mti) || !mti.startsWith('0')) return 'close'
  return Number(mti.charAt(2)) % 2 === 1 ? 'ignore' : 'answer'
}

/** The answer to a message that cannot be read: what of it could be goes back. Undefined where nobody could match it. */
export function answerUnreadable(read: Message): Message | undefined {
  if (read.fields[11] === undefined || fateOf(read) !== 'answer') return undefined
  return { mti: answerType(read.mti), fields: { ...echoed(read, echoOfError), 39: formatError } }
}

export async function answer(desk: Desk, message: Message, from: From, now: Instant): Promise<Message> {
  const family = familyOf(message)
  const numbers = typeof family === 'string' ? presence.inquiry.echo : family.presence.echo
  const fields = await answered(desk, message, { family, from, now }).catch((error) => {
    // Of what is read before anything is asked: nothing was done.
    if (error instanceof StoreError) return { 39: answerCodes.store_unavailable }
    desk.onError?.(error)
    return { 39: malfunction }
  })
  return {
    mti: answerType(message.mti),
    fields: { ...echoed(message, numbers), ...referenceOf(message, now), ...fields },
  }
}

/** A request has a reference in its answer, whatever that is: the host's own where it brought none. */
function referenceOf(message: Message, now: Instant): { readonly 37?: string } {
  const { 11: stan, 37: own } = message.fields
  if (!/^0[12]0/.test(message.mti) || stan === undefined || own !== undefined) return {}
  const { rrn } = requestOf(message, now).stamp
  return rrn === undefined ? {} : { 37: rrn }
}

async function answered(
  desk: Desk,
  message: Message,
  { family, from, now }: { family: Family | string; from: From; now: Instant },
): Promise<Answered> {
  if (typeof family === 'string') return { 39: family }
  if (missingIn(message, family.presence, from.strict) !== undefined) return { 39: formatError }
  const ofLine = family === families.network ? answerOfLine(message) : undefined
  if (ofLine !== undefined) return ofLine
  const terminal = terminalIn(message)
  if (!isTerminalId(terminal) || !from.isOurs(terminal)) return { 39: wrongTerminal }
  const terminalNow = await desk.bank.entity(nameOf.terminal(terminal))
  if (terminalNow?.kind !== 'terminal') return { 39: wrongTerminal }
  return family.answer(desk, { ...requestOf(message, now), terminalNow, now })
}

/** The family, or the code of the answer where there is none. */
function familyOf({ mti, fields }: Message): Family | string {
  // Acquirers ask, and ask again: 0 and 1. The rest of the network asks otherwise.
  if (!/^0[124-58][0-9][01]$/.test(mti)) return notSupported
  const code = fields[3]?.slice(0, 2)
  switch (mti.slice(1, 3)) {
    case '10':
      return code === undefined || isBalance(code) ? families.inquiry : invalidTransaction
    case '20':
      return code === undefined ? families.inquiry : (financial[code] ?? invalidTransaction)
    case '22':
      return families.completion
    case '40':
    case '42':
      return families.reversal
    case '50':
      return families.totals
    case '52':
      return families.reconciliation
    case '80':
      return families.network
    default:
      return notSupported
  }
}

/** By the first two digits of 3. */
const financial: Readonly<Record<string, Family>> = {
  '01': families.withdrawal,
  21: families.deposit,
  30: families.inquiry,
  31: families.inquiry,
  38: families.inquiry,
  40: families.transfer,
  92: families.pinChange,
}

function isBalance(code: string): boolean {
  return code === '30' || code === '31'
}

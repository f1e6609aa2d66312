/**
 * What a message is answered: which family it is of, what it must have, and which terminal may say it here. It knows
 * no socket; the families know no framing.
 */
import { StoreError } from '../bank/store.ts'
import { nameOf } from '../ledger/entity.ts'
import type { Instant } from '../ledger/money.ts'
import { isTerminalId, type Terminal, type TerminalId } from '../ledger/terminal.ts'
import {
  answerCodes,
  formatError,
  invalidTransaction,
  malfunction,
  notSupported,
  wrongTerminal,
} from './answer-codes.ts'
import { authenticate, type Received, sealed } from './authentication.ts'
import type { Answered, Ask, Desk } from './desk.ts'
import { complete, reverse } from './families/advices.ts'
import { deposit } from './families/deposit.ts'
import { inquire } from './families/inquiry.ts'
import { answerOfLine, sign } from './families/network.ts'
import { changePin } from './families/pin-change.ts'
import { reconcile, tell } from './families/reconciliation.ts'
import { transfer } from './families/transfer.ts'
import { withdraw } from './families/withdrawal.ts'
import type { Message, Spec } from './message/index.ts'
import { echoed, echoOfError, missingIn, type Presence, presence } from './presence.ts'
import { answerType, requestOf, terminalIn } from './request.ts'

/** Where a message came from: which terminals may say something there, how much they must say, and by which table. */
export type From = {
  isOurs(terminal: string): boolean
  readonly strict: boolean
  readonly spec: Spec
  /** Told of each message without a right MAC, of a terminal whose messages must have one. */
  onWrongMac(type: string, terminal: TerminalId): void
}

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
  return unheard(read)
}

/** What nobody can be sure of goes back no further than it must, for whoever asked to know its answer. */
function unheard(message: Message): Message {
  return { mti: answerType(message.mti), fields: { ...echoed(message, echoOfError), 39: formatError } }
}

/** Of a terminal with a MAC key nothing is done but by a message with a right MAC, and whatever it is answered has one. */
export async function answer(desk: Desk, received: Received, from: From, now: Instant): Promise<Message> {
  const { message } = received
  try {
    const terminal = await terminalOf(desk, message, from)
    const [newest] = terminal?.mac_keys ?? []
    if (terminal === undefined || newest === undefined)
      return await answerTo(desk, message, { terminal, from, now })

    const key = await authenticate(desk, received, terminal)
    if (key === undefined) from.onWrongMac(message.mti, terminal.id)
    const said = key === undefined ? unheard(message) : await answerTo(desk, message, { terminal, from, now })
    return sealed(desk.vault, said, { spec: from.spec, terminal: terminal.id, key: key ?? newest })
  } catch (error) {
    // It has no MAC: whose it is could not be read.
    return answerWith(message, failure(desk, error), now)
  }
}

/** The terminal of 41, where it is there and may say something here. */
async function terminalOf(desk: Desk, message: Message, from: From): Promise<Terminal | undefined> {
  const id = terminalIn(message)
  if (!isTerminalId(id) || !from.isOurs(id)) return undefined
  const found = await desk.bank.entity(nameOf.terminal(id))
  return found?.kind === 'terminal' ? found : undefined
}

async function answerTo(desk: Desk, message: Message, by: By): Promise<Message> {
  const fields = await answered(desk, message, by).catch((error) => failure(desk, error))
  return answerWith(message, fields, by.now)
}

/** Of what is read before anything is asked: nothing was done. */
function failure(desk: Desk, error: unknown): Answered {
  if (error instanceof StoreError) return { 39: answerCodes.store_unavailable }
  desk.onError?.(error)
  return { 39: malfunction }
}

function answerWith(message: Message, fields: Answered, now: Instant): Message {
  const family = familyOf(message)
  const numbers = typeof family === 'string' ? presence.inquiry.echo : family.presence.echo
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

/** By whom, from where, and when. */
type By = { readonly terminal: Terminal | undefined; readonly from: From; readonly now: Instant }

async function answered(
  desk: Desk,
  message: Message,
  { terminal: terminalNow, from, now }: By,
): Promise<Answered> {
  const family = familyOf(message)
  if (typeof family === 'string') return { 39: family }
  if (missingIn(message, family.presence, from.strict) !== undefined) return { 39: formatError }
  const ofLine = family === families.network ? answerOfLine(message) : undefined
  if (ofLine !== undefined) return ofLine
  if (terminalNow === undefined) return { 39: wrongTerminal }
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

/** What the families of messages share: the bank, the vault, and how their answers are told. */
import type { Bank } from '../bank/bank.ts'
import type { CardIds, ChangePin, TerminalDeposit, TerminalTransfer } from '../ledger/atm-commands.ts'
import type { AccountType, CardAccount, CardId } from '../ledger/card.ts'
import type { Command, Outcome, Refused, Submission } from '../ledger/command.ts'
import { type Entity, type EntityName, nameOf } from '../ledger/entity.ts'
import type { Day } from '../ledger/limits.ts'
import type { Currency, Instant, Minor } from '../ledger/money.ts'
import type { PinTry } from '../ledger/pin.ts'
import type { Terminal } from '../ledger/terminal.ts'
import { isoId } from '../ledger/trace.ts'
import type { Operation } from '../ledger/withdrawal.ts'
import { newPinFor } from '../vault/new-pin.ts'
import { isPan, lastFour } from '../vault/pan.ts'
import type { TerminalKeys, Vault } from '../vault/vault.ts'
import {
  answerCodes,
  approved,
  formatError,
  invalidAmount,
  invalidCard,
  invalidTransaction,
  isPassing,
  malfunction,
} from './answer-codes.ts'
import { currencyOf, numberOf } from './currency.ts'
import { amountIn, panIn, type Request } from './request.ts'

export type Desk = {
  readonly bank: Bank
  /** Without it there are no cards. */
  readonly vault: Vault | undefined
  dayOf(now: Instant): Day
  onError?(error: unknown): void
}

/** What is asked, of a terminal that is there. */
export type Ask = Request & { readonly terminalNow: Terminal; readonly now: Instant }

/** Fields of an answer beside those that go back as they came; 39 is always among them. */
export type Answered = Readonly<Record<number, string>> & { readonly 39: string }

/** Who asks in the records of this interface. */
const actor = 'iso8583'

type More = Partial<Pick<Submission, 'pin' | 'new_pin' | 'key'>>

/** Some ten seconds in all: by then a client asks again itself. */
const againAfterMs = [100, 200, 400, 800, 1_600, 3_200, 3_200]

/**
 * Whoever is told no for an outcome that nobody knows would keep the cash and leave the money taken. So it is asked
 * again, which does nothing twice, until it is known; what is said meanwhile is not of the first.
 */
export async function submit({ bank }: Desk, command: Command, more: More = {}): Promise<Outcome> {
  const first = await bank.submit({ command, actor, ...more })
  if (!isUnknown(first)) return first
  const again = 'stamp' in command ? { ...command, again: true } : command
  for (const ms of againAfterMs) {
    await new Promise((resolve) => setTimeout(resolve, ms).unref())
    const outcome = await bank.submit({ command: again, actor, ...more })
    if (outcome.reply.type !== 'refused' || !isPassing(answerCodes[outcome.reply.refusal])) return outcome
  }
  return first
}

function isUnknown({ reply }: Outcome): boolean {
  return reply.type === 'refused' && reply.refusal === 'outcome_unknown'
}

/** The operation that was asked for, or why it was not done. */
export async function operate(
  desk: Desk,
  command: TerminalDeposit | TerminalTransfer | ChangePin,
  more: More = {},
): Promise<Operation | Refused> {
  const { reply } = await submit(desk, command, more)
  if (reply.type === 'refused') return reply
  if (reply.type !== 'entity' || reply.entity.kind !== 'operation')
    throw new Error(`${command.type} was answered with ${reply.type}`)
  return reply.entity
}

/** What is read for an answer after the money moved: without it the answer says less, and is none the less yes. */
export function read({ bank }: Desk, name: EntityName): Promise<Entity | undefined> {
  return bank.entity(name).catch(() => undefined)
}

export function refused(code: string): Answered {
  return { 39: code }
}

/** The currency that is asked for: the terminal's where none is. Undefined where it is none. */
export function currencyIn({ fields, terminalNow }: Ask): Currency | undefined {
  return fields[49] === undefined ? terminalNow.currency : currencyOf(fields[49])
}

/** How much is asked for, and in which currency; or why that is nothing. Minor units. */
export function moneyIn(ask: Ask): { readonly amount: Minor; readonly currency: Currency } | Answered {
  const amount = amountIn(ask.fields[4]) ?? 0
  if (amount === 0) return refused(invalidAmount)
  const currency = currencyIn(ask)
  return currency === undefined ? refused(invalidTransaction) : { amount, currency }
}

/** How what is asked for is known again. */
export function numbered({ terminal, terminalNow, stamp, again, received }: Ask) {
  return { terminal, id: isoId(terminalNow.batch.batch, stamp, received), stamp, again }
}

export type Holder = { readonly pan: CardIds; readonly last4: string; readonly pin?: PinTry }

/** The card that is shown, and the PIN that was entered with it as something to compare; or why there is none. */
export function holderOf({ vault }: Desk, ask: Ask): Holder | Answered {
  const { fields } = ask
  const pan = panIn(fields)
  if (pan === undefined || pan === 'contradicting') return refused(formatError)
  if (!isPan(pan)) return refused(invalidCard)
  if (vault === undefined) return refused(malfunction)
  const block = fields[123] ?? fields[52]
  const pin = block === undefined ? {} : { pin: vault.tryBlock(pan, block, keysOf(ask)) }
  return { pan: vault.cardIds(pan), last4: lastFour(pan), ...pin }
}

/** What is to stand for the new PIN in 62, by each id that the card may have; nothing where it cannot be read. */
export function newPinOf({ vault }: Desk, ask: Ask, cards: CardIds): Pick<More, 'new_pin'> {
  const { 62: block = '', ...fields } = ask.fields
  const pan = panIn(fields) ?? ''
  return newPinFor(cards, (card) => vault?.referenceOfBlock(pan, block, keysOf(ask), card))
}

function keysOf({ terminal, terminalNow }: Ask): TerminalKeys {
  return { terminal, keys: terminalNow.pin_keys }
}

/** The same of an advice, which tells of a card and is not refused over it. */
export function cardOf(
  { vault }: Desk,
  { fields }: Request,
): { readonly pan?: CardIds; readonly clear: boolean } {
  const pan = panIn(fields)
  if (pan === 'contradicting') return { clear: false }
  return vault === undefined || pan === undefined || !isPan(pan)
    ? { clear: true }
    : { clear: true, pan: vault.cardIds(pan) }
}

/** Why not. An account that is named and is none of the card's is a wrong card to whoever asks. */
export async function no(
  desk: Desk,
  { refusal, about }: Pick<Refused, 'refusal' | 'about'>,
  { pan = [], account }: { readonly pan?: CardIds; readonly account?: string } = {},
): Promise<Answered> {
  if (refusal === 'amount_not_dispensable') return { ...refused(answerCodes[refusal]), 44: nearestIn(about) }
  if (refusal !== 'account_not_allowed' || account === undefined) return refused(answerCodes[refusal])
  const accounts = await accountsAmong(desk, pan)
  const isIts = accounts.some((each) => each.account === account)
  return refused(isIts ? answerCodes[refusal] : invalidCard)
}

/** The nearest amounts below and above that there are notes for; zeros where there is none. */
function nearestIn(about: Refused['about']): string {
  const { below, above } = (about?.['nearest'] ?? {}) as { below?: Minor | null; above?: Minor | null }
  return [below, above].map((amount) => String(amount ?? 0).padStart(12, '0')).join('')
}

// Some 5 MB.
const cardsMax = 10_000
const known = new WeakMap<Bank, Map<CardId, readonly CardAccount[]>>()

/** The accounts of a card, by any id that it may have. They never change, so that most need not be read twice. */
async function accountsAmong(desk: Desk, ids: CardIds): Promise<readonly CardAccount[]> {
  const kept = known.get(desk.bank) ?? new Map<CardId, readonly CardAccount[]>()
  known.set(desk.bank, kept)
  for (const id of ids) {
    const accounts = kept.get(id)
    if (accounts !== undefined) return accounts
    const card = await read(desk, nameOf.card(id))
    if (card?.kind !== 'card') continue
    if (kept.size >= cardsMax) kept.clear()
    kept.set(id, card.accounts)
    return card.accounts
  }
  return []
}

const typeDigits: Readonly<Record<AccountType, string>> = { savings: '10', checking: '20', credit: '30' }

export type Balance = { readonly ledger: Minor; readonly available: Minor }

/** Field 54: what is on the account and what is available; nothing where twelve digits do not hold it. */
export async function balancesOf(
  desk: Desk,
  { ledger, available }: Balance,
  of: { readonly currency: Currency; readonly account?: string | undefined; readonly cards?: CardIds },
): Promise<{ readonly 54?: string }> {
  const accounts = await accountsAmong(desk, of.cards ?? [])
  const type = accounts.find(({ account }) => account === of.account)?.type
  const digits = type === undefined ? '00' : typeDigits[type]
  const block = (kind: string, amount: Minor) =>
    `${digits}${kind}${numberOf(of.currency)}${amount < 0 ? 'D' : 'C'}${String(Math.abs(amount)).padStart(12, '0')}`
  const blocks = block('01', ledger) + block('02', available)
  return blocks.length === 40 ? { 54: blocks } : {}
}

export function cardsOf(card: CardId | undefined): { readonly cards?: CardIds } {
  return card === undefined ? {} : { cards: [card] }
}

/** An operation as it was answered at first. Its code is the posting's own number, where money was moved: it has no other. */
export async function doneAs(
  desk: Desk,
  ask: Ask,
  { transfers: [posted], balance, account, rrn, batch }: Operation,
  cards: CardIds = [],
): Promise<Answered> {
  const { currency } = ask.terminalNow
  return {
    39: approved,
    ...(ask.fields[37] === undefined && rrn !== undefined && { 37: rrn }),
    ...(posted !== undefined && { 38: posted.replace(/\D/g, '').slice(-6).padStart(6, '0') }),
    ...(await settlementDay(desk, ask, batch)),
    ...(balance && (await balancesOf(desk, balance, { currency, account, cards }))),
  }
}

/** Field 15: the business day of a batch, which is the open one's until it has one. */
export async function settlementDay(desk: Desk, { terminalNow, now }: Ask, batch: number) {
  const open = terminalNow.batch
  const closed = batch === open.batch ? open : await read(desk, nameOf.batch(terminalNow.id, batch))
  const day = closed && 'business_date' in closed ? closed.business_date : null
  return { 15: monthAndDay(day ?? desk.dayOf(now)) }
}

/** `1123` of `2026-11-23`. */
export function monthAndDay(day: Day): string {
  return `${day.slice(5, 7)}${day.slice(8, 10)}`
}

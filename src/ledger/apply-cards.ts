/** The rules of cards and PINs: issued, blocked, and judged before anything is done for whoever holds one. */
import type { Account } from './account.ts'
import type { BlockCard, CardIds, IssueCard, SetPin, UnblockCard } from './atm-commands.ts'
import { entityReply, ofKind, raise, terminalThere } from './atm-rules.ts'
import type { Books } from './books.ts'
import { type AccountType, type Card, type CardAccount, isExpired, type PinPolicy, triesMax } from './card.ts'
import { type Refused, type Reply, refuse, type Submission } from './command.ts'
import { nameOf } from './entity.ts'
import type { Instant } from './money.ts'
import { matches, type PinTry } from './pin.ts'
import { markOf, touch } from './posting.ts'
import type { Rules } from './rules.ts'
import type { TerminalId } from './terminal.ts'

/** So many blocks in a row that do not decode are no mistyping: the terminal's key is wrong. */
const badBlocksMax = 10

export function issueCard(books: Books, by: Submission, command: IssueCard, now: Instant): Reply {
  const { pan, last4, expiry, accounts, pin_policy, limits } = command
  const [id = ''] = pan
  if (pan.some((each) => books.entity(nameOf.card(each)) !== undefined)) return refuse('card_exists')
  if (accounts.some(({ account }) => books.account(account) === undefined)) return refuse('account_not_found')

  const pin = by.new_pin?.[id]
  const more = { ...(pin !== undefined && { pin }), pin_policy, ...(limits && { limits }) }
  books.append({ kind: 'card_issued', card: id, last4, expiry, accounts, ...more }, markOf(by, now))
  return entityReply(books, nameOf.card(id), true)
}

/** Lost and stolen are for good; what is blocked may still turn out to be either. */
export function blockCard(
  books: Books,
  by: Submission,
  { card: id, status, reason }: BlockCard,
  now: Instant,
): Reply {
  const card = ofKind(books.entity(nameOf.card(id)), 'card')
  if (card === undefined) return refuse('card_not_found')
  if (card.status !== status && card.status !== 'active' && card.status !== 'blocked')
    return refuse('card_status', undefined, { card_status: card.status })

  if (card.status !== status)
    books.append({ kind: 'card_changed', card: id, status, reason }, markOf(by, now))
  return entityReply(books, nameOf.card(id), false)
}

export function unblockCard(
  books: Books,
  by: Submission,
  { card: id, reason }: UnblockCard,
  now: Instant,
): Reply {
  const card = ofKind(books.entity(nameOf.card(id)), 'card')
  if (card === undefined) return refuse('card_not_found')
  if (card.status === 'lost' || card.status === 'stolen')
    return refuse('card_status', undefined, { card_status: card.status })

  const change = { status: 'active', tries_left: triesMax } as const
  books.append({ kind: 'card_changed', card: id, ...change, reason }, markOf(by, now))
  return entityReply(books, nameOf.card(id), false)
}

export function setPin(books: Books, by: Submission, { card: id, reason }: SetPin, now: Instant): Reply {
  const card = ofKind(books.entity(nameOf.card(id)), 'card')
  const pin = by.new_pin?.[id]
  if (card === undefined) return refuse('card_not_found')
  if (pin === undefined) return refuse('pin_invalid')

  const change = { pin, tries_left: triesMax } as const
  books.append({ kind: 'card_changed', card: id, ...change, reason }, markOf(by, now))
  return entityReply(books, nameOf.card(id), false)
}

/** The card, if whoever shows it may be served; counts the PIN that was entered, whatever is decided then. */
export function identify(
  books: Books,
  by: Submission,
  { terminal, pan, pin = 'by_policy' }: { terminal: TerminalId; pan: CardIds; pin?: PinPolicy | 'by_policy' },
  now: Instant,
  rules: Rules,
): { readonly card: Card } | Refused {
  const card = cardIn(books, pan)
  if (card === undefined) return refuse('card_not_found')
  if (card.status !== 'active') return refuse(`card_${card.status}`)
  if (isExpired(card, rules.dayOf(now))) return refuse('card_expired')
  const policy = pin === 'by_policy' ? card.pin_policy : pin
  return judgePin(books, by, { terminal, card, policy }, now) ?? { card }
}

export function cardIn(books: Books, pan: CardIds): Card | undefined {
  for (const id of pan) {
    const card = ofKind(books.entity(nameOf.card(id)), 'card')
    if (card !== undefined) return card
  }
  return undefined
}

/** After the third wrong one nothing is compared any more, so that a right one says nothing either. */
function judgePin(
  books: Books,
  by: Submission,
  { terminal, card, policy }: { terminal: TerminalId; card: Card; policy: PinPolicy },
  now: Instant,
): Refused | undefined {
  const { id, pin, tries_left } = card
  if (tries_left === 0) return refuse('pin_locked')
  if (by.pin === undefined) return policy === 'always' ? refuse('pin_required') : undefined

  const isRight = pin !== undefined && matches(pin, by.pin)
  const left = isRight ? triesMax : tries_left - 1
  if (left !== tries_left) books.append({ kind: 'card_changed', card: id, tries_left: left }, markOf(by, now))
  noteBlock(books, by, { terminal, card, attempt: by.pin }, now)
  if (isRight) return undefined
  return left === 0
    ? refuse('pin_locked', undefined, { tries_left: 0 })
    : refuse('pin_incorrect', undefined, { tries_left: left })
}

/** What a block says of the terminal's keys: the old one is done with, or the new one is wrong. */
function noteBlock(
  books: Books,
  by: Submission,
  { terminal: id, card, attempt }: { terminal: TerminalId; card: Card; attempt: PinTry },
  now: Instant,
): void {
  const terminal = terminalThere(books, id)
  const { bad_blocks, pin_keys } = terminal
  const mark = markOf(by, now)
  if (attempt.decoded) {
    const isNew = attempt.key === 0 && pin_keys.length > 1
    const change = {
      ...(isNew && { pin_keys: pin_keys.slice(0, 1) }),
      ...(bad_blocks.length > 0 && { bad_blocks: [] }),
    }
    if (isNew || bad_blocks.length > 0)
      books.append({ kind: 'terminal_changed', terminal: id, ...change }, mark)
    return
  }
  const bad = [...bad_blocks, card.id]
  if (bad.length < badBlocksMax) {
    books.append({ kind: 'terminal_changed', terminal: id, bad_blocks: bad }, mark)
    return
  }
  const change = { state: 'out_of_service', bad_blocks: [], reason: 'PIN blocks do not decode' } as const
  books.append({ kind: 'terminal_changed', terminal: id, ...change }, mark)
  raise(books, by, terminal, { type: 'pin_key', amount: 0 }, now)
  for (const each of new Set(bad))
    giveTriesBack(books, by, each, bad.filter((other) => other === each).length, now)
}

function giveTriesBack(books: Books, by: Submission, id: string, count: number, now: Instant): void {
  const card = ofKind(books.entity(nameOf.card(id)), 'card')
  if (card === undefined || card.tries_left === triesMax) return
  const tries_left = Math.min(triesMax, card.tries_left + count)
  books.append({ kind: 'card_changed', card: id, tries_left }, markOf(by, now))
}

type Choice = { readonly account?: string | undefined; readonly account_type?: AccountType | undefined }

/** The account that a card is used for: the one that is named, else the usual one of a type, or of all. */
export function chosenOf(
  { accounts }: Card,
  { account: named, account_type: type }: Choice,
): CardAccount | undefined {
  if (named !== undefined) return accounts.find(({ account }) => account === named)
  const able = type === undefined ? accounts : accounts.filter((each) => each.type === type)
  return able.find((each) => each.default) ?? able[0]
}

/** The same as it is at this instant, if it may be used. */
export function accountOfCard(
  books: Books,
  by: Submission,
  card: Card,
  { currency, ...choice }: Choice & { readonly currency: string },
  now: Instant,
): Account | Refused {
  const chosen = chosenOf(card, choice)
  const account = chosen && touch(books, by, chosen.account, now)
  if (account === undefined) return refuse('account_not_allowed')
  if (account.state === 'closed') return refuse('account_closed')
  return account.currency === currency ? account : refuse('currency_mismatch')
}

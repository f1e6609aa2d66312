/** Cards: which accounts somebody may use at a terminal, and what stands for the PIN. Neither PAN nor PIN is here. */
import type { AccountNumber } from './account.ts'
import type { Day, Limits, Used } from './limits.ts'
import type { Instant } from './money.ts'

/** `card_` and 32 hex digits: a keyed digest of the PAN, so that the one who has the key finds it by the PAN. */
export type CardId = string

export type CardStatus = 'active' | 'blocked' | 'lost' | 'stolen'

export type AccountType = 'checking' | 'savings' | 'credit'

export type CardAccount = {
  readonly account: AccountNumber
  readonly type: AccountType
  readonly default: boolean
}

/** `always`: no operation without the PIN. `if_present`: a PIN is judged where there is one. */
export type PinPolicy = 'always' | 'if_present'

export type Card = {
  readonly kind: 'card'
  readonly id: CardId
  readonly last4: string
  /** YYMM: good through the last day of that month, in the bank's zone. */
  readonly expiry: string
  readonly status: CardStatus
  readonly accounts: readonly CardAccount[]
  /** What an entered PIN is compared with. */
  readonly pin?: string
  readonly pin_policy: PinPolicy
  readonly tries_left: number
  /** Of one withdrawal, and of a business day over all terminals. */
  readonly limits?: Limits
  readonly used?: Used
  readonly at: Instant
}

/** How many wrong PINs in a row lock it. */
export const triesMax = 3

/** Whether a card's last month is over on a business day. */
export function isExpired({ expiry }: Card, day: Day): boolean {
  return `${day.slice(2, 4)}${day.slice(5, 7)}` > expiry
}

/** The status on a business day: one that is active no longer than its last month is `expired`. */
export function statusOn(card: Card, day: Day): CardStatus | 'expired' {
  return card.status === 'active' && isExpired(card, day) ? 'expired' : card.status
}

export function isCardId(text: string): text is CardId {
  return /^card_[0-9a-f]{32}$/.test(text)
}

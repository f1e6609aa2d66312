/** Whose money a withdrawal is about, how much of it they were debited, and what a word on the rest would post. */
import type { Exception, TerminalWithdrawal, Tombstone } from '../../../../client/types.ts'
import type { Words } from '../messages/exception-settle.en.ts'
import { moneyText } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'

export type Withdrawal = TerminalWithdrawal | Tombstone

export type Claim = {
  readonly account: string
  readonly terminal: string
  readonly currency: string
  /** What was asked for. Minor units. */
  readonly amount: number
  /** What the customer is debited by until now. Minor units. */
  readonly debited: number
  /** Its money is in transit. */
  readonly isOpen: boolean
  /** The machine says that more left than was asked for: then more may be said. */
  readonly mayExceed: boolean
}

export function isTombstone(withdrawal: Withdrawal): withdrawal is Tombstone {
  return 'tombstone' in withdrawal
}

/** Its money is in transit and its notes are reserved. */
export function isOpen({ state }: Withdrawal): boolean {
  return state === 'authorized' || state === 'dispensing' || state === 'suspect'
}

/** While nobody knows what left, the customer is debited all of it. */
export function debitedOf(withdrawal: Withdrawal): number {
  if (isTombstone(withdrawal)) return 0
  return isOpen(withdrawal) ? withdrawal.amount : (withdrawal.dispensed ?? 0)
}

/** What an exception says of a customer's money; undefined where no customer is known, so that there is only a reason to give. */
export function claimOf(exception: Exception, withdrawal: Withdrawal | undefined): Claim | undefined {
  const { account, terminal, currency, type } = exception
  if (withdrawal === undefined || account === null || withdrawal.state === 'declined') return undefined
  return {
    account,
    terminal,
    currency,
    amount: isTombstone(withdrawal) ? exception.amount : withdrawal.amount,
    debited: debitedOf(withdrawal),
    isOpen: isOpen(withdrawal),
    mayExceed: type === 'over_dispensed',
  }
}

/** What will be so when somebody has said that so much left: a sentence for each movement, and what that leaves. */
export function consequencesOf(claim: Claim, dispensed: number, words: Words): string[] {
  const { account, currency, debited } = claim
  const of = (minor: number) => ({
    amount: moneyText(minor, currency),
    account: isolated(account),
    terminal: isolated(claim.terminal),
  })
  const say = words.posted
  const moves = claim.isOpen
    ? [
        ...some(Math.min(dispensed, debited), (minor) => say.paid(of(minor))),
        ...some(debited - dispensed, (minor) => say.back(of(minor))),
        ...some(dispensed - debited, (minor) => say.more(of(minor))),
      ]
    : [
        ...some(dispensed - debited, (minor) => say.taken(of(minor))),
        ...some(debited - dispensed, (minor) => say.given(of(minor))),
      ]
  return [...moves, dispensed === 0 ? say.endsWithNone(of(0)) : say.ends(of(dispensed))]
}

function some(minor: number, sentence: (minor: number) => string): string[] {
  return minor > 0 ? [sentence(minor)] : []
}

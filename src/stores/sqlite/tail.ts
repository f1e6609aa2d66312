/**
 * The accounts as the latest replies left them, until the index has come beyond those replies: what makes a read
 * see every write that has been answered. Two layers, so that it is emptied without looking at each account.
 */
import type { Account, AccountNumber } from '../../ledger/account.ts'

// Few enough to stay small, many enough that a layer is not begun anew at every turn of the index.
const accountsMax = 10_000

export class Tail {
  #young = new Map<AccountNumber, Account>()
  #old = new Map<AccountNumber, Account>()
  /** Sequence of the last record that the old layer knows. */
  #oldLast = 0

  get(number: AccountNumber): Account | undefined {
    return this.#young.get(number) ?? this.#old.get(number)
  }

  /** Takes an account as a commit left it. */
  put(account: Account): void {
    this.#young.set(account.number, account)
  }

  /** After a commit up to record `last`, with the index at `indexed`: lets go of what the index has. */
  turn({ last, indexed }: { last: number; indexed: number }): void {
    if (indexed >= last) this.clear()
    if (this.#young.size < accountsMax || indexed < this.#oldLast) return
    this.#old = this.#young
    this.#oldLast = last
    this.#young = new Map()
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}

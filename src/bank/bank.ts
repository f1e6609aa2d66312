/** The bank: what every interface calls. It knows commands and replies, and neither HTTP nor SQL. */
import type { Account, AccountNumber } from '../ledger/account.ts'
import type { Outcome, Submission } from '../ledger/command.ts'
import type { Clock } from './clock.ts'
import { Queue, type QueueOptions, queueDefaults } from './queue.ts'
import type { AccountList, Store } from './store.ts'

export class Bank {
  readonly #store: Store
  readonly #queue: Queue

  constructor(store: Store, clock: Clock, options: Partial<QueueOptions> = {}) {
    this.#store = store
    this.#queue = new Queue(store, clock, { ...queueDefaults, ...options })
  }

  /** Decides a command, exactly once if it has a key, and answers when that is on disk. */
  submit(submission: Submission): Promise<Outcome> {
    return this.#queue.submit(submission)
  }

  account(number: AccountNumber): Promise<Account | undefined> {
    return this.#store.account(number)
  }

  accounts(page: { after?: AccountNumber; limit?: number }): Promise<AccountList> {
    return this.#store.accounts(page)
  }

  /** Whether commands are accepted now. */
  get writable(): boolean {
    return this.#store.shut === undefined
  }

  /** How many commands wait or are being committed. */
  get queueLength(): number {
    return this.#queue.length
  }

  /** Waits for what was accepted. The store stays open: it is closed by whoever opened it. */
  drain(): Promise<void> {
    return this.#queue.idle()
  }
}

/**
 * Accounts that somebody else has locked for longer than a commit takes: their commands wait here, each account's in a
 * line of its own, over connections of their own, so that all others go on.
 *
 *   in line ──(a connection is free)──▶ waiting for the lock ──▶ answered
 *      └──────────────(deadline passes)──────────────▶ account_busy
 */

import { systemClock } from '../../bank/clock.ts'
import { type Pending, StoreError } from '../../bank/store.ts'
import type { AccountNumber } from '../../ledger/account.ts'
import type { Outcome } from '../../ledger/command.ts'
import { stillBlocked, type Writer } from './writer.ts'

const writersMax = 4

type Waiting = {
  readonly pending: Pending
  resolve(outcome: Outcome): void
  reject(error: unknown): void
}

export class Blocked {
  readonly #newWriter: () => Writer
  readonly #lines = new Map<AccountNumber, Waiting[]>()
  readonly #idle: Writer[] = []
  #writers = 0
  readonly #onWriter: ((writer: Writer) => void)[] = []

  constructor(newWriter: () => Writer) {
    this.#newWriter = newWriter
  }

  /** How many accounts have a line. */
  get size(): number {
    return this.#lines.size
  }

  /** Whether an account has a line, which later commands join. */
  has(account: AccountNumber): boolean {
    return this.#lines.has(account)
  }

  /** Puts a command in the line of an account; its outcome comes when its turn has. */
  join(account: AccountNumber, pending: Pending): Promise<Outcome> {
    return new Promise((resolve, reject) => this.#enter(account, { pending, resolve, reject }))
  }

  #enter(account: AccountNumber, waiting: Waiting): void {
    const line = this.#lines.get(account)
    if (line !== undefined) {
      line.push(waiting)
      return
    }
    this.#lines.set(account, [waiting])
    void this.#run(account)
  }

  /** One batch after the other, until nobody waits for the account any more. */
  async #run(account: AccountNumber): Promise<void> {
    const line = this.#lines.get(account) ?? []
    while (line.length > 0) {
      const refuse = setTimeout(() => refuseLate(line), untilFirst(line))
      const writer = await this.#take()
      clearTimeout(refuse)
      const batch = line.splice(0)
      if (batch.length > 0) await this.#commit(writer, account, batch)
      this.#give(writer)
    }
    this.#lines.delete(account)
  }

  async #commit(writer: Writer, account: AccountNumber, batch: readonly Waiting[]): Promise<void> {
    const line = this.#lines.get(account) ?? []
    try {
      const pending = batch.map(({ pending }) => pending)
      const { outcomes, blocked } = await writer.commitLine(pending, account)
      for (const [at, waiting] of batch.entries()) {
        // The other side of a transfer may be locked as well: there it waits next.
        const other = blocked.get(at)
        if (other !== undefined) this.#enter(other, waiting)
        else waiting.resolve(outcomes[at] ?? stillBlocked)
      }
    } catch (error) {
      if (error instanceof StoreError && error.code === 'busy') {
        // Nothing was applied: those whose time is up are refused, the others try again.
        line.unshift(...batch)
        refuseLate(line)
      } else if (error instanceof StoreError && error.code === 'failed' && batch.length > 1) {
        // Something in the batch made it fail: only the culprit gets the error.
        for (const waiting of batch) await this.#commit(writer, account, [waiting])
      } else for (const { reject } of batch) reject(error)
    }
  }

  async #take(): Promise<Writer> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    if (this.#writers === writersMax) return new Promise((resolve) => this.#onWriter.push(resolve))
    this.#writers += 1
    return this.#newWriter()
  }

  #give(writer: Writer): void {
    const next = this.#onWriter.shift()
    if (next !== undefined) next(writer)
    else this.#idle.push(writer)
  }

  async close(): Promise<void> {
    for (const writer of this.#idle.splice(0)) await writer.close()
  }
}

function untilFirst(line: readonly Waiting[]): number {
  const first = Math.min(...line.map(({ pending }) => pending.deadlineMs))
  return Math.max(0, first - systemClock.monotonicMs())
}

function refuseLate(line: Waiting[]): void {
  const nowMs = systemClock.monotonicMs()
  const late = line.filter(({ pending }) => pending.deadlineMs <= nowMs)
  for (const waiting of late) {
    line.splice(line.indexOf(waiting), 1)
    waiting.resolve(stillBlocked)
  }
}

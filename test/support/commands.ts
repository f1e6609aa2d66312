/** Commands in one line, and what came of them in one word. */
import { systemClock } from '../../src/bank/clock.ts'
import type { Pending } from '../../src/bank/store.ts'
import type { Command, Outcome } from '../../src/ledger/command.ts'

export function deposit(account: string, amount: string, open = 'USD'): Command {
  return { type: 'deposit', account, amount, open }
}

export function withdraw(account: string, amount: string): Command {
  return { type: 'withdraw', account, amount }
}

/** A command on its way to a store, with time enough unless said otherwise. */
export function pending(command: Command, more: Partial<Pending> = {}): Pending {
  return { command, actor: '', deadlineMs: systemClock.monotonicMs() + 10_000, ...more }
}

/** The balance left, in minor units; the refusal; or how many accounts the books were opened with. */
export function gist({ reply }: Outcome): string | number {
  switch (reply.type) {
    case 'posted':
      return reply.ledger
    case 'refused':
      return reply.refusal
    case 'books_opened':
      return `opened ${reply.accounts.length}`
    case 'transferred':
      return reply.transfer.amount
    case 'hold':
      return reply.hold.state
    case 'account':
      return reply.account.state
    case 'proof_requested':
      return reply.type
    case 'registered':
      return reply.thing.kind
    case 'batch':
      return `${reply.results.length} results`
    default:
      return reply.type
  }
}

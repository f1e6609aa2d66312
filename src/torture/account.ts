/** One account as anybody outside may know it: what each answer means, and in which state it can be given. */
import type { Model } from './linearizable.ts'

/** Minor units throughout. `said` is what was answered; left out where nothing was, and so nothing is known. */
export type Op =
  | { readonly type: 'deposit'; readonly amount: number; readonly said?: Deposited }
  | { readonly type: 'withdraw'; readonly amount: number; readonly said?: Balance | Declined }
  | { readonly type: 'read'; readonly said: { readonly balance: number } | 'not_found' }

export type Declined = 'not_found' | 'insufficient'
export type Balance = { readonly balance?: number }
export type Deposited = Balance & { readonly created?: boolean }

/** The balance; null where there is no account yet. */
export type State = number | null

/** The rules: a deposit opens, a withdrawal takes all or nothing, nothing goes below zero. */
export const account: Model<State, Op> = {
  initial: null,
  step,
  keyOf: String,
  changesNothing: (op) => op.type === 'read' || typeof op.said === 'string',
}

function step(state: State, op: Op): State | undefined {
  switch (op.type) {
    case 'deposit':
      if (op.said?.created !== undefined && op.said.created !== (state === null)) return undefined
      return ifSaid((state ?? 0) + op.amount, op.said)
    case 'withdraw': {
      const declined = declineOf(state, op.amount)
      if (typeof op.said === 'string') return op.said === declined ? state : undefined
      if (declined !== undefined) return op.said === undefined ? state : undefined
      return ifSaid((state ?? 0) - op.amount, op.said)
    }
    case 'read':
      return (op.said === 'not_found' ? null : op.said.balance) === state ? state : undefined
  }
}

function declineOf(state: State, amount: number): Declined | undefined {
  if (state === null) return 'not_found'
  return state < amount ? 'insufficient' : undefined
}

function ifSaid(balance: number, said: Balance | undefined): State | undefined {
  return said?.balance === undefined || said.balance === balance ? balance : undefined
}

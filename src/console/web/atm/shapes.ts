/** What the routes of terminals answer, as far as this page reads it. */

export type Unit = {
  readonly id: string
  readonly type: 'cash_out' | 'cash_in' | 'reject' | 'retract'
  readonly value?: number
  readonly count: number
}

export type Terminal = {
  readonly id: string
  readonly name: string
  readonly currency: string
  readonly state: 'in_service' | 'out_of_service' | 'exchange'
  readonly cash: number
  readonly transit: { readonly uncertain: number; readonly unconfirmed: number }
  readonly units: readonly Unit[]
}

export type Balance = { readonly ledger: number; readonly available: number }

export type Withdrawal = {
  readonly id: string
  readonly state: string
  readonly card: string | null
  readonly amount: number
  readonly units: Readonly<Record<string, number>>
  readonly dispensed: number | null
  readonly authorization_code: string | null
  readonly balance: Balance | null
  readonly transfers: readonly string[]
  readonly exception: string | null
}

export type Inquiry = Balance & { readonly account: string; readonly entries?: readonly Entry[] }

export type Entry = {
  readonly direction: 'debit' | 'credit'
  readonly amount: number
  readonly balance_after: number | null
  readonly kind: string
  readonly created_at: string
}

export type Deposit = {
  readonly id: string
  readonly amount: number
  readonly balance?: Balance
  readonly transfers: readonly string[]
}

export type TerminalTransfer = {
  readonly id: string
  readonly transfer: string
  readonly balance: Balance | null
}

export type Exception = {
  readonly id: string
  readonly state: 'open' | 'resolved'
  readonly resolution: { readonly dispensed: number | null; readonly transfers: readonly string[] } | null
}

/** A transfer of the books, with what it left of the customers' and the terminal's accounts. */
export type Transfer = {
  readonly id: string
  readonly kind: string
  readonly debit_account: string
  readonly credit_account: string
  readonly amount: number
  readonly balances: readonly { readonly account: string; readonly ledger: number }[]
}

export type Problem = {
  readonly code: string
  readonly title: string
  readonly tries_left?: number
  readonly nearest?: { readonly below: number | null; readonly above: number | null }
  readonly scope?: string
  readonly limit?: number | object
  readonly remaining?: number
}

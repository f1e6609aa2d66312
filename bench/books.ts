/** That a measured server did what it said: its accounts add up to what was answered, and its journal proves them. */
import assert from 'node:assert'
import { sha256 } from '../src/bank/batch.ts'
import { Verifier } from '../src/ledger/verify.ts'
import { SqliteStore } from '../src/stores/sqlite/store.ts'
import { storePath } from './fill.ts'

export type Sum = { readonly accounts: number; readonly minor: number }

/** All accounts of a running server and what they hold together, from `GET /accounts`. */
export async function readSum(url: string): Promise<Sum> {
  const response = await fetch(`${url}/accounts`, { signal: AbortSignal.timeout(60_000) })
  assert(response.ok, `GET /accounts answered ${response.status}`)
  const list = (await response.json()) as { accounts: { balance: number }[]; total_accounts: number }
  assert(list.accounts.length === list.total_accounts, 'GET /accounts must list all accounts')
  const minor = list.accounts.reduce((sum, { balance }) => sum + Math.round(balance * 100), 0)
  return { accounts: list.total_accounts, minor }
}

/** Throws where the books moved by anything else than the withdrawals of 1.00 that were answered. */
export function checkMoved(
  before: Sum,
  after: Sum,
  { answered, cutOff }: { answered: number; cutOff: number },
): void {
  assert(before.accounts === after.accounts, `there were ${before.accounts} accounts, now ${after.accounts}`)
  const paid = (before.minor - after.minor) / 100
  // A generator that stops hangs up on what is under way, so that many may be paid and not counted.
  assert(
    paid >= answered && paid <= answered + cutOff,
    `${answered} withdrawals were answered with 200 and at most ${cutOff} cut off, but the books paid ${paid}`,
  )
}

/** Proves the journal of a store that is stopped. Gives its number of records. */
export async function proveStore(directory: string, sum: Sum): Promise<number> {
  const store = await SqliteStore.open({ path: storePath(directory) })
  const verifier = new Verifier({ sha256 })
  for await (const { block, lines } of store.journal()) {
    const fault = verifier.check(block, lines)
    assert(fault === undefined, `the books do not prove: ${JSON.stringify(fault)}`)
  }
  await store.close()
  const proven = verifier.finish()
  if ('what' in proven) throw new Error(`the books do not prove: ${proven.what}`)
  const customers = proven.sums.find(({ currency }) => currency === 'USD')?.customers
  assert(proven.accounts === sum.accounts, `the journal has ${proven.accounts} accounts, not ${sum.accounts}`)
  assert(customers === BigInt(sum.minor), `the journal sums to ${customers}, GET /accounts to ${sum.minor}`)
  return proven.records
}

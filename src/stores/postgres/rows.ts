/** Rows as the pages of the books they are, and ids as the two numbers that find them. */
import { type Account, plainAccount } from '../../ledger/account.ts'
import { idOf, isRecordId, type RecordId } from '../../ledger/command.ts'
import type { Line } from '../../ledger/record.ts'

/** The place of a record among its writer's. */
export type Spot = { readonly writer: number; readonly sequence: number }

export type AccountRow = Pick<
  Account,
  'number' | 'currency' | 'ledger' | 'held' | 'version' | 'at' | 'state'
> & { readonly clock: number; readonly more: string | null }

export const accountColumns = 'number, currency, ledger, held, version, at, clock, state, more'
export const lineColumns = 'r.writer, r.sequence, r.at, r.kind, r.actor, r.scope, r.body'

export type LineRow = Line & Spot

export function accountOf({ number, currency, at, clock: _, state, more, ...after }: AccountRow): Account {
  const account = { ...plainAccount({ number, currency, after, at }), state }
  return more === null ? account : { ...account, ...JSON.parse(more) }
}

/** What the columns do not have of an account; null for one that is plain and counts nothing. */
export function moreOf(account: Account): string | null {
  const { overdraft_limit, minimum_balance, limits, used, holds, metadata } = account
  const more = {
    ...(overdraft_limit !== 0 && { overdraft_limit }),
    ...(minimum_balance !== 0 && { minimum_balance }),
    ...(limits && { limits }),
    ...(used && { used }),
    ...(holds.length > 0 && { holds }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  }
  return Object.keys(more).length > 0 ? JSON.stringify(more) : null
}

/** Undefined for a text that is no id: there is no such record. */
export function spotOf(id: RecordId): Spot | undefined {
  if (!isRecordId(id)) return undefined
  const [writer, sequence] = id.split('-').map(Number)
  return writer === undefined || sequence === undefined || writer > 0x7fff_ffff
    ? undefined
    : { writer, sequence }
}

export function idAt({ writer, sequence }: Spot): RecordId {
  return idOf(sequence, writer)
}

/** Spots as two arrays, for `unnest`. */
export function columnsOf(spots: readonly Spot[]): [number[], number[]] {
  return [spots.map(({ writer }) => writer), spots.map(({ sequence }) => sequence)]
}

export function lineOf({ sequence, at, kind, actor, scope, body }: LineRow): Line {
  return { sequence, at, kind, actor, scope, body }
}

/** Records as events, in the envelope of CloudEvents 1.0, with the balances as of the event. */
import type { PlacedRecord } from '../../bank/bank.ts'
import { isAtm } from '../../ledger/atm-records.ts'
import { posted } from '../../ledger/books.ts'
import type { RecordId } from '../../ledger/command.ts'
import { tellAtm } from './event-atm.ts'
import type { EventType } from './event-types.ts'
import { balanceAfter, transferBody } from './render.ts'
import { timeOf } from './time.ts'

export type Told = { readonly type: EventType; readonly subject: string; readonly data: object }

/** An event as the text it is sent as. */
export type Event = {
  readonly id: RecordId
  readonly place: number
  readonly type: EventType
  readonly text: string
}

/** The same as a server-sent event. */
export function writeEvent({ id, type, text }: Event): string {
  return `id: ${id}\nevent: ${type}\ndata: ${text}\n\n`
}

/** What a record tells those outside; undefined where it is only for the server, as the replies of keys are. */
export function eventOf(record: PlacedRecord): Event | undefined {
  const told = tell(record)
  if (told === undefined) return undefined
  const { id, place, at } = record
  const { type, subject, data } = told
  const text = JSON.stringify({
    specversion: '1.0',
    id,
    source: 'cashpoint',
    type,
    time: timeOf(at),
    subject,
    datacontenttype: 'application/json',
    data,
  })
  return { id, place, type, text }
}

function tell({ content, id, at }: PlacedRecord): Told | undefined {
  switch (content.kind) {
    case 'account_opened': {
      const { account, currency, overdraft_limit = 0, minimum_balance = 0, metadata = {}, after } = content
      const data = { account, currency, overdraft_limit, minimum_balance, metadata }
      const balances = balanceAfter(account, after)
      return { type: 'cashpoint.account.opened', subject: accountAt(account), data: { ...data, balances } }
    }
    case 'account_changed': {
      const { account, state, reason, after } = content
      const data = { account, state, reason, balances: balanceAfter(account, after) }
      return { type: 'cashpoint.account.changed', subject: accountAt(account), data }
    }
    case 'limits_set': {
      const { account, limits, after } = content
      const data = { account, limits, balances: balanceAfter(account, after) }
      return { type: 'cashpoint.account.limits_set', subject: accountAt(account), data }
    }
    case 'transfer': {
      const data = transferBody(posted(content, id, at))
      return { type: 'cashpoint.transfer.posted', subject: `/v1/transfers/${id}`, data }
    }
    case 'hold_placed': {
      const { account, amount, currency, expires_at, reference = null, metadata = {}, after } = content
      const words = { reference, metadata }
      const data = { hold: id, account, amount, currency, expires_at: timeOf(expires_at), ...words }
      const balances = balanceAfter(account, after)
      return { type: 'cashpoint.hold.placed', subject: `/v1/holds/${id}`, data: { ...data, balances } }
    }
    case 'hold_resolved': {
      const { hold, account, state, forced = false, after } = content
      const data = { hold, account, state, forced, balances: balanceAfter(account, after) }
      return { type: `cashpoint.hold.${state}`, subject: `/v1/holds/${hold}`, data }
    }
    default:
      return isAtm(content) ? tellAtm(content) : undefined
  }
}

function accountAt(number: string): string {
  return `/v1/accounts/${number}`
}

/**
 * 0520: the machine's totals. It closes the batch, always, also where the books say otherwise. 0500 asks for the host's
 * of the batch that is open, and closes nothing.
 */
import type { CloseBatch } from '../../ledger/atm-commands.ts'
import type { Day } from '../../ledger/limits.ts'
import { type Batch, type BatchTotals, netOf, type OpenBatch, offBalance } from '../../ledger/terminal.ts'
import { approved } from '../answer-codes.ts'
import { currencyOf, numberOf } from '../currency.ts'
import { type Answered, type Ask, type Desk, monthAndDay, no, submit } from '../desk.ts'
import type { Message } from '../message/index.ts'
import { amountIn } from '../request.ts'

/** Credits are what customers paid in; a reversal is named by its own effect, so that of a withdrawal is a credit. */
const fieldsOf = {
  deposits: [74, 86],
  withdrawal_reversals: [75, 87],
  withdrawals: [76, 88],
  deposit_reversals: [77, 89],
} as const

type Name = keyof typeof fieldsOf
const names = Object.keys(fieldsOf) as Name[]

/** What a batch has come to. */
type Report = Pick<Batch, Name | 'net' | 'business_date'>

export async function reconcile(desk: Desk, ask: Ask): Promise<Answered> {
  const { terminal, fields, stamp, again, terminalNow } = ask
  const totals = totalsIn(fields)
  const close = (batch: number): CloseBatch => ({
    type: 'close_batch',
    terminal,
    batch,
    ...(Object.keys(totals).length > 0 && { totals }),
    ...(fields[50] !== undefined && { currency: currencyOf(fields[50]) ?? fields[50] }),
    stamp,
    again,
  })
  let { reply } = await submit(desk, close(terminalNow.batch.batch))
  // Somebody else closed that one just now.
  if (reply.type === 'refused' && reply.refusal === 'batch_not_open')
    reply = (await submit(desk, close(Number(reply.about?.['batch'])))).reply
  if (reply.type === 'refused') return no(desk, reply)
  if (reply.type !== 'entity' || reply.entity.kind !== 'batch')
    throw new Error(`a close was answered with ${reply.type}`)
  return compared(ask, totals, reply.entity)
}

/** The totals of the batch that is open, as they are now. */
export async function tell(desk: Desk, ask: Ask): Promise<Answered> {
  const { fields, terminalNow, now } = ask
  const totals = totalsIn(fields)
  const told = compared(ask, totals, soFar(terminalNow.batch, desk.dayOf(now)))
  // Whoever counted nothing asks what there is: that is neither in balance nor out of it.
  const isUnknown = Object.keys(totals).length === 0 && told[66] === '1'
  return isUnknown ? { ...told, 66: '0' } : told
}

function soFar(batch: OpenBatch, today: Day): Report {
  return { ...batch, net: netOf(batch), business_date: batch.business_date ?? today }
}

/** What the machine counted beside what the books say. */
function compared({ fields, terminalNow }: Ask, totals: BatchTotals, report: Report): Answered {
  const { currency } = terminalNow
  const isOther = fields[50] !== undefined && currencyOf(fields[50]) !== currency
  const isOff = isOther || offBalance(totals, report) !== undefined
  return {
    39: approved,
    66: isOff ? '2' : '1',
    15: monthAndDay(report.business_date),
    50: numberOf(currency),
    ...totalsOf(report),
  }
}

export function totalsIn(fields: Message['fields']): BatchTotals {
  const sums = names.flatMap((name) => {
    const [count, amount] = fieldsOf[name].map((number) => amountIn(fields[number]?.replace(/^0+(?=.)/, '')))
    const sum = { ...(count !== undefined && { count }), ...(amount !== undefined && { amount }) }
    return Object.keys(sum).length > 0 ? [[name, sum]] : []
  })
  const net = /^([CD])0*([0-9]{1,15})$/.exec(fields[97] ?? '')
  return {
    ...Object.fromEntries(sums),
    ...(net && { net: net[1] === 'D' ? 0 - Number(net[2]) : Number(net[2]) }),
  }
}

/** The host's own totals, whatever the machine's are. */
function totalsOf(report: Report): Record<number, string> {
  const sums = names.flatMap((name) => {
    const { count, amount } = report[name]
    const [number, worth] = fieldsOf[name]
    return [
      [number, String(count).padStart(10, '0')],
      [worth, String(amount).padStart(16, '0')],
    ]
  })
  const net = `${report.net < 0 ? 'D' : 'C'}${String(Math.abs(report.net)).padStart(16, '0')}`
  return { ...Object.fromEntries(sums), 97: net }
}

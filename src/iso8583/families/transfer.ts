/** 0200 with 40: money from an account of the card to any other, by their numbers in 102 and 103, or by what kind they are. */
import type { TerminalTransfer } from '../../ledger/atm-commands.ts'
import { isoId } from '../../ledger/trace.ts'
import { formatError, invalidAmount, invalidTransaction } from '../answer-codes.ts'
import {
  type Answered,
  type Ask,
  currencyIn,
  type Desk,
  doneAs,
  holderOf,
  no,
  operate,
  refused,
} from '../desk.ts'
import { accountIn, accountTypesIn, amountIn } from '../request.ts'

export async function transfer(desk: Desk, ask: Ask): Promise<Answered> {
  const { terminal, fields, stamp, again, terminalNow } = ask
  const amount = amountIn(fields[4]) ?? 0
  if (amount === 0) return refused(invalidAmount)
  const currency = currencyIn(ask)
  if (currency === undefined) return refused(invalidTransaction)
  const { account: from } = accountIn(fields[102])
  const { account: to } = accountIn(fields[103])
  const types = accountTypesIn(fields[3])
  if (to === undefined && types.to === undefined) return refused(formatError)
  const holder = holderOf(desk, ask)
  if (!('pan' in holder)) return holder
  const { pan, pin } = holder
  const command: TerminalTransfer = {
    type: 'terminal_transfer',
    terminal,
    id: isoId(terminalNow.batch.batch, stamp, ask.received),
    pan,
    ...(from !== undefined && { from }),
    ...(types.from !== undefined && { from_type: types.from }),
    ...(to !== undefined && { to }),
    ...(types.to !== undefined && { to_type: types.to }),
    amount,
    currency,
    stamp,
    again,
  }
  const done = await operate(desk, command, pin && { pin })
  if ('refusal' in done) return no(desk, done, { pan, ...(from !== undefined && { account: from }) })
  return doneAs(desk, ask, done, pan)
}

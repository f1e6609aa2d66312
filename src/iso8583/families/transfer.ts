/** 0200 with 40: money from an account of the card to any other, by their numbers in 102 and 103, or by what kind they are. */
import type { TerminalTransfer } from '../../ledger/atm-commands.ts'
import { formatError } from '../answer-codes.ts'
import {
  type Answered,
  type Ask,
  type Desk,
  doneAs,
  holderOf,
  moneyIn,
  no,
  numbered,
  operate,
  refused,
} from '../desk.ts'
import { accountIn, accountTypesIn } from '../request.ts'

export async function transfer(desk: Desk, ask: Ask): Promise<Answered> {
  const { fields } = ask
  const money = moneyIn(ask)
  if ('39' in money) return money
  const { account: from } = accountIn(fields[102])
  const { account: to } = accountIn(fields[103])
  const types = accountTypesIn(fields[3])
  if (to === undefined && types.to === undefined) return refused(formatError)
  const holder = holderOf(desk, ask)
  if (!('pan' in holder)) return holder
  const { pan, pin } = holder
  const command: TerminalTransfer = {
    type: 'terminal_transfer',
    ...numbered(ask),
    pan,
    ...(from !== undefined && { from }),
    ...(types.from !== undefined && { from_type: types.from }),
    ...(to !== undefined && { to }),
    ...(types.to !== undefined && { to_type: types.to }),
    ...money,
  }
  const done = await operate(desk, command, pin && { pin })
  if ('refusal' in done) return no(desk, done, { pan, ...(from !== undefined && { account: from }) })
  return doneAs(desk, ask, done, pan)
}

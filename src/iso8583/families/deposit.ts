/** 0200 with 21: notes that the machine has counted. Where it does not say which, they are one bundle of that worth. */

import type { TerminalDeposit } from '../../ledger/atm-commands.ts'
import { type Notes, valueOfNotes } from '../../ledger/terminal.ts'
import { isoId } from '../../ledger/trace.ts'
import type { Operation } from '../../ledger/withdrawal.ts'
import { approved, formatError, invalidAmount, invalidTransaction } from '../answer-codes.ts'
import { currencyOf } from '../currency.ts'
import {
  type Answered,
  type Ask,
  balancesOf,
  type Desk,
  type Holder,
  holderOf,
  no,
  refused,
  settlementDay,
  submit,
} from '../desk.ts'
import { accountIn, amountIn, countsIn } from '../request.ts'

// A bundle is counted as a note of its worth, and notes are worth eight digits at the most.
const bundleMax = 99_999_999

export async function deposit(desk: Desk, ask: Ask): Promise<Answered> {
  const { terminal, fields, stamp, again, terminalNow } = ask
  const notes = notesOf(ask)
  if (notes === undefined) return refused(invalidAmount)
  const currency = fields[49] === undefined ? terminalNow.currency : currencyOf(fields[49])
  if (currency === undefined) return refused(invalidTransaction)
  const account = accountIn(fields[103] ?? fields[102])
  const hasCard = fields[2] !== undefined || fields[35] !== undefined
  if (!hasCard && account.account === undefined) return refused(formatError)
  const holder: Partial<Holder> | Answered = hasCard ? holderOf(desk, ask) : {}
  if ('39' in holder) return holder as Answered
  const { pan, pin } = holder as Partial<Holder>
  const command: TerminalDeposit = {
    type: 'terminal_deposit',
    terminal,
    id: isoId(terminalNow.batch.batch, stamp, ask.received),
    ...account,
    ...(pan && { pan }),
    currency,
    notes,
    stamp,
    again,
  }
  const { reply } = await submit(desk, command, pin && { pin })
  if (reply.type === 'refused') return no(desk, reply)
  if (reply.type !== 'entity' || reply.entity.kind !== 'operation')
    throw new Error(`a deposit was answered with ${reply.type}`)
  return deposited(desk, ask, { operation: reply.entity, ...(pan && { cards: pan }), currency })
}

function notesOf({ fields }: Ask): Notes | undefined {
  const amount = amountIn(fields[4]) ?? 0
  const text = (fields[48] ?? '').trim()
  if (text === '') return amount > 0 && amount <= bundleMax ? { [amount]: 1 } : undefined
  const notes = countsIn(text)
  if (notes === undefined || !Object.keys(notes).every((value) => /^[1-9][0-9]{0,7}$/.test(value)))
    return undefined
  return amount > 0 && valueOfNotes(notes) === amount ? notes : undefined
}

async function deposited(
  desk: Desk,
  ask: Ask,
  { operation, ...of }: { operation: Operation; cards?: readonly string[]; currency: string },
): Promise<Answered> {
  const { balance, account, rrn, batch, transfers } = operation
  // The posting's own number: a deposit has no other.
  const code = (transfers[0] ?? '').replace(/\D/g, '').slice(-6).padStart(6, '0')
  return {
    39: approved,
    ...(ask.fields[37] === undefined && rrn !== undefined && { 37: rrn }),
    38: code,
    ...(await settlementDay(desk, ask, batch)),
    ...(balance && (await balancesOf(desk, balance, { account, ...of }))),
  }
}

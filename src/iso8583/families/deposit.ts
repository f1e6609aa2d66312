/** 0200 with 21: notes that the machine has counted. Where it does not say which, they are one bundle of that worth. */

import type { TerminalDeposit } from '../../ledger/atm-commands.ts'
import { type Notes, valueOfNotes } from '../../ledger/terminal.ts'
import { formatError, invalidAmount, invalidTransaction } from '../answer-codes.ts'
import {
  type Answered,
  type Ask,
  currencyIn,
  type Desk,
  doneAs,
  type Holder,
  holderOf,
  no,
  numbered,
  operate,
  refused,
} from '../desk.ts'
import { accountIn, amountIn, countsIn } from '../request.ts'

// A bundle is counted as a note of its worth, and notes are worth eight digits at the most.
const bundleMax = 99_999_999

export async function deposit(desk: Desk, ask: Ask): Promise<Answered> {
  const { fields } = ask
  const notes = notesOf(ask)
  if (notes === undefined) return refused(invalidAmount)
  const currency = currencyIn(ask)
  if (currency === undefined) return refused(invalidTransaction)
  const account = accountIn(fields[103] ?? fields[102])
  const hasCard = fields[2] !== undefined || fields[35] !== undefined
  if (!hasCard && account.account === undefined) return refused(formatError)
  const holder: Partial<Holder> | Answered = hasCard ? holderOf(desk, ask) : {}
  if ('39' in holder) return holder as Answered
  const { pan, pin } = holder as Partial<Holder>
  const command: TerminalDeposit = {
    type: 'terminal_deposit',
    ...numbered(ask),
    ...account,
    ...(pan && { pan }),
    currency,
    notes,
  }
  const done = await operate(desk, command, pin && { pin })
  return 'refusal' in done ? no(desk, done) : doneAs(desk, ask, done, pan)
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

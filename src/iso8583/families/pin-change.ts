/** 0200 with 92: a new PIN in 62, by the one in 52 or 123. */
import type { ChangePin } from '../../ledger/atm-commands.ts'
import {
  type Answered,
  type Ask,
  type Desk,
  doneAs,
  holderOf,
  newPinOf,
  no,
  numbered,
  operate,
} from '../desk.ts'

export async function changePin(desk: Desk, ask: Ask): Promise<Answered> {
  const holder = holderOf(desk, ask)
  if (!('pan' in holder)) return holder
  const { pan, pin } = holder
  const command: ChangePin = { type: 'change_pin', ...numbered(ask), pan }
  const done = await operate(desk, command, { ...(pin && { pin }), ...newPinOf(desk, ask, pan) })
  return 'refusal' in done ? no(desk, done) : doneAs(desk, ask, done)
}

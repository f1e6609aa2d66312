/** 0100 and 0200 with 30 or 31: the balance of a card's account. */
import type { Inquire } from '../../ledger/atm-commands.ts'
import type { Key } from '../../ledger/command.ts'
import { approved } from '../answer-codes.ts'
import { type Answered, type Ask, balancesOf, type Desk, holderOf, no, submit } from '../desk.ts'
import { accountIn, accountTypeIn } from '../request.ts'

export async function inquire(desk: Desk, ask: Ask): Promise<Answered> {
  const { terminal, fields } = ask
  const holder = holderOf(desk, ask)
  if (!('pan' in holder)) return holder
  const { pan, pin } = holder
  const account = accountIn(fields[102])
  const type = accountTypeIn(fields[3])
  const command: Inquire = { type: 'inquire', terminal, pan, of: 'balance', ...account, ...type }
  const { reply } = await submit(desk, command, { ...keyOf(ask), ...(pin && { pin }) })
  if (reply.type === 'refused') return no(desk, reply, { pan, ...account })
  if (reply.type !== 'inquired') throw new Error(`an inquiry was answered with ${reply.type}`)
  const { currency, account: number } = reply
  return {
    39: approved,
    ...(await balancesOf(desk, reply, { currency, account: number, cards: pan })),
  }
}

/** A repeat has the same answer and costs no second try of a PIN; without a time it cannot be told from a new one. */
function keyOf({ message, terminal, stamp }: Ask): { readonly key?: Key } {
  const when = stamp.local ?? stamp.sent
  if (when === undefined) return {}
  return { key: { scope: `iso8583 ${terminal}`, key: `${message.mti.charAt(1)}-${stamp.stan}-${when}` } }
}

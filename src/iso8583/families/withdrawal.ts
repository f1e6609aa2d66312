/** 0200 with 01: cash. A yes takes the customer's money; silence afterwards is taken for a dispense. */

import type { Authorize } from '../../ledger/atm-commands.ts'
import type { Withdrawal } from '../../ledger/withdrawal.ts'
import { approved } from '../answer-codes.ts'
import {
  type Answered,
  type Ask,
  balancesOf,
  cardsOf,
  type Desk,
  holderOf,
  moneyIn,
  no,
  numbered,
  settlementDay,
  submit,
} from '../desk.ts'
import { accountIn, accountTypeIn } from '../request.ts'

export async function withdraw(desk: Desk, ask: Ask): Promise<Answered> {
  const { fields } = ask
  const money = moneyIn(ask)
  if ('39' in money) return money
  const holder = holderOf(desk, ask)
  if (!('pan' in holder)) return holder
  const { pin, ...card } = holder
  const account = accountIn(fields[102])
  const command: Authorize = {
    type: 'authorize',
    ...numbered(ask),
    ...card,
    ...money,
    ...account,
    ...accountTypeIn(fields[3]),
    confirmation: 'implicit',
  }
  const { reply } = await submit(desk, command, pin && { pin })
  if (reply.type === 'refused') return no(desk, reply, { pan: card.pan, ...account })
  if (reply.type !== 'entity' || reply.entity.kind !== 'withdrawal')
    throw new Error(`a withdrawal was answered with ${reply.type}`)
  return authorized(desk, ask, reply.entity)
}

/** As it was answered at first, whatever has become of it. */
async function authorized(desk: Desk, ask: Ask, withdrawal: Withdrawal): Promise<Answered> {
  const { code, about, balance, currency, account, card, batch, rrn, authorization_code } = withdrawal
  if (code !== undefined)
    return no(
      desk,
      { refusal: code, ...(about && { about }) },
      { ...cardsAs(card), ...(account && { account }) },
    )
  return {
    39: approved,
    ...(ask.fields[37] === undefined && rrn !== undefined && { 37: rrn }),
    38: authorization_code ?? '',
    ...(await settlementDay(desk, ask, batch)),
    ...(balance && (await balancesOf(desk, balance, { currency, account, ...cardsOf(card) }))),
  }
}

function cardsAs(card: string | undefined) {
  return card === undefined ? {} : { pan: [card] }
}

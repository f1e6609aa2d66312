/** 0100 and 0200 with 30 or 31: the balance of a card's account; 0200 with 38: its last movements as well. */
import type { Inquire, Inquired } from '../../ledger/atm-commands.ts'
import type { Key, PostedTransfer } from '../../ledger/command.ts'
import { approved } from '../answer-codes.ts'
import { numberOf } from '../currency.ts'
import { type Answered, type Ask, balancesOf, type Desk, holderOf, no, submit } from '../desk.ts'
import { accountIn, accountTypeIn, timeOf } from '../request.ts'

export async function inquire(desk: Desk, ask: Ask): Promise<Answered> {
  const { terminal, fields } = ask
  const holder = holderOf(desk, ask)
  if (!('pan' in holder)) return holder
  const { pan, pin } = holder
  const account = accountIn(fields[102])
  const type = accountTypeIn(fields[3])
  const of = fields[3]?.startsWith('38') ? 'statement' : 'balance'
  const command: Inquire = { type: 'inquire', terminal, pan, of, ...account, ...type }
  const { reply } = await submit(desk, command, { ...keyOf(ask), ...(pin && { pin }) })
  if (reply.type === 'refused') return no(desk, reply, { pan, ...account })
  if (reply.type !== 'inquired') throw new Error(`an inquiry was answered with ${reply.type}`)
  const { currency, account: number } = reply
  return {
    39: approved,
    ...(await balancesOf(desk, reply, { currency, account: number, cards: pan })),
    ...(of === 'statement' && { ...(await statementOf(desk, reply)), 49: numberOf(currency) }),
  }
}

/** A repeat has the same answer and costs no second try of a PIN; without a time it cannot be told from a new one. */
function keyOf({ message, terminal, stamp }: Ask): { readonly key?: Key } {
  const when = stamp.local ?? stamp.sent
  if (when === undefined) return {}
  return { key: { scope: `iso8583 ${terminal}`, key: `${message.mti.charAt(1)}-${stamp.stan}-${when}` } }
}

/** Field 48: the last movements, newest first; nothing where there are none, or twelve digits do not hold one. */
async function statementOf(
  { bank }: Desk,
  { account, version }: Inquired,
): Promise<{ readonly 48?: string }> {
  const entries = await bank.statement(account, version)
  const lines = entries.map(({ transfer }) => lineOf(account, transfer))
  const isWhole = lines.length > 0 && lines.every((line) => line.length === 21)
  return isWhole ? { 48: lines.join('') } : {}
}

/** `11231425C000000006000`: when in UTC, to the minute, and what the account was credited or debited. */
export function lineOf(
  account: string,
  { credit, amount, at }: Pick<PostedTransfer, 'credit' | 'amount' | 'at'>,
): string {
  return `${timeOf(at).slice(0, 8)}${credit === account ? 'C' : 'D'}${String(amount).padStart(12, '0')}`
}

/** Proves cards and what is counted of PINs: tries go down one by one, and come back by a right PIN or somebody's word. */
import type { CardChanged, CardIssued, TerminalChanged } from './atm-records.ts'
import type { WrappedKey } from './terminal.ts'
import type { State } from './verify.ts'
import type { KnownCard, KnownTerminal } from './verify-atm-known.ts'

const triesMax = 3
const badBlocksMax = 10

export function judgeIssued(
  content: CardIssued,
  account: (number: string) => State | undefined,
): string | undefined {
  const { card: id, last4, expiry, accounts, pin_policy } = content
  if (!/^card_[0-9a-f]{32}$/.test(id)) return `issues card ${JSON.stringify(id)}, which is no id`
  if (!/^[0-9]{4}$/.test(last4)) return `issues card ${id}, which ends in ${JSON.stringify(last4)}`
  if (!/^[0-9]{2}(0[1-9]|1[0-2])$/.test(expiry)) return `issues card ${id}, which expires in ${expiry}`
  if (!['always', 'if_present'].includes(pin_policy)) return `issues card ${id} with no policy for its PIN`
  const other = accounts.find((each) => account(each.account) === undefined || each.account.includes('.'))
  if (other !== undefined) return `issues card ${id} for account ${other.account}, which is no customer's`
  return accounts.length === 0 ? `issues card ${id} for no account` : undefined
}

export function cardIssued({ card: id, last4, accounts, limits }: CardIssued): KnownCard {
  return {
    id,
    status: 'active',
    last4,
    accounts: accounts.map(({ account }) => account),
    usual: (accounts.find((each) => each.default) ?? accounts[0])?.account ?? '',
    tries_left: triesMax,
    ...(limits && { limits }),
  }
}

/** `given` is what tries the card must have again, where blocks that did not decode had cost them. */
export function judgeCardChanged(
  content: CardChanged,
  card: KnownCard | undefined,
  given: number | undefined,
): string | undefined {
  const { card: id, status, pin, tries_left: left, reason } = content
  if (card === undefined) return `changes card ${id}, which was never issued`
  const isFinal = card.status === 'lost' || card.status === 'stolen'
  if (status !== undefined && isFinal) return `makes card ${id} ${status}, which is ${card.status} for good`
  if (status !== undefined && !['active', 'blocked', 'lost', 'stolen'].includes(status))
    return `makes card ${id} what none is: ${status}`
  if (status !== undefined && reason === undefined) return `makes card ${id} ${status} for no reason`
  if (status === 'active' && left === undefined) return `makes card ${id} active without its tries`
  if (left === undefined)
    return status === undefined && pin === undefined ? `changes nothing of card ${id}` : undefined
  const isSaid = status !== undefined || pin !== undefined || reason !== undefined
  const isWrong = left === card.tries_left - 1 && left >= 0
  const isRight = left === triesMax && card.tries_left > 0 && card.tries_left < triesMax
  const isGivenBack = left === triesMax && reason !== undefined && (status === 'active' || pin !== undefined)
  const isPossible = isSaid ? isGivenBack : isWrong || isRight
  return (given === undefined ? isPossible : left === given && !isSaid)
    ? undefined
    : `leaves card ${id} ${left} tries; it had ${card.tries_left}`
}

export function cardChanged(card: KnownCard, { status, tries_left }: CardChanged): KnownCard {
  return { ...card, ...(status && { status }), ...(tries_left !== undefined && { tries_left }) }
}

export function judgeTerminalChanged(
  content: TerminalChanged,
  terminal: KnownTerminal,
  card: (id: string) => KnownCard | undefined,
): string | undefined {
  const { terminal: id, state, signed_on, pin_keys, mac_keys, bad_blocks } = content
  if (state !== undefined && !['in_service', 'out_of_service'].includes(state))
    return `makes terminal ${id} what none is: ${state}`
  if (state !== undefined && typeof content.reason !== 'string')
    return `makes terminal ${id} ${state} for no reason`
  if (state === 'in_service' && terminal.exchange !== undefined)
    return `puts terminal ${id} in service, which is open`
  if (signed_on !== undefined && typeof signed_on !== 'boolean')
    return `signs terminal ${id} neither on nor off`
  if ([state, signed_on, pin_keys, mac_keys, bad_blocks].every((change) => change === undefined))
    return `changes nothing of terminal ${id}`
  if (bad_blocks !== undefined && !followsBlocks(bad_blocks, terminal, card))
    return `counts blocks of terminal ${id} that do not decode, which were not there`
  const isRight =
    (pin_keys === undefined || followsKeys(pin_keys, terminal.pin_keys)) &&
    (mac_keys === undefined || followsMacKeys(mac_keys, terminal.mac_keys))
  return isRight ? undefined : `gives terminal ${id} keys that it did not have`
}

function followsBlocks(
  blocks: readonly string[],
  { bad_blocks: before }: KnownTerminal,
  card: (id: string) => KnownCard | undefined,
): boolean {
  if (blocks.length === 0) return true
  const isOne = blocks.length === before.length + 1 && blocks.length < badBlocksMax
  return isOne && before.every((id, i) => blocks[i] === id) && card(blocks.at(-1) ?? '') !== undefined
}

/** A new key before the one that was newest, or in place of it; or the newest without the one before. */
function followsKeys(keys: readonly WrappedKey[], before: readonly WrappedKey[]): boolean {
  const [first, second, ...more] = keys
  if (first === undefined || more.length > 0) return false
  if (second !== undefined) return JSON.stringify(second) === JSON.stringify(before[0])
  return before[0] === undefined || first.kcv === before[0].kcv
}

/** Those are taken away, too. */
function followsMacKeys(keys: readonly WrappedKey[], before: readonly WrappedKey[]): boolean {
  return keys.length === 0 ? before.length > 0 : followsKeys(keys, before)
}

export type Given = { readonly card: string; readonly tries_left: number }

/**
 * The cards that have tries again, in their order, since it was the terminal's key that was wrong. The last block's
 * card is named by nothing but the try it cost, just before.
 */
export function triesGivenBack(
  { bad_blocks, state }: TerminalChanged,
  { bad_blocks: before }: KnownTerminal,
  last: CardChanged | undefined,
  card: (id: string) => KnownCard | undefined,
): readonly Given[] | undefined {
  const isFull = before.length === badBlocksMax - 1 && bad_blocks?.length === 0 && state === 'out_of_service'
  if (!isFull) return undefined
  const bad = [...before, ...(last === undefined ? [] : [last.card])]
  return [...new Set(bad)].flatMap((id) => {
    const left = card(id)?.tries_left ?? triesMax
    const count = bad.filter((other) => other === id).length
    return left === triesMax ? [] : [{ card: id, tries_left: Math.min(triesMax, left + count) }]
  })
}

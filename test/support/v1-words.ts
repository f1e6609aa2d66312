/** Steps of scenarios as commands of /v1, and what is answered in the words that scenarios use. */
import assert from 'node:assert/strict'
import { type Account, type AccountState, available, heldAt } from '../../src/ledger/account.ts'
import type { TransferPage } from '../../src/ledger/books.ts'
import type { Command, Hold, Item, Outcome, PostedTransfer, Reply } from '../../src/ledger/command.ts'
import type { Exceeded } from '../../src/ledger/limits.ts'
import type { Instant } from '../../src/ledger/money.ts'
import type { Direction, Role, Thing } from '../../src/ledger/registry.ts'
import { idOfAtm, sayAtm } from './atm-words.ts'

/** `open A overdraft=100` in its parts: `open`, what follows by place, and by name; flags are names without a value. */
export type Words = {
  readonly verb: string
  readonly places: readonly string[]
  readonly options: ReadonlyMap<string, string>
}

const flags = ['up-to', 'force', 'advice', 'atomic', 'dry-run', 'implicit', 'sign-on', 'again', 'nothing']
const names = [
  'key',
  'scope',
  'as',
  'amount',
  'expires',
  'if',
  'currency',
  'overdraft',
  'minimum',
  'times',
  'tx',
  'day',
  'count',
  'by',
  'pin',
  'new',
  'policy',
  'account',
  'mix',
  'outcome',
  'card',
  'from',
  'from_type',
  'to_type',
  'dispensed',
  'max',
  'notes',
  'stan',
  'rrn',
  'last4',
  'local',
  'sent',
  'asked',
  'of',
  'net',
  'told',
]

export function wordsOf([verb = '', ...words]: readonly string[]): Words {
  const options = new Map<string, string>()
  const places: string[] = []
  for (const word of words) {
    const [name = '', value] = word.split(/=(.*)/s)
    if (flags.includes(word)) options.set(word, '')
    else if (value !== undefined && names.includes(name)) options.set(name, value)
    else places.push(word)
  }
  return { verb, places, options }
}

/** The command of one step; `idOf` knows what ids the names of `as=` stand for. */
export function commandOfWords(
  { verb, places, options }: Words,
  { currency, idOf }: { currency: string; idOf(name: string): string },
): Item['command'] | undefined {
  const [first = '', second = '', third = ''] = places
  const whole = (name: string) => Number(options.get(name) ?? 0)
  const money = { amount: Number(third), currency: options.get('currency') ?? currency }
  const some = { ...(options.has('amount') && { amount: whole('amount') }) }
  const guard = { ...(options.has('if') && { if_version: whole('if') }) }
  const limits = {
    ...(options.has('tx') && { transaction_amount: whole('tx') }),
    ...(options.has('day') && { daily_amount: whole('day') }),
    ...(options.has('count') && { daily_count: whole('count') }),
  }
  const side = (name: string) => (name === 'cash' ? null : name)
  const person = options.get('by') ?? ''
  switch (verb) {
    case 'open':
      return {
        type: 'open_account',
        number: first,
        currency: money.currency,
        overdraft_limit: whole('overdraft'),
        minimum_balance: whole('minimum'),
        ...(Object.keys(limits).length > 0 && { limits }),
        metadata: {},
      }
    case 'limits':
      return { type: 'set_limits', account: first, limits, ...guard }
    case 'state':
      return { type: 'set_state', account: first, state: second as AccountState, reason: 'r', ...guard }
    case 'move': {
      const upTo = { ...(options.has('up-to') && { up_to: true as const }) }
      return { type: 'move', from: side(first), to: side(second), ...money, ...upTo, ...guard }
    }
    case 'reverse': {
      const force = { ...(options.has('force') && { force: true as const }) }
      return { type: 'reverse', transfer: idOf(first), ...some, ...force, ...guard }
    }
    case 'hold': {
      const { currency } = money
      const expires_in_s = whole('expires') || 900
      return { type: 'hold', account: first, amount: Number(second), currency, expires_in_s, ...guard }
    }
    case 'capture': {
      const advice = { ...(options.has('advice') && { advice: true as const }) }
      return { type: 'capture', hold: idOf(first), ...some, ...advice, ...guard }
    }
    case 'void':
      return { type: 'void', hold: idOf(first), ...guard }
    case 'adjust': {
      const direction = second as Direction
      return { type: 'adjust', account: first, ...money, direction, reason: 'r', person }
    }
    case 'approve':
    case 'reject':
      return { type: 'decide_adjustment', adjustment: idOf(first), approve: verb === 'approve', person }
    case 'credential':
      return { type: 'create_credential', role: first as Role, name: second }
    case 'revoke':
      return { type: 'revoke_credential', credential: idOf(first) }
    case 'webhook':
      return { type: 'create_webhook', url: first, types: [], sealed_with: 'key' }
    case 'disable':
      return { type: 'disable_webhook', webhook: idOf(first) }
    case 'redeliver':
      return { type: 'redeliver', webhook: idOf(first) }
    default:
      return undefined
  }
}

export function sayTransfer(transfer: {
  readonly amount: number
  readonly balances: readonly { readonly account: string; readonly ledger: number }[]
  readonly forced: boolean
}): string {
  const sides = transfer.balances.map(({ account, ledger }) => `${account}=${ledger}`)
  return [`transfer ${transfer.amount}`, ...sides, transfer.forced && 'forced'].filter(Boolean).join(' ')
}

export function sayHold(hold: {
  readonly state: string
  readonly amount: number
  readonly captured: number | null
  readonly forced: boolean
}): string {
  const amount = hold.captured === null ? hold.amount : `${hold.captured} of ${hold.amount}`
  return `hold ${hold.state} ${amount}${hold.forced ? ' forced' : ''}`
}

export function sayAccount(account: {
  readonly state: string
  readonly ledger: number
  readonly held: number
  readonly available: number
  readonly version: number
}): string {
  const { state, ledger, held, available, version } = account
  return `${state} ${ledger} held ${held} available ${available} version ${version}`
}

/** A refusal, with what stands in the way where it says so. */
export function sayRefusal(
  code: string,
  { state, limit, about }: { readonly state?: string; readonly limit?: Exceeded; readonly about?: object },
): string {
  const what = limit && `${limit.name} ${limit.limit} used ${limit.used} left ${limit.remaining}`
  const more = about && JSON.stringify(about).replace(/["{}]/g, '')
  return [code, state, what, more].filter((word) => word !== undefined).join(' ')
}

export function sayReversed(amount: number, reversed: number): string {
  return `transfer ${amount} reversed ${reversed}`
}

/** What a batch says: each answer, or which one made it fail. */
export function sayBatch(answers: readonly string[], failed: number | null): string {
  return failed === null ? answers.join(' | ') : `failed ${failed}: ${answers.join(' | ')}`
}

/** A reply of the ledger in the same words, as of an instant. */
export function sayReply(reply: Reply): string {
  switch (reply.type) {
    case 'transferred':
      return sayPosted(reply.transfer)
    case 'hold':
      return saidOfHold(reply.hold)
    case 'account':
      return saidOfAccount(reply.account, reply.account.at)
    case 'refused':
      return sayRefusal(reply.refusal, reply)
    case 'registered': {
      const posted = reply.transfer && sayPosted(reply.transfer)
      return [sayThing(reply.thing), posted].filter((words) => words !== undefined).join(': ')
    }
    case 'batch':
      return sayBatch(reply.results.map(sayOutcome), reply.failed ?? null)
    case 'posted':
    case 'books_opened':
    case 'proof_requested':
      return reply.type
    default:
      return sayAtm(reply)
  }
}

function sayThing(thing: Thing): string {
  if (thing.kind === 'adjustment') return `adjustment ${thing.state}`
  if (thing.kind === 'webhook') return `webhook ${thing.disabled_at === undefined ? 'in use' : 'disabled'}`
  return `${thing.role} ${thing.name} ${thing.revoked_at === undefined ? 'in use' : 'revoked'}`
}

function sayOutcome({ reply, replayed }: Outcome): string {
  return sayReply(reply) + (replayed ? ' replayed' : '')
}

function sayPosted({ amount, debit, credit, debit_after, credit_after, forced }: PostedTransfer) {
  const balances = [
    ...(debit_after === null ? [] : [{ account: debit, ledger: debit_after.ledger }]),
    ...(credit_after === null ? [] : [{ account: credit, ledger: credit_after.ledger }]),
  ]
  return sayTransfer({ amount, balances, forced: forced ?? false })
}

export function saidOfHold({ state, amount, captured, forced }: Hold): string {
  return sayHold({ state, amount, captured: captured ?? null, forced: forced ?? false })
}

export function saidOfAccount(account: Account, now: Instant): string {
  return sayAccount({ ...account, held: heldAt(account, now), available: available(account, now) })
}

export function saidOfTransfer({ transfer, reversed }: TransferPage): string {
  return sayReversed(transfer.amount, reversed)
}

/** The ids that a reply made or named, in order, for the names of `as=`. */
export function idsIn(reply: Reply): readonly (string | undefined)[] {
  switch (reply.type) {
    case 'transferred':
      return [reply.transfer.id]
    case 'hold':
      return [reply.hold.id]
    case 'registered':
      return [reply.thing.id]
    case 'batch':
      return reply.results.map(({ reply }) => idsIn(reply)[0])
    case 'entity':
    case 'exchange_open':
      return [idOfAtm(reply)]
    default:
      return []
  }
}

/** A command as a request of /v1: where to, and its body. */
export function requestOf(command: Command): {
  method?: 'PUT'
  path: string
  body: object
  ifMatch?: number
} {
  const guard = 'if_version' in command && command.if_version !== undefined && { ifMatch: command.if_version }
  const { type: _, if_version: __, ...rest } = command as Command & { if_version?: number }
  switch (command.type) {
    case 'open_account':
      return { path: '/v1/accounts', body: rest }
    case 'set_state': {
      const { account, state, reason } = command
      return { path: `/v1/accounts/${account}/state`, body: { state, reason }, ...guard }
    }
    case 'set_limits': {
      const { account, limits } = command
      return { method: 'PUT', path: `/v1/accounts/${account}/limits`, body: limits, ...guard }
    }
    case 'move': {
      const { from, to, amount, currency, up_to } = command
      const money = { amount, currency, ...(up_to && { up_to }) }
      if (from === null) return { path: '/v1/deposits', body: { account: to, amount, currency }, ...guard }
      if (to === null) return { path: '/v1/withdrawals', body: { account: from, ...money }, ...guard }
      return { path: '/v1/transfers', body: { from, to, ...money }, ...guard }
    }
    case 'reverse': {
      const { transfer, amount, force } = command
      return { path: `/v1/transfers/${transfer}/reversals`, body: { amount, force }, ...guard }
    }
    case 'hold': {
      const { account, amount, currency, expires_in_s } = command
      return { path: '/v1/holds', body: { account, amount, currency, expires_in: expires_in_s }, ...guard }
    }
    case 'capture': {
      const { hold, amount, advice } = command
      return { path: `/v1/holds/${hold}/capture`, body: { amount, advice }, ...guard }
    }
    case 'void':
      return { path: `/v1/holds/${command.hold}/void`, body: {}, ...guard }
    case 'adjust': {
      const { account, amount, currency, direction, reason } = command
      return { path: '/v1/adjustments', body: { account, amount, currency, direction, reason } }
    }
    case 'decide_adjustment': {
      const { adjustment, approve } = command
      return { path: `/v1/adjustments/${adjustment}/${approve ? 'approve' : 'reject'}`, body: {} }
    }
    case 'batch': {
      const { atomic, dry_run, items } = command
      return { path: '/v1/batches', body: { atomic, dry_run, operations: items.map(operationOf) } }
    }
    default:
      return assert.fail(`${command.type} is not of /v1`)
  }
}

/** The same as an operation of a batch: the type, and what the path names as a member. */
function operationOf({ command, key }: Item): object {
  const { path, body } = requestOf(command)
  const id = path.split('/')[3]
  const named = command.type === 'reverse' ? { transfer: id } : id === undefined ? {} : { hold: id }
  const last = { deposits: 'deposit', withdrawals: 'withdrawal', transfers: 'transfer', holds: 'hold' }
  const actions = { reversals: 'reversal', capture: 'capture', void: 'void' }
  const word = path.split('/').at(-1) ?? ''
  const type = { ...last, ...actions }[word]
  return { type, ...named, ...body, ...(key !== undefined && { key }) }
}

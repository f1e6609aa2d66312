/** What clients saw of one account, as a history that must be linearizable: exact balances, versions that rise. */
import { check, type Model, type Timed, UndecidedError } from '../../src/torture/linearizable.ts'
import type { Part } from './requests.ts'
import { type Attempt, codeOf, finalOf, verdictOf, type Wish } from './traffic.ts'

/** A step of an account: so much more or less on it; the balance and the version as they were told, where they were. */
type Step = { readonly change: number; readonly ledger?: number; readonly version?: number }

export type AccountOp = {
  /** Whose request it is. */
  readonly name: string
  readonly steps: readonly Step[]
  /** A read tells the balance of a moment, and a refusal that it was less than this. */
  readonly read?: { readonly ledger: number; readonly version?: number }
  readonly lessThan?: number
  /** The account is opened where it is not there. */
  readonly opens?: true
}

/** `version` is the least that the account's can be: a hold that expires raises it unseen. 0: not opened yet. */
type State = { readonly ledger: number; readonly version: number }

function modelOf(initial: State): Model<State, AccountOp> {
  return { initial, step: stepOf, keyOf: ({ ledger, version }) => `${ledger} at ${version}`, changesNothing }
}

function stepOf(state: State, { steps, read, lessThan, opens }: AccountOp): State | undefined {
  if (read !== undefined) {
    const { ledger, version = state.version } = read
    return ledger === state.ledger && version >= state.version ? { ledger, version } : undefined
  }
  if (lessThan !== undefined) return state.ledger < lessThan ? state : undefined
  // What opens an account and does nothing else was refused where it was there.
  if (opens && steps.length === 0 && state.version > 0) return undefined
  let after = state.version === 0 && opens ? { ledger: 0, version: 1 } : state
  for (const { change, ledger = after.ledger + change, version = after.version + 1 } of steps) {
    if (after.version === 0 && change !== 0) return undefined
    if (ledger !== after.ledger + change || version <= after.version) return undefined
    after = { ledger, version }
  }
  return after
}

/** A version that is read rules out lower ones, so that a read does change what is known. */
function changesNothing({ read, lessThan }: AccountOp): boolean {
  return lessThan !== undefined || (read !== undefined && read.version === undefined)
}

/** The first account whose history no order explains, in words. Those too tangled to tell are counted. */
export function judgeHistories(
  wishes: readonly Wish[],
  opening: Readonly<Record<string, number>>,
  onUndecided: () => void,
): string | undefined {
  const histories = new Map<string, Timed<AccountOp>[]>()
  for (const wish of wishes)
    for (const [account, timed] of timedOf(wish))
      histories.set(account, [...(histories.get(account) ?? []), timed])
  for (const [account, history] of histories) {
    const ledger = opening[account]
    const initial = ledger === undefined ? { ledger: 0, version: 0 } : { ledger, version: 2 }
    try {
      const found = check(modelOf(initial), history, { stepsMax: 200_000 })
      if (found === undefined) continue
      const told = found.history.map(({ op, invoked, returned }) => `${tell(op)} [${invoked}–${returned}]`)
      return `No order explains what was answered of account ${account}: from ${found.states.join(' or ')}, ${told.join('; ')}; at the latest when ${found.last.op.name} was answered.`
    } catch (error) {
      if (!(error instanceof UndecidedError)) throw error
      onUndecided()
    }
  }
  return undefined
}

function tell({ name, steps, read, lessThan }: AccountOp): string {
  if (read) return `${name} read ${read.ledger}${read.version === undefined ? '' : ` at ${read.version}`}`
  if (lessThan !== undefined) return `${name} was refused ${lessThan}`
  const changes = steps.map(
    ({ change, ledger, version }) => `${change} to ${ledger ?? '?'} at ${version ?? '?'}`,
  )
  return `${name} ${changes.join(', ')}`
}

/** A wish as what it did to each account; each read of its attempts is one of its own. */
function timedOf(wish: Wish): [string, Timed<AccountOp>][] {
  const { content } = wish.asked
  if (content.type === 'read') return wish.attempts.flatMap((attempt) => readsOf(wish, attempt))
  if (wish.conflictsWith !== undefined) return []
  const arrived = wish.attempts.filter(({ invoked }) => invoked !== undefined)
  const invoked = Math.min(...arrived.map((attempt) => attempt.invoked as number))
  const answer = finalOf(wish)
  if (answer !== undefined) {
    const returned = Math.min(
      ...arrived.flatMap(({ answer, returned }) =>
        answer && verdictOf(answer) === 'final' ? (returned ?? []) : [],
      ),
    )
    return opsOf(wish, answer).map(([account, op]) => [account, { op, invoked, returned }])
  }
  const isOpen = arrived.some(({ answer }) => answer === undefined || verdictOf(answer) === 'unknown')
  if (!isOpen || content.type !== 'parts') return []
  const [part] = content.parts
  return part === undefined || part.amount === undefined
    ? []
    : sidesOf(part).map(([account, change]) => {
        const op = { name: wish.name, steps: [{ change }], ...opens(wish, part) }
        return [account, { op, invoked, returned: Infinity }]
      })
}

/** A deposit by the original route opens its account. */
function opens({ asked }: Wish, { type }: Part): { opens?: true } {
  return type === 'deposit' && asked.path.startsWith('/accounts') ? { opens: true } : {}
}

function sidesOf({ from, to, amount = 0 }: Part): [string, number][] {
  return [
    ...(from ? [[from, -amount] as [string, number]] : []),
    ...(to ? [[to, amount] as [string, number]] : []),
  ]
}

type Told = {
  readonly balances?: { account: string; ledger: number; version: number }[]
  readonly debit_account?: string
  readonly amount?: number
  readonly reverses?: string | null
  readonly captured_amount?: number | null
  readonly account?: string
  readonly number?: string
  readonly ledger?: number
  readonly version?: number
  readonly results?: { status: number; replayed: boolean; body: Told }[]
}

/** What a final answer says was done to each account. */
function opsOf(wish: Wish, { status, text }: { status: number; text: string }): [string, AccountOp][] {
  const { content, path } = wish.asked
  const { name } = wish
  if (content.type === 'read') return []
  if (path.startsWith('/accounts')) {
    const part = content.type === 'parts' ? content.parts[0] : undefined
    const account = part?.from ?? part?.to ?? ''
    if (status !== 200 || part === undefined) return refusalOf(name, account, part, text)
    const ledger = Math.round(Number((JSON.parse(text) as { new_balance: number }).new_balance) * 100)
    const steps = sidesOf(part).map(([, change]) => ({ change, ledger }))
    return [[account, { name, steps, ...opens(wish, part) }]]
  }
  const told = JSON.parse(text) as Told
  if (status >= 300) {
    const part = content.type === 'parts' && content.parts.length === 1 ? content.parts[0] : undefined
    return path === '/v1/batches' ? [] : refusalOf(name, part?.from ?? '', part, text)
  }
  if (content.type === 'account') {
    const { ledger = 0, version = 0 } = told
    const opens = path === '/v1/accounts'
    const steps = opens ? [] : [{ change: 0, ledger, version }]
    return [[content.account, { name, steps, ...(opens && { opens }) }]]
  }
  if (content.dry) return []
  const single = { status, replayed: false, body: told }
  const byAccount = new Map<string, Step[]>()
  for (const { status, replayed, body } of told.results ?? [single]) {
    if (status >= 300 || replayed) continue
    for (const [account, step] of stepsOf(status, body))
      byAccount.set(account, [...(byAccount.get(account) ?? []), step])
  }
  return [...byAccount].map(([account, steps]) => [account, { name, steps }])
}

function stepsOf(status: number, body: Told): [string, Step][] {
  const { balances, debit_account, amount = 0, captured_amount, account } = body
  // What was taken back before is told again, and nothing is done.
  if (balances !== undefined)
    return status === 200 && typeof body.reverses === 'string'
      ? []
      : balances.map(({ account, ledger, version }) => {
          const change = account === debit_account ? -amount : amount
          return [account, { change, ledger, version }]
        })
  if (typeof captured_amount === 'number' && account !== undefined)
    return [[account, { change: -captured_amount }]]
  return []
}

/** Where nothing but the balance is in the way, a refusal says how much was not there. */
function refusalOf(
  name: string,
  account: string,
  part: Part | undefined,
  text: string,
): [string, AccountOp][] {
  const isPlain =
    account.startsWith('p') && codeOf(text) === 'insufficient_funds' && part?.amount !== undefined
  return isPlain ? [[account, { name, steps: [], lessThan: part?.amount as number }]] : []
}

/** What an answered read says of each account it tells of. */
function readsOf(
  { name, asked }: Wish,
  { answer, invoked, returned }: Attempt,
): [string, Timed<AccountOp>][] {
  if (answer === undefined || invoked === undefined || returned === undefined) return []
  const timed = (account: string, read: { ledger: number; version?: number }): [string, Timed<AccountOp>] => [
    account,
    { op: { name, steps: [], read }, invoked, returned },
  ]
  const { path, content } = asked
  if (content.type !== 'read' || content.hold !== undefined) return []
  if (content.account === undefined)
    return answer.status === 200
      ? listed(answer.text).map(([number, ledger]) => timed(number, { ledger }))
      : []
  if (answer.status === 404) return [timed(content.account, { ledger: 0, version: 0 })]
  if (answer.status !== 200) return []
  if (path.includes('simple'))
    return [timed(content.account, { ledger: Math.round(Number(answer.text) * 100) })]
  const body = JSON.parse(answer.text) as { balance?: number; ledger?: number; version?: number }
  if (body.balance !== undefined) return [timed(content.account, { ledger: Math.round(body.balance * 100) })]
  return [timed(content.account, { ledger: body.ledger ?? 0, version: body.version ?? 0 })]
}

/** The balances that a list tells, in minor units. */
export function listed(text: string): [string, number][] {
  const { accounts } = JSON.parse(text) as {
    accounts: { account_number?: string; number?: string; balance?: number; ledger?: number }[]
  }
  return accounts.map(({ account_number, number, balance, ledger }) => [
    account_number ?? number ?? '',
    ledger ?? Math.round((balance ?? 0) * 100),
  ])
}

/**
 * The rules told a second time, by sums over maps and nothing else, to hold what a store did against: each command in
 * the order of the commits, with the clock it saw. It shares no code with the rules.
 */
import type { Command, Outcome, Reply, Submission } from '../../src/ledger/command.ts'
import type { Committed } from './disk.ts'

type Day = { day: string; amount: number; count: number }
type Account = {
  currency: string
  ledger: number
  version: number
  state: string
  overdraft: number
  minimum: number
  limits?: { transaction_amount?: number; daily_amount?: number; daily_count?: number }
  used?: Day
}
type Hold = { account: string; amount: number; expires: number; state: string; day?: string }
export type PendingHold = Readonly<Pick<Hold, 'account' | 'amount' | 'expires'>>
type Transfer = {
  from?: string
  to?: string
  amount: number
  back: number
  kind: string
  day?: string
  last?: string
}
type Remembered = { asked: string; reply: string; at: number }

type Books = {
  readonly accounts: Map<string, Account>
  readonly holds: Map<string, Hold>
  readonly transfers: Map<string, Transfer>
  readonly keys: Map<string, Remembered>
}

type Single = Exclude<Command, { type: 'batch' }>

export class Oracle {
  #books: Books = { accounts: new Map(), holds: new Map(), transfers: new Map(), keys: new Map() }
  readonly #retentionMs: number
  #now = 0
  #nameless = 0

  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs
  }

  /** What is on each account, by number. */
  get ledgers(): Map<string, number> {
    return new Map([...this.#books.accounts].map(([number, { ledger }]) => [number, ledger]))
  }

  /** Holds that are not resolved, also where their time is up. */
  get pending(): readonly PendingHold[] {
    return [...this.#books.holds.values()]
      .filter(({ state }) => state === 'pending')
      .map((hold) => ({ ...hold }))
  }

  /** The name that the store gave; what has none, since it was forgotten again, gets one that nobody asks for. */
  #idIn(reply: Reply): string {
    if (reply.type === 'posted') return reply.transfer
    if (reply.type === 'transferred') return reply.transfer.id
    if (reply.type === 'hold') return reply.hold.id
    this.#nameless += 1
    return `nameless ${this.#nameless}`
  }

  /** What is on an account, what is held of it as far as it was resolved, and its version. */
  account(number: string): { ledger: number; held: number; version: number } | undefined {
    const account = this.#books.accounts.get(number)
    return account && { ledger: account.ledger, held: this.#held(number), version: account.version }
  }

  /** Carries a commit out, and says what of its answers is not what it should be. */
  judge({ atMs, now, batch, outcomes }: Committed): string | undefined {
    this.#now = now
    for (const [i, pending] of batch.entries()) {
      const outcome = outcomes[i] as Outcome
      const due = pending.deadlineMs <= atMs ? 'no account_busy' : this.#submit(pending, outcome)
      const told = outcome.replayed ? `again ${JSON.stringify(outcome.reply)}` : tell(outcome.reply)
      if (due !== told)
        return `At ${atMs} ms ${JSON.stringify(pending.command)} under ${pending.key?.key ?? 'no key'} should have been answered “${due}”, and was “${told}”.`
    }
    return undefined
  }

  #submit({ command, key }: Pick<Submission, 'command' | 'key'>, { reply }: Outcome): string {
    if (key === undefined || (command.type === 'batch' && command.dry_run))
      return this.#decide(command, key?.key, reply)
    const asked = JSON.stringify(Object.entries(command).sort(([a], [b]) => (a < b ? -1 : 1)))
    const before = this.#books.keys.get(key.key)
    if (before !== undefined && this.#now < before.at + this.#retentionMs)
      return before.asked === asked ? `again ${before.reply}` : 'no idempotency_conflict'
    const due = this.#decide(command, key.key, reply)
    const isKept = due !== 'no key_repeated'
    if (isKept) this.#books.keys.set(key.key, { asked, reply: JSON.stringify(reply), at: this.#now })
    return due
  }

  #decide(command: Command, key: string | undefined, reply: Reply): string {
    return command.type === 'batch' ? this.#batch(command, key, reply) : this.#one(command, reply)
  }

  #batch(command: Extract<Command, { type: 'batch' }>, own: string | undefined, reply: Reply): string {
    const keys = command.items.flatMap(({ key }) => key ?? [])
    if (new Set(keys).size < keys.length || keys.includes(own ?? '')) return 'no key_repeated'
    const results = reply.type === 'batch' ? reply.results : []
    const before = command.atomic || command.dry_run ? structuredClone(this.#books) : undefined
    const failed = reply.type === 'batch' ? reply.failed : undefined
    const told: string[] = []
    for (const [i, { command: one, key }] of command.items.entries()) {
      // Of one that failed, the failure alone is told; what came before was forgotten, and has no names.
      const result = failed === undefined ? results[i] : i === failed ? results[0] : undefined
      const outcome = result ?? { reply: nameless, replayed: false }
      const due = this.#submit(
        { command: one, ...(key !== undefined && { key: { scope: '', key } }) },
        outcome,
      )
      const no = due.startsWith('no ') || isNoAgain(due)
      if (command.atomic && no) {
        if (before) this.#books = before
        return `batch failed ${i}: ${due}`
      }
      told.push(due)
    }
    if (command.dry_run && before) this.#books = before
    return `batch ${told.join(' | ')}`
  }

  #one(command: Single, reply: Reply): string {
    switch (command.type) {
      case 'open_books':
        for (const { number, currency, ledger } of command.accounts) {
          this.#books.accounts.set(number, { ...fresh(currency), ledger, version: 2 })
        }
        return 'opened'
      case 'open_account': {
        const number = command.number ?? ''
        if (this.#books.accounts.has(number)) return 'no account_exists'
        const { currency, overdraft_limit: overdraft, minimum_balance: minimum, limits } = command
        this.#books.accounts.set(number, {
          ...fresh(currency),
          overdraft,
          minimum,
          ...(limits && { limits }),
        })
        return `account ${this.#figures(number)}`
      }
      case 'deposit':
        return this.#deposit(command, reply)
      case 'withdraw': {
        const from = command.account
        this.#touch(from)
        const amount = Math.round(Number(command.amount) * 100)
        const no =
          this.#missing(from) ??
          this.#mayNotPay(from) ??
          this.#lacks(from, amount) ??
          this.#over(from, amount)
        return no ?? this.#post({ from, amount, kind: 'withdrawal' }, reply)
      }
      case 'move':
        return this.#move(command, reply)
      case 'reverse':
        return this.#reverse(command, reply)
      case 'hold': {
        const { account, amount, currency, expires_in_s } = command
        this.#touch(account)
        const no =
          this.#missing(account) ??
          (this.#there(account).currency !== currency ? 'no currency_mismatch' : undefined) ??
          this.#mayNotPay(account) ??
          this.#lacks(account, amount) ??
          this.#over(account, amount)
        if (no !== undefined) return no
        const day = this.#charge(account, amount)
        const hold: Hold = { account, amount, expires: this.#now + expires_in_s * 1000, state: 'pending' }
        this.#books.holds.set(this.#idIn(reply), { ...hold, ...(day !== undefined && { day }) })
        this.#there(account).version += 1
        return `hold pending ${amount}`
      }
      case 'capture':
        return this.#capture(command, reply)
      case 'void': {
        const hold = this.#books.holds.get(command.hold)
        if (hold === undefined) return 'no hold_not_found'
        this.#touch(hold.account)
        if (hold.state !== 'pending') return `no hold_resolved ${hold.state}`
        this.#free(hold, 'voided')
        return `hold voided ${hold.amount}`
      }
      case 'set_state': {
        this.#touch(command.account)
        const no = this.#missing(command.account)
        if (no !== undefined) return no
        const account = this.#there(command.account)
        account.state = command.state
        account.version += 1
        return `account ${this.#figures(command.account)}`
      }
      case 'set_limits': {
        this.#touch(command.account)
        const no = this.#missing(command.account)
        if (no !== undefined) return no
        const account = this.#there(command.account)
        account.limits = command.limits
        account.version += 1
        return `account ${this.#figures(command.account)}`
      }
      default:
        return `the oracle does not know ${command.type}`
    }
  }

  #deposit({ account: to, amount: text, open }: Extract<Single, { type: 'deposit' }>, reply: Reply): string {
    const amount = Math.round(Number(text) * 100)
    this.#touch(to)
    const no = this.#books.accounts.has(to) ? this.#mayNotBePaid(to) : undefined
    if (no !== undefined) return no
    if (!this.#books.accounts.has(to)) this.#books.accounts.set(to, fresh(open))
    return this.#post({ to, amount, kind: 'deposit' }, reply)
  }

  #move(
    { from, to, amount: wanted, currency, up_to }: Extract<Single, { type: 'move' }>,
    reply: Reply,
  ): string {
    for (const side of [from, to]) if (side !== null) this.#touch(side)
    for (const side of [from, to])
      if (side !== null && !this.#books.accounts.has(side)) return 'no account_not_found'
    if (from === to) return 'no same_account'
    for (const side of [from, to])
      if (side !== null && this.#there(side).currency !== currency) return 'no currency_mismatch'
    const no = (from !== null && this.#mayNotPay(from)) || (to !== null && this.#mayNotBePaid(to))
    if (no) return no
    const amount = up_to && from !== null ? Math.min(wanted, this.#free_(from)) : wanted
    if (amount < 1) return 'no insufficient_funds'
    const less = from !== null && (this.#lacks(from, amount) ?? this.#over(from, amount))
    if (less) return less
    const kind = from === null ? 'deposit' : to === null ? 'withdrawal' : 'transfer'
    return this.#post({ ...(from !== null && { from }), ...(to !== null && { to }), amount, kind }, reply)
  }

  #reverse(
    { transfer: id, amount: wanted, force }: Extract<Single, { type: 'reverse' }>,
    reply: Reply,
  ): string {
    const transfer = this.#books.transfers.get(id)
    if (transfer === undefined) return 'no transfer_not_found'
    if (['reversal', 'opening'].includes(transfer.kind)) return 'no not_reversible'
    const left = transfer.amount - transfer.back
    if (left === 0 && transfer.last !== undefined) return transfer.last
    const amount = wanted ?? left
    if (amount > left) return 'no reversal_too_large'
    const { from: to, to: from } = transfer
    for (const side of [from, to]) if (side !== undefined) this.#touch(side)
    const no = from === undefined ? undefined : (this.#mayNotPay(from) ?? this.#lacks(from, amount))
    if (no !== undefined && !force) return no
    transfer.back += amount
    const told = this.#post({ ...(from && { from }), ...(to && { to }), amount, kind: 'reversal' }, reply)
    if (to !== undefined) this.#giveBack(to, transfer.day, { amount, count: amount === left ? 1 : 0 })
    transfer.last = told.replace('moved', 'moved before')
    return told
  }

  #capture({ hold: id, amount: wanted, advice }: Extract<Single, { type: 'capture' }>, reply: Reply): string {
    const hold = this.#books.holds.get(id)
    if (hold === undefined) return 'no hold_not_found'
    this.#touch(hold.account)
    const late = hold.state === 'expired' && advice === true
    if (hold.state !== 'pending' && !late) return `no hold_resolved ${hold.state}`
    const amount = wanted ?? hold.amount
    if (amount > hold.amount) return 'no capture_too_large'
    const account = this.#there(hold.account)
    if (account.state === 'frozen' && !advice) return 'no account_frozen'
    if (!late) this.#giveBack(hold.account, hold.day, { amount: hold.amount - amount, count: 0 })
    account.version += 2
    account.ledger -= amount
    const day = late ? this.#charge(hold.account, amount) : hold.day
    hold.state = 'posted'
    const transfer = { from: hold.account, amount, back: 0, kind: 'capture', ...(day && { day }) }
    if (reply.type === 'hold' && reply.hold.transfer) this.#books.transfers.set(reply.hold.transfer, transfer)
    return `hold posted ${hold.amount} ${amount}`
  }

  #post(made: Omit<Transfer, 'back'>, reply: Reply): string {
    const { from, to, amount, kind } = made
    const charged = from !== undefined && kind !== 'reversal' ? this.#charge(from, amount) : undefined
    if (from !== undefined) {
      this.#there(from).ledger -= amount
      this.#there(from).version += 1
    }
    if (to !== undefined) {
      this.#there(to).ledger += amount
      this.#there(to).version += 1
    }
    const transfer = { ...made, back: 0, ...(charged !== undefined && { day: charged }) }
    this.#books.transfers.set(this.#idIn(reply), transfer)
    const sides = [from, to].flatMap((side) => (side === undefined ? [] : this.#figures(side)))
    return `moved ${amount} ${sides.join(' ')}`
  }

  /** Holds whose time is up are over before anything else is asked of an account. */
  #touch(number: string): void {
    for (const hold of this.#books.holds.values())
      if (hold.account === number && hold.state === 'pending' && hold.expires <= this.#now)
        this.#free(hold, 'expired')
  }

  #free(hold: Hold, state: 'voided' | 'expired'): void {
    hold.state = state
    this.#there(hold.account).version += 1
    this.#giveBack(hold.account, hold.day, { amount: hold.amount, count: 1 })
  }

  #missing(number: string): string | undefined {
    return this.#books.accounts.has(number) ? undefined : 'no account_not_found'
  }

  #there(number: string): Account {
    const account = this.#books.accounts.get(number)
    if (account === undefined) throw new Error(`the oracle has no account ${number}`)
    return account
  }

  #mayNotPay(number: string): string | undefined {
    const { state } = this.#there(number)
    return ['frozen', 'debit_blocked'].includes(state) ? `no account_${state}` : undefined
  }

  #mayNotBePaid(number: string): string | undefined {
    const { state } = this.#there(number)
    return ['frozen', 'credit_blocked'].includes(state) ? `no account_${state}` : undefined
  }

  #held(number: string): number {
    let held = 0
    for (const { account, amount, state } of this.#books.holds.values())
      if (account === number && state === 'pending') held += amount
    return held
  }

  #free_(number: string): number {
    const { ledger, overdraft, minimum } = this.#there(number)
    return ledger - this.#held(number) + overdraft - minimum
  }

  #lacks(number: string, amount: number): string | undefined {
    return this.#free_(number) < amount ? 'no insufficient_funds' : undefined
  }

  #today(used: Day | undefined): Day {
    const day = new Date(this.#now).toISOString().slice(0, 10)
    return used === undefined || used.day < day ? { day, amount: 0, count: 0 } : used
  }

  #over(number: string, amount: number): string | undefined {
    const { limits = {}, used } = this.#there(number)
    const today = this.#today(used)
    const { transaction_amount: single, daily_amount: daily, daily_count: count } = limits
    if (single !== undefined && amount > single) return 'no limit_exceeded transaction_amount'
    if (daily !== undefined && today.amount + amount > daily) return 'no limit_exceeded daily_amount'
    return count !== undefined && today.count + 1 > count ? 'no limit_exceeded daily_count' : undefined
  }

  #charge(number: string, amount: number): string | undefined {
    const account = this.#there(number)
    if (account.limits === undefined) return undefined
    const { day, amount: before, count } = this.#today(account.used)
    account.used = { day, amount: before + amount, count: count + 1 }
    return day
  }

  #giveBack(
    number: string,
    day: string | undefined,
    { amount, count }: { amount: number; count: number },
  ): void {
    const account = this.#there(number)
    if (day === undefined || account.used?.day !== day) return
    account.used = {
      day,
      amount: Math.max(0, account.used.amount - amount),
      count: account.used.count - count,
    }
  }

  #figures(number: string): string {
    const { ledger, version } = this.#there(number)
    return `${number}=${ledger}/${this.#held(number)}/${version}`
  }
}

function fresh(currency: string): Account {
  return { currency, ledger: 0, version: 1, state: 'active', overdraft: 0, minimum: 0 }
}

const nameless: Reply = { type: 'books_opened', accounts: [] }

function isNoAgain(due: string): boolean {
  return due.startsWith('again {"type":"refused"')
}

/** A reply of the ledger in the oracle's words. */
function tell(reply: Reply): string {
  switch (reply.type) {
    case 'refused':
      return ['no', reply.refusal, reply.state ?? reply.limit?.name].filter(Boolean).join(' ')
    case 'posted':
      return `moved ${reply.amount} ${reply.account}=${reply.ledger}/${reply.held}/${reply.version}`
    case 'transferred': {
      const { debit, credit, debit_after: from, credit_after: to, amount } = reply.transfer
      const sides = [
        ...(from === null ? [] : [`${debit}=${from.ledger}/${from.held}/${from.version}`]),
        ...(to === null ? [] : [`${credit}=${to.ledger}/${to.held}/${to.version}`]),
      ]
      return `moved${reply.made ? '' : ' before'} ${amount} ${sides.join(' ')}`
    }
    case 'hold':
      return ['hold', reply.hold.state, reply.hold.amount, reply.hold.captured].filter(Boolean).join(' ')
    case 'account': {
      const { number, ledger, held, version } = reply.account
      return `account ${number}=${ledger}/${held}/${version}`
    }
    case 'books_opened':
      return 'opened'
    case 'batch': {
      const told = reply.results.map(({ reply, replayed }) =>
        replayed ? `again ${JSON.stringify(reply)}` : tell(reply),
      )
      return reply.failed === undefined
        ? `batch ${told.join(' | ')}`
        : `batch failed ${reply.failed}: ${told.join()}`
    }
    default:
      return reply.type
  }
}

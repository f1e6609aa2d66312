/**
 * Proves a journal, block by block: recomputes what `apply` must have done and compares. It shares no code with
 * `apply` or the books, so that one mistake cannot hide in both.
 */
import { type AccountState, type HouseAccount, isAccountNumber, isHouse } from './account.ts'
import { type Block, blockHash, genesis, type Sha256, writeTotals } from './block.ts'
import type { RecordId } from './command.ts'
import type { Limits, Used } from './limits.ts'
import type { Currency, Minor } from './money.ts'
import {
  type AccountChanged,
  type After,
  type Content,
  fromLine,
  type HoldPlaced,
  type HoldResolved,
  type JournalRecord,
  type LimitsSet,
  type Line,
  type Transfer,
} from './record.ts'
import { isTerminalAccount } from './terminal.ts'
import { AtmVerifier } from './verify-atm.ts'
import { isOfAtm } from './verify-atm-transfer.ts'
import { dueOfBack, dueOfCharge, isSameUsed } from './verify-limits.ts'
import { RegistryVerifier } from './verify-registry.ts'
import { checkReply, type Known } from './verify-reply.ts'

/** The first thing that is wrong: in which block, at which record if it is one, and what. */
export type Fault = { readonly block: number; readonly record?: number; readonly what: string }

/** A fault as the end of a sentence: `block 7, record 12 was changed`. */
export function faultText({ block, record, what }: Fault): string {
  return `block ${block}${record === undefined ? '' : `, record ${record}`} ${what}`
}

export type Proven = {
  readonly blocks: number
  readonly records: number
  readonly accounts: number
  readonly head: string
  /** Per currency: what customers own together, what terminals' accounts have, and the house's side: nothing, all in all. */
  readonly sums: readonly {
    readonly currency: Currency
    readonly customers: bigint
    readonly terminals: bigint
    readonly house: bigint
  }[]
}

export type State = After & {
  readonly currency: Currency
  readonly at: number
  readonly state: AccountState
  /** How far below zero what is not held may go: overdraft limit less minimum balance. */
  readonly slack: Minor
  readonly limits?: Limits
}

export type KnownHold = Pick<HoldPlaced, 'account' | 'amount' | 'expires_at' | 'charged'> & {
  readonly state: 'pending' | HoldResolved['state']
}

const notItsHash = 'does not match its hash: a record or the block was changed'

/** `back` is what was given back of the limits, where the day that was charged is not over. */
type Captured = { readonly hold: RecordId; readonly forced: boolean; readonly back: Minor | undefined }

export type VerifierOptions = {
  readonly sha256: Sha256
  /** Whose blocks there may be; with `any`, several writers' in an order of their clocks. */
  readonly writer?: number | 'any'
  /** A line that was checked before, for what a reversal takes back; without it all transfers are remembered. */
  line?(id: RecordId): Line | undefined
}

export class Verifier {
  readonly #sha256: Sha256
  readonly #line: VerifierOptions['line']
  readonly #writer: number | 'any'
  /** The last block that was found right, and the last of each writer. */
  #head: Block
  readonly #heads = new Map<number, Block>()
  readonly #accounts = new Map<string, State>()
  /** Of each writer: what its own records make. */
  readonly #totals = new Map<number, Map<HouseAccount, bigint>>()
  readonly #holds = new Map<RecordId, KnownHold>()
  readonly #registry = new RegistryVerifier()
  readonly #atm = new AtmVerifier()
  readonly #transfers = new Map<RecordId, Transfer>()
  /** Of each transfer that was reversed: how much, and the last reversal's id. */
  readonly #reversed = new Map<RecordId, { readonly amount: Minor; readonly last: RecordId }>()
  /** The block before the one that is checked, of its writer. */
  #current: Block = genesis(1)
  #latest: { readonly id: RecordId; readonly content: Content } | undefined
  /** Of the latest record that captured a hold: the transfer that pays it follows. */
  #captured: Captured | undefined

  constructor({ sha256, writer = 1, line }: VerifierOptions) {
    this.#sha256 = sha256
    this.#line = line
    this.#writer = writer
    this.#head = genesis(writer === 'any' ? 1 : writer)
  }

  /** The last block that was found right. */
  get head(): Block {
    return this.#head
  }

  /** Accounts as the blocks so far leave them, to compare with what was derived elsewhere. */
  get accounts(): ReadonlyMap<string, State> {
    return this.#accounts
  }

  /** Takes the next block; says what is wrong with it, if anything. */
  check(block: Block, lines: readonly Line[]): Fault | undefined {
    const writer = this.#writer === 'any' ? block.writer : this.#writer
    const before = this.#heads.get(writer) ?? genesis(writer)
    const what = checkLink(before, block, lines)
    if (what !== undefined) return { block: block.sequence, what }
    this.#current = before
    const intact = block.hash === blockHash(block, lines, this.#sha256)
    const fault = this.#checkLines(block, lines) ?? this.#finishBlock(block)
    if (fault !== undefined) return intact ? fault : { ...fault, what: `was changed: ${fault.what}` }
    if (!intact) return { block: block.sequence, what: notItsHash }
    const totals = writeTotals(this.#totals.get(writer) ?? new Map())
    if (block.totals !== totals)
      return { block: block.sequence, what: `house totals are ${block.totals}, the records make ${totals}` }
    this.#head = block
    this.#heads.set(writer, block)
    return undefined
  }

  /** After the last block: that customers, terminals and house sum to zero, and the figures. */
  finish(): Fault | Proven {
    const customers = new Map<Currency, bigint>()
    const terminals = new Map<Currency, bigint>()
    let accounts = 0
    for (const [number, { currency, ledger }] of this.#accounts) {
      const isCustomers = isAccountNumber(number)
      const side = isCustomers ? customers : terminals
      side.set(currency, (side.get(currency) ?? 0n) + BigInt(ledger))
      if (isCustomers) accounts += 1
    }
    const house = new Map<Currency, bigint>()
    for (const totals of this.#totals.values())
      for (const [name, total] of totals) {
        const currency = name.slice(name.indexOf(':') + 1)
        house.set(currency, (house.get(currency) ?? 0n) + total)
      }
    const currencies = [...new Set([customers, terminals, house].flatMap((side) => [...side.keys()]))].sort()
    const sums = currencies.map((currency) => ({
      currency,
      customers: customers.get(currency) ?? 0n,
      terminals: terminals.get(currency) ?? 0n,
      house: house.get(currency) ?? 0n,
    }))
    const sumOf = (of: (typeof sums)[number]) => of.customers + of.terminals + of.house
    const off = sums.find((sum) => sumOf(sum) !== 0n)
    if (off !== undefined)
      return {
        block: this.#head.sequence,
        what: `${off.currency} sums to ${sumOf(off)} minor units, not 0`,
      }
    const heads = [...this.#heads.values()].sort((a, b) => a.writer - b.writer)
    const blocks = heads.reduce((sum, { sequence }) => sum + sequence, 0)
    const records = heads.reduce((sum, { last }) => sum + last, 0)
    const head = headOf(heads, this.#sha256)
    return { blocks, records, accounts, head, sums }
  }

  #checkLines(block: Block, lines: readonly Line[]): Fault | undefined {
    for (const line of lines) {
      const what = this.#checkLine(line)
      if (what !== undefined) return { block: block.sequence, record: line.sequence, what }
    }
    return undefined
  }

  #finishBlock({ sequence: block }: Block): Fault | undefined {
    const what = this.#atm.finishBlock((number) => this.#accounts.get(number))
    return what === undefined ? undefined : { block, what }
  }

  #checkLine(line: Line): string | undefined {
    try {
      return this.#checkRecord(fromLine(line), line.kind)
    } catch (error) {
      // What is on the disk is not trusted to have the shape its type says.
      return error instanceof SyntaxError ? 'is not JSON' : `is no proper ${line.kind}`
    }
  }

  #checkRecord({ sequence, content, at, actor }: JournalRecord, kind: string): string | undefined {
    const id = `${this.#current.writer}-${sequence}`
    const captured = this.#captured
    this.#captured = undefined
    if (captured !== undefined && (content.kind !== 'transfer' || content.hold !== captured.hold))
      return `is not the transfer that pays hold ${captured.hold}, which was captured just before`
    const account = (number: string) => this.#accounts.get(number)
    const what =
      this.#registry.check(content, { id, actor, account }) ??
      this.#atm.admits(content) ??
      this.#checkContent(content, { id, at, kind, captured }) ??
      this.#atm.check(content, { id, at, actor, head: this.#current, account })
    if (what === undefined) this.#registry.take(content, { id, at, actor })
    if (content.kind !== 'reply') this.#latest = { id, content }
    return what
  }

  #checkContent(
    content: Content,
    { id, at, kind, captured }: { id: RecordId; at: number; kind: string; captured: Captured | undefined },
  ): string | undefined {
    switch (content.kind) {
      case 'account_opened': {
        const { account, currency, after, overdraft_limit = 0, minimum_balance = 0, limits } = content
        if (this.#accounts.has(account)) return `opens account ${account}, which is open`
        if (after.ledger !== 0 || after.held !== 0 || after.version !== 1)
          return `opens account ${account} with a balance`
        const slack = overdraft_limit - minimum_balance
        const opened = { currency, at, ...after, state: 'active', slack } as const
        this.#accounts.set(account, { ...opened, ...(limits && { limits }) })
        return undefined
      }
      case 'account_changed':
        return this.#checkState(content, at)
      case 'limits_set':
        return this.#checkLimits(content, at)
      case 'hold_placed':
        return this.#checkPlaced(content, id, at)
      case 'hold_resolved':
        return this.#checkResolved(content, at)
      case 'transfer':
        if (this.#line === undefined) this.#transfers.set(id, content)
        return (
          this.#atm.transfer(content, id) ??
          this.#checkCapture(content, captured) ??
          this.#checkReversal(content, id) ??
          this.#checkStates(content) ??
          this.#checkTransfer(content, at)
        )
      case 'reply':
        return checkReply(content, this.#known())
      case 'credential_created':
      case 'credential_revoked':
      case 'webhook_created':
      case 'webhook_disabled':
      case 'webhook_redelivered':
      case 'adjustment_requested':
      case 'adjustment_rejected':
        return undefined
      default:
        return isOfAtm(content) ? undefined : `is of a kind this Cashpoint does not know: ${kind}`
    }
  }

  #checkState({ account, state, after }: AccountChanged, at: number): string | undefined {
    const before = this.#accounts.get(account)
    if (before?.state === 'closed') return `changes account ${account}, which is closed`
    if (state === 'closed' && (after.ledger !== 0 || after.held !== 0))
      return `closes account ${account}, which is not empty`
    const what = this.#checkAfter(account, after, { ledger: 0, held: 0 }, at)
    const now = this.#accounts.get(account)
    if (now !== undefined) this.#accounts.set(account, { ...now, state })
    return what
  }

  #checkLimits({ account, limits, after }: LimitsSet, at: number): string | undefined {
    if (this.#accounts.get(account)?.state === 'closed') return `limits account ${account}, which is closed`
    const what = this.#checkAfter(account, after, { ledger: 0, held: 0 }, at)
    const now = this.#accounts.get(account)
    if (now !== undefined) this.#accounts.set(account, { ...now, limits })
    return what
  }

  #checkPlaced(content: HoldPlaced, id: RecordId, at: number): string | undefined {
    const { account, amount, currency, expires_at, after, charged } = content
    const before = this.#accounts.get(account)
    if (!Number.isSafeInteger(amount) || amount < 1) return `holds ${amount}, which is no amount`
    if (before?.currency !== currency) return `holds ${currency} on account ${account}`
    if (!takesDebits(before)) return `holds on account ${account}, which is ${before.state}`
    if (before.ledger - before.held + before.slack < amount)
      return `holds more on ${account} than is available`
    const due = dueOfCharge(before, content)
    if ('what' in due) return due.what
    this.#holds.set(id, { account, amount, expires_at, state: 'pending', ...(charged && { charged }) })
    return this.#checkAfter(account, after, { ledger: 0, held: amount, ...due }, at)
  }

  #checkResolved({ hold: id, account, state, after, forced }: HoldResolved, at: number): string | undefined {
    const hold = this.#holds.get(id)
    if (hold?.account !== account) return `resolves hold ${id}, which is not on account ${account}`
    const late = forced === true && hold.state === 'expired' && state === 'posted'
    if (hold.state !== 'pending' && !late) return `resolves hold ${id}, which is ${hold.state}`
    if (state === 'expired' && at < hold.expires_at) return `lets hold ${id} expire before its time`
    const before = this.#accounts.get(account)
    const held = late ? 0 : -hold.amount
    this.#holds.set(id, { ...hold, state })
    if (state !== 'posted') {
      const due = before === undefined ? {} : dueOfBack(before, hold, 1)
      return this.#checkAfter(account, after, { ledger: 0, held, ...due }, at)
    }
    // How much was captured, so how much is given back, the transfer that follows says.
    const { used } = after
    const isOpen = !late && hold.charged !== undefined && before?.used?.day === hold.charged
    const back = isOpen ? before.used.amount - (used ?? before.used).amount : undefined
    if (used !== undefined && (!isOpen || used.day !== hold.charged || used.count !== before.used.count))
      return `gives back of a day that hold ${id} did not use`
    this.#captured = { hold: id, forced: late, back }
    return this.#checkAfter(account, after, { ledger: 0, held, ...(used && { used }) }, at)
  }

  /** A capture pays out what was held on the same account, or less; nothing else names a hold. */
  #checkCapture(transfer: Transfer, captured: Captured | undefined): string | undefined {
    const { type, hold: id, debit, credit, amount, forced, charged } = transfer
    if (id !== undefined && captured === undefined) return `pays hold ${id}, which was not captured`
    if ((type === 'capture') !== (captured !== undefined)) return 'is no proper capture'
    const isForced = forced === true
    if (captured === undefined)
      return isForced && !mayBeForced.has(type) ? `is forced, which no ${type} is` : undefined
    const hold = this.#holds.get(captured.hold)
    if (hold?.account !== debit || !isHouse(credit)) return `pays hold ${captured.hold} on other accounts`
    if (amount > hold.amount) return `pays ${amount} of hold ${captured.hold}, which is of ${hold.amount}`
    if (captured.back !== undefined && captured.back !== hold.amount - amount)
      return `pays ${amount} of hold ${captured.hold}, which gave back ${captured.back} of the limits`
    if (!isForced && charged !== hold.charged) return `is counted on another day than hold ${captured.hold}`
    return isForced === captured.forced
      ? undefined
      : `pays hold ${captured.hold} as if it were otherwise in time`
  }

  /**
   * That the accounts' states let the money move. A reversal may credit any account that is not closed, and debit one
   * if forced; an advice may capture on a frozen one, and the record does not say which capture was an advice. What
   * was withdrawn at a terminal comes back, or is taken after all, whatever the state.
   */
  #checkStates({ type, debit, credit, forced }: Transfer): string | undefined {
    const payer = this.#accounts.get(debit)
    const payee = this.#accounts.get(credit)
    const closed = payer?.state === 'closed' ? debit : payee?.state === 'closed' ? credit : undefined
    const isOfTerminal = type === 'return' || type === 'correction'
    if (closed !== undefined && !isOfTerminal) return `moves money on account ${closed}, which is closed`
    const anyway = type === 'adjustment'
    const mayDebit =
      payer === undefined || type === 'capture' || anyway || forced === true || takesDebits(payer)
    if (!mayDebit) return `debits account ${debit}, which is ${payer.state}`
    const mayCredit =
      payee === undefined || type === 'reversal' || anyway || isOfTerminal || takesCredits(payee)
    return mayCredit ? undefined : `credits account ${credit}, which is ${payee.state}`
  }

  /** What a remembered reply is held against. */
  #known(): Known {
    return {
      latest: this.#latest,
      before: this.#current.last,
      transfer: (id) => this.#transferOf(id),
      hold: (id) => this.#holds.get(id),
      thing: (id) => this.#registry.thing(id),
      account: (number) => this.#accounts.get(number),
      lastReversalOf: (id) => this.#reversed.get(id)?.last,
      atm: this.#atm,
    }
  }

  /** A reversal moves back no more than is left of a transfer, between the same two accounts. */
  #checkReversal(reversal: Transfer, id: RecordId): string | undefined {
    const { reverses } = reversal
    if ((reversal.type === 'reversal') !== (reverses !== undefined)) return 'is no proper reversal'
    if (reverses === undefined) return undefined
    const original = this.#transferOf(reverses)
    if (original === undefined || ['reversal', 'opening', 'adjustment'].includes(original.type))
      return `reverses ${reverses}, which cannot be`
    if (original.operation !== undefined)
      return `reverses ${reverses}, which is taken back through ${original.operation} alone`
    const same =
      original.debit === reversal.credit &&
      original.credit === reversal.debit &&
      original.currency === reversal.currency
    if (!same) return `reverses ${reverses} on other accounts`
    const amount = (this.#reversed.get(reverses)?.amount ?? 0) + reversal.amount
    if (amount > original.amount) return `reverses more of ${reverses} than it moved`
    this.#reversed.set(reverses, { amount, last: id })
    return undefined
  }

  #transferOf(id: RecordId): Transfer | undefined {
    const known = this.#transfers.get(id)
    if (known !== undefined || this.#line === undefined) return known
    const line = this.#line(id)
    const content = line === undefined ? undefined : fromLine(line).content
    return content?.kind === 'transfer' ? content : undefined
  }

  #checkTransfer(transfer: Transfer, at: number): string | undefined {
    const { debit, credit, amount, debit_after, credit_after } = transfer
    if (!Number.isSafeInteger(amount) || amount < 0) return `moves ${amount}, which is no amount`
    if (debit === credit) return `moves money from ${debit} to itself`
    const used = this.#usedOf(transfer)
    if ('what' in used) return used.what
    return (
      this.#checkSide(transfer, debit, debit_after, { ledger: -amount, used: used.debit }, at) ??
      this.#checkSide(transfer, credit, credit_after, { ledger: amount, used: used.credit }, at)
    )
  }

  /** What a transfer must leave as used on its two sides: what leaves is counted, what is taken back is given back. */
  #usedOf(transfer: Transfer): { debit?: Used | undefined; credit?: Used | undefined } | { what: string } {
    const { type, debit, credit, amount, forced, charged, reverses } = transfer
    if (type === 'reversal') {
      const original = this.#transferOf(reverses ?? '')
      const account = this.#accounts.get(credit)
      if (charged !== undefined) return { what: 'is a reversal that is counted' }
      if (account === undefined || original?.charged === undefined) return {}
      const isWhole = this.#reversed.get(reverses ?? '')?.amount === original.amount
      const due = dueOfBack(account, { charged: original.charged, amount }, isWhole ? 1 : 0)
      return { credit: due.used }
    }
    if (type === 'return') return this.#usedOfReturn(transfer)
    const account = this.#accounts.get(debit)
    const counts = ['withdrawal', 'transfer', 'adjustment'].includes(type) || forced === true
    if (account === undefined || !counts)
      return charged === undefined || type === 'capture'
        ? {}
        : { what: 'is counted, which nothing paid in is' }
    const due = dueOfCharge(account, transfer)
    return 'what' in due ? due : { debit: due.used }
  }

  /** What comes back from a terminal is given back to the day of the withdrawal; what a deposit gives back counts nowhere. */
  #usedOfReturn(transfer: Transfer): { credit?: Used | undefined } | { what: string } {
    const { credit, amount, charged } = transfer
    if (charged !== undefined) return { what: 'is a return that is counted' }
    const account = this.#accounts.get(credit)
    if (account === undefined || isTerminalAccount(credit)) return {}
    const { isAll, ...back } = this.#atm.givenBack(transfer)
    return { credit: dueOfBack(account, { ...back, amount }, isAll ? 1 : 0).used }
  }

  #checkSide(
    { currency, type, forced }: Transfer,
    name: string,
    after: After | null,
    { ledger, used }: { readonly ledger: Minor; readonly used: Used | undefined },
    at: number,
  ): string | undefined {
    if (isHouse(name)) {
      if (after !== null) return `leaves a balance on house account ${name}`
      if (!name.endsWith(`:${currency}`)) return `moves ${currency} on ${name}`
      const totals = this.#totals.get(this.#current.writer) ?? new Map<HouseAccount, bigint>()
      this.#totals.set(this.#current.writer, totals.set(name, (totals.get(name) ?? 0n) + BigInt(ledger)))
      return undefined
    }
    const before = this.#accounts.get(name)
    if (after === null) return `leaves no balance on account ${name}`
    if (before !== undefined && before.currency !== currency)
      return `moves ${currency} on account ${name}, which is in ${before.currency}`
    const what = this.#checkAfter(name, after, { ledger, held: 0, ...(used && { used }) }, at)
    // A machine's cash is below zero by what its notes are worth, and what is over or short is either.
    const isFree = type === 'capture' || /\.(cash|over_short)$/.test(name)
    const draws = ledger < 0 && !forced && !isFree
    const left = after.ledger - after.held + (before?.slack ?? 0)
    return what ?? (draws && left < 0 ? `takes account ${name} below what is available` : undefined)
  }

  /** That a record leaves an account changed by so much and no more, one version on, and not back in time. */
  #checkAfter(
    name: string,
    after: After,
    change: { readonly ledger: Minor; readonly held: Minor; readonly used?: Used },
    at: number,
  ): string | undefined {
    const before = this.#accounts.get(name)
    if (before === undefined) return `names account ${name}, which was never opened`
    const due = before.ledger + change.ledger
    if (after.ledger !== due) return `leaves ${after.ledger} on account ${name}; it must be ${due}`
    if (!Number.isSafeInteger(due)) return `leaves ${due} on account ${name}, which is no exact amount`
    if (after.held !== before.held + change.held)
      return `leaves ${after.held} held on account ${name}; it must be ${before.held + change.held}`
    if (after.version !== before.version + 1)
      return `leaves account ${name} at version ${after.version}; it must be ${before.version + 1}`
    if (!isSameUsed(after.used, change.used))
      return `leaves ${JSON.stringify(after.used)} of the limits of ${name} used; it must be ${JSON.stringify(change.used)}`
    if (at < before.at) return `goes back in time on account ${name}`
    this.#accounts.set(name, { ...before, at, ...after })
    return undefined
  }
}

const mayBeForced: ReadonlySet<string> = new Set(['reversal', 'adjustment', 'correction', 'return'])

function takesDebits({ state }: State): boolean {
  return state === 'active' || state === 'credit_blocked'
}

function takesCredits({ state }: State): boolean {
  return state === 'active' || state === 'debit_blocked'
}

/** What stands for all that was proven: the hash of a lone writer's last block, else the hash of all writers' last ones. */
function headOf(heads: readonly Block[], sha256: Sha256): string {
  const [only] = heads
  if (heads.length > 1) return sha256(heads.map(({ writer, hash }) => `${writer} ${hash}\n`).join(''))
  return only?.hash ?? genesis(1).hash
}

/** That a block follows another, with all of its lines; what is in them is not looked at. */
export function checkLink(head: Block, block: Block, lines: readonly Line[]): string | undefined {
  if (block.sequence !== head.sequence + 1) return `follows block ${head.sequence}: blocks are missing`
  if (block.writer !== head.writer) return `is of writer ${block.writer}, not ${head.writer}`
  if (block.previous !== head.hash) return 'does not name the hash of the block before it'
  if (block.clock <= head.clock) return `clock ${block.clock} is not beyond ${head.clock}`
  if (lines.length === 0) return 'has no records'
  const missing = lines.findIndex(({ sequence }, i) => sequence !== head.last + 1 + i)
  if (missing >= 0) return `record ${head.last + 1 + missing} is missing`
  if (block.last !== head.last + lines.length)
    return `says its last record is ${block.last}; it is ${lines.at(-1)?.sequence}`
  return undefined
}

/** The first thing wrong with a block as a link: its place in the chain, or its hash. What its records say is not judged. */
export function checkSealed(
  head: Block,
  block: Block,
  lines: readonly Line[],
  sha256: Sha256,
): Fault | undefined {
  const what =
    checkLink(head, block, lines) ?? (block.hash === blockHash(block, lines, sha256) ? undefined : notItsHash)
  return what === undefined ? undefined : { block: block.sequence, what }
}

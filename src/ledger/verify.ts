/**
 * Proves a journal, block by block: recomputes what `apply` must have done and compares. It shares no code with
 * `apply` or the books, so that one mistake cannot hide in both.
 */
import { type HouseAccount, isHouse } from './account.ts'
import { type Block, blockHash, genesis, type Sha256, writeTotals } from './block.ts'
import type { Currency, Minor } from './money.ts'
import {
  type After,
  fromLine,
  type JournalRecord,
  type Line,
  type Remembered,
  type Transfer,
} from './record.ts'

/** The first thing that is wrong: in which block, at which record if it is one, and what. */
export type Fault = { readonly block: number; readonly record?: number; readonly what: string }

export type Proven = {
  readonly blocks: number
  readonly records: number
  readonly accounts: number
  readonly head: string
  /** Per currency: what customers own together, and the house's side, which is the same below zero. */
  readonly sums: readonly {
    readonly currency: Currency
    readonly customers: bigint
    readonly house: bigint
  }[]
}

type State = After & { readonly currency: Currency; readonly at: number }

export class Verifier {
  readonly #sha256: Sha256
  #head: Block
  readonly #accounts = new Map<string, State>()
  readonly #totals = new Map<HouseAccount, bigint>()
  #latest: { readonly id: string; readonly transfer: Transfer } | undefined

  constructor({ sha256, writer = 1 }: { sha256: Sha256; writer?: number }) {
    this.#sha256 = sha256
    this.#head = genesis(writer)
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
    const what = this.#checkChain(block, lines)
    if (what !== undefined) return { block: block.sequence, what }
    const intact = block.hash === blockHash(block, lines, this.#sha256)
    const fault = this.#checkLines(block, lines)
    if (fault !== undefined) return intact ? fault : { ...fault, what: `was changed: ${fault.what}` }
    if (!intact)
      return { block: block.sequence, what: 'does not match its hash: a record or the block was changed' }
    const totals = writeTotals(this.#totals)
    if (block.totals !== totals)
      return { block: block.sequence, what: `house totals are ${block.totals}, the records make ${totals}` }
    this.#head = block
    return undefined
  }

  /** After the last block: that customers and house sum to zero, and the figures. */
  finish(): Fault | Proven {
    const customers = new Map<Currency, bigint>()
    for (const { currency, ledger } of this.#accounts.values())
      customers.set(currency, (customers.get(currency) ?? 0n) + BigInt(ledger))
    const house = new Map<Currency, bigint>()
    for (const [name, total] of this.#totals) {
      const currency = name.slice(name.indexOf(':') + 1)
      house.set(currency, (house.get(currency) ?? 0n) + total)
    }
    const currencies = [...new Set([...customers.keys(), ...house.keys()])].sort()
    const sums = currencies.map((currency) => ({
      currency,
      customers: customers.get(currency) ?? 0n,
      house: house.get(currency) ?? 0n,
    }))
    const off = sums.find((sum) => sum.customers + sum.house !== 0n)
    if (off !== undefined)
      return {
        block: this.#head.sequence,
        what: `${off.currency} sums to ${off.customers + off.house} minor units, not 0`,
      }
    const { sequence: blocks, last: records, hash: head } = this.#head
    return { blocks, records, accounts: this.#accounts.size, head, sums }
  }

  #checkChain(block: Block, lines: readonly Line[]): string | undefined {
    const head = this.#head
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

  #checkLines(block: Block, lines: readonly Line[]): Fault | undefined {
    for (const line of lines) {
      const what = this.#checkLine(line)
      if (what !== undefined) return { block: block.sequence, record: line.sequence, what }
    }
    return undefined
  }

  #checkLine(line: Line): string | undefined {
    try {
      return this.#checkRecord(fromLine(line), line.kind)
    } catch (error) {
      // What is on the disk is not trusted to have the shape its type says.
      return error instanceof SyntaxError ? 'is not JSON' : `is no proper ${line.kind}`
    }
  }

  #checkRecord({ sequence, content, at }: JournalRecord, kind: string): string | undefined {
    switch (content.kind) {
      case 'account_opened': {
        const { account, currency, after } = content
        if (this.#accounts.has(account)) return `opens account ${account}, which is open`
        if (after.ledger !== 0 || after.held !== 0 || after.version !== 1)
          return `opens account ${account} with a balance`
        this.#accounts.set(account, { currency, at, ...after })
        return undefined
      }
      case 'transfer':
        this.#latest = { id: `${this.#head.writer}-${sequence}`, transfer: content }
        return this.#checkTransfer(content, at)
      case 'reply':
        return this.#checkReply(content)
      default:
        return `is of a kind this Cashpoint does not know: ${kind}`
    }
  }

  /** A key that moved money remembers the transfer just before it, as it was. */
  #checkReply({ key, fingerprint, reply }: Remembered): string | undefined {
    if (key === '' || !/^[0-9a-f]{64}$/.test(fingerprint)) return 'remembers no proper key'
    if (reply.type !== 'posted') return undefined
    const { id, transfer } = this.#latest ?? {}
    if (reply.transfer !== id || transfer === undefined)
      return `answers with transfer ${reply.transfer}, not ${id}`
    const after = transfer.debit === reply.account ? transfer.debit_after : transfer.credit_after
    const same =
      transfer.key === key &&
      [transfer.debit, transfer.credit].includes(reply.account) &&
      reply.amount === transfer.amount &&
      reply.currency === transfer.currency &&
      reply.ledger === after?.ledger &&
      reply.version === after.version
    return same ? undefined : `answers otherwise than transfer ${id} says`
  }

  #checkTransfer(transfer: Transfer, at: number): string | undefined {
    const { debit, credit, amount, debit_after, credit_after } = transfer
    if (!Number.isSafeInteger(amount) || amount < 0) return `moves ${amount}, which is no amount`
    if (debit === credit) return `moves money from ${debit} to itself`
    return (
      this.#checkSide(transfer, debit, debit_after, -amount, at) ??
      this.#checkSide(transfer, credit, credit_after, amount, at)
    )
  }

  #checkSide(
    { currency }: Transfer,
    name: string,
    after: After | null,
    change: Minor,
    at: number,
  ): string | undefined {
    if (isHouse(name)) {
      if (after !== null) return `leaves a balance on house account ${name}`
      if (!name.endsWith(`:${currency}`)) return `moves ${currency} on ${name}`
      this.#totals.set(name, (this.#totals.get(name) ?? 0n) + BigInt(change))
      return undefined
    }
    const before = this.#accounts.get(name)
    if (before === undefined) return `names account ${name}, which was never opened`
    if (after === null) return `leaves no balance on account ${name}`
    if (before.currency !== currency)
      return `moves ${currency} on account ${name}, which is in ${before.currency}`
    const due = before.ledger + change
    if (after.ledger !== due) return `leaves ${after.ledger} on account ${name}; it must be ${due}`
    if (!Number.isSafeInteger(due)) return `leaves ${due} on account ${name}, which is no exact amount`
    if (change < 0 && due - after.held < 0) return `takes account ${name} below what is available`
    if (after.held !== before.held) return `changes what is held on account ${name}`
    if (after.version !== before.version + 1)
      return `leaves account ${name} at version ${after.version}; it must be ${before.version + 1}`
    if (at < before.at) return `goes back in time on account ${name}`
    this.#accounts.set(name, { currency, at, ...after })
    return undefined
  }
}

/** What can be asked of the ledger, and what it answers. Plain data: it is fingerprinted, queued and stored. */
import {
  type Account,
  type AccountNumber,
  type AccountState,
  type Metadata,
  plainAccount,
} from './account.ts'
import { type AtmCommand, type AtmReply, pagesOfAtm } from './atm-commands.ts'
import type { CardId } from './card.ts'
import { type EntityName, nameOf } from './entity.ts'
import type { Day, Exceeded, Limits } from './limits.ts'
import type { Currency, Decimal, Instant, Minor } from './money.ts'
import type { PinTry } from './pin.ts'
import type { Transfer, Words } from './record.ts'
import type { Refusal } from './refusal.ts'
import type { Adjustment, Direction, Role, Thing } from './registry.ts'
import type { About } from './withdrawal.ts'

/** Pays money in. With `open` (a currency) the account is opened where it does not exist. */
export type Deposit = {
  readonly type: 'deposit'
  readonly account: AccountNumber
  readonly amount: Decimal
  readonly open: Currency
}

/** Pays cash out, of what is available. */
export type Withdraw = {
  readonly type: 'withdraw'
  readonly account: AccountNumber
  readonly amount: Decimal
}

/** Opens the accounts a new store begins with, with balances out of equity; does nothing where books exist. */
export type OpenBooks = {
  readonly type: 'open_books'
  readonly accounts: readonly {
    readonly number: AccountNumber
    readonly currency: Currency
    readonly ledger: Minor
  }[]
}

/** Opens an account, under a number of the server's (`Submission.fresh`) where none is given. */
export type OpenAccount = {
  readonly type: 'open_account'
  readonly number?: AccountNumber
  readonly currency: Currency
  readonly overdraft_limit: Minor
  readonly minimum_balance: Minor
  readonly limits?: Limits
  readonly metadata: Metadata
}

/** Blocks, frees or closes an account. Closing wants a balance of zero and no holds, and is for ever. */
export type SetState = {
  readonly type: 'set_state'
  readonly account: AccountNumber
  readonly state: AccountState
  readonly reason: string
  readonly if_version?: number
}

/** Sets all limits of an account; what is left out is not limited any more. */
export type SetLimits = {
  readonly type: 'set_limits'
  readonly account: AccountNumber
  readonly limits: Limits
  readonly if_version?: number
}

/**
 * Moves money between two accounts; `null` is the house's cash. With `up_to`, what is available is enough.
 * `if_version`, here and below, is what the account that is debited must be at, or the one credited where that is
 * the house's.
 */
export type Move = {
  readonly type: 'move'
  readonly from: AccountNumber | null
  readonly to: AccountNumber | null
  readonly amount: Minor
  readonly currency: Currency
  readonly up_to?: true
  readonly if_version?: number
} & Words

/** Takes a transfer back, or as much of it as is said. `force` may leave an account below zero. */
export type Reverse = {
  readonly type: 'reverse'
  readonly transfer: RecordId
  readonly amount?: Minor
  readonly force?: true
  readonly if_version?: number
} & Words

/** Sets money aside for a time. */
export type PlaceHold = {
  readonly type: 'hold'
  readonly account: AccountNumber
  readonly amount: Minor
  readonly currency: Currency
  readonly expires_in_s: number
  readonly if_version?: number
} & Words

/** Pays a hold out in cash, whole or in part; the rest is free again. An `advice` reports what already happened. */
export type Capture = {
  readonly type: 'capture'
  readonly hold: RecordId
  readonly amount?: Minor
  readonly advice?: true
  readonly if_version?: number
} & Words

/** Frees what a hold has set aside. */
export type VoidHold = {
  readonly type: 'void'
  readonly hold: RecordId
  readonly if_version?: number
}

/** Asks for a pass that proves the books. It changes nothing in them: it is a command so that a key remembers it. */
export type RequestProof = {
  readonly type: 'request_proof'
  readonly from_block?: number
  readonly to_block?: number
}

/** Corrects a balance by hand. `person` is who asks, by name: above a threshold, another one must approve. */
export type Adjust = {
  readonly type: 'adjust'
  readonly account: AccountNumber
  readonly amount: Minor
  readonly currency: Currency
  readonly direction: Direction
  readonly reason: string
  readonly person: string
}

/** Carries an adjustment out that waits, or drops it. */
export type DecideAdjustment = {
  readonly type: 'decide_adjustment'
  readonly adjustment: RecordId
  readonly approve: boolean
  readonly person: string
}

/** Lets somebody in; `Submission.fresh` is the SHA-256 of the key. */
export type CreateCredential = {
  readonly type: 'create_credential'
  readonly role: Role
  readonly name: string
}

export type RevokeCredential = { readonly type: 'revoke_credential'; readonly credential: RecordId }

/** Sends events to a target; `Submission.fresh` is the salt of its secret, `sealed_with` says which key makes it. */
export type CreateWebhook = {
  readonly type: 'create_webhook'
  readonly url: string
  readonly types: readonly string[]
  readonly sealed_with: string
}

export type DisableWebhook = { readonly type: 'disable_webhook'; readonly webhook: RecordId }

/** Sends an event once more, or without one all that were given up. */
export type Redeliver = {
  readonly type: 'redeliver'
  readonly webhook: RecordId
  readonly event?: RecordId
}

/** One operation of a batch, with a key of its own if it has one. */
export type Item = { readonly command: Exclude<Command, Batch>; readonly key?: string }

/**
 * Several operations in one request. `atomic`: all or none, decided under the batch's own key. `dry_run`: what
 * would be answered, and nothing changed or remembered.
 */
export type Batch = {
  readonly type: 'batch'
  readonly atomic: boolean
  readonly dry_run: boolean
  readonly items: readonly Item[]
}

export type Command =
  | Batch
  | Deposit
  | Withdraw
  | OpenBooks
  | OpenAccount
  | SetState
  | SetLimits
  | Move
  | Reverse
  | PlaceHold
  | Capture
  | VoidHold
  | RequestProof
  | Adjust
  | DecideAdjustment
  | CreateCredential
  | RevokeCredential
  | CreateWebhook
  | DisableWebhook
  | Redeliver
  | AtmCommand

/** How many operations a command is: what a commit, and a queue, are measured by. */
export function operationsIn(command: Command): number {
  return command.type === 'batch' ? command.items.length : 1
}

/**
 * The pages a submission may touch, which a store loads before it is applied: customers' accounts, transfers (each
 * with its accounts), holds (each with its account), what is registered (an adjustment with its account), what the ATM
 * side keeps (each with what is behind it), and what was answered under keys.
 */
export type Pages = {
  readonly accounts?: readonly AccountNumber[]
  readonly transfer?: RecordId
  readonly hold?: RecordId
  readonly thing?: RecordId
  readonly key?: Key
  /** What the ATM side keeps, each with what it stands on. */
  readonly entities?: readonly EntityName[]
  /** All that waits under names that begin so, each with what it stands on. */
  readonly waiting?: EntityName
  /** The same of all that waits on an account (`waitsOn`). */
  readonly waiting_on?: AccountNumber
}

export function pagesOf({ command, actor, fresh, key }: Submission): readonly Pages[] {
  if (command.type !== 'batch') return [{ ...pagesOfCommand(command, fresh), ...(key && { key }) }]
  const scope = key?.scope ?? actor
  const items = command.items.map((item) => ({
    ...pagesOfCommand(item.command, undefined),
    ...(item.key !== undefined && { key: { scope, key: item.key } }),
  }))
  return key === undefined ? items : [{ key }, ...items]
}

function pagesOfCommand(command: Item['command'], fresh: AccountNumber | undefined): Pages {
  switch (command.type) {
    case 'open_books':
      return { accounts: command.accounts.map(({ number }) => number) }
    case 'open_account':
      return { accounts: [command.number ?? fresh ?? ''] }
    case 'move':
      return { accounts: [command.from, command.to].filter((number) => number !== null) }
    case 'reverse':
      return { transfer: command.transfer }
    case 'capture':
    case 'void':
      return { hold: command.hold }
    case 'deposit':
    case 'withdraw':
    case 'hold':
    case 'set_limits':
    case 'adjust':
      return { accounts: [command.account] }
    case 'set_state': {
      const { account, state } = command
      return { accounts: [account], ...(state === 'closed' && { waiting_on: account }) }
    }
    case 'decide_adjustment':
      return { thing: command.adjustment }
    case 'revoke_credential':
      return { thing: command.credential }
    case 'disable_webhook':
    case 'redeliver':
      return { thing: command.webhook }
    case 'create_credential':
      return { entities: [nameOf.demo] }
    case 'request_proof':
    case 'create_webhook':
      return {}
    default:
      return pagesOfAtm(command)
  }
}

/** A client's idempotency key. Scopes keep callers apart; in open mode there is one, empty. */
export type Key = { readonly scope: string; readonly key: string }

/** A command with who asks, and the key it is remembered under if it has one. */
export type Submission = {
  readonly command: Command
  readonly key?: Key
  /** The credential that asks; empty in open mode. */
  readonly actor: string
  /** What is made by chance and no part of the request: a number nobody has, the hash of a key, a salt. */
  readonly fresh?: string
  /** The PIN that was entered, and what is to stand for a new one: no part of the request either. */
  readonly pin?: PinTry
  /** By the id of the card: which one it is, the books know. */
  readonly new_pin?: Readonly<Record<CardId, string>>
}

/** A record's name: `writer-sequence`, such as `1-42`, gap-free and in order within a writer. */
export type RecordId = string

/** The id of a writer's record. */
export function idOf(sequence: number, writer = 1): RecordId {
  return `${writer}-${sequence}`
}

/** Whether a text has the form of an id; whether there is such a record is another matter. */
export function isRecordId(text: string): text is RecordId {
  return /^[1-9][0-9]{0,8}-[1-9][0-9]{0,14}$/.test(text)
}

/** The record that an id of writer 1, the only one there is as yet, names; -1, which none has, where it is no such id. */
export function sequenceOf(id: RecordId): number {
  return /^1-[1-9][0-9]{0,14}$/.test(id) ? Number(id.slice(2)) : -1
}

/** What stands before a record of writer 1 has a lower sequence than this; without a record, all does. */
export function sequenceBefore(id: RecordId | undefined): number {
  return id === undefined ? Number.MAX_SAFE_INTEGER : sequenceOf(id)
}

/** Money has moved: the transfer and the account as it left it. Amounts in minor units. */
export type Posted = {
  readonly type: 'posted'
  readonly transfer: RecordId
  readonly account: AccountNumber
  readonly currency: Currency
  readonly amount: Minor
  readonly ledger: Minor
  readonly held: Minor
  readonly version: number
  readonly at: Instant
  /** Whether this command opened the account. */
  readonly opened: boolean
}

/** The books have been opened, with these accounts; with none where they were open before. */
export type BooksOpened = { readonly type: 'books_opened'; readonly accounts: readonly Account[] }

/** A transfer as it was posted, or the one that had done already what was asked. */
export type Transferred = {
  readonly type: 'transferred'
  /** Whether this command posted it. */
  readonly made: boolean
  readonly transfer: PostedTransfer
}

export type PostedTransfer = Omit<Transfer, 'kind'> & { readonly id: RecordId; readonly at: Instant }

/** A hold, with what became of it. `captured` and `transfer` are of a posted one. */
export type Hold = {
  readonly id: RecordId
  readonly account: AccountNumber
  readonly amount: Minor
  readonly currency: Currency
  readonly at: Instant
  readonly expires_at: Instant
  readonly state: 'pending' | 'posted' | 'voided' | 'expired'
  readonly captured?: Minor
  readonly transfer?: RecordId
  readonly forced?: true
  /** The business day whose limits it uses, where the account has any. */
  readonly charged?: Day
} & Words

/** A hold as it is at an instant: one whose time is up has expired, also before a command has resolved it. */
export function holdAt(hold: Hold, now: Instant): Hold {
  return hold.state === 'pending' && hold.expires_at <= now ? { ...hold, state: 'expired' } : hold
}

export type HoldReply = { readonly type: 'hold'; readonly made: boolean; readonly hold: Hold }

/** An account as the command left it. */
export type AccountReply = { readonly type: 'account'; readonly made: boolean; readonly account: Account }

/** What is registered, as the command left it; with the transfer that an adjustment became. */
export type Registered = {
  readonly type: 'registered'
  readonly made: boolean
  readonly thing: Thing
  readonly transfer?: PostedTransfer
}

/**
 * `state` is what stands in the way, of a hold or an adjustment that is resolved already; `members` what a key's request had otherwise;
 * `limit` the one that would be passed.
 */
export type Refused = {
  readonly type: 'refused'
  readonly refusal: Refusal
  readonly state?: Hold['state'] | Adjustment['state']
  readonly members?: readonly string[]
  readonly limit?: Exceeded
  /** More of what stands in the way, by the names that clients know. */
  readonly about?: About
}

/** What each operation of a batch was answered, in order; of an atomic one that was dropped, the refusal alone. */
export type BatchReply = {
  readonly type: 'batch'
  /** Index of the operation that made an atomic batch be dropped. */
  readonly failed?: number
  readonly atomic: boolean
  readonly dry_run: boolean
  readonly results: readonly Outcome[]
}

/** A pass was asked for, of a range of blocks where one is given. What it finds is no reply of the ledger's. */
export type ProofRequested = Omit<RequestProof, 'type'> & {
  readonly type: 'proof_requested'
  readonly at: Instant
}

export type Reply =
  | BatchReply
  | Posted
  | Refused
  | BooksOpened
  | Transferred
  | HoldReply
  | AccountReply
  | ProofRequested
  | Registered
  | AtmReply

/**
 * The accounts that a reply says it left, as plain ones: whoever keeps copies of plain accounts needs no more than the
 * reply. What is told of an account that is not plain is not all of it.
 */
export function accountsTold(reply: Reply): readonly Account[] {
  switch (reply.type) {
    case 'posted': {
      const { account: number, currency, ledger, held, version, at } = reply
      return [plainAccount({ number, currency, after: { ledger, held, version }, at })]
    }
    case 'transferred':
      return reply.made ? sidesTold(reply.transfer) : []
    case 'registered':
      return reply.transfer ? sidesTold(reply.transfer) : []
    case 'batch':
      if (reply.dry_run || reply.failed !== undefined) return []
      return reply.results.flatMap((result) => (result.replayed ? [] : accountsTold(result.reply)))
    case 'books_opened':
      return reply.accounts
    default:
      return []
  }
}

function sidesTold({ debit, credit, debit_after, credit_after, currency, at }: PostedTransfer): Account[] {
  return [
    ...(debit_after === null ? [] : [plainAccount({ number: debit, currency, after: debit_after, at })]),
    ...(credit_after === null ? [] : [plainAccount({ number: credit, currency, after: credit_after, at })]),
  ]
}

/** A reply, and whether it is the stored one of an earlier request with the same key. */
export type Outcome = { readonly reply: Reply; readonly replayed: boolean }

export function refuse(refusal: Refusal, state?: Refused['state'], about?: About): Refused {
  return { type: 'refused', refusal, ...(state && { state }), ...(about && { about }) }
}

/** What can be asked of the ATM side, and what it answers beside refusals. Plain data, as all commands are. */
import type { AccountNumber } from './account.ts'
import type { AccountType, CardAccount, CardId, CardStatus, PinPolicy } from './card.ts'
import type { Command, Pages } from './command.ts'
import type { MixRule } from './dispense-plan.ts'
import { type Entity, type EntityName, nameOf } from './entity.ts'
import type { Limits } from './limits.ts'
import type { Currency, Minor } from './money.ts'
import {
  accountsOfTerminal,
  type BatchTotals,
  type Contents,
  type Notes,
  type NotesOut,
  type Terminal,
  type TerminalId,
  type UnitPlan,
  type WrappedKey,
} from './terminal.ts'
import { numberOfClose, numbersOf, type Original, type Stamp } from './trace.ts'
import type { Confirmation, Operation } from './withdrawal.ts'

export type CreateTerminal = {
  readonly type: 'create_terminal'
  readonly id: TerminalId
  readonly name: string
  readonly currency: Currency
  readonly units: readonly UnitPlan[]
  readonly mix: MixRule
  readonly max_notes: number
  readonly max_withdrawal?: Minor
  readonly start_within_s: number
  readonly confirm_within_s: number
  readonly require_sign_on: boolean
}

export type SetTerminalState = {
  readonly type: 'set_terminal_state'
  readonly terminal: TerminalId
  readonly state: 'in_service' | 'out_of_service'
  readonly reason: string
}

export type Sign = { readonly type: 'sign'; readonly terminal: TerminalId; readonly on: boolean }

export type SetPinKey = {
  readonly type: 'set_pin_key'
  readonly terminal: TerminalId
  readonly key: WrappedKey
}

/** Without a key the terminal has none from then on, and its messages need no MAC. */
export type SetMacKey = {
  readonly type: 'set_mac_key'
  readonly terminal: TerminalId
  readonly key?: WrappedKey
}

/** A MAC was right under this key, by its text: if it is the newest, the one before is done with. */
export type RetireMacKey = {
  readonly type: 'retire_mac_key'
  readonly terminal: TerminalId
  readonly wrapped: WrappedKey['wrapped']
}

/** The card by every id it may have: under the newest key of the server's first. */
export type CardIds = readonly CardId[]

/** Takes the customer's money into transit and reserves the notes, in one commit. The PIN is in the submission. */
export type Authorize = {
  readonly type: 'authorize'
  readonly terminal: TerminalId
  readonly id: string
  readonly pan: CardIds
  readonly last4: string
  readonly amount: Minor
  readonly currency: Currency
  readonly account?: AccountNumber
  /** Which of the card's accounts, where no number is named. */
  readonly account_type?: AccountType
  readonly mix?: MixRule | NotesOut
  readonly confirmation: Confirmation
} & Stamped

/** What was asked by a message: how that is told from others, and whether it says that it was sent before. */
export type Stamped = { readonly stamp?: Stamp; readonly again?: boolean }

/** The machine is about to dispense: it must not without the yes to this. */
export type StartDispense = {
  readonly type: 'start_dispense'
  readonly terminal: TerminalId
  readonly id: string
}

/** The machine says which notes left. Never refused. */
export type Confirm = {
  readonly type: 'confirm'
  readonly terminal: TerminalId
  readonly id: string
  readonly units: NotesOut
  readonly rejected?: NotesOut
  readonly outcome?: 'dispensed' | 'retracted' | 'unknown'
  /** What left all in all; where no units are named, the notes that most likely did are worth it. */
  readonly amount?: Minor
}

/**
 * A machine's message says what already happened to something that it names by its numbers: that so much left, or that
 * it does not know how much, or of `nothing` that it was not done at all. Never refused.
 */
export type Advise = {
  readonly type: 'advise'
  readonly terminal: TerminalId
  /** Its own: it is kept under this one where nobody can tell what it is about. */
  readonly id: string
  /** What it may be about, the likeliest first; the first of them is how it is told from others. */
  readonly originals: readonly Original[]
  readonly of?: 'withdrawal' | Operation['type']
  readonly pan?: CardIds
  readonly account?: AccountNumber
  /** What was asked for at first. */
  readonly asked?: Minor
  readonly says: 'nothing' | (Pick<Confirm, 'units' | 'rejected' | 'outcome'> & { readonly amount: Minor })
  /** Where nothing left: the notes that were rejected on the way. */
  readonly rejected?: NotesOut
}

/** The machine says that no note left. Never refused. */
export type ReverseWithdrawal = {
  readonly type: 'reverse_withdrawal'
  readonly terminal: TerminalId
  readonly id: string
  readonly reason: string
  /** Notes that went into the reject unit on the way. */
  readonly rejected?: NotesOut
}

/** Looks at a withdrawal whose time is up. */
export type ExpireWithdrawal = {
  readonly type: 'expire_withdrawal'
  readonly terminal: TerminalId
  readonly id: string
}

export type Inquire = {
  readonly type: 'inquire'
  readonly terminal: TerminalId
  readonly pan: CardIds
  readonly of: 'balance' | 'statement'
  readonly account?: AccountNumber
  readonly account_type?: AccountType
}

export type TerminalDeposit = {
  readonly type: 'terminal_deposit'
  readonly terminal: TerminalId
  readonly id: string
  readonly account?: AccountNumber
  readonly pan?: CardIds
  readonly currency: Currency
  readonly notes: Notes
} & Stamped

export type ReverseDeposit = {
  readonly type: 'reverse_deposit'
  readonly terminal: TerminalId
  readonly id: string
  readonly reason: string
}

export type TerminalTransfer = {
  readonly type: 'terminal_transfer'
  readonly terminal: TerminalId
  readonly id: string
  readonly pan: CardIds
  /** Accounts by their numbers; else the card's of a type. */
  readonly from?: AccountNumber
  readonly from_type?: AccountType
  readonly to?: AccountNumber
  readonly to_type?: AccountType
  readonly amount: Minor
  readonly currency: Currency
} & Stamped

/** The new PIN's reference is the submission's. */
export type ChangePin = {
  readonly type: 'change_pin'
  readonly terminal: TerminalId
  readonly id: string
  readonly pan: CardIds
} & Stamped

export type CloseBatch = {
  readonly type: 'close_batch'
  readonly terminal: TerminalId
  readonly batch: number
  /** What the machine counted: where the books say otherwise, that is an exception. */
  readonly totals?: BatchTotals
  /** What it counted in, by its code or by a number that is none: where that is another one, so is this. */
  readonly currency?: string
} & Stamped

export type StartExchange = { readonly type: 'start_exchange'; readonly terminal: TerminalId }

export type CountUnits = {
  readonly type: 'count_units'
  readonly terminal: TerminalId
  readonly exchange: string
  readonly units: Readonly<Record<string, Contents>>
}

export type EndExchange = {
  readonly type: 'end_exchange'
  readonly terminal: TerminalId
  readonly exchange: string
  readonly mode: 'set' | 'add'
  readonly loaded: NotesOut
  readonly suspects?: Readonly<Record<string, { readonly dispensed: Minor }>>
}

export type ResolveException = {
  readonly type: 'resolve_exception'
  readonly exception: string
  readonly dispensed?: Minor
  readonly reason: string
  readonly person: string
}

/** The PIN's reference is the submission's. */
export type IssueCard = {
  readonly type: 'issue_card'
  readonly pan: CardIds
  readonly last4: string
  readonly expiry: string
  readonly accounts: readonly CardAccount[]
  readonly pin_policy: PinPolicy
  readonly limits?: Limits
}

export type BlockCard = {
  readonly type: 'block_card'
  readonly card: CardId
  readonly status: Exclude<CardStatus, 'active'>
  readonly reason: string
}

/** Makes a blocked card active again, and gives its tries back. */
export type UnblockCard = {
  readonly type: 'unblock_card'
  readonly card: CardId
  readonly reason: string
}

/** Sets a PIN, by its reference in the submission, and gives the tries back. */
export type SetPin = { readonly type: 'set_pin'; readonly card: CardId; readonly reason: string }

/** Says which terminal and cards are the demo's: they end with it. */
export type OpenDemo = {
  readonly type: 'open_demo'
  readonly terminal: TerminalId
  readonly cards: readonly CardId[]
}

/** Writes down which keys the server has, by check values. */
export type KnowKeys = {
  readonly type: 'know_keys'
  readonly values: Readonly<Record<string, string>>
}

export type AtmCommand =
  | CreateTerminal
  | SetTerminalState
  | Sign
  | SetPinKey
  | SetMacKey
  | RetireMacKey
  | Authorize
  | StartDispense
  | Confirm
  | Advise
  | ReverseWithdrawal
  | ExpireWithdrawal
  | Inquire
  | TerminalDeposit
  | ReverseDeposit
  | TerminalTransfer
  | ChangePin
  | CloseBatch
  | StartExchange
  | CountUnits
  | EndExchange
  | ResolveException
  | IssueCard
  | BlockCard
  | UnblockCard
  | SetPin
  | OpenDemo
  | KnowKeys

/** What the ATM side keeps, as the command left it; of a terminal with what counting has found so far. */
export type EntityReply = {
  readonly type: 'entity'
  readonly made: boolean
  readonly entity: Entity
  readonly over_short?: Minor
}

export type Inquired = {
  readonly type: 'inquired'
  readonly of: Inquire['of']
  readonly account: AccountNumber
  readonly currency: Currency
  readonly ledger: Minor
  readonly available: Minor
  readonly version: number
}

export type ExchangeOpen = {
  readonly type: 'exchange_open'
  readonly exchange: string
  readonly terminal: Terminal
  readonly over_short: Minor
  readonly suspects: readonly {
    readonly withdrawal: string
    readonly amount: Minor
    readonly units: NotesOut
  }[]
}

/** What is in each unit beyond what must be; of suspects, what that says of them where it says anything. */
export type Counted = {
  readonly type: 'counted'
  readonly units: Readonly<
    Record<
      string,
      {
        readonly expected: Contents
        readonly counted: Contents
        readonly variance: number
        readonly amount: Minor
      }
    >
  >
  readonly amount: Minor
  readonly suspects: readonly {
    readonly withdrawal: string
    readonly amount: Minor
    readonly proposal: { readonly dispensed: Minor } | null
  }[]
}

export type Exchanged = {
  readonly type: 'exchanged'
  readonly removed: Readonly<Record<string, Contents>>
  readonly loaded: NotesOut
  /** What went to over/short in this exchange; below zero where notes were missing. */
  readonly variance: Minor
  readonly terminal: Terminal
  readonly over_short: Minor
}

export type AtmReply = EntityReply | Inquired | ExchangeOpen | Counted | Exchanged

const atmCommands: ReadonlySet<string> = new Set([
  'create_terminal',
  'set_terminal_state',
  'sign',
  'set_pin_key',
  'set_mac_key',
  'retire_mac_key',
  'authorize',
  'start_dispense',
  'confirm',
  'advise',
  'reverse_withdrawal',
  'expire_withdrawal',
  'inquire',
  'terminal_deposit',
  'reverse_deposit',
  'terminal_transfer',
  'change_pin',
  'close_batch',
  'start_exchange',
  'count_units',
  'end_exchange',
  'resolve_exception',
  'issue_card',
  'block_card',
  'unblock_card',
  'set_pin',
  'open_demo',
  'know_keys',
] satisfies AtmCommand['type'][])

export function isAtmCommand(command: Command): command is AtmCommand {
  return atmCommands.has(command.type)
}

/** The pages each may touch. A terminal's accounts come with every command of its own: they are its lock. */
export function pagesOfAtm(command: AtmCommand): Pages {
  switch (command.type) {
    case 'create_terminal':
      return ofTerminal(command.id)
    case 'set_terminal_state':
    case 'sign':
    case 'set_pin_key':
    case 'set_mac_key':
    case 'retire_mac_key':
      return ofTerminal(command.terminal)
    case 'authorize': {
      const { terminal, id, pan } = command
      const own = nameOf.withdrawal(terminal, id)
      return ofTerminal(terminal, [own, ...pan.map(nameOf.card), ...tracesOf(command)])
    }
    case 'advise': {
      const { terminal, id, originals, pan = [] } = command
      const traces = originals.map(({ number }) => nameOf.trace(terminal, number))
      return ofTerminal(terminal, [nameOf.withdrawal(terminal, id), ...traces, ...pan.map(nameOf.card)])
    }
    case 'start_dispense':
    case 'confirm':
    case 'reverse_withdrawal':
    case 'expire_withdrawal':
      return ofTerminal(command.terminal, [nameOf.withdrawal(command.terminal, command.id)])
    case 'inquire':
      return ofTerminal(command.terminal, command.pan.map(nameOf.card))
    case 'terminal_deposit': {
      const { terminal, id, account, pan = [] } = command
      const accounts = account === undefined ? [] : [account]
      const own = nameOf.operation(terminal, id)
      return ofTerminal(terminal, [own, ...pan.map(nameOf.card), ...tracesOf(command)], accounts)
    }
    case 'reverse_deposit':
      return ofTerminal(command.terminal, [nameOf.operation(command.terminal, command.id)])
    case 'terminal_transfer': {
      const { terminal, id, pan, to } = command
      const accounts = to === undefined ? [] : [to]
      const own = nameOf.operation(terminal, id)
      return ofTerminal(terminal, [own, ...pan.map(nameOf.card), ...tracesOf(command)], accounts)
    }
    case 'change_pin': {
      const { terminal, id, pan } = command
      const own = nameOf.operation(terminal, id)
      return ofTerminal(terminal, [own, ...pan.map(nameOf.card), ...tracesOf(command)])
    }
    case 'close_batch': {
      const { terminal, batch, stamp } = command
      const trace = stamp === undefined ? [] : [nameOf.trace(terminal, numberOfClose(stamp))]
      return { ...ofTerminal(terminal, [nameOf.batch(terminal, batch), ...trace]), ...waitingOf(terminal) }
    }
    case 'start_exchange':
    case 'count_units':
    case 'end_exchange':
      return { ...ofTerminal(command.terminal), ...waitingOf(command.terminal) }
    case 'resolve_exception':
      return { entities: [nameOf.exception(command.exception)] }
    case 'issue_card':
      return {
        accounts: command.accounts.map(({ account }) => account),
        entities: command.pan.map(nameOf.card),
      }
    case 'block_card':
    case 'unblock_card':
    case 'set_pin':
      return { entities: [nameOf.card(command.card)] }
    case 'open_demo':
      return ofTerminal(command.terminal, [nameOf.demo, ...command.cards.map(nameOf.card)])
    case 'know_keys':
      return { entities: [nameOf.keys] }
  }
}

function tracesOf({ terminal, stamp }: Stamped & { readonly terminal: TerminalId }): readonly EntityName[] {
  return stamp === undefined ? [] : numbersOf(stamp).map((number) => nameOf.trace(terminal, number))
}

function ofTerminal(
  id: TerminalId,
  entities: readonly string[] = [],
  accounts: readonly AccountNumber[] = [],
): Pages {
  return {
    accounts: [...Object.values(accountsOfTerminal(id)), ...accounts],
    entities: [nameOf.terminal(id), ...entities],
  }
}

/** Everything of a terminal's that waits for an end. */
function waitingOf(id: TerminalId): Pages {
  return { waiting: nameOf.withdrawal(id, '') }
}

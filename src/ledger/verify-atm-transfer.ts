/** Which money may go where at a terminal, and which records say what it is of. */
import { isHouse } from './account.ts'
import type { AtmContent } from './atm-records.ts'
import type { RecordId } from './command.ts'
import type { Content, Transfer, TransferType } from './record.ts'
import { accountsOfTerminal, isTerminalAccount, type TerminalId } from './terminal.ts'

/** Types of transfers that there are at terminals alone. */
export const ofTerminals: ReadonlySet<TransferType> = new Set([
  'dispense',
  'return',
  'correction',
  'load',
  'unload',
  'variance',
] as const)

/** The operation that a record is of, as transfers name it. */
export function operationOf(content: Content): string | undefined {
  switch (content.kind) {
    case 'transfer':
      return content.operation
    case 'withdrawal_authorized':
    case 'withdrawal_settled':
      return `${content.terminal}/${content.withdrawal}`
    case 'operation_done':
    case 'operation_declined':
    case 'operation_reversed':
      return `${content.terminal}/${content.operation}`
    case 'exchange_ended':
      return `${content.terminal}/${content.exchange}`
    default:
      return undefined
  }
}

/** The transfers that a record says it is made by. */
export function transfersOf(content: AtmContent): readonly RecordId[] {
  switch (content.kind) {
    case 'withdrawal_settled':
    case 'exchange_ended':
    case 'exception_resolved':
      return [...content.transfers]
    default:
      return 'transfer' in content && content.transfer !== undefined ? [content.transfer] : []
  }
}

/** Accounts that are a customer's where a record names them. */
export function accountsIn(content: Content): readonly string[] {
  switch (content.kind) {
    case 'account_changed':
    case 'limits_set':
    case 'hold_placed':
    case 'hold_resolved':
    case 'adjustment_requested':
      return [content.account]
    default:
      return []
  }
}

export function isCustomer(name: string): boolean {
  return !isHouse(name) && !isTerminalAccount(name)
}

/** Whether money goes this way in a transfer of this type, at this terminal. */
export function isPath(
  { type, debit, credit, currency }: Transfer,
  { id }: { readonly id: TerminalId },
): boolean {
  const { cash, transit, over_short } = accountsOfTerminal(id)
  const own: readonly string[] = [cash, transit, over_short]
  const notes: readonly string[] = [cash, over_short]
  switch (type) {
    case 'withdrawal':
      return isCustomer(debit) && credit === transit
    case 'deposit':
      return debit === cash && isCustomer(credit)
    case 'transfer':
      return isCustomer(debit) && isCustomer(credit)
    case 'dispense':
      return debit === transit && credit === cash
    case 'return':
      return isCustomer(debit)
        ? isCustomer(credit) || notes.includes(credit)
        : own.includes(debit) && isCustomer(credit)
    case 'correction':
      return isCustomer(debit) ? notes.includes(credit) : debit === transit && credit === over_short
    case 'load':
      return debit === cash && credit === `vault:${currency}`
    case 'unload':
      return debit === `vault:${currency}` && credit === cash
    case 'variance':
      return `${[debit, credit].sort()}` === `${[cash, over_short].sort()}`
    default:
      return false
  }
}

/** The kinds that it proves; written here once more, so that a new one is not passed over in silence. */
const kinds: ReadonlySet<string> = new Set([
  'terminal_created',
  'terminal_changed',
  'card_issued',
  'card_changed',
  'withdrawal_authorized',
  'withdrawal_declined',
  'withdrawal_started',
  'withdrawal_settled',
  'withdrawal_forestalled',
  'withdrawal_advised',
  'operation_done',
  'operation_declined',
  'operation_reversed',
  'exception_opened',
  'exception_waits',
  'exception_resolved',
  'exchange_started',
  'exchange_counted',
  'exchange_ended',
  'batch_closed',
  'demo_opened',
  'demo_ended',
  'keys_known',
] satisfies AtmContent['kind'][])

export function isOfAtm(content: Content): content is AtmContent {
  return kinds.has(content.kind)
}

/**
 * Entities: what the ATM side keeps under names of its own, beside accounts. Stores keep each as plain data under its
 * name and know no more of it than is said here: what it stands on, whose it is, whether it waits, and until when.
 */
import type { AccountNumber } from './account.ts'
import type { Card, CardId } from './card.ts'
import type { Exception } from './exception.ts'
import type { Instant } from './money.ts'
import { accountsOfTerminal, type Batch, type Terminal, type TerminalId } from './terminal.ts'
import type { Trace } from './trace.ts'
import { isOpen, type Operation, type Withdrawal } from './withdrawal.ts'

/** The demo's terminal and cards. */
export type Demo = {
  readonly kind: 'demo'
  readonly terminal: TerminalId
  readonly cards: readonly CardId[]
  readonly ended?: true
}

/** The keys that the server had when it last began, by check values. */
export type KnownKeys = { readonly kind: 'keys'; readonly values: Readonly<Record<string, string>> }

export type Entity = Terminal | Card | Withdrawal | Operation | Exception | Batch | Trace | Demo | KnownKeys

/** Begins with the kind and a slash, so that those of a kind stand together: `terminal/ATM00001`. */
export type EntityName = string

export const nameOf = {
  terminal: (id: TerminalId): EntityName => `terminal/${id}`,
  card: (id: CardId): EntityName => `card/${id}`,
  withdrawal: (terminal: TerminalId, id: string): EntityName => `withdrawal/${terminal}/${id}`,
  everyWithdrawal: 'withdrawal/',
  operation: (terminal: TerminalId, id: string): EntityName => `operation/${terminal}/${id}`,
  exception: (id: string): EntityName => `exception/${id}`,
  batch: (terminal: TerminalId, batch: number): EntityName =>
    `batch/${terminal}/${String(batch).padStart(9, '0')}`,
  trace: (terminal: TerminalId, number: string): EntityName => `trace/${terminal}/${number}`,
  demo: 'demo/',
  keys: 'keys/',
} as const

export function nameOfEntity(entity: Entity): EntityName {
  switch (entity.kind) {
    case 'terminal':
    case 'card':
    case 'exception':
      return nameOf[entity.kind](entity.id)
    case 'withdrawal':
    case 'operation':
      return nameOf[entity.kind](entity.terminal, entity.id)
    case 'batch':
      return nameOf.batch(entity.terminal, entity.batch)
    case 'trace':
      return nameOf.trace(entity.terminal, entity.number)
    case 'demo':
    case 'keys':
      return nameOf[entity.kind]
  }
}

/** What must be in the books with an entity, since the rules may change it together: never other than it was at first. */
export function behind(entity: Entity): {
  readonly accounts: readonly AccountNumber[]
  readonly entities: readonly EntityName[]
} {
  switch (entity.kind) {
    case 'terminal':
      return {
        accounts: Object.values(accountsOfTerminal(entity.id)),
        entities: entity.bad_blocks.map(nameOf.card),
      }
    case 'card':
      return { accounts: entity.accounts.map(({ account }) => account), entities: [] }
    case 'withdrawal': {
      const { terminal, account, card, exception } = entity
      return {
        accounts: account === undefined ? [] : [account],
        entities: [
          nameOf.terminal(terminal),
          ...(card === undefined ? [] : [nameOf.card(card)]),
          ...(exception === null ? [] : [nameOf.exception(exception)]),
        ],
      }
    }
    case 'operation': {
      const { terminal, account, to } = entity
      const accounts = [account, to].filter((number) => number !== undefined)
      return { accounts, entities: [nameOf.terminal(terminal)] }
    }
    case 'exception': {
      const { terminal, withdrawal } = entity
      const of = withdrawal === undefined ? [] : [nameOf.withdrawal(terminal, withdrawal)]
      return { accounts: [], entities: [nameOf.terminal(terminal), ...of] }
    }
    case 'trace': {
      const { terminal, uses } = entity
      const of = uses.map(({ of, id }) =>
        of === 'batch' ? nameOf.batch(terminal, Number(id)) : nameOf[of](terminal, id),
      )
      return { accounts: [], entities: of }
    }
    case 'demo':
      return { accounts: [], entities: [nameOf.terminal(entity.terminal), ...entity.cards.map(nameOf.card)] }
    case 'batch':
    case 'keys':
      return { accounts: [], entities: [] }
  }
}

/** Whose it is, for lists of one terminal's. */
export function ownerOf(entity: Entity): TerminalId | null {
  return 'terminal' in entity && entity.kind !== 'demo' ? entity.terminal : null
}

/** Whose account it waits on, so that the account is not closed meanwhile. */
export function waitsOn(entity: Entity): AccountNumber | null {
  return entity.kind === 'withdrawal' && isWaiting(entity) ? (entity.account ?? null) : null
}

/** Whether it waits for something: a withdrawal under way or in doubt, an exception that nobody has resolved. */
export function isWaiting(entity: Entity): boolean {
  if (entity.kind === 'withdrawal') return isOpen(entity)
  return entity.kind === 'exception' && entity.state === 'open'
}

/** When somebody must look at it although nobody asks; null for never. */
export function dueAt(entity: Entity): Instant | null {
  return entity.kind === 'withdrawal' ? entity.expires_at : null
}

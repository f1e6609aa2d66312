/**
 * Terms: by what a record of the ATM side is found again where somebody does not know an id: how a withdrawal was
 * numbered, whose it was, how much; and of a history, what its records are about. Stores keep terms beside records, and
 * know no more of them than is said here.
 */
import type { AccountNumber } from './account.ts'
import type { Card } from './card.ts'
import { type Entity, type EntityName, nameOf } from './entity.ts'
import type { Currency, Instant, Minor } from './money.ts'
import type { Content } from './record.ts'
import type { TerminalId } from './terminal.ts'
import type { Operation, Withdrawal, WithdrawalState } from './withdrawal.ts'

/** Such as `withdrawal stan 000042`; of what a record is about, its name. */
export type Term = string

/** What can be found. */
export type Findable = Withdrawal | Operation | Card

/** What is sought: all that is given must be so, as it is now. */
export type Sought = {
  readonly kind: Findable['kind']
  readonly id?: string
  /** Twelve characters at the most, as field 37 has it. */
  readonly rrn?: string
  readonly authorization_code?: string
  /** Six digits. */
  readonly stan?: string
  readonly account?: AccountNumber
  readonly last4?: string
  /** What was asked for. Minor units. */
  readonly amount?: Minor
  readonly terminal?: TerminalId
  readonly currency?: Currency
  readonly state?: WithdrawalState
  /** Made from this instant on, and before the other. */
  readonly from?: Instant
  readonly to?: Instant
}

/** What there are terms of, what is rare before what many have: the first one that is given leads a search. */
const numbers = [
  'id',
  'rrn',
  'authorization_code',
  'stan',
  'account',
  'last4',
  'amount',
  'terminal',
] as const satisfies readonly (keyof Sought)[]

type Numbers = Pick<Sought, 'kind' | (typeof numbers)[number]>

/** The terms that a record is found by. */
export function termsOf(content: Content): readonly Term[] {
  const made = isMaker(content) ? madeBy(content) : undefined
  return made === undefined ? subjectsOf(content) : [...termsSought(made), ...subjectsOf(content)]
}

/** The terms of all records that have made what is sought, and maybe of others; none where nothing is given that has terms. */
export function termsSought(sought: Numbers): readonly Term[] {
  return numbers.flatMap((name) => {
    const value = sought[name]
    return value === undefined ? [] : `${sought.kind} ${name} ${value}`
  })
}

export function isSought(entity: Entity, sought: Sought): entity is Findable {
  const found: Readonly<Record<string, unknown>> = entity
  const { from = 0, to = Infinity } = sought
  const told = [...numbers, 'kind', 'currency', 'state'] as const
  if (!told.every((name) => sought[name] === undefined || sought[name] === found[name])) return false
  return 'at' in entity && entity.at >= from && entity.at < to
}

/** The name of what a record has made, where that can be found. */
export function nameMadeBy(content: Content): EntityName | undefined {
  const made = isMaker(content) ? madeBy(content) : undefined
  if (made === undefined) return undefined
  const { kind, id, terminal } = made
  return kind === 'card' ? nameOf.card(id) : nameOf[kind](terminal, id)
}

/** The kinds of records that make what can be found. */
export const kindsThatMake = [
  'withdrawal_authorized',
  'withdrawal_declined',
  'withdrawal_forestalled',
  'operation_done',
  'operation_declined',
  'operation_reversed',
  'card_issued',
] as const satisfies readonly Content['kind'][]

type Maker = Extract<Content, { readonly kind: (typeof kindsThatMake)[number] }>

const makers: ReadonlySet<string> = new Set(kindsThatMake)

/** Whether a record, or its line, may have made something that can be found. */
export function isMaker<Of extends { readonly kind: string }>(of: Of): of is Of & Maker {
  return makers.has(of.kind)
}

type Made = Numbers & { readonly id: string } & (
    | { readonly kind: 'withdrawal' | 'operation'; readonly terminal: TerminalId }
    | { readonly kind: 'card'; readonly terminal?: never }
  )

function madeBy(content: Maker): Made | undefined {
  switch (content.kind) {
    case 'withdrawal_authorized':
    case 'withdrawal_declined':
    case 'withdrawal_forestalled':
      return { ...content, kind: 'withdrawal', id: content.withdrawal }
    case 'operation_done':
    case 'operation_declined':
      return { ...content, kind: 'operation', id: content.operation }
    case 'operation_reversed': {
      const { terminal, operation: id, transfer } = content
      return transfer === undefined ? { kind: 'operation', terminal, id } : undefined
    }
    case 'card_issued':
      return { kind: 'card', id: content.card, last4: content.last4 }
  }
}

/** Whether a record is about one of what is named. */
export function isAbout(content: Content, names: readonly EntityName[]): boolean {
  return subjectsOf(content).some((name) => names.includes(name))
}

/** The names of what a record is about, of withdrawals and exceptions: what has a history. */
function subjectsOf(content: Content): readonly EntityName[] {
  switch (content.kind) {
    case 'withdrawal_authorized':
    case 'withdrawal_declined':
    case 'withdrawal_started':
    case 'withdrawal_settled':
    case 'withdrawal_forestalled':
    case 'withdrawal_advised':
      return [nameOf.withdrawal(content.terminal, content.withdrawal)]
    case 'exception_opened': {
      const { exception, terminal, withdrawal } = content
      const of = withdrawal === undefined ? [] : [nameOf.withdrawal(terminal, withdrawal)]
      return [nameOf.exception(exception), ...of]
    }
    case 'exception_waits':
    case 'exception_resolved':
      return [nameOf.exception(content.exception)]
    default:
      return []
  }
}

/** What the rules of the ATM side share: what is there, exceptions, and the path of money back to a customer. */
import assert from 'node:assert'
import type { Account, AccountNumber } from './account.ts'
import type { CardIds, EntityReply, Stamped } from './atm-commands.ts'
import type { ExceptionOpened, WithdrawalSettled } from './atm-records.ts'
import type { Books } from './books.ts'
import { type Command, type Outcome, type RecordId, type Reply, refuse, type Submission } from './command.ts'
import { type Entity, type EntityName, nameOf } from './entity.ts'
import { exceptionIdOf, type Word } from './exception.ts'
import { charge, type Day, giveBack, type Used } from './limits.ts'
import { marksOf } from './marks.ts'
import type { Instant, Minor } from './money.ts'
import { accountThere, markOf, post } from './posting.ts'
import type { Rules } from './rules.ts'
import { accountsOfTerminal, type Terminal, type TerminalId } from './terminal.ts'
import { numbersOf, type Said, tombstonesBy, type Use, useOf } from './trace.ts'
import type { Asked, Meant, Withdrawal } from './withdrawal.ts'

export function decided(reply: Reply): Outcome {
  return { reply, replayed: false }
}

/** What was decided before, under an id that the terminal chose. */
export function repeated(reply: Reply): Outcome {
  return { reply, replayed: true }
}

/** What is kept under a name, as it is now. */
export function entityReply(books: Books, name: EntityName, made: boolean): EntityReply {
  const entity = books.entity(name)
  assert(entity !== undefined, `${name} is there`)
  return { type: 'entity', made, entity, ...(entity.kind === 'terminal' && overShortOf(books, entity.id)) }
}

export function overShortOf(books: Books, terminal: TerminalId): { over_short: Minor } {
  return { over_short: accountThere(books, accountsOfTerminal(terminal).over_short).ledger }
}

export function terminalIn(books: Books, id: TerminalId): Terminal | undefined {
  return ofKind(books.entity(nameOf.terminal(id)), 'terminal')
}

export function withdrawalIn(books: Books, terminal: TerminalId, id: string): Withdrawal | undefined {
  return ofKind(books.entity(nameOf.withdrawal(terminal, id)), 'withdrawal')
}

export function terminalThere(books: Books, id: TerminalId): Terminal {
  const terminal = terminalIn(books, id)
  assert(terminal !== undefined, `terminal ${id} is there`)
  return terminal
}

export function withdrawalThere(books: Books, terminal: TerminalId, id: string): Withdrawal {
  const withdrawal = withdrawalIn(books, terminal, id)
  assert(withdrawal !== undefined, `withdrawal ${id} of ${terminal} is there`)
  return withdrawal
}

export function ofKind<Kind extends Entity['kind']>(
  entity: Entity | undefined,
  kind: Kind,
): Extract<Entity, { kind: Kind }> | undefined {
  return entity?.kind === kind ? (entity as Extract<Entity, { kind: Kind }>) : undefined
}

/** The operation that a transfer is of. */
export function operationOf(terminal: TerminalId, id: string): { readonly operation: string } {
  return { operation: `${terminal}/${id}` }
}

type Raised = Omit<ExceptionOpened, 'kind' | 'exception' | 'terminal' | 'currency'>

/** Writes down what could not be booked for certain; once, where the same is open for the same withdrawal. */
export function raise(books: Books, by: Submission, terminal: Terminal, raised: Raised, now: Instant): void {
  const { withdrawal } = raised
  const before =
    withdrawal === undefined ? undefined : withdrawalIn(books, terminal.id, withdrawal)?.exception
  const open = before == null ? undefined : ofKind(books.entity(nameOf.exception(before)), 'exception')
  if (open?.state === 'open' && open.type === raised.type) return
  const exception = exceptionIdOf(now, books.nextId)
  const { id, currency } = terminal
  books.append({ kind: 'exception_opened', exception, terminal: id, currency, ...raised }, markOf(by, now))
}

/** The same of a withdrawal, with whose money it is. */
export function raiseOf(
  books: Books,
  by: Submission,
  { terminal, id, account, last4 }: Withdrawal,
  raised: Pick<Raised, 'type' | 'amount' | 'proposal'>,
  now: Instant,
): void {
  const of = {
    withdrawal: id,
    ...(account !== undefined && { account }),
    ...(last4 !== undefined && { last4 }),
  }
  raise(books, by, terminalThere(books, terminal), { ...raised, ...of }, now)
}

/** Closes the exception of a withdrawal, where one is open: what it asked is known now. */
export function close(
  books: Books,
  by: Submission,
  { exception: id }: Withdrawal,
  { word, transfers, now }: { word: Word; transfers: readonly RecordId[]; now: Instant },
): void {
  const open = id === null ? undefined : ofKind(books.entity(nameOf.exception(id)), 'exception')
  if (open?.state !== 'open') return
  books.append({ kind: 'exception_resolved', exception: open.id, word, transfers }, markOf(by, now))
}

/** A transfer of a withdrawal or an operation, from one account to another. */
export function moveOf(
  books: Books,
  by: Submission,
  { terminal, id }: { readonly terminal: TerminalId; readonly id: string },
  move: {
    readonly type: 'dispense' | 'return' | 'correction' | 'deposit'
    readonly debit: AccountNumber
    readonly credit: AccountNumber
    readonly amount: Minor
    readonly now: Instant
    readonly charge?: Used | undefined
    readonly back?: Used | undefined
    readonly forced?: boolean
    readonly reference?: string
  },
): RecordId {
  const { forced, reference, ...posting } = move
  const account = accountThere(books, move.debit)
  const more = {
    ...operationOf(terminal, id),
    ...(forced && { forced: true as const }),
    ...(reference !== undefined && { reference }),
  }
  return post(books, by, { ...posting, account, more }).id
}

/** Gives money back to the customer, of the limits, too, from the accounts that it is on. */
export function giveBackOf(
  books: Books,
  by: Submission,
  withdrawal: Withdrawal,
  { from, now }: { readonly from: readonly (readonly [AccountNumber, Minor])[]; readonly now: Instant },
): RecordId[] {
  const parts = from.filter(([, amount]) => amount > 0)
  const isAll = parts.reduce((sum, [, amount]) => sum + amount, 0) === withdrawal.debited
  return parts.map(([debit, amount], i) => {
    const { number: credit, used } = customerOf(books, withdrawal)
    const count = isAll && i === parts.length - 1 ? 1 : 0
    const back = giveBack(used, withdrawal.charged, { amount, count })
    return moveOf(books, by, withdrawal, { type: 'return', debit, credit, amount, now, back })
  })
}

/** What is used of the card's limits after so much was given back, where that is less. */
export function cardUsedAfter(
  books: Books,
  { card: id, card_charged, debited }: Withdrawal,
  amount: Minor,
): { card_used?: Used } {
  const card = id === undefined ? undefined : ofKind(books.entity(nameOf.card(id)), 'card')
  const used = giveBack(card?.used, card_charged, { amount, count: amount === debited && amount > 0 ? 1 : 0 })
  return used === undefined ? {} : { card_used: used }
}

/** What is used of the card's limits after so much more was taken: counted, and refused by none. */
export function cardUsedBeyond(
  books: Books,
  { card: id }: Withdrawal,
  amount: Minor,
  day: Day,
): { card_used?: Used } {
  const card = id === undefined ? undefined : ofKind(books.entity(nameOf.card(id)), 'card')
  return card?.limits === undefined ? {} : { card_used: charge(card.used, day, amount) }
}

export function customerOf(books: Books, { account }: Withdrawal): Account {
  assert(account !== undefined, 'money was taken from an account')
  return accountThere(books, account)
}

/** Writes down what became of a withdrawal. */
export function settle(
  books: Books,
  by: Submission,
  { terminal, id }: Withdrawal,
  settled: Omit<WithdrawalSettled, 'kind' | 'terminal' | 'withdrawal'>,
  now: Instant,
): void {
  books.append({ kind: 'withdrawal_settled', terminal, withdrawal: id, ...settled }, markOf(by, now))
}

/** The end that so much cash is of what was asked for. */
export function endOf(dispensed: Minor, amount: Minor): 'completed' | 'partially_completed' | 'reversed' {
  if (dispensed === 0) return 'reversed'
  return dispensed < amount ? 'partially_completed' : 'completed'
}

/** Whether a machine's notes have been counted since: what left it before is in the count. */
export function isCountedSince(
  { counted }: Terminal,
  { counted: then = 0 }: { readonly counted?: number },
): boolean {
  return then < counted
}

/** The use of its number that a request repeats, or that forbids it. */
export function useBefore(
  books: Books,
  { id: terminal, batch: { batch: open } }: Terminal,
  { stamp, again = false }: Stamped,
  now: Instant,
  { dayOf }: Rules,
): Use | undefined {
  if (stamp === undefined) return undefined
  return useOf(usesIn(books, terminal, stamp.stan), stamp, { again, now, open, dayOf })
}

/** What was taken back before a request came, by the reference of this one alone, and told of it what fits. */
export function forestalledBy(
  books: Books,
  { id: terminal }: Terminal,
  { stamp, pan = [] }: Stamped & { readonly pan?: CardIds },
  { of, amount = 0 }: Pick<Meant, 'of' | 'amount'>,
  now: Instant,
): string | undefined {
  const [, reference] = stamp === undefined ? [] : numbersOf(stamp)
  if (reference === undefined) return undefined
  const fits = ({ id }: Use) => {
    const { by_reference: meant } = withdrawalThere(books, terminal, id)
    const isCard = meant?.card === undefined || pan.includes(meant.card)
    return meant !== undefined && (meant.of ?? of) === of && (meant.amount ?? amount) === amount && isCard
  }
  return tombstonesBy(usesIn(books, terminal, reference), reference, now).find(fits)?.id
}

/** How the message was numbered, for its record; nothing where there was none. */
export function saidBy({ stamp, again }: Stamped): Partial<Said> {
  return stamp === undefined ? {} : { ...stamp, ...(again && { again }) }
}

export function usesIn(books: Books, terminal: TerminalId, number: string): readonly Use[] {
  return ofKind(books.entity(nameOf.trace(terminal, number)), 'trace')?.uses ?? []
}

/** The request under its id as it is told from another one: how its message was numbered is no part of it. */
export function askedOf<Request extends Command & Stamped>(
  command: Request,
  id: string,
  rules: Rules,
): Asked {
  const { stamp: _, again: __, ...same } = command
  const request = { ...same, id } as unknown as Command
  return { fingerprint: rules.fingerprint(request), marks: marksOf(request) }
}

export function unknownTerminal(): Outcome {
  return decided(refuse('terminal_not_found'))
}

/** What the ATM side keeps, as it is read: one by its name, or a page of those of a kind. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import { type Entity, type EntityName, nameOf } from '../../ledger/entity.ts'
import type { Minor } from '../../ledger/money.ts'
import { accountsOfTerminal, isTerminalId, type Terminal, type TerminalId } from '../../ledger/terminal.ts'
import { ProblemError } from '../problem.ts'
import { nextCursor, pageIn, paging } from './pages.ts'
import { paramOf, send } from './route.ts'

/** The query's members, for the document. */
export const pagingOfEntities = {
  limit: paging.limit,
  cursor: Type.String({
    description: 'next of the page before; a page may be short, and still have a next one',
  }),
}

/** The terminal that a path names; whether it is there is another matter. */
export function terminalIn(request: FastifyRequest): TerminalId {
  const id = paramOf(request, 'terminal')
  if (!isTerminalId(id)) throw new ProblemError('terminal_not_found')
  return id
}

export async function readTerminal(bank: Bank, id: TerminalId): Promise<Terminal> {
  const terminal = await bank.entity(nameOf.terminal(id))
  if (terminal?.kind !== 'terminal') throw new ProblemError('terminal_not_found')
  return terminal
}

/** What counting has found at a terminal so far. */
export async function overShortOf(bank: Bank, id: TerminalId): Promise<Minor> {
  const account = await bank.account(accountsOfTerminal(id).over_short)
  return account?.ledger ?? 0
}

type List = {
  /** Under which it stands in the reply. */
  readonly plural: string
  /** What the names of all that are listed begin with. */
  readonly prefix: EntityName
  readonly owner?: TerminalId | undefined
  /** Only those that wait. */
  readonly waiting?: boolean | undefined
  /** What is left out of a page, which is shorter for it. */
  wanted?(entity: Entity): boolean
  body(entity: Entity): object | Promise<object>
}

/** A page in the order of names. */
export async function sendEntities(
  bank: Bank,
  request: FastifyRequest,
  reply: FastifyReply,
  { plural, prefix, owner, waiting, wanted = () => true, body }: List,
): Promise<FastifyReply> {
  const { limit, after } = pageIn(request, (position) => position.startsWith(prefix))
  const found = await bank.entities({
    prefix,
    limit,
    ...(after !== undefined && { after }),
    ...(owner !== undefined && { owner }),
    ...(waiting && { waiting }),
  })
  const next = nextCursor(request, reply, { limit, last: found.next })
  const bodies = await Promise.all(found.things.filter(wanted).map(body))
  return send(reply, { status: 200, body: { [plural]: bodies, next } })
}

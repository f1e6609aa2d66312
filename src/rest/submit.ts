/** A request's command on its way: by whom, and under which key. */
import type { FastifyRequest } from 'fastify'
import type { Bank } from '../bank/bank.ts'
import type { Command, Outcome, Submission } from '../ledger/command.ts'
import { demand } from './gate.ts'
import { readIdempotencyKey } from './idempotency-key.ts'

/** What goes with a command and is no part of the request. */
export type Beside = Partial<Pick<Submission, 'fresh' | 'pin' | 'new_pin'>>

/** What came of a command, submitted for the caller under the request's key. Refuses what the caller may not ask. */
export function outcomeOf(
  bank: Bank,
  request: FastifyRequest,
  command: Command,
  more: Beside = {},
): Promise<Outcome> {
  if (isForced(command)) demand(request, 'force')
  const { actor } = request.caller
  const key = readIdempotencyKey(request)
  return bank.submit({ command, actor, ...(key && { key: { scope: actor, key } }), ...more })
}

/** The same of a command that is known by the id it has at its terminal: a key would be a second name, and is not read. */
export function outcomeById(
  bank: Bank,
  { caller }: FastifyRequest,
  command: Command,
  more: Beside = {},
): Promise<Outcome> {
  return bank.submit({ command, actor: caller.actor, ...more })
}

/** Whether it may leave an account below zero, alone or as an operation of a batch. */
function isForced(command: Command): boolean {
  if (command.type === 'batch') return command.items.some((item) => isForced(item.command))
  return command.type === 'reverse' && command.force === true
}

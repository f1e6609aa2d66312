/** A request's command on its way: by whom, and under which key. */
import type { FastifyRequest } from 'fastify'
import type { Bank } from '../bank/bank.ts'
import type { Command, Outcome } from '../ledger/command.ts'
import { demand } from './gate.ts'
import { readIdempotencyKey } from './idempotency-key.ts'

/** What came of a command, submitted for the caller under the request's key. Refuses what the caller may not ask. */
export function outcomeOf(
  bank: Bank,
  request: FastifyRequest,
  command: Command,
  more: { readonly fresh?: string } = {},
): Promise<Outcome> {
  if (isForced(command)) demand(request, 'force')
  const { actor } = request.caller
  const key = readIdempotencyKey(request)
  return bank.submit({ command, actor, ...(key && { key: { scope: actor, key } }), ...more })
}

/** Whether it may leave an account below zero, alone or as an operation of a batch. */
function isForced(command: Command): boolean {
  if (command.type === 'batch') return command.items.some((item) => isForced(item.command))
  return command.type === 'reverse' && command.force === true
}

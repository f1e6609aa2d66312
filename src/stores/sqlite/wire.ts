/**
 * How batches go between the main thread and the writer: the commands and outcomes that nearly all are, laid out flat.
 * A copy of an object names each of its members anew: flat, an outcome costs both threads 0.4 µs instead of 1.5, and a
 * command 0.7 instead of 1.5.
 */
import type { Pending } from '../../bank/store.ts'
import type { Outcome } from '../../ledger/command.ts'

/** Values of what is laid out, and objects whole. */
export type Flat = readonly unknown[]

const valuesOfCommand = 6
const valuesOfOutcome = 10

export function flattenBatch(batch: readonly Pending[]): Flat {
  const flat: unknown[] = []
  for (const pending of batch) {
    const { command, key, actor, deadlineMs, fresh, pin, new_pin } = pending
    if (command.type !== 'withdraw' || fresh !== undefined || pin !== undefined || new_pin !== undefined)
      flat.push(pending)
    else flat.push(command.account, command.amount, actor, deadlineMs, key?.scope, key?.key)
  }
  return flat
}

export function readBatch(flat: Flat): Pending[] {
  return read(flat, valuesOfCommand, (i) => {
    const command = { type: 'withdraw', account: flat[i] as string, amount: flat[i + 1] as string } as const
    const pending: Pending = { command, actor: flat[i + 2] as string, deadlineMs: flat[i + 3] as number }
    const key = flat[i + 5] as string | undefined
    return key === undefined ? pending : { ...pending, key: { scope: flat[i + 4] as string, key } }
  })
}

export function flattenOutcomes(outcomes: readonly Outcome[]): Flat {
  const flat: unknown[] = []
  for (const outcome of outcomes) {
    const { reply, replayed } = outcome
    if (reply.type !== 'posted') {
      flat.push(outcome)
      continue
    }
    const { transfer, account, currency, amount, ledger, held, version, at, opened } = reply
    flat.push(transfer, account, currency, amount, ledger, held, version, at, opened, replayed)
  }
  return flat
}

export function readOutcomes(flat: Flat): Outcome[] {
  return read(flat, valuesOfOutcome, (i) => ({
    reply: {
      type: 'posted',
      transfer: flat[i] as string,
      account: flat[i + 1] as string,
      currency: flat[i + 2] as string,
      amount: flat[i + 3] as number,
      ledger: flat[i + 4] as number,
      held: flat[i + 5] as number,
      version: flat[i + 6] as number,
      at: flat[i + 7] as number,
      opened: flat[i + 8] as boolean,
    },
    replayed: flat[i + 9] as boolean,
  }))
}

/** What is there in order: objects as they are, and by `readAt` what so many values make, the first never an object. */
function read<Item extends object>(flat: Flat, values: number, readAt: (i: number) => Item): Item[] {
  const items: Item[] = []
  for (let i = 0; i < flat.length; ) {
    const first = flat[i]
    const isWhole = typeof first === 'object'
    items.push(isWhole ? (first as Item) : readAt(i))
    i += isWhole ? 1 : values
  }
  return items
}

/** Proves what a key remembers: that it is what the records before it did, and nothing that is never remembered. */
import type { BatchReply, RecordId, Refused, Registered, Reply } from './command.ts'
import type { Content, Remembered, Transfer } from './record.ts'
import { refusals } from './refusal.ts'
import type { Thing } from './registry.ts'
import type { KnownHold, State } from './verify.ts'
import { checkAtmReply, checkAtmTold, type KnownAtm } from './verify-atm-reply.ts'

/** What the verifier knows when it comes to the reply. */
export type Known = {
  /** The last record that was no reply itself. */
  readonly latest: { readonly id: RecordId; readonly content: Content } | undefined
  /** The last record of the commit before. */
  readonly before: number
  transfer(id: RecordId): Transfer | undefined
  hold(id: RecordId): KnownHold | undefined
  thing(id: RecordId): Thing | undefined
  account(number: string): State | undefined
  lastReversalOf(id: RecordId): RecordId | undefined
  readonly atm: KnownAtm
}

/** A key remembers what the record just before it did, as it was; or a reversal that had done it already. */
export function checkReply({ key, fingerprint, reply }: Remembered, known: Known): string | undefined {
  if (key === '' || !/^[0-9a-f]{64}$/.test(fingerprint)) return 'remembers no proper key'
  const { id, content } = known.latest ?? {}
  switch (reply.type) {
    case 'posted': {
      if (reply.transfer !== id || content?.kind !== 'transfer')
        return `answers with transfer ${reply.transfer}, not ${id}`
      const after = content.debit === reply.account ? content.debit_after : content.credit_after
      const same =
        content.key === key &&
        [content.debit, content.credit].includes(reply.account) &&
        reply.amount === content.amount &&
        reply.currency === content.currency &&
        reply.ledger === after?.ledger &&
        reply.version === after.version
      return same ? undefined : otherwise(reply.transfer)
    }
    case 'transferred': {
      const { id: told, reverses = '' } = reply.transfer
      const right = reply.made ? told === id : known.lastReversalOf(reverses) === told
      return (right ? undefined : otherwise(told)) ?? checkTold(reply, known)
    }
    case 'hold': {
      const { id: told, state } = reply.hold
      const same = known.hold(told)?.state === state
      return checkTold(reply, known) ?? (same ? undefined : `answers otherwise than hold ${told} is`)
    }
    case 'account': {
      const { number, ledger, held, version, state } = reply.account
      const account = known.account(number)
      const same =
        account?.ledger === ledger &&
        account.held === held &&
        account.version === version &&
        account.state === state
      return same ? undefined : `answers otherwise than account ${number} is`
    }
    case 'refused':
      return isRemembered(reply) ? undefined : `remembers ${reply.refusal}, which no key does`
    case 'batch':
      return checkBatch(reply, known)
    case 'registered':
      return checkRegistered(reply, known)
    case 'books_opened':
    case 'proof_requested':
      return undefined
    default:
      return checkAtmReply(reply, known)
  }
}

/**
 * What a batch made is of its own commit, in its order; what it did not make, another record says. Which of its
 * operations were refused, and why, is not to be seen from the records.
 */
function checkBatch({ atomic, dry_run, failed, results }: BatchReply, known: Known): string | undefined {
  if (dry_run) return 'remembers a dry run'
  const refused = results.filter(({ reply }) => reply.type === 'refused')
  if (failed !== undefined) {
    const [first] = refused
    const proper =
      atomic && results.length === 1 && first?.reply.type === 'refused' && isRemembered(first.reply)
    return proper ? undefined : 'answers with a batch that failed without a refusal'
  }
  if (atomic && refused.length > 0) return 'answers with an atomic batch that was refused in part'
  let last = known.before
  for (const { reply, replayed } of results) {
    const what = checkTold(reply, known)
    if (what !== undefined) return what
    const made = replayed ? undefined : madeBy(reply)
    if (made === undefined) continue
    if (sequenceIn(made) <= last) return `answers with ${made}, which the batch did not make`
    last = sequenceIn(made)
  }
  return undefined
}

function checkRegistered({ thing, transfer }: Registered, known: Known): string | undefined {
  if (JSON.stringify(thing) !== JSON.stringify(known.thing(thing.id)))
    return `answers otherwise than ${thing.kind} ${thing.id} is`
  if (transfer === undefined) return undefined
  const isIts = thing.kind === 'adjustment' && thing.transfer === transfer.id
  return isIts ? checkTold({ type: 'transferred', made: true, transfer }, known) : otherwise(transfer.id)
}

/** That what a reply tells of is there, as it is told. */
function checkTold(reply: Reply, known: Known): string | undefined {
  switch (reply.type) {
    case 'transferred': {
      const { id, at: _, ...transfer } = reply.transfer
      return isSame({ kind: 'transfer', ...transfer }, known.transfer(id)) ? undefined : otherwise(id)
    }
    case 'hold': {
      const { id, account, amount } = reply.hold
      const hold = known.hold(id)
      const same = hold?.account === account && hold.amount === amount
      return same ? undefined : `answers otherwise than hold ${id} is`
    }
    case 'posted': {
      const transfer = known.transfer(reply.transfer)
      const named = transfer?.debit === reply.account || transfer?.credit === reply.account
      return named && transfer?.amount === reply.amount ? undefined : otherwise(reply.transfer)
    }
    case 'refused':
      return Object.hasOwn(refusals, reply.refusal) ? undefined : `knows no refusal ${reply.refusal}`
    case 'batch':
      return 'has a batch within a batch'
    case 'account':
    case 'books_opened':
    case 'proof_requested':
    case 'registered':
      return undefined
    default:
      return checkAtmTold(reply, known)
  }
}

function madeBy(reply: Reply): RecordId | undefined {
  if (reply.type === 'transferred' && reply.made) return reply.transfer.id
  return reply.type === 'hold' && reply.made ? reply.hold.id : undefined
}

/** Of any writer's id, which may be no id at all: NaN then, which is the place of no record. */
export function sequenceIn(id: RecordId): number {
  return Number(id.slice(id.indexOf('-') + 1))
}

function isRemembered({ refusal }: Refused): boolean {
  return Object.hasOwn(refusals, refusal) && refusals[refusal].remembered
}

function otherwise(transfer: RecordId): string {
  return `answers otherwise than transfer ${transfer} says`
}

/** The same members with the same values, in the same order: both were written by the same code or not at all. */
function isSame(told: Content, known: Content | undefined): boolean {
  return JSON.stringify(told) === JSON.stringify(known)
}

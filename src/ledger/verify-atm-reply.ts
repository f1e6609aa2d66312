/** Proves what a key remembers of the ATM side: that it is what the records before it left. */
import type { AtmReply, Counted, EntityReply, Exchanged, ExchangeOpen, Inquired } from './atm-commands.ts'
import type { RecordId } from './command.ts'
import type { Entity } from './entity.ts'
import { minorMax } from './money.ts'
import type { Content, Transfer } from './record.ts'
import { accountsOfTerminal, type Batch, type Contents, type Terminal, type TerminalId } from './terminal.ts'
import type { State } from './verify.ts'
import {
  isSameNotes,
  type KnownCard,
  type KnownException,
  type KnownOperation,
  type KnownTerminal,
  type KnownUnit,
  type KnownWithdrawal,
  worthOfContents,
} from './verify-atm-known.ts'

/** What there is when the reply comes. */
export type KnownAtm = {
  terminal(id: TerminalId): KnownTerminal | undefined
  withdrawal(terminal: TerminalId, id: string): KnownWithdrawal | undefined
  operation(terminal: TerminalId, id: string): KnownOperation | undefined
  card(id: string): KnownCard | undefined
  exception(id: string): KnownException | undefined
  batch(terminal: TerminalId, batch: number): Batch | undefined
  readonly demo: object | undefined
}

type Known = {
  readonly atm: KnownAtm
  readonly latest: { readonly content: Content } | undefined
  account(number: string): State | undefined
  transfer(id: RecordId): Transfer | undefined
}

export function checkAtmReply(reply: AtmReply, known: Known): string | undefined {
  switch (reply.type) {
    case 'entity':
      return checkEntity(reply, known)
    case 'inquired':
      return checkInquired(reply, known)
    case 'exchange_open':
      return checkExchangeOpen(reply, known)
    case 'counted':
      return checkCounted(reply, known)
    case 'exchanged':
      return checkExchanged(reply, known)
  }
}

/** In a batch, later operations may have changed it again: that it is there is all there is to say. */
export function checkAtmTold(reply: AtmReply, { atm }: Known): string | undefined {
  if (reply.type !== 'entity' || known(reply.entity, atm) !== undefined) return undefined
  return `answers with a ${reply.entity.kind} that there is not`
}

function known(entity: Entity, atm: KnownAtm): object | undefined {
  switch (entity.kind) {
    case 'terminal':
      return atm.terminal(entity.id)
    case 'withdrawal':
      return atm.withdrawal(entity.terminal, entity.id)
    case 'operation':
      return atm.operation(entity.terminal, entity.id)
    case 'card':
      return atm.card(entity.id)
    case 'exception':
      return atm.exception(entity.id)
    case 'batch':
      return atm.batch(entity.terminal, entity.batch)
    case 'demo':
      return atm.demo
    case 'keys':
      return entity
    case 'trace':
      return undefined
  }
}

function checkEntity({ entity, over_short }: EntityReply, { atm, account }: Known): string | undefined {
  const what = `answers otherwise than ${entity.kind} ${'id' in entity ? entity.id : ''} is`
  const isRight = (right: boolean) => (right ? undefined : what)
  switch (entity.kind) {
    case 'terminal':
      return isRight(isTerminal(entity, over_short, { atm, account }))
    case 'withdrawal': {
      const found = atm.withdrawal(entity.terminal, entity.id)
      const { state, amount, debited, dispensed, exception } = entity
      const due = entity.tombstone ? 'forestalled' : state
      const isState = found?.state === due && found.amount === amount && found.debited === debited
      const isSaid = entity.tombstone || found?.dispensed === dispensed
      return isRight(isState && isSaid && found.exception === exception)
    }
    case 'operation': {
      const found = atm.operation(entity.terminal, entity.id)
      return isRight(found?.state === entity.state && found.amount === entity.amount)
    }
    case 'card': {
      const found = atm.card(entity.id)
      return isRight(found?.status === entity.status && found.tries_left === entity.tries_left)
    }
    case 'exception': {
      const found = atm.exception(entity.id)
      return isRight(found?.state === entity.state && found.amount === entity.amount)
    }
    case 'batch': {
      const found = atm.batch(entity.terminal, entity.batch)
      return isRight(JSON.stringify(found) === JSON.stringify(entity))
    }
    case 'trace':
    case 'demo':
    case 'keys':
      return isRight(known(entity, atm) !== undefined)
  }
}

/** State, batch and money, and the notes of each unit. */
function isTerminal(
  { id, state, signed_on, batch, uncertain, unconfirmed, units }: Terminal,
  over_short: number | undefined,
  { atm, account }: Pick<Known, 'atm' | 'account'>,
): boolean {
  const found = atm.terminal(id)
  if (found === undefined || found.state !== state || found.signed_on !== signed_on) return false
  const open = [...found.open.values()]
  const silent = open.filter((each) => each.state === 'authorized' && each.confirmation === 'implicit')
  const [all, quiet] = [open, silent].map((some) => some.reduce((sum, { amount }) => sum + amount, 0))
  const isMoney = unconfirmed === quiet && uncertain + unconfirmed === all
  const isShort = over_short === account(accountsOfTerminal(id).over_short)?.ledger
  const isUnits = units.every((unit) => {
    const due = found.units.get(unit.id)
    if (due?.type !== unit.type || due.value !== unit.value) return false
    const isCount = unit.type !== 'cash_out' || due.count === unit.initial + unit.in - unit.out
    return isCount && due.reserved === unit.reserved && isSameNotes(due.notes, unit.notes)
  })
  return isMoney && isShort && isUnits && JSON.stringify(batch) === JSON.stringify(found.batch)
}

function checkInquired(
  { account: number, currency, ledger, available, version }: Inquired,
  { account }: Known,
): string | undefined {
  const found = account(number)
  const due = found && Math.min(found.ledger - found.held + found.slack, minorMax)
  const same =
    found?.currency === currency && found.ledger === ledger && available === due && found.version === version
  return same ? undefined : `answers otherwise than account ${number} is`
}

function checkExchangeOpen(
  { exchange, terminal, over_short, suspects }: ExchangeOpen,
  { atm, account }: Known,
): string | undefined {
  const what = `answers otherwise than exchange ${exchange} is`
  const found = atm.terminal(terminal.id)
  if (found?.exchange?.id !== exchange || !isTerminal(terminal, over_short, { atm, account })) return what
  const told = suspects.every(({ withdrawal, amount, units }) => {
    const open = found.open.get(withdrawal)
    return open?.amount === amount && isSameNotes(open.units, units)
  })
  return told && suspects.length === found.open.size ? undefined : what
}

function checkCounted(reply: Counted, { atm, latest }: Known): string | undefined {
  const { content } = latest ?? {}
  const what = 'answers otherwise than was counted'
  const terminal = content?.kind === 'exchange_counted' ? atm.terminal(content.terminal) : undefined
  if (content?.kind !== 'exchange_counted' || terminal === undefined) return what
  let sum = 0
  for (const [id, unit] of terminal.units) {
    const counted = content.counts[id] ?? (unit.type === 'cash_out' ? 0 : {})
    const told = reply.units[id]
    const had: Contents = unit.type === 'cash_out' ? unit.count : unit.notes
    const amount = (worthOfContents(unit, counted) ?? 0) - (worthOfContents(unit, had) ?? 0)
    const isTold = told?.amount === amount && told.variance === numberIn(counted) - numberIn(had)
    if (!isTold || !isSame(unit, told.expected, had) || !isSame(unit, told.counted, counted)) return what
    sum += amount
  }
  const isSuspects = reply.suspects.every(
    (each) => terminal.open.get(each.withdrawal)?.amount === each.amount,
  )
  return reply.amount === sum && isSuspects ? undefined : what
}

function numberIn(contents: Contents): number {
  if (typeof contents === 'number') return contents
  return Object.values(contents).reduce((sum, count) => sum + count, 0)
}

function isSame({ type }: KnownUnit, told: Contents, due: Contents): boolean {
  if (type === 'cash_out') return told === due
  return typeof told !== 'number' && typeof due !== 'number' && isSameNotes(told, due)
}

function checkExchanged(reply: Exchanged, { atm, account, latest, transfer }: Known): string | undefined {
  const { content } = latest ?? {}
  const what = 'answers otherwise than the exchange ended'
  if (content?.kind !== 'exchange_ended' || content.terminal !== reply.terminal.id) return what
  const first = transfer(content.transfers[0] ?? '')
  const { over_short } = accountsOfTerminal(content.terminal)
  const size = first?.type === 'variance' ? first.amount : 0
  const variance = first?.debit === over_short ? 0 - size : size
  const same = reply.variance === variance && isSameNotes(reply.loaded, content.loaded)
  return same && isTerminal(reply.terminal, reply.over_short, { atm, account }) ? undefined : what
}

/**
 * Brings into the books what a batch names and they do not have: accounts, transfers, holds, what the ATM side keeps with
 * all that it stands on, and replies by their keys.
 */
import { hash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { beyond, type Pending } from '../../bank/store.ts'
import { type Account, type AccountNumber, isHouse, plainAccount } from '../../ledger/account.ts'
import { type AtmContent, isAtm } from '../../ledger/atm-records.ts'
import {
  type Books,
  placed,
  type StoredReply,
  stored,
  type TransferPage,
  transferIn,
} from '../../ledger/books.ts'
import {
  type Hold,
  idOf,
  type Pages,
  type PostedTransfer,
  pagesOf,
  type RecordId,
  sequenceOf,
} from '../../ledger/command.ts'
import { tracesOf } from '../../ledger/entities-after.ts'
import { behind, type Entity, type EntityName, nameOf } from '../../ledger/entity.ts'
import { type Content, fromLine, type Line, type PendingHold } from '../../ledger/record.ts'
import type { Thing } from '../../ledger/registry.ts'

export class Loader {
  readonly #index: DatabaseSync
  readonly #account: StatementSync
  readonly #pending: StatementSync
  readonly #hold: StatementSync
  readonly #reversal: StatementSync
  readonly #thing: StatementSync
  readonly #entity: StatementSync
  readonly #waiting: StatementSync
  readonly #waitingOn: StatementSync
  readonly #sequences: StatementSync
  readonly #line: StatementSync

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#index = index
    this.#account = index.prepare(
      'select number, currency, ledger, held, version, at, more, used from accounts where number = ?',
    )
    this.#pending = pendingHolds(index)
    this.#hold = index.prepare('select state, captured, transfer, forced from holds where sequence = ?')
    this.#reversal = index.prepare('select reversed, last from reversals where transfer = ?')
    this.#thing = index.prepare('select body from registry where sequence = ?')
    this.#entity = index.prepare('select body from entities where name = ?')
    this.#waiting = index.prepare('select name from entities where waiting = 1 and name >= ? and name < ?')
    this.#waitingOn = index.prepare('select name from entities where waits_on = ?')
    this.#sequences = index.prepare('select sequence from keys where hash = ? order by sequence desc')
    this.#line = journal.prepare(
      'select sequence, at, kind, actor, scope, body from records where sequence = ?',
    )
  }

  /** In one transaction: without it each query would lock the index, and look whether it has changed, anew. */
  load(books: Books, batch: readonly Pending[]): void {
    this.#index.exec('begin')
    try {
      for (const pending of batch) for (const pages of pagesOf(pending)) this.loadPages(books, pages)
    } finally {
      this.#index.exec('commit')
    }
  }

  loadPages(books: Books, pages: Pages): void {
    const { accounts = [], transfer, hold, thing, entities = [], waiting, waiting_on, key } = pages
    for (const number of accounts) this.#loadAccount(books, number)
    if (transfer !== undefined) this.#loadTransfer(books, transfer)
    if (hold !== undefined) this.#loadHold(books, hold)
    if (thing !== undefined) this.#loadThing(books, thing)
    this.#loadEntities(books, entities)
    if (waiting !== undefined) this.#loadEntities(books, namesIn(this.#waiting.all(waiting, beyond(waiting))))
    if (waiting_on !== undefined) this.#loadEntities(books, namesIn(this.#waitingOn.all(waiting_on)))
    if (key === undefined || books.reply(key.scope, key.key) !== undefined) return
    const stored = this.reply(key.scope, key.key)
    if (stored !== undefined) books.load({ ...key, stored })
  }

  /** An account comes with its pending holds: those whose time is up are resolved when it is next touched. */
  #loadAccount(books: Books, number: AccountNumber): void {
    if (isHouse(number)) return
    let account = books.account(number)
    if (account === undefined) {
      account = this.account(number)
      if (account === undefined) return
      books.load({ account })
    }
    for (const { id } of account.holds) {
      const hold = books.hold(id) === undefined ? this.hold(id) : undefined
      if (hold !== undefined) books.load({ hold })
    }
  }

  #loadTransfer(books: Books, id: RecordId): void {
    let page = books.transfer(id)
    if (page === undefined) {
      page = this.transfer(id)
      if (page === undefined) return
      books.load({ transfer: page })
    }
    this.#loadAccount(books, page.transfer.debit)
    this.#loadAccount(books, page.transfer.credit)
  }

  #loadHold(books: Books, id: RecordId): void {
    let hold = books.hold(id)
    if (hold === undefined) {
      hold = this.hold(id)
      if (hold === undefined) return
      books.load({ hold })
    }
    this.#loadAccount(books, hold.account)
  }

  #loadThing(books: Books, id: RecordId): void {
    let thing = books.thing(id)
    if (thing === undefined) {
      thing = this.thing(id)
      if (thing === undefined) return
      books.load({ thing })
    }
    if (thing.kind === 'adjustment') this.#loadAccount(books, thing.account)
  }

  /** Each comes with what it stands on, and what that stands on: the rules may change it together. */
  #loadEntities(books: Books, names: readonly EntityName[]): void {
    const seen = new Set(names)
    for (const name of seen) {
      let entity = books.entity(name)
      if (entity === undefined) {
        entity = this.entity(name)
        if (entity === undefined) continue
        books.load({ entity })
      }
      const { accounts, entities } = behind(entity)
      for (const number of accounts) this.#loadAccount(books, number)
      // A set gives what is put into it on the way as well.
      for (const more of entities) seen.add(more)
    }
  }

  entity(name: EntityName): Entity | undefined {
    const row = this.#entity.get(name) as { body: string } | undefined
    return row && JSON.parse(row.body)
  }

  thing(id: RecordId): Thing | undefined {
    const row = this.#thing.get(sequenceOf(id)) as { body: string } | undefined
    return row && JSON.parse(row.body)
  }

  account(number: AccountNumber): Account | undefined {
    const row = this.#account.get(number) as AccountRow | undefined
    return row && accountOf(row, this.#pending)
  }

  transfer(id: RecordId): TransferPage | undefined {
    const transfer = this.#transferAt(sequenceOf(id))
    if (transfer === undefined) return undefined
    const row = this.#reversal.get(sequenceOf(id)) as { reversed: number; last: number } | undefined
    const last = row && this.#transferAt(row.last)
    return { transfer, reversed: row?.reversed ?? 0, ...(last && { last }) }
  }

  #transferAt(sequence: number): PostedTransfer | undefined {
    const line = this.#line.get(sequence) as Line | undefined
    return line && transferIn(line)
  }

  hold(id: RecordId): Hold | undefined {
    const row = this.#hold.get(sequenceOf(id)) as HoldRow | undefined
    if (row === undefined) return undefined
    const { content, at } = fromLine(this.#line.get(sequenceOf(id)) as Line)
    if (content.kind !== 'hold_placed') return undefined
    const { state, captured, transfer, forced } = row
    const paid = captured !== null && transfer !== null && { captured, transfer }
    return { ...placed(content, id, at), state, ...(forced && { forced: true }), ...paid }
  }

  /** The newest reply under a key. The index has hashes only; key and scope are compared in full. */
  reply(scope: string, key: string): StoredReply | undefined {
    for (const { sequence } of this.#sequences.all(keyHash(scope, key))) {
      const record = fromLine(this.#line.get(Number(sequence)) as Line)
      if (record.content.kind !== 'reply') continue
      if (record.scope === scope && record.content.key === key) return stored(record.content, record.at)
    }
    return undefined
  }
}

/** What replaying a record needs to be loaded: the pages it changes. */
export function pagesNamed(content: Content): Pages {
  if (isAtm(content)) return { entities: [...entitiesNamed(content), ...tracesOf(content)] }
  switch (content.kind) {
    case 'transfer': {
      const { debit, credit, reverses, hold, adjustment } = content
      return {
        accounts: [debit, credit],
        ...(reverses && { transfer: reverses }),
        ...(hold && { hold }),
        ...(adjustment && { thing: adjustment }),
      }
    }
    case 'hold_resolved':
      return { hold: content.hold }
    case 'hold_placed':
    case 'account_changed':
    case 'limits_set':
      return { accounts: [content.account] }
    case 'credential_revoked':
      return { thing: content.credential }
    case 'webhook_disabled':
      return { thing: content.webhook }
    case 'adjustment_rejected':
      return { thing: content.adjustment }
    case 'account_opened':
    case 'credential_created':
    case 'webhook_created':
    case 'webhook_redelivered':
    case 'adjustment_requested':
    case 'reply':
      return {}
  }
}

/** Of each record of the ATM side, the entities that it changes, but for those that it makes or that stand behind these. */
function entitiesNamed(content: AtmContent): readonly EntityName[] {
  switch (content.kind) {
    case 'terminal_created':
    case 'card_issued':
    case 'demo_opened':
    case 'keys_known':
      return []
    case 'card_changed':
      return [nameOf.card(content.card)]
    case 'withdrawal_authorized':
      return [nameOf.terminal(content.terminal), nameOf.card(content.card)]
    case 'withdrawal_started':
    case 'withdrawal_settled':
    case 'withdrawal_advised':
      return [nameOf.withdrawal(content.terminal, content.withdrawal)]
    case 'operation_reversed': {
      const { terminal, operation } = content
      return [nameOf.terminal(terminal), nameOf.operation(terminal, operation)]
    }
    case 'exception_opened': {
      const { terminal, withdrawal } = content
      return withdrawal === undefined ? [] : [nameOf.withdrawal(terminal, withdrawal)]
    }
    case 'exception_waits':
    case 'exception_resolved':
      return [nameOf.exception(content.exception)]
    case 'terminal_changed':
    case 'withdrawal_declined':
    case 'withdrawal_forestalled':
    case 'operation_done':
    case 'operation_declined':
    case 'exchange_started':
    case 'exchange_counted':
    case 'exchange_ended':
      return [nameOf.terminal(content.terminal)]
    case 'batch_closed':
      return [nameOf.terminal(content.report.terminal)]
    case 'demo_ended':
      return [nameOf.demo]
  }
}

function namesIn(rows: readonly Record<string, unknown>[]): EntityName[] {
  return rows.map(({ name }) => String(name))
}

/** The columns of the index's accounts. */
export type AccountRow = Pick<Account, 'number' | 'currency' | 'ledger' | 'held' | 'version' | 'at'> & {
  readonly more: string | null
  readonly used: string | null
}

type HoldRow = {
  readonly state: Hold['state']
  readonly captured: number | null
  readonly transfer: RecordId | null
  readonly forced: number | null
}

/** Reads the pending holds of an account. */
export function pendingHolds(index: DatabaseSync): StatementSync {
  return index.prepare(
    `select sequence, amount, expires_at
    from holds
    where account = ? and state = 'pending'
    order by sequence`,
  )
}

/** A row as the account it is, with the holds that make up what is held. */
export function accountOf(
  { number, currency, at, more, used, ...after }: AccountRow,
  pending: StatementSync,
): Account {
  const account = plainAccount({ number, currency, after, at })
  if (more === null && after.held === 0) return account
  const rows =
    after.held === 0 ? [] : (pending.all(number) as (Omit<PendingHold, 'id'> & { sequence: number })[])
  const holds = rows.map(({ sequence, amount, expires_at }) => ({ id: idOf(sequence), amount, expires_at }))
  return { ...account, ...JSON.parse(more ?? '{}'), ...(used !== null && { used: JSON.parse(used) }), holds }
}

/** 48 bits of SHA-256: a safe integer, and nobody can make many keys that share one. */
export function keyHash(scope: string, key: string): number {
  return Number.parseInt(hash('sha256', `${scope}\n${key}`, 'hex').slice(0, 12), 16)
}

/** Applies the journal to the index: what the records leave is copied, the last one of an account winning. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Spans, spanOf, termKey } from '../../bank/terms.ts'
import { isAtm } from '../../ledger/atm-records.ts'
import { idOf, sequenceOf } from '../../ledger/command.ts'
import { entitiesAfter } from '../../ledger/entities-after.ts'
import {
  dueAt,
  type Entity,
  type EntityName,
  isWaiting,
  nameOfEntity,
  ownerOf,
  waitsOn,
} from '../../ledger/entity.ts'
import type { Instant } from '../../ledger/money.ts'
import { type AccountOpened, type After, type Content, fromLine, type Line } from '../../ledger/record.ts'
import { isListed, isPrivileged, registeredAfter, type Thing } from '../../ledger/registry.ts'
import { isTerminalAccount } from '../../ledger/terminal.ts'
import { termsOf } from '../../ledger/terms.ts'
import { keyHash } from './load.ts'

/** Up to where the index has come: the block, its hash, and the last record. */
export type Progress = {
  readonly block: number
  readonly hash: string
  readonly sequence: number
  /** How many customers' accounts there are. */
  readonly accounts: number
  /** Sequence of the last record that was too old for its key to count, and whose key is gone. */
  readonly forgotten: number
}

/** Reads the progress of an index, as often as it is asked. */
export function progressOf(index: DatabaseSync): () => Progress {
  const progress = index.prepare('select block, hash, sequence, accounts, forgotten from progress')
  return () => progress.get() as Progress
}

type Left = {
  readonly currency: string
  readonly after: After
  readonly at: Instant
  readonly more?: string | null
}

/** An account's newest entry, and how many it has. */
type Newest = { readonly entry: number | null; readonly entries: number | null }

const noEntry: Newest = { entry: null, entries: null }

/** What a turn gathers, to write each table in the order of its tree: neighbours while their page is at hand. */
type Turn = {
  opened: number
  readonly left: Map<string, Left>
  readonly newest: Map<string, Newest>
  readonly entities: Map<EntityName, Entity>
  readonly keys: { readonly hash: number; readonly sequence: number }[]
  readonly terms: { readonly term: number; readonly sequence: number }[]
  readonly spans: Spans
}

/** A walk from an anchor reads so many entries at most before it comes to what is wanted. */
const entriesPerAnchor = 64

export class Projection {
  readonly #progress: () => Progress
  readonly #setProgress: StatementSync
  readonly #account: StatementSync
  readonly #key: StatementSync
  readonly #forget: StatementSync
  readonly #newest: StatementSync
  readonly #entry: StatementSync
  readonly #anchor: StatementSync
  readonly #ref: StatementSync
  readonly #change: StatementSync
  readonly #place: StatementSync
  readonly #resolve: StatementSync
  readonly #capture: StatementSync
  readonly #reverse: StatementSync
  readonly #thing: StatementSync
  readonly #register: StatementSync
  readonly #act: StatementSync
  readonly #entity: StatementSync
  readonly #keep: StatementSync
  readonly #term: StatementSync
  readonly #span: StatementSync

  constructor(index: DatabaseSync) {
    this.#progress = progressOf(index)
    this.#setProgress = index.prepare(
      'update progress set block = ?, hash = ?, sequence = ?, accounts = ?, forgotten = ?',
    )
    this.#account = index.prepare(
      `insert into accounts (number, currency, ledger, held, version, at, more, used, entry, entries)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict (number) do update set
        ledger = excluded.ledger, held = excluded.held, version = excluded.version, at = excluded.at,
        used = coalesce(excluded.used, used), entry = coalesce(excluded.entry, entry), entries = coalesce(excluded.entries, entries)`,
    )
    this.#newest = index.prepare('select entry, entries from accounts where number = ?')
    this.#key = index.prepare('insert into keys (hash, sequence) values (?, ?)')
    this.#forget = index.prepare('delete from keys where hash = ? and sequence = ?')
    this.#entry = index.prepare(
      'insert into entries (sequence, debit_before, credit_before) values (?, ?, ?)',
    )
    this.#anchor = index.prepare('insert into anchors (account, version, at, sequence) values (?, ?, ?, ?)')
    this.#ref = index.prepare('insert into refs (hash, sequence) values (?, ?)')
    this.#change = index.prepare(
      `update accounts set more = json_set(coalesce(more, '{}'), ?, json(?)) where number = ?`,
    )
    this.#place = index.prepare(
      `insert into holds (sequence, account, amount, expires_at, state) values (?, ?, ?, ?, 'pending')`,
    )
    this.#resolve = index.prepare('update holds set state = ?, forced = ? where sequence = ?')
    this.#capture = index.prepare('update holds set captured = ?, transfer = ? where sequence = ?')
    this.#reverse = index.prepare(
      `insert into reversals (transfer, reversed, last)
      values (?, ?, ?)
      on conflict (transfer) do update set reversed = reversed + excluded.reversed, last = excluded.last`,
    )
    this.#thing = index.prepare('select body from registry where sequence = ?')
    this.#register = index.prepare(
      'insert or replace into registry (sequence, listed, body) values (?, ?, ?)',
    )
    this.#act = index.prepare('insert into acts (sequence) values (?)')
    this.#entity = index.prepare('select body from entities where name = ?')
    this.#keep = index.prepare(
      `insert into entities (name, owner, waiting, waits_on, due, body)
      values (?, ?, ?, ?, ?, ?)
      on conflict (name) do update set
        waiting = excluded.waiting, waits_on = excluded.waits_on, due = excluded.due, body = excluded.body`,
    )
    this.#term = index.prepare('insert into terms (term, sequence) values (?, ?)')
    this.#span = index.prepare(
      `insert into spans (span, first_at, last_at)
      values (?, ?, ?)
      on conflict (span) do update set
        first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)`,
    )
  }

  get progress(): Progress {
    return this.#progress()
  }

  /** Takes in the lines that follow, up to the block given. To be called within a transaction. */
  advance(
    lines: Iterable<Line>,
    to: { readonly sequence: number; readonly hash: string; readonly last: number },
  ): void {
    const { accounts, forgotten } = this.progress
    const turn: Turn = {
      opened: 0,
      left: new Map(),
      newest: new Map(),
      entities: new Map(),
      keys: [],
      terms: [],
      spans: new Spans(),
    }
    const changes: { account: string; path: string; value: unknown }[] = []
    for (const line of lines) {
      const { at, actor, scope, sequence, content } = fromLine(line)
      this.#gather(turn, content, { at, scope, sequence })
      this.#note(content, { id: idOf(sequence), at, actor })
      this.#alter(turn, content, { at, sequence })
      if (isPrivileged(content)) this.#act.run(sequence)
      if (content.kind === 'account_changed')
        changes.push({ account: content.account, path: '$.state', value: content.state })
      if (content.kind === 'limits_set')
        changes.push({ account: content.account, path: '$.limits', value: content.limits })
    }
    for (const [number, { currency, after, at, more = null }] of inOrder(turn.left)) {
      const { entry, entries } = turn.newest.get(number) ?? noEntry
      const { ledger, held, version } = after
      const used = after.used === undefined ? null : JSON.stringify(after.used)
      this.#account.run(number, currency, ledger, held, version, at, more, used, entry, entries)
    }
    for (const [name, entity] of inOrder(turn.entities)) this.#write(name, entity)
    for (const { account, path, value } of changes) this.#change.run(path, JSON.stringify(value), account)
    for (const { hash, sequence } of turn.keys.sort((a, b) => a.hash - b.hash)) this.#key.run(hash, sequence)
    for (const { term, sequence } of turn.terms.sort((a, b) => a.term - b.term))
      this.#term.run(term, sequence)
    for (const { span, first_at, last_at } of turn.spans.all) this.#span.run(span, first_at, last_at)
    this.#setProgress.run(to.sequence, to.hash, to.last, accounts + turn.opened, forgotten)
  }

  /** What the record leaves of the ATM side's, and by what it is found again. */
  #alter(
    { entities, terms, spans }: Turn,
    content: Content,
    { at, sequence }: { at: Instant; sequence: number },
  ): void {
    if (!isAtm(content)) return
    const found = termsOf(content)
    if (found.length > 0) spans.take(sequence, at)
    for (const term of found) terms.push({ term: termKey(spanOf(sequence), term), sequence })
    const find = (name: EntityName) => {
      const row = entities.has(name) ? undefined : (this.#entity.get(name) as { body: string } | undefined)
      return row === undefined ? entities.get(name) : (JSON.parse(row.body) as Entity)
    }
    for (const entity of entitiesAfter(content, at, find)) entities.set(nameOfEntity(entity), entity)
  }

  #write(name: EntityName, entity: Entity): void {
    const waiting = isWaiting(entity) ? 1 : null
    this.#keep.run(name, ownerOf(entity), waiting, waitsOn(entity), dueAt(entity), JSON.stringify(entity))
  }

  /** What is registered, as the record leaves it. */
  #note(content: Content, named: Parameters<typeof registeredAfter>[1]): void {
    const thing = registeredAfter(content, named, (id) => {
      const row = this.#thing.get(sequenceOf(id)) as { body: string } | undefined
      return row && (JSON.parse(row.body) as Thing)
    })
    if (thing !== undefined)
      this.#register.run(sequenceOf(thing.id), isListed(thing) ? 1 : null, JSON.stringify(thing))
  }

  /** Holds and reversals are few, and written as they come; the rest is gathered. */
  #gather(
    turn: Turn,
    content: Content,
    { at, scope, sequence }: { at: Instant; scope: string; sequence: number },
  ): void {
    switch (content.kind) {
      case 'account_opened':
        if (!isTerminalAccount(content.account)) turn.opened += 1
        leave(turn, content.account, {
          currency: content.currency,
          after: content.after,
          at,
          more: moreOf(content),
        })
        break
      case 'account_changed':
      case 'limits_set':
        leave(turn, content.account, { currency: '', after: content.after, at })
        break
      case 'transfer': {
        const { currency, debit, credit, debit_after, credit_after, amount } = content
        const enter = (account: string, after: After | null) => {
          if (after === null) return null
          leave(turn, account, { currency, after, at })
          return this.#enter(turn, account, { version: after.version, at, sequence })
        }
        this.#entry.run(sequence, enter(debit, debit_after), enter(credit, credit_after))
        if (content.reference !== undefined) this.#ref.run(keyHash('', content.reference), sequence)
        if (content.reverses !== undefined) this.#reverse.run(sequenceOf(content.reverses), amount, sequence)
        if (content.hold !== undefined) this.#capture.run(amount, idOf(sequence), sequenceOf(content.hold))
        break
      }
      case 'hold_placed': {
        const { account, amount, currency, expires_at, after } = content
        leave(turn, account, { currency, after, at })
        this.#place.run(sequence, account, amount, expires_at)
        break
      }
      case 'hold_resolved':
        leave(turn, content.account, { currency: '', after: content.after, at })
        this.#resolve.run(content.state, content.forced ? 1 : null, sequenceOf(content.hold))
        break
      case 'reply':
        turn.keys.push({ hash: keyHash(scope, content.key), sequence })
    }
  }

  /** Makes a transfer the newest entry of an account; gives the one before. */
  #enter(
    { newest }: Turn,
    account: string,
    { version, at, sequence }: { version: number; at: Instant; sequence: number },
  ): number | null {
    const before = newest.get(account) ?? (this.#newest.get(account) as Newest | undefined) ?? noEntry
    const entries = (before.entries ?? 0) + 1
    if (entries % entriesPerAnchor === 0) this.#anchor.run(account, version, at, sequence)
    newest.set(account, { entry: sequence, entries })
    return before.entry
  }

  /** Forgets the keys of lines that are too old to count. To be called within a transaction. */
  forget(lines: readonly Line[]): void {
    const { block, hash, sequence, accounts, forgotten } = this.progress
    for (const line of lines) {
      if (line.kind !== 'reply') continue
      const { scope, content } = fromLine(line)
      if (content.kind === 'reply') this.#forget.run(keyHash(scope, content.key), line.sequence)
    }
    this.#setProgress.run(block, hash, sequence, accounts, lines.at(-1)?.sequence ?? forgotten)
  }
}

function inOrder<Page>(left: ReadonlyMap<string, Page>): [string, Page][] {
  return [...left].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The later record wins; the currency, what is used, and what the account was opened with in the same turn stay. */
function leave({ left }: Turn, account: string, latest: Left): void {
  const before = left.get(account)
  if (before === undefined) {
    left.set(account, latest)
    return
  }
  const used = latest.after.used ?? before.after.used
  const after = used === undefined ? latest.after : { ...latest.after, used }
  left.set(account, {
    at: latest.at,
    after,
    currency: before.currency || latest.currency,
    more: before.more ?? null,
  })
}

function moreOf({ overdraft_limit, minimum_balance, limits, metadata }: AccountOpened): string | null {
  const more = JSON.stringify({ overdraft_limit, minimum_balance, limits, metadata })
  return more === '{}' ? null : more
}

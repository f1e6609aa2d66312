/**
 * What the ATM side keeps, read by name, in lists, and with what stands behind it. Beside `stores/sqlite/entities.ts`:
 * nothing trails that would have to be taken in.
 */
import { beyond, type EntitiesFound, type EntityPage, entityPageOf } from '../../bank/store.ts'
import type { AccountNumber } from '../../ledger/account.ts'
import { genesis } from '../../ledger/block.ts'
import { Books } from '../../ledger/books.ts'
import type { Pages } from '../../ledger/command.ts'
import { behind, type Entity, type EntityName, nameOf, nameOfEntity, waitsOn } from '../../ledger/entity.ts'
import type { Instant } from '../../ledger/money.ts'
import { type Ask, statement } from './connect.ts'

type EntityRow = { readonly name: EntityName; readonly clock: number; readonly body: string }

const named = statement(
  'entities_named',
  'select name, clock, body from entities where name = any($1::text[])',
)
const waitingUnder = statement(
  'entities_waiting',
  `select e.name, e.clock, e.body
  from unnest($1::text[], $2::text[]) as under (first, beyond)
  join entities e on e.waiting and e.name >= under.first and e.name < under.beyond`,
)
const waitingOnAny = statement(
  'entities_waiting_on',
  'select name, clock, body from entities where waits_on = any($1::text[])',
)
const lockNamed = statement(
  'lock_entities',
  `select name, clock, body from entities where name = any($1::text[]) order by name for no key update`,
)
const page = statement(
  'entities_page',
  `select body
  from entities
  where name >= $1 and name > $2 and name < $3
    and ($4::text is null or owner = $4) and ($5::boolean is null or waiting = $5)
  order by name
  limit $6`,
)
const waitingPage = statement(
  'entities_waiting_page',
  `select body
  from entities
  where waiting and name >= $1 and name > $2 and name < $3 and ($4::text is null or owner = $4)
  order by name
  limit $5`,
)
const dueBy = statement(
  'entities_due',
  'select body from entities where due is not null and due <= $1 order by due, name limit $2',
)

export async function readEntity(name: EntityName, ask: Ask): Promise<Entity | undefined> {
  const [row] = await ask(named, [[name]])
  return row && entityOf(row)
}

/** Those of names that are there. */
export async function readEntities(names: readonly EntityName[], ask: Ask): Promise<readonly Entity[]> {
  return names.length === 0 ? [] : (await ask(named, [names])).map(entityOf)
}

/** Those that wait under a prefix. */
export async function readWaiting(prefix: EntityName, ask: Ask): Promise<readonly Entity[]> {
  return (await ask(waitingUnder, [[prefix], [beyond(prefix)]])).map(entityOf)
}

export async function readEntityPage(
  { prefix, owner, waiting, after = '', limit }: EntityPage,
  ask: Ask,
): Promise<EntitiesFound> {
  const names = [prefix, after, beyond(prefix), owner ?? null]
  const rows =
    waiting === true
      ? await ask(waitingPage, [...names, limit + 1])
      : await ask(page, [...names, waiting ?? null, limit + 1])
  return entityPageOf(rows.map(entityOf), limit)
}

export async function readDue(now: Instant, limit: number, ask: Ask): Promise<readonly Entity[]> {
  return (await ask(dueBy, [now, limit])).map(entityOf)
}

/** What of the ATM side's some pages name. */
export type WantedEntities = {
  readonly names: readonly EntityName[]
  /** Prefixes under which all that waits is named. */
  readonly waiting: readonly EntityName[]
  /** Accounts of which all that waits on them is named. */
  readonly waitingOn: readonly AccountNumber[]
}

// Some 5 MB.
const cardsMax = 10_000

/**
 * Cards that were looked up before. A card's accounts never change, so that most withdrawals need not be asked twice:
 * for what they are of, and then for what stands behind that.
 */
export class Cards {
  readonly #cards = new Map<EntityName, Entity>()

  get(name: EntityName): Entity | undefined {
    return this.#cards.get(name)
  }

  add(entity: Entity): void {
    if (entity.kind !== 'card') return
    if (this.#cards.size >= cardsMax) this.#cards.clear()
    this.#cards.set(nameOfEntity(entity), entity)
  }
}

/**
 * Looks up what stands behind the names, before anything is locked: in rounds until nothing new is found. It may have
 * grown by the time the locks are held, which `isOutgrown` tells. Gives the names of all, and what was found.
 */
export async function wantedEntities(
  pages: readonly Pages[],
  cards: Cards,
  ask: Ask,
): Promise<{ readonly wanted: WantedEntities; readonly found: Books }> {
  const names = new Set(pages.flatMap(({ entities = [] }) => entities))
  const waiting = [...new Set(pages.flatMap((each) => each.waiting ?? []))]
  const waitingOn = [...new Set(pages.flatMap((each) => each.waiting_on ?? []))]
  const found = Books.at(genesis(1))
  const seen = new Set<EntityName>()
  const take = (entity: Entity) => {
    const name = nameOfEntity(entity)
    seen.add(name)
    cards.add(entity)
    found.load({ entity })
    for (const more of [name, ...behind(entity).entities]) names.add(more)
  }
  /** Those that have to be asked for; what is known of cards is taken as it is. */
  const unseen = () => {
    for (const name of names) {
      const card = seen.has(name) ? undefined : cards.get(name)
      if (card !== undefined) take(card)
    }
    const left = [...names].filter((name) => !seen.has(name))
    for (const name of left) seen.add(name)
    return left
  }
  for (let of: WantedEntities = { names: unseen(), waiting, waitingOn }; ; ) {
    const reads = askEntities(of, ask)
    if (reads.length === 0) return { wanted: { names: [...names].sort(), waiting, waitingOn }, found }
    for (const { body } of (await Promise.all(reads)).flat()) take(JSON.parse(body))
    of = { names: unseen(), waiting: [], waitingOn: [] }
  }
}

/** Asks for all of them; nothing is waited for. */
export function askEntities(
  { names, waiting, waitingOn }: WantedEntities,
  ask: Ask,
): Promise<readonly EntityRow[]>[] {
  const reads: ReturnType<Ask>[] = []
  if (names.length > 0) reads.push(ask(named, [names]))
  if (waiting.length > 0) reads.push(ask(waitingUnder, [waiting, waiting.map(beyond)]))
  if (waitingOn.length > 0) reads.push(ask(waitingOnAny, [waitingOn]))
  return reads as Promise<readonly never[]>[]
}

/** No account guards the names of keys, which are therefore locked themselves. */
export function lockUnguarded({ names }: WantedEntities, ask: Ask): Promise<readonly EntityRow[]>[] {
  const unguarded = names.filter((name) => name === nameOf.keys)
  return unguarded.length === 0 ? [] : [ask(lockNamed, [unguarded]) as Promise<readonly never[]>]
}

/** What a command's pages name of the books' entities, with all that stands behind, and the accounts behind that. */
export function reach(
  pages: readonly Pages[],
  books: Books,
): { readonly accounts: ReadonlySet<AccountNumber>; readonly entities: ReadonlySet<EntityName> } {
  const accounts = new Set<AccountNumber>()
  const entities = new Set<EntityName>()
  const add = (entity: Entity) => entities.add(nameOfEntity(entity))
  for (const { entities: names = [], waiting, waiting_on } of pages) {
    for (const name of names) if (books.entity(name) !== undefined) entities.add(name)
    if (waiting !== undefined) books.waiting(waiting).forEach(add)
    if (waiting_on !== undefined)
      for (const entity of books.waiting(nameOf.everyWithdrawal))
        if (waitsOn(entity) === waiting_on) add(entity)
  }
  // A set gives what is put into it on the way as well.
  for (const name of entities) {
    const entity = books.entity(name)
    if (entity === undefined) continue
    const stood = behind(entity)
    for (const number of stood.accounts) accounts.add(number)
    for (const more of stood.entities) entities.add(more)
  }
  return { accounts, entities }
}

/** Of names, those that are there. */
export async function readThere(names: readonly EntityName[], ask: Ask): Promise<readonly EntityName[]> {
  return names.length === 0 ? [] : (await ask(named, [names])).map(({ name }) => String(name))
}

function entityOf({ body }: Record<string, unknown>): Entity {
  return JSON.parse(String(body))
}

/** What there is of a reading, as a search tells it: by its own name, and by numbers that others may have as well. */
import { mayRole, type Permission } from '../../access/permissions.ts'
import type { Bank } from '../../bank/bank.ts'
import { type AccountNumber, available } from '../../ledger/account.ts'
import type { CardId } from '../../ledger/card.ts'
import type { RecordId } from '../../ledger/command.ts'
import { type Entity, type EntityName, nameOf, nameOfEntity } from '../../ledger/entity.ts'
import type { Day } from '../../ledger/limits.ts'
import { type Currency, currencies, type Instant, toMinor } from '../../ledger/money.ts'
import type { Role } from '../../ledger/registry.ts'
import type { Findable, Sought } from '../../ledger/terms.ts'
import type { Operation, Withdrawal } from '../../ledger/withdrawal.ts'
import { lastFour } from '../../vault/pan.ts'
import type { Vault } from '../../vault/vault.ts'
import { transferPageBody } from './render.ts'
import { cardBody, depositFoundBody, exceptionBody, withdrawalFoundBody } from './render-atm.ts'
import type { Reading } from './search-query.ts'

/** What is found: under a key that nothing else has, and when it was made. */
export type Hit = { readonly key: string; readonly at: Instant; readonly body: object }

export type Hits = { readonly hits: readonly Hit[]; readonly more: boolean }

export type SeekerOptions = {
  readonly role: Role
  readonly vault: Vault | undefined
  readonly today: Day
  /** So many hits of a reading are enough. */
  readonly max: number
}

/** What a role must be permitted to be shown what. */
const needed = {
  terminal: 'read_terminals',
  withdrawal: 'read_terminals',
  operation: 'read_terminals',
  exception: 'read_terminals',
  card: 'read_cards',
  account: 'read',
  transfer: 'read',
} as const satisfies Record<string, Permission>

const none: Hits = { hits: [], more: false }
// A search of the store that gives up says where to go on, and is followed so often.
const pagesMax = 10

export class Seeker {
  readonly #bank: Bank
  readonly #options: SeekerOptions

  constructor(bank: Bank, options: SeekerOptions) {
    this.#bank = bank
    this.#options = options
  }

  #may(kind: keyof typeof needed): boolean {
    return mayRole(this.#options.role, needed[kind])
  }

  /** What is called so. */
  async called(reading: Reading): Promise<Hits> {
    switch (reading.is) {
      case 'terminal':
        return this.#entities('terminal', [nameOf.terminal(reading.id)])
      case 'exception':
        return this.#entities('exception', [nameOf.exception(reading.id)])
      case 'card':
        return this.#entities('card', this.#cardsOf(reading.pan).map(nameOf.card))
      case 'last4':
        return this.#find([{ kind: 'card', last4: reading.last4 }])
      case 'operation': {
        const { terminal, id } = reading
        if (terminal === undefined) return this.#find(ofBoth({ id }))
        return this.#entities('operation', [nameOf.withdrawal(terminal, id), nameOf.operation(terminal, id)])
      }
      case 'account':
        return this.#may('account') ? one(await this.#account(reading.number)) : none
      case 'transfer':
        return this.#may('transfer') ? one(await this.#transfer(reading.id)) : none
      default:
        return none
    }
  }

  /** What is numbered so, or of that account or card, at terminals. */
  async numbered(reading: Reading): Promise<Hits> {
    switch (reading.is) {
      case 'account':
        return this.#find(ofBoth({ account: reading.number }))
      case 'last4':
        return this.#find([{ kind: 'withdrawal', last4: reading.last4 }])
      case 'card': {
        const cards = this.#cardsOf(reading.pan)
        const last4 = lastFour(reading.pan)
        return this.#find([{ kind: 'withdrawal', last4 }], ({ card }) => cards.includes(card ?? ''))
      }
      case 'stan':
        return this.#find(ofBoth({ stan: reading.stan }))
      case 'rrn':
        return this.#find(ofBoth({ rrn: reading.rrn }))
      case 'authorization_code':
        return this.#find([{ kind: 'withdrawal', authorization_code: reading.code }])
      case 'amount': {
        const { decimal, from, to } = reading
        const named = reading.currency === undefined ? currencies : [reading.currency]
        const amounts = [...new Set(named.map((currency) => toMinor(decimal, currency)))]
        const sought = amounts.flatMap((amount) =>
          typeof amount === 'number' ? ofBoth({ amount, from, to }) : [],
        )
        const isSo: Judge = (found, currency) =>
          named.includes(currency) && 'amount' in found && found.amount === toMinor(decimal, currency)
        return this.#find(sought, isSo)
      }
      default:
        return none
    }
  }

  /** The card of a number, by every id it may have. */
  #cardsOf(pan: string): readonly CardId[] {
    return this.#options.vault?.cardIds(pan) ?? []
  }

  async #entities(kind: keyof typeof needed, names: readonly EntityName[]): Promise<Hits> {
    if (!this.#may(kind)) return none
    const found = await Promise.all(names.map((name) => this.#bank.entity(name)))
    const hits = await Promise.all(found.map((entity) => entity && this.#hit(entity)))
    return { hits: hits.flatMap((hit) => hit ?? []), more: false }
  }

  async #find(sought: readonly Sought[], isWanted: Judge = () => true): Promise<Hits> {
    const permitted = sought.filter(({ kind }) => this.#may(kind))
    const found = await Promise.all(permitted.map((each) => this.#pages(each)))
    const entities = found.flatMap((each) => each.entities)
    const hits = await Promise.all(entities.map((entity) => this.#hit(entity, isWanted)))
    return { hits: hits.flatMap((hit) => hit ?? []), more: found.some(({ more }) => more) }
  }

  /** As many as are enough, also where the store gives up on the way. */
  async #pages(sought: Sought): Promise<{ entities: readonly Findable[]; more: boolean }> {
    const entities: Findable[] = []
    let before: RecordId | undefined
    for (let pages = 0; pages < pagesMax && entities.length < this.#options.max; pages += 1) {
      const limit = this.#options.max - entities.length
      const page = await this.#bank.find({ ...sought, limit, ...(before !== undefined && { before }) })
      entities.push(...page.things.map(({ entity }) => entity))
      before = page.next
      if (before === undefined) return { entities, more: false }
    }
    return { entities, more: true }
  }

  async #account(number: AccountNumber): Promise<Hit | undefined> {
    const account = await this.#bank.account(number)
    if (account === undefined) return undefined
    const { currency, ledger, state, at } = account
    const told = { number, currency, ledger, available: available(account, this.#bank.now), state }
    return { key: `account/${number}`, at, body: { kind: 'account', account: told } }
  }

  async #transfer(id: RecordId): Promise<Hit | undefined> {
    const page = await this.#bank.transfer(id)
    if (page === undefined) return undefined
    const body = { kind: 'transfer', transfer: transferPageBody(page) }
    return { key: `transfer/${id}`, at: page.transfer.at, body }
  }

  async #hit(entity: Entity, isWanted: Judge = () => true): Promise<Hit | undefined> {
    const key = nameOfEntity(entity)
    switch (entity.kind) {
      case 'terminal': {
        const { id, name, state, at } = entity
        return { key, at, body: { kind: 'terminal', terminal: { id, name, state } } }
      }
      case 'exception': {
        const exception = exceptionBody(entity, this.#bank.now)
        return { key, at: entity.opened_at, body: { kind: 'exception', exception } }
      }
      case 'card': {
        return { key, at: entity.at, body: { kind: 'card', card: cardBody(entity, this.#options.today) } }
      }
      case 'withdrawal': {
        if (!isWanted(entity, entity.currency)) return undefined
        return { key, at: entity.at, body: { kind: 'withdrawal', withdrawal: withdrawalFoundBody(entity) } }
      }
      case 'operation':
        return this.#operation(entity, isWanted)
      default:
        return undefined
    }
  }

  /** A deposit of notes, or the transfer that was made at a terminal; nothing of a change of PIN, or of what never came. */
  async #operation(operation: Operation, isWanted: Judge): Promise<Hit | undefined> {
    const { terminal, type, at, amount, transfers } = operation
    const of = await this.#bank.entity(nameOf.terminal(terminal))
    if (of?.kind !== 'terminal' || !isWanted(operation, of.currency)) return undefined
    const [transfer] = transfers
    if (type === 'transfer' && transfer !== undefined)
      return this.#may('transfer') ? this.#transfer(transfer) : undefined
    if (type !== 'deposit' || amount === undefined) return undefined
    const deposit = depositFoundBody({ ...operation, amount }, of.currency)
    return { key: nameOfEntity(operation), at, body: { kind: 'deposit', deposit } }
  }
}

/** Whether it is what is sought, as the store does not know it. */
type Judge = (found: Withdrawal | Operation, currency: Currency) => boolean

function ofBoth(sought: Omit<Sought, 'kind'>): readonly Sought[] {
  return [
    { kind: 'withdrawal', ...sought },
    { kind: 'operation', ...sought },
  ]
}

function one(hit: Hit | undefined): Hits {
  return hit === undefined ? none : { hits: [hit], more: false }
}

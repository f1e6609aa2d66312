/**
 * What the books know beside accounts: who may ask, who is told of what happens, and corrections of balances. Each is
 * named by the record that made it.
 */
import type { AccountNumber } from './account.ts'
import type { Books, Mark } from './books.ts'
import {
  type CreateCredential,
  type CreateWebhook,
  type DisableWebhook,
  type RecordId,
  type Redeliver,
  type Registered,
  type Reply,
  type RevokeCredential,
  refuse,
  type Submission,
} from './command.ts'
import { nameOf } from './entity.ts'
import type { Currency, Instant, Minor } from './money.ts'
import type { Content } from './record.ts'

export const roles = ['terminal', 'teller', 'operator', 'auditor', 'admin'] as const

export type Role = (typeof roles)[number]

/** Who may ask. Of its key there is only the SHA-256. */
export type Credential = {
  readonly kind: 'credential'
  readonly id: RecordId
  readonly role: Role
  /** Whose it is: two credentials of one name are one person's. */
  readonly name: string
  readonly hash: string
  readonly at: Instant
  readonly actor: string
  readonly revoked_at?: Instant
}

/** Where events are sent as they happen, from the record that made it on. */
export type Webhook = {
  readonly kind: 'webhook'
  readonly id: RecordId
  readonly url: string
  /** None for all of them. */
  readonly types: readonly string[]
  /** What its secret is made from, together with the server's key, and which key that is. */
  readonly salt: string
  readonly sealed_with: string
  readonly at: Instant
  readonly actor: string
  readonly disabled_at?: Instant
}

/** A correction of a balance by a person; above a threshold it waits for another one. */
export type Adjustment = {
  readonly kind: 'adjustment'
  readonly id: RecordId
  readonly account: AccountNumber
  readonly currency: Currency
  readonly amount: Minor
  readonly direction: Direction
  readonly reason: string
  /** Who asked: the credential, and whose it is. */
  readonly actor: string
  readonly person: string
  readonly second_person?: true
  readonly at: Instant
  readonly state: 'pending' | 'posted' | 'rejected'
  /** Who decided, and when; of a posted one, by which transfer. */
  readonly decided_by?: string
  readonly decided_at?: Instant
  readonly transfer?: RecordId
}

/** Whether the account gains or loses. */
export type Direction = 'credit' | 'debit'

export type Thing = Credential | Webhook | Adjustment

type Named = { readonly id: RecordId; readonly at: Instant; readonly actor: string }

/** What a record of the registry leaves, of what `find` knows; undefined where it is of something else. */
export function registeredAfter(
  content: Content,
  { id, at, actor }: Named,
  find: (id: RecordId) => Thing | undefined,
): Thing | undefined {
  switch (content.kind) {
    case 'credential_created': {
      const { role, name, hash } = content
      return { kind: 'credential', id, role, name, hash, at, actor }
    }
    case 'credential_revoked': {
      const credential = find(content.credential)
      return credential?.kind === 'credential' ? { ...credential, revoked_at: at } : undefined
    }
    case 'webhook_created': {
      const { url, types, salt, sealed_with } = content
      return { kind: 'webhook', id, url, types, salt, sealed_with, at, actor }
    }
    case 'webhook_disabled': {
      const webhook = find(content.webhook)
      return webhook?.kind === 'webhook' ? { ...webhook, disabled_at: at } : undefined
    }
    case 'adjustment_requested': {
      const { kind: _, ...requested } = content
      return { kind: 'adjustment', id, ...requested, actor, at, state: 'pending' }
    }
    case 'adjustment_rejected': {
      const adjustment = find(content.adjustment)
      if (adjustment?.kind !== 'adjustment') return undefined
      return { ...adjustment, state: 'rejected', decided_by: actor, decided_at: at }
    }
    case 'transfer': {
      const adjustment = content.adjustment === undefined ? undefined : find(content.adjustment)
      if (adjustment?.kind !== 'adjustment') return undefined
      return { ...adjustment, state: 'posted', decided_by: actor, decided_at: at, transfer: id }
    }
    default:
      return undefined
  }
}

/** Whether it is of use on and on, so that lists have it: resolved adjustments are only looked up. */
export function isListed(thing: Thing): boolean {
  return thing.kind !== 'adjustment' || thing.state === 'pending'
}

/** Whether a record is an act that an auditor asks for: what only some may do, and who did it. */
export function isPrivileged(content: Content): boolean {
  switch (content.kind) {
    case 'account_changed':
    case 'limits_set':
    case 'credential_created':
    case 'credential_revoked':
    case 'webhook_created':
    case 'webhook_disabled':
    case 'webhook_redelivered':
    case 'adjustment_requested':
    case 'adjustment_rejected':
      return true
    case 'transfer':
      return content.type === 'adjustment' || content.forced === true
    case 'terminal_created':
    case 'card_issued':
    case 'exception_waits':
    case 'exception_resolved':
    case 'exchange_started':
    case 'exchange_ended':
    case 'demo_ended':
      return true
    case 'terminal_changed':
      return [content.reason, content.pin_keys, content.mac_keys].some((change) => change !== undefined)
    case 'card_changed':
      return content.reason !== undefined
    default:
      return false
  }
}

/** The rules of credentials and webhooks; those of adjustments, which move money, are in `apply.ts`. */
export function register(
  books: Books,
  by: Submission,
  command: CreateCredential | RevokeCredential | CreateWebhook | DisableWebhook | Redeliver,
  now: Instant,
): Reply {
  const { actor, key } = by
  const mark = { at: now, actor, scope: key?.scope ?? '' }
  switch (command.type) {
    case 'create_credential': {
      const { role, name } = command
      const content = { kind: 'credential_created', role, name, hash: by.fresh ?? '' } as const
      const reply = made(books, () => books.append(content, mark))
      endDemo(books, mark)
      return reply
    }
    case 'revoke_credential': {
      const credential = books.thing(command.credential)
      if (credential?.kind !== 'credential') return refuse('credential_not_found')
      if (credential.revoked_at === undefined)
        books.append({ kind: 'credential_revoked', credential: credential.id }, mark)
      return told(books, credential.id)
    }
    case 'create_webhook': {
      const { url, types, sealed_with } = command
      const content = { kind: 'webhook_created', url, types, salt: by.fresh ?? '', sealed_with } as const
      return made(books, () => books.append(content, mark))
    }
    case 'disable_webhook': {
      const webhook = books.thing(command.webhook)
      if (webhook?.kind !== 'webhook') return refuse('webhook_not_found')
      if (webhook.disabled_at === undefined)
        books.append({ kind: 'webhook_disabled', webhook: webhook.id }, mark)
      return told(books, webhook.id)
    }
    case 'redeliver': {
      const webhook = books.thing(command.webhook)
      if (webhook?.kind !== 'webhook') return refuse('webhook_not_found')
      if (webhook.disabled_at !== undefined) return refuse('webhook_disabled')
      const { event } = command
      const content = { kind: 'webhook_redelivered', webhook: webhook.id, ...(event && { event }) } as const
      books.append(content, mark)
      return told(books, webhook.id)
    }
  }
}

/** Nobody tries it any more once there is a credential: its cards are blocked, its terminal is put out of service. */
function endDemo(books: Books, mark: Mark): void {
  const demo = books.entity(nameOf.demo)
  if (demo?.kind !== 'demo' || demo.ended) return
  const reason = 'the demo mode has ended'
  for (const card of demo.cards) {
    const found = books.entity(nameOf.card(card))
    // One that is lost or stolen is so for good.
    if (found?.kind === 'card' && found.status === 'active')
      books.append({ kind: 'card_changed', card, status: 'blocked', reason }, mark)
  }
  const { terminal } = demo
  books.append({ kind: 'terminal_changed', terminal, state: 'out_of_service', reason }, mark)
  books.append({ kind: 'demo_ended' }, mark)
}

function made(books: Books, append: () => void): Registered {
  const id = books.nextId
  append()
  return { ...told(books, id), made: true }
}

/** What is registered under an id, as it is now. */
export function told(books: Books, id: RecordId): Registered {
  const thing = books.thing(id)
  if (thing === undefined) throw new Error(`${id} is registered`)
  return { type: 'registered', made: false, thing }
}

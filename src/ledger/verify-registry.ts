/** Proves credentials, webhooks and adjustments: that each record could have been written, and who wrote it. */
import type { RecordId } from './command.ts'
import type { AdjustmentRequested, Content, Transfer } from './record.ts'
import { type Adjustment, type Credential, roles, type Thing, type Webhook } from './registry.ts'
import type { State } from './verify.ts'

type Around = {
  readonly id: RecordId
  readonly actor: string
  account(number: string): State | undefined
}

export class RegistryVerifier {
  readonly #things = new Map<RecordId, Thing>()
  readonly #hashes = new Set<string>()
  /** The adjustment that was just asked for and needs nobody else: its transfer follows. */
  #due: RecordId | undefined

  thing(id: RecordId): Thing | undefined {
    return this.#things.get(id)
  }

  /** Takes the next record; says what is wrong with it, if it is of the registry and anything is. */
  check(content: Content, around: Around): string | undefined {
    const due = this.#due
    this.#due = undefined
    if (due !== undefined && !(content.kind === 'transfer' && content.adjustment === due))
      return `is not the transfer of adjustment ${due}, which was asked for just before`
    return this.#judge(content, around)
  }

  /** Remembers what the record leaves, which has been found right. */
  take(
    content: Content,
    named: { readonly id: RecordId; readonly at: number; readonly actor: string },
  ): void {
    const { id, at, actor } = named
    const put = (thing: Thing) => this.#things.set(thing.id, thing)
    switch (content.kind) {
      case 'credential_created': {
        const { role, name, hash } = content
        put({ kind: 'credential', id, role, name, hash, at, actor })
        break
      }
      case 'webhook_created': {
        const { url, types, salt, sealed_with } = content
        put({ kind: 'webhook', id, url, types, salt, sealed_with, at, actor })
        break
      }
      case 'adjustment_requested': {
        const { kind: _, ...asked } = content
        put({ kind: 'adjustment', id, ...asked, actor, at, state: 'pending' })
        if (!content.second_person) this.#due = id
        break
      }
      case 'credential_revoked':
        put({ ...(this.#things.get(content.credential) as Credential), revoked_at: at })
        break
      case 'webhook_disabled':
        put({ ...(this.#things.get(content.webhook) as Webhook), disabled_at: at })
        break
      case 'adjustment_rejected':
        this.#decide(content.adjustment, { state: 'rejected', decided_by: actor, decided_at: at })
        break
      case 'transfer':
        if (content.adjustment !== undefined)
          this.#decide(content.adjustment, {
            state: 'posted',
            decided_by: actor,
            decided_at: at,
            transfer: id,
          })
        break
      default:
    }
  }

  #decide(id: RecordId, decision: Partial<Adjustment>): void {
    this.#things.set(id, { ...(this.#things.get(id) as Adjustment), ...decision })
  }

  #judge(content: Content, { actor, account }: Around): string | undefined {
    switch (content.kind) {
      case 'credential_created': {
        const { role, hash } = content
        if (!roles.includes(role)) return `gives a role that there is not: ${role}`
        if (!/^[0-9a-f]{64}$/.test(hash)) return 'is a credential without the hash of a key'
        if (this.#hashes.has(hash)) return 'gives the key of another credential'
        this.#hashes.add(hash)
        return undefined
      }
      case 'credential_revoked': {
        const credential = this.#things.get(content.credential)
        const live = credential?.kind === 'credential' && credential.revoked_at === undefined
        return live ? undefined : `revokes ${content.credential}, which is no credential in use`
      }
      case 'webhook_disabled':
      case 'webhook_redelivered': {
        const webhook = this.#things.get(content.webhook)
        const live = webhook?.kind === 'webhook' && webhook.disabled_at === undefined
        return live ? undefined : `names ${content.webhook}, which is no webhook in use`
      }
      case 'adjustment_requested':
        return checkRequested(content, account(content.account))
      case 'adjustment_rejected':
        return this.#isPending(content.adjustment)
          ? undefined
          : `rejects ${content.adjustment}, which does not wait`
      case 'transfer':
        return this.#checkTransfer(content, actor)
      default:
        return undefined
    }
  }

  #isPending(id: RecordId): boolean {
    const adjustment = this.#things.get(id)
    return adjustment?.kind === 'adjustment' && adjustment.state === 'pending'
  }

  /** An adjustment moves what was asked for, once, and what needs a second person is by another than who asked. */
  #checkTransfer(transfer: Transfer, actor: string): string | undefined {
    const { type, adjustment: id, debit, credit, amount, currency } = transfer
    if ((type === 'adjustment') !== (id !== undefined)) return 'is no proper adjustment'
    if (id === undefined) return undefined
    const asked = this.#things.get(id)
    if (asked?.kind !== 'adjustment' || asked.state !== 'pending')
      return `carries out ${id}, which is no adjustment that waits`
    const house = `adjustments:${asked.currency}`
    const sides = asked.direction === 'debit' ? [asked.account, house] : [house, asked.account]
    const same =
      debit === sides[0] && credit === sides[1] && amount === asked.amount && currency === asked.currency
    if (!same) return `carries out adjustment ${id} otherwise than was asked`
    return asked.second_person && asked.actor === actor
      ? `carries out adjustment ${id} by who asked for it`
      : undefined
  }
}

function checkRequested(
  { account, amount, currency, direction }: AdjustmentRequested,
  found: State | undefined,
): string | undefined {
  if (found === undefined) return `adjusts account ${account}, which was never opened`
  if (found.currency !== currency) return `adjusts account ${account} in ${currency}`
  if (!Number.isSafeInteger(amount) || amount < 1) return `adjusts by ${amount}, which is no amount`
  return ['credit', 'debit'].includes(direction) ? undefined : `adjusts in no direction: ${direction}`
}

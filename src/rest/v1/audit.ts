/** The audit log: what only some may do, who did it and when. It is the journal itself, so nothing in it can be changed. */
import type { Bank } from '../../bank/bank.ts'
import type { Act } from '../../bank/store.ts'
import type { Content } from '../../ledger/record.ts'
import type { WrappedKey } from '../../ledger/terminal.ts'
import { nextCursor, pageBefore, paging } from './pages.ts'
import { send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { timeOf } from './time.ts'

export function auditRoutes(bank: Bank): V1Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/audit',
      may: 'audit',
      summary: 'Privileged acts, newest first: who did what, and when',
      query: paging,
      replies: { 200: schemas.auditReply },
      problems: ['page_invalid'],
      handler: async (request, reply) => {
        const page = pageBefore(request)
        const { things, next } = await bank.acts(page)
        const next_cursor = nextCursor(request, reply, { limit: page.limit, last: next })
        const nameOf = namesIn(bank)
        const acts = things.map((act) => actBody(act, nameOf(act.actor)))
        return send(reply, { status: 200, body: { acts, next_cursor } })
      },
    },
  ]
}

/** Tells whose credential an actor is; null of none. */
export function namesIn({ things }: Bank): (actor: string) => string | null {
  const names = new Map(
    things.flatMap((thing) => (thing.kind === 'credential' ? [[thing.id, thing.name]] : [])),
  )
  return (actor) => names.get(actor) ?? (actor.startsWith('jwt:') ? actor.slice(4) : null)
}

function actBody({ id, at, actor, content }: Act, actor_name: string | null): object {
  return { id, at: timeOf(at), actor, actor_name, action: actionOf(content), details: detailsOf(content) }
}

function actionOf(content: Content): string {
  if (content.kind !== 'transfer') return content.kind
  return content.type === 'adjustment' ? 'adjustment_posted' : `${content.type}_forced`
}

/** What the record says, without what is secret or a matter of the books alone. Keys are told by their check values. */
function detailsOf(content: Content): object {
  const secret = ['kind', 'hash', 'salt', 'sealed_with', 'pin', 'bad_blocks']
  const ofBooks = ['after', 'debit_after', 'credit_after', 'charged', 'card_used']
  const told = Object.entries(content).filter(([name]) => ![...secret, ...ofBooks].includes(name))
  return Object.fromEntries(told.map(([name, value]) => [name, isKeys(name) ? checkValuesOf(value) : value]))
}

function isKeys(name: string): boolean {
  return name === 'pin_keys' || name === 'mac_keys'
}

function checkValuesOf(keys: readonly WrappedKey[]): readonly string[] {
  return keys.map(({ kcv }) => kcv)
}

/**
 * Who asks, and whether they may: for every interface. A request is let in by an API key, by a token of an issuer, by
 * a session that one of these opened, or in demo mode by coming from this machine.
 */
import type { Bank } from '../bank/bank.ts'
import type { Clock } from '../bank/clock.ts'
import type { Instant } from '../ledger/money.ts'
import type { Credential, Role } from '../ledger/registry.ts'
import { type Bearer, IssuerError } from './bearer.ts'
import { hashOfKey, hasKey, isKey } from './key.ts'
import { mayRole, type Permission, permissions } from './permissions.ts'
import { type Rate, type RateLimit, Rates } from './rates.ts'
import { type SessionName, Sessions } from './sessions.ts'
import type { Tokens } from './tokens.ts'

/** Who asks. `actor` stands in every record, and keeps the idempotency keys of callers apart. */
export type Caller = {
  readonly actor: string
  /** Whose credential it is, by name. */
  readonly person: string
  readonly role: Role
  /** When a token ends by itself. Milliseconds of the wall clock. */
  readonly untilMs?: number
  /** The session that it came by. */
  readonly session?: SessionName
}

/** A request, as much of it as says who asks and from where. */
export type Asked = {
  readonly authorization: string | undefined
  readonly url: string
  readonly host: string | undefined
  /** Whether it says that it was passed on by a proxy. */
  forwarded(): boolean
  /** The page that asks, where a browser says so and pages of other origins may not. */
  readonly origin: string | undefined
  /** The token of a session, as a browser keeps it. */
  readonly session: string | undefined
  /** Whether it may change something. */
  readonly changes: boolean
  /** Whether a browser says that the page that asks is this server's own. */
  isOwnPage(): boolean
  address(): string
}

export type Denial = {
  readonly code: 'unauthenticated' | 'forbidden' | 'not_local' | 'rate_limited' | 'issuer_unavailable'
  readonly detail?: string
  readonly retryAfterS?: number
}

/** Let in, with what is left of the caller's rate where that is limited; or not. */
export type Admission =
  | { readonly caller: Caller; readonly rate?: Rate | undefined }
  | { readonly denial: Denial; readonly rate?: Rate | undefined }

/** A session that was opened for somebody, by its token; or why none was. */
export type Opened = { readonly caller: Caller; readonly token: string } | { readonly denial: Denial }

export type AccessOptions = {
  /** Whether the demo mode may be on: the server listens to this machine alone, and it is not switched off. */
  readonly demo: boolean
  readonly tokens?: Tokens | undefined
  /** How many requests a second each credential may make, and a minute each address that shows none; 0 is no limit. */
  readonly perCredential: number
  readonly perAddress: number
}

const anybody: Caller = { actor: '', person: '', role: 'admin' }
const nobody: Denial = {
  code: 'unauthenticated',
  detail: 'Send Authorization: Bearer and an API key that is in use',
}
const foreign: Denial = {
  code: 'forbidden',
  detail: 'A page of another origin asked: Origin must be this server’s own',
}
// What pages ask by themselves for as long as they are open: nobody need be sitting there.
const watching: readonly Permission[] = ['oversee', 'follow']

export class Access {
  readonly #clock: Clock
  readonly #options: AccessOptions
  readonly #perCredential: Rates
  readonly #perAddress: Rates
  readonly #sessions = new Sessions()
  /** Credentials in use, by the hash of their keys, and by id. */
  #byHash = new Map<string, Caller>()
  #live = new Set<string>()
  #hasCredentials = false

  constructor(bank: Bank, clock: Clock, options: AccessOptions) {
    this.#clock = clock
    this.#options = options
    this.#perCredential = new Rates({ of: 'credential', quota: options.perCredential, windowMs: 1_000 })
    this.#perAddress = new Rates({ of: 'address', quota: options.perAddress, windowMs: 60_000 })
    bank.watchRegistry((things) =>
      this.#onCredentials(things.filter((thing): thing is Credential => thing.kind === 'credential')),
    )
  }

  #onCredentials(credentials: readonly Credential[]): void {
    const live = credentials.filter(({ revoked_at }) => revoked_at === undefined)
    this.#byHash = new Map(live.map(({ id, name, role, hash }) => [hash, { actor: id, person: name, role }]))
    this.#live = new Set(live.map(({ id }) => id))
    this.#hasCredentials = credentials.length > 0
  }

  /** Whether whoever is on this machine may do anything: until there has been a credential. */
  get demo(): boolean {
    return this.#options.demo && !this.#hasCredentials && this.#options.tokens === undefined
  }

  /** Whether there is any way in. */
  get hasWayIn(): boolean {
    return this.demo || this.#live.size > 0 || this.#options.tokens !== undefined
  }

  /** How often a credential may ask, and an address without one. */
  get limits(): readonly RateLimit[] {
    return [this.#perCredential.limit, this.#perAddress.limit]
  }

  /** Whether who was let in still would be: what goes on for long asks again. */
  isLive(caller: Caller): boolean {
    const { actor, untilMs, session } = caller
    if (session !== undefined && this.#sessionLeftMs(session) === 0) return false
    if (untilMs !== undefined) return this.#clock.now() < untilMs
    return actor === '' ? this.demo : this.#live.has(actor)
  }

  /** Judges a request for what needs a permission. A key is judged at once; a token may have to be waited for. */
  admit(asked: Asked, permission: Permission): Admission | Promise<Admission> {
    if (this.demo) {
      const denial = denyStranger(asked)
      return denial ? { denial } : { caller: anybody }
    }
    const found = this.#identify(asked, permission)
    return found instanceof Promise
      ? found.then((judged) => this.#judge(judged, asked, permission))
      : this.#judge(found, asked, permission)
  }

  /** Judges a request for what is open to everybody: by its address, if counted, and in demo mode by where it comes from. */
  admitAnybody(asked: Asked, { counted }: { readonly counted: boolean }): Admission {
    const denial = this.demo ? denyStranger(asked) : undefined
    if (denial) return { denial }
    const rate = this.demo || !counted ? undefined : this.#countAddress(asked)
    if (rate?.over) return { denial: { code: 'rate_limited', retryAfterS: rate.resetS }, rate }
    return { caller: { actor: '', person: '', role: 'terminal' }, rate }
  }

  /**
   * Opens a session for whoever shows a key or a token that is right; nobody else learns more than that it is not. The
   * asking itself has been admitted and counted as anybody's. A page of another origin may not: it could have its
   * visitor go on as somebody else.
   */
  async openSession(asked: Asked, credential: string): Promise<Opened> {
    if (asked.origin !== undefined && !asked.isOwnPage()) return { denial: foreign }
    const found = await this.#bearerOf(credential, asked)
    if ('code' in found) return { denial: found }
    // Whoever comes in anew leaves the session before: the browser's token is another one from here on.
    if (asked.session !== undefined) this.#sessions.endOf(asked.session)
    const nowMs = this.#clock.monotonicMs()
    const rate = this.#perCredential.take(found.actor, nowMs)
    if (rate?.over) return { denial: { code: 'rate_limited', retryAfterS: rate.resetS } }
    return this.#sessions.open(found, nowMs)
  }

  /** Ends the session that a caller came by, if any; and at once what goes on in it. */
  endSession({ session }: Caller): void {
    if (session !== undefined) this.#sessions.end(session)
  }

  /** When a caller's session ends if nobody uses it; undefined where there is none. */
  sessionUntil({ session, untilMs = Infinity }: Caller): Instant | undefined {
    if (session === undefined) return undefined
    return Math.min(this.#clock.now() + this.#sessionLeftMs(session), untilMs)
  }

  #sessionLeftMs(session: SessionName): number {
    return this.#sessions.leftMs(session, this.#clock.monotonicMs())
  }

  #identify(asked: Asked, permission: Permission): Caller | Denial | Promise<Caller | Denial> {
    const { authorization, url, session } = asked
    if (hasKey(url))
      return { code: 'unauthenticated', detail: 'A key never goes into a URL, where logs keep it: revoke it' }
    if (authorization === undefined)
      return session === undefined ? nobody : this.#callerIn(session, asked, permission)
    const token = /^Bearer +([^\s]+) *$/i.exec(authorization)?.[1]
    return token === undefined ? nobody : this.#bearerOf(token, asked)
  }

  /** A browser sends its cookie whichever page asks: what changes something must come from a page of ours. */
  #callerIn(session: string, asked: Asked, permission: Permission): Caller | Denial {
    const isForeign = asked.changes && !asked.isOwnPage()
    const keep = !isForeign && !watching.includes(permission)
    const caller = this.#sessions.callerOf(session, this.#clock.monotonicMs(), { keep })
    if (caller === undefined || !this.isLive(caller)) return nobody
    return isForeign ? foreign : caller
  }

  #bearerOf(token: string, asked: Asked): Caller | Denial | Promise<Caller | Denial> {
    if (token.startsWith('cp_')) return (isKey(token) && this.#byHash.get(hashOfKey(token))) || nobody
    const { tokens } = this.#options
    if (tokens === undefined || token.split('.').length !== 3) return nobody
    const now = this.#clock.now()
    const kept = tokens.kept(token, now)
    if (kept !== undefined) return callerOf(kept)
    // Checking a signature is dear: whoever has shown many wrong ones is not listened to for a while.
    const used = this.#perAddress.isUsedUp(networkOf(asked.address()), this.#clock.monotonicMs())
    if (used !== undefined) return { code: 'rate_limited', retryAfterS: used.resetS }
    return tokens.read(token, now).then(
      (bearer) => (bearer === undefined ? nobody : callerOf(bearer)),
      (error) => {
        if (error instanceof IssuerError) return { code: 'issuer_unavailable', retryAfterS: 5 }
        throw error
      },
    )
  }

  #judge(found: Caller | Denial, asked: Asked, permission: Permission): Admission {
    if ('code' in found) {
      const rate = this.#countAddress(asked)
      if (rate?.over) return { denial: { code: 'rate_limited', retryAfterS: rate.resetS }, rate }
      return { denial: found, rate }
    }
    const rate = this.#perCredential.take(found.actor, this.#clock.monotonicMs())
    if (rate?.over) return { denial: { code: 'rate_limited', retryAfterS: rate.resetS }, rate }
    const denial = denyRole(found, permission)
    return denial ? { denial, rate } : { caller: found, rate }
  }

  #countAddress(asked: Asked): Rate | undefined {
    return this.#perAddress.take(networkOf(asked.address()), this.#clock.monotonicMs())
  }
}

/** Whether a caller's role lacks a permission. What is forbidden is so whether or not it is there. */
export function denyRole({ role }: Caller, permission: Permission): Denial | undefined {
  if (mayRole(role, permission)) return undefined
  return { code: 'forbidden', detail: `Only these roles may: ${permissions[permission].join(', ')}` }
}

/** Refuses a terminal what is another one's: its credential has its id as the name. */
export function denyOther({ role, person }: Caller, terminal: string): Denial | undefined {
  if (role !== 'terminal' || person === terminal) return undefined
  return { code: 'forbidden', detail: 'A terminal may ask of itself alone' }
}

function callerOf({ subject, role, untilMs }: Bearer): Caller {
  return { actor: `jwt:${subject}`, person: subject, role, untilMs }
}

/**
 * In demo mode whoever is on this machine may do anything, and a page of another origin that their browser shows must
 * not: it could send a form, or have a name of its own lead to this machine.
 */
function denyStranger({ host, forwarded, origin }: Asked): Denial | undefined {
  const local = isLocal(host)
  if (!local) return { code: 'not_local', detail: 'In demo mode Host must be localhost, 127.0.0.1 or [::1]' }
  if (forwarded())
    return {
      code: 'not_local',
      detail: 'In demo mode nothing may come by a proxy: create a credential to end the demo mode',
    }
  if (origin !== undefined && !isLocal(origin.replace(/^https?:\/\//, '')))
    return { code: 'not_local', detail: 'In demo mode pages of other origins may not ask' }
  return undefined
}

function isLocal(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(host)
}

/** Who counts as one: an IPv4 address, or the 64 bits of an IPv6 one that a household has. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^.*:/, '')
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}

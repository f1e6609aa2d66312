/**
 * Sessions: what a browser has in place of a credential, so that no script ever holds a key. A session is known by a
 * token of which only the hash is kept, in the memory of this process, and ends when nobody has used it for a while.
 */
import { hash, randomBytes } from 'node:crypto'
import type { Caller } from './access.ts'

/** A session's name: the hash of its token, which lets nobody in. */
export type SessionName = string

type Session = { readonly caller: Caller; idleFromMs: number }

/** How long a session lasts without being used: what PCI DSS 8.2.8 asks for. */
export const idleMs = 15 * 60_000

// A person has a few browsers: with more the one used longest ago ends, so that nobody ends another one's.
const perCallerMax = 20
// Subjects of an issuer's tokens are as many as it likes.
const allMax = 10_000

export class Sessions {
  /** Who used theirs last stands last. */
  readonly #sessions = new Map<SessionName, Session>()

  /** Begins a session under a token of its own: 256 bits that nobody can guess. Monotonic milliseconds, as below. */
  open(of: Caller, nowMs: number): { readonly caller: Caller; readonly token: string } {
    this.#endIdle(nowMs)
    this.#makeRoom(of)
    const token = randomBytes(32).toString('base64url')
    const session = nameOf(token)
    const caller = { ...of, session }
    this.#sessions.set(session, { caller, idleFromMs: nowMs })
    return { caller, token }
  }

  /** Whose session a token is of; `keep` lets it last from now on anew. */
  callerOf(token: string, nowMs: number, { keep }: { readonly keep: boolean }): Caller | undefined {
    const name = nameOf(token)
    const session = this.#sessions.get(name)
    if (session === undefined || this.leftMs(name, nowMs) === 0) return undefined
    if (keep) {
      session.idleFromMs = nowMs
      this.#sessions.delete(name)
      this.#sessions.set(name, session)
    }
    return session.caller
  }

  /** How long a session lasts if nobody uses it; 0 of one that is over. */
  leftMs(name: SessionName, nowMs: number): number {
    const session = this.#sessions.get(name)
    return session === undefined ? 0 : Math.max(0, session.idleFromMs + idleMs - nowMs)
  }

  end(name: SessionName): void {
    this.#sessions.delete(name)
  }

  endOf(token: string): void {
    this.end(nameOf(token))
  }

  #endIdle(nowMs: number): void {
    for (const name of this.#sessions.keys()) if (this.leftMs(name, nowMs) === 0) this.end(name)
  }

  #makeRoom({ actor }: Caller): void {
    const names = [...this.#sessions]
    const own = names.filter(([, { caller }]) => caller.actor === actor)
    const [oldest] = own.length >= perCallerMax ? own : names.length >= allMax ? names : []
    if (oldest !== undefined) this.end(oldest[0])
  }
}

function nameOf(token: string): SessionName {
  return hash('sha256', token, 'hex')
}

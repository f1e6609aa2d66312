/** Who is signed in, and what their role allows. The server decides what is allowed; this decides what is shown. */
import type { Session } from '../../../client/types.ts'
import { isRefused, tell } from './api.ts'
import { type Value, value } from './value.ts'

export const session: Value<Session | undefined> = value<Session | undefined>(undefined)

const path = '/v1/session'

/** Undefined where nobody is signed in. */
export async function readSession(): Promise<Session | undefined> {
  try {
    session.set(await tell<Session>({ method: 'GET', path }))
  } catch (error) {
    if (!isRefused(error, 'unauthenticated')) throw error
    session.set(undefined)
  }
  return session.get()
}

/** Who was signed in when the page was opened. */
export const firstSession = readSession()

/** Throws what the server says to a key that is none. */
export async function signIn(key: string): Promise<void> {
  session.set(await tell<Session>({ method: 'POST', path, body: { key } }))
}

export async function signOut(): Promise<void> {
  session.set(undefined)
  await tell({ method: 'DELETE', path })
}

export function may(permission: string): boolean {
  return session.get()?.permissions.includes(permission) ?? false
}

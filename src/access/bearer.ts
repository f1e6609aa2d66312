/** What a token says, apart from what reads tokens, which is loaded only where there is an issuer. */
import type { Role } from '../ledger/registry.ts'

/** Whom a token is of, until when. Milliseconds of the wall clock. */
export type Bearer = { readonly subject: string; readonly role: Role; readonly untilMs: number }

/** The issuer's keys cannot be had, so that nothing can be said of a token. */
export class IssuerError extends Error {}

/**
 * What a machine wants of its host, and what it is told, however that is said: over REST (`rest-host.ts`) or ISO 8583
 * (`iso8583/iso-host.ts`). Whoever says it knows no journal and moves no notes.
 */
import type { Advice } from './advices.ts'
import type { ByUnit, ByValue } from './notes.ts'

/** A card as it is put in, with the PIN that is typed and the account that its holder thinks of. */
export type Card = {
  readonly pan: string
  readonly pin: string | undefined
  readonly account?: string
}

/** A yes, or a no by its code; undefined where no answer came in time, so that nobody here knows what was done. */
export type Said<What> = { readonly yes: What } | { readonly no: string } | undefined

/** What the host tells of a withdrawal that it says yes to, as far as it tells it. */
export type Authorized = {
  readonly account?: string
  /** The notes that are to leave; where it does not say, the machine chooses. */
  readonly units?: ByUnit
  readonly authorization_code?: string
  readonly balance?: Balance
}

export type Balance = { readonly ledger: number; readonly available: number }

export type Inquired = Balance & { readonly account?: string; readonly currency: string }

export type Batch = {
  readonly batch: number
  readonly open: readonly { readonly id: string; readonly state: string; readonly amount: number }[]
  readonly net: number
  readonly cash: number
  readonly transit: number
  readonly over_short: number
  readonly withdrawals: { readonly count: number; readonly amount: number }
}

/** Cash that somebody asks for. Minor units. */
export type CashAsked = { readonly id: string; readonly card: Card; readonly amount: number }

/** Notes that somebody pays in. */
export type NotesInserted = { readonly id: string; readonly card: Card; readonly notes: ByValue }

/** How an advice was said that got a no, which no host may say, and the no. */
export type Refused = { readonly path: string; readonly answer: string }

export type Host = {
  /** Says nothing of notes that left as they were asked for: the host takes silence for that when it closes a batch. */
  readonly isSilent: boolean
  /** What the next withdrawal, deposit or close is called: as nothing of this machine was before. */
  newId(kind: 'w' | 'd' | 'c'): string
  /** Whether it can speak of what is called so: of what another began in this machine it cannot. */
  knows(id: string): boolean
  signOn(): Promise<Said<unknown>>
  balance(card: Card): Promise<Said<Inquired>>
  authorize(asked: CashAsked): Promise<Said<Authorized>>
  /** Leave to move the notes of what was authorized: without this yes none may. */
  start(id: string, authorized: Authorized): Promise<Said<Authorized>>
  deposit(inserted: NotesInserted): Promise<Said<{ readonly amount: number }>>
  /** Once; `times` is how often it was said before. */
  advise(advice: Advice, times: number): Promise<'taken' | Refused | undefined>
  /** Not there where a close is an advice, too, and its report is read by somebody else. */
  close?(batch: number): Promise<Said<Batch>>
  /** The machine has no power: what is on its way does not reach it any more. */
  hangUp(): void
}

/** What the panel beside the machine tells of one operation: each request, each entry, and what happened in the end. */
import type { Answer, Request } from '../wire.ts'
import type { Transfer } from './shapes.ts'

export type Verb =
  | 'authorize'
  | 'start'
  | 'confirm'
  | 'reverse'
  | 'inquiry'
  | 'deposit'
  | 'transfer'
  | 'pin_change'
  | 'resolve'
  | 'unblock'

export type Exchange = {
  readonly verb: Verb
  readonly request: Request
  /** More than one where it was asked twice. */
  readonly answers: readonly Answer[]
  /** The answer never reached the machine. */
  readonly lost: boolean
}

/** One sentence, and where to look further. */
export type Story = {
  readonly text: string
  readonly mood: 'good' | 'calm' | 'open'
  /** The withdrawal it is about. */
  readonly withdrawal?: string
  /** The exception that somebody has to settle, and how much it is about. */
  readonly exception?: { readonly id: string; readonly amount: number }
  /** The card that too many wrong PINs have locked. */
  readonly card?: string
}

export type Books = {
  readonly exchanges: readonly Exchange[]
  readonly transfers: readonly Transfer[]
  readonly story?: Story
}

export const blank: Books = { exchanges: [], transfers: [] }

export function sent(books: Books, verb: Verb, request: Request): Books {
  return { ...books, exchanges: [...books.exchanges, { verb, request, answers: [], lost: false }] }
}

export function answered(books: Books, answer: Answer): Books {
  return changeLast(books, (last) => ({ ...last, answers: [...last.answers, answer] }))
}

export function lost(books: Books): Books {
  return changeLast(books, (last) => ({ ...last, lost: true }))
}

export function booked(books: Books, transfer: Transfer): Books {
  if (books.transfers.some(({ id }) => id === transfer.id)) return books
  return { ...books, transfers: [...books.transfers, transfer] }
}

export function told(books: Books, story: Story): Books {
  return { ...books, story }
}

function changeLast(books: Books, change: (last: Exchange) => Exchange): Books {
  const last = books.exchanges.at(-1)
  return last === undefined ? books : { ...books, exchanges: [...books.exchanges.slice(0, -1), change(last)] }
}

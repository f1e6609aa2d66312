/**
 * Lists of accounts that clients are reading. What a list found stays here in pieces, as the bytes that go over to the
 * main thread, outside the heap: as objects three lists of 100,000 accounts were more than a heap of 64 MB, and a
 * thread that runs out of it takes the store with it.
 */
import { deserialize, serialize } from 'node:v8'
import type { AccountPage } from '../../bank/store.ts'
import type { Account } from '../../ledger/account.ts'
import { Lists } from './lists.ts'

/** How many accounts of a list go over to the main thread at a time: what each client that reads slowly keeps there. */
export const accountsPerPiece = 200

/** What lists may keep together; beyond it the first that was opened gives way. Bytes. */
const usualKeptMax = 256 * 2 ** 20

/** Some accounts, as they cross to another thread; read by `readPiece`. */
export type Piece = Uint8Array

/** A list with its first piece; the others are asked for by its number. */
export type ListOpened = {
  readonly list: number
  readonly total: number
  readonly more: boolean
  readonly first: Piece
}

/** Many clients may be reading one. */
type Kept = {
  readonly total: number
  readonly more: boolean
  readonly pieces: readonly Piece[]
  readonly bytes: number
}

export class OpenLists {
  readonly #lists: Lists
  readonly #keptMax: number
  readonly #open = new Map<number, { readonly of: Kept; given: number }>()
  #opened = 0
  /** Long lists are made one at a time; who comes before one is begun has part in it. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #waiting = new Map<string, Promise<Kept>>()

  constructor(lists: Lists, keptMax = usualKeptMax) {
    this.#lists = lists
    this.#keptMax = keptMax
  }

  async open(page: AccountPage): Promise<ListOpened> {
    const kept = await (Lists.readsAll(page) ? this.#inTurn(page) : this.#make(page))
    this.#opened += 1
    const list = this.#opened
    this.#open.set(list, { of: kept, given: 0 })
    const first = this.piece(list)
    this.#giveWay()
    return { list, total: kept.total, more: kept.more, first }
  }

  /** The next accounts of a list; with fewer than `accountsPerPiece` it is at its end, and gone. Throws where it gave way. */
  piece(list: number): Piece {
    const open = this.#open.get(list)
    const piece = open?.of.pieces[open.given]
    if (open === undefined || piece === undefined) throw new Error('this list gave way to others')
    open.given += 1
    if (open.given === open.of.pieces.length) this.#open.delete(list)
    return piece
  }

  drop(list: number): void {
    this.#open.delete(list)
  }

  #inTurn(page: AccountPage): Promise<Kept> {
    const same = JSON.stringify(page)
    const waiting = this.#waiting.get(same)
    if (waiting !== undefined) return waiting
    const made = this.#last.then(() => {
      this.#waiting.delete(same)
      return this.#make(page)
    })
    this.#last = made.catch(() => {})
    this.#waiting.set(same, made)
    return made
  }

  async #make(page: AccountPage): Promise<Kept> {
    const { total, more, accounts } = await this.#lists.accounts(page)
    const pieces: Piece[] = []
    // The last has fewer than a whole piece, be it none: so its reader knows.
    for (let at = 0; at <= accounts.length; at += accountsPerPiece)
      pieces.push(serialize(accounts.slice(at, at + accountsPerPiece)))
    return { total, more, pieces, bytes: pieces.reduce((sum, { length }) => sum + length, 0) }
  }

  #giveWay(): void {
    const kept = () => [...new Set([...this.#open.values()].map(({ of }) => of))]
    while (this.#open.size > 1 && kept().reduce((sum, { bytes }) => sum + bytes, 0) > this.#keptMax) {
      const [[first] = [0]] = this.#open
      this.#open.delete(first)
    }
  }
}

export function readPiece(piece: Piece): readonly Account[] {
  return deserialize(piece)
}

/** The numbers of a machine's messages (STAN): one after the other, 1 to 999,999 and again, also over a loss of power. */
import { readWhole, writeWhole } from '../whole-file.ts'

const last = 999_999
// A file that is written with each number would cost as much as the message.
const atOnce = 20

export class Stans {
  readonly #path: string
  #used: number
  /** Numbers up to this one may be used: the file says so, and after a loss of power they count as used. */
  #granted: number

  /** What is kept in this file is taken on from. */
  constructor(path: string) {
    this.#path = path
    this.#granted = Number(readWhole(path) ?? '0')
    this.#used = this.#granted
  }

  /** Six digits, never 000000. */
  next(): string {
    if (this.#used === this.#granted) this.#grant()
    this.#used = after(this.#used, 1)
    return String(this.#used).padStart(6, '0')
  }

  #grant(): void {
    this.#granted = after(this.#used, atOnce)
    writeWhole(this.#path, String(this.#granted))
  }
}

function after(number: number, count: number): number {
  return ((number - 1 + count) % last) + 1
}

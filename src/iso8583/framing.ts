/** Where a message ends on the line: its length before it, as four digits or as two bytes. Knows no message. */

export const framings = ['digits4', 'be16'] as const
export type Framing = (typeof framings)[number]

const prefixBytes: Readonly<Record<Framing, number>> = { digits4: 4, be16: 2 }

const nothing = Buffer.alloc(0)

/** A frame, which is empty where somebody only says that they are there; `bad` where no length can be that. */
export type Taken = Buffer | 'bad' | undefined

/** Bytes as they come, until they are a whole frame. */
export class Frames {
  readonly #framing: Framing
  readonly #lengthMax: number
  #rest: Buffer = nothing

  constructor(framing: Framing, lengthMax: number) {
    this.#framing = framing
    this.#lengthMax = lengthMax
  }

  put(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
  }

  /** The next whole frame; undefined where there is none yet. */
  take(): Taken {
    const from = prefixBytes[this.#framing]
    const length = this.#length()
    if (length === undefined || length === 'bad') return length
    if (this.#rest.length < from + length) return undefined
    const frame = this.#rest.subarray(from, from + length)
    const { length: had } = this.#rest
    // An empty view would keep the whole chunk for as long as the line is idle.
    this.#rest = had === from + length ? nothing : this.#rest.subarray(from + length)
    return frame
  }

  /** Whether a frame has begun that is not whole. */
  get isBegun(): boolean {
    return this.#rest.length > 0
  }

  /** Digits are judged as they come: what is none will never be a length. */
  #length(): number | 'bad' | undefined {
    const rest = this.#rest
    const from = prefixBytes[this.#framing]
    if (this.#framing === 'digits4' && !/^[0-9]*$/.test(rest.toString('latin1', 0, from))) return 'bad'
    if (rest.length < from) return undefined
    const length = this.#framing === 'be16' ? rest.readUInt16BE(0) : Number(rest.toString('latin1', 0, from))
    return length > this.#lengthMax ? 'bad' : length
  }
}

/** A message as a frame; undefined where its length cannot be said. */
export function frame(message: Uint8Array, framing: Framing): Buffer | undefined {
  const { length } = message
  if (framing === 'digits4')
    return length > 9_999
      ? undefined
      : Buffer.concat([Buffer.from(String(length).padStart(4, '0'), 'latin1'), message])
  if (length > 0xffff) return undefined
  return Buffer.concat([Uint8Array.of(length >> 8, length & 255), message])
}

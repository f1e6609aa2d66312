/** How often somebody may ask: so many times in a window, counted by name. */

export type RateLimit = { readonly of: string; readonly quota: number; readonly windowMs: number }

/** What is left of a name's window, and after how many seconds it begins anew. */
export type Rate = {
  readonly of: string
  readonly over: boolean
  readonly left: number
  readonly resetS: number
}

type Window = { endsMs: number; count: number }

// Beyond it the windows begun longest ago are forgotten: many addresses must not cost memory without end.
const namesMax = 10_000

export class Rates {
  readonly limit: RateLimit
  readonly #windows = new Map<string, Window>()

  constructor(limit: RateLimit) {
    this.limit = limit
  }

  /** Counts one more, and says what that leaves. Without a quota nothing is counted, and nothing is over. */
  take(name: string, nowMs: number): Rate | undefined {
    if (this.limit.quota === 0) return undefined
    const window = this.#windowOf(name, nowMs)
    window.count += 1
    return this.#rateOf(window, nowMs)
  }

  /** Whether so many have been counted that one more would be over. */
  isUsedUp(name: string, nowMs: number): Rate | undefined {
    const window = this.#windows.get(name)
    if (window === undefined || nowMs >= window.endsMs || window.count < this.limit.quota) return undefined
    return { ...this.#rateOf(window, nowMs), over: true }
  }

  #windowOf(name: string, nowMs: number): Window {
    const found = this.#windows.get(name)
    if (found !== undefined && nowMs < found.endsMs) return found
    const window = { endsMs: nowMs + this.limit.windowMs, count: 0 }
    this.#windows.delete(name)
    this.#windows.set(name, window)
    if (this.#windows.size > namesMax) this.#windows.delete(this.#windows.keys().next().value ?? '')
    return window
  }

  #rateOf({ count, endsMs }: Window, nowMs: number): Rate {
    const { of, quota } = this.limit
    const resetS = Math.max(1, Math.ceil((endsMs - nowMs) / 1000))
    return { of, over: count > quota, left: Math.max(0, quota - count), resetS }
  }
}

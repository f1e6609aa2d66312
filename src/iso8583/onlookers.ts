/** What passes on all lines, for whoever looks on. It is masked here: what leaves this file may be shown. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isMalformed, type Malformed, type Message, mask, type Spec } from './message/index.ts'

export type Passing = {
  readonly at: number
  readonly peer: string
  readonly direction: 'received' | 'sent'
  readonly message: Message | Malformed
}

/** `problem` where it could not be read: then the fields are what could be, by their shape. */
export type Passed = {
  readonly at: string
  readonly peer: string
  readonly direction: Passing['direction']
  readonly type: string
  readonly fields: Readonly<Record<number, string | undefined>>
  readonly problem?: string
}

/** `missed` are messages that an onlooker was too slow for. Machines never wait for one. */
export type Seen = { readonly passed: readonly Passed[]; readonly missed: number }

type Onlooker = { passed: Passed[]; missed: number; wake(): void }

const waitingMax = 1_000

export class Onlookers {
  readonly #all = new Set<Onlooker>()
  #closed = false

  pass({ at, peer, direction, message }: Passing, spec: Spec): void {
    if (this.#all.size === 0) return
    const shown = { at: new Date(at).toISOString(), peer, direction, ...shownOf(message, spec) }
    for (const onlooker of this.#all) {
      if (onlooker.passed.length < waitingMax) onlooker.passed.push(shown)
      else onlooker.missed += 1
      onlooker.wake()
    }
  }

  /** What passes from the first step on; nothing, after so long without any. Ends when all is closed. */
  async *follow(idleMs: number): AsyncGenerator<Seen> {
    const onlooker: Onlooker = { passed: [], missed: 0, wake: () => {} }
    this.#all.add(onlooker)
    try {
      while (!this.#closed) {
        const { passed, missed } = onlooker
        onlooker.passed = []
        onlooker.missed = 0
        yield { passed, missed }
        if (onlooker.passed.length === 0 && !this.#closed) await wakened(onlooker, idleMs)
      }
    } finally {
      this.#all.delete(onlooker)
    }
  }

  close(): void {
    this.#closed = true
    for (const onlooker of this.#all) onlooker.wake()
  }
}

async function wakened(onlooker: Onlooker, idleMs: number): Promise<void> {
  const idle = new AbortController()
  onlooker.wake = () => idle.abort()
  await sleep(idleMs, undefined, { signal: idle.signal, ref: false }).catch(() => {})
}

function shownOf(message: Message | Malformed, spec: Spec): Pick<Passed, 'type' | 'fields' | 'problem'> {
  if (!isMalformed(message)) return { type: message.mti, fields: mask(message, spec).fields }
  const { read, text } = message
  // What was parsed makes JSON of itself as it may be shown.
  return { type: read.mti, fields: JSON.parse(JSON.stringify(read.fields)), problem: text }
}

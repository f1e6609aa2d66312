/**
 * Withdrawals whose time is up while nobody asks: every second the store is asked which are due, and the ledger is told
 * to look at each. What becomes of it is the ledger's to say.
 *
 *   resting ──(a second passes)──▶ asking, submitting ──(all are answered)──▶ resting
 */
import type { Outcome, Submission } from '../ledger/command.ts'
import type { Clock } from './clock.ts'
import type { Store } from './store.ts'

const everyMs = 1_000
// Few enough that they are one commit beside those of clients.
const duePerTurn = 300

export class Expiry {
  readonly #store: Pick<Store, 'due' | 'shut' | 'isAway'>
  readonly #clock: Clock
  readonly #submit: (submission: Submission) => Promise<Outcome>
  #turn: Promise<void> | undefined
  #stopped = false

  constructor(
    store: Pick<Store, 'due' | 'shut' | 'isAway'>,
    clock: Clock,
    submit: (submission: Submission) => Promise<Outcome>,
  ) {
    this.#store = store
    this.#clock = clock
    this.#submit = submit
  }

  start(): void {
    this.#clock.after(everyMs, () => void this.#onSecond())
  }

  /** Begins no other turn, and waits for the one under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#turn
  }

  async #onSecond(): Promise<void> {
    if (this.#stopped) return
    this.#turn = this.#look()
    await this.#turn
    this.start()
  }

  /** What goes wrong here goes wrong for clients as well, who are told; the next turn finds the same again. */
  async #look(): Promise<void> {
    if (this.#store.shut !== undefined || this.#store.isAway) return
    try {
      const due = await this.#store.due(this.#clock.now(), duePerTurn)
      if (this.#stopped) return
      await Promise.allSettled(
        due.map((entity) => entity.kind === 'withdrawal' && this.#expire(entity.terminal, entity.id)),
      )
    } catch {
      // The store did not answer.
    }
  }

  #expire(terminal: string, id: string): Promise<Outcome> {
    return this.#submit({ command: { type: 'expire_withdrawal', terminal, id }, actor: '' })
  }
}

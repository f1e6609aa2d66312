/**
 * The machine's journal: what it is about to do, on the disk before it does it, and what came of it. After a loss of
 * power it says where each operation stood.
 *
 *   withdrawal   asked ─▶ dispensing ─▶ dispensed ─▶ advised        from `dispensing` on notes may have left
 *                  │ │                    └────────▶ unsaid         silence says the same
 *                  │ └──▶ declined                                  nothing is owed
 *                  └────▶ given_up ─▶ advised                       from `given_up` on none ever will
 *   deposit      inserted ─▶ accepted                               from `accepted` on the notes are the bank's
 *                  │ └─────▶ declined
 *                  └───────▶ given_up ─▶ advised
 *
 * No card number, no PIN.
 */
import type { Told } from './device.ts'
import { LogFile } from './log-file.ts'
import type { ByUnit } from './notes.ts'

export type Entry =
  | { readonly did: 'asked'; readonly id: string; readonly amount: number }
  | { readonly did: 'dispensing'; readonly id: string; readonly units: ByUnit }
  | { readonly did: 'dispensed'; readonly id: string; readonly told: Told }
  | { readonly did: 'inserted'; readonly id: string; readonly amount: number }
  | { readonly did: 'accepted'; readonly id: string }
  | { readonly did: 'declined'; readonly id: string; readonly code: string }
  | { readonly did: 'given_up'; readonly id: string; readonly of: Kind; readonly reason: string }
  | { readonly did: 'advised'; readonly id: string }
  | { readonly did: 'unsaid'; readonly id: string }

export type Kind = 'withdrawal' | 'deposit'

/** After these nobody must do anything any more. */
const ends: readonly Entry['did'][] = ['declined', 'advised', 'unsaid', 'accepted']

export class Journal {
  readonly #log: LogFile<Entry>
  /** The last that is known of each operation. */
  readonly #last = new Map<string, Entry>()
  /** Every id that notes were ever moved for, and what came of it. */
  readonly #dispensed = new Map<string, Told | undefined>()
  /** What each is about. Minor units. */
  readonly #amounts = new Map<string, number>()
  readonly #unsaid = new Set<string>()

  private constructor(log: LogFile<Entry>, entries: readonly Entry[]) {
    this.#log = log
    for (const entry of entries) this.#take(entry)
  }

  static async open(path: string): Promise<Journal> {
    const { log, entries } = await LogFile.open<Entry>(path)
    return new Journal(log, entries)
  }

  /** Resolves when it is on the disk: only then may be done what it speaks of. */
  async write(entry: Entry): Promise<void> {
    this.#take(entry)
    await this.#log.append(entry)
  }

  last(id: string): Entry | undefined {
    return this.#last.get(id)
  }

  /** Whether notes were moved for it, or may have been: they never are again. */
  hasDispensed(id: string): boolean {
    return this.#dispensed.has(id)
  }

  /** What the dispenser said of each withdrawal, where it has. */
  get told(): ReadonlyMap<string, Told | undefined> {
    return this.#dispensed
  }

  /** What an operation was asked for. */
  amountOf(id: string): number {
    return this.#amounts.get(id) ?? 0
  }

  /** Withdrawals that left as they were asked for, of which the host was told nothing. */
  get unsaid(): ReadonlySet<string> {
    return this.#unsaid
  }

  /** Operations that somebody must still do something about, oldest first. */
  get unfinished(): readonly Entry[] {
    return [...this.#last.values()].filter(({ did }) => !ends.includes(did))
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  #take(entry: Entry): void {
    this.#last.set(entry.id, entry)
    if (entry.did === 'asked' || entry.did === 'inserted') this.#amounts.set(entry.id, entry.amount)
    if (entry.did === 'unsaid') this.#unsaid.add(entry.id)
    if (entry.did === 'dispensing') this.#dispensed.set(entry.id, undefined)
    if (entry.did === 'dispensed') this.#dispensed.set(entry.id, entry.told)
  }
}

/** Store and forward: what the host must be told, kept in a file until it has answered. Oldest first. */
import type { Told } from './device.ts'
import type { Kind } from './journal.ts'
import { LogFile } from './log-file.ts'

/** What happened, as it is told: again and again, the same. `id` is of the operation, amounts are minor units. */
export type Advice = { readonly id: string } & (
  | {
      readonly says: 'left'
      readonly asked: number
      /** What the notes are worth that the dispenser knows to have been taken. */
      readonly left: number
      readonly told: Told
    }
  | {
      readonly says: 'nothing'
      readonly of: Kind
      readonly asked: number
      readonly reason: string
    }
  | { readonly says: 'closed' }
)

type Line = Advice | { readonly done: string }

export class Advices {
  readonly #log: LogFile<Line>
  readonly #owed = new Map<string, Advice>()
  readonly #said = new Map<string, number>()

  private constructor(log: LogFile<Line>, lines: readonly Line[]) {
    this.#log = log
    for (const line of lines) {
      if ('done' in line) this.#owed.delete(line.done)
      // Of older machines there are lines that say it otherwise: their journals say the same.
      else if ('says' in line) this.#owed.set(line.id, line)
    }
  }

  static async open(path: string): Promise<Advices> {
    const { log, entries } = await LogFile.open<Line>(path)
    const advices = new Advices(log, entries)
    // Of what it owed before nobody knows whether it was said.
    for (const { id } of advices.owed) advices.#said.set(id, 1)
    if (advices.first === undefined) await log.empty()
    return advices
  }

  /** Resolves when it is on the disk, so that the host will be told whatever happens. One of an operation is kept. */
  async add(advice: Advice): Promise<void> {
    if (this.#owed.has(advice.id)) return
    this.#owed.set(advice.id, advice)
    await this.#log.append(advice)
  }

  /** How often it was said before, as far as anybody knows; with this it is once more. */
  timesSaid({ id }: Advice): number {
    const times = this.#said.get(id) ?? 0
    this.#said.set(id, times + 1)
    return times
  }

  async done({ id }: Advice): Promise<void> {
    this.#owed.delete(id)
    this.#said.delete(id)
    await this.#log.append({ done: id })
  }

  get owed(): readonly Advice[] {
    return [...this.#owed.values()]
  }

  get first(): Advice | undefined {
    return this.#owed.values().next().value
  }

  /** Whether it owes one that says this. */
  has(says: Advice['says']): boolean {
    return this.owed.some((advice) => advice.says === says)
  }

  get count(): number {
    return this.#owed.size
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}

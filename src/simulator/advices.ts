/** Store and forward: what the host must be told, kept in a file until it has answered. Oldest first. */
import { LogFile } from './log-file.ts'

/** What happened, as it is sent: again and again, the same. */
export type Advice = {
  /** Of the operation. */
  readonly id: string
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

type Line = Advice | { readonly done: string }

export class Advices {
  readonly #log: LogFile<Line>
  readonly #owed = new Map<string, Advice>()

  private constructor(log: LogFile<Line>, lines: readonly Line[]) {
    this.#log = log
    for (const line of lines) {
      if ('done' in line) this.#owed.delete(line.done)
      else this.#owed.set(line.id, line)
    }
  }

  static async open(path: string): Promise<Advices> {
    const { log, entries } = await LogFile.open<Line>(path)
    const advices = new Advices(log, entries)
    if (advices.first === undefined) await log.empty()
    return advices
  }

  /** Resolves when it is on the disk, so that the host will be told whatever happens. One of an operation is kept. */
  async add(advice: Advice): Promise<void> {
    if (this.#owed.has(advice.id)) return
    this.#owed.set(advice.id, advice)
    await this.#log.append(advice)
  }

  async done({ id }: Advice): Promise<void> {
    this.#owed.delete(id)
    await this.#log.append({ done: id })
  }

  get first(): Advice | undefined {
    return this.#owed.values().next().value
  }

  get count(): number {
    return this.#owed.size
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}

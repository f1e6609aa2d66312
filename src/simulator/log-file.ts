/** A file of lines that is only ever appended to, and on the disk before anything is done that it speaks of. */
import { type FileHandle, mkdir, open, readFile, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'

export class LogFile<Entry> {
  readonly #file: FileHandle
  #last: Promise<void> = Promise.resolve()

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** Opens it with what was written until now. A last line that was torn was never relied on: it goes. */
  static async open<Entry>(path: string): Promise<{ log: LogFile<Entry>; entries: readonly Entry[] }> {
    await mkdir(dirname(path), { recursive: true })
    const text = await readFile(path, 'utf8').catch(() => '')
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    if (whole !== text) await truncate(path, Buffer.byteLength(whole))
    const file = await open(path, 'a', 0o600)
    const entries = whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Entry)
    return { log: new LogFile<Entry>(file), entries }
  }

  /** Resolves when it is on the disk. */
  append(entry: Entry): Promise<void> {
    return this.#next(async () => {
      await this.#file.appendFile(`${JSON.stringify(entry)}\n`)
      await this.#file.datasync()
    })
  }

  /** Forgets everything that was written. */
  empty(): Promise<void> {
    return this.#next(() => this.#file.truncate(0))
  }

  close(): Promise<void> {
    return this.#next(() => this.#file.close())
  }

  /** One after the other, since a line must not be torn by another. */
  #next(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(act)
    this.#last = done.catch(() => {})
    return done
  }
}

/**
 * Finds what the ATM side keeps by its terms, newest first: among the lines that the index has yet to take in, then down
 * the index. A record that a term leads to is read and held against what is sought, as it is now.
 */
import type { DatabaseSync } from 'node:sqlite'
import { type Finding, type FindPage, type Found, type NamedRecord, pageOf } from '../../bank/store.ts'
import { lastOf } from '../../bank/terms.ts'
import { idOf, sequenceBefore } from '../../ledger/command.ts'
import { type EntityName, nameOf } from '../../ledger/entity.ts'
import { fromLine, type Line } from '../../ledger/record.ts'
import {
  isAbout,
  isMaker,
  isSought,
  nameMadeBy,
  type Sought,
  type Term,
  termsSought,
} from '../../ledger/terms.ts'
import { isOpen } from '../../ledger/withdrawal.ts'
import { Entities, type Now } from './entities.ts'
import { JournalReader } from './journal.ts'
import { Terms, type Within } from './terms.ts'

// Some 50 ms of reading; a page that needs more ends there, and says where to go on.
const looksPerPage = 20_000
// A record with what it made takes as long as so many lines or terms.
const looksPerRecord = 10
const linesPerSlice = 2_000

/** A line that may have made what is sought, before which record to go on, and how much was looked at for it. */
type Look = { readonly line?: Line; readonly below: number; readonly looks: number }

export class Finder {
  readonly #entities: Entities
  readonly #journal: JournalReader
  readonly #terms: Terms

  constructor({ index, journal }: { index: DatabaseSync; journal: DatabaseSync }) {
    this.#entities = new Entities({ index, journal })
    this.#journal = new JournalReader(journal)
    this.#terms = new Terms(index)
  }

  find({ before, limit, ...sought }: FindPage): Found<Finding> {
    return this.#entities.atOnce((now) => {
      const below = sequenceBefore(before)
      const things: Finding[] = []
      let looked = 0
      for (const look of this.#looks(sought, below, now)) {
        const found = look.line && findingIn(look.line, sought, now)
        if (found !== undefined && things.push(found) > limit) break
        looked += look.looks
        if (looked >= looksPerPage) return { things, next: idOf(look.below) }
      }
      return pageOf(things, limit)
    })
  }

  *#looks(sought: Sought, below: number, now: Now): Generator<Look> {
    // They have been read already, all of them.
    for (const line of now.lines.toReversed())
      if (line.sequence < below) yield { line, below: line.sequence, looks: 0 }
    const within = { ...sought, below: Math.min(below, now.indexed + 1) }
    if (sought.state !== undefined && isOpen({ state: sought.state })) yield* this.#open(sought, within, now)
    else if (termsSought(sought).length > 0) yield* this.#under(termsSought(sought), within)
    else yield* this.#all(within)
  }

  *#under(terms: readonly Term[], within: Within): Generator<Look> {
    for (const { below, isFound } of this.#terms.under(terms, within))
      yield isFound ? this.#lookAt(below) : { below, looks: 1 }
  }

  #lookAt(sequence: number): Look {
    return { line: this.#journal.line(sequence), below: sequence, looks: looksPerRecord }
  }

  /** What is open is little, whatever there has been: each leads to the record that made it. */
  *#open(sought: Sought, within: Within, now: Now): Generator<Look> {
    const found = this.#entities.waiting(nameOf.everyWithdrawal, now).flatMap((entity) => {
      if (entity.kind !== 'withdrawal' || !isSought(entity, sought)) return []
      const { kind, terminal, id, at } = entity
      const made = termsSought({ kind, terminal, id })
      return this.#terms.newest(made, { ...within, from: at, to: at + 1 }) ?? []
    })
    for (const sequence of found.sort((a, b) => b - a)) yield this.#lookAt(sequence)
  }

  /** Where nothing is given that leads anywhere: all lines of the spans. */
  *#all(within: Within): Generator<Look> {
    const { from = 0, to = Infinity } = within
    for (const span of this.#terms.spans(within)) {
      let at = Math.min(within.below - 1, lastOf(span))
      while (at > lastOf(span - 1)) {
        const after = Math.max(lastOf(span - 1), at - linesPerSlice)
        for (const line of this.#journal.lines(after, at).reverse()) {
          const isOne = isMaker(line) && line.at >= from && line.at < to
          yield isOne
            ? { line, below: line.sequence, looks: looksPerRecord }
            : { below: line.sequence, looks: 1 }
        }
        at = after
      }
    }
  }

  about(names: readonly EntityName[], limit: number): readonly NamedRecord[] {
    return this.#entities.atOnce(({ lines }) => {
      const indexed = this.#terms.oldest(names, limit).map((sequence) => this.#journal.line(sequence))
      const records = [...indexed, ...lines].map(recordOf)
      return records.filter(({ content }) => isAbout(content, names)).slice(0, limit)
    })
  }
}

/** What a line has made, where that is what is sought. */
function findingIn(line: Line, sought: Sought, { find }: Now): Finding | undefined {
  if (!isMaker(line)) return undefined
  const { id, content } = recordOf(line)
  const name = nameMadeBy(content)
  const entity = name === undefined ? undefined : find(name)
  return entity !== undefined && isSought(entity, sought) ? { id, entity } : undefined
}

function recordOf(line: Line): NamedRecord {
  return { id: idOf(line.sequence), ...fromLine(line) }
}

/** Brings books forward by lines of the journal, loading first what the lines name. */
import type { Books } from '../../ledger/books.ts'
import { fromLine, type Line } from '../../ledger/record.ts'
import { type Loader, pagesNamed } from './load.ts'

export function replay(books: Books, loader: Loader, lines: Iterable<Line>): void {
  for (const line of lines) {
    const record = fromLine(line)
    loader.loadPages(books, pagesNamed(record.content))
    books.absorb(record)
  }
}

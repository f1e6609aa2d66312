/** Brings books forward by lines of the journal, loading first what the lines name. */
import { isHouse } from '../../ledger/account.ts'
import type { Books } from '../../ledger/books.ts'
import { type Content, fromLine, type Line } from '../../ledger/record.ts'
import type { Loader } from './load.ts'

export function replay(books: Books, loader: Loader, lines: readonly Line[]): void {
  for (const line of lines) {
    const record = fromLine(line)
    loader.loadAccounts(books, accountsNamed(record.content))
    books.absorb(record)
  }
}

function accountsNamed(content: Content): readonly string[] {
  return content.kind === 'transfer' ? [content.debit, content.credit].filter((name) => !isHouse(name)) : []
}

/** Cursors of lists. They say nothing to clients: a cursor is only ever one that we gave. */
import { ProblemError } from './problem.ts'

export function writeCursor(position: string): string {
  return Buffer.from(position).toString('base64url')
}

/** The position that a cursor of a query holds; undefined where there is none. `source` says who gives them. */
export function readCursor(
  cursor: unknown,
  isOurs: (position: string) => boolean,
  source: string,
): string | undefined {
  if (cursor === undefined) return undefined
  const position = typeof cursor === 'string' ? Buffer.from(cursor, 'base64url').toString('latin1') : ''
  if (!isOurs(position) || writeCursor(position) !== cursor)
    throw new ProblemError('page_invalid', `cursor must be one that ${source} gave`)
  return position
}

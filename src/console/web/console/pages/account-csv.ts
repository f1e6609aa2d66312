/** Tables as CSV for spreadsheets, in which no text of anybody's does anything. */

/** A figure is written as it is; text may be anything. */
export type Cell = string | { readonly figure: string }

/** RFC 4180, and what tells spreadsheets that it is UTF-8. */
export function csvOf(rows: readonly (readonly Cell[])[]): string {
  return `\ufeff${rows.map((row) => `${row.map(written).join(',')}\r\n`).join('')}`
}

/** Text that a spreadsheet would run as a formula stands behind a quote mark (OWASP, CSV injection). */
function written(cell: Cell): string {
  if (typeof cell !== 'string') return cell.figure
  const inert = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}

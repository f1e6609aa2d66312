/** Medians, spreads, and how figures and tables are written. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** `0.62 (0.60–0.65)`: the median and the spread. */
export function spread(values: readonly number[], write: (value: number) => string): string {
  if (values.length === 0) return '–'
  return `${write(median(values))} (${write(Math.min(...values))}–${write(Math.max(...values))})`
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function two(value: number): string {
  return value.toFixed(2)
}

export function megabytes(bytes: number): string {
  return `${whole(bytes / 1e6)} MB`
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (columns: readonly string[]) => `| ${columns.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

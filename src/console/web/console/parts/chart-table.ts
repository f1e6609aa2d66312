/** A chart's figures as a table, the newest first: what is loaded when somebody asks for it. */
import type { View } from '../../html.ts'
import { words } from '../words.ts'
import type { Chart, Line } from './chart.ts'
import { table } from './table.ts'

export function chartTable({ title, at, atText, lines }: Chart): View {
  const columns = [
    { head: words.at, cell: (i: number) => atText(at[i] ?? 0) },
    ...lines.map(({ label, values, text }) => ({
      head: label,
      align: 'end' as const,
      cell: (i: number) => valueText(values[i], text),
    })),
  ]
  return table({ caption: title, columns, rows: at.map((_, i) => i).reverse(), keyOf: String })
}

function valueText(value: number | null | undefined, text: Line['text']): string {
  return value === null || value === undefined ? '–' : text(value)
}

/** Small drawings beside words; those who hear the page hear the words alone. */
import { html, type View } from '../../html.ts'

const drawings = {
  overview: 'M3 13V8.5M8 13V3M13 13V6',
  terminals: 'M2.5 3h11v6.5h-11zM5 6.25h6M5.5 9.5v3.75h5V9.5',
  exceptions: 'M8 2.75 14 13.25H2zM8 6.75v3M8 11.4v.2',
  accounts: 'M3.5 3.5a1 1 0 0 1 1-1h8v11h-8a1 1 0 0 1-1-1zM3.5 11.5a1 1 0 0 1 1-1h8M6.5 5.5h3.5',
  cards: 'M2 4.5a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1zM2 6.75h12M4.5 10h2.5',
  journal: 'M3 3h4v4H3zM9 9h4v4H9zM7 5h2.5a1.5 1.5 0 0 1 1.5 1.5V9',
  live: 'M1.5 8.5h3l2-5 3.25 9.5 1.75-4.5h3',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.25 10.25l3.5 3.5',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  copy: 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7',
  out: 'M9.5 3H4v10h5.5M7 8h7M11.5 5.5 14 8l-2.5 2.5',
  check: 'M3 8.5 6.5 12 13 4.5',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5v9l7-4.5z',
  go: 'M6 3.5 10.5 8 6 12.5',
} as const

export type Icon = keyof typeof drawings

export function icon(name: Icon): View {
  return html`
    <svg class="icon icon-${name}" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d=${drawings[name]} />
    </svg>
  `
}

/** A few words in place of what is not there, or above what is. */
import { html, type View } from '../../html.ts'

export type Note = {
  readonly tone?: 'quiet' | 'good' | 'warn' | 'bad'
  readonly title?: string
  readonly text?: string
  readonly action?: View
}

export function note({ tone = 'quiet', title, text, action }: Note): View {
  return html`
    <div class="note ${tone}" role=${tone === 'bad' ? 'alert' : undefined}>
      <div>
        ${title !== undefined && html`<strong>${title}</strong>`}
        ${text !== undefined && html`<p>${text}</p>`}
      </div>
      ${action}
    </div>
  `
}

/** Words that appear, are read out, and go by themselves: what came of what somebody did. */
import { html, type View } from '../../html.ts'
import { useValue, type Value, value } from '../value.ts'

type Toast = { readonly id: number; readonly text: string; readonly tone: 'good' | 'bad' }

const shown: Value<readonly Toast[]> = value<readonly Toast[]>([])
const shownMs = 6_000
let last = 0

export function toast(text: string, tone: Toast['tone'] = 'good'): void {
  last += 1
  const id = last
  shown.set([...shown.get(), { id, text, tone }])
  setTimeout(() => shown.set(shown.get().filter((one) => one.id !== id)), shownMs)
}

/** Where they appear: once, in the shell. */
export function Toasts(): View {
  return html`
    <div class="toasts" role="status" aria-live="polite">
      ${useValue(shown).map(({ id, text, tone }) => html`<p key=${id} class="toast ${tone}">${text}</p>`)}
    </div>
  `
}

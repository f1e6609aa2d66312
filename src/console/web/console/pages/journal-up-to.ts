/** Of a list that begins where a link led, and not at the newest: where that is, and the way out. */
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/journal.en.ts'

export function upTo(text: string, newest: string, words: Words): View {
  return html`<p class="up-to">${text} <a href=${newest}>${words.newest}</a></p>`
}

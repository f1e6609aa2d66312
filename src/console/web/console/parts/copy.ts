/** Text that people take elsewhere: ids, hashes, references. */
import { html, type View } from '../../html.ts'
import { words } from '../words.ts'
import { icon } from './icon.ts'
import { toast } from './toast.ts'

/** The text with a button that copies it. `shown`: a shorter form to look at. */
export function copyable(text: string, shown = text): View {
  return html`
    <span class="copyable">
      <code title=${text}>${shown}</code>
      <button type="button" aria-label=${words.copy(text)} title=${words.copyHint} onClick=${() => copy(text)}>
        ${icon('copy')}
      </button>
    </span>
  `
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    toast(words.copied)
  } catch {
    toast(words.notCopied, 'bad')
  }
}

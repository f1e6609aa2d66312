/** The journal: that it proves, what was written last, the chain of its blocks, and who did what only some may do. */
import { h } from 'preact'
import { html } from '../../html.ts'
import type { Words } from '../messages/journal.en.ts'
import type { Page } from '../pages.ts'
import { note } from '../parts/note.ts'
import { pageHead } from '../parts/page.ts'
import { tabs, viewIn } from '../parts/tabs.ts'
import { may } from '../session.ts'
import { words as common } from '../words.ts'
import { Acts } from './journal-acts.ts'
import { Blocks } from './journal-blocks.ts'
import { Proof } from './journal-proof.ts'
import { Records } from './journal-records.ts'

const shown = { records: Records, blocks: Blocks, acts: Acts }

export const page: Page<Words> = ({ place, words }) => {
  const views = [
    { view: 'records', label: words.records },
    { view: 'blocks', label: words.blocks },
    ...(may('audit') ? [{ view: 'acts', label: words.acts } as const] : []),
  ] as const
  const head = pageHead({ title: words.title, text: words.text })
  if (!may('prove')) return html`${head}${note(common.failures.forbidden)}`
  return html`
    ${head}
    ${h(Proof, { words })}
    ${tabs(place, words.views, views)}
    ${h(shown[viewIn(place, views) ?? 'records'], { place, words })}
  `
}

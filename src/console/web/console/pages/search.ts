/** What a search found: every kind in one list. A single hit is gone to at once. */
import { useEffect } from 'preact/hooks'
import type { View } from '../../html.ts'
import { html } from '../../html.ts'
import { withParams } from '../api.ts'
import type { Words } from '../messages/search.en.ts'
import type { Page } from '../pages.ts'
import { loaded, useData } from '../parts/data.ts'
import { note } from '../parts/note.ts'
import { pageHead, panel } from '../parts/page.ts'
import { table } from '../parts/table.ts'
import { navigate } from '../router.ts'
import { columnsOf, type Found, hrefOf, nameOf } from './search-found.ts'

type Results = { readonly q: string; readonly found: readonly Found[]; readonly more: boolean }

export const page: Page<Words> = ({ place, words }) => {
  const q = place.query.get('q') ?? ''
  const data = useData<Results>(q === '' ? undefined : withParams('/v1/search', { q }))
  const [only, ...others] = data.body?.found ?? []
  const href = only !== undefined && others.length === 0 ? hrefOf(only) : undefined
  useEffect(() => {
    if (href !== undefined) navigate(href, { replace: true })
  }, [href])
  return html`
    ${pageHead({ title: q === '' ? words.title : words.titleOf(q) })}
    ${q === '' ? note({ title: words.nothing, text: words.hint }) : loaded(data, (results) => list(results, words))}
  `
}

function list({ found, more }: Results, words: Words): View {
  if (found.length === 0) return note({ title: words.none, text: words.hint })
  return panel({ tight: true }, [
    table({ caption: words.title, columns: columnsOf(words), rows: found, keyOf: nameOf }),
    more && html`<p class="more soft">${words.more}</p>`,
  ])
}

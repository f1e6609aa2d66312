/** What a search found: every kind in one list. A single hit is gone to at once. */
import { useEffect } from 'preact/hooks'
import type { Search } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { withParams } from '../api.ts'
import type { Words } from '../messages/search.en.ts'
import type { Page } from '../pages.ts'
import { loaded, useData } from '../parts/data.ts'
import { hrefs } from '../parts/links.ts'
import { note } from '../parts/note.ts'
import { pageHead, panel } from '../parts/page.ts'
import { table } from '../parts/table.ts'
import { navigate } from '../router.ts'
import { columnsOf, hrefOf, nameOf } from './search-found.ts'

export const page: Page<Words> = ({ place, words }) => {
  const q = place.query.get('q') ?? ''
  const data = useData<Search>(q === '' ? undefined : withParams('/v1/search', { q }))
  const [only, ...others] = data.body?.found ?? []
  const single = only !== undefined && others.length === 0 ? hrefOf(only) : undefined
  // The server says a card's number back as its last four digits, which is all that may stay in an address.
  const said = data.body?.q ?? q
  const href = single ?? (said === q ? undefined : hrefs.search(said))
  useEffect(() => {
    if (href !== undefined) navigate(href, { replace: true })
  }, [href])
  return html`
    ${pageHead({ title: q === '' ? words.title : words.titleOf(q) })}
    ${q === '' ? note({ title: words.nothing, text: words.hint }) : loaded(data, (results) => list(results, words))}
  `
}

function list({ found, more }: Search, words: Words): View {
  if (found.length === 0) return note({ title: words.none, text: words.hint })
  return panel({ tight: true }, [
    table({ caption: words.title, columns: columnsOf(words), rows: found, keyOf: nameOf }),
    more && html`<p class="more soft">${words.more}</p>`,
  ])
}

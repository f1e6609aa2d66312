/** Views of one page, each at an address of its own: links side by side, of which one is where one is. */
import { html, type View } from '../../html.ts'
import type { Place } from '../place.ts'
import { styled } from '../styles.ts'

styled('parts/tabs')

export type Tab<Name extends string = string> = { readonly view: Name; readonly label: string }

/** The view that the address asks for by `?view=`; the first one where it asks for none. */
export function viewIn<Name extends string>(place: Place, list: readonly Tab<Name>[]): Name | undefined {
  const wanted = place.query.get('view')
  return (list.find(({ view }) => view === wanted) ?? list[0])?.view
}

export function tabs(place: Place, label: string, list: readonly Tab[]): View {
  const now = viewIn(place, list)
  return html`
    <nav class="tabs" aria-label=${label}>
      ${list.map(
        ({ view, label }, i) => html`
          <a href=${i === 0 ? place.path : `${place.path}?view=${view}`}
            aria-current=${view === now ? 'page' : undefined}>${label}</a>
        `,
      )}
    </nav>
  `
}

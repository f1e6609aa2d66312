/**
 * From address to page and back: links are plain `<a href>`, the browser's own history is the history, and going back
 * finds the page as it was left, scrolled and focused.
 */
import { matched, type Place } from './place.ts'

/** How somebody came: by a link, by back and forward, by opening the address; or they are where they were. */
export type Coming = 'link' | 'history' | 'first' | 'stay'

/** What an entry of the history remembers of how it was left. */
type Left = { readonly scroll?: number; readonly focus?: string }

type Go = (place: Place, coming: Coming) => void

const root = '/console'
export const loginPath = `${root}/login`
let go: Go = () => {}

/** `go` is told of each place somebody comes to, `paramsOf` says what its route's pattern names. */
export function startRouter(then: Go): void {
  go = then
  history.scrollRestoration = 'manual'
  document.addEventListener('click', onClick)
  addEventListener('popstate', () => go(here(), 'history'))
  addEventListener('pagehide', remember)
  go(here(), 'first')
}

/**
 * Goes to an address of the console. `replace`: back leads to where one was before this; and where only the query is
 * another, as when a list is filtered, nothing is scrolled and the focus stays.
 */
export function navigate(href: string, { replace = false } = {}): void {
  const from = here()
  const isSame = href === location.pathname + location.search
  if (replace || isSame) history.replaceState(null, '', href)
  else {
    remember()
    history.pushState(null, '', href)
  }
  go(here(), replace && here().path === from.path ? 'stay' : 'link')
}

export function here(): Place {
  const path = location.pathname.replace(/(?<=.)\/+$/, '')
  return { path, params: {}, query: new URLSearchParams(location.search) }
}

/** The way to the sign-in and then to where one is now. */
export function loginHref(why?: 'idle' | 'ended'): string {
  const { path, query } = here()
  const members = new URLSearchParams(query)
  const to = members.size > 0 ? `${path}?${members}` : path
  const asked = new URLSearchParams({ ...(why && { why }), ...(to !== root && { to }) })
  return asked.size > 0 ? `${loginPath}?${asked}` : loginPath
}

/** Where somebody wanted to go before they had to sign in: a place of the console, whatever the address says. */
export function wantedIn({ query }: Place): string {
  const to = query.get('to') ?? root
  if (!URL.canParse(to, location.origin)) return root
  const { pathname, search } = new URL(to, location.origin)
  const isOurs = pathname === root || pathname.startsWith(`${root}/`)
  return isOurs && pathname !== loginPath ? pathname + search : root
}

/** The first route that fits, with what its pattern names. */
export function findRoute<Route extends { readonly path: string }>(
  routes: readonly Route[],
  place: Place,
): { route: Route; place: Place } | undefined {
  for (const route of routes) {
    const params = matched(route.path, place.path)
    if (params !== undefined) return { route, place: { ...place, params } }
  }
  return undefined
}

/** After a page is drawn: to its top and its heading, or, on the way back, to where it was left. */
export function settle(coming: Coming): void {
  const { scroll = 0, focus } = (history.state ?? {}) as Left
  if (coming === 'history') restore(scroll, focus)
  if (coming !== 'link') return
  scrollTo(0, 0)
  focusOn(document.querySelector<HTMLElement>('main h1'))
}

/** What is read first makes the page as long as it was. */
const restoreMs = 1_500

function restore(scroll: number, focus: string | undefined): void {
  const untilMs = performance.now() + restoreMs
  const look = (): void => {
    const link = focus === undefined ? undefined : linkTo(focus)
    const isThere = document.documentElement.scrollHeight >= scroll + innerHeight && link !== null
    if (!isThere && performance.now() < untilMs) {
      requestAnimationFrame(look)
    } else {
      scrollTo(0, scroll)
      focusOn(link ?? document.querySelector<HTMLElement>('main h1'))
    }
  }
  look()
}

function focusOn(element: HTMLElement | null): void {
  element?.focus({ preventScroll: true })
}

function linkTo(href: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`a[href="${CSS.escape(href)}"]`)
}

function remember(): void {
  const focus = document.activeElement?.closest('a')?.getAttribute('href') ?? undefined
  const left: Left = { scroll: scrollY, ...(focus !== undefined && { focus }) }
  history.replaceState(left, '')
}

function onClick(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (link === null || event.defaultPrevented || event.button !== 0) return
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  if (link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return
  const { pathname, search, hash } = link
  if (pathname !== root && !pathname.startsWith(`${root}/`)) return
  // Another language is another page; a place on this page is the browser's.
  if (new URLSearchParams(search).has('lang') || hash !== '') return
  event.preventDefault()
  link.focus({ preventScroll: true })
  navigate(pathname + search)
}

/** The console: finds out who is there, and draws the page of whatever address they come to. */
import { h, render } from 'preact'
import { useErrorBoundary } from 'preact/hooks'
import type { Session } from '../../../client/types.ts'
import { html, type View } from '../html.ts'
import { whenSignedOut } from './api.ts'
import { watchIdle } from './idle.ts'
import { frame } from './layout.ts'
import { disconnect } from './live.ts'
import { type PageRoute, pages, type Ready } from './pages.ts'
import { button } from './parts/button.ts'
import { failed, forgetData } from './parts/data.ts'
import { note } from './parts/note.ts'
import { pageHead } from './parts/page.ts'
import type { Place } from './place.ts'
import {
  type Coming,
  findRoute,
  here,
  loginHref,
  loginPath,
  navigate,
  settle,
  startRouter,
  wantedIn,
} from './router.ts'
import { sections } from './sections.ts'
import { firstSession, may, session, signOut } from './session.ts'
import { words } from './words.ts'

const root = document.getElementById('console') as HTMLElement
document.documentElement.lang = words.language
document.documentElement.dir = words.direction

/** Counts where somebody goes: of two pages that are being loaded, the later one is wanted. */
let comings = 0

whenSignedOut(() => leave('ended'))
session.watch(watchOver)
firstSession.then(
  () => startRouter(show),
  (error) =>
    render(
      failed(error, () => location.reload()),
      root,
    ),
)

async function show(place: Place, coming: Coming): Promise<void> {
  const elsewhere = elsewhereOf(place)
  if (elsewhere !== undefined) return navigate(elsewhere, { replace: true })
  comings += 1
  const mine = comings
  const found = findRoute(pages, place)
  const { route, place: there } = found ?? { route: undefined, place }
  const page = route === undefined ? NoPage : await loadOf(route)
  if (mine !== comings) return
  draw(page, there, route)
  settle(coming)
}

/** Who is not signed in, or already is, is led elsewhere; and whose role sees no overview, to what it sees. */
function elsewhereOf(place: Place): string | undefined {
  const isLogin = place.path === loginPath
  if (session.get() === undefined) return isLogin ? undefined : loginHref()
  if (isLogin) return wantedIn(place)
  const [overview] = sections
  if (place.path !== overview.href || may(overview.needs)) return undefined
  return sections.find(({ needs }) => may(needs))?.href
}

async function loadOf(route: PageRoute): Promise<Ready> {
  root.setAttribute('aria-busy', 'true')
  try {
    return await route.load()
  } catch (error) {
    reportError(error)
    return () => html`${pageHead({ title: words.failures.title })}${failed(error, () => location.reload())}`
  } finally {
    root.removeAttribute('aria-busy')
  }
}

function draw(page: Ready, place: Place, route: PageRoute | undefined): void {
  const inside = html`${h(Guarded, { page, place, key: place.path })}`
  const who = session.get()
  const at = place.path + place.query
  const q = place.query.get('q') ?? ''
  const around = { section: route?.section, q, at, inside, onSignOut }
  render(who === undefined ? inside : frame({ ...around, session: who }), root)
}

function onSignOut(): void {
  leave()
  signOut().catch(reportError)
}

function onIdle(): void {
  leave('idle')
  signOut().catch(reportError)
}

/** A page that fails takes nothing else with it. */
function Guarded({ page, place }: { page: Ready; place: Place }): View {
  const [error] = useErrorBoundary(reportError)
  if (error === undefined) return html`${h(page, { place })}`
  const { broken: title, brokenText: text } = words.failures
  const again = button({ label: words.retry, onClick: () => location.reload() })
  return note({ tone: 'bad', title, text, action: again })
}

function NoPage(): View {
  const { title, text } = words.failures.noPage
  return html`${pageHead({ title })}${note({ text })}`
}

/** Sits with whoever is signed in, and ends the session when they have gone. */
let stopWatching: (() => void) | undefined
function watchOver(who: Session | undefined): void {
  const isNeeded = who !== undefined && who.expires_at !== null
  if (!isNeeded) stopWatching?.()
  stopWatching = isNeeded ? (stopWatching ?? watchIdle(onIdle)) : undefined
}

function leave(why?: 'idle' | 'ended'): void {
  const href = why === undefined ? loginPath : loginHref(why)
  disconnect()
  forgetData()
  session.set(undefined)
  if (here().path !== loginPath) navigate(href, { replace: why !== undefined })
}

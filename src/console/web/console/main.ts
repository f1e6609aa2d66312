/** The console: finds out who is there, and draws the page of whatever address they come to. */
import { h, render } from 'preact'
import { useErrorBoundary } from 'preact/hooks'
import { html, type View } from '../html.ts'
import { whenSignedOut } from './api.ts'
import { frame } from './layout.ts'
import { disconnect } from './live.ts'
import { type PageRoute, pages, type Ready } from './pages.ts'
import { button } from './parts/button.ts'
import { failed, forgetData } from './parts/data.ts'
import { note } from './parts/note.ts'
import { pageHead } from './parts/page.ts'
import type { Place } from './place.ts'
import { type Coming, findRoute, navigate, settle, startRouter } from './router.ts'
import { readSession, session, signOut } from './session.ts'
import { words } from './words.ts'

const root = document.getElementById('console') as HTMLElement
document.documentElement.lang = words.language
document.documentElement.dir = words.direction

/** Counts where somebody goes: of two pages that are being loaded, the later one is wanted. */
let comings = 0

whenSignedOut(() => leave('ended'))
await readSession()
startRouter(show)

async function show(place: Place, coming: Coming): Promise<void> {
  comings += 1
  const mine = comings
  const found = findRoute(pages, place)
  const { route, place: there } = found ?? { route: undefined, place }
  const page = route === undefined ? NoPage : await loadOf(route)
  if (mine !== comings) return
  draw(page, there, route)
  settle(coming)
}

async function loadOf(route: PageRoute): Promise<Ready> {
  root.setAttribute('aria-busy', 'true')
  try {
    return await route.load()
  } catch (error) {
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
  signOut().finally(() => leave('asked'))
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

function leave(_why: 'ended' | 'asked'): void {
  disconnect()
  forgetData()
  session.set(undefined)
  navigate('/console/login')
}

/** What stays while pages change: the navigation, the search box, who is signed in, and whether the line is open. */
import { h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Session } from '../../../client/types.ts'
import { html, type View } from '../html.ts'
import { isEnding } from './idle.ts'
import { line } from './live.ts'
import { clockText } from './parts/figures.ts'
import { icon } from './parts/icon.ts'
import { hrefs } from './parts/links.ts'
import { Toasts } from './parts/toast.ts'
import { navigate } from './router.ts'
import { type Section, sections } from './sections.ts'
import { may } from './session.ts'
import { useValue } from './value.ts'
import { language, words } from './words.ts'

export type Frame = {
  readonly session: Session
  readonly section: Section | undefined
  /** What the search box begins with. */
  readonly q: string
  /** Drawn anew, and folded, at every other address. */
  readonly at: string
  readonly inside: View
  onSignOut(): void
}

export function frame({ session, section, q, at, inside, onSignOut }: Frame): View {
  return html`
    <a class="skip" href="#main">${words.skip}</a>
    <div class="frame">
      ${h(Side, { session, section, at, onSignOut })}
      <div class="body">
        ${session.demo && demoBand()}
        ${h(Ending, {})}
        <div class="top">${may('search') && h(Search, { q, key: q })} ${h(LineState, {})}</div>
        <main id="main" tabindex="-1">${inside}</main>
      </div>
    </div>
    ${h(Toasts, {})}
  `
}

function demoBand(): View {
  return html`
    <aside class="band" aria-label=${words.demo}>
      <b>${words.demo}</b> <span>${words.demoText}</span> <a href="/atm">${words.demoAtm}</a>
    </aside>
  `
}

function Ending(): View {
  return html`<div role="alert">${useValue(isEnding) && html`<p class="band">${words.ending}</p>`}</div>`
}

type SideProps = Pick<Frame, 'session' | 'section' | 'at' | 'onSignOut'>

function Side({ session, section, at, onSignOut }: SideProps): View {
  const [isOpen, setOpen] = useState(false)
  useEffect(() => setOpen(false), [at])
  return html`
    <header class="side ${isOpen ? 'open' : ''}">
      <div class="brand">
        <a class="logo" href="/console"><i aria-hidden="true"></i>${words.product}</a>
        <button type="button" class="menu" aria-expanded=${String(isOpen)} aria-controls="sections"
          onClick=${() => setOpen(!isOpen)}>${icon('menu')}<span class="unseen">${words.menu}</span></button>
      </div>
      <div id="sections" class="folds">
        <nav aria-label=${words.navigation}>
          ${sections
            .filter(({ needs }) => may(needs))
            .map(
              ({ name, href }) => html`
                <a href=${href} aria-current=${name === section ? 'page' : undefined}>
                  ${icon(name)}${words.sections[name]}
                </a>
              `,
            )}
        </nav>
        <div class="who">
          <p><b>${session.name === '' ? words.demo : session.name}</b> <small>${words.roles[session.role]}</small></p>
          ${!session.demo && html`<button type="button" onClick=${onSignOut}>${icon('out')}${words.signOut}</button>`}
          ${languageLink()}
        </div>
      </div>
    </header>
  `
}

export function languageLink(): View {
  const other = language === 'he' ? 'en' : 'he'
  return html`<a href="?lang=${other}" hreflang=${other} lang=${other}>${words.otherLanguage}</a>`
}

/** `/` leads here from wherever nothing is typed into. */
function Search({ q }: { q: string }): View {
  const box = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { target } = event
      const types = target instanceof Element && target.closest('input, textarea, select, dialog') !== null
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || types) return
      event.preventDefault()
      box.current?.focus()
      box.current?.select()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault()
    const text = box.current?.value.trim() ?? ''
    if (text !== '') navigate(hrefs.search(text))
  }
  return html`
    <search>
      <form class="find" onSubmit=${onSubmit}>
        ${icon('search')}
        <input ref=${box} type="search" name="q" defaultValue=${q} aria-label=${words.searchLabel}
          aria-keyshortcuts="/" placeholder=${words.searchHint} autocomplete="off" spellcheck=${false}
          enterkeyhint="search" />
        <kbd aria-hidden="true">/</kbd>
      </form>
    </search>
  `
}

function LineState(): View {
  const now = useValue(line)
  const text =
    now.at === 'broken'
      ? words.line.broken(clockText(now.sinceMs))
      : now.at === 'off'
        ? ''
        : words.line[now.at]
  return html`<p class="line ${now.at}" role="status">${text !== '' && html`<i aria-hidden="true"></i><span>${text}</span>`}</p>`
}

/** The way in where the server is not in demo mode: a key, shown once. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { html } from '../../html.ts'
import { failureText, isRefused } from '../api.ts'
import { languageLink } from '../layout.ts'
import type { Words } from '../messages/login.en.ts'
import type { Page } from '../pages.ts'
import { pageHead } from '../parts/page.ts'
import { navigate, wantedIn } from '../router.ts'
import { signIn } from '../session.ts'

export const page: Page<Words> = ({ place, words }) => {
  const key = useRef<HTMLInputElement>(null)
  useEffect(() => key.current?.focus(), [])
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<string>()
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault()
    setBusy(true)
    setWrong(undefined)
    try {
      await signIn(String(new FormData(event.target as HTMLFormElement).get('key')).trim())
      navigate(wantedIn(place), { replace: true })
    } catch (error) {
      setWrong(isRefused(error, 'unauthenticated') ? words.wrong : failureText(error))
      setBusy(false)
    }
  }
  const why = place.query.get('why')
  const text = why === 'idle' ? words.idle : why === 'ended' ? words.ended : undefined
  return html`
    <main class="login">
      <span class="logo"><i aria-hidden="true"></i>Cashpoint</span>
      <form class="panel" onSubmit=${onSubmit}>
        ${pageHead({ title: words.title, text })}
        <label class="field">
          <span>${words.key}</span>
          <input ref=${key} name="key" type="password" required autocomplete="current-password" spellcheck=${false}
            aria-describedby="key-hint" aria-invalid=${String(wrong !== undefined)} />
          <small id="key-hint">${words.hint}</small>
        </label>
        ${wrong !== undefined && html`<p class="wrong" role="alert">${wrong}</p>`}
        <button type="submit" class="button main" disabled=${busy} aria-busy=${String(busy)}>${words.enter}</button>
      </form>
      ${languageLink()}
    </main>
  `
}

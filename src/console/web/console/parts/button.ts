/** What can be pressed. */
import { html, type View } from '../../html.ts'

export type Button = {
  readonly label: string
  /** `main` for the one thing to do, `bad` for what cannot be undone; plain otherwise. */
  readonly tone?: 'main' | 'bad'
  readonly busy?: boolean
  readonly disabled?: boolean
  onClick?(): void
}

export function button({ label, tone, busy = false, disabled = false, onClick }: Button): View {
  return html`
    <button type="button" class="button ${tone ?? ''}" aria-busy=${String(busy)} disabled=${disabled || busy}
      onClick=${onClick}>${label}</button>
  `
}

type LinkButton = {
  label: string
  href: string
  tone?: 'main' /** What it is about, for those who only hear it. */
  about?: string
}

/** A link that looks like one: it leads to where something is done. */
export function linkButton({ label, href, tone, about }: LinkButton): View {
  const heard = about !== undefined && html`<span class="unseen">${about}</span>`
  return html`<a class="button ${tone ?? ''}" href=${href}>${label}${heard}</a>`
}

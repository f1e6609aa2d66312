/** How pages are laid out: a heading with what belongs to it, and panels under it. */
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { html, type View } from '../../html.ts'
import { words } from '../words.ts'

type Inside = View | VNode | string | false | undefined

type Head = {
  /** Also the window's. */
  readonly title: string
  /** Where this is below: links, from the outermost on. */
  readonly above?: readonly { readonly label: string; readonly href: string }[]
  /** Beside the title, such as a state. */
  readonly beside?: Inside
  /** Under the title. */
  readonly text?: Inside
  readonly actions?: Inside
}

/** To be called by every page whenever it is drawn, also while it reads: it is where the focus goes. */
export function pageHead({ title, above = [], beside, text, actions }: Head): View {
  useEffect(() => {
    document.title = `${title} · ${words.product}`
  }, [title])
  return html`
    <header class="head">
      ${
        above.length > 0 &&
        html`<nav class="above" aria-label=${words.above}>
          ${above.map(({ label, href }) => html`<a href=${href}>${label}</a>`)}
        </nav>`
      }
      <div class="title"><h1 tabindex="-1">${title}</h1>${beside}</div>
      ${text && html`<p class="soft">${text}</p>`}
      ${actions && html`<div class="actions">${actions}</div>`}
    </header>
  `
}

/** A part of a page with a heading of its own. `tight`: what is in it reaches its edges, as tables do. */
export function panel(
  { title, beside, tight = false }: { title?: string; beside?: Inside; tight?: boolean },
  inside: Inside | readonly Inside[],
): View {
  if (title === undefined) return html`<section class="panel ${tight ? 'tight' : ''}">${inside}</section>`
  return html`
    <section class="panel ${tight ? 'tight' : ''}" aria-label=${title}>
      <header><h2>${title}</h2>${beside}</header>
      ${inside}
    </section>
  `
}

/** Names and what they stand for. */
export function facts(list: readonly (readonly [name: string, what: Inside])[]): View {
  return html`
    <dl class="facts">
      ${list.map(([name, what]) => html`<div><dt>${name}</dt><dd>${what ?? '–'}</dd></div>`)}
    </dl>
  `
}

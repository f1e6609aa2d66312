/** The page at /atm: finds its language, draws what the app knows, and leads keys and focus to where they belong. */
import { render } from 'preact'
import { messagesFor } from '../messages/messages.ts'
import { type Actions, type App, startApp } from './app.ts'
import { page } from './page.ts'

const root = document.getElementById('atm') as HTMLElement
const asked = new URLSearchParams(location.search).get('lang')
const messages = await messagesFor(asked, navigator.languages)
document.documentElement.lang = messages.language
document.documentElement.dir = messages.direction
document.title = messages.title

let last: App | undefined
let act: Actions | undefined

startApp({
  messages,
  still: matchMedia('(prefers-reduced-motion: reduce)').matches,
  draw(app, money, actions) {
    act = actions
    render(page({ app, money, messages, actions }), root)
    const isOther = placeOf(app) !== (last && placeOf(last))
    last = app
    if (isOther) focus()
  },
})

/** Where on the machine the customer is: the focus moves when this changes, and not at every figure. */
function placeOf({ atm: { screen }, terminal }: App): string {
  if (screen.at === 'idle') return `${screen.at}-${terminal?.state}`
  return screen.at === 'new_pin' ? `${screen.at}-${screen.first !== undefined}` : screen.at
}

function focus(): void {
  root.querySelector<HTMLElement>('[data-focus="true"]')?.focus({ preventScroll: true })
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const { key, target } = event
  const onControl = target instanceof Element && target.closest('button, a, summary, .books') !== null
  if (/^[0-9]$/.test(key)) act?.send({ type: 'digit', digit: key })
  else if (key === 'Backspace') act?.send({ type: 'clear' })
  else if (key === 'Escape') act?.send({ type: 'cancel' })
  else if (key === 'Enter' && !onControl) act?.send({ type: 'enter' })
  else if (key.startsWith('Arrow') && target instanceof HTMLElement) moveFocus(event, target)
})

/** Arrow keys go round the keys of the screen, and round the cards. */
function moveFocus(event: KeyboardEvent, from: HTMLElement): void {
  const group = from.closest('.screen, .cards')
  if (group === null) return
  const buttons = [...group.querySelectorAll<HTMLButtonElement>('button:not(:disabled)')]
  const at = buttons.indexOf(from as HTMLButtonElement)
  if (at < 0) return
  const forward = document.documentElement.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
  const by = event.key === 'ArrowDown' || event.key === forward ? 1 : -1
  buttons[(at + by + buttons.length) % buttons.length]?.focus()
  event.preventDefault()
}

/** Where each thing is in the console, and links there. */
import { html, type View } from '../../html.ts'
import { segment } from '../api.ts'

export const hrefs = {
  terminal: (terminal: string) => `/console/terminals/${segment(terminal)}`,
  withdrawal: (terminal: string, withdrawal: string) =>
    `/console/terminals/${segment(terminal)}/withdrawals/${segment(withdrawal)}`,
  withdrawals: (terminal: string) => `${hrefs.terminal(terminal)}/withdrawals`,
  batch: (terminal: string, batch: number) => `${hrefs.batches(terminal)}/${batch}`,
  batches: (terminal: string) => `${hrefs.terminal(terminal)}/batches`,
  account: (number: string) => `/console/accounts/${segment(number)}`,
  exception: (exception: string) => `/console/exceptions/${segment(exception)}`,
  card: (card: string) => `/console/cards/${segment(card)}`,
  search: (q: string) => `/console/search?q=${segment(q)}`,
}

export function terminalLink(terminal: string, text = terminal): View {
  return link(hrefs.terminal(terminal), text)
}

export function withdrawalLink(terminal: string, withdrawal: string, text = withdrawal): View {
  return link(hrefs.withdrawal(terminal, withdrawal), text)
}

export function batchLink(terminal: string, batch: number): View {
  return link(hrefs.batch(terminal, batch), String(batch))
}

export function accountLink(number: string): View {
  return link(hrefs.account(number), number)
}

export function exceptionLink(exception: string, text = exception): View {
  return link(hrefs.exception(exception), text)
}

/** By its last four digits, which are all that is kept of a card's number in clear; else by how its name begins. */
export function cardLink(card: string, last4: string | null): View {
  return link(hrefs.card(card), last4 === null ? `${card.slice(0, 13)}…` : masked(last4))
}

export function masked(last4: string): string {
  return `••••\u00a0${last4}`
}

function link(href: string, text: string): View {
  return html`<a href=${href}><bdi>${text}</bdi></a>`
}

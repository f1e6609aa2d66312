/** What a page reads: asked for when the page is there, kept for the way back, read again when an event touched it. */
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks'
import { CashpointError } from '../../../../client/errors.ts'
import { html, type View } from '../../html.ts'
import { failureText, get } from '../api.ts'
import { useEvents, type Wanted } from '../live.ts'
import { words } from '../words.ts'
import { button } from './button.ts'
import { note } from './note.ts'

export type Data<Body> = {
  readonly body: Body | undefined
  /** Why there is no body, or none newer. */
  readonly failure: unknown
  reload(): void
}

/** Of paths that were read: the way back finds its page at once. */
const kept = new Map<string, unknown>()
const keptMax = 60

/** Events come in swarms: what they touched is read again once in so long. */
const againMs = 700

/**
 * In a component: what a path answers. `touchedBy`: events after which it is read again; `everyMs`: how often it is
 * read anyway, as long as somebody looks. Where the path is undefined, nothing is asked for.
 */
export function useData<Body>(
  path: string | undefined,
  touchedBy: Wanted = () => false,
  everyMs?: number,
): Data<Body> {
  const [answer, setAnswer] = useState<{ path: string; body?: Body; failure?: unknown }>()
  const [round, setRound] = useState(0)
  const reload = () => setRound((before) => before + 1)
  const reloadSoon = useMemo(() => soon(reload), [])
  useEvents(touchedBy, reloadSoon, reload)
  useEffect(() => {
    if (everyMs === undefined) return
    const timer = setInterval(() => !document.hidden && reload(), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  // Before the page is painted, which takes longer than it takes to ask.
  useLayoutEffect(() => {
    if (path === undefined) return
    let isWanted = true
    get<Body>(path).then(
      (body) => {
        keep(path, body)
        if (isWanted) setAnswer({ path, body })
      },
      (failure) => isWanted && setAnswer({ path, failure }),
    )
    return () => {
      isWanted = false
    }
  }, [path, round])

  const current = answer?.path === path ? answer : undefined
  const known = path === undefined ? undefined : (kept.get(path) as Body | undefined)
  return { body: current?.body ?? known, failure: current?.failure, reload }
}

/** What was read, or in its place why it is not there; an older one stays to be seen under the word that it is. */
export function loaded<Body>(data: Data<Body>, view: (body: Body) => View | VNode): View {
  const { body, failure, reload } = data
  if (body === undefined) return failure === undefined ? loading() : failed(failure, reload)
  if (failure === undefined) return html`${view(body)}`
  const old = note({
    tone: 'warn',
    text: `${words.failures.old} ${failureText(failure)}`,
    action: retry(reload),
  })
  return html`${old}${view(body)}`
}

export function loading(): View {
  return html`<div class="loading" role="status"><span class="unseen">${words.loading}</span><i></i><i></i><i></i></div>`
}

export function failed(failure: unknown, again?: () => void): View {
  const isRefused = failure instanceof CashpointError
  if (isRefused && failure.status === 403) return note({ ...words.failures.forbidden, tone: 'quiet' })
  if (isRefused && failure.status === 404) return note({ ...words.failures.notFound, tone: 'quiet' })
  const { title } = words.failures
  return note({ tone: 'bad', title, text: failureText(failure), ...(again && { action: retry(again) }) })
}

/** Everything that was read, when who reads it changes. */
export function forgetData(): void {
  kept.clear()
}

function retry(again: () => void): View {
  return button({ label: words.retry, onClick: again })
}

function keep(path: string, body: unknown): void {
  kept.delete(path)
  kept.set(path, body)
  const [oldest] = kept.keys()
  if (kept.size > keptMax && oldest !== undefined) kept.delete(oldest)
}

/** Puts off what is asked for, so that many times soon after another are one; while nobody looks, until somebody does. */
function soon(then: () => void): () => void {
  let isComing = false
  return () => {
    if (isComing) return
    isComing = true
    setTimeout(() => {
      isComing = false
      if (document.hidden) document.addEventListener('visibilitychange', then, { once: true })
      else then()
    }, againMs)
  }
}

/**
 * What happens, as it happens: one stream of events for all of the page. Where the line breaks it goes on behind the
 * last event, so that nothing is missed; while nobody looks at the page for long it hangs up, and begins anew.
 */
import { useEffect, useRef } from 'preact/hooks'
import { CashpointError } from '../../../client/errors.ts'
import { mayTryAgain, pause, pauseMs } from '../../../client/retry.ts'
import { eventsIn } from '../../../client/stream.ts'
import type { CashpointEvent, Events, Problem } from '../../../client/types.ts'
import { get, noticeSignedOut } from './api.ts'
import { may } from './session.ts'
import { type Value, value } from './value.ts'

export type LiveEvent = CashpointEvent & { readonly data: Readonly<Record<string, unknown>> }

/** `since` is when it broke, by this machine's clock; `tries`, how often it was tried since. */
export type Line =
  | { readonly at: 'off' | 'connecting' | 'open' }
  | { readonly at: 'broken'; readonly sinceMs: number }

export const line: Value<Line> = value<Line>({ at: 'off' })

export type Wanted = (event: LiveEvent) => boolean

type Listener = { readonly wanted: Wanted; onEvent(event: LiveEvent): void; onGap?(): void }

/** A page that is out of sight for so long lets its connection go: a browser has few for one server. */
const unseenMs = 30_000

const listeners = new Set<Listener>()
let hangUp: AbortController | undefined

/** Tells of the events that are wanted, until what it gives is called. `onGap`: some may have been left out. */
export function onEvents(
  wanted: Wanted,
  onEvent: (event: LiveEvent) => void,
  onGap?: () => void,
): () => void {
  const listener: Listener = { wanted, onEvent, ...(onGap && { onGap }) }
  listeners.add(listener)
  connect()
  return () => listeners.delete(listener)
}

/** In a component: the same for as long as it is there. */
export function useEvents(wanted: Wanted, onEvent: (event: LiveEvent) => void, onGap?: () => void): void {
  const now = useRef({ wanted, onEvent, onGap })
  now.current = { wanted, onEvent, onGap }
  useEffect(
    () =>
      onEvents(
        (event) => now.current.wanted(event),
        (event) => now.current.onEvent(event),
        () => now.current.onGap?.(),
      ),
    [],
  )
}

/** Lets the line go, as when somebody signs out. */
export function disconnect(): void {
  hangUp?.abort()
  hangUp = undefined
  line.set({ at: 'off' })
}

function connect(): void {
  if (hangUp !== undefined || !may('follow') || document.hidden) return
  hangUp = new AbortController()
  follow(hangUp.signal).catch(() => {})
}

let unseen: ReturnType<typeof setTimeout> | undefined
document.addEventListener('visibilitychange', () => {
  clearTimeout(unseen)
  if (document.hidden) {
    unseen = setTimeout(disconnect, unseenMs)
  } else if (listeners.size > 0 && hangUp === undefined) {
    connect()
    for (const { onGap } of listeners) onGap?.()
  }
})

async function follow(signal: AbortSignal): Promise<void> {
  line.set({ at: 'connecting' })
  let last: string | undefined
  for (let tries = 0; ; tries += 1) {
    let broken: unknown
    try {
      // As an id: a stream that breaks before its first event must not begin later than it was asked for.
      last ??= (await get<Events>('/v1/events?after=latest&limit=1')).next_after ?? undefined
      for await (const event of eventsIn((ends) => open(last, ends), signal)) {
        tries = 0
        last = event.id
        for (const { wanted, onEvent } of [...listeners])
          if (wanted(event as LiveEvent)) onEvent(event as LiveEvent)
      }
    } catch (error) {
      broken = error
    }
    if (signal.aborted) return
    if (!mayTryAgain(broken)) {
      disconnect()
      return noticeSignedOut(broken)
    }
    const { at } = line.get()
    if (at !== 'broken') line.set({ at: 'broken', sinceMs: Date.now() })
    await pause(pauseMs(tries, broken), signal)
  }
}

async function open(last: string | undefined, signal: AbortSignal): Promise<Response> {
  const headers = { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) }
  const response = await fetch('/v1/events', { headers, signal, cache: 'no-store' })
  if (!response.ok) throw new CashpointError((await response.json()) as Problem, null)
  line.set({ at: 'open' })
  return response
}

/** A value that several parts of the page look at, and are drawn anew when it changes. */
import { useEffect, useState } from 'preact/hooks'

export type Value<T> = {
  readonly get: () => T
  readonly set: (next: T) => void
  /** Tells of every change from now on, until the function that it gives is called. */
  readonly watch: (told: (now: T) => void) => () => void
}

export function value<T>(first: T): Value<T> {
  let now = first
  const watchers = new Set<(now: T) => void>()
  return {
    get: () => now,
    set(next) {
      now = next
      for (const told of watchers) told(next)
    },
    watch(told) {
      watchers.add(told)
      return () => watchers.delete(told)
    },
  }
}

/** In a component: the value as it is, also from now on. */
export function useValue<T>({ get, watch }: Value<T>): T {
  const [now, setNow] = useState(get)
  useEffect(() => {
    // It may have changed between the drawing and now.
    setNow(get)
    return watch((next) => setNow(() => next))
  }, [get, watch])
  return now
}

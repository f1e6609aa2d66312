/**
 * Ends the session of a console that nobody touches, in all of its tabs at once. The server's own clock would not:
 * pages read again what events touched, whether or not anybody sits there.
 */
import { readSession } from './session.ts'
import { type Value, value } from './value.ts'

/** As long as the server lets a session be that nobody uses. */
const idleMs = 15 * 60_000
const warningMs = 60_000
const lookMs = 5_000
/** Who reads for long without asking for anything is there all the same: so often the server is told. */
const keepMs = 5 * 60_000

/** Whether the session is about to end. */
export const isEnding: Value<boolean> = value(false)

const keptAs = 'cashpoint-touched'
const touches = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const

/** Watches until what it gives is called; `onIdle` is told once. */
export function watchIdle(onIdle: () => void): () => void {
  let toldMs = Date.now()
  let touchedMs = 0
  const touch = () => {
    const nowMs = Date.now()
    if (nowMs - touchedMs < lookMs && !isEnding.get()) return
    touchedMs = nowMs
    localStorage.setItem(keptAs, String(nowMs))
    if (isEnding.get()) isEnding.set(false)
    if (nowMs - toldMs < keepMs) return
    toldMs = nowMs
    readSession().catch(() => {})
  }
  const look = () => {
    const untouchedMs = Date.now() - Number(localStorage.getItem(keptAs))
    if (untouchedMs >= idleMs) {
      stop()
      onIdle()
    } else if (untouchedMs >= idleMs - warningMs !== isEnding.get()) isEnding.set(!isEnding.get())
  }
  const stop = () => {
    clearInterval(timer)
    for (const name of touches) document.removeEventListener(name, touch)
    isEnding.set(false)
  }
  const timer = setInterval(look, lookMs)
  for (const name of touches) document.addEventListener(name, touch, { passive: true })
  touch()
  return stop
}

/** Everything that happens, in words, as it happens. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Terminals } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { type LiveEvent, line, useEvents } from '../live.ts'
import type { Words } from '../messages/live.en.ts'
import type { Page } from '../pages.ts'
import { useData } from '../parts/data.ts'
import { clock, clockText, count, money } from '../parts/figures.ts'
import { icon } from '../parts/icon.ts'
import { note } from '../parts/note.ts'
import { pageHead, panel } from '../parts/page.ts'
import { type Place, withQuery } from '../place.ts'
import { navigate } from '../router.ts'
import { fits, kinds, type Told, tellingOf } from './live-telling.ts'

/** A row of the feed: an event, or a word about the line itself. */
type Row = { readonly event: LiveEvent } | { readonly word: string; readonly at: string }

const rowsMax = 1_000
const shownMax = 200
/** Events come faster than anybody reads: they are drawn so often. */
const drawMs = 250

export const page: Page<Words> = ({ place, words }) => {
  const { rows, waiting, isPaused, pause } = useFeed(words)
  const terminals = useData<Terminals>('/v1/terminals?limit=1000').body?.terminals ?? []
  const currencies = new Map(terminals.map(({ id, currency }) => [id, currency]))
  const filter = { terminal: place.query.get('terminal') ?? '', kind: place.query.get('kind') ?? '' }
  const shown = rows.filter((row) => 'word' in row || fits(row.event, filter)).slice(0, shownMax)
  return html`
    ${pageHead({ title: words.title, text: words.text, actions: pauseButton({ isPaused, waiting, pause }, words) })}
    ${filters(
      place,
      terminals.map(({ id }) => id),
      words,
    )}
    ${
      shown.length === 0
        ? note({ title: words.none, text: words.noneText })
        : panel(
            { tight: true },
            html`
            <ol class="feed" aria-label=${words.title}>
              ${shown.map((row) => ('word' in row ? wordRow(row) : eventRow(row.event, tellingOf(row.event, words, currencies), words)))}
            </ol>
          `,
          )
    }
  `
}

type Feed = { readonly isPaused: boolean; readonly waiting: number; pause(): void }

/** What came since one came here, the newest first. While it is paused, what comes waits. */
function useFeed(words: Words): Feed & { readonly rows: readonly Row[] } {
  const [rows, setRows] = useState<readonly Row[]>([])
  const [waiting, setWaiting] = useState(0)
  const [isPaused, setPaused] = useState(false)
  const arrived = useRef<Row[]>([])
  const add = (row: Row) => {
    arrived.current = [row, ...arrived.current].slice(0, rowsMax)
  }
  useEvents(
    () => true,
    (event) => add({ event }),
    () => add({ word: words.gap, at: new Date().toISOString() }),
  )
  useEffect(() => watchLine((word) => add({ word, at: new Date().toISOString() }), words), [])
  useEffect(() => {
    const timer = setInterval(() => {
      if (isPaused) return setWaiting(arrived.current.length)
      const came = arrived.current
      if (came.length === 0) return
      arrived.current = []
      setRows((before) => [...came, ...before].slice(0, rowsMax))
      setWaiting(0)
    }, drawMs)
    return () => clearInterval(timer)
  }, [isPaused])
  return { rows, waiting, isPaused, pause: () => setPaused(!isPaused) }
}

/** Says so when the line was broken and is open again. */
function watchLine(say: (word: string) => void, words: Words): () => void {
  let sinceMs: number | undefined
  return line.watch((now) => {
    if (now.at === 'broken') sinceMs = now.sinceMs
    if (now.at !== 'open' || sinceMs === undefined) return
    say(words.resumed(clockText(sinceMs)))
    sinceMs = undefined
  })
}

function pauseButton({ isPaused, waiting, pause }: Feed, words: Words): View {
  return html`
    <button type="button" class="button" aria-pressed=${String(isPaused)} onClick=${pause}>
      ${icon(isPaused ? 'play' : 'pause')}
      ${isPaused ? words.goOn(count(waiting)) : words.pause}
    </button>
  `
}

function filters(place: Place, terminals: readonly string[], words: Words): View {
  const set = (name: string) => (event: Event) =>
    navigate(withQuery(place, { [name]: (event.target as HTMLInputElement).value.trim() }), {
      replace: true,
    })
  const kind = place.query.get('kind') ?? ''
  return html`
    <form class="filters" onSubmit=${(event: SubmitEvent) => event.preventDefault()}>
      <label>${words.terminal}
        <input list="terminals" value=${place.query.get('terminal') ?? ''} onChange=${set('terminal')} spellcheck=${false} autocomplete="off" />
      </label>
      <datalist id="terminals">${terminals.map((id) => html`<option value=${id}></option>`)}</datalist>
      <label>${words.kind}
        <select onChange=${set('kind')}>
          <option value="" selected=${kind === ''}>${words.everything}</option>
          ${kinds.map((one) => html`<option value=${one} selected=${one === kind}>${words.kinds[one]}</option>`)}
        </select>
      </label>
    </form>
  `
}

function wordRow({ word, at }: { word: string; at: string }): View {
  return html`<li class="word" role="status" key=${at}>${clock(at)} <span>${word}</span></li>`
}

function eventRow({ id, time }: LiveEvent, { kind, tone, text, where, amount }: Told, words: Words): View {
  return html`
    <li key=${id}>
      ${clock(time)}
      <span class="badge ${tone}">${words.kinds[kind]}</span>
      <span class="text">${text}</span>
      <span class="where">${where}</span>
      <span class="how-much">${amount !== undefined && money(...amount)}</span>
    </li>
  `
}

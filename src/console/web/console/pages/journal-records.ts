/** What was written last, the newest first, in the words of the live feed; and from any record on what was before it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Events, Terminals } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { get, withParams } from '../api.ts'
import { type LiveEvent, useEvents } from '../live.ts'
import type { Words } from '../messages/journal.en.ts'
import { button } from '../parts/button.ts'
import { failed, loading, useData } from '../parts/data.ts'
import { count, money, stamp } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { listOf } from '../parts/list.ts'
import type { Column } from '../parts/table.ts'
import type { Place } from '../place.ts'
import { upTo } from './journal-up-to.ts'
import { tellingOf } from './live-telling.ts'

type Of = { readonly place: Place; readonly words: Words }
type Read = { readonly rows: readonly LiveEvent[]; readonly older: string | null }

const perPage = 30
const eventsPerRequest = 1_000
/** So many are looked through at first: not every record is an event. */
const recordsAtFirst = 64
const newerMs = 1_000

export function Records({ place, words }: Of): View {
  const before = idIn(place.query.get('before'))
  const last = idIn(place.query.get('upto'))
  const { read, failure, reload } = useRecords(before, last)
  const newer = useNewer(before === undefined && last === undefined, read)
  const terminals = useData<Terminals>('/v1/terminals?limit=1000').body?.terminals ?? []
  const currencies = new Map(terminals.map(({ id, currency }) => [id, currency]))
  if (read === undefined) return failure === undefined ? loading() : failed(failure, reload)
  return html`
    ${last !== undefined && upTo(words.upToRecord(isolated(last)), place.path, words)}
    ${newer > 0 && html`<p>${button({ label: words.newer(count(newer)), onClick: reload })}</p>`}
    ${listOf({
      caption: words.records,
      columns: columnsOf(words, currencies),
      rows: read.rows,
      keyOf: ({ id }) => id,
      place,
      next: read.older,
      by: 'before',
      empty: { title: words.noRecords },
    })}
  `
}

function columnsOf(words: Words, currencies: ReadonlyMap<string, string>): readonly Column<LiveEvent>[] {
  const telling = (event: LiveEvent) => tellingOf(event, words.telling, currencies)
  return [
    {
      head: words.what,
      cell: (event) => {
        const { tone, kind, text } = telling(event)
        return html`<span class="badge ${tone}">${words.telling.kinds[kind]}</span> ${text}`
      },
    },
    { head: words.where, cell: (event) => html`<span class="where">${telling(event).where}</span>` },
    { head: words.at, cell: ({ time }) => stamp(time) },
    { head: words.record, cell: ({ id }) => html`<code>${id}</code>` },
    {
      head: words.amount,
      align: 'end',
      cell: (event) => {
        const { amount } = telling(event)
        return amount && money(...amount)
      },
    },
  ]
}

/** The newest before a record, or else up to one and with it, or else of all. */
function useRecords(before: string | undefined, last: string | undefined) {
  const of = `${before} ${last}`
  const [state, setState] = useState<{ readonly of: string; read?: Read; failure?: unknown }>()
  const [round, setRound] = useState(0)
  useEffect(() => {
    let isWanted = true
    const asked = before === undefined && last !== undefined ? recordsUpTo(last) : recordsBefore(before)
    asked.then(
      (read) => isWanted && setState({ of, read }),
      (failure) => isWanted && setState({ of, failure }),
    )
    return () => {
      isWanted = false
    }
  }, [of, round])
  const current = state?.of === of ? state : undefined
  return { read: current?.read, failure: current?.failure, reload: () => setRound((round) => round + 1) }
}

/** How many events have come since the newest page was read. */
function useNewer(isNewest: boolean, read: Read | undefined): number {
  const [shown, setShown] = useState(0)
  const come = useRef(0)
  useEvents(
    () => isNewest,
    () => {
      come.current += 1
    },
  )
  useEffect(() => {
    come.current = 0
    setShown(0)
    const timer = setInterval(() => setShown(come.current), newerMs)
    return () => clearInterval(timer)
  }, [read])
  return isNewest ? shown : 0
}

/**
 * Events are told from the oldest on: so it begins some records before where it is to end, and further back where too
 * few of them are events.
 */
async function recordsBefore(before: string | undefined, from = before): Promise<Read> {
  const end = from ?? (await get<Events>('/v1/events?after=latest&limit=1')).next_after
  for (const after of end === null ? [] : beginningsBefore(end)) {
    const found = await eventsFrom(after, before)
    const rows = found.slice(-perPage).reverse()
    if (found.length > perPage) return { rows, older: rows.at(-1)?.id ?? null }
    if (after === undefined) return { rows, older: null }
  }
  return { rows: [], older: null }
}

/** Whatever comes after that record is the first not to be told: of several writers its own next one may come later. */
async function recordsUpTo(last: string): Promise<Read> {
  const after = await get<Events>(withParams('/v1/events', { after: last, limit: 1 }))
  return recordsBefore(after.events[0]?.id, last)
}

/** Records ever further before one, of the same writer, whose sequences are known; then the beginning of all. */
function* beginningsBefore(end: string): Generator<string | undefined> {
  const [writer, sequence] = end.split('-')
  for (let back = recordsAtFirst; Number(sequence) - back > 1; back *= 8)
    yield `${writer}-${Number(sequence) - back}`
  yield `${writer}-1`
  yield undefined
}

async function eventsFrom(after: string | undefined, before: string | undefined): Promise<LiveEvent[]> {
  const found: LiveEvent[] = []
  for (let from = after; ; ) {
    const page = await get<Events>(withParams('/v1/events', { after: from, limit: eventsPerRequest }))
    const events = page.events as LiveEvent[]
    const end = before === undefined ? -1 : events.findIndex(({ id }) => !comesBefore(id, before))
    found.push(...(end < 0 ? events : events.slice(0, end)))
    if (end >= 0 || events.length < eventsPerRequest || page.next_after === null) return found
    from = page.next_after
  }
}

function idIn(text: string | null): string | undefined {
  return text !== null && /^[1-9]\d*-[1-9]\d*$/.test(text) ? text : undefined
}

/** Of several writers the records are in one order, in which those of each are in theirs: of another's nothing is known. */
function comesBefore(id: string, other: string): boolean {
  const [writer, sequence] = id.split('-')
  const [otherWriter, otherSequence] = other.split('-')
  return writer !== otherWriter || Number(sequence) < Number(otherSequence)
}

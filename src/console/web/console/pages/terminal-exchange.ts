/**
 * An exchange of a machine's notes: what is in it is counted, suspects are answered by what that proves, and new notes
 * go in. It is under way at the host, not here: a page that is loaded again, and anybody else's, goes on with it.
 */
import { h } from 'preact'
import { useState } from 'preact/hooks'
import type {
  Counted,
  EndExchange,
  Exception,
  Exchanged,
  ExchangeOpen,
  Terminal,
  TerminalWithdrawals,
} from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { newKey, post, segment } from '../api.ts'
import type { Words } from '../messages/terminal-exchange.en.ts'
import { choices } from '../parts/choices.ts'
import { useData } from '../parts/data.ts'
import { openDialog } from '../parts/dialog.ts'
import { moneyText } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { panel } from '../parts/page.ts'
import { refusalText } from '../parts/refusal.ts'
import { toast } from '../parts/toast.ts'
import { CountForm, type Counts } from './terminal-count.ts'
import { type Answers, claimsOf, comparison, proposedIn, suspectsForm } from './terminal-counted.ts'
import { LoadForm } from './terminal-load.ts'
import { type Claim, consequencesOf, isTombstone } from './withdrawal-claim.ts'

/** Asks, and opens the machine. */
export function openStart({ id }: Terminal, words: Words, onDone: () => void): void {
  openDialog({
    title: words.start,
    text: words.startText(isolated(id)),
    action: words.start,
    reason: false,
    done: words.started,
    async submit(_form, key) {
      await post<ExchangeOpen>(`/v1/terminals/${segment(id)}/exchange`, { action: 'start' }, key)
      onDone()
    },
  })
}

export type ExchangeProps = {
  readonly terminal: Terminal
  readonly exchange: NonNullable<Terminal['exchange']>
  readonly exceptions: readonly Exception[]
  readonly words: Words
  onDone(): void
}

/** To be drawn with the exchange's id as its key. */
export function ExchangePanel({ terminal, exchange, exceptions, words, onDone }: ExchangeProps): View {
  const path = `/v1/terminals/${segment(terminal.id)}`
  const [mode, setMode] = useState<EndExchange['mode']>('set')
  const [count, setCount] = useState<{ found: Counted; round: number }>()
  const [isChanged, setChanged] = useState(false)
  const [answers, setAnswers] = useState<Answers>(new Map())
  const open = useData<TerminalWithdrawals>(`${path}/withdrawals?state=open&limit=1000`)
  const withdrawals = (open.body?.withdrawals ?? []).flatMap((each) => (isTombstone(each) ? [] : each))
  const claims = count && open.body && claimsOf(count.found, terminal, { withdrawals, exceptions })

  const onSave = async (units: Counts) => {
    try {
      const found = await post<Counted>(`${path}/counts`, { exchange: exchange.id, units }, newKey())
      setCount((before) => ({ found, round: (before?.round ?? 0) + 1 }))
      setAnswers(proposedIn(found))
      setChanged(false)
      onDone()
    } catch (error) {
      toast(refusalText(error), 'bad')
    }
  }
  const why = whyNotYet()

  function whyNotYet(): string | undefined {
    if (mode === 'add') return undefined
    if (count === undefined || claims === undefined) return words.first
    if (isChanged) return words.changed
    return [...answers.values()].includes(undefined) ? words.firstSuspects : undefined
  }
  function end(loaded: Readonly<Record<string, number>>): void {
    const suspects = Object.fromEntries([...answers].map(([id, dispensed = 0]) => [id, { dispensed }]))
    const body: EndExchange = {
      action: 'end',
      exchange: exchange.id,
      mode,
      loaded,
      ...(mode === 'set' && { suspects }),
    }
    const lines =
      mode === 'set' && count && claims
        ? setLines(count.found, { loaded, answers, claims, terminal, words })
        : [words.onTop(moneyText(worthOf(loaded, terminal), terminal.currency)), words.nothingSettled]
    openDialog({
      title: words.end,
      action: words.end,
      reason: false,
      fields: html`
        <ul class="lines">${[...lines, words.afterwards[exchange.afterwards]].map((line) => html`<li>${line}</li>`)}</ul>
      `,
      async submit(_form, key) {
        const ended = await post<Exchanged>(`${path}/exchange`, body, key)
        toast(endedText(ended, mode, words))
        onDone()
      },
    })
  }

  return panel(
    { title: words.title, beside: html`<code class="soft">${exchange.id}</code>` },
    html`
      <div class="exchange">
        <p class="soft">${words.back}</p>
        ${choices({
          legend: words.mode,
          name: 'mode',
          options: [
            { value: 'set', label: words.set },
            { value: 'add', label: words.add },
          ],
          chosen: mode,
          onChoose: (chosen) => setMode(chosen === 'add' ? 'add' : 'set'),
        })}
        ${
          mode === 'set' &&
          html`
            <section>
              <h3 class="step">${words.count}</h3>
              <p class="soft">${count === undefined && exchange.counts ? words.countedBefore : words.countText}</p>
              ${h(CountForm, {
                terminal,
                before: exchange.counts,
                action: exchange.counts ? words.saveAgain : words.save,
                words,
                onChange: () => setChanged(true),
                onSave,
              })}
            </section>
            ${
              count &&
              html`
                <section class=${isChanged ? 'stale' : ''} key=${count.round}>
                  ${comparison(count.found, terminal, words)}
                  ${
                    claims &&
                    count.found.suspects.length > 0 &&
                    suspectsForm({
                      counted: count.found,
                      claims,
                      terminal,
                      words,
                      onAnswer: (id, dispensed) => setAnswers((before) => new Map(before).set(id, dispensed)),
                    })
                  }
                </section>
              `
            }
          `
        }
        <section>
          <h3 class="step">${words.load}</h3>
          ${h(LoadForm, { terminal, why, isAll: mode === 'set', words, onEnd: end })}
        </section>
      </div>
    `,
  )
}

/** What notes of units are worth. Minor units. */
export function worthOf(notes: Readonly<Record<string, number>>, { units }: Terminal): number {
  return units.reduce((sum, { id, value = 0 }) => sum + value * (notes[id] ?? 0), 0)
}

type Ending = {
  readonly loaded: Readonly<Record<string, number>>
  readonly answers: Answers
  readonly claims: ReadonlyMap<string, Claim>
  readonly terminal: Terminal
  readonly words: Words
}

/** What the end of an exchange does, in sentences; the server says the same in figures when it is done. */
function setLines(found: Counted, { loaded, answers, claims, terminal, words }: Ending): string[] {
  const text = (minor: number) => moneyText(minor, terminal.currency)
  const left = [...answers.values()].reduce<number>((sum, dispensed = 0) => sum + dispensed, 0)
  const off = found.amount + left
  return [
    ...[...claims].flatMap(([id, claim]) =>
      consequencesOf(claim, answers.get(id) ?? 0, words.settle).map((line) => `${isolated(id)}: ${line}`),
    ),
    off === 0 ? words.even : (off < 0 ? words.short : words.over)(text(Math.abs(off))),
    words.removed(text(terminal.cash + found.amount)),
    words.loaded(text(worthOf(loaded, terminal))),
  ]
}

function endedText({ over_short, terminal }: Exchanged, mode: EndExchange['mode'], words: Words): string {
  if (mode === 'add') return words.ended
  if (over_short === 0) return words.endedEven
  const amount = moneyText(Math.abs(over_short), terminal.currency)
  return over_short < 0 ? words.endedShort(amount) : words.endedOver(amount)
}

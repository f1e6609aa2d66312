/** Whether the books prove: how far a pass has come, and what the last one found. */
import { useEffect, useState } from 'preact/hooks'
import type { Verification } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { failureText, tell } from '../api.ts'
import type { Words } from '../messages/journal.en.ts'
import { button } from '../parts/button.ts'
import { copyable } from '../parts/copy.ts'
import { loaded, useData } from '../parts/data.ts'
import { ago, count, money, spanText } from '../parts/figures.ts'
import { isolated } from '../parts/isolated.ts'
import { note } from '../parts/note.ts'
import { facts, panel } from '../parts/page.ts'
import { table } from '../parts/table.ts'

type Pass = NonNullable<Verification['running']>
type Verdict = NonNullable<Verification['last']>

const path = '/v1/verify'
const lookMs = 400

export function Proof({ words }: { words: Words }): View {
  const [isRunning, setRunning] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const data = useData<Verification>(path, undefined, isRunning ? lookMs : undefined)
  const { body, reload } = data
  useEffect(() => setRunning(body !== undefined && body.running !== null), [body])
  const start = async () => {
    setRunning(true)
    setFailure(undefined)
    try {
      // Without a key: a store that takes no commands can be proven, too, and a pass that runs is started no second time.
      await tell({ method: 'POST', path })
    } catch (error) {
      setRunning(false)
      setFailure(error)
    }
    reload()
  }
  return panel(
    {
      title: words.proof,
      beside: button({
        label: isRunning ? words.verifying : words.verify,
        tone: 'main',
        busy: isRunning,
        onClick: start,
      }),
    },
    html`
      <p class="soft">${words.proofText}</p>
      ${failure !== undefined && note({ tone: 'bad', text: failureText(failure) })}
      ${isRunning && progress(body?.running ?? undefined, words)}
      ${loaded(data, ({ last }) => html`<div role="status">${last !== null ? verdict(last, words) : !isRunning && html`<p>${words.never}</p>`}</div>`)}
    `,
  )
}

/** Of a pass that has only been asked for nothing is known yet. */
function progress(pass: Pass | undefined, words: Words): View {
  const { block, of, by = '' } = pass ?? { block: 0, of: 0 }
  const isKnown = of > 0
  const text = isKnown ? words.blockOf(count(block), count(of)) : words.beginning
  return html`
    <div class="proving">
      <div class="progress ${isKnown ? '' : 'unknown'}" role="progressbar" aria-label=${words.proof} aria-valuemin="0"
        aria-valuemax=${isKnown ? of : undefined} aria-valuenow=${isKnown ? block : undefined} aria-valuetext=${text}>
        <i style=${{ width: isKnown ? `${(block / of) * 100}%` : '100%' }}></i>
      </div>
      <span class="figure">${text}</span> ${by !== '' && html`<small>${words.askedBy(isolated(by))}</small>`}
    </div>
  `
}

function verdict(last: Verdict, words: Words): View {
  const { started_at, finished_at, by, proven, head, blocks, sums } = last
  const tookS = (Date.parse(finished_at) - Date.parse(started_at)) / 1_000
  return html`
    ${proven ? right(last, words) : wrong(last, words)}
    ${facts([
      [words.finished, ago(finished_at)],
      [words.took, tookS < 1 ? words.lessThanASecond : spanText(tookS)],
      ...(by === '' ? [] : [[words.by, html`<bdi>${by}</bdi>`] as const]),
      ...(head === undefined ? [] : [[words.head, headOf(head, blocks, words)] as const]),
    ])}
    ${sums !== undefined && sumsOf(sums, words)}
  `
}

function right({ records = 0, blocks, accounts = 0, from, to }: Verdict, words: Words): View {
  const text =
    blocks === undefined
      ? words.provenPart(count(records), count(from ?? 1), to === null ? '…' : count(to))
      : words.provenText({ records: count(records), blocks: count(blocks), accounts: count(accounts) })
  return note({ tone: 'good', title: words.proven, text })
}

function headOf(head: string, blocks: number | undefined, words: Words): View {
  return html`${copyable(head, `${head.slice(0, 16)}…`)} ${blocks !== undefined && html`<small>${words.headOf(count(blocks))}</small>`}`
}

/** What is wrong is told as the server tells it: whoever repairs it looks for these words. */
function wrong({ block, record, what = '' }: Verdict, words: Words): View {
  const where =
    block === undefined
      ? words.couldNot
      : words.wrongAt(count(block), record === undefined ? undefined : count(record))
  return html`
    <div class="note bad" role="alert">
      <div>
        <strong>${words.notProven}</strong>
        <p>${where}</p>
        <p><code dir="ltr">${what}</code></p>
        <p>${words.whatNow}</p>
      </div>
    </div>
  `
}

/** Sums of many amounts may be beyond what a number holds: they come as digits. */
function sumsOf(list: NonNullable<Verdict['sums']>, words: Words): View {
  type Sum = (typeof list)[number]
  const figure = (head: string, of: (sum: Sum) => bigint) => ({
    head,
    align: 'end' as const,
    cell: (sum: Sum) => money(of(sum), sum.currency),
  })
  const [customers, terminals, house] = [
    (sum: Sum) => BigInt(sum.customers),
    (sum: Sum) => BigInt(sum.terminals),
    (sum: Sum) => BigInt(sum.house),
  ]
  return html`
    <details class="sums">
      <summary>${words.sums}</summary>
      ${table({
        caption: words.sums,
        columns: [
          { head: words.currency, cell: ({ currency }) => html`<b>${currency}</b>` },
          figure(words.customers, customers),
          figure(words.terminals, terminals),
          figure(words.house, house),
          figure(words.sum, (sum) => customers(sum) + terminals(sum) + house(sum)),
        ],
        rows: list,
        keyOf: ({ currency }) => currency,
      })}
    </details>
  `
}

/** The verdict as a person reads it: three promises, what was found against them, and the figures. */

import { decimalOf } from '../outside/money.ts'
import type { Counterexample } from './linearizable.ts'
import type { Asked, Finding, Verdict } from './torture.ts'

const promises = ['conserved', 'exactly once', 'linearizable'] as const

export function report({ findings, figures, notes, v1, prefix }: Verdict, seed: number): string {
  const { operations, retries, lost, declined, busy, ms } = figures
  const rate = Math.round(operations / (ms / 1000))
  return [
    ...findings.flatMap(findingLines),
    ...promises.map((promise) => {
      const broken = findings.filter((finding) => finding.promise === promise).length
      const name = promise === 'linearizable' ? 'linearizable per account' : promise
      return `${name.padEnd(25)} ${broken === 0 ? 'yes' : `NO (${broken} found)`}`
    }),
    '',
    `${operations} operations in ${(ms / 1000).toFixed(1)} s, ${rate} a second; ${lost} answers lost, ${retries} retries, ${declined} declined, ${busy} refused for now`,
    `routes: original${v1 ? ' and /v1 transfers' : ''}`,
    ...notes.map((note) => `note: ${note}`),
    `its accounts stay, emptied where that was possible: ${prefix}-…`,
    `seed ${seed}`,
  ].join('\n')
}

function findingLines({ promise, what, account, shown }: Finding): string[] {
  const where = account === undefined ? '' : ` (${account})`
  return [`✗ ${promise}: ${what}${where}`, ...(shown === undefined ? [] : table(shown)), '']
}

// A window of time that a person can still follow.
const rowsMax = 24

function table({ history, last, states }: Counterexample<Asked>): string[] {
  const startMs = history[0]?.invoked ?? 0
  const at = (ms: number) => (Number.isFinite(ms) ? `${(ms - startMs).toFixed(1)} ms` : 'never')
  const rows = history
    .slice(-rowsMax)
    .map(({ op, invoked, returned }) => [
      `client ${op.client}`,
      op.words,
      at(invoked),
      at(returned),
      op.answer,
    ])
  const all = [['who', 'asked', 'sent', 'answered', 'said'], ...rows]
  const widths = [0, 1, 2, 3].map((i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  const before = states.map((key) => (key === 'null' ? 'no account' : decimalOf(Number(key), 2)))
  return [
    `  before: ${before.join(' or ')}`,
    ...all.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd()),
    `  No order of these, each between sent and answered, gives client ${last.op.client}'s "${last.op.words}" the answer "${last.op.answer}".`,
  ]
}

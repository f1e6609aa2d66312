/** The verdict on a fleet as a person reads it: what was promised, what was found against it, and the figures. */
import type { Verdict } from './fleet.ts'
import { type Promised, promises } from './judge.ts'
import { money } from './notes.ts'

const suspectsMax = 12

export function report(
  { findings, suspects, sites, figures, line, faults, powerCuts, records, ms }: Verdict,
  seed: number,
): string {
  const { withdrawals, paid, declined, givenUp, inDoubt, deposits, exchanges, closes } = figures
  const mispicked = sites
    .map(({ exchange }) => exchange.ended.terminal.over_short)
    .filter((amount) => amount !== 0)
  const iso = sites.filter(({ speaks }) => speaks === 'iso8583').length
  return [
    ...findings.slice(0, 20).map(({ promise, what, terminal }) => `✗ ${terminal ?? promise}: ${what}`),
    ...(findings.length > 20 ? [`  and ${findings.length - 20} more`] : []),
    ...(findings.length > 0 ? [''] : []),
    ...Object.entries(promises).map(([promise, words]) => {
      const broken = findings.filter((finding) => finding.promise === (promise as Promised)).length
      return `${words.padEnd(40)} ${broken === 0 ? 'yes' : `NO (${broken} found)`}`
    }),
    '',
    ...(suspects.length > 0 ? ['suspects at the close, and what had really left:'] : []),
    ...suspects
      .slice(0, suspectsMax)
      .map(
        ({ terminal, withdrawal, amount, why, dispensed }) =>
          `  ${terminal}  ${withdrawal.padEnd(20)} ${money(amount).padStart(8)}  ${why.padEnd(9)} ${money(dispensed).padStart(8)}`,
      ),
    ...(suspects.length > suspectsMax ? [`  and ${suspects.length - suspectsMax} more`] : []),
    ...(suspects.length > 0 ? [''] : []),
    `${sites.length} machines${iso === 0 ? '' : `, ${iso} of them by ISO 8583`}, ${(ms / 1000).toFixed(1)} s: ${withdrawals} withdrawals, ${paid} paid, ${declined} declined, ${givenUp} given up, ${inDoubt} in doubt; ${deposits} deposits, ${closes} closes, ${exchanges} exchanges`,
    `${line.asked} requests, ${line.lost} without an answer in time, ${line.late} answers came late, ${line.refusedForNow} refused for now; power lost ${powerCuts} times`,
    `over/short at ${mispicked.length} machines, ${money(mispicked.reduce((sum, amount) => sum + amount, 0))} in all`,
    `faults: ${faults.size === 0 ? 'none' : [...faults].map(([name, count]) => `${name} ${count}`).join(', ')}`,
    `${records} records proven`,
    `seed ${seed}`,
  ].join('\n')
}

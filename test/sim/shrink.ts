/** A run that fails made smaller while it still fails, and kept as a scenario: options, and the reason in words. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type FaultKind, faultKinds } from './faults.ts'
import type { Front } from './front.ts'
import { type Result, type RunOptions, run, type Saboteur } from './run.ts'

export type Scenario = { readonly reason: string; readonly options: RunOptions }

const scenariosUrl = new URL('./scenarios/', import.meta.url)
const runsMax = 80

/** The smallest failing run that leaving things out leads to: kinds of faults, then clients, then what they want. */
export async function shrink(failed: Result, front: Front, saboteur?: Saboteur): Promise<Result> {
  let smallest = failed
  let runs = 0
  const isSmaller = async (change: Partial<RunOptions>): Promise<boolean> => {
    if (runs === runsMax) return false
    runs += 1
    const result = await run({ ...smallest.options, ...change }, front, saboteur)
    if (result.violation === undefined) return false
    smallest = result
    return true
  }
  for (const kind of faultKinds) {
    const faults: readonly FaultKind[] = smallest.options.faults ?? faultKinds
    if (faults.includes(kind)) await isSmaller({ faults: faults.filter((other) => other !== kind) })
  }
  for (const name of ['operations', 'clients'] as const)
    for (let step = smallest.options[name] ?? 0; step >= 1; step = Math.floor(step / 2))
      while (
        (smallest.options[name] ?? 0) > step &&
        (await isSmaller({ [name]: (smallest.options[name] ?? 0) - step }))
      );
  return smallest
}

/** Writes a failing run down, where the tests replay it from then on; gives the file's name. */
export function keep({ options, violation = '' }: Result): string {
  mkdirSync(scenariosUrl, { recursive: true })
  const name = `seed-${options.seed}.json`
  const scenario: Scenario = { reason: violation, options }
  writeFileSync(new URL(name, scenariosUrl), `${JSON.stringify(scenario, null, 2)}\n`)
  return name
}

/** All scenarios that are kept, by the names of their files. */
export function kept(): [string, Scenario][] {
  if (!existsSync(scenariosUrl)) return []
  const names = readdirSync(scenariosUrl).filter((name) => name.endsWith('.json'))
  return names.map((name) => [name, JSON.parse(readFileSync(new URL(name, scenariosUrl), 'utf8'))])
}

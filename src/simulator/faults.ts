/** What can go wrong, each by name and with a probability of its own. A seed makes the same things go wrong again. */
import type { Chance } from '../outside/chance.ts'

/** Each fault, how likely it is by itself, and what it does. */
export const faults = {
  'request-lost': { odds: 0.03, help: 'a request never arrives' },
  'answer-lost': { odds: 0.03, help: 'a request is done and its answer never arrives' },
  'late-answer': {
    odds: 0.03,
    help: 'a request arrives, and is answered, when the machine has stopped waiting',
  },
  duplicate: { odds: 0.05, help: 'a request is sent twice at once' },
  outage: { odds: 0.004, help: 'the line is down for some seconds' },
  'dies-before': { odds: 0.015, help: 'power is lost before notes are moved' },
  'dies-while': { odds: 0.015, help: 'power is lost while notes are moved' },
  'dies-after': { odds: 0.015, help: 'power is lost when notes have left, before that is said' },
  partial: { odds: 0.02, help: 'some of the notes leave, and then no more' },
  jam: { odds: 0.015, help: 'some of the notes leave, and the dispenser does not know which' },
  retract: { odds: 0.015, help: 'nobody takes the notes: they are pulled back uncounted' },
  mispick: { odds: 0.01, help: 'another note leaves than the dispenser believes, or one more' },
} as const satisfies Record<string, { readonly odds: number; readonly help: string }>

export type Fault = keyof typeof faults

export type Odds = Readonly<Partial<Record<Fault, number>>>

export const faultNames = Object.keys(faults) as Fault[]

export const allFaults: Odds = Object.fromEntries(faultNames.map((name) => [name, faults[name].odds]))

/** Something that a person asked for and that cannot be: said in one line. */
export class AskedWrongError extends Error {}

/** `all`, `none`, or names with commas between them, each with its odds or without: `jam,answer-lost=0.2`. */
export function readFaults(text: string): Odds {
  if (text === 'all') return allFaults
  if (text === 'none' || text === '') return {}
  return Object.fromEntries(text.split(',').map(readFault))
}

function readFault(text: string): readonly [Fault, number] {
  const [name = '', odds] = text.trim().split('=')
  if (!Object.hasOwn(faults, name))
    throw new AskedWrongError(`there is no fault ${name}; there are: ${faultNames.join(', ')}`)
  const fault = name as Fault
  if (odds === undefined) return [fault, faults[fault].odds]
  if (!/^(0|1|0?\.[0-9]+|1\.0+)$/.test(odds))
    throw new AskedWrongError(`${name}=${odds}: the odds are a number from 0 to 1`)
  return [fault, Number(odds)]
}

/** The faults of one machine: asked at each place where one can happen, and counted where it did. */
export class Faults {
  readonly counts = new Map<Fault, number>()
  readonly #odds: Odds
  readonly #chance: Chance

  constructor(odds: Odds, chance: Chance) {
    this.#odds = odds
    this.#chance = chance
  }

  happens(name: Fault): boolean {
    const odds = this.#odds[name] ?? 0
    // Asked for also where it cannot happen: the choices of a seed stay the same whichever faults are on.
    const happens = this.#chance(1_000_000) < odds * 1_000_000
    if (happens) this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
    return happens
  }
}

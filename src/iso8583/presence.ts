/** Which fields a message must have, and which go back as they came: the presence table of docs/iso8583.md as data. */
import type { Message } from './message/index.ts'

export type Presence = {
  readonly must: readonly number[]
  /** Of a listener that is strict; a stock client leaves these out. */
  readonly strict: readonly number[]
  /** Whether there must be a card number, in 2 or 35. */
  readonly card: boolean
  readonly echo: readonly number[]
}

const times = [7, 12, 13]
const request = [...times, 49]
const echo = [2, 3, 4, 7, 11, 12, 13, 32, 33, 37, 41, 42, 49, 102, 103]

// An advice says what already happened: what matches it must be there, and nothing else is worth refusing it.
const advice = {
  must: [11, 41],
  strict: [],
  card: false,
  echo: [...echo, 38, 90],
} as const satisfies Presence

const totals = {
  must: [11, 41],
  strict: [],
  card: false,
  echo: [7, 11, 12, 13, 32, 33, 37, 41, 42],
} as const satisfies Presence

export const presence = {
  inquiry: { must: [3, 11, 41], strict: request, card: true, echo },
  withdrawal: { must: [3, 4, 11, 41], strict: request, card: true, echo },
  deposit: { must: [3, 4, 11, 41], strict: request, card: false, echo },
  // Elsewhere the processing code may choose among the card's accounts.
  transfer: { must: [3, 4, 11, 41], strict: [...request, 102, 103], card: true, echo },
  pinChange: { must: [3, 11, 41, 62], strict: request, card: true, echo },
  completion: advice,
  reversal: advice,
  totals,
  reconciliation: totals,
  network: { must: [11, 70], strict: [], card: false, echo: [7, 11, 12, 13, 41, 70] },
} as const satisfies Record<string, Presence>

/** What of a message that cannot be read goes back. */
export const echoOfError: readonly number[] = [7, 11, 12, 13, 37, 41, 70]

/** The first field that must be there and is not; 2 for a card number. */
export function missingIn({ fields }: Message, { must, strict, card }: Presence, isStrict: boolean) {
  if (card && fields[2] === undefined && fields[35] === undefined) return 2
  return [...must, ...(isStrict ? strict : [])].find((number) => fields[number] === undefined)
}

export function echoed({ fields }: Message, numbers: readonly number[]): Record<number, string> {
  return Object.fromEntries(
    numbers.flatMap((number) => (fields[number] === undefined ? [] : [[number, fields[number]]])),
  )
}

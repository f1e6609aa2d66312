/** Which notes to pay an amount with. */
import type { Minor } from './money.ts'

export type Payer = {
  readonly id: string
  readonly value: Minor
  readonly free: number
  readonly count: number
  readonly initial: number
}

export type Mix = Readonly<Record<string, number>>
export type MixRule = 'minimumBills' | 'equalEmptying'
